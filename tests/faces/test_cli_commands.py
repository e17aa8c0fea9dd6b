"""Does each command do its work over loopback, and end with the code of its cause?"""

from __future__ import annotations

import json
import re
from inspect import signature
from pathlib import Path

import pytest
from cli_stage import READY, TYPES, WAITING, Stage

from iceye_derivatives import DerivativesClient, Downloader, Watch
from iceye_derivatives.cli import main
from iceye_derivatives.cli.app import commands
from iceye_derivatives.cli.session import bring_home
from iceye_derivatives.simulator import TaskPlan

HERE = ("--lat", "51.95", "--lon", "4.05")
NOBODY = "00000000-0000-4000-8000-000000000000"
Captured = pytest.CaptureFixture[str]


FOR_PROGRAMS = re.compile(r" \.[a-z]|the cause|watch=")
"""What nobody at a shell can look at."""


def files_in(folder: Path) -> list[Path]:
    """Every file but for journals."""
    found = (path for path in folder.rglob("*") if not path.name.startswith("."))
    return sorted(path for path in found if path.is_file())


def test_an_order_writes_nothing_but_its_id_to_stdout(stage: Stage, capsys: Captured) -> None:
    """So that ``task=$(iceye-derivatives order ...)`` works."""
    assert main(["order", *HERE]) == 0
    shown = capsys.readouterr()
    task_id = shown.out.strip()
    assert stage.simulator.world.get_task(task_id, now=stage.simulator.clock.time())
    assert shown.out == f"{task_id}\n"
    assert f"iceye-derivatives download {task_id} --to" in shown.err


def test_an_order_asks_for_all_that_its_options_say(stage: Stage, capsys: Captured) -> None:
    options = {
        "--mode": "SPOTLIGHT_FINE",
        "--product": "GRD",
        "--derivative": "vessels",
        "--priority": "BACKGROUND",
        "--sla": "SLA_24H",
        "--look-side": "LEFT",
        "--pass-direction": "ASCENDING",
        "--reference": "harbour-7",
    }
    flat = [part for option in options.items() for part in option]
    assert main(["order", *HERE, *flat, "--incidence", "20", "30", "--json"]) == 0
    line, report = map(json.loads, capsys.readouterr().out.splitlines())
    assert line["event"] == "ordered"
    assert (report["ok"], report["task_id"]) == (True, line["task_id"])
    assert line["reference"] == "harbour-7"
    assert line["derivative_product_types"] == ["DC_VESSELS"]
    now = stage.simulator.clock.time()
    task = stage.simulator.world.get_task(line["task_id"], now=now)
    assert task["imagingMode"] == "SPOTLIGHT_FINE"
    assert task["priority"] == "BACKGROUND"
    assert task["lookSide"] == "LEFT"
    assert task["incidenceAngle"] == {"min": 20, "max": 30}


def test_two_orders_have_two_references(stage: Stage, capsys: Captured) -> None:
    """A lost answer is looked up by the reference, so no two orders may share one."""
    references = set()
    for _ in range(2):
        assert main(["order", *HERE, "--json"]) == 0
        references.add(json.loads(capsys.readouterr().out.splitlines()[0])["reference"])
    assert len(references) == 2


def test_status_shows_the_task_and_its_derivatives(stage: Stage, capsys: Captured) -> None:
    task_id = stage.task()
    assert main(["status", task_id]) == 0
    shown = capsys.readouterr().out
    assert "status       DONE\n" in shown
    assert "derivatives  200 (complete)\n" in shown
    assert all(f"  {name:<13}" in shown for name in TYPES)
    assert main(["status", task_id, "--json"]) == 0
    line, report = map(json.loads, capsys.readouterr().out.splitlines())
    assert line["answer"] == 200
    assert {each["product_type"] for each in line["derivatives"]} == set(TYPES)
    assert (report["status"], report["answers"], report["missing"]) == ("DONE", [200], [])


def test_download_brings_whole_files_and_keeps_them(
    stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    task_id = stage.task()
    assert main(["download", task_id, "--to", str(tmp_path)]) == 0
    first = {path: path.read_bytes() for path in files_in(tmp_path)}
    assert len(first) == 3
    shown = capsys.readouterr().out
    assert shown.count(" whole: ") == 3
    assert shown.count("40 detections: ") == 3
    assert all(str(path) in shown for path in first)

    assert main(["download", task_id, "--to", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count(" kept: ") == 3
    assert {path: path.read_bytes() for path in files_in(tmp_path)} == first

    assert main(["download", task_id, "--to", str(tmp_path), "--overwrite"]) == 0
    assert capsys.readouterr().out.count(" whole: ") == 3


def test_watch_goes_on_from_its_state(stage: Stage, tmp_path: Path, capsys: Captured) -> None:
    task_id, state = stage.task(), tmp_path / "state.json"
    assert main(["watch", task_id, "--state", str(state)]) == 0
    assert capsys.readouterr().out.count(" is ready ") == 3
    assert len(Watch.from_json(state.read_text()).delivered) == 3
    assert files_in(tmp_path) == [state]

    assert main(["watch", task_id, "--state", str(state)]) == 0
    assert " is ready " not in capsys.readouterr().out

    assert main(["watch", stage.task(), "--state", str(state)]) == 2
    assert "name another file" in capsys.readouterr().err
    state.write_bytes(b"\xff{")
    assert main(["watch", task_id, "--state", str(state)]) == 2
    assert "holds no saved watch" in capsys.readouterr().err


def never(name: str) -> TaskPlan:
    return TaskPlan(
        accepted_after=0.0,
        imaged_after=0.0,
        fulfilled_after=0.0,
        derivative_delays={**READY.derivative_delays, name: float("inf")},
    )


def test_patience_that_is_used_up_keeps_what_came(
    stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    task_id = stage.task(never("DC_AIRCRAFT"))
    options = ["--max-interval", "5", "--timeout", "30", "--json"]
    assert main(["download", task_id, "--to", str(tmp_path), *options]) == 6
    shown = capsys.readouterr()
    report = json.loads(shown.out.splitlines()[-1])
    assert report["event"] == "report"
    assert (report["ok"], report["exit_code"]) == (False, 6)
    assert report["error"]["type"] == "WatchTimeoutError"
    assert [each["product_type"] for each in report["missing"]] == ["DC_AIRCRAFT"]
    assert len(report["files"]) == len(files_in(tmp_path)) == 2
    assert shown.err.endswith("run the same command again to go on\n")


@pytest.mark.parametrize(
    ("plan", "fields", "code", "words"),
    [
        (TaskPlan(accepted_after=0.0, outcome="REJECTED"), {}, 5, "is REJECTED"),
        (TaskPlan(accepted_after=0, outcome="FAILED", failed_after=0), {}, 5, "is FAILED"),
        (
            WAITING,
            {"derivative_product_types": ()},
            4,
            "name them with --derivative",
        ),
    ],
)
def test_a_task_that_will_bring_nothing_ends_with_its_code(  # noqa: PLR0917  a table's columns
    plan: TaskPlan,
    fields: dict[str, object],
    code: int,
    words: str,
    stage: Stage,
    tmp_path: Path,
    capsys: Captured,
) -> None:
    assert main(["download", stage.task(plan, **fields), "--to", str(tmp_path)]) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("command", ["watch", "download"])
def test_what_was_ordered_can_be_said_where_the_task_does_not_tell(
    command: str, number: int, stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    """It waits for them then: whether ICEYE echoes what was ordered is not documented."""
    ids = [stage.task(WAITING, derivative_product_types=()) for _ in range(number)]
    to = ["--to", str(tmp_path)] if command == "download" else []
    asked = ["--derivative", "vessels", "--derivative", "DC_NEW", "--timeout", "30", "--json"]
    assert main([command, *ids, *to, *asked]) == 6
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    errors = [report["error"]] if number == 1 else list(report["failed"].values())
    assert [error["type"] for error in errors] == ["WatchTimeoutError"] * number
    assert all("missing: DC_NEW, DC_VESSELS" in error["message"] for error in errors)


def test_a_watch_that_was_saved_is_told_what_was_ordered(
    stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    """Of one task or of many: the run before had not been told, and gave up."""
    ids = [stage.task(WAITING, derivative_product_types=()) for _ in range(2)]
    for each in (ids[:1], ids):
        command = ["watch", *each, "--state", str(tmp_path / f"{len(each)}.json")]
        assert main(command) in {4, 7}
        assert "lists no derivatives" in capsys.readouterr().err
        assert main([*command, "--derivative", "vessels", "--timeout", "30"]) in {6, 7}
        assert "missing: DC_VESSELS" in capsys.readouterr().err


def test_an_unknown_task_is_a_cause_of_its_own(stage: Stage, capsys: Captured) -> None:
    assert main(["status", NOBODY]) == 4
    assert NOBODY in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "times", "command", "code"),
    [
        ("unauthorized", 2, "watch", 3),
        ("forbidden", 1, "watch", 3),
        ("server_error", 60, "status", 8),
        ("cut_connection", 60, "status", 8),
        ("wrong_content", 60, "download", 7),
        ("refused_url", 60, "download", 7),
    ],
)
def test_a_fault_that_lasts_ends_with_its_code(  # noqa: PLR0917  a table's columns
    fault: str,
    times: int,
    command: str,
    code: int,
    stage: Stage,
    tmp_path: Path,
    capsys: Captured,
) -> None:
    task_id = stage.task()
    stage.simulator.faults.add(fault, times=times)
    to = ["--to", str(tmp_path)] if command == "download" else []
    assert main([command, task_id, *to]) == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert not FOR_PROGRAMS.search(error)
    assert "Traceback" not in error
    assert files_in(tmp_path) == []


def test_one_failed_file_does_not_stop_the_others(
    stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    """Complaint 17 (earthaccess-dev/earthaccess #481): the bar reaches 100% with files missing."""
    task_id = stage.task()
    stage.simulator.faults.add("wrong_content", times=None, path="vessel")
    stage.simulator.faults.add("wrong_content", times=None, path="DC_VESSELS")
    assert main(["download", task_id, "--to", str(tmp_path), "--json"]) == 7
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    failed = [each["product_type"] for each in report["files"] if "error" in each]
    assert failed == ["DC_VESSELS"]
    assert len(files_in(tmp_path)) == 2


def test_a_folder_that_is_a_file_is_a_wrong_use(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert main(["download", stage.task(), "--to", str(tmp_path / "file")]) == 2


def test_a_folder_below_a_file_is_the_disks_cause(
    stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "x"
    ids = [stage.task(WAITING), stage.task(WAITING)]
    asked = len(stage.simulator.requests)
    for each in (ids[:1], ids):
        assert main(["download", *each, "--to", str(place)]) == 9
        assert capsys.readouterr().err == f"{place}: Not a directory\n"
    assert len(stage.simulator.requests) == asked


def test_a_state_that_cannot_be_written_is_told_of_before_the_wait(
    stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    state = tmp_path / "nowhere" / "state.json"
    ids = [stage.task(WAITING), stage.task(WAITING)]
    asked = len(stage.simulator.requests)
    for each in (ids[:1], ids):
        assert main(["watch", *each, "--state", str(state)]) == 9
        assert capsys.readouterr().err == f"{state.parent}: No such file or directory\n"
    assert len(stage.simulator.requests) == asked


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["order", *HERE, "--contract", ""], "No contract to order on"),
        (["order", *HERE, "--mode", "SCAN"], "--no-check sends it all the same"),
        (["order", *HERE, "--mode", "SCAN", "--no-check"], "INCOMPATIBLE_IMAGING_MODE"),
        (["order", *HERE, "--start", "soon"], "is no moment like"),
        (["order", *HERE, "--start", "9999-12-31"], "would end beyond the calendar"),
        (["order"], "Missing option"),
        (["download", "x"], "Missing option '--to'"),
        (["download", "x", "--to", ""], "an empty name is no folder"),
        (["nonsense"], "No such command"),
        (["watch", "x", "--max-interval", "0"], "Invalid value"),
        (["simulate", "--fault", "nonsense"], "there is no fault 'nonsense'"),
    ],
)
def test_a_wrong_use_is_explained(
    arguments: list[str], words: str, stage: Stage, capsys: Captured
) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_missing_credentials_are_all_named(capsys: Captured) -> None:
    assert main(["status", NOBODY]) == 2
    error = capsys.readouterr().err
    for name in ("ICEYE_TOKEN_URL", "ICEYE_CLIENT_ID", "ICEYE_CLIENT_SECRET"):
        assert name in error


@pytest.mark.parametrize("command", ["", *commands.commands])
def test_help_fits_80_columns_and_offers_no_secret(command: str, capsys: Captured) -> None:
    assert main([*command.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "--client" not in shown
    assert "--token" not in shown


def test_as_many_links_are_open_from_a_shell_as_from_a_program(capsys: Captured) -> None:
    told = [DerivativesClient.download_task, Downloader, bring_home]
    (number,) = {signature(each).parameters["concurrency"].default for each in told}
    assert main(["download", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"Links that are open at a time. [default: {number};" in shown


def test_the_version_is_shown(capsys: Captured) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("iceye-derivatives, version ")


def test_a_scenario_file_that_is_none_is_refused_by_name(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "bad.toml").write_text("nonsense = 1")

    assert main(["simulate", "--scenario", str(tmp_path / "bad.toml")]) == 2
    assert "bad.toml" in capsys.readouterr().err
