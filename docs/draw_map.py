"""Draws the README's picture of the map: what the demo finds, in a real Chromium.

``nox -s pictures``, or ``python docs/draw_map.py`` where the package has its extras cli and geo.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from iceye_derivatives.geo import Detections

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "extras"))
from chromium import Browser, as_url  # noqa: E402  found by the line above

SIZE = (1440, 820)
SHARP = 1.35
CHOSEN = """(() => {
  const seen = atlas.items.filter((item) => item.shown && item.placed);
  const ships = seen.filter((item) => atlas.raw.groups[item.group].name === "passenger");
  const alone = (item) => Math.min(...seen.filter((o) => o !== item)
    .map((o) => Math.hypot(o.x - item.x, o.y - item.y)));
  const ship = ships.reduce((a, b) => (alone(a) > alone(b) ? a : b));
  const { lat, lon } = atlas.at(ship.x, ship.y);
  const point = atlas.map.latLngToContainerPoint([lat, lon]);
  return [point.x, point.y];
})()"""
"""The passenger ship that lies farthest from all else."""


def main() -> None:
    """Play the demo, draw, click one ship, and keep what is to be seen."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "detections")
        demo = ("demo", "--simulator", "--detections", "240", "--seed", "4")
        subprocess.run(  # noqa: S603  our own program
            (sys.executable, "-m", "iceye_derivatives", *demo, "--to", str(folder)),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        page_file = Path(name, "map.html")
        html = Detections.read(folder).to_html(title="Port of Rotterdam, simulated")
        page_file.write_text(html, "utf-8")
        with Browser() as browser:
            page = browser.open(as_url(page_file), width=SIZE[0], height=SIZE[1])
            page.resize(*SIZE, SHARP)
            page.settle()
            page.evaluate("atlas.fit(false); void atlas.map.panBy([150, 0], {animate: false})")
            page.settle()
            page.click(*page.evaluate(CHOSEN))
            shot = page.screenshot()
    picture = Image.open(BytesIO(shot)).convert("RGB")
    # Few colours, and none of them noise: a palette makes it a third of the size.
    picture.quantize(192, dither=Image.Dither.NONE).save(HERE / "map.png", optimize=True)


if __name__ == "__main__":
    main()
