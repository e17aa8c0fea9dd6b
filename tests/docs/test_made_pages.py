"""Are the pages and pictures that are made from the code what the code gives today?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import iceye_derivatives
from iceye_derivatives import errors
from iceye_derivatives._core.fleet import Reach

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

from generate import made  # noqa: E402  the script beside the pages

MADE = made()


@pytest.mark.parametrize("name", MADE)
def test_it_is_what_the_code_gives(name: str) -> None:
    """`python docs/generate.py` mends it."""
    assert (DOCS / name).read_text("utf-8") == MADE[name]


def test_every_error_has_its_row() -> None:
    page = MADE["reference/errors.md"]
    kinds = [n for n in errors.__all__ if isinstance(getattr(errors, n), type) and n != "Fault"]
    assert [name for name in kinds if page.count(f"`{name}` |") != 1] == []


def test_every_public_name_is_in_the_reference() -> None:
    listed = MADE["reference/api.md"].split()
    names = [name for name in iceye_derivatives.__all__ if not name.startswith("__")]
    assert [name for name in names if listed.count(name) != 1] == []


def test_the_reaches_of_a_fleets_task_are_the_codes() -> None:
    page = (DOCS / "explanation" / "state-machines.md").read_text("utf-8")
    assert [line.split()[1] for line in page.splitlines() if line.startswith("| ")][1:][1:] == [
        each.name for each in Reach
    ]
