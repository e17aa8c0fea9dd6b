"""How do ICEYE's callbacks reach a watch: a small application for a web server of yours?

ICEYE calls a registered URL when the status of a task changes.  What it sends is not documented, so
nothing of it is believed: any string of the body that is the id of a watched task makes that watch
look now (`DerivativesClient.nudge`), and everything else is nothing.  A callback that is lost,
doubled, late or forged costs one request at most.
"""

from __future__ import annotations

import binascii
import hmac
import json
import logging
import re
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterator
from hashlib import sha256
from typing import Any, Protocol

import anyio
from aiohttp import web

from iceye_derivatives._core.secret import Secret
from iceye_derivatives.errors import ConfigurationError

__all__ = ["Nudged", "webhook_application"]

logger = logging.getLogger("iceye_derivatives")

_APART = re.compile(r"[/?&=#,;:\s]+")
_LONGEST_TEXT = 2_000
_MOST_TEXTS = 1_000
_BODY_TIMEOUT = 10.0
"""Seconds for a body of a few kilobytes to arrive."""


class Nudged(Protocol):
    """Who watches: a `DerivativesClient`."""

    def nudge(self, task_id: str) -> bool:
        """Look at the task now; whether anybody here watches it."""
        ...


def webhook_application(
    client: Nudged,
    *,
    basic: tuple[str, str] | None = None,
    bearer: str | Callable[[str], Awaitable[bool]] | None = None,
    max_bytes: int = 64 * 1024,
) -> web.Application:
    """An application that takes ICEYE's callbacks at its root by POST, and nudges `client`.

    Mount it under a path that only ICEYE knows, behind TLS, and register its URL with ICEYE once;
    order with ``TaskRequest(webhook_id=...)``, and watch with ``push=True``.

    Args:
        client: Whose watches are woken.
        basic: User name and password that ICEYE was told.
        bearer: The token that ICEYE was told; or, where it fetches tokens from an OAuth2 server of
            yours, a coroutine function that says whether a token is good.
        max_bytes: Of a body; a longer one is answered with 413, one that does not arrive within ten
            seconds with 408.

    Returns:
        An `aiohttp.web` application: run it, or add it to yours with ``add_subapp()``: its path
        is then the prefix, without a slash at the end.  It answers
        204 as soon as the body is there, whatever it holds, and 401 where the credentials are
        missing or wrong, before it reads any of it.

    Raises:
        ConfigurationError: neither `basic` nor `bearer` is given, or one of them is empty, as an
            environment variable that is not set is: whoever finds the URL could then make you look
            as often as your rate allows.

    Example:
        >>> class Client:
        ...     def nudge(self, task_id: str) -> bool:
        ...         return True
        >>> application = webhook_application(Client(), basic=("iceye", "a long password"))
        >>> [route.method for route in application.router.routes()]
        ['POST']
    """
    given = [one for one in (*(basic or ()), bearer) if one is not None]
    if not given or "" in given:
        # An empty one beside a good one is no less of an open door.
        raise ConfigurationError(
            "A webhook without credentials lets anybody in: pass basic=(user, password) or bearer=,"
            " and neither of them empty"
        )
    application = web.Application()
    application.router.add_post("", _Callbacks(client, _Door(basic, bearer), max_bytes).take)
    return application


class _Door:
    """Who may come in: secrets are compared in constant time, and nobody is told what was wrong."""

    def __init__(
        self,
        basic: tuple[str, str] | None,
        bearer: str | Callable[[str], Awaitable[bool]] | None,
    ) -> None:
        self._basic = None if basic is None else _digest(":".join(basic).encode())
        self._bearer = _digest(bearer.encode()) if isinstance(bearer, str) else None
        self._ask = None if isinstance(bearer, str) else bearer
        self.challenge = _challenge(basic, bearer)
        """What is asked of who did not bring it."""

    async def admits(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header opens it."""
        scheme, _, value = authorization.strip().partition(" ")
        credentials = Secret(value.strip())
        match scheme.lower():
            case "basic" if self._basic is not None:
                return _is_same(_decoded(credentials), self._basic)
            case "bearer" if self._bearer is not None:
                return _is_same(credentials.encode("utf-8", "replace"), self._bearer)
            case "bearer" if self._ask is not None:
                return bool(await self._ask(credentials))
        return False


def _challenge(basic: object, bearer: object) -> str:
    """RFC 7617: "The authentication parameter 'realm' is REQUIRED"."""
    offered = {"Basic": basic, "Bearer": bearer}
    return ", ".join(
        f'{scheme} realm="callbacks"' for scheme, ours in offered.items() if ours is not None
    )


class _Callbacks:
    """Takes one callback after the other."""

    def __init__(self, client: Nudged, door: _Door, max_bytes: int) -> None:
        self._client = client
        self._door = door
        self._max_bytes = max_bytes

    async def take(self, request: web.Request) -> web.Response:
        """204 whatever the body holds: ICEYE has done its part."""
        if not await self._door.admits(request.headers.get("Authorization", "")):
            challenge = {"WWW-Authenticate": self._door.challenge}
            return web.Response(status=401, headers=challenge)
        try:
            with anyio.fail_after(_BODY_TIMEOUT):
                body = await self._read(request)
        except TimeoutError:
            return web.Response(status=408)
        if len(body) > self._max_bytes:
            return web.Response(status=413)
        nudged = sum(self._client.nudge(text) for text in dict.fromkeys(texts_in(body)))
        logger.debug("a callback of %d bytes woke %d watches", len(body), nudged)
        return web.Response(status=204)

    async def _read(self, request: web.Request) -> bytes:
        """The body, or so much of it as shows that it is too long."""
        body = b""
        while len(body) <= self._max_bytes:
            chunk = await request.content.read(self._max_bytes + 1 - len(body))
            if not chunk:
                break
            body += chunk
        return body


def texts_in(body: bytes) -> Iterator[str]:
    """What in a body may be the id of a task: each string, and the parts of those that are paths.

    Level by level, without recursion; a body that is no JSON holds none.
    """
    try:
        level: list[Any] = [json.loads(body)]
    except (ValueError, RecursionError):
        return
    left = _MOST_TEXTS
    while level and left > 0:
        for value in level:
            if isinstance(value, str) and len(value) <= _LONGEST_TEXT and left > 0:
                left -= 1
                yield value
                yield from _APART.split(value)
        nested = [value for value in level if isinstance(value, dict | list)]
        level = [
            member
            for value in nested
            for member in ([*value, *value.values()] if isinstance(value, dict) else value)
        ]


def _decoded(credentials: str) -> bytes:
    try:
        return b64decode(credentials, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _digest(secret: bytes) -> bytes:
    return sha256(secret).digest()


def _is_same(given: bytes, expected: bytes) -> bool:
    # Of digests, which are of one length: else the time would tell how long the secret is.
    return hmac.compare_digest(_digest(given), expected)
