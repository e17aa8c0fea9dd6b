"""Which JSON is a GeoJSON object (RFC 7946), as far as it matters to believing a file?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = [
    "ARRAY",
    "MEMBERS",
    "NULL",
    "OBJECT",
    "OF_OBJECTS",
    "OTHER",
    "NotGeoJson",
    "check_kinds",
    "check_members",
    "odd_entries",
]

ARRAY, OBJECT, NULL, OTHER = "an array", "an object", "null", "another value"

MEMBERS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "FeatureCollection": ("features", frozenset({ARRAY})),
    # Section 3.2: "a Geometry object … or, in the case that the Feature is unlocated, null".
    "Feature": ("geometry", frozenset({OBJECT, NULL})),
    "GeometryCollection": ("geometries", frozenset({ARRAY})),
    "Point": ("coordinates", frozenset({ARRAY})),
    "MultiPoint": ("coordinates", frozenset({ARRAY})),
    "LineString": ("coordinates", frozenset({ARRAY})),
    "MultiLineString": ("coordinates", frozenset({ARRAY})),
    "Polygon": ("coordinates", frozenset({ARRAY})),
    "MultiPolygon": ("coordinates", frozenset({ARRAY})),
}
"""The nine types of section 1.4, each with the member that it must have and what that may be."""
OF_OBJECTS: Final = frozenset({"features", "geometries"})
"""Members that are arrays of objects."""


class NotGeoJson(ValueError):  # noqa: N818 - internal; becomes `ContentError` above
    """Why a document is not GeoJSON, as the rest of "…, since …"."""


def check_members(document: Any) -> None:  # noqa: ANN401 - any JSON
    """Raise `NotGeoJson` unless the parsed document is a GeoJSON object."""
    if not isinstance(document, dict):
        raise NotGeoJson("its JSON is not an object")
    check_kinds(
        document.get("type"),
        {name: _kind(value) for name, value in document.items()},
        odd_entries(document),
    )


def odd_entries(members: Mapping[str, Any]) -> set[str]:
    """The arrays of objects that hold something else."""
    # Of exactly that type, since a parser made them: counted without a loop over a thousand.
    return {
        name
        for name in OF_OBJECTS & members.keys()
        if isinstance(members[name], list) and not {dict}.issuperset(map(type, members[name]))
    }


def check_kinds(declared: object, kinds: Mapping[str, str], odd: set[str]) -> None:
    """The same from less.

    Args:
        declared: What `type` says.
        kinds: What kind of value each member has.
        odd: What `odd_entries` tells of them.
    """
    if not isinstance(declared, str) or declared not in MEMBERS:
        raise NotGeoJson("its JSON has no GeoJSON 'type'")
    member, allowed = MEMBERS[declared]
    if kinds.get(member) not in allowed:
        raise NotGeoJson(f"its JSON says {declared} but has no proper {member!r}")
    if member in odd:
        raise NotGeoJson(f"its {member!r} holds something that is not an object")


def _kind(value: object) -> str:
    match value:
        case list():
            return ARRAY
        case dict():
            return OBJECT
        case None:
            return NULL
        case _:
            return OTHER
