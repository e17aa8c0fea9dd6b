"""Of many tasks, whose journals are held in memory, and whose are let go first?"""

from __future__ import annotations

import pytest
from journal_notes import FULL, Notes, file
from store_fakes import FakeClock

from iceye_derivatives import _journal
from iceye_derivatives._journal import Journals

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]


async def test_of_many_tasks_few_files_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fresh, and when all of them are there: then their bytes stay on shelves, and none is read."""
    monkeypatch.setattr(_journal, "_FILES", 2 * FULL)
    sink, clock = Notes(), FakeClock()
    for present in (False, True):
        running = Journals(sink, clock)
        for task in range(30):
            for number in range(FULL - 1):
                this = file(number, task_id=f"task-{task}")
                if await running.known(this.asset) is None:
                    running.note(this)
                clock.now += 1
                await running.save()
            assert sum(book.held for book in running._books.values()) <= 2 * FULL
        sink.read.clear()
        if present:
            asked = [file(1, task_id=f"task-{task}") for task in range(30)]
            assert [await running.known(each.asset) for each in asked] == asked
        assert sink.read == []
        await running.close()


async def test_of_very_many_tasks_the_first_are_forgotten_and_none_is_written_for_each_file() -> (
    None
):
    sink, clock = Notes(), FakeClock()
    running = Journals(sink, clock)
    for number in range(FULL):
        for task in range(200):
            running.note(file(number, task_id=f"task-{task}"))
            await running.save()
    assert len(sink.written) == 200
    clock.now += 60
    await running.save()
    assert len(sink.written) == 400
    for task in range(1000, 1300):
        clock.now += 2
        running.note(file(1, task_id=f"task-{task}"))
        await running.save()
    assert len(running._books) <= 65
    await running.close()
    assert all(len(sink.listed(f"task-{task}").files) == FULL for task in range(200))


async def test_of_many_tasks_those_used_longest_ago_are_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_journal, "_BOOKS", 2)
    sink, clock = Notes(), FakeClock()
    running = Journals(sink, clock)
    for task in range(1, 9):
        assert await running.known(file(1, task_id="task-0").asset) is None
        assert await running.known(file(1, task_id=f"task-{task}").asset) is None
        clock.now += 60
        await running.save()
    assert sorted(sink.read) == [f"task-{task}/.iceye-journal.json" for task in range(9)]


async def test_a_clock_that_is_set_back_keeps_nobody_in_memory() -> None:
    sink, clock = Notes(), FakeClock()
    running = Journals(sink, clock)
    for task in range(100):
        running.note(file(1, task_id=f"task-{task}"))
    await running.save()
    clock.now -= 3600
    for task in range(100, 400):
        running.note(file(1, task_id=f"task-{task}"))
        await running.save()
        clock.now += 2
    assert len(running._books) <= 65
