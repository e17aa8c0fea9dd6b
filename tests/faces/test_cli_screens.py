"""What is written for people and for programs: golden text over the simulator, in virtual time."""

from __future__ import annotations

import io
import json
import re
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cli_stage import BROKEN, ONE_OF_EACH, TYPES, WHOLE

from iceye_derivatives import Backoff, DerivativesClient, Watch
from iceye_derivatives.cli import json_lines
from iceye_derivatives.cli.board import Ordered
from iceye_derivatives.cli.screens import JsonScreen, PlainScreen, Screen
from iceye_derivatives.cli.session import bring_home, summarise
from iceye_derivatives.cli.wording import clock_time, stamp
from iceye_derivatives.simulator import Simulator, TaskPlan, VirtualClock

pytestmark = pytest.mark.anyio

PLAN = TaskPlan(
    accepted_after=0.0,
    imaged_after=0.0,
    fulfilled_after=0.0,
    done_after=9e9,
    derivative_delays={"DC_VESSELS": 1000.0, "DC_VEHICLES": 1500.0, "DC_AIRCRAFT": 3000.0},
)
PROCESSED = "the task is FULFILLED and its derivatives are being processed"
OTHERS = "derivatives are ready, the others are still being processed"

WATCHED = f"""\
2027-01-15T08:00:00Z ordered task <id>, reference harbour-7
2027-01-15T08:00:00Z derivatives: 404, nothing is there yet
2027-01-15T08:00:00Z task is FULFILLED
2027-01-15T08:00:00Z waits: {PROCESSED}; next look in 4 min (08:03:45Z)
2027-01-15T08:08:45Z waits: {PROCESSED}; next look in 5 min (08:13:45Z)
2027-01-15T08:13:45Z waits: {PROCESSED}; next look in 5 min (08:18:45Z)
2027-01-15T08:18:45Z derivatives: 206, 1 of 3 are ready
2027-01-15T08:18:45Z DC_VESSELS <id> is ready (geojson)
2027-01-15T08:18:45Z waits: 1 of 3 {OTHERS}; next look in 2 min (08:21:15Z)
2027-01-15T08:25:00Z DC_VEHICLES <id> is ready (geojson)
2027-01-15T08:25:00Z waits: 2 of 3 {OTHERS}; next look in 2 min (08:27:30Z)
2027-01-15T08:31:15Z waits: 2 of 3 {OTHERS}; next look in 5 min (08:36:15Z)
2027-01-15T08:36:15Z waits: 2 of 3 {OTHERS}; next look in 5 min (08:41:15Z)
2027-01-15T08:41:15Z waits: 2 of 3 {OTHERS}; next look in 5 min (08:46:15Z)
2027-01-15T08:46:15Z waits: 2 of 3 {OTHERS}; next look in 5 min (08:51:15Z)
2027-01-15T08:51:15Z derivatives: 200, all 3 are ready
2027-01-15T08:51:15Z DC_AIRCRAFT <id> is ready (geojson)
2027-01-15T08:51:15Z 3 derivatives came, none is missing
"""
FETCHED = """\
fetching DC_VESSELS <id> geojson (<size>)
whole: <folder>/<id>/DC_VESSELS_<id>.geojson (<size>, sha256 <sha>)
fetching DC_VEHICLES <id> geojson (<size>)
whole: <folder>/<id>/DC_VEHICLES_<id>.geojson (<size>, sha256 <sha>)
fetching DC_AIRCRAFT <id> geojson (<size>)
whole: <folder>/<id>/DC_AIRCRAFT_<id>.geojson (<size>, sha256 <sha>)
"""
FOUND = """\
DC_VESSELS  6 detections: <classes>
  DC_VESSELS_<id>.geojson (<size>, sha256 <sha>)
DC_VEHICLES  6 detections: <classes>
  DC_VEHICLES_<id>.geojson (<size>, sha256 <sha>)
DC_AIRCRAFT  6 detections: <classes>
  DC_AIRCRAFT_<id>.geojson (<size>, sha256 <sha>)
The files are in <folder>/<id>
"""
TOLD = """\
note ordered
snapshot(404) task_status snapshot(404) waiting
snapshot(404) waiting snapshot(404) waiting snapshot(404) waiting
snapshot(206) expected derivative_ready waiting
snapshot(206) waiting
snapshot(206) expected derivative_ready waiting
snapshot(206) waiting snapshot(206) waiting snapshot(206) waiting
snapshot(206) waiting snapshot(206) waiting
snapshot(200) expected derivative_ready watch_finished
found found found note report
"""
UNREAD = re.compile(r"(?<![0-9a-z])[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}(?![0-9a-z])")


async def play(screen: Screen, folder: Path, clock: VirtualClock) -> str:
    """Bring one task home on a screen; what ids there are is given back to be taken out."""
    async with Simulator(clock=clock, seed=3, detections=6) as sim:
        task_id = sim.add_task(plan=PLAN)
        client = DerivativesClient.from_env(sim.environ, clock=clock, jitter=lambda: 0.5)
        async with client:
            with screen:
                screen.note("This is a test.")
                screen.on_event(
                    Ordered(
                        task_id=task_id,
                        status="RECEIVED",
                        reference="harbour-7",
                        product_types=tuple(TYPES),
                    )
                )
                report = await bring_home(
                    client,
                    screen,
                    Watch(task_id, requested=TYPES),
                    folder,
                    backoff=Backoff(initial=300.0, maximum=600.0),
                )
                summarise(screen, report)
    return task_id


def neutral(text: str, folder: Path) -> str:
    """The text without what the simulator may choose as it likes."""
    text = UNREAD.sub("<id>", text.replace(str(folder), "<folder>"))
    text = re.sub(r"[0-9.]+ k?B\b", "<size>", text)
    text = re.sub(r"sha256 [0-9a-f]{12}\b", "sha256 <sha>", text)
    return re.sub(r"detections: .*", "detections: <classes>", text)


def product_type(line: str) -> str:
    """Which file a line is about: files may overtake each other, the lines of one may not."""
    return str(re.findall(r"DC_[A-Z]+", line)[0])


def test_moments_are_in_one_time_zone_wherever_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason of a wait tells them in UTC, and a log is read elsewhere."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    if hasattr(time, "tzset"):
        time.tzset()
    now = 1_800_000_000.0
    assert stamp(now) == "2027-01-15T08:00:00Z"
    assert clock_time(now + 3600.0, now) == "09:00:00Z"
    assert clock_time(now + 86_400.0, now) == "2027-01-16 08:00:00Z"


async def test_lines_for_people(tmp_path: Path) -> None:
    clock, out = VirtualClock(start=1_800_000_000.0), io.StringIO()
    await play(PlainScreen(time=clock.time, meter=clock.time, out=out), tmp_path, clock)
    lines = neutral(out.getvalue(), tmp_path).splitlines(keepends=True)
    timed = [line for line in lines if re.match(r"\d{4}-", line)]
    # A clock that jumps waits for no disk: when files end, in that time, is nobody's promise.
    about_files = [
        line
        for line in timed
        if line[len("2027-01-15T08:00:00Z ") :].startswith(("fetching", "whole"))
    ]
    assert "".join(line for line in timed if line not in about_files) == WATCHED
    fetched = sorted(
        (line[len("2027-01-15T08:00:00Z ") :] for line in about_files), key=product_type
    )
    assert fetched == sorted(FETCHED.splitlines(keepends=True), key=product_type)
    assert "".join(line for line in lines if line not in timed) == f"This is a test.\n{FOUND}"


async def told_to_programs(folder: Path) -> list[dict[str, Any]]:
    clock, out = VirtualClock(start=1_800_000_000.0), io.StringIO()
    await play(JsonScreen(time=clock.time, meter=clock.time, out=out), folder, clock)
    assert "Signature" not in out.getvalue()
    assert "http" not in out.getvalue()
    return [json.loads(line) for line in out.getvalue().splitlines()]


async def test_events_for_programs(tmp_path: Path) -> None:
    lines = await told_to_programs(tmp_path)
    names = [
        f"{line['event']}({line['answer']})" if "answer" in line else line["event"]
        for line in lines
        if not line["event"].startswith("transfer_")
    ]
    assert names == TOLD.split()
    report = lines[-1]
    assert (report["ok"], report["exit_code"], report["error"]) == (True, 0, None)
    assert report["answers"] == [404, 206, 200]
    for record in report["files"]:
        body = Path(record["path"]).read_bytes()
        assert (record["size"], record["sha256"]) == (len(body), sha256(body).hexdigest())


def documented() -> dict[str, set[str]]:
    """Event names and their fields, as the table in `json_lines` promises them."""
    _, _, table = (json_lines.__doc__ or "").partition("event                  its other")
    rows = re.sub(r"\n {10,}", " ", table).splitlines()
    found: dict[str, set[str]] = {}
    for row in rows:
        name, _, fields = row.partition(" ")
        if re.fullmatch(r"[a-z_]+", name):
            found[name] = set(re.findall(r"[a-z_0-9]+", re.sub(r"\(.*?\)", "", fields)))
    return found


REPORTS = {"report", "report_of_many", "report_of_files"}
NO_EVENTS = {"note", "found", "status", "task", "verified", *REPORTS}
FIVE = {"task_id", "derivative_id", "product_type", "asset_type", "ordinal"}


def promised(name: str) -> set[str]:
    """The fields of an event by the table."""
    fields = documented()[name]
    same = {"the", "same", "five"}
    return fields - same | FIVE if same <= fields else fields


async def test_each_line_has_the_fields_that_are_documented(tmp_path: Path) -> None:
    lines = await told_to_programs(tmp_path)
    for line in lines:
        assert {"event", "time", *promised(line["event"])} == set(line)
    seen = {line["event"] for line in lines}
    assert {"note", "found", "report"} < seen


async def test_each_event_has_its_place_in_the_table() -> None:
    lines = [json_lines.event_line(event) for event in ONE_OF_EACH]
    for line in lines:
        assert {"event", *promised(line["event"])} == set(line)
    assert {line["event"] for line in lines} == set(documented()) - NO_EVENTS


def test_the_last_line_of_many_tasks_has_a_name_and_fields_of_its_own() -> None:
    """What reads one task's report by its fields must not meet another's under the same name."""
    line = json_lines.many_report_line(["done"], {"lost": BROKEN}, [WHOLE], None)
    assert {"event", *promised("report_of_many")} == set(line)
    assert promised("report") != promised("report_of_many")
