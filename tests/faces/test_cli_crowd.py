"""Does the picture of many tasks count rightly, and fit any terminal?"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from cli_stage import BROKEN, TASK, WHOLE, Stage, ref
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from terminal_stage import MOVES, on_a_terminal

from iceye_derivatives import (
    DerivativeReady,
    TaskStatusReceived,
    TransferFinished,
    TransferStarted,
    Waiting,
    WatchFailed,
    WatchFinished,
)
from iceye_derivatives._lapse import TimeLapse
from iceye_derivatives.cli.board import BoardEvent
from iceye_derivatives.cli.crowd import Crowd, CrowdPicture
from iceye_derivatives.cli.news import news_of
from iceye_derivatives.cli.recording import ROWS, RecordingMany

NOW = 1_800_000_000.0
HISTORY: tuple[BoardEvent, ...] = (
    TaskStatusReceived(task_id=TASK, status="ACTIVE"),
    TaskStatusReceived(task_id="task-2", status="ACTIVE"),
    TaskStatusReceived(task_id=TASK, status="FULFILLED"),
    TaskStatusReceived(task_id="task-3", status="REJECTED"),
    WatchFailed(task_id="task-3", error=BROKEN),
    DerivativeReady(task_id=TASK, derivative=WHOLE.derivative),
    TransferStarted(asset=ref(1), path="/x", total=7),
    TransferFinished(record=WHOLE),
    TransferStarted(asset=ref(2), path="/x", total=7),
    Waiting(task_id="task-2", seconds=4.0, until=NOW + 4, reason="it is not imaged yet"),
)
DRAWN = """\
3 tasks  0 complete  1 given up
1 ACTIVE  1 FULFILLED
1 derivative  1 whole (7 B)  1 fetching
the latest wait until 08:00:04Z
"""
NEWS = """\
08:00:00Z task-1  ACTIVE
08:00:00Z task-2  ACTIVE
08:00:00Z task-1  FULFILLED
08:00:00Z task-3  REJECTED
08:00:00Z task-3  given up   It broke.
08:00:00Z task-1  ready      DC_VESSELS  derivati~
08:00:00Z task-1  whole      DC_VESSELS  derivati~       7 B
"""
SVG = "{http://www.w3.org/2000/svg}"


def drawn(events: tuple[BoardEvent, ...], width: int) -> str:
    crowd = Crowd()
    for event in events:
        crowd.take_in(event)
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(CrowdPicture(crowd, 3, NOW))
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def test_it_shows_how_all_of_them_stand() -> None:
    assert drawn(HISTORY, 80) == DRAWN


@pytest.mark.parametrize("width", [20, 40, 59, 200])
def test_it_has_four_lines_at_any_width(width: int) -> None:
    lines = drawn(HISTORY, width).splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= width


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["ACTIVE", "DONE", "end"]))))
def test_each_task_stands_under_its_latest_status_alone(told: list[tuple[str, str]]) -> None:
    crowd, latest = Crowd(), dict[str, str]()
    for task_id, status in told:
        if status == "end":
            latest.pop(task_id, None)
            crowd.take_in(WatchFinished(task_id=task_id, delivered=1))
        else:
            latest[task_id] = status
            crowd.take_in(TaskStatusReceived(task_id=task_id, status=status))
    counted = {name: number for name, number in crowd.tallies.items() if number}
    assert counted == {name: list(latest.values()).count(name) for name in latest.values()}


def test_each_piece_of_news_is_one_line_and_trouble_is_told_in_full() -> None:
    lines = [line for event in HISTORY if (line := news_of(event, "08:00:00Z"))]
    assert "".join(f"{line.plain.rstrip()}\n" for line in lines) == NEWS
    trouble = [line for line in lines if "failed" in line.plain or "given up" in line.plain]
    assert [line for line in lines if line.overflow == "fold"] == trouble


def test_a_recording_shows_the_last_of_the_news_above_the_counts(tmp_path: Path) -> None:
    """Nothing in it is loaded from anywhere, and without animation its last frame is seen."""
    moments = iter(range(1000))
    picture = tmp_path / "many.svg"
    clock = TimeLapse(fast=1.0, start=NOW, zero=0.0, real=lambda: 0.0)
    screen = RecordingMany(picture, "run", clock, total=3, meter=lambda: float(next(moments)))
    with screen:
        for event in HISTORY * 3:
            screen.on_event(event)
    frames = ET.parse(picture).getroot().findall(f".//{SVG}g[@visibility]")  # noqa: S314 - our own
    assert [each.get("visibility") for each in frames[:-1]] == ["hidden"] * (len(frames) - 1)
    assert frames[-1].get("visibility") == "visible"
    rows: dict[str, str] = {}
    for text in frames[-1].iter(f"{SVG}text"):
        rows[text.get("y", "")] = rows.get(text.get("y", ""), "") + (text.text or "")
    shown = [re.sub(r"\s+", " ", row).strip() for row in rows.values()]
    assert len(shown) == ROWS
    assert shown[-4:-2] == ["3 tasks 0 complete 3 given up", "1 ACTIVE 1 FULFILLED"]
    assert "task-3 given up" in " ".join(shown)
    assert not re.search(r"<script|href=|url\((?!#)|@import", picture.read_text("utf-8"))


def test_what_an_earlier_run_has_finished_counts_as_complete(tmp_path: Path) -> None:
    clock = TimeLapse(fast=1.0, start=NOW, zero=0.0, real=lambda: 0.0)
    screen = RecordingMany(tmp_path / "many.svg", "run", clock, total=3)
    screen.remember(["a", "b"])
    screen.on_event(WatchFinished(task_id="c", delivered=1))
    assert (screen.crowd.finished, screen.tally.finished) == (3, ["a", "b", "c"])


def test_on_a_terminal_the_news_go_by_and_the_counts_stay(stage: Stage, tmp_path: Path) -> None:
    ids = [stage.task() for _ in range(3)]
    text = on_a_terminal(["download", *ids, "--to", str(tmp_path)], NO_COLOR="1", COLUMNS="200")
    assert MOVES in text
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert len(re.findall(r"  whole +DC_[A-Z]+ ", text)) == 9
    assert "3 tasks  3 complete" in text
    assert "9 derivatives  9 whole" in text
