"""What does a broken exchange mean?  The one place where the HTTP client's errors become ours.

aiohttp puts whole URLs, signatures included, into the texts of its errors, so none of them may
survive as a ``__cause__`` or ``__context__``.  Callers keep what `network_error` returns and raise
it *after* their ``except`` block.
"""

from __future__ import annotations

import errno
import socket
import zlib
from functools import cache
from urllib.parse import urlsplit

from iceye_derivatives._core.limits import how_to_raise
from iceye_derivatives._transport.watchdog import SilenceError
from iceye_derivatives.errors import NetworkError

__all__ = ["failures", "host_of", "network_error"]

_NOT_CONNECTED = "no connection could be made"
_NOT_TRUSTED = "its certificate is not trusted"

_ADVICE = "try again, and check the network and the proxy settings if it stays so"
# Trying again rarely helps here, and no setting of ours switches the check off.
_TRUST = (
    "check this machine's clock and its proxy, and name a private certificate authority with "
    "ssl_context= or SSL_CERT_FILE"
)


@cache
def failures() -> tuple[type[BaseException], ...]:
    """All that an exchange can fail with; asked for only once something has failed."""
    import aiohttp  # noqa: PLC0415 - importing the library must not import aiohttp
    from aiohttp import http_exceptions  # noqa: PLC0415 - the same

    return (
        aiohttp.ClientError,
        http_exceptions.HttpProcessingError,  # a broken chunk is no `ClientError`
        OSError,  # with `TimeoutError` and everything of `ssl`
        EOFError,
        zlib.error,
        ValueError,  # names that cannot be encoded, addresses that cannot be parsed
    )


@cache
def _kinds() -> tuple[tuple[type[BaseException], str, bool], ...]:
    """The first row that fits: class, what it means, whether the request may have been sent.

    "Not sent" is said only of what breaks while the connection is made: a createTask may be
    repeated on the strength of it.
    """
    import aiohttp  # noqa: PLC0415 - importing the library must not import aiohttp
    from aiohttp import http_exceptions  # noqa: PLC0415 - the same

    return (
        (aiohttp.ConnectionTimeoutError, "no connection was made within the time allowed", False),
        (aiohttp.ClientHttpProxyError, "the proxy refused to connect", False),
        (aiohttp.ClientProxyConnectionError, "the proxy was not reached", False),
        (aiohttp.ClientConnectorCertificateError, _NOT_TRUSTED, False),
        (aiohttp.ClientSSLError, "no TLS connection could be agreed on", False),
        (aiohttp.ClientConnectorError, _NOT_CONNECTED, False),
        (aiohttp.InvalidURL, "its address cannot be used", False),
        (aiohttp.ServerTimeoutError, "nothing came within the time allowed", True),
        (SilenceError, "nothing came within the time allowed", True),
        (TimeoutError, "it took longer than the time allowed", True),
        (aiohttp.ServerDisconnectedError, "the connection was closed before an answer came", True),
        (aiohttp.ClientPayloadError, "the body broke off", True),
        (http_exceptions.PayloadEncodingError, "the body broke off", True),
        (EOFError, "the body broke off", True),
        (zlib.error, "the body broke off", True),
        (aiohttp.ClientResponseError, "what came is no HTTP answer", True),
        (http_exceptions.HttpProcessingError, "what came is no HTTP answer", True),
    )


def network_error(error: BaseException, url: str) -> NetworkError:
    """Say what happened, naming the host and nothing else of the URL."""
    kind, sent = "the connection broke", True
    for cls, words, may_be_sent in _kinds():
        if isinstance(error, cls):
            kind, sent = words, may_be_sent
            break
    # aiohttp has a class of its own for this only in later versions than the lowest we take.
    if kind == _NOT_CONNECTED and isinstance(getattr(error, "os_error", None), socket.gaierror):
        kind = "its name was not found"
    if _is_long_header(error):
        kind = f"a header is longer than allowed; {how_to_raise('header_bytes')}"
    detail = _detail(error)
    why = f"{kind} ({detail})" if detail else kind
    advice = _TRUST if kind == _NOT_TRUSTED else _ADVICE
    return NetworkError(f"The exchange with {host_of(url)} failed: {why}; {advice}", sent=sent)


def _is_long_header(error: BaseException) -> bool:
    # aiohttp's class for it does not survive its way up; of its sentence the rest is the header.
    return str(getattr(error, "message", "")).startswith("Got more than ")


def _detail(error: BaseException) -> str | None:
    certificate = getattr(error, "certificate_error", None)
    if certificate is not None:
        # OpenSSL's own words, such as "certificate has expired"; of the URL they name the host.
        return getattr(certificate, "verify_message", None)
    # Only the symbolic name: the operating system's sentence is written in its own language.
    return errno.errorcode.get(getattr(error, "errno", None) or 0)


def host_of(url: str) -> str:
    """Host and port: all of a URL that a message may name."""
    try:
        parts = urlsplit(url)
        return parts.netloc.rpartition("@")[2] or "an unnamed host"
    except ValueError:
        return "an unnamed host"
