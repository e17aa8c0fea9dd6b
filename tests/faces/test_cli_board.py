"""Is the board a faithful and unshakable account of all that happened?"""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from typing import Any

from attrs import evolve
from cli_stage import ref
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives import (
    Asset,
    Availability,
    Derivative,
    DerivativeReady,
    FileRecord,
    LinkRenewed,
    NetworkError,
    PollFailed,
    SceneReceived,
    SignedUrl,
    SnapshotReceived,
    TaskStatusReceived,
    TransferError,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
    Waiting,
    WatchFinished,
)
from iceye_derivatives.cli.board import (
    Awaited,
    Board,
    BoardEvent,
    Expected,
    Ordered,
    Phase,
    fold,
)
from iceye_derivatives.cli.json_lines import event_line, report_line
from iceye_derivatives.cli.plain import say

TASK = "task-1"
TYPES = ("DC_VESSELS", "DC_AIRCRAFT")


def derivative(number: int, product_type: str = "DC_VESSELS") -> Derivative:
    url = SignedUrl("https://cdn.example/x?Signature=canary-signature")
    return Derivative(
        id=f"derivative-{number}",
        task_id=TASK,
        product_type=product_type,
        assets=(Asset(type="geojson", url=url),),
    )


def finished(number: int, **changes: Any) -> TransferFinished:
    record = FileRecord(
        derivative=derivative(number), asset=ref(number), path="/x", size=7, sha256="ab"
    )
    return TransferFinished(record=evolve(record, **changes))


def failed(number: int) -> TransferFailed:
    error = TransferError("It broke.", asset=ref(number))
    record = FileRecord(derivative=derivative(number), asset=ref(number), error=error)
    return TransferFailed(record=record)


numbers = st.integers(0, 3)
counts = st.integers(0, 1000)
error = NetworkError("The line is down.")
events: st.SearchStrategy[BoardEvent] = st.one_of(
    st.builds(
        SnapshotReceived,
        task_id=st.just(TASK),
        availability=st.sampled_from(Availability),
        ready=counts,
        listed=counts,
    ),
    st.builds(
        TaskStatusReceived,
        task_id=st.just(TASK),
        status=st.sampled_from(["RECEIVED", "ACTIVE", "DONE"]),
    ),
    st.builds(SceneReceived, task_id=st.just(TASK), scene=st.none()),
    st.builds(
        Waiting,
        task_id=st.just(TASK),
        seconds=st.floats(0, 1e6),
        until=st.floats(1.8e9, 1.9e9),
        reason=st.text(max_size=5),
    ),
    st.builds(
        PollFailed, task_id=st.just(TASK), error=st.just(error), failures=counts, budget=counts
    ),
    st.builds(WatchFinished, task_id=st.just(TASK), delivered=counts),
    st.builds(
        Ordered,
        task_id=st.just(TASK),
        status=st.just("RECEIVED"),
        reference=st.none(),
        product_types=st.just(TYPES),
    ),
    st.builds(
        Expected,
        task_id=st.just(TASK),
        missing=st.lists(
            st.builds(
                Awaited,
                product_type=st.sampled_from(TYPES),
                derivative_id=st.none() | st.just("derivative-1"),
            ),
            max_size=3,
        ).map(tuple),
    ),
    st.builds(
        DerivativeReady,
        task_id=st.just(TASK),
        derivative=st.builds(derivative, numbers, st.sampled_from(TYPES)),
    ),
    st.builds(
        TransferStarted,
        asset=st.builds(ref, numbers),
        path=st.just("/x"),
        total=st.none() | counts,
        offset=counts,
    ),
    st.builds(
        TransferProgressed,
        asset=st.builds(ref, numbers),
        received=counts,
        total=st.none() | counts,
    ),
    st.builds(
        TransferRetrying, asset=st.builds(ref, numbers), error=st.just(error), seconds=st.just(1.0)
    ),
    st.builds(LinkRenewed, asset=st.builds(ref, numbers)),
    st.builds(finished, numbers, kept=st.booleans()),
    st.builds(failed, numbers),
)
histories = st.lists(events, max_size=40)


def after(history: list[BoardEvent]) -> Board:
    steps = enumerate(history)
    return reduce(lambda board, step: fold(board, step[1], float(step[0])), steps, Board())


@given(histories)
def test_each_asset_has_one_row_and_each_kind_one_place(history: list[BoardEvent]) -> None:
    board = after(history)
    assets = [row.asset for row in board.rows]
    assert len(assets) == len(set(assets))
    shown = {row.asset.product_type for row in board.rows}
    shown |= {each.product_type for each in board.awaited}
    assert shown <= set(board.product_types)
    assert len(board.product_types) == len(set(board.product_types))


@given(histories, events)
def test_what_has_ended_stays_as_it_ended(history: list[BoardEvent], event: BoardEvent) -> None:
    before = after(history)
    later = fold(before, event, 99.0)
    for row in before.rows:
        if row.phase.final:
            assert later.row(row.asset) == row


@given(histories)
def test_ends_are_counted_once(history: list[BoardEvent]) -> None:
    ended = {
        event.record.asset
        for event in history
        if isinstance(event, TransferFinished | TransferFailed)
    }
    assert after(history).count(Phase.WHOLE, Phase.KEPT, Phase.FAILED) == len(ended)


@given(histories)
def test_answers_and_statuses_hold_changes_alone(history: list[BoardEvent]) -> None:
    board = after(history)
    assert all(one != other for one, other in pairwise(board.answers))
    assert all(one != other for one, other in pairwise(board.statuses))
    looks = [each for each in history if isinstance(each, SnapshotReceived | PollFailed)]
    assert board.looks == len(looks)


@given(histories)
def test_no_rendering_holds_a_link(history: list[BoardEvent]) -> None:
    board, told = Board(), []
    for event in history:
        later = fold(board, event, 0.0)
        told += [say(board, event, later), str(event_line(event))]
        board = later
    told.append(str(report_line(board, error)))
    assert "canary" not in str(told)
    assert "https:" not in str(told)


def test_a_derivative_takes_the_place_of_one_that_was_awaited() -> None:
    types = ("DC_VESSELS", "DC_AIRCRAFT")
    ordered = Ordered(task_id=TASK, status="RECEIVED", reference=None, product_types=types)
    ready = DerivativeReady(task_id=TASK, derivative=derivative(1))
    board = after([ordered, ready])
    assert board.awaited == (Awaited(product_type="DC_AIRCRAFT"),)
    assert [row.phase for row in board.rows] == [Phase.READY]


def test_speed_is_about_the_bytes_of_this_run() -> None:
    start = TransferStarted(asset=ref(1), path="/x", total=900, offset=100)
    more = TransferProgressed(asset=ref(1), received=700, total=900)
    row = fold(fold(Board(), start, 10.0), more, 13.0).rows[0]
    assert row.speed == 200.0
    assert (row.received, row.total, row.phase) == (700, 900, Phase.FETCHING)
