"""How stubborn, careful and talkative is a download?"""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from iceye_derivatives._core.backoff import Backoff

__all__ = ["CONCURRENCY", "DownloadSettings"]

CONCURRENCY: Final = 16
"""Links that are open at a time, wherever nobody says how many.  A small file costs a round trip:
where that takes 20 ms, sixteen bring up to 800 files a second, and eight half of that."""
_KIB = 1024


def _quick() -> Backoff:
    return Backoff(initial=1.0, factor=2.0, maximum=30.0)


@frozen(kw_only=True)
class DownloadSettings:
    """The numbers behind a `Downloader`; the defaults are for ICEYE's one-hour links."""

    margin: float = 60.0
    """Seconds that a link must still live when a request with it is sent; else it is renewed."""
    fresh: float = 30.0
    """Seconds for which a link counts as just signed: if the store refuses it then, it means it."""
    renewals: int = 3
    """Renewals in a row without a byte arriving, before a file is given up."""
    listings: int = 4
    """Looks at the task for one renewal, before its link counts as not to be had."""
    absences: int = 3
    """Times that a store may not have a file whose link was just signed, before it is given up."""
    absence: float = 10.0
    """Seconds between two of those at least, twice as many at most: for ten of them CloudFront
    gives the same 404 to whoever asks, by its default."""
    retries: int = 5
    """Broken lines in a row without a byte arriving, before a file is given up."""
    retries_in_total: int = 50
    """Broken lines for one file at all: against a server that sends a byte and hangs up."""
    backoff: Backoff = field(factory=_quick)
    """The pauses between tries, with full jitter."""
    longest_pause: float = 300.0
    """Seconds: a ``Retry-After`` above this is cut to it."""
    small: int = 640 * _KIB
    """Bytes up to which a file is held in memory and stored in one go; longer ones are streamed.
    With what waits to be read (320 KiB at most) this is below 1 MiB: what a killed process fetches
    twice."""
    batch: int = 384 * _KIB
    """Bytes that are checked, written, synced and marked at a time where a file is streamed, while
    the next ones come.  A killed process fetches twice what was just being synced (a batch and one
    piece from the line, of up to 320 KiB), and what came meanwhile: the same again, and what waits
    to be read, 1 MiB in all."""
    headroom: int = 16 * _KIB * _KIB
    """Bytes of the disk that downloads leave free, where files say how long they are."""
    full_for: float = 30.0
    """Seconds for which a disk that was full counts as full: no other file is tried meanwhile."""
    slowest: float = 1024.0
    """Bytes a second below which a transfer is cut and gone on with; 0 takes any trickle."""
    window: float = 60.0
    """Seconds over which that is judged; complete silence is the client's ``read_timeout``."""
    progress_every: int = 256 * _KIB
    """Bytes between two `TransferProgressed` events of a file."""
