"""Is there room for a file, beside all that is promised to the others?"""

from __future__ import annotations

from attrs import define, field

__all__ = ["SpaceLedger"]


@define
class SpaceLedger:
    """What running transfers are still going to write to one disk.

    The disk is looked at now and then; between two looks its free bytes are those of the last one,
    less what was written since.
    """

    free: int = 0
    """Bytes at the last look."""
    looked_at: float | None = None
    """When that was; None before the first."""
    promised: int = 0
    """Bytes that are still to be written."""
    _promises: dict[object, int] = field(factory=dict)
    _written: int = 0

    @property
    def room(self) -> int:
        """Bytes that are neither written nor promised, as far as known."""
        return self.free - self._written - self.promised

    def look(self, free: int, now: float) -> None:
        """The disk was looked at."""
        self.free, self.looked_at, self._written = free, now, 0

    def promise(self, key: object, size: int) -> None:
        """A transfer is going to write so many bytes, whatever it was promised before."""
        self.promised += size - self._promises.get(key, 0)
        self._promises[key] = size

    def wrote(self, key: object, size: int) -> None:
        """It has written some of them, or some that nobody had expected."""
        self._written += size
        if key in self._promises:
            kept = min(size, self._promises[key])
            self._promises[key] -= kept
            self.promised -= kept

    def release(self, key: object) -> None:
        """It writes no more."""
        self.promised -= self._promises.pop(key, 0)
