"""Does the demo rehearse without an account, and never order a real task unasked?"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cli_stage import Stage

from iceye_derivatives.cli import main
from iceye_derivatives.cli.rehearsal import PLAN, Rehearsal

QUICK = ("--speed", "60000", "--detections", "12")
Captured = pytest.CaptureFixture[str]


def test_without_credentials_it_rehearses_the_whole_way(tmp_path: Path, capsys: Captured) -> None:
    assert main(["demo", "--to", str(tmp_path), *QUICK, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["event"] == "note"
    assert "nothing is ordered from ICEYE" in lines[0]["text"]
    report = lines[-1]
    assert (report["event"], report["ok"], report["missing"]) == ("report", True, [])
    assert (report["answers"][0], report["answers"][-1]) == (404, 200)
    assert [line["detections"] for line in lines if line["event"] == "found"] == [12, 12, 12]
    assert {Path(each["path"]) for each in report["files"]} == {
        path for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith(".")
    }


def test_with_credentials_it_orders_nothing_unasked(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, tmp_path: Path
) -> None:
    monkeypatch.setenv("ICEYE_ACCESS_TOKEN", "canary-token")
    assert main(["demo", "--to", str(tmp_path)]) == 2
    assert "No contract to order on" in capsys.readouterr().err
    assert main(["demo", "--to", str(tmp_path), "--contract", "c-1"]) == 2
    error = capsys.readouterr().err
    assert "This orders and bills a real task from ICEYE on contract c-1" in error
    assert "add --yes to do so, or --simulator to rehearse" in error
    assert list(tmp_path.iterdir()) == []


def test_half_of_the_credentials_are_no_reason_to_rehearse(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, tmp_path: Path
) -> None:
    """Who set a client id means ICEYE, and must not take simulated ships for real ones."""
    monkeypatch.setenv("ICEYE_CLIENT_ID", "me")
    assert main(["demo", "--to", str(tmp_path), "--contract", "c-1", "--yes"]) == 2
    assert "lacks ICEYE_TOKEN_URL, ICEYE_CLIENT_SECRET" in capsys.readouterr().err


def test_with_credentials_the_same_command_does_the_same(
    stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    assert main(["demo", "--to", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert f"Ordering a task from {stage.simulator.api_base_url}." in shown
    assert shown.count("40 detections: ") == 3
    assert [r.method for r in stage.simulator.requests if r.path.endswith("/tasks")] == ["POST"]


def test_the_simulator_can_be_forced(stage: Stage, tmp_path: Path, capsys: Captured) -> None:
    assert main(["demo", "--simulator", "--to", str(tmp_path), *QUICK]) == 0
    assert capsys.readouterr().out.startswith("This is the built-in simulator")
    assert stage.simulator.requests == []


def test_a_second_rehearsal_fetches_again(tmp_path: Path, capsys: Captured) -> None:
    """One seed gives one task id, and files that are kept would be a poor show."""
    for _ in range(2):
        assert main(["demo", "--to", str(tmp_path), *QUICK]) == 0
        assert capsys.readouterr().out.count(" whole: ") == 3


def test_the_time_lapse_slows_down_before_there_is_something_to_see() -> None:
    rehearsal = Rehearsal(speed=None, seed=0, detections=1)
    imaged = rehearsal.window_start.timestamp() + PLAN.imaged_into_window + PLAN.fulfilled_after
    ready = [imaged + delay for delay in PLAN.derivative_delays.values()]
    clock = rehearsal.clock
    real = [clock._passed_at(moment) for moment in sorted(ready)]
    assert 5 < real[0] < 12, "days pass in seconds"
    assert [b - a > 4 for a, b in pairwise(real)] == [True, True]
    assert real[-1] < 25


def test_the_recording_is_one_picture_of_many_frames(tmp_path: Path, capsys: Captured) -> None:
    picture = tmp_path / "demo.svg"
    assert main(["demo", "--to", str(tmp_path / "x"), *QUICK, "--record", str(picture)]) == 0
    assert capsys.readouterr().out == ""
    text = picture.read_text()
    root = ET.fromstring(text)  # noqa: S314  we wrote it
    frames = [each for each in root.iter() if each.get("class", "").startswith("t f")]
    assert len(frames) >= 3
    assert [each.get("visibility") for each in frames].count("visible") == 1
    assert frames[-1].get("visibility") == "visible"
    last = " ".join("".join(frames[-1].itertext()).split())
    assert "every derivative is there" in last
    assert "DC_VESSELS" in last
    # Nothing is fetched from anywhere when a page shows it.
    assert re.findall(r"https?://[^\"' )]+", text) == ["http://www.w3.org/2000/svg"]
