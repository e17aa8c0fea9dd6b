"""Does what the how-tos on detections and maps show run as shown?"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from geo_files import TASK, collection, feature, write

from iceye_derivatives.cli import main

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
PAGES = ("detections.md", "map.md")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder called ``detections``, as the pages have it."""
    sure = {"class": "tug", "confidence": 0.9, "kind": "tug", "likelihood": 0.4}
    write(tmp_path / "detections" / TASK, collection(feature(4, 52, **sure)))
    monkeypatch.chdir(tmp_path)


def blocks(page: str, language: str) -> list[str]:
    text = (HOW_TO / page).read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_commands(page: str) -> None:
    lines = "".join(blocks(page, "sh")).splitlines()
    commands = [shlex.split(line, comments=True) for line in lines]
    ours = [words[1:] for words in commands if words[0] == "iceye-derivatives"]
    assert len(ours) >= 2
    for words in ours:
        assert main([word for word in words if word != "--open"]) == 0


@pytest.mark.parametrize("page", PAGES)
def test_the_programs(page: str) -> None:
    names: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), names)  # noqa: S102  it is our own text
    assert names
