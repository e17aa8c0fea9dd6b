"""What can a server call things that become names of files: ids and types that mean harm?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from iceye_derivatives.simulator.fault_kit.chapter import API, Chapter, loaded, went_well
from iceye_derivatives.simulator.fault_kit.listings import listed_derivatives
from iceye_derivatives.simulator.messages import Answer

if TYPE_CHECKING:
    from iceye_derivatives.simulator.incident import Incident

NAMES = Chapter("Hostile names")

HOSTILE = {
    "traversal": "../../../../escaped",
    "backslashes": "..\\..\\escaped",
    "encoded": "%2e%2e%2fescaped",
    "absolute": "/escaped",
    "drive": "C:\\escaped",
    "share": "\\\\host\\share\\escaped",
    "dots": "..",
    "empty": "",
    "blank": " ",
    "hidden": ".escaped",
    "trailing": "escaped. ",
    "device": "CON",
    "device_with_suffix": "nul.geojson",
    "stream": "escaped:stream",
    "nul": "esca\x00ped",
    "control": "esca\r\n\x1b[31m\x7fped",
    "bidi": "esca\u202enosjoeg.exe",
    "zero_width": "esca\u200b\u2066ped",
    "long": "x" * 5000,
    "long_in_utf_8": "\U0001f6f0" * 100,
    "surrogate": "esca\ud800ped",
    "option": "--escaped",
    "glob": "*?[a-z]",
    "markup": "[bold red]escaped[/] <b>",
    "format": "{0.__class__} %s %(x)s",
    "query": "escaped?x=1#y",
}
"""What `kind` stands for; harmless themselves, but no name that one would want on a disk."""

_TWINS = {
    "case": ("Escaped", "eSCAPED"),
    "sharp_s": ("strasse", "straße"),
    "composed": ("caf\u00e9", "cafe\u0301"),
    "dotted_i": ("I\u0307d", "i\u0307d"),
}


@NAMES.lie("after", API, kind=tuple(HOSTILE))
def hostile_id(incident: Incident) -> Answer | None:
    """The first derivative's id is none that should become a name, by its `kind`."""
    return _renamed(incident, "id")


@NAMES.lie("after", API, kind=tuple(HOSTILE))
def hostile_type(incident: Incident) -> Answer | None:
    """The first derivative's type is none that should become a name, by its `kind`."""
    return _renamed(incident, "derivativeProductType")


@NAMES.lie("after", API, kind=tuple(HOSTILE))
def hostile_image_reference(incident: Incident) -> Answer | None:
    """The first derivative's image reference is none that should become a name, by its `kind`."""
    return _renamed(incident, "imageReference")


@NAMES.lie("after", API, kind=tuple(HOSTILE))
def hostile_asset_type(incident: Incident) -> Answer | None:
    """All assets have a type that should not become a suffix, by its `kind`."""
    if not (data := listed_derivatives(incident)):
        return None
    name = HOSTILE[incident.settings["kind"]]
    for each in data:
        each["assets"] = [{**asset, "type": name} for asset in each["assets"]]
    return _ascii(incident.answer.status, {"data": data})


@NAMES.lie("after", API, kind=tuple(HOSTILE))
def hostile_task_id(incident: Incident) -> Answer | None:
    """A task says that it has an id which should not become a name, by its `kind`."""
    if not went_well(incident) or "contractID" not in (task := loaded(incident) or {}):
        return None
    task["id"] = HOSTILE[incident.settings["kind"]]
    return _ascii(incident.answer.status, task)


@NAMES.lie("after", API, kind=tuple(_TWINS))
def twin_ids(incident: Incident) -> Answer | None:
    """Two derivatives of one type have ids that some file systems take for the same.

    By their `kind` they differ in "case", in "sharp_s" (the same in upper case), in how an accent
    is "composed", or in a "dotted_i".
    """
    data = listed_derivatives(incident)
    shown = [each for each in data if each["assets"]]
    if not shown:
        return None
    twins = [{**shown[0], "id": name} for name in _TWINS[incident.settings["kind"]]]
    others = [each for each in data if each is not shown[0]]
    return _ascii(incident.answer.status, {"data": [*twins, *others]})


def _renamed(incident: Incident, field: str) -> Answer | None:
    if not (data := listed_derivatives(incident)):
        return None
    data[0] = {**data[0], field: HOSTILE[incident.settings["kind"]]}
    return _ascii(incident.answer.status, {"data": data})


def _ascii(status: int, value: object) -> Answer:
    # Escaped: a lone surrogate can be written in JSON, but not in UTF-8.
    body = json.dumps(value).encode()
    return Answer(status=status, headers={"Content-Type": "application/json"}, body=body)
