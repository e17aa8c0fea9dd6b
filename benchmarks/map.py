"""How much longer does the map take for 20,000 detections than for 1,000, in a real browser?

``python benchmarks/map.py --detections 20000 --rounds 5`` wants Chromium on PATH.  First draw is
from opening the file until its scripts have drawn; the others are from an action to its frame.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from iceye_derivatives.geo import Detections
from iceye_derivatives.simulator.detections import Subject, render

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "extras"))
from chromium import Browser, Page, as_url

FEW = 1000
ACTIONS = {
    "filter": "atlas.$('#least').value = 0.8; "
    "atlas.$('#least').dispatchEvent(new Event('input', {bubbles: true}))",
    "pan": "atlas.map.panBy([120, 80], {animate: false})",
    "zoom": "atlas.map.setZoom(atlas.map.getZoom() + 1, {animate: false})",
    "point": "atlas.layer.at(L.point(640, 400))",
}
TIMED = """new Promise((done) => requestAnimationFrame(() => {{
  const begun = performance.now();
  {action};
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
}}))"""
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def a_page(folder: Path, detections: int) -> Path:
    """A map of as many vessels as the simulator makes of them."""
    subject = Subject(seed="map", product_type="DC_VESSELS", lat=52, lon=4, count=detections)
    file = folder / f"DC_VESSELS_{detections}.geojson"
    file.write_bytes(render(subject, "geojson"))
    assert len(json.loads(file.read_bytes())["features"]) == detections
    page = folder / f"{detections}.html"
    page.write_text(Detections.read(file).to_html(), "utf-8")
    return page


def measure(page: Page) -> dict[str, float]:
    """Milliseconds by the page's own clock."""
    page.settle()
    taken = {"first draw": float(page.evaluate(LOADED))}
    for name, action in ACTIONS.items():
        taken[name] = float(page.evaluate(TIMED.format(action=action)))
    assert page.complaints == []
    return taken


def main() -> None:
    """Take turns between few and many; compare the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detections", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    found: dict[int, list[dict[str, float]]] = {FEW: [], asked.detections: []}
    with tempfile.TemporaryDirectory() as name, Browser() as browser:
        pages = {number: a_page(Path(name), number) for number in found}
        for _ in range(asked.rounds):
            for number, page in pages.items():
                found[number].append(measure(browser.open(as_url(page))))
    print(f"{'':12}{FEW:>10,}{asked.detections:>10,}   ratio")
    for step in ("first draw", *ACTIONS):
        few, many = (statistics.median(each[step] for each in found[n]) for n in found)
        print(f"{step:12}{few:>7.0f} ms{many:>7.0f} ms{many / max(few, 0.1):>8.1f}")


if __name__ == "__main__":
    main()
