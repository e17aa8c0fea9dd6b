"""Which derivatives does a listing hold?

Written by hand, apart from the converter: a listing is read at every poll, so it is the one place
where the price of a generic reader shows.  Each item takes the quick way when all of it is as
documented; otherwise it is gone through once more to name every fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from iceye_derivatives._core.signed_url import read_signed_url
from iceye_derivatives._core.wire_error import WireError, join
from iceye_derivatives.errors import Fault
from iceye_derivatives.models import NO_EXTRA, Asset, Derivative, Extra

__all__ = ["parse_derivatives"]

_KNOWN = frozenset({"id", "imageReference", "imageId", "derivativeProductType", "assets"})


def parse_derivatives(raw: object, task_id: str, *, path: str = "data") -> tuple[Derivative, ...]:
    """The derivatives of a listing; null reads as an empty list, as Go's encoder writes one so.

    A missing or null ``assets`` is an empty one: the derivative "is still being processed".

    Raises:
        WireError: with the faults of all items.
    """
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise WireError.of("is not a list", path)
    derivatives = [_read(item, task_id) for item in raw]
    if None in derivatives:
        raise WireError(
            tuple(
                Fault(join(f"{path}[{index}]", place), message)
                for index, item in enumerate(raw)
                for place, message in _explain(item)
            )
        )
    return tuple(derivatives)  # type: ignore[arg-type] # None was ruled out above


def _read(raw: Any, task_id: str) -> Derivative | None:  # noqa: ANN401 - JSON
    """The derivative, or None where anything is not as documented."""
    if type(raw) is not dict:
        return None
    get = raw.get
    derivative_id, product_type = get("id"), get("derivativeProductType")
    reference, image_id = get("imageReference"), get("imageId")
    assets = _read_assets(get("assets"))
    if (
        assets is None
        or not _is_name(derivative_id)
        or not _is_name(product_type)
        or not (reference is None or type(reference) is str)
        or not (image_id is None or type(image_id) is str)
    ):
        return None
    return Derivative(
        id=derivative_id,
        task_id=task_id,
        product_type=product_type,
        assets=assets,
        image_reference=reference,
        image_id=image_id,
        extra=NO_EXTRA if raw.keys() <= _KNOWN else _unknown(raw),
    )


def _read_assets(raw: Any) -> tuple[Asset, ...] | None:  # noqa: ANN401 - JSON
    if raw is None:
        return ()
    if type(raw) is not list:
        return None
    assets = []
    for item in raw:
        if type(item) is not dict:
            return None
        kind, href = item.get("type"), item.get("href")
        if not _is_name(kind) or not _is_name(href):
            return None
        assets.append(Asset(type=kind, url=read_signed_url(href)))
    return tuple(assets)


def _is_name(value: Any) -> TypeGuard[str]:  # noqa: ANN401 - JSON
    """A string with something in it, which can be sent and written.

    JSON can spell half a surrogate pair, and a string with one cannot become UTF-8 any more.
    """
    return type(value) is str and value != "" and (value.isascii() or _is_encodable(value))


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unknown(raw: dict[str, Any]) -> Extra:
    return Extra({name: value for name, value in raw.items() if name not in _KNOWN})


def _explain(raw: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Every place of an item that is not as documented, and why; nothing for a good item."""
    if not isinstance(raw, dict):
        yield "", "is not an object"
        return
    for name in ("id", "derivativeProductType"):
        yield from _explain_name(raw, name, name)
    for name in ("imageReference", "imageId"):
        if not isinstance(raw.get(name), str | None):
            yield name, "is not a string"
    assets = raw.get("assets")
    if not isinstance(assets, list | None):
        yield "assets", "is not a list"
        return
    for index, asset in enumerate(assets or ()):
        place = f"assets[{index}]"
        if not isinstance(asset, dict):
            yield place, "is not an object"
            continue
        for name in ("type", "href"):
            yield from _explain_name(asset, name, f"{place}.{name}")


def _explain_name(raw: dict[str, Any], name: str, place: str) -> Iterator[tuple[str, str]]:
    if raw.get(name) is None:
        yield place, "is missing"
    elif not isinstance(raw[name], str):
        yield place, "is not a string"
    elif not _is_name(raw[name]):
        yield place, "is empty, or no valid Unicode"
