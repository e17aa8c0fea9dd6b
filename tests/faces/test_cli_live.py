"""Does the live picture show what counts, at any width, on any terminal, and keep moving?"""

from __future__ import annotations

import io
from functools import reduce

import pytest
from cli_stage import FAULT, NAMELESS, ref
from rich.console import Console

from iceye_derivatives import (
    Availability,
    NetworkError,
    PollFailed,
    SnapshotReceived,
    TaskStatusReceived,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
    Waiting,
    WatchFinished,
)
from iceye_derivatives.cli.board import Awaited, Board, BoardEvent, Expected, fold
from iceye_derivatives.cli.live import LiveScreen, Picture

TASK = "32832860-418c-4b84-ba70-0b9dfba75473"
NOW = 1_800_000_000.0
HISTORY: tuple[BoardEvent, ...] = (
    TaskStatusReceived(task_id=TASK, status="ACTIVE"),
    TaskStatusReceived(task_id=TASK, status="FULFILLED"),
    SnapshotReceived(task_id=TASK, availability=Availability.NONE, ready=0, listed=0),
    SnapshotReceived(task_id=TASK, availability=Availability.PARTIAL, ready=1, listed=2),
    Expected(task_id=TASK, missing=(Awaited(product_type="DC_AIRCRAFT", derivative_id="a-1"),)),
    TransferStarted(asset=ref(1), path="/x", total=4_000_000),
    TransferProgressed(asset=ref(1), received=1_000_000, total=4_000_000),
    Waiting(task_id=TASK, seconds=42.0, until=NOW + 42.0, reason="1 of 2 derivatives are ready"),
)
WIDE = """\
task         32832860-418c-4b84-ba70-0b9dfba75473
status       ACTIVE → FULFILLED
derivatives  404 → 206  (2 looks)
1 of 2 derivatives are ready
next look in 42 s (08:00:42Z)

DC_AIRCRAFT  a-1        in the making
DC_VESSELS   derivati~  fetching       ━━━━━━                    1.0 MB  1.0 MB/s
"""


def board(*more: BoardEvent) -> Board:
    steps = enumerate((*HISTORY, *more))
    return reduce(lambda so_far, step: fold(so_far, step[1], float(step[0])), steps, Board())


def drawn(picture: Picture, width: int, encoding: str = "utf-8") -> str:
    buffer = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    console = Console(file=buffer, width=width, color_system=None, legacy_windows=False)
    console.print(picture)
    buffer.flush()
    text = buffer.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_it_shows_what_is_there_and_when_it_looks_next() -> None:
    assert drawn(Picture(board(), NOW), 90) == WIDE


@pytest.mark.parametrize("width", [24, 40, 59, 60, 80, 83, 84, 120])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_it_fits_and_can_be_encoded_everywhere(width: int, encoding: str) -> None:
    retrying = TransferRetrying(asset=ref(1), error=NetworkError("It broke."), seconds=3.0)
    failed = PollFailed(task_id=TASK, error=NetworkError("No answer."), failures=3, budget=60)
    text = drawn(Picture(board(retrying, failed), NOW, "simulated time"), width, encoding)
    assert max(map(len, text.splitlines())) <= width
    if width >= 40:
        assert "DC_AIRCRAFT" in text
        assert "DC_VESSELS" in text
    if width >= 60:
        assert "look failed (3 in a row, gives up at 60)" in text
        assert "DC_VESSELS: It broke." in text


def test_the_countdown_moves_without_any_event() -> None:
    """A wait of hours must not look frozen."""
    lines = [drawn(Picture(board(), NOW + passed), 90).splitlines()[4] for passed in (0, 1, 41, 43)]
    assert lines == [
        "next look in 42 s (08:00:42Z)",
        "next look in 41 s (08:00:42Z)",
        "next look in 1 s (08:00:42Z)",
        "looking now",
    ]


def test_what_cannot_be_read_stands_there_until_it_can() -> None:
    look = SnapshotReceived(
        task_id=TASK, availability=Availability.PARTIAL, ready=1, listed=1, faulty=2
    )
    faulty = board(look, Expected(task_id=TASK, missing=(), unreadable=(FAULT, NAMELESS)))
    mended = fold(faulty, Expected(task_id=TASK, missing=()), 9.0)

    text = " ".join(drawn(Picture(faulty, NOW), 90).split())

    assert (
        "cannot be read: data[1].assets[0].href (DC_AIRCRAFT derivative-2) is not a string; "
        "data[2] is not an object"
    ) in text
    assert "cannot be read" not in drawn(Picture(mended, NOW), 90)


def test_the_end_says_that_nothing_is_missing() -> None:
    text = drawn(Picture(board(WatchFinished(task_id=TASK, delivered=2)), NOW), 90)
    assert "every derivative is there" in text
    assert "in the making" not in text


def test_the_screen_draws_from_the_first_event_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=90, color_system=None)
    with LiveScreen(time=lambda: NOW, meter=lambda: 0.0, console=console) as screen:
        screen.note("Before all.")
        for event in HISTORY:
            screen.on_event(event)
    text = out.getvalue()
    assert text.startswith("Before all.")
    assert "next look in 42 s" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1, "the cursor comes back"
