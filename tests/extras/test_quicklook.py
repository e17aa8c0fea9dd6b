"""Does the still picture show each detection where it is, and the same one every time?"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from geo_files import HOSTILE, TASK, collection, documents, feature, utm, write
from hypothesis import given, settings
from PIL import Image

from iceye_derivatives import ConfigurationError
from iceye_derivatives.cli import main
from iceye_derivatives.geo import Detections
from iceye_derivatives.geo._legend import groups_of
from iceye_derivatives.geo._view import View

GROUND = (0xE9, 0xEE, 0xF0)
BOX = (0.0, 76.0, 980.0, 770.0)
"""Where the map is in a picture of the usual size."""


def picture(found: Detections, **named: Any) -> Image.Image:
    return Image.open(BytesIO(found.to_png(**named))).convert("RGB")


def colour(found: Detections, name: str) -> tuple[int, ...]:
    (tone,) = (group.colours[0] for group in groups_of(found) if group.name == name)
    return tuple(int(tone[i : i + 2], 16) for i in (1, 3, 5))


def at(found: Detections, lon: float, lat: float) -> tuple[int, int]:
    x, y = View.of(found.bounds(), BOX).place(lon, lat)
    return round(x), round(y)


@pytest.fixture
def scene(tmp_path: Path) -> Detections:
    """Two tugs and a cargo ship whose hull is large enough to be drawn."""
    hull = [[4.03, 51.98], [4.05, 51.98], [4.05, 51.99], [4.03, 51.99]]
    cargo = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [hull]},
        "properties": {"class": "cargo"},
    }
    tugs = [feature(4.013, 52.013, **{"class": "tug"}), feature(4.113, 51.953, **{"class": "tug"})]
    return Detections.read(write(tmp_path / TASK, collection(*tugs, cargo)))


def test_each_detection_is_where_it_is_in_the_colour_of_its_class(scene: Detections) -> None:
    image = picture(scene)
    assert image.size == (1200, 800)
    assert image.getpixel(at(scene, 4.013, 52.013)) == colour(scene, "tug")
    assert image.getpixel(at(scene, 4.113, 51.953)) == colour(scene, "tug")
    inside = image.getpixel(at(scene, 4.043, 51.983))
    assert inside not in {GROUND, colour(scene, "cargo")}
    assert image.getpixel(at(scene, 4.083, 51.997)) == GROUND


def test_the_legend_shows_each_class_and_the_header_has_words(scene: Detections) -> None:
    image = picture(scene, title="Port")
    legend = image.crop((980, 76, 1200, 770))
    shown = {tone for _, tone in legend.getcolors(1 << 16) or ()}
    assert {colour(scene, "tug"), colour(scene, "cargo")} <= shown
    assert len(image.crop((0, 0, 980, 76)).getcolors(1 << 16) or ()) > 8
    assert picture(scene, title="Port").tobytes() != picture(scene, title="Bay").tobytes()


def test_the_same_detections_give_the_same_bytes(scene: Detections) -> None:
    assert scene.to_png() == scene.to_png()


@given(documents)
@settings(max_examples=15)
def test_any_geojson_object_can_be_drawn(document: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        found = Detections.read(write(Path(folder, TASK), document))
    assert picture(found, width=400, height=300).size == (400, 300)


@pytest.mark.parametrize(
    "document",
    [
        collection(),
        collection(feature(4, 52, **HOSTILE)),
        collection(*(feature(4, 52, **{"class": f"class number {n} \u202e"}) for n in range(60))),
        utm(feature(500_000, 0)),
    ],
    ids=["nothing", "hostile", "sixty classes", "metres"],
)
def test_odd_sets_are_drawn_too(tmp_path: Path, document: dict[str, Any]) -> None:
    found = Detections.read(write(tmp_path / TASK, document))
    image = picture(found, note="© somebody " * 40)
    if found.bounds() is not None:
        assert image.getpixel(at(found, *found.bounds()[:2])) != GROUND
    assert GROUND in {tone for _, tone in image.getcolors(1 << 20) or ()}


def test_a_picture_has_room_for_its_frame() -> None:
    with pytest.raises(ConfigurationError, match="320 by 240"):
        Detections().to_png(width=100)


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / TASK, collection(feature(4, 52)))
    target = tmp_path / "quicklook.png"
    assert main(["map", str(tmp_path), "-o", str(target)]) == 0
    assert "1 detection on the map" in capsys.readouterr().out
    assert target.read_bytes().startswith(b"\x89PNG")
