"""Where are the bytes of a long body received, so that they need not be copied?"""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from weakref import ReferenceType, ref

__all__ = ["Basin"]


class Basin:
    """A buffer of a fixed size: received into, and then handed out as `bytes` without a copy.

    A `BytesIO` gives away the very bytes that its buffer was written into, once no view of them is
    left.  To copy and join pieces costs as much as to receive them, and twice the memory.

    No view is kept between two reads, since the garbage collector may come at any time.  If it
    finds a buffer with a view, Python 3.12.0 and 3.12.1 crash (python/cpython#111049), and 3.13
    prints an error on the user's terminal (#111331).
    """

    __slots__ = ("_kept", "_lent", "filled", "size")

    def __init__(self, size: int) -> None:
        self._kept = BytesIO(bytes(size))
        self._lent: ReferenceType[memoryview] | None = None
        self.size = size
        self.filled = 0
        """How many bytes it holds."""

    def lend(self) -> memoryview:
        """Where the next bytes go, for one read; the reader then adds their number to `filled`."""
        room = self._kept.getbuffer()[self.filled :]
        self._lent = ref(room)
        return room

    def call_back(self) -> None:
        """Release what was lent, which the frames of a failed read may still hold."""
        room = None if self._lent is None else self._lent()
        if room is not None:
            with suppress(BufferError):  # it is being read into: that frame ends by itself
                room.release()

    def put(self, data: memoryview) -> None:
        """Copy bytes in that were received elsewhere; there must be room for them."""
        self._kept.seek(self.filled)
        self.filled += self._kept.write(data)

    def cut(self, start: int) -> bytes:
        """Take out all that stands from here on."""
        self._kept.seek(start)
        cut = self._kept.read(self.filled - start)
        self.filled = start
        return cut

    def take(self) -> bytes:
        """All that is in it; it is not used after that."""
        try:
            self._kept.truncate(self.filled)
        except BufferError:  # somebody still holds what was lent
            return self._kept.getvalue()[: self.filled]
        return self._kept.getvalue()
