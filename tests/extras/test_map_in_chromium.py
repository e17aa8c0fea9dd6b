"""Does the map draw, filter and answer clicks in a real browser whose network is cut?"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from chromium import Browser, Page, as_url
from geo_files import HOSTILE, TASK, collection, feature, write
from PIL import Image

from iceye_derivatives.geo import Detections
from iceye_derivatives.geo._legend import groups_of

Show = Callable[..., Page]
VESSELS = [
    feature(
        4.013, 52.013, **{"class": "tug", "confidence": 0.95, "timestamp": "2027-01-15T06:00Z"}
    ),
    feature(
        4.113, 52.013, **{"class": "tug", "confidence": 0.55, "timestamp": "2027-01-15T12:00Z"}
    ),
    feature(
        4.057, 51.953, **{"class": "cargo", "confidence": 0.75, "timestamp": "2027-01-16T06:00Z"}
    ),
]
HULL = [[4.070, 51.98], [4.072, 51.98], [4.072, 51.981], [4.070, 51.981], [4.070, 51.98]]
AIRCRAFT = [
    {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [HULL]},
        "properties": {"class": "wide_body", "wingspan_m": 64.8, "note": None},
    },
]


@pytest.fixture
def scene(tmp_path: Path) -> Detections:
    """Three vessels and an aircraft of two tasks."""
    write(tmp_path / TASK, collection(*VESSELS))
    write(tmp_path / "8e-2", collection(*AIRCRAFT), "DC_AIRCRAFT_a-1.geojson")
    return Detections.read(tmp_path)


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Show:
    """Open detections in the browser."""

    def opened(found: Detections, *, basemap: str | None = None, **window: Any) -> Page:
        path = tmp_path / "map.html"
        path.write_text(found.to_html(basemap=basemap), "utf-8")
        page = browser.open(as_url(path), **window)
        page.settle()
        assert page.evaluate("document.documentElement.dataset.ready") == "yes"
        return page

    return opened


def place(page: Page, lon: float, lat: float) -> tuple[float, float]:
    """Where a place is in the window, in pixels."""
    x, y = page.evaluate(
        f"(() => {{ const p = atlas.map.latLngToContainerPoint([{lat}, {lon}]);"
        "return [p.x, p.y]; })()"
    )
    return x, y


def colour_at(page: Page, lon: float, lat: float) -> str:
    """What is to be seen at a place, as a person would: in a picture of the window."""
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    x, y = place(page, lon, lat)
    red, green, blue = picture.getpixel((round(x), round(y)))
    return f"#{red:02x}{green:02x}{blue:02x}"


def colours(found: Detections, theme: int = 0) -> dict[str, str]:
    return {group.name: group.colours[theme] for group in groups_of(found)}


GROUND = "#e9eef0"


def slide(page: Page, selector: str, value: float) -> None:
    """As a hand on a slider does."""
    page.evaluate(
        f"(() => {{ const s = document.querySelector('{selector}'); s.value = {value};"
        "s.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )
    page.settle()


def tally(page: Page) -> str:
    return page.text("#tally").splitlines()[0]


def quiet(page: Page) -> None:
    """Nothing was complained of, and nothing but the page itself was asked for."""
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith("data:")] == page.requests[:1]
    assert page.requests[0].startswith("file://")


def test_each_detection_is_drawn_where_it_is_in_the_colour_of_its_class(
    scene: Detections, show: Show
) -> None:
    page = show(scene)
    tones = colours(scene)
    assert colour_at(page, 4.013, 52.013) == tones["tug"]
    assert colour_at(page, 4.113, 52.013) == tones["tug"]
    assert colour_at(page, 4.057, 51.953) == tones["cargo"]
    assert colour_at(page, 4.071, 51.9805) not in {GROUND, tones["tug"], tones["cargo"]}
    assert colour_at(page, 4.033, 51.987) == GROUND
    assert tally(page) == "4 detections in 2 files"
    quiet(page)


def test_near_enough_a_hull_has_its_shape(scene: Detections, show: Show) -> None:
    page = show(scene)
    page.evaluate("void atlas.map.setView([51.9805, 4.071], 17, {animate: false})")
    page.settle()
    inside = {colour_at(page, 4.0701, 51.9809), colour_at(page, 4.0719, 51.9801)}
    assert len(inside) == 1
    assert inside != {GROUND}
    assert colour_at(page, 4.0722, 51.9805) == GROUND


def test_classes_products_and_tasks_are_switched_off_and_on(scene: Detections, show: Show) -> None:
    page = show(scene)
    page.press("#legend section:nth-child(2) li:nth-child(1) input")  # vessels, tug
    assert tally(page) == "2 of 4 detections in 2 files"
    assert colour_at(page, 4.013, 52.013) == GROUND
    assert page.text("#legend section:nth-child(2) .product .count") == "1 of 3"
    page.press("#legend section:nth-child(1) .product input")  # aircraft
    assert tally(page) == "1 of 4 detections in 2 files"
    page.press("#reset")
    assert tally(page) == "4 detections in 2 files"
    assert colour_at(page, 4.013, 52.013) == colours(scene)["tug"]
    page.press("#tasks summary")
    page.press("#tasks li:nth-child(1) input")
    assert tally(page) == "1 of 4 detections in 2 files"
    quiet(page)


def test_the_confidence_slider_lets_through_what_is_sure_enough(
    scene: Detections, show: Show
) -> None:
    page = show(scene)
    slide(page, "#least", 0.75)
    assert tally(page) == "3 of 4 detections in 2 files"
    assert page.text("#confidence output") == "at least 0.75"
    page.press("#unsure")
    assert tally(page) == "2 of 4 detections in 2 files"
    slide(page, "#least", 0.5)
    assert tally(page) == "3 of 4 detections in 2 files"


def test_the_time_sliders_let_through_a_span(scene: Detections, show: Show) -> None:
    page = show(scene)
    assert "Observed" in page.text("#time h2")
    page.press("#timeless")
    slide(page, "#from", 100)
    assert tally(page) == "2 of 4 detections in 2 files"
    slide(page, "#until", 900)
    assert tally(page) == "1 of 4 detections in 2 files"
    assert colour_at(page, 4.113, 52.013) == colours(scene)["tug"]


def test_a_click_shows_all_properties_of_a_detection(scene: Detections, show: Show) -> None:
    page = show(scene)
    page.click(*place(page, 4.071, 51.9805))
    said = page.text("#card")
    for words in ("wide_body", "Aircraft", "wingspan_m", "64.8", "note", "null", "8e-2", "a-1"):
        assert words in said
    page.click(*place(page, 4.057, 51.973))
    assert page.evaluate("document.querySelector('#card').hidden")
    page.click(*place(page, 4.057, 51.953))
    assert "cargo" in page.text("#card h2")
    assert "confidence 0.75" in page.text("#card header")
    quiet(page)


def test_detections_on_one_spot_are_leafed_through(tmp_path: Path, show: Show) -> None:
    same = [feature(4, 52, **{"class": name}) for name in "ab"]
    found = Detections.read(write(tmp_path / TASK, collection(*same, feature(4.2, 52.1))))
    page = show(found)
    page.click(*place(page, 4, 52))
    assert page.text("#card footer output") == "1 of 2"
    first = page.text("#card h2")
    page.press("#next")
    assert {first, page.text("#card h2")} == {"a", "b"}


def test_who_has_no_mouse_leafs_with_the_keys(scene: Detections, show: Show) -> None:
    page = show(scene)
    page.evaluate("document.querySelector('#browse').focus()")
    page.press("#browse")
    assert page.text("#card footer output") == "1 of 4"
    page.key("ArrowRight")
    assert page.text("#card footer output") == "2 of 4"
    page.key("ArrowLeft")
    page.key("ArrowLeft")
    assert page.text("#card footer output") == "4 of 4"
    page.key("Escape")
    assert page.evaluate("document.querySelector('#card').hidden")


def test_hostile_properties_are_read_and_do_nothing(tmp_path: Path, show: Show) -> None:
    found = Detections.read(write(tmp_path / TASK, collection(feature(4, 52, **HOSTILE))))
    page = show(found)
    before = page.evaluate("document.title")
    page.move(*place(page, 4, 52))
    page.click(*place(page, 4, 52))
    facts = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#card dl div')].map("
        "d => [d.querySelector('dt').textContent, d.querySelector('dd').textContent]))"
    )
    assert (
        facts.items()
        >= {
            "class": "</script><script>document.title='owned'</script>",
            "<img src=x onerror=alert(1)>": "<svg onload=alert(1)>",
            "link": "javascript:alert(1)",
            "turned": "abc\\u202egnp.exe",
            "lone": "\\ud800",
            "huge": "12345678901234567890",
            "nested": '{"a": [1, null, "</script>"]}',
            "line": "one\ntwo\\u2028three",
        }.items()
    )
    assert (
        page.evaluate("document.querySelectorAll('#card a, #card img, #card script').length") == 0
    )
    assert page.evaluate("document.title") == before
    quiet(page)


def test_no_request_leaves_even_where_somebody_tries(scene: Detections, show: Show) -> None:
    """The policy would stop what a hole in the page's own code let through."""
    page = show(scene)
    quiet(page)
    stopped = page.evaluate(
        "new Promise(done => { document.addEventListener('securitypolicyviolation',"
        " e => done(e.effectiveDirective)); new Image().src = 'http://127.0.0.1:9/leak'; })"
    )
    assert stopped == "img-src"
    tried = page.evaluate("fetch('http://127.0.0.1:9/leak').then(() => 'sent', () => 'stopped')")
    assert tried == "stopped"
    assert page.evaluate(
        "new Promise(done => { document.addEventListener('securitypolicyviolation',"
        " e => done(e.effectiveDirective)); const s = document.createElement('script');"
        " s.textContent = 'document.title = 1'; document.body.append(s); })"
    ).startswith("script-src")


def test_a_basemap_is_asked_for_from_its_host_alone(scene: Detections, show: Show) -> None:
    page = show(scene, basemap="https://tiles.invalid/{z}/{x}/{y}.png")
    page.evaluate(
        "new Promise(done => { const look = () => performance.getEntriesByType('resource').length"
        " ? done(1) : setTimeout(look, 20); look(); })"
    )
    asked = [url for url in page.requests if not url.startswith(("file:", "data:"))]
    assert asked
    assert all(url.startswith("https://tiles.invalid/") for url in asked)


def test_the_pointer_is_told_where_it_is_and_what_is_there(scene: Detections, show: Show) -> None:
    page = show(scene)
    page.move(*place(page, 4.057, 51.953))
    lat, lon = (float(part.split("°")[0]) for part in page.text("#place").split(","))
    assert (lat, lon) == pytest.approx((51.953, 4.057), abs=2e-4)
    assert page.text("#hint").split() == ["cargo", "0.75"]
    assert page.text(".leaflet-control-scale-line").split()[1] in {"m", "km"}
    page.move(*place(page, 4.057, 51.973))
    assert page.evaluate("document.querySelector('#hint').hidden")


@pytest.mark.parametrize("width", [320, 400, 768])
def test_narrow_screens_have_room_for_all_of_it(scene: Detections, show: Show, width: int) -> None:
    page = show(scene, width=width, height=700)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 720:
        assert page.evaluate("document.querySelector('#filters').offsetHeight") == 0
        page.press("#fold")
    for name in ("#panel", "#least"):
        page.evaluate(f"document.querySelector('{name}').scrollIntoView()")
        box = page.evaluate(f"document.querySelector('{name}').getBoundingClientRect().toJSON()")
        assert box["left"] >= 0
        assert box["right"] <= width
        assert box["bottom"] <= 700
    page.press("#browse")
    box = page.evaluate("document.querySelector('#card').getBoundingClientRect().toJSON()")
    assert 0 <= box["left"] < box["right"] <= width
    quiet(page)


def test_dark_is_what_the_reader_prefers_and_can_be_switched(scene: Detections, show: Show) -> None:
    page = show(scene, dark=True)
    assert colour_at(page, 4.013, 52.013) == colours(scene, theme=1)["tug"]
    page.press("#theme")
    assert colour_at(page, 4.013, 52.013) == colours(scene)["tug"]
    assert colour_at(page, 4.033, 51.987) == GROUND


def test_nothing_at_all_is_a_map_too(show: Show) -> None:
    page = show(Detections())
    assert tally(page) == "0 detections in 0 files"
    assert colour_at(page, 20, 45) == GROUND
    page.press("#browse")
    quiet(page)


def test_what_has_no_place_is_told_and_can_be_read(tmp_path: Path, show: Show) -> None:
    nowhere = {"type": "Feature", "geometry": None, "properties": {"class": "tug", "hint": "lost"}}
    page = show(Detections.read(write(tmp_path / TASK, collection(nowhere))))
    assert "1 without a place" in page.text("#tally")
    page.press("#browse")
    assert "lost" in page.text("#card")


def test_twenty_thousand_are_drawn_and_filtered(tmp_path: Path, show: Show) -> None:
    many = [
        feature(
            4 + n % 200 / 1000, 52 + n // 200 / 1000, **{"class": "ab"[n % 2], "score": n / 2e4}
        )
        for n in range(20_000)
    ]
    found = Detections.read(write(tmp_path / TASK, collection(*many)))
    page = show(found)
    spot = (4.063, 52.043)
    assert tally(page) == "20,000 detections in 1 file"
    assert colour_at(page, *spot) != GROUND
    slide(page, "#least", 0.75)
    assert tally(page) == "5,000 of 20,000 detections in 1 file"
    assert colour_at(page, *spot) == GROUND
    quiet(page)


def test_a_notebook_shows_the_same_in_a_sandbox(
    scene: Detections, browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><body style='margin:0'>{scene._repr_html_()}", "utf-8")
    page = browser.open(as_url(path), width=1000, height=600)
    tug = tuple(int(colours(scene)["tug"][i : i + 2], 16) for i in (1, 3, 5))
    seen: set[Any] = set()
    for _ in range(50):  # frames of a frame come when they come
        picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
        seen = {colour for _, colour in picture.getcolors(1 << 20)}
        if tug in seen:
            break
    assert tug in seen
    assert page.complaints == []
