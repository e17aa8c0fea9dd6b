"""How are all tasks of a folder told as one STAC Collection, and that as a Catalog?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from iceye_derivatives._core.coverage import Box, union
from iceye_derivatives._core.plan import CATALOG, COLLECTION, ITEM
from iceye_derivatives._core.rfc3339 import parse_moment
from iceye_derivatives._core.stac import COLLECTION_ID, VERSION
from iceye_derivatives._core.stac_facts import as_object, read_box, read_document

__all__ = ["build_catalog", "build_collection"]

_WORLD: Final = Box(-180.0, -90.0, 180.0, 90.0)
"""What stands there while no item has a place."""
_BOTH: Final = 2
_NEVER: Final = (datetime.min.replace(tzinfo=UTC), None)


def build_collection(
    before: bytes | None, item: Mapping[str, Any], folder: str
) -> dict[str, Any] | None:
    """The collection of before with an item added or told anew; None where it is not one of ours.

    Args:
        before: What stands there, if anything does.
        item: As `build_item` made it.
        folder: The name of its folder.
    """
    collection = read_document(before)
    if collection.get("id", COLLECTION_ID) != COLLECTION_ID:
        return None
    href = f"./{folder}/{ITEM}"
    items = _item_hrefs(collection) | {href}
    boxes = [_whole_box(collection), read_box(item.get("bbox"))]
    box = union(box for box in boxes if box is not None) or _WORLD
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "id": COLLECTION_ID,
        "title": "ICEYE Detect & Classify derivatives",
        "description": "Detections that models found in ICEYE's radar images, by task.",
        "license": "other",
        "keywords": ["ICEYE", "SAR", "detections"],
        "providers": [
            {"name": "ICEYE", "roles": ["producer", "licensor"], "url": "https://www.iceye.com"}
        ],
        "extent": {
            "spatial": {"bbox": [box.as_list()]},
            "temporal": {"interval": [_interval(collection, item)]},
        },
        "links": [
            {"rel": "root", "href": f"./{CATALOG}", "type": "application/json"},
            {"rel": "parent", "href": f"./{CATALOG}", "type": "application/json"},
            *(
                {"rel": "item", "href": each, "type": "application/geo+json"}
                for each in sorted(items)
            ),
        ],
    }


def build_catalog(before: bytes | None) -> dict[str, Any] | None:
    """A catalog of that one collection; None where anything stands there already.

    Some readers, pystac-client among them, open nothing but a catalog.
    """
    if before is not None:
        return None
    return {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": f"{COLLECTION_ID}-catalog",
        "title": "ICEYE Detect & Classify derivatives",
        "description": "The detections that were downloaded to this place.",
        "links": [
            {"rel": "root", "href": f"./{CATALOG}", "type": "application/json"},
            {"rel": "child", "href": f"./{COLLECTION}", "type": "application/json"},
        ],
    }


def _whole_box(collection: Mapping[str, Any]) -> Box | None:
    boxes = as_object(as_object(collection.get("extent")).get("spatial")).get("bbox")
    box = read_box(boxes[0]) if isinstance(boxes, list) and boxes else None
    return None if box == _WORLD else box


def _interval(collection: Mapping[str, Any], item: Mapping[str, Any]) -> list[str | None]:
    """From the first moment to the last."""
    properties = as_object(item.get("properties"))
    moment = properties.get("datetime")
    of_item = [properties.get("start_datetime", moment), properties.get("end_datetime", moment)]
    intervals = as_object(as_object(collection.get("extent")).get("temporal")).get("interval")
    before = intervals[0] if isinstance(intervals, list) and intervals else []
    of_before = before if isinstance(before, list) and len(before) == _BOTH else [None, None]
    starts, ends = (list(_moments(pair)) for pair in zip(of_before, of_item, strict=True))
    return [min(starts, default=_NEVER)[1], max(ends, default=_NEVER)[1]]


def _moments(texts: Iterable[object]) -> Iterator[tuple[datetime, str | None]]:
    for text in texts:
        if isinstance(text, str):
            with suppress(ValueError):
                yield parse_moment(text), text


def _item_hrefs(collection: Mapping[str, Any]) -> set[str]:
    links = collection.get("links")
    found = [as_object(link) for link in links] if isinstance(links, list) else []
    return {
        link["href"]
        for link in found
        if link.get("rel") == "item" and isinstance(link.get("href"), str)
    }
