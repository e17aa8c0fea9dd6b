"""One file's life: open, receive, renew, pause, store or give up?

Facts go in (an answer came, bytes came, the line broke), decisions come out; the shell carries them
out and reports back.  What the facts mean:

=====================  =============================================================================
200                    the file from its start, whatever was asked for
206                    goes on where we stood, if it was asked for and is of the same file
400, 401, 403, 404,    the store refuses the link: renewed where that can help (see `_refused`);
410                    404 to a link that was just signed may be too early, and is waited for
416                    there is nothing at that place any more: from the start
408, 425, 429, 5xx     passing: pause, ``Retry-After`` if given, and again
any other              given up
line broke, fewer or   pause and again, from where we stand if the file has a strong ETag;
more bytes than said   behind the last byte that was announced the file is whole
=====================  =============================================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from iceye_derivatives._core.content import first_bytes
from iceye_derivatives._core.digest import Offer, offers
from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.http_date import parse_http_date, parse_retry_after
from iceye_derivatives._core.lengths import stated_length, stated_range
from iceye_derivatives._core.transfer_terms import (
    Answer,
    GiveUp,
    LinkFacts,
    Open,
    Pause,
    Receive,
    Renew,
    Store,
    Verdict,
)
from iceye_derivatives.sharing import PartMark

__all__ = ["Transfer"]

_OK, _PARTIAL, _ABSENT, _GONE_RANGE = 200, 206, 404, 416
_REFUSALS: Final = frozenset({400, 401, 403, 404, 410})
_PASSING: Final = frozenset({408, 425, 429})
_SERVER_ERRORS: Final = range(500, 600)
_SUCCESSES: Final = range(200, 300)

_STORE_CODE = re.compile(rb"<Code>\s*([A-Za-z0-9._-]{1,64})\s*</Code>")
# S3 tells an expired link apart, CloudFront does not ("AccessDenied" for a bad signature too).
_SAYS_EXPIRED = re.compile(rb"<Code>\s*(?:ExpiredToken|RequestExpired)|Request has expired")
# RFC 9110, section 13.1.5: "A client MUST NOT generate an If-Range header field containing an
# entity tag that is marked as weak."
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')


class Transfer:
    """The machine; `draw` arguments are draws from [0, 1) for full jitter."""

    def __init__(self, settings: DownloadSettings) -> None:
        self._settings = settings
        self.offset = 0
        """How many bytes of the file we hold."""
        self.total: int | None = None
        """How long the file is, where the store told."""
        self.retries = 0
        self._etag: str | None = None
        self._breaks_in_row = 0
        self._renewals_in_row = 0
        self._absences = 0

    @property
    def etag(self) -> str | None:
        """The strong ETag of what we hold bytes of."""
        return self._etag

    def resume(self, mark: PartMark) -> None:
        """An earlier process has brought bytes already."""
        if _strong(mark.etag) is not None:
            self.offset, self.total, self._etag = mark.size, mark.total, mark.etag

    def begin(self) -> Open | Store:
        """Ask for the file, from where we stand if its ETag lets us be sure that it is the same."""
        if self._etag is None:
            self._forget()
        elif self.offset and self.offset == self.total:
            # The process was killed behind the last byte: a Range that begins there would be
            # answered 416, and the whole file fetched again.
            return Store()
        return Open(offset=self.offset, if_range=self._etag if self.offset else None)

    def answered(
        self, answer: Answer, *, link: LinkFacts, now: float, draw: float
    ) -> Receive | Renew | Pause | GiveUp:
        """The head of an answer has come."""
        status = answer.status
        if status in (_OK, _PARTIAL):
            return self._body_begins(answer, draw)
        if status in _REFUSALS:
            return self._refused(answer, link, now, draw)
        if status == _GONE_RANGE and self.offset:
            return self._start_over("the store has nothing at the place where we stood", draw)
        if status in _PASSING or status in _SERVER_ERRORS:
            asked, store_time = answer.headers.get("retry-after"), _store_time(answer, link, now)
            wait = parse_retry_after(asked, store_time, cap=self._settings.longest_pause)
            return self._again(f"the store answered {status}", draw, wait)
        verdict = Verdict.CONTENT if status in _SUCCESSES else Verdict.REFUSED
        return self._give_up(verdict, f"the store answered {status}", answer)

    def came_whole(self, headers: Mapping[str, str], size: int) -> tuple[Offer, ...] | None:
        """The head of a 200 has come, and so many bytes at one time: nearly every file does so.

        Where these are all of it, it is to be stored, and here are the digests that the store
        offers.  None, and nothing is changed, where the long way must tell: `answered()`.
        """
        # Compared as texts: what is spelled in another way goes the long one, and is read there.
        if not size or "content-encoding" in headers or headers.get("content-length") != str(size):
            return None
        self.offset = self.total = size
        self._etag = _strong(headers.get("etag"))
        self._breaks_in_row = self._renewals_in_row = 0
        return offers(headers, whole=True)

    def received(self, size: int) -> bool:
        """Bytes came; False when they are more than the file has, see `overran()`."""
        self.offset += size
        if size:
            self._breaks_in_row = self._renewals_in_row = 0
        return self.total is None or self.offset <= self.total

    def overran(self, draw: float) -> Pause | GiveUp:
        """More bytes came than the store had announced: none of them can be believed."""
        return self._start_over(f"more bytes came than the {self.total} announced", draw)

    def ended(self, draw: float) -> Store | Pause | GiveUp:
        """The body has ended in good order."""
        if self.total is not None and self.offset < self.total:
            return self.broke(f"the body ended after {self.offset} of {self.total} bytes", draw)
        return Store()

    def broke(self, reason: str, draw: float) -> Store | Pause | GiveUp:
        """No answer, or a body that broke: behind its last byte that is no loss."""
        if self.offset and self.offset == self.total:
            return Store()
        return self._again(reason, draw)

    def _body_begins(self, answer: Answer, draw: float) -> Receive | Pause | GiveUp:
        coding = answer.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("", "identity"):
            return self._give_up(Verdict.CONTENT, "it is compressed, unasked for", answer)
        if answer.status == _PARTIAL:
            return self._goes_on(answer, draw)
        self._forget()
        self.total = _length(answer.headers)
        self._etag = _strong(answer.headers.get("etag"))
        return Receive(offset=0, total=self.total, offers=offers(answer.headers, whole=True))

    def _goes_on(self, answer: Answer, draw: float) -> Receive | Pause | GiveUp:
        if not self.offset:
            return self._give_up(Verdict.CONTENT, "it is a part of a file, unasked for", answer)
        stated = stated_range(answer.headers.get("content-range", "").strip())
        if stated is None or stated[0] != self.offset:
            return self._start_over("the store went on at another place than asked", draw)
        total = self.total if stated[1] is None else stated[1]
        # RFC 9110 wants the ETag in a 206 to If-Range; where it is missing, the length must do.
        same = answer.headers.get("etag", self._etag) == self._etag
        if not same or (self.total is not None and total != self.total):
            return self._start_over("the file was changed meanwhile", draw)
        self.total = total
        found_offers = offers(answer.headers, whole=False)
        return Receive(offset=self.offset, total=total, offers=found_offers)

    def _refused(
        self, answer: Answer, link: LinkFacts, now: float, draw: float
    ) -> Renew | Pause | GiveUp:
        """Renewing helps a link that is dead, and may help one of unknown age: nothing else.

        A file may be listed a moment before the store has it, and a CDN keeps its 404 for a while:
        then waiting helps.
        """
        dead = link.expires is not None and link.expires <= _store_time(answer, link, now)
        says_so = _SAYS_EXPIRED.search(answer.beginning) is not None
        waits = answer.status == _ABSENT and not (dead or says_so)
        renewals = min(1, self._settings.renewals) if waits else self._settings.renewals
        if (dead or says_so or not link.fresh) and self._renewals_in_row < renewals:
            self._renewals_in_row += 1
            return Renew()
        if waits and self._absences < self._settings.absences:
            self._absences += 1
            wait = self._settings.absence * (1 + draw)
            return Pause(seconds=wait, reason="the store does not have the file yet (404)")
        why = "each link is dead when it comes" if dead or says_so else "though just signed"
        reason = f"the store refuses the link with status {answer.status}, {why}"
        return self._give_up(Verdict.REFUSED, reason, answer)

    def _again(self, reason: str, draw: float, wait: float | None = None) -> Pause | GiveUp:
        self.retries += 1
        self._breaks_in_row += 1
        settings = self._settings
        if self._breaks_in_row > settings.retries or self.retries > settings.retries_in_total:
            return GiveUp(verdict=Verdict.BROKEN, reason=reason)
        if wait is None:
            wait = settings.backoff.delay(self._breaks_in_row - 1, draw)
        else:
            # All transfers are told the same moment: spread them over a second behind it.
            wait += draw
        return Pause(seconds=wait, reason=reason)

    def _start_over(self, reason: str, draw: float) -> Pause | GiveUp:
        self._forget()
        return self._again(reason, draw)

    def _forget(self) -> None:
        self.offset, self.total, self._etag = 0, None, None

    @staticmethod
    def _give_up(verdict: Verdict, reason: str, answer: Answer) -> GiveUp:
        code = _STORE_CODE.search(answer.beginning)
        return GiveUp(
            verdict=verdict,
            reason=reason,
            status=answer.status,
            store_code=code[1].decode("ascii") if code else None,
            first_bytes=first_bytes(answer.beginning),
        )


def _length(headers: Mapping[str, str]) -> int | None:
    return stated_length(headers.get("content-length", "").strip())


def _store_time(answer: Answer, link: LinkFacts, now: float) -> float:
    """Unix seconds on the store's clock, as its answer says or as the API's goes."""
    told = parse_http_date(answer.headers.get("date"))
    return now + link.skew if told is None else told


def _strong(etag: str | None) -> str | None:
    return etag if etag is not None and _STRONG_ETAG.fullmatch(etag) else None
