"""How does it start from a shell, also where the command line's packages are missing?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

__all__ = ["main"]

PARTS = ("click", "rich")
"""The packages of the extra `cli`: nothing outside this folder imports them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code (``iceye-derivatives --help`` lists them).

    Args:
        arguments: What follows the program's name; None takes the process's own.
    """
    if missing := [part for part in PARTS if find_spec(part) is None]:
        sys.stderr.write(
            f"The command line needs {' and '.join(missing)}, which is not installed: "
            "run pip install 'iceye-derivatives[cli]'\n"
        )
        return 2
    from iceye_derivatives.cli.app import run_command  # noqa: PLC0415  see PARTS

    return run_command(sys.argv[1:] if arguments is None else arguments)
