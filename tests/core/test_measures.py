"""Do events become the numbers that an operator wants, and is nothing remembered for ever?"""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import evolve
from strategies import EPOCH, TASK_ID, derivative, unreadable

from iceye_derivatives import (
    Availability,
    ContentError,
    DerivativeReady,
    DerivativesUnreadable,
    FileRecord,
    LinkRenewed,
    NetworkError,
    PaceChanged,
    PollFailed,
    SnapshotReceived,
    StorageError,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
    Waiting,
    WatchFinished,
)
from iceye_derivatives._core import measures
from iceye_derivatives._core.measures import MEASURES, Measures, Sample

NOW = EPOCH.timestamp()
ONE = derivative("a", "geojson")
REF = ONE.asset_refs()[0]
LOOK = SnapshotReceived(task_id=TASK_ID, availability=Availability.NONE, ready=0, listed=0)
BROKEN = NetworkError("broken", sent=True)
WHOLE = FileRecord(derivative=ONE, asset=REF, path="p", size=100, sha256="0" * 64)
STORY = [
    (0, Waiting(task_id=TASK_ID, seconds=1, until=1, reason="")),
    (10, LOOK),
    (20, PollFailed(task_id=TASK_ID, error=BROKEN, failures=1, budget=60)),
    (30, LOOK),
    (30, DerivativesUnreadable(task_id=TASK_ID, unreadable=(unreadable(1), unreadable(2)))),
    (30, DerivativeReady(task_id=TASK_ID, derivative=ONE)),
    (30, LOOK),
    (31, WatchFinished(task_id=TASK_ID, delivered=1)),
    (32, TransferStarted(asset=REF, path="p", total=100)),
    (33, TransferProgressed(asset=REF, received=60, total=100)),
    (34, TransferRetrying(asset=REF, error=BROKEN, seconds=1)),
    (34, LinkRenewed(asset=REF)),
    (35, TransferStarted(asset=REF, path="p", total=100, offset=20)),
    (36, TransferProgressed(asset=REF, received=100, total=100)),
    (37, TransferFinished(record=WHOLE)),
]


def told(story: list[tuple[int, object]]) -> tuple[Measures, list[Sample]]:
    measures = Measures()
    return measures, [
        sample
        for seconds, event in story
        for sample in measures.receive(event, NOW + seconds)  # type: ignore[arg-type]
    ]


def test_a_whole_story_gives_its_numbers() -> None:
    measures, samples = told(list(STORY))
    sums = Counter[str]()
    for sample in samples:
        sums[sample.name] += sample.value  # type: ignore[assignment]

    assert sums == {
        "first_derivative": 30,
        "polls": 4,
        "failed_polls": 1,
        "unreadable": 2,
        "polls_per_derivative": 4,
        "queue": 1,
        "bytes": 140,
        "bytes_again": 40,
        "stalls": 1,
        "renewals": 1,
        "ready_to_disk": 7,
        "files": 1,
    }
    assert measures == Measures(), "nothing is remembered of what has ended"
    assert sums.keys() <= MEASURES.keys()


def test_a_small_file_counts_its_bytes_at_its_end_and_a_kept_one_none() -> None:
    _, fetched = told([(0, TransferFinished(record=WHOLE))])
    _, kept = told([(0, TransferFinished(record=evolve(WHOLE, kept=True)))])

    assert Sample("bytes", 100) in fetched
    assert not [sample for sample in kept if sample.name == "bytes"]


def test_a_failed_file_leaves_the_queue() -> None:
    failed = FileRecord(derivative=ONE, asset=REF, error=ContentError("bad", asset=REF))

    measures, samples = told(
        [(0, DerivativeReady(task_id=TASK_ID, derivative=ONE)), (1, TransferFailed(record=failed))]
    )

    assert samples[-2:] == [Sample("queue", 0), Sample("failed_files", 1)]
    assert measures._ready == {}


def test_a_fleet_that_tells_no_looks_gives_no_numbers_of_them() -> None:
    _, samples = told(
        [
            (0, DerivativeReady(task_id=TASK_ID, derivative=ONE)),
            (1, WatchFinished(task_id=TASK_ID, delivered=1)),
        ]
    )

    assert samples == []


def test_an_update_does_not_put_into_the_queue_what_is_on_disk() -> None:
    again = evolve(ONE, is_update=True)

    measures, samples = told(
        [
            (0, DerivativeReady(task_id=TASK_ID, derivative=ONE)),
            (1, TransferFinished(record=WHOLE)),
            (2, DerivativeReady(task_id=TASK_ID, derivative=again)),
        ]
    )

    assert samples[-1] == Sample("queue", 0)
    assert measures._ready == {}


def test_where_nobody_downloads_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no queue is told of: a level that nothing ever lowers is no queue."""
    monkeypatch.setattr(measures, "_MOST_UNHEARD", 2)

    folded, samples = told(
        [(n, DerivativeReady(task_id=TASK_ID, derivative=evolve(ONE, id=f"{n}"))) for n in range(9)]
    )

    assert samples == []
    assert [ref.derivative_id for ref in folded._ready] == ["7", "8"]


def test_where_downloads_are_not_heard_to_end_the_memory_is_bounded_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measures, "_MOST_READY", 2)

    _, samples = told(
        [(0, TransferStarted(asset=REF, path="p", total=100))]
        + [
            (n, DerivativeReady(task_id=TASK_ID, derivative=evolve(ONE, id=f"{n}")))
            for n in range(4)
        ]
    )

    assert samples[-1] == Sample("queue", 2)


def test_the_queue_is_told_from_the_first_transfer_on() -> None:
    _, samples = told(
        [
            (0, DerivativeReady(task_id=TASK_ID, derivative=ONE)),
            (1, TransferStarted(asset=REF, path="p", total=100)),
        ]
    )

    assert samples == [Sample("queue", 1)]


def test_waiting_for_another_process_is_no_stall() -> None:
    busy = StorageError("it is being fetched by another", asset=REF)

    assert told([(0, TransferRetrying(asset=REF, error=busy, seconds=1))])[1] == []


def test_the_pace_is_a_level() -> None:
    _, samples = told([(0, PaceChanged(rate=2.5, set_rate=5.0, paused=30.0, waiting=7))])

    assert samples == [Sample("rate", 2.5), Sample("paused", 30.0)]
