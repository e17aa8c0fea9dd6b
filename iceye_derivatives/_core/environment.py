"""Which settings do the ICEYE_* variables give?"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from iceye_derivatives.errors import ConfigurationError

__all__ = ["DEFAULT_BASE_URL", "Settings", "read_environment"]

DEFAULT_BASE_URL = "https://platform.iceye.com"
"""Without ``/api``, as the variable ``API_BASE_URL`` of ICEYE's documentation has it."""

CREDENTIALS = ("ICEYE_TOKEN_URL", "ICEYE_CLIENT_ID", "ICEYE_CLIENT_SECRET")


@frozen(kw_only=True)
class Settings:
    """Where the API is, and either a token or the means to get one."""

    base_url: str
    access_token: str | None = field(default=None, repr=False)
    token_url: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)


def read_environment(environ: Mapping[str, str]) -> Settings:
    """The settings; an empty variable counts as missing.

    Raises:
        ConfigurationError: names every variable that is missing.
    """
    values = {name: environ.get(name, "").strip() for name in CREDENTIALS}
    base_url = environ.get("ICEYE_API_BASE_URL", "").strip() or DEFAULT_BASE_URL
    token = environ.get("ICEYE_ACCESS_TOKEN", "").strip()
    if token:
        return Settings(base_url=base_url, access_token=token)
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise ConfigurationError(
            f"The environment lacks {', '.join(missing)}: set what ICEYE issued to you for "
            "API access, or set ICEYE_ACCESS_TOKEN to a token that you already have"
        )
    return Settings(
        base_url=base_url,
        token_url=values["ICEYE_TOKEN_URL"],
        client_id=values["ICEYE_CLIENT_ID"],
        client_secret=values["ICEYE_CLIENT_SECRET"],
    )
