"""How does a secret travel through frames that others may print?"""

from __future__ import annotations

__all__ = ["Secret"]


class Secret(str):
    """A string whose `repr()` tells nothing.

    Error trackers, and tracebacks that show local variables, print the `repr` of whatever stands
    in a frame.  This is a plain `str` to everything that sends it, and silent to everything that
    shows it, also inside of a dict of headers.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "<redacted>"
