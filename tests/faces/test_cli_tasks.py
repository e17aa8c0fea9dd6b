"""Can what was ordered be found again, and called off?"""

from __future__ import annotations

import json

import pytest
from cli_stage import READY, WAITING, Stage
from terminal_stage import on_a_terminal

from iceye_derivatives.cli import main
from iceye_derivatives.cli.exit_codes import Interrupted
from iceye_derivatives.simulator import RecordedRequest

Captured = pytest.CaptureFixture[str]
HERE = ("--lat", "51.95", "--lon", "4.05")


def lines(capsys: Captured) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def listings(stage: Stage, begin: int) -> list[RecordedRequest]:
    """What was asked of the API since then."""
    return [each for each in list(stage.simulator.requests)[begin:] if each.side == "api"]


def test_tasks_are_listed_newest_first_and_no_more_than_asked_for(
    stage: Stage, capsys: Captured
) -> None:
    ids = [stage.task() for _ in range(12)]

    assert main(["tasks", "--limit", "11"]) == 0

    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines()] == ids[:0:-1]
    assert all(line.split()[1] == "DONE" for line in shown.out.splitlines())
    assert shown.err == "The newest 11 tasks: --limit looks for more\n"


def test_no_more_is_asked_for_than_the_newest_need(stage: Stage, capsys: Captured) -> None:
    """In which order the API lists tasks is not documented, so a day is read, and not a month."""
    now, add = stage.simulator.clock.time(), stage.simulator.world.add_task
    old = [add(now=now - days * 86_400.0) for days in (6, 5, 4, 3, 2)]
    new = [stage.task() for _ in range(3)]
    asked = len(stage.simulator.requests)

    assert main(["tasks", "--limit", "2"]) == 0
    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines()] == new[:0:-1]
    assert len(listings(stage, asked)) == 1

    assert main(["tasks", "--limit", "9"]) == 0
    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines()] == [*new[::-1], *old[::-1]]
    assert shown.err == ""


def test_a_terminal_sees_how_far_a_long_search_is(
    stage: Stage, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a line that is gone before anything else is written."""
    stage.task(reference="harbour 7")
    for _ in range(120):
        stage.task()
    counted = "\r\x1b[K50 tasks read\r\x1b[K100 tasks read\r\x1b[K"

    found = ["tasks", "--reference", "harbour 7"]
    _, _, rest = on_a_terminal(found).partition(counted)
    assert rest.endswith("harbour 7\r\n")
    _, _, rest = on_a_terminal(["tasks", "--reference", "harbour 8"]).partition(counted)
    assert rest.startswith("No task with the reference harbour 8 was ordered")

    assert "\x1b" not in on_a_terminal(found, TERM="dumb")
    monkeypatch.setenv("TERM", "xterm")
    assert main(found) == 0
    assert capsys.readouterr().err == ""


def test_an_order_is_found_by_its_reference(stage: Stage, capsys: Captured) -> None:
    """As whoever lost the answer to it has to, before ordering again."""
    stage.task()
    assert main(["order", *HERE, "--reference", "harbour 7"]) == 0
    task_id = capsys.readouterr().out.strip()

    assert main(["tasks", "--reference", "harbour 7"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{task_id}  DONE  ")
    assert line.endswith("Z  harbour 7")

    assert main(["tasks", "--reference", "harbour 7", "--json"]) == 0
    told, report = lines(capsys)
    assert (told["event"], told["task_id"], told["reference"]) == ("task", task_id, "harbour 7")
    assert (report["event"], report["ok"]) == ("report", True)

    assert main(["tasks", "--reference", "harbour 8"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "No task with the reference harbour 8 was ordered in the last 30 days\n"


def test_who_looks_back_less_far_sees_fewer(stage: Stage, capsys: Captured) -> None:
    now = stage.simulator.clock.time()
    stage.simulator.world.add_task(now=now - 3 * 86_400.0)
    late = stage.task()
    assert main(["tasks", "--days", "2"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [late]


def test_tasks_are_canceled_one_by_one_and_twice_is_no_failure(
    stage: Stage, capsys: Captured
) -> None:
    ids = [stage.task(WAITING), stage.task(WAITING)]
    assert main(["cancel", *ids]) == 0
    shown = capsys.readouterr().out
    assert all(f" {task_id} is CANCELED\n" in shown for task_id in ids)
    assert main(["cancel", ids[0], "--json"]) == 0
    told, report = lines(capsys)
    assert (told["event"], told["status"]) == ("task_status", "CANCELED")
    assert (report["event"], report["finished"]) == ("report_of_many", [ids[0]])
    assert main(["status", ids[1]]) == 0
    assert "CANCELED" in capsys.readouterr().out


def test_one_that_cannot_be_canceled_does_not_stop_the_others(
    stage: Stage, capsys: Captured
) -> None:
    past, waiting = stage.task(READY), stage.task(WAITING)
    assert main(["cancel", past, waiting]) == 7
    shown = capsys.readouterr()
    assert f"{past} was not canceled: " in shown.out
    assert f"{waiting} is CANCELED" in shown.out
    assert shown.err.startswith(f"1 of 2 tasks failed; the first: {past}: ")


def test_a_refusal_of_the_only_one_decides_the_exit_code(stage: Stage, capsys: Captured) -> None:
    past = stage.task(READY)
    assert main(["cancel", past]) == 2
    assert capsys.readouterr().out == ""
    assert main(["cancel", "nobody"]) == 4


def test_a_refused_token_ends_it_at_once(stage: Stage, capsys: Captured) -> None:
    stage.simulator.faults.add("unauthorized", times=None)
    asked = len(stage.simulator.requests)
    assert main(["cancel", stage.task(WAITING), stage.task(WAITING)]) == 3
    deleted = [r for r in list(stage.simulator.requests)[asked:] if r.method == "DELETE"]
    assert len({r.path for r in deleted}) <= 1
    assert "failed" not in capsys.readouterr().err.split(":")[0]


def test_a_cancellation_that_is_interrupted_says_how_far_it_came(
    stage: Stage, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise Interrupted

    monkeypatch.setattr("iceye_derivatives.cli.cancel.run", interrupted)
    assert main(["cancel", "one", "two"]) == 130
    told = "Interrupted. 0 of 2 tasks canceled, and one more may be: `status` tells\n"
    assert capsys.readouterr().err == told
