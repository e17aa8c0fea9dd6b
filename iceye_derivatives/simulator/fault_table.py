"""What does the page of all faults say: Markdown, made from the register.

`python -m iceye_derivatives.simulator.fault_table > docs/simulator-faults.md`
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from iceye_derivatives.simulator.fault_register import CHAPTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iceye_derivatives.simulator.incident import Fault

_INTRODUCTION = """\
# The simulator's faults

Made from the register by `python -m iceye_derivatives.simulator.fault_table`: edit the functions'
docstrings in `iceye_derivatives/simulator/fault_kit/`, not this page.

Each is switched on by its name: `sim.faults.add("rate_limited", times=3, retry_after="seconds")`,
`[[faults]]` in a [scenario file](testing.md#scenarios), or `--fault rate_limited:3` in a shell.
Unless told otherwise it strikes once, at the first of its sides.
Where a setting has choices, the first is the default.
"""


def markdown() -> str:
    """Write the whole page."""
    lines = [_INTRODUCTION]
    for chapter in CHAPTERS:
        lines += [f"## {chapter.title}\n", "| name | what happens | sides | settings |"]
        lines += ["| --- | --- | --- | --- |", *map(_row, chapter.faults.values()), ""]
    return "\n".join(lines)


def _row(fault: Fault) -> str:
    cells = (
        f"`{fault.name}`",
        _cell(fault.description) + (" *No client can tell.*" if fault.lies else ""),
        ", ".join(fault.sides),
        "<br>".join(_settings(fault)),
    )
    return f"| {' | '.join(cells)} |"


def _settings(fault: Fault) -> Iterator[str]:
    for name, default in fault.settings.items():
        choices = default if isinstance(default, tuple) else (default,)
        yield f"`{name}`: {', '.join(_cell(f'`{choice!r}`') for choice in choices)}"


def _cell(text: str) -> str:
    # A bar would end the cell, also inside of code.
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(markdown())
