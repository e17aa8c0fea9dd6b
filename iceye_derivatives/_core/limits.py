"""How much of anything is taken from a stranger before it counts as an attack or an accident?"""

from __future__ import annotations

from math import isfinite

from attrs import field, fields, frozen

from iceye_derivatives.errors import ConfigurationError

__all__ = ["DEFAULT_LIMITS", "Limits", "how_to_raise"]

_MIB, _GIB, _TIB = 1 << 20, 1 << 30, 1 << 40


def _name(attribute: object) -> str:
    return str(getattr(attribute, "name", "…"))


def _above_zero(_: object, attribute: object, value: float) -> None:
    if not (isfinite(value) and value > 0):
        raise ConfigurationError(
            f"Limits({_name(attribute)}={value!r}) lets nothing through; give a number above 0"
        )


def _not_negative(_: object, attribute: object, value: float) -> None:
    if value < 0:
        raise ConfigurationError(
            f"Limits({_name(attribute)}={value!r}) makes no sense; give 0 or a number above it"
        )


def _limit(default: int) -> int:
    number: int = field(default=default, validator=_above_zero)
    return number


@frozen(kw_only=True)
class Limits:
    """Ceilings for what servers send: far above what is ordinary, far below what hurts.

    What is above one ends in an error that names the ceiling and how to raise it; it is not read
    any further, so memory and disk stay as they were.  Give the same limits to `DerivativesClient`
    and, where you make one yourself, to `Downloader`.

    Raises:
        ConfigurationError: a limit that nothing could pass.

    Example:
        >>> from iceye_derivatives import Limits
        >>> Limits(bytes_per_file=1 << 30).json_depth
        64
    """

    json_bytes: int = _limit(16 * _MIB)
    """Bytes of one JSON answer, after decompression; ten thousand derivatives have about seven
    million."""
    json_depth: int = _limit(64)
    """Open brackets at a time in a JSON answer; those that ICEYE documents have seven
    at most."""
    derivatives_per_task: int = _limit(10_000)
    """Derivatives in one look at a task, over all pages."""
    assets_per_derivative: int = _limit(1_000)
    """Files of one derivative; ICEYE documents one."""
    pages_per_listing: int = _limit(1_000)
    """Pages that one listing may have, also where each page is short."""
    bytes_per_file: int = _limit(16 * _GIB)
    """Bytes of one downloaded file, as announced and as sent."""
    bytes_per_run: int = _limit(_TIB)
    """Bytes of all files that one `Downloader.download()` (or `download_task()`) fetches."""
    redirects: int = field(default=3, validator=_not_negative)
    """Redirects of one link; 0 follows none.  The API's own are never followed."""
    header_bytes: int = _limit(16 * 1024)
    """Bytes of one header line of an answer."""
    retry_after: float = field(default=3600.0, validator=_above_zero)
    """Seconds: a longer ``Retry-After`` is cut to this, as it would stop the whole client."""
    id_length: int = _limit(1_024)
    """Characters of an id, a type or another name."""
    link_length: int = _limit(16 * 1024)
    """Characters of a link or a cursor; CloudFront itself takes URLs of 8,192 bytes."""


DEFAULT_LIMITS = Limits()


def how_to_raise(limit: str) -> str:
    """What a message says at its end, e.g. for ``json_bytes``."""
    known = {attribute.name for attribute in fields(Limits)}
    if limit not in known:
        raise LookupError(limit)
    return f"if that is what it should be, raise the ceiling with Limits({limit}=…)"
