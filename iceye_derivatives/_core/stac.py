"""How is a task's folder described as a STAC Item?  Version 1.1, file extension 2.1."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from iceye_derivatives._core.content import is_geojson
from iceye_derivatives._core.coverage import Box, geometry_of, union
from iceye_derivatives._core.plan import CATALOG, COLLECTION
from iceye_derivatives._core.rfc3339 import render_moment
from iceye_derivatives._core.stac_facts import OURS, TEXTS, CatalogFile, TaskFacts, multihash

__all__ = ["COLLECTION_ID", "FILE_EXTENSION", "VERSION", "build_item", "render"]

VERSION: Final = "1.1.0"
FILE_EXTENSION: Final = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
COLLECTION_ID: Final = "iceye-derivatives"
_GEOJSON: Final = "application/geo+json"
_JSON: Final = "application/json"
_ABOVE: Final = f"../{COLLECTION}"
_LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def build_item(
    task_id: str,
    files: Iterable[CatalogFile],
    facts: TaskFacts,
    *,
    api: str | None = None,
) -> dict[str, Any]:
    """The item of a task.

    Args:
        task_id: Becomes its id.
        files: At least one.
        facts: Of the task.
        api: The API's address, for links to where all this came from.
    """
    found = sorted(files, key=lambda file: file.name)
    box = _box(found, facts)
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [FILE_EXTENSION],
        "id": task_id,
        "collection": COLLECTION_ID,
        "geometry": None if box is None else geometry_of(box),
        "properties": {
            **_times(found, facts),
            **_properties(task_id, found, facts),
        },
        "links": [
            {"rel": "root", "href": f"../{CATALOG}", "type": _JSON},
            {"rel": "parent", "href": _ABOVE, "type": _JSON},
            {"rel": "collection", "href": _ABOVE, "type": _JSON},
            *_links(task_id, api),
        ],
        "assets": {file.name: _asset(file) for file in found},
    }
    if box is not None:
        item["bbox"] = box.as_list()
    return item


def render(document: Mapping[str, Any]) -> bytes:
    """As JSON, for people as well; lone surrogates, which ids may hold, stay escaped."""
    return json.dumps(document, indent=2, allow_nan=False).encode() + b"\n"


def _box(files: Iterable[CatalogFile], facts: TaskFacts) -> Box | None:
    """Around all detections; around the point of interest, where those are not all known."""
    covered = [file.coverage for file in files]
    boxes = [each.box for each in covered if each is not None and each.box is not None]
    unread = any(each is None or each.crs is not None for each in covered)
    if facts.at is not None and (unread or not boxes):
        boxes.append(Box(facts.at[0], facts.at[1], facts.at[0], facts.at[1]))
    return union(boxes)


def _times(files: list[CatalogFile], facts: TaskFacts) -> dict[str, Any]:
    first, last = _unix(min(f.finished for f in files)), _unix(max(f.finished for f in files))
    times: dict[str, Any] = {"datetime": None}
    if facts.start is not None and facts.end is not None:
        times |= {"start_datetime": facts.start, "end_datetime": facts.end}
    else:
        # A moment must be told, and the image is not younger than what was found in it.
        times |= {"datetime": first, f"{OURS}:datetime_is": "download"}
    return {**times, "created": first, "updated": last}


def _properties(task_id: str, files: Iterable[CatalogFile], facts: TaskFacts) -> dict[str, Any]:
    images = {file.image_reference for file in files} - {None}
    told: dict[str, Any] = {
        "constellation": "ICEYE",
        f"{OURS}:task_id": task_id,
        **{f"{OURS}:{name}": facts.texts[name] for name in TEXTS if name in facts.texts},
    }
    if facts.product_types is not None:
        told[f"{OURS}:derivative_product_types"] = list(facts.product_types)
    if facts.at is not None:
        told[f"{OURS}:point_of_interest"] = {"lon": facts.at[0], "lat": facts.at[1]}
    if images:
        told[f"{OURS}:image_references"] = sorted(image for image in images if image is not None)
    return told


def _links(task_id: str, api: str | None) -> list[dict[str, str]]:
    if api is None:
        return []
    task = f"{api}/tasks/{quote(task_id, safe='', errors='replace')}"
    return [
        {
            "rel": "via",
            "href": f"{task}/derivatives",
            "type": _JSON,
            "title": "The task's derivatives (needs an access token)",
        },
        {
            "rel": "derived_from",
            "href": f"{task}/products",
            "type": _JSON,
            "title": "The images that they were found in (needs an access token)",
        },
    ]


def _asset(file: CatalogFile) -> dict[str, Any]:
    asset: dict[str, Any] = {
        "href": f"./{file.name}",
        "title": f"{file.asset.product_type} {file.asset.derivative_id}",
        "roles": ["data"],
        "created": _unix(file.finished),
        "file:size": file.size,
        "file:checksum": multihash(file.sha256),
        f"{OURS}:product_type": file.asset.product_type,
        f"{OURS}:derivative_id": file.asset.derivative_id,
        f"{OURS}:asset_type": file.asset.asset_type,
    }
    if is_geojson(file.asset):
        asset["type"] = _GEOJSON
    told: dict[str, Any] = {
        "image_reference": file.image_reference,
        "image_id": file.image_id,
    }
    if file.coverage is not None:
        box = file.coverage.box
        told |= {
            "detections": file.coverage.features,
            "bbox": None if box is None else box.as_list(),
            "crs": file.coverage.crs,
        }
    return asset | {f"{OURS}:{name}": value for name, value in told.items() if value is not None}


def _unix(seconds: float) -> str:
    whole = min(max(0.0, seconds), _LATEST)
    return render_moment(datetime.fromtimestamp(whole, UTC))
