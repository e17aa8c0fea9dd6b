"""Where do the bytes of a long body come to, so that they are never copied again?"""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from weakref import ReferenceType, ref

__all__ = ["Basin"]


class Basin:
    """Room for so many bytes, which is filled where it stands and then handed out as what it holds.

    A `BytesIO` gives away the very bytes that its buffer was written into, once nobody looks at
    them any more.  Pieces that are copied and joined cost as much as reading them, and twice the
    memory.

    Nobody looks into it between two reads, so that the garbage collector may find it at any time:
    what is looked into when it does crashes Python 3.12.0 and 3.12.1 (python/cpython#111049), and
    3.13 tells of an error on the user's terminal (#111331).
    """

    __slots__ = ("_kept", "_lent", "filled", "size")

    def __init__(self, size: int) -> None:
        self._kept = BytesIO(bytes(size))
        self._lent: ReferenceType[memoryview] | None = None
        self.size = size
        self.filled = 0
        """How many bytes are in it."""

    def lend(self) -> memoryview:
        """Where the next bytes go, for one read; `filled` is to be raised by how many they were."""
        room = self._kept.getbuffer()[self.filled :]
        self._lent = ref(room)
        return room

    def call_back(self) -> None:
        """End what was lent, which the frames of a failed read still hold: no bytes will come."""
        room = None if self._lent is None else self._lent()
        if room is not None:
            with suppress(BufferError):  # it is being read into: that frame ends by itself
                room.release()

    def put(self, data: memoryview) -> None:
        """Bytes that came elsewhere: a copy, for which there must be room."""
        self._kept.seek(self.filled)
        self.filled += self._kept.write(data)

    def cut(self, start: int) -> bytes:
        """Take what is behind this place out of it."""
        self._kept.seek(start)
        cut = self._kept.read(self.filled - start)
        self.filled = start
        return cut

    def take(self) -> bytes:
        """What is in it; it is used no more."""
        try:
            self._kept.truncate(self.filled)
        except BufferError:  # somebody still holds what was lent
            return self._kept.getvalue()[: self.filled]
        return self._kept.getvalue()
