"""Does the program behave on terminals as they are: with colours or without, and under a shell?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_stage import Stage
from terminal_stage import COLOURS, MOVES, on_a_terminal

from iceye_derivatives.cli import main


def test_a_terminal_sees_a_picture_that_moves_and_has_colours(stage: Stage, tmp_path: Path) -> None:
    text = on_a_terminal(["download", stage.task(), "--to", str(tmp_path)])
    assert MOVES in text
    assert COLOURS.search(text)


def test_without_colours_it_still_moves(stage: Stage, tmp_path: Path) -> None:
    text = on_a_terminal(["download", stage.task(), "--to", str(tmp_path)], NO_COLOR="1")
    assert MOVES in text
    assert not COLOURS.search(text)


def test_a_dumb_terminal_gets_lines(stage: Stage, tmp_path: Path) -> None:
    text = on_a_terminal(["download", stage.task(), "--to", str(tmp_path)], TERM="dumb")
    assert "\x1b" not in text
    assert text.count("whole:") == 3


def completed(shell: str, words: str, *, position: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ICEYE_DERIVATIVES_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv(
        "COMP_CWORD", words.rsplit(maxsplit=1)[-1] if shell == "fish" else str(position)
    )
    with pytest.raises(SystemExit):
        main([])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_told_the_commands_that_begin_so(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    completed(shell, "iceye-derivatives d", position=1, monkeypatch=monkeypatch)
    told = capsys.readouterr().out
    assert re.findall(r"\b(?:demo|download)\b(?=$|,|\t|\n)", told)[:2]
    assert "verify" not in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_told_a_commands_options(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    completed(shell, "iceye-derivatives download --t", position=2, monkeypatch=monkeypatch)
    told = capsys.readouterr().out
    assert "--to" in told
    assert "--timeout" in told
    assert "--json" not in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script_by_the_line_that_the_page_gives(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "terminal.md").read_text("utf-8")
    assert f"_ICEYE_DERIVATIVES_COMPLETE={shell}_source iceye-derivatives" in page
    monkeypatch.setenv("_ICEYE_DERIVATIVES_COMPLETE", f"{shell}_source")
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 0
    assert "_ICEYE_DERIVATIVES_COMPLETE" in capsys.readouterr().out


def test_bash_completes_with_what_it_is_given(tmp_path: Path) -> None:
    beside = str(Path(sys.executable).parent)
    script = """
        eval "$(_ICEYE_DERIVATIVES_COMPLETE=bash_source iceye-derivatives)"
        COMP_WORDS=(iceye-derivatives ver) COMP_CWORD=1
        _iceye_derivatives_completion iceye-derivatives
        echo "${COMPREPLY[@]}"
    """
    environ = os.environ | {"PATH": f"{beside}:{os.environ['PATH']}"}
    done = subprocess.run(  # noqa: S603  it is our own program
        ["bash", "-c", script],  # noqa: S607  whichever bash there is
        env=environ,
        capture_output=True,
        check=True,
    )
    assert done.stdout.split() == [b"verify"]
