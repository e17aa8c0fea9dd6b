"""Does the library do under each fault what ``docs/faults.md`` says?"""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_outcomes import HEAD, KNOWN, LASTING, LASTING_HEAD, PAGE, PATIENT, outcome_of

pytestmark = [pytest.mark.anyio, pytest.mark.once]

ONCE, _, LONG = PAGE.read_text("utf-8").removeprefix(HEAD).partition(LASTING_HEAD)
ROWS, LONG_ROWS = ONCE.splitlines(), LONG.splitlines()


@pytest.mark.parametrize("name", sorted(KNOWN))
async def test_the_table_says_what_happens(name: str, tmp_path: Path) -> None:
    row = (await outcome_of(KNOWN[name], tmp_path / "soon")).row(KNOWN[name])
    if row not in ROWS:  # a busy machine may have been taken for a silent server
        row = (await outcome_of(KNOWN[name], tmp_path / "later", PATIENT)).row(KNOWN[name])

    assert row in ROWS, "write the page anew: python tests/e2e/fault_outcomes.py"


@pytest.mark.parametrize("name", LASTING)
async def test_the_table_says_what_happens_when_it_lasts(name: str, tmp_path: Path) -> None:
    fault = KNOWN[name]
    row = (await outcome_of(fault, tmp_path / "soon", lasting=True)).short_row(name)
    if row not in LONG_ROWS:
        row = (await outcome_of(fault, tmp_path / "later", PATIENT, lasting=True)).short_row(name)

    assert row in LONG_ROWS, "write the page anew: python tests/e2e/fault_outcomes.py"


def test_the_table_has_every_fault_and_no_other() -> None:
    assert len(ROWS) == len(KNOWN)
    assert len(LONG_ROWS) == len(LASTING)
