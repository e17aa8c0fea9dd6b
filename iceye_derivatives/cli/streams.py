"""Where do the words of a command go, whatever the shell has made of its three streams?

A service manager, or ``>&-``, may start a program without one of them.  The first socket or file
that is opened then gets its number: uvloop aborts the process where it should close such a socket,
and what somebody prints would go to ICEYE, or into a file of detections.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

__all__ = ["give_up_stdout", "make_ready"]


def make_ready() -> None:
    """Let nothing that is printed fail for want of a stream or of a letter."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
    # Python has none where none was open when it began.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        # A terminal or log that knows less than Unicode gets question marks, not a traceback.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")


def give_up_stdout() -> None:
    """What it still holds, and whatever comes after that, goes nowhere.

    Python would try once more at its end, and complain of a reader that has gone.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")
