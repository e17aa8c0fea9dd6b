"""Does the page hold every property as text, and let nothing in or out?"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from geo_files import HOSTILE, TASK, collection, documents, feature, write
from hypothesis import given, settings

from iceye_derivatives import ConfigurationError
from iceye_derivatives.geo import Detections
from iceye_derivatives.geo._legend import groups_of

TAGS = re.compile(r"<(script|style|img|iframe|link|a|meta|title)\b", re.IGNORECASE)
VENDOR = files("iceye_derivatives.geo") / "vendor"


def read(document: object) -> Detections:
    with TemporaryDirectory() as folder:
        return Detections.read(write(Path(folder, TASK), document))


def embedded(page: str) -> dict[str, Any]:
    """What the page's scripts will read."""
    raw = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert raw is not None
    data: dict[str, Any] = json.loads(raw[1])
    return data


def properties(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Each detection's properties, as they will be shown."""
    return [dict(zip(data["shapes"][row[6]], row[7], strict=True)) for row in data["rows"]]


def skeleton(page: str) -> list[str]:
    return TAGS.findall(re.sub(r"<(script|style)[^>]*>.*?</\1>", r"<\1>", page, flags=re.DOTALL))


EMPTY = Detections().to_html()


@given(documents)
@settings(max_examples=50)
def test_any_property_comes_out_of_the_page_as_it_went_in(document: dict[str, Any]) -> None:
    found = read(document)
    page = found.to_html()
    for detection, shown in zip(found, properties(embedded(page)), strict=True):
        assert shown.keys() == detection.properties.keys()
        for name, value in detection.properties.items():
            text = shown[name]
            assert (
                text == value
                if value is None or isinstance(value, str)
                else (json.loads(text) == value)
            )
    # And none of it is markup: the elements are those of a page without detections.
    assert skeleton(page) == skeleton(EMPTY)


def test_hostile_properties_stay_in_their_block() -> None:
    page = read(collection(feature(4, 52, **HOSTILE))).to_html(title="</title><script>")
    assert skeleton(page) == skeleton(EMPTY)
    assert page.count("<script") == 3 + page.count("'<script")
    assert "&lt;/title&gt;&lt;script&gt;" in page


def test_large_numbers_are_not_left_to_a_browser_to_round() -> None:
    data = embedded(read(collection(feature(4, 52, id=2**63 + 1))).to_html())
    assert properties(data) == [{"id": "9223372036854775809"}]


def test_only_the_pages_own_scripts_and_styles_may_run() -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', EMPTY)
    assert policy is not None
    blocks = re.findall(r"<(script|style)>(.*?)</\1>", EMPTY, re.DOTALL)
    hashes = [
        f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for _, text in blocks
    ]
    assert [name for name, _ in blocks] == ["style", "script", "script"]
    assert policy[1] == (
        f"default-src 'none'; script-src {hashes[1]} {hashes[2]}; style-src {hashes[0]}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_the_page_loads_nothing_from_anywhere() -> None:
    markup = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", EMPTY, flags=re.DOTALL)
    assert re.findall(r"(?:src|href|action)=\"([^\"]*)\"", markup) == ["data:,", "#panel"]
    assert "sourceMappingURL" not in EMPTY


@pytest.mark.parametrize(
    ("template", "origin"),
    [
        ("https://tiles.example/{z}/{x}/{y}.png", "https://tiles.example"),
        ("http://localhost:8080/{z}/{x}/{y}.png?k=1", "http://localhost:8080"),
        ("https://{s}.tiles.example/{z}/{x}/{y}.png", "https://*.tiles.example"),
    ],
)
def test_a_basemap_opens_the_page_for_its_host_alone(template: str, origin: str) -> None:
    page = Detections().to_html(basemap=template, attribution="<b>Somebody</b>")
    assert f"img-src data: {origin};" in page
    assert embedded(page)["basemap"] == {"url": template, "attribution": "<b>Somebody</b>"}
    assert "<b>Somebody" not in page


@pytest.mark.parametrize(
    "template",
    [
        "https://tiles.example/all.png",
        "javascript:alert(1)//{z}/{x}/{y}",
        "https://tiles.example; script-src *//{z}/{x}/{y}",
        "https://user:pass@tiles.example/{z}/{x}/{y}",
        "https://*/{z}/{x}/{y}",
        "https://tiles.{s}.example/{z}/{x}/{y}",
        "{z}/{x}/{y}.png",
        "https://[/{z}/{x}/{y}",
        "",
    ],
)
def test_what_is_no_template_of_tiles_is_refused(template: str) -> None:
    with pytest.raises(ConfigurationError, match="no template of map tiles"):
        Detections().to_html(basemap=template)


def test_a_notebook_gets_the_page_in_a_sandbox() -> None:
    found = read(collection(feature(4, 52, **HOSTILE)))
    frame = found._repr_html_()
    (inside,) = re.findall(r'srcdoc="([^"]*)"', frame)
    assert html.unescape(inside) == found.to_html()
    assert 'sandbox="allow-scripts"' in frame
    assert skeleton(frame) == ["iframe"]


def test_the_same_detections_give_the_same_page() -> None:
    document = collection(feature(4, 52, **HOSTILE))
    with TemporaryDirectory() as folder:
        path = write(Path(folder, TASK), document)
        assert Detections.read(path).to_html() == Detections.read(path).to_html()


def test_what_cannot_be_drawn_is_counted_all_the_same() -> None:
    nowhere = {"type": "Feature", "geometry": None, "properties": {"class": "tug"}}
    data = embedded(read(collection(nowhere, feature(500_000, 5e6), feature(4, 52))).to_html())
    assert [len(row[5]) for row in data["rows"]] == [0, 0, 1]


def test_satellite_and_download_times_are_not_mixed_on_one_axis() -> None:
    with_one = collection(feature(4, 52, timestamp="2027-01-15T12:00Z"), feature(4, 52))
    data = embedded(read(with_one).to_html())
    assert (data["time"], [row[3] for row in data["rows"]]) == ("observed", [1_800_014_400.0, None])
    assert embedded(read(collection(feature(4, 52))).to_html())["time"] == "downloaded"


def test_no_two_classes_of_a_product_look_the_same_until_there_are_nine() -> None:
    many = [feature(4, 52, **{"class": f"c{number}"}) for number in range(8)]
    looks = [(group.shape, group.colours) for group in groups_of(read(collection(*many)))]
    assert len(set(looks)) == 8


def test_the_vendored_files_are_those_of_the_record() -> None:
    record = json.loads((VENDOR / "vendored.json").read_text())
    for library in record.values():
        for name, digest in library["files"].items():
            assert sha256((VENDOR / name).read_bytes()).hexdigest() == digest
    shipped = {f"leaflet/{entry.name}" for entry in (VENDOR / "leaflet").iterdir()}
    assert shipped == set(record["leaflet"]["files"])
    assert "Redistribution and use" in (VENDOR / "leaflet" / "LICENSE").read_text()
