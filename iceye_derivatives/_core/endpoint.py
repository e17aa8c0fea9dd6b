"""Is this the address of a service that our credentials may go to?"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from iceye_derivatives._core.link_policy import UnsafeLink, check_link
from iceye_derivatives.errors import ConfigurationError

__all__ = ["check_token_url", "normalise_base_url"]


def normalise_base_url(raw: str) -> str:
    """``https://host[:port][/prefix]``, without what comes behind that in ICEYE's documentation.

    It writes its base URL without ``/api``, its own examples with it, and that of the Tasking API
    with ``/api/tasking/v2``: all are taken, and mean the same.

    Raises:
        ConfigurationError: it is no https URL (http is fine on this machine alone), or holds
            credentials, a query or a fragment.
    """
    parts = _check(raw, "base URL")
    if "?" in raw or "#" in raw:
        raise ConfigurationError(
            f"The base URL of {parts.netloc} holds a query or a fragment; leave it out, "
            "e.g. https://platform.iceye.com"
        )
    bare = raw.strip().rstrip("/")
    return bare.removesuffix("/api/tasking/v2").removesuffix("/api").rstrip("/")


def check_token_url(raw: str) -> str:
    """The token URL as it is, if a client secret may be sent there.

    Raises:
        ConfigurationError: it is no https URL (http is fine on this machine alone), or holds
            credentials.
    """
    _check(raw, "token URL")
    return raw.strip()


def _check(raw: str, what: str) -> SplitResult:
    try:
        check_link(raw.strip())
    except UnsafeLink as refusal:
        reason = f"{refusal}"
    else:
        return urlsplit(raw.strip())
    # The text itself is left out: a mistyped URL may hold the secret that belongs elsewhere.
    raise ConfigurationError(
        f"The {what} {reason}; give it as https://host/path (plain http works on localhost alone)"
    )
