"""Which settings does a client take, by name and type?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypedDict

from iceye_derivatives._core.delays import Delays
from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.retry import RetryPolicy
from iceye_derivatives.events import PaceChanged
from iceye_derivatives.protocols import Clock

if TYPE_CHECKING:
    import ssl

    import aiohttp

__all__ = ["ClientSettings"]


class ClientSettings(TypedDict, total=False):
    """The keywords of `DerivativesClient` that have defaults, for those who hand them on.

    A type checker then sees a misspelt keyword; `tests/test_public_api.py` sees that none is
    missing here.
    """

    rate: float
    burst: int
    retry: RetryPolicy | None
    connect_timeout: float
    answer_timeout: float
    read_timeout: float
    allow_http: bool
    allowed_hosts: Iterable[str] | None
    trust_env: bool
    ssl_context: ssl.SSLContext | None
    api_session: aiohttp.ClientSession | None
    file_session: aiohttp.ClientSession | None
    limits: Limits | None
    delays: Delays | None
    clock: Clock | None
    jitter: Callable[[], float]
    on_event: Callable[[PaceChanged], None] | None
