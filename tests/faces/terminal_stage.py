"""A terminal of the program's own: what does it receive?"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

__all__ = ["COLOURS", "MOVES", "on_a_terminal"]

MOVES = "\x1b[?25l"
COLOURS = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7])[;m]")


def on_a_terminal(arguments: list[str], **settings: str) -> str:
    """What a terminal of its own receives from the program."""
    ours, theirs = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "TERM", "COLUMNS"}}
    with subprocess.Popen(  # noqa: S603  it is our own program
        [sys.executable, "-m", "iceye_derivatives", *arguments],
        env=environ | {"TERM": "xterm-256color", **settings},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the program has gone
                break
            if not piece:
                break
            seen += piece
    os.close(ours)
    assert process.returncode == 0, seen
    return seen.decode()
