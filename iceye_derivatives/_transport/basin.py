"""Where do the bytes of a long body come to, so that they are never copied again?"""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO

__all__ = ["Basin"]


class _Kept(BytesIO):
    """Closed without a word while somebody looks at it.

    The garbage collector closes what is in a ring of dead objects before it frees who looks, and
    Python 3.13 tells of an error in that on the user's terminal.
    """

    __slots__ = ()

    def close(self) -> None:
        with suppress(BufferError):
            super().close()


class Basin:
    """Room for so many bytes, which is filled where it stands and then handed out as what it holds.

    A `BytesIO` gives away the very bytes that its buffer was written into, once nobody looks at
    them any more.  Pieces that are copied and joined cost as much as reading them, and twice the
    memory.
    """

    __slots__ = ("_kept", "_view", "filled", "size")

    def __init__(self, size: int) -> None:
        self._kept = _Kept(bytes(size))
        self._view = self._kept.getbuffer()
        self.size = size
        self.filled = 0
        """How many bytes are in it."""

    @property
    def room(self) -> memoryview:
        """Where the next bytes go; `filled` is to be raised by how many they were."""
        return self._view[self.filled :]

    def put(self, data: memoryview) -> None:
        """Bytes that came elsewhere: a copy, for which there must be room."""
        end = self.filled + len(data)
        self._view[self.filled : end] = data
        self.filled = end

    def cut(self, start: int) -> bytes:
        """Take what is behind this place out of it."""
        cut = bytes(self._view[start : self.filled])
        self.filled = start
        return cut

    def take(self) -> bytes:
        """What is in it; it is used no more."""
        self._view.release()
        try:
            self._kept.truncate(self.filled)
        except BufferError:  # somebody still holds a `room`
            return self._kept.getvalue()[: self.filled]
        return self._kept.getvalue()
