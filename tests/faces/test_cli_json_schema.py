"""Does each line that `--json` writes satisfy the schema that the reference shows?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_stage import BROKEN, ONE_OF_EACH, WHOLE, Stage
from jsonschema import Draft202012Validator, ValidationError

from iceye_derivatives.cli import app, json_lines, main

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "json-lines.schema.json"
SCHEMA = json.loads(PAGE.read_text("utf-8"))
LINE = Draft202012Validator(SCHEMA)
TIME = {"time": "2026-11-25T08:00:00Z"}


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_every_kind_of_event(event: Any) -> None:
    LINE.validate(json.loads(json.dumps(json_lines.event_line(event) | TIME)))


def test_the_last_line_of_many() -> None:
    line = json_lines.many_report_line(["done"], {"lost": BROKEN}, [WHOLE], BROKEN)
    LINE.validate(line | TIME)


def test_a_whole_download(stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["download", stage.task(), "--to", str(tmp_path), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for line in lines:
        LINE.validate(line)
    assert {"derivative_ready", "transfer_finished", "report"} <= {line["event"] for line in lines}


def test_an_order_that_fails_before_there_is_a_task(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["download", "no-such-task", "--to", str(tmp_path), "--json", "--timeout", "0"])
    for line in capsys.readouterr().out.splitlines():
        LINE.validate(json.loads(line))


HERE = ("--lat", "51.95", "--lon", "4.05")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines that were written, each by the schema."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for line in lines:
        LINE.validate(line)
    return lines


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["order", *HERE], 0),
        (["order", *HERE, "--derivative", "DC_TANKS"], 2),
        (["order", *HERE, "--contract", ""], 2),
        (["order", "--lat", "51.95"], 2),
        (["order", *HERE, "--start", "tomorrow"], 2),
        (["status", "TASK"], 0),
        (["status", "nobody"], 4),
        (["tasks"], 0),
        (["tasks", "--limit", "0"], 2),
        (["cancel", "nobody"], 4),
        (["cancel"], 2),
        (["watch", "TASK"], 0),
        (["watch", "TASK", "TASK", "nobody", "--timeout", "0"], 6),
        (["watch", "TASK", "--state", "bad.json"], 2),
        (["watch", "TASK", "other", "--state", "bad.json"], 2),
        (["watch"], 2),
        (["watch", "--ids-from", "nowhere.txt"], 2),
        (["download", "TASK", "--to", "there"], 0),
        (["download", "TASK", "--to", "ftp://there"], 2),
        (["download", "TASK"], 2),
        (["verify", "."], 7),
        (["verify", "nowhere"], 2),
        (["verify", "s3:///"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_the_last_line_is_a_report_however_it_ended(
    command: list[str],
    code: int,
    stage: Stage,
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (here / "bad.json").write_text("no state")
    task_id = stage.task()
    assert main([task_id if word == "TASK" else word for word in command] + ["--json"]) == code
    *others, last = told(capsys)
    assert (last["ok"], last["exit_code"]) == (code == 0, code)
    assert last["event"].startswith("report")
    assert [line["event"] for line in others if line["event"].startswith("report")] == []


def test_it_is_one_also_where_the_program_is_interrupted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app.status, "callback", interrupt)
    assert main(["status", "x", "--json"]) == 130
    (last,) = told(capsys)
    assert (last["event"], last["exit_code"]) == ("report", 130)


@pytest.mark.parametrize("field", ["event", "time", "task_id", "sha256"])
def test_a_field_that_is_missing_or_not_documented_is_noticed(field: str) -> None:
    event = next(e for e in ONE_OF_EACH if type(e).__name__ == "TransferFinished")
    line = json_lines.event_line(event) | TIME
    LINE.validate(line)
    for wrong in ({k: v for k, v in line.items() if k != field}, line | {"href": "https://x"}):
        with pytest.raises(ValidationError):
            LINE.validate(wrong)
