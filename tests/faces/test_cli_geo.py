"""``map``, ``export``: do they say what they did, or what is missing?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_stage import Stage

from iceye_derivatives.cli import main

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(stage: Stage, tmp_path: Path) -> Path:
    """A task's files, as `download` leaves them."""
    there = tmp_path / "detections"
    assert main(["download", stage.task(), "--to", str(there)]) == 0
    return there


def test_what_was_downloaded_is_mapped_and_exported(
    folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    page, table = tmp_path / "map.html", tmp_path / "all.geojson"
    capsys.readouterr()
    assert main(["map", str(folder), "-o", str(page), "--title", "Port"]) == 0
    assert main(["export", str(folder), "--to", str(table)]) == 0
    features = json.loads(table.read_text())["features"]
    number = len(features)
    said = capsys.readouterr().out.replace("\n", " ")
    assert f"{number} detections on the map" in said
    assert f"{number} detections of 1 task and 3 files in" in said
    assert "<title>Port</title>" in page.read_text("utf-8")
    assert {f["properties"]["product_type"] for f in features} == {
        "DC_AIRCRAFT",
        "DC_VEHICLES",
        "DC_VESSELS",
    }
    # The journal tells when each file came.
    assert all(f["properties"]["downloaded_at"].endswith("Z") for f in features)


def test_an_export_into_the_folder_is_not_counted_the_next_time(
    folder: Path, capsys: Captured
) -> None:
    """Neither by the same command, nor by one with another name, nor by the map."""

    def told(*command: str) -> str:
        capsys.readouterr()
        assert main([*command]) == 0
        return capsys.readouterr().out.partition(" ")[0]

    first = told("export", str(folder), "--to", str(folder / "all.geojson"))
    for name in ("all.geojson", "DC_VESSELS_all.geojson", "other.geojson", "all.csv"):
        assert told("export", str(folder), "--to", str(folder / name)) == first
    assert told("map", str(folder), "-o", str(folder / "map.html")) == first
    # Who names it means it.
    assert told("map", str(folder / "all.geojson"), "-o", str(folder / "map.html")) == first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["map", ".", "-o", "map.pdf"], ".html or .png"),
        (["export", ".", "--to", "all.xlsx"], ".parquet, .gpkg"),
        (["map", ".", "--basemap", "tiles"], "no template of map tiles"),
        (["export", ".", "--to", "a.csv", "--class", "clas"], "'clas'"),
        (["map", "empty"], "download a task into it first"),
        (["map", "nowhere"], "does not exist"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    before = set(folder.rglob("*"))
    assert main(arguments) == 2
    assert said in capsys.readouterr().err.replace("\n", " ")
    assert set(folder.rglob("*")) == before


@pytest.mark.parametrize("command", [["export", "--to", "d.csv"], ["map", "-o", "m.html"]])
def test_a_folder_that_is_missing_is_named(
    command: list[str], folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    """And not a file that nobody has asked for."""
    name, option, file = command
    missing = tmp_path / "nowhere"
    assert main([name, str(folder), option, str(missing / file)]) == 9
    assert capsys.readouterr().err == f"{missing}: No such file or directory\n"


def test_a_broken_file_is_named(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "DC_VESSELS_d.geojson").write_text("<html>")
    assert main(["map", str(tmp_path), "-o", str(tmp_path / "map.html")]) == 7
    assert "DC_VESSELS_d.geojson" in capsys.readouterr().err
