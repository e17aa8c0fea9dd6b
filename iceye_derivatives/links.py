"""How is a link kept that anybody who sees it can use?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

__all__ = ["SignedUrl"]


class SignedUrl:
    """A link that is a secret: whoever holds it can fetch the file until it expires.

    ``str()``, ``repr()``, formatting, pickling and `attrs.asdict` give the host and path only.
    `reveal()` is the one way to the whole text, byte for byte as the API sent it.  It cannot be
    changed, and compares and hashes by its text.

    Not an attrs class on purpose: `attrs.asdict`, which structured loggers call, looks into those.

    Args:
        raw: The link as the API sent it.
        expires: When it dies: Unix seconds on the signer's clock, None where it does not tell.

    Example:
        >>> url = SignedUrl("https://cdn.example/a.geojson?Expires=2000000000&Signature=abc")
        >>> str(url)
        'https://cdn.example/a.geojson?<redacted>'
    """

    __slots__ = ("_expires", "_raw")

    _expires: float | None
    _raw: str

    def __init__(self, raw: str, *, expires: float | None = None) -> None:
        object.__setattr__(self, "_raw", raw)
        object.__setattr__(self, "_expires", expires)

    @property
    def expires_at(self) -> datetime | None:
        """When the link dies by its own word (UTC): an upper bound, None where it does not tell."""
        return None if self._expires is None else datetime.fromtimestamp(self._expires, UTC)

    @property
    def expires(self) -> float | None:
        """The same in Unix seconds."""
        return self._expires

    def reveal(self) -> str:
        """The whole URL, signature included: give it to nothing that logs or stores."""
        return self._raw

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SignedUrl) and self._raw == other._raw

    def __hash__(self) -> int:
        return hash(self._raw)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"A SignedUrl cannot be changed: make a new one instead of its {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"A SignedUrl cannot be changed: it keeps its {name}")

    def __str__(self) -> str:
        try:
            parts = urlsplit(self._raw)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return "<unreadable url>"
        where = f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path}"
        return f"{where}?<redacted>" if parts.query or parts.fragment else where

    def __repr__(self) -> str:
        return f"SignedUrl({str(self)!r})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        # A pickle is a file that somebody keeps: it gets a link that is known to be dead, so that
        # whoever loads it lists the task anew, which they would have to do after an hour anyway.
        return _dead_link, (str(self).partition("?")[0],)


def _dead_link(bare: str) -> SignedUrl:
    return SignedUrl(bare, expires=0.0)
