"""Which derivatives does a listing hold?

Written by hand, apart from the converter: a listing is read at every poll, so it is the one place
where the price of a generic reader shows.  There are three ways, and a law holds them to say the
same: an item that looks like the page's own example goes by `_read_usual`, one that is right in
another way by `_read`, and one with a fault is gone through once more, to name every one and to
read the rest.  No item holds another back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from attrs import evolve, fields

from iceye_derivatives._core.ceilings import check_count, check_tree
from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.signed_url import read_signed_url
from iceye_derivatives._core.wire_error import WireError
from iceye_derivatives._core.wire_faults import (
    NOT_NEEDED,
    are_names,
    faults_of,
    numbered,
    readable_part,
)
from iceye_derivatives.models import NO_EXTRA, Asset, Derivative, Extra, SignedUrl, Unreadable

__all__ = ["Listed", "parse_derivatives"]

# {"data": [{"assets": [{…}]}]}
_ITEM_DEPTH, _ASSET_DEPTH = 3, 5
_ASSET_FIELDS, _FIELDS = 2, 3
_NO_UPDATE, _AS_COUNTED = False, None
_NO_ASSET = {"type": "geojson", "href": "https://"}
"""Stands in for the one that a derivative does not have yet."""
_KNOWN = frozenset({"id", "imageReference", "imageId", "derivativeProductType", "assets"})
_EXPIRY = re.compile(r"\?Expires=([0-9]{10})&")
"""How the page's own links begin their query: ten digits are the years 2001 to 2286."""
_EXPIRY_LENGTH = len("?Expires=2000000000&")
_NO_EXPIRY = "?" * (_EXPIRY_LENGTH + 1)
"""Longer, so that it is equal to nothing that is cut out of a link."""


# A frozen class sets its attributes through `object.__setattr__`, which looks each name up: that
# alone was a quarter of the time for a listing.  The slots' own setters know their place.
_new = object.__new__
_set_type, _set_url, _set_ordinal = (
    vars(Asset)[attribute.name].__set__ for attribute in fields(Asset)
)
_set_raw, _set_expires = (vars(SignedUrl)[name].__set__ for name in ("_raw", "_expires"))
_SETTERS = [vars(Derivative)[attribute.name].__set__ for attribute in fields(Derivative)]
_set_id, _set_task_id, _set_product_type, _set_assets = _SETTERS[:4]
_set_reference, _set_image_id, _set_is_update, _set_extra = _SETTERS[4:]


class Listed(NamedTuple):
    """What a listing holds, or a page of one."""

    derivatives: tuple[Derivative, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    items: int = 0
    """How many there are, whether they can be read or not."""


def parse_derivatives(
    raw: object, task_id: str, *, first: int = 0, limits: Limits = DEFAULT_LIMITS
) -> Listed:
    """The derivatives of a listing; null reads as an empty list, as Go's encoder writes one so.

    A missing or null ``assets`` is an empty one: the derivative "is still being processed".  A
    reference to the image that is no string is None, and kept in ``extra`` as it came.  An item
    that cannot be read is left out, an asset that cannot be read among others as well, and what is
    wrong with it is named.

    Args:
        raw: What stands under ``data``.
        task_id: Whose derivatives they are.
        first: How many items the pages before this one had.
        limits: The ceilings.

    Raises:
        OverLimit: something is more, longer or deeper than `limits` allow.
        WireError: it is no list.
    """
    if raw is None:
        return Listed()
    if not isinstance(raw, list):
        raise WireError.of("is not a list", "data")
    check_count(len(raw), "derivatives", "derivatives_per_task", limits)
    derivatives = _read_usual(raw, task_id, limits)
    if all(derivatives):
        return Listed(tuple(derivatives), items=len(raw))  # type: ignore[arg-type] # no None
    return _read_rest(raw, derivatives, task_id, first, limits)


def _read_rest(
    raw: list[Any], read: list[Derivative | None], task_id: str, first: int, limits: Limits
) -> Listed:
    derivatives, unreadable = list[Derivative](), list[Unreadable]()
    for index, (item, found) in enumerate(zip(raw, read, strict=True)):
        rest = found
        if rest is None:
            unreadable += faults_of(item, first + index, limits)
            rest = _rest_of(item, task_id, limits)
        if rest is not None:
            derivatives.append(rest)
    return Listed(tuple(derivatives), tuple(unreadable), len(raw))


def _rest_of(item: Any, task_id: str, limits: Limits) -> Derivative | None:  # noqa: ANN401 - JSON
    """What of an item with faults can be handed out: where it has good assets beside bad ones."""
    part = readable_part(item, limits)
    rest = None if part is None else _read(part, task_id, limits)
    if rest is None:
        return None
    return evolve(rest, assets=numbered(rest.assets, item["assets"], limits))


def _read_usual(items: list[Any], task_id: str, limits: Limits) -> list[Derivative | None]:
    """All items; those of the usual shape in one loop almost without a call, the others by `_read`.

    Usual is: at most one asset, no null, nothing unknown, all ASCII.  Names recur from item to
    item, so one that was found good is not looked at again.
    """
    longest, longest_link, good, found = limits.id_length, limits.link_length, set[str](), []
    expiry, expires = _NO_EXPIRY, 0.0
    for item in items:
        try:
            assets, name, reference = item["assets"], item["id"], item.get("imageReference")
            # One that "is still being processed" has none, which is how most are while one waits.
            asset = _NO_ASSET if assets == [] else assets[0]
            kind, product_type, href = asset["type"], item["derivativeProductType"], asset["href"]
            image_id = item.get("imageId")
            if (
                len(item) > _FIELDS + (reference is not None) + (image_id is not None)
                or len(assets) > 1
                or len(asset) > _ASSET_FIELDS
                or not 0 < len(name) <= longest
                or not 0 < len(href) <= longest_link
                or not (name.isascii() and href.isascii())
                or (kind not in good and not _note(kind, longest, good))
                or (product_type not in good and not _note(product_type, longest, good))
                or not (reference is None or reference in good or _note(reference, longest, good))
                or not (image_id is None or image_id in good or _note(image_id, longest, good))
            ):
                raise ValueError  # noqa: TRY301 - a call of its own would cost as much as the rest
            start = href.find("?")
        except (AttributeError, LookupError, TypeError, ValueError):
            found.append(_read(item, task_id, limits))
            continue
        made = _new(Derivative)
        _set_id(made, name)
        _set_task_id(made, task_id)
        _set_product_type(made, product_type)
        _set_reference(made, reference)
        _set_image_id(made, image_id)
        _set_is_update(made, _NO_UPDATE)
        _set_extra(made, NO_EXTRA)
        found.append(made)
        if asset is _NO_ASSET:
            _set_assets(made, ())
            continue
        signed = href[start : start + _EXPIRY_LENGTH]
        if signed != expiry and (moment := _EXPIRY.fullmatch(signed)):
            expiry, expires = signed, float(moment[1])
        url, made_asset = _new(SignedUrl), _new(Asset)
        if signed == expiry and "#" not in href:  # mostly, all links are signed in one moment
            _set_raw(url, href)
            _set_expires(url, expires)
        else:
            url = read_signed_url(href)
        _set_type(made_asset, kind)
        _set_url(made_asset, url)
        _set_ordinal(made_asset, _AS_COUNTED)
        _set_assets(made, (made_asset,))
    return found


def _note(name: Any, longest: int, good: set[str]) -> bool:  # noqa: ANN401 - JSON
    """Whether a name is good in every way, and remembered to be so."""
    is_good = type(name) is str and 0 < len(name) <= longest and name.isascii()
    if is_good:
        good.add(name)
    return is_good


def _read(raw: Any, task_id: str, limits: Limits) -> Derivative | None:  # noqa: ANN401 - JSON
    """The derivative, or None where anything is not as documented."""
    if type(raw) is not dict:
        return None
    get = raw.get
    derivative_id, product_type = get("id"), get("derivativeProductType")
    reference, image_id = map(get, NOT_NEEDED)
    assets = _read_assets(get("assets"), limits)
    longest = limits.id_length
    if (
        assets is None
        or type(derivative_id) is not str
        or type(product_type) is not str
        or not 0 < len(derivative_id) <= longest
        or not 0 < len(product_type) <= longest
        or not ((derivative_id + product_type).isascii() or are_names(derivative_id, product_type))
        or (type(reference) is str and len(reference) > longest)
        or (type(image_id) is str and len(image_id) > longest)
    ):
        return None
    odd = {name for name in NOT_NEEDED if not isinstance(raw.get(name), str | None)}
    extra = NO_EXTRA if raw.keys() <= _KNOWN and not odd else _unknown(raw, odd, limits)
    if odd:
        reference, image_id = (None if name in odd else get(name) for name in NOT_NEEDED)
    return _made(derivative_id, task_id, product_type, assets, reference, image_id, extra)


def _made(  # noqa: PLR0917 - names cost as much as the values here
    derivative_id: str,
    task_id: str,
    product_type: str,
    assets: tuple[Asset, ...],
    reference: str | None,
    image_id: str | None,
    extra: Mapping[str, Any],
) -> Derivative:
    """``Derivative(…)`` in half the time; a test holds the two to be equal."""
    made = _new(Derivative)
    _set_id(made, derivative_id)
    _set_task_id(made, task_id)
    _set_product_type(made, product_type)
    _set_assets(made, assets)
    _set_reference(made, reference)
    _set_image_id(made, image_id)
    _set_is_update(made, _NO_UPDATE)
    _set_extra(made, extra)
    return made


def _read_assets(raw: Any, limits: Limits) -> tuple[Asset, ...] | None:  # noqa: ANN401 - JSON
    if raw is None:
        return ()
    if type(raw) is not list:
        return None
    if len(raw) > limits.assets_per_derivative:
        check_count(len(raw), "assets in one derivative", "assets_per_derivative", limits)
    assets = []
    for item in raw:
        if type(item) is not dict:
            return None
        kind, href = item.get("type"), item.get("href")
        if (
            type(kind) is not str
            or type(href) is not str
            or not 0 < len(kind) <= limits.id_length
            or not 0 < len(href) <= limits.link_length
            or not ((kind + href).isascii() or are_names(kind, href))
        ):
            return None
        if len(item) > _ASSET_FIELDS:
            check_tree(item, limits, depth=_ASSET_DEPTH)
        asset = _new(Asset)
        _set_type(asset, kind)
        _set_url(asset, read_signed_url(href))
        _set_ordinal(asset, _AS_COUNTED)
        assets.append(asset)
    return tuple(assets)


def _unknown(raw: dict[str, Any], odd: set[str], limits: Limits) -> Extra:
    """What is kept as it came, so it is looked at: the rest of an item has a shape already."""
    extra = {name: value for name, value in raw.items() if name in odd or name not in _KNOWN}
    check_tree(extra, limits, depth=_ITEM_DEPTH)
    return Extra(extra)
