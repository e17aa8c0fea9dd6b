"""Is what there is named on the page that lists it?"""

from __future__ import annotations

import re
from pathlib import Path

from iceye_derivatives.cli.app import EPILOG

ROOT = Path(__file__).parents[2]


def test_the_readme_sets_each_variable_that_the_command_line_reads() -> None:
    """But for the ready token, which takes the place of three of them."""
    read = set(re.findall(r"ICEYE_[A-Z_]+", EPILOG)) - {"ICEYE_ACCESS_TOKEN"}
    assert len(read) == 5
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert {name for block in blocks for name in re.findall(r"(ICEYE_[A-Z_]+)=", block)} == read


def test_the_list_of_decisions_has_each_number_once_and_each_file() -> None:
    folder = ROOT / "docs" / "decisions"
    lines = re.findall(r"^\* .*", (folder / "README.md").read_text("utf-8"), re.MULTILINE)
    numbers = [re.findall(r"\d{4}", line)[0] for line in lines]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    named = {file for line in lines for file in re.findall(r"\((.*)\)", line)}
    assert named == {path.name for path in folder.glob("[0-9]*.md")}
