"""Can what a server or a file calls things act on the terminal, or begin a line of its own?"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from cli_stage import ONE_OF_EACH, TYPES, Stage
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console
from terminal_stage import on_a_terminal

from iceye_derivatives import NetworkError
from iceye_derivatives._lapse import TimeLapse
from iceye_derivatives._visible import visible
from iceye_derivatives.cli import main
from iceye_derivatives.cli.crowd import ManyLive
from iceye_derivatives.cli.findings import Found
from iceye_derivatives.cli.live import LiveScreen
from iceye_derivatives.cli.many import ManyAsPlain
from iceye_derivatives.cli.screens import PlainScreen, Screen

HOSTILE = "esca\r\n\x1b[31m\x7fped"
"""What the simulator's `hostile_…` faults of the kind "control" say."""
NOW = 1_800_000_000.0
FAULTS = ("hostile_id", "hostile_type", "hostile_asset_type")


class Still(TimeLapse):
    """A clock that stands."""

    def time(self) -> float:
        return NOW


def calling_all(value: Any, name: str) -> Any:
    """The same event of a server that calls everything by that name."""
    if type(value) is str:
        return name
    if isinstance(value, BaseException):
        return NetworkError(name)
    if isinstance(value, tuple):
        return tuple(calling_all(each, name) for each in value)
    if not attrs.has(type(value)):
        return value
    fields = [each for each in attrs.fields(type(value)) if each.init and each.name != "sha256"]
    changed = {each.alias: calling_all(getattr(value, each.name), name) for each in fields}
    return attrs.evolve(value, **changed)


def seen(kind: str, name: str) -> str:
    """All that a screen writes of every kind of event, where all has that name."""
    out = io.StringIO()
    console = Console(file=out, width=4000, color_system=None, legacy_windows=False)
    screen: Screen = {
        "plain": lambda: PlainScreen(time=lambda: NOW, out=out),
        "many": lambda: ManyAsPlain(Still(fast=1.0)),
        "live": lambda: LiveScreen(time=lambda: NOW, meter=lambda: 0.0, console=console),
        "crowd": lambda: ManyLive(Still(fast=1.0), total=1, console=console),
    }[kind]()
    if isinstance(screen, PlainScreen):
        screen._out = out
    with screen:
        for event in ONE_OF_EACH:
            screen.on_event(calling_all(event, name))
        screen.note(name)
        record = calling_all(ONE_OF_EACH[-2], name).record
        screen.found(Found(record=record, detections=1, classes={name: 1}))
    return out.getvalue()


@pytest.mark.parametrize("kind", ["plain", "many", "live", "crowd"])
@given(name=st.text().filter(lambda name: "/" not in name))
@example(HOSTILE)
@example("\x1b]0;title\a")
@example("[bold red]escaped[/] [/]")
def test_a_screen_shows_any_name_as_text(kind: str, name: str) -> None:
    """Law: a screen writes of a name what it writes of the same name with all acts spelt out."""
    assert seen(kind, name) == seen(kind, visible(name))


@pytest.mark.parametrize("kind", ["plain", "many", "live", "crowd"])
def test_and_what_it_writes_of_spelt_names_does_nothing(kind: str) -> None:
    assert "esca\\r\\n\\x1b[31m" in seen(kind, HOSTILE)
    assert [line for line in seen(kind, HOSTILE).split("\n") if visible(line) != line] == []


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("command", ["watch", "download", "status"])
def test_hostile_names_come_through_no_command(
    command: str, number: int, stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if command == "status" and number > 1:
        return
    ids = [stage.task(derivative_product_types=TYPES) for _ in range(number)]
    for fault in FAULTS:
        stage.simulator.faults.add(fault, kind="control", times=99)
    folder = ["--to", str(tmp_path)] if command == "download" else []
    waits = [] if command == "status" else ["--timeout", "30", "--max-interval", "5"]
    main([command, *ids, *folder, *waits])
    shown = capsys.readouterr()
    assert "esca\\r\\n\\x1b[31m" in shown.out
    for line in (shown.out + shown.err).split("\n"):
        assert visible(line) == line
        assert not line.startswith("ped")


def test_hostile_names_do_nothing_on_a_terminal(stage: Stage, tmp_path: Path) -> None:
    for fault in FAULTS:
        stage.simulator.faults.add(fault, kind="control", times=99)
    task_id = stage.task(derivative_product_types=TYPES[:1])
    seen = on_a_terminal(["status", task_id])
    assert "esca\\r\\n\\x1b[31m\\x7fped" in seen
    assert "\x1b[31m\x7f" not in seen


def test_nor_do_those_in_an_error_or_in_a_file(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", HOSTILE]) != 0
    folder = tmp_path / HOSTILE.replace("\x7f", "")
    folder.mkdir()
    (folder / "a\x1b[2J.geojson").write_text("{}")
    assert main(["verify", str(folder)]) == 7
    shown = capsys.readouterr()
    assert [line for line in (shown.out + shown.err).split("\n") if visible(line) != line] == []


def test_programs_get_the_names_as_they_are(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON escapes by itself."""
    stage.simulator.faults.add("hostile_id", kind="control", times=99)
    assert main(["status", stage.task(), "--json"]) == 0
    text = capsys.readouterr().out.splitlines()[0]
    assert visible(text) == text
    assert HOSTILE in {each["derivative_id"] for each in json.loads(text)["derivatives"]}
