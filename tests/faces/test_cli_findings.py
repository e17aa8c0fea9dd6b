"""Does a download count the classes that a map of the same file shows?"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import evolve
from cli_stage import WHOLE
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.meaning import CLASS_CANDIDATES
from iceye_derivatives.cli.findings import find
from iceye_derivatives.geo import Detections

NAMES = st.sampled_from([name.replace("*", "_7") for name in CLASS_CANDIDATES] + ["hull"])
SPELT = st.tuples(NAMES, st.sampled_from([str.lower, str.upper, str.title])).map(
    lambda pair: pair[1](pair[0])
)
VALUES = st.none() | st.booleans() | st.sampled_from([3, "tug", "", "é", []])


@given(st.lists(st.none() | st.dictionaries(SPELT, VALUES, max_size=3), max_size=4))
def test_classes_are_counted_by_one_rule(properties: list[dict[str, Any] | None]) -> None:
    """Whatever the property is called: ICEYE documents no schema of its detections."""
    features = [{"type": "Feature", "geometry": None, "properties": each} for each in properties]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "DC_VESSELS_d.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
        found = find(evolve(WHOLE, path=str(path), size=path.stat().st_size))
        shown = Counter(each.detection_class or "" for each in Detections.read(path))
    assert (found.detections, found.classes) == (len(features), shown)
