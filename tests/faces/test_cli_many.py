"""Do `watch` and `download` take many tasks, and tell by their end how it went?"""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from attrs import evolve
from cli_stage import AT_ONCE, BROKEN, TASK, TYPES, WHOLE, Stage, ref

from iceye_derivatives import (
    ContentError,
    DownloadError,
    FleetState,
    StorageError,
    TransferFailed,
    WatchFailed,
)
from iceye_derivatives.cli import main
from iceye_derivatives.cli.exit_codes import SomeTasksFailed, exit_code
from iceye_derivatives.cli.sentences import sentence
from iceye_derivatives.cli.tally import Tally
from iceye_derivatives.simulator import TaskPlan

REJECTED = TaskPlan(accepted_after=0.0, outcome="REJECTED")
LATE = TaskPlan(
    accepted_after=0.0,
    imaged_after=0.0,
    fulfilled_after=0.0,
    derivative_delays={**AT_ONCE, TYPES[0]: float("inf")},
)
Captured = pytest.CaptureFixture[str]


def lines(capsys: Captured) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_many_tasks_are_watched_at_once_each_line_with_its_id(
    stage: Stage, capsys: Captured
) -> None:
    ids = [stage.task() for _ in range(3)]

    assert main(["watch", *ids]) == 0

    shown = capsys.readouterr().out
    for task_id in ids:
        assert shown.count(f"{task_id} DC_") == len(TYPES)
        assert f"{task_id} 3 derivatives came, none is missing" in shown


def test_ids_come_from_a_file_or_from_stdin(
    stage: Stage, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = stage.task(), stage.task()
    listed = tmp_path / "ids.txt"
    listed.write_text(f"{one}\n\n{one}\n", "utf-8")

    assert main(["watch", two, "--ids-from", str(listed), "--json"]) == 0
    assert set(lines(capsys)[-1]["finished"]) == {one, two}

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{two}\n".encode())))
    assert main(["watch", "--ids-from", "-", "--json"]) == 0
    assert lines(capsys)[-1]["finished"] == [two]


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_what_is_no_id_in_a_file_of_them_is_passed_over(
    source: str, stage: Stage, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Remarks, and the mark of a byte order that editors write on Windows."""
    one, two = stage.task(), stage.task()
    body = f"\ufeff{one} # the harbour\r\n# later:\r\n{two}\r\n".encode()
    listed = tmp_path / "ids.txt"
    listed.write_bytes(body)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(body)))
    name = str(listed) if source == "file" else "-"
    assert main(["watch", "--ids-from", name, "--json"]) == 0
    assert set(lines(capsys)[-1]["finished"]) == {one, two}


def test_a_file_of_ids_in_another_encoding_is_told_in_a_sentence(
    capsys: Captured, tmp_path: Path
) -> None:
    listed = tmp_path / "ids.txt"
    listed.write_text("one\ntwo\n", "utf-16")
    assert main(["watch", "--ids-from", str(listed)]) == 2
    assert f"The task ids in {listed} are not written in UTF-8" in capsys.readouterr().err


def test_without_any_id_the_usage_is_told(stage: Stage, capsys: Captured) -> None:
    assert main(["watch"]) == 2
    assert "--ids-from" in capsys.readouterr().err


def test_a_task_that_failed_shows_in_the_report_and_in_the_exit_code(
    stage: Stage, capsys: Captured
) -> None:
    good, bad = stage.task(), stage.task(REJECTED)

    assert main(["watch", good, bad, "--json"]) == 7

    told = lines(capsys)
    report = told[-1]
    assert (report["ok"], report["exit_code"], report["finished"]) == (False, 7, [good])
    assert report["failed"][bad]["type"] == "TaskEndedError"
    assert Counter(line["event"] for line in told)["watch_failed"] == 1


def test_a_saved_fleet_goes_on_and_shows_nothing_twice(
    stage: Stage, capsys: Captured, tmp_path: Path
) -> None:
    """Neither of a task that has finished nor of one that was given up half way."""
    state = str(tmp_path / "fleet.json")
    whole, half = stage.task(), stage.task(LATE)
    command = ["watch", whole, half, "--state", state, "--timeout", "30", "--max-interval", "5"]
    assert main(command) == 6
    assert capsys.readouterr().out.count(" is ready ") == 2 * len(TYPES) - 1

    assert main([*command, "--json"]) == 6

    told = lines(capsys)
    assert Counter(line["event"] for line in told)["derivative_ready"] == 0
    assert told[-1]["finished"] == [whole]
    assert set(told[-1]["failed"]) == {half}


def test_a_task_that_is_refused_half_way_goes_on_where_it_was(
    stage: Stage, capsys: Captured, tmp_path: Path
) -> None:
    """The refusal is no word of the watch, so no error of it carries the watch along."""
    state, half = tmp_path / "fleet.json", stage.task(LATE)
    command = ["watch", half, stage.task(), "--state", str(state), "--max-interval", "5"]
    stage.simulator.faults.add("forbidden", path=f"{half}/derivatives", skip=1)
    assert main(command) == 7
    assert capsys.readouterr().out.count(" is ready ") == 2 * len(TYPES) - 1

    assert main([*command, "--timeout", "30", "--json"]) == 6

    told = lines(capsys)
    assert Counter(line["event"] for line in told)["derivative_ready"] == 0
    assert set(told[-1]["failed"]) == {half}


def test_an_id_that_was_a_slip_is_not_kept_by_the_file(
    stage: Stage, capsys: Captured, tmp_path: Path
) -> None:
    state, here = str(tmp_path / "fleet.json"), stage.task()
    assert main(["watch", here, "nobody", "--state", state]) == 7
    capsys.readouterr()
    assert main(["watch", here, stage.task(), "--state", state]) == 0


def test_tasks_that_finished_are_told_and_not_looked_at_again(
    stage: Stage, capsys: Captured, tmp_path: Path
) -> None:
    command = ["watch", stage.task(), stage.task(), "--state", str(tmp_path / "fleet.json")]
    assert main(command) == 0
    capsys.readouterr()
    asked = len(stage.simulator.requests)

    assert main(command) == 0

    said = ["2 tasks finished in an earlier run", "2 of 2 tasks complete"]
    assert capsys.readouterr().out.splitlines() == said
    assert len(stage.simulator.requests) == asked


def test_many_that_ran_out_of_patience_end_as_one_does(stage: Stage, capsys: Captured) -> None:
    """A script that runs it again on 6 need not know how many there are."""
    one, two, lost = stage.task(LATE), stage.task(LATE), stage.task(REJECTED)
    patience = ["--timeout", "30", "--max-interval", "5"]
    assert main(["watch", one, *patience]) == 6
    assert main(["watch", one, stage.task(), *patience]) == 6
    assert main(["watch", one, two, *patience]) == 6
    assert "2 of 2 tasks ran late; the first: " in capsys.readouterr().err
    assert main(["watch", one, lost, *patience]) == 7


def test_many_tasks_are_summed_up_at_the_end(
    stage: Stage, capsys: Captured, tmp_path: Path
) -> None:
    """Also where some failed: then the sentence on stderr tells of those."""
    good, bad = stage.task(), stage.task(REJECTED)
    assert main(["watch", good, bad]) == 7
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 2 tasks complete"
    assert main(["download", good, bad, "--to", str(tmp_path)]) == 7
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("1 of 2 tasks complete, 3 files (")
    assert last.endswith(f") whole in {tmp_path}")


def test_a_file_that_holds_no_fleet_is_refused_by_name(
    stage: Stage, capsys: Captured, tmp_path: Path
) -> None:
    state = tmp_path / "fleet.json"
    for text in (b"no fleet", b"\xff{", b'{"ended": 7,\n' + FleetState().to_json()[1:].encode()):
        state.write_bytes(text)
        assert main(["watch", "one", "two", "--state", str(state)]) == 2
        assert f"{state} holds no saved fleet" in capsys.readouterr().err


def test_many_tasks_come_home_into_one_folder(
    stage: Stage, capsys: Captured, tmp_path: Path
) -> None:
    ids = [stage.task(), stage.task(), stage.task(REJECTED)]

    assert main(["download", *ids, "--to", str(tmp_path), "--json"]) == 7

    report = lines(capsys)[-1]
    files = {Path(file["path"]) for file in report["files"]}
    assert len(files) == 2 * len(TYPES)
    assert files == {path for path in tmp_path.rglob("*.geojson") if not path.name.startswith(".")}
    assert main(["download", *ids[:2], "--to", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("kept: ") == 2 * len(TYPES)


@pytest.mark.parametrize("number", [1, 2])
def test_a_catalogue_is_made_however_many_tasks_there_are(
    number: int, stage: Stage, tmp_path: Path
) -> None:
    ids = [stage.task() for _ in range(number)]

    assert main(["download", *ids, "--to", str(tmp_path), "--stac"]) == 0

    described = {path.parent.name for path in tmp_path.rglob("item.json")}
    assert described == set(ids)
    assert {path.name for path in tmp_path.glob("*.json")} == {"catalog.json", "collection.json"}


def test_files_that_failed_are_told_beside_tasks_that_did(
    stage: Stage, capsys: Captured, tmp_path: Path
) -> None:
    """Not "the others are done" where nothing came home."""
    stage.simulator.faults.add("wrong_content", times=None)
    ids = [stage.task(), stage.task(REJECTED)]

    assert main(["download", *ids, "--to", str(tmp_path)]) == 7

    told = capsys.readouterr().err
    assert told.startswith(f"1 of 2 tasks failed; the first: {ids[1]}: ")
    assert "; 3 of 3 files failed" in told


@pytest.mark.parametrize(("kind", "code"), [(ContentError, 7), (StorageError, 9)])
def test_a_disk_that_failed_decides_the_code_whatever_else_did(
    kind: type[DownloadError], code: int
) -> None:
    tally = Tally()
    tally.note(WatchFailed(task_id=TASK, error=BROKEN))
    error = kind("No.", asset=ref(1))
    tally.note(TransferFailed(record=evolve(WHOLE, path=None, sha256=None, error=error)))

    with pytest.raises(SomeTasksFailed) as failed:
        tally.conclude()

    assert exit_code(failed.value) == code
    assert sentence(failed.value).startswith(
        f"1 of 1 tasks failed; the first: {TASK}: It broke.; 1 of 1 files failed"
    )
