"""How is a signed link opened: without our token, byte for byte, and only where it is safe?"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final

from iceye_derivatives._core.limits import how_to_raise
from iceye_derivatives._core.link_policy import (
    UnsafeLink,
    check_hosts,
    check_link,
    redirect_target,
)
from iceye_derivatives._core.metering import FileMeter, announced
from iceye_derivatives._core.requests import USER_AGENT
from iceye_derivatives._core.secret import Secret
from iceye_derivatives._transport.answer import Answer
from iceye_derivatives._transport.failures import failures, network_error
from iceye_derivatives._transport.metered import Countable
from iceye_derivatives._transport.neighbourhood import Neighbourhood
from iceye_derivatives._transport.session import LazySession, SessionSettings
from iceye_derivatives.models import SignedUrl
from iceye_derivatives.protocols import LinkResponse

if TYPE_CHECKING:
    import aiohttp

__all__ = ["FileTransport"]

logger = logging.getLogger("iceye_derivatives")

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AHEAD: Final = 32 * 1024
"""Where aiohttp reads a body, at most twice as many bytes and one read of the loop (256 KiB) wait
for us.  They are lost if the process is killed, so their number must not depend on aiohttp's
release: 3.14 made its default four times as large."""


class FileTransport:
    """Opens signed links (`iceye_derivatives.protocols.LinkOpener`).

    There is no limit on the time of a whole body: a large file on a slow line is no failure.

    Args:
        settings: how connections are made.
        session: a borrowed session, never closed here.  Whatever it sends by default goes to the
            store: it must not carry the API's token.  None opens one.
        allow_http: whether plain http is fine beyond this machine.
        allowed_hosts: where there are any, links lead to these alone.
        neighbourhood: where the API stands; None lets links lead into private networks unless they
            are redirected there.
    """

    def __init__(
        self,
        settings: SessionSettings,
        *,
        session: aiohttp.ClientSession | None = None,
        allow_http: bool = False,
        allowed_hosts: Iterable[str] = (),
        neighbourhood: Neighbourhood | None = None,
    ) -> None:
        self.limits = settings.limits
        self._neighbourhood = neighbourhood
        self._hosts = check_hosts(allowed_hosts)
        self._check = partial(check_link, allow_http=allow_http, allowed_hosts=self._hosts)
        self._session = LazySession(
            settings, session, judge=None if neighbourhood is None else self._judge
        )

    def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[LinkResponse]:
        """One GET, and few redirects; whatever status comes is handed on.

        Args:
            url: the link.
            headers: such as ``Range``; they go along a redirect.

        Raises:
            UnsafeLink: the link, or what it redirects to, is not followed.
            TooManyBytes: from the head or the body, where it is above ``bytes_per_file``.
            NetworkError: no answer came.
        """
        return _Opening(self, url, headers)

    async def open(self, url: SignedUrl, headers: Mapping[str, str]) -> tuple[Secret, Answer]:
        """Send the request and follow redirects; the caller releases the answer."""
        raw = Secret(url.reveal())
        origin = self._check(raw, came_from=self._public_api())
        few = self.limits.redirects
        for _ in range(few + 1):
            answer = await self._get(raw, origin, headers)
            target = _leads_to(raw, answer) if answer.status in _REDIRECTS else None
            if target is None:
                return raw, answer
            answer.close()
            origin = self._check(target, came_from=self._public_api() or raw)
            raw = target
        raise UnsafeLink(f"redirects more than {few} times; {how_to_raise('redirects')}")

    async def aclose(self) -> None:
        """Close the session, if it is ours."""
        await self._session.aclose()

    def _public_api(self) -> str | None:
        near = self._neighbourhood
        return near.base_url if near is not None and near.is_public else None

    def _judge(self, host: str, addresses: Collection[str]) -> None:
        if self._neighbourhood is not None:
            self._neighbourhood.judge_files(
                self._hosts, self._session.proxies.hosts, host, addresses
            )

    async def _get(self, raw: Secret, origin: str, headers: Mapping[str, str]) -> Answer:
        failure: Exception
        try:
            try:
                proxy = self._session.proxies.known(origin)
            except LookupError:
                proxy = await self._session.proxies.lookup(raw)
            hosts = self._session.proxies.hosts
            if hosts and proxy is None and self._neighbourhood is not None:
                self._neighbourhood.check_direct(hosts, raw)
            # Not encoded and not decoded: sizes, digests and strong ETags mean the bytes on disk.
            sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
            answer = await self._session.get(raw, proxy=proxy, headers=sent, ahead=_AHEAD)
        except UnsafeLink as refusal:
            failure = UnsafeLink(f"{refusal}")
        except failures() as error:
            failure = network_error(error, raw)
        else:
            if logger.isEnabledFor(logging.DEBUG):
                logger.debug("GET %s → %d", SignedUrl(raw), answer.status)
            return answer
        raise failure


def _leads_to(raw: Secret, answer: Answer) -> Secret | None:
    """Where it redirects to; apart, as the plain text of the header must stay in no frame."""
    location = answer.headers.get("location")
    return None if location is None else Secret(redirect_target(raw, location))


class _Opening(Countable):
    """One link while it is open, and its answer (`iceye_derivatives.protocols.LinkResponse`).

    A class, as a context manager made of a generator costs several times as much.
    """

    __slots__ = ("_answer", "_headers", "_raw", "_transport", "_url", "headers", "status")

    def __init__(
        self, transport: FileTransport, url: SignedUrl, headers: Mapping[str, str]
    ) -> None:
        self.meters = (FileMeter(transport.limits),)
        self._transport = transport
        self._url = url
        self._headers = headers

    async def __aenter__(self) -> LinkResponse:
        self._raw, answer = await self._transport.open(self._url, self._headers)
        self._answer = answer
        self.status, self.headers = answer.status, answer.headers
        try:
            at, total = announced(self.status, self.headers)
            for meter in self.meters:
                meter.begin(at, total)
        except BaseException:
            answer.release()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._answer.release()

    def chunks(self) -> AsyncIterator[bytes]:
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._answer.is_over:
            raise StopAsyncIteration  # a small body is mostly read in one piece
        try:
            chunk = await self._answer.read()
        except failures() as error:
            failure = network_error(error, self._raw)
        else:
            if not chunk:
                raise StopAsyncIteration
            for meter in self.meters:
                meter.take(len(chunk))
            return chunk
        raise failure
