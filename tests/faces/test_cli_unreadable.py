"""Does a shell's user see what cannot be read, and get all the rest?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_stage import TYPES, Stage

from iceye_derivatives.cli import main

Captured = pytest.CaptureFixture[str]
WAITS = ("--timeout", "60", "--max-interval", "5")


def spoilt(stage: Stage, *, times: int | None = None, field: str = "href") -> str:
    """A task of three derivatives, one of which cannot be read."""
    stage.simulator.faults.add(
        "unreadable_derivative", times=times, field=field, product_type="DC_VESSELS"
    )
    return stage.task(derivative_product_types=TYPES)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name.partition("_")[2][:4] for path in folder.rglob("*.geojson"))


@pytest.mark.parametrize("field", ["href", "id", "derivative"])
def test_a_download_brings_the_others_and_says_what_is_missing(
    field: str, stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    task_id = spoilt(stage, field=field)

    assert main(["download", task_id, "--to", str(tmp_path), *WAITS]) == 6

    shown = capsys.readouterr()
    assert files_in(tmp_path) == ["AIRC", "VEHI"]
    assert shown.out.count("cannot be read: data[") == 1
    assert "206, 2 of 2 are ready, 1 cannot be read" in shown.out
    assert "cannot be read: data[" in shown.err
    assert not [secret for secret in stage.secrets() if secret in shown.out + shown.err]


def test_what_is_mended_is_fetched(stage: Stage, tmp_path: Path, capsys: Captured) -> None:
    task_id = spoilt(stage, times=2)

    assert main(["download", task_id, "--to", str(tmp_path)]) == 0

    assert len(files_in(tmp_path)) == 3
    assert capsys.readouterr().out.count("cannot be read: data[") == 1


def test_programs_get_what_cannot_be_read_with_its_names(stage: Stage, capsys: Captured) -> None:
    task_id = spoilt(stage)

    assert main(["watch", task_id, "--json", *WAITS]) == 6

    text = capsys.readouterr().out
    lines = [json.loads(line) for line in text.splitlines()]
    (told,) = (line for line in lines if line["event"] == "unreadable")
    (fault,) = told["unreadable"]
    assert (fault["field"], fault["problem"]) == ("assets[0].href", "is not a string")
    assert fault["product_type"] == "DC_VESSELS"
    assert lines[-1]["unreadable"] == [fault]
    assert {line["faulty"] for line in lines if line["event"] == "snapshot"} == {1}
    assert "Signature" not in text


@pytest.mark.parametrize(
    ("field", "whose", "product_type"),
    [
        ("href", "its own", "DC_VESSELS"),
        ("id", None, "DC_VESSELS"),
        ("derivativeProductType", "its own", None),
        ("derivative", None, None),
    ],
)
def test_what_is_missing_is_as_much_as_is_known_of_it(
    field: str, whose: str | None, product_type: str | None, stage: Stage, capsys: Captured
) -> None:
    task_id = spoilt(stage, field=field)

    ordered = [word for name in TYPES for word in ("--derivative", name)]
    assert main(["watch", task_id, *ordered, "--json", "--timeout", "1"]) == 6

    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    (fault,) = report["unreadable"]
    assert (fault["derivative_id"] is not None, fault["product_type"]) == (
        whose is not None,
        product_type,
    )
    # By its type at least, which was ordered and is not listed.
    known = fault["derivative_id"] if product_type else None
    assert report["missing"] == [{"derivative_id": known, "product_type": "DC_VESSELS"}]


def test_a_run_that_goes_on_tells_it_no_second_time_but_in_its_report(
    stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    task_id, state = spoilt(stage), str(tmp_path / "state.json")
    runs: list[list[dict[str, Any]]] = []
    for _ in range(2):
        assert main(["watch", task_id, "--state", state, "--json", *WAITS]) == 6
        runs.append([json.loads(line) for line in capsys.readouterr().out.splitlines()])

    told = [[line["event"] for line in run].count("unreadable") for run in runs]
    assert told == [1, 0]
    assert [len(run[-1]["unreadable"]) for run in runs] == [1, 1]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_run_over_many_tells_it_once(
    form: tuple[str, ...], stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    bad, good = spoilt(stage), stage.task(derivative_product_types=TYPES[:1])

    assert main(["download", bad, good, "--to", str(tmp_path), *WAITS, *form]) == 6

    shown = capsys.readouterr()
    lines = [line for line in shown.out.splitlines() if bad in line]
    assert (
        sum(
            '"event": "unreadable"' in line or "cannot be read: data[" in line
            for line in lines
            if '"report' not in line and "failed" not in line
        )
        == 1
    )
    assert len(files_in(tmp_path)) == 3
    assert "cannot be read: data[" in shown.err


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_status_shows_it(form: tuple[str, ...], stage: Stage, capsys: Captured) -> None:
    task_id = spoilt(stage)

    assert main(["status", task_id, *form]) == 0

    shown = capsys.readouterr().out
    if form:
        line, report = map(json.loads, shown.splitlines())
        assert line["unreadable"] == report["unreadable"]
        assert len(line["derivatives"]) == 2
    else:
        assert "derivatives  206 (partial)" in shown
        assert "  cannot be read: data[" in shown
