"""How do bytes travel: the API's calls with our token, the store's files without."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from iceye_derivatives._core.pace import Pacer
from iceye_derivatives._core.requests import ApiRequest
from iceye_derivatives._core.responses import ApiResponse
from iceye_derivatives.models import SignedUrl
from iceye_derivatives.protocols import Clock, LinkResponse

if TYPE_CHECKING:
    import aiohttp


class Bearer(Protocol):
    """Who holds the token (`iceye_derivatives._auth.TokenKeeper`)."""

    async def get(self) -> str:
        """A token that is good now."""
        ...

    def reject(self, value: str) -> None:
        """The API refused this one."""
        ...


class ApiTransport:
    """Sends API requests: paced, with the token, without redirects."""

    def __init__(
        self,
        base_url: str,
        keeper: Bearer,
        *,
        pacer: Pacer,
        clock: Clock,
        jitter: Callable[[], float],
        session: aiohttp.ClientSession | None = None,
        connect_timeout: float = 30.0,
        read_timeout: float = 120.0,
        connections: int = 20,
        trust_env: bool = True,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        raise NotImplementedError

    async def send(self, request: ApiRequest) -> ApiResponse:
        """One call; whatever status comes is handed on, `NetworkError` where no answer comes."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close the session, if it is ours."""
        raise NotImplementedError


class FileTransport:
    """Opens signed links (`iceye_derivatives.protocols.LinkOpener`)."""

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession | None = None,
        connect_timeout: float = 30.0,
        read_timeout: float = 60.0,
        connections: int = 20,
        allow_http: bool = False,
        trust_env: bool = True,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        raise NotImplementedError

    def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[LinkResponse]:
        """One GET; raises `UnsafeLink` (from `_core.link_policy`) or `NetworkError`."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close the session, if it is ours."""
        raise NotImplementedError
