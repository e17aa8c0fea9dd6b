"""What does a terminal see of long work that has nothing to show yet?"""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Final, Self

from iceye_derivatives.cli.wording import count

__all__ = ["CountLine"]

_EVERY: Final = 50
"""As many as a page of tasks holds."""
_ERASED: Final = "\r\x1b[K"


class CountLine:
    """How many were read so far, on a line of stderr that goes again; no terminal sees it.

    Args:
        what: One of them.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._number = 0
        self._drawn = False
        self._moves = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def add(self) -> None:
        """One more was read."""
        self._number += 1
        if self._moves and self._number % _EVERY == 0:
            self._draw(f"{_ERASED}{count(self._number, self._what)} read")
            self._drawn = True

    def clear(self) -> None:
        """Take it away, before anything else is written to the terminal."""
        if self._drawn:
            self._draw(_ERASED)
            self._drawn = False

    def _draw(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()
