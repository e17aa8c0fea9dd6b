"""Pages that are gone, unreadable or not to be written: what is lost, and what made up for?"""

from __future__ import annotations

import anyio
import pytest
from journal_notes import FULL, TASK, Notes, by_name, file, told, written
from store_fakes import FakeClock

from iceye_derivatives._journal import Journals
from iceye_derivatives.sinks import MemorySink

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]


async def test_what_fails_to_be_written_is_written_later_whoever_looked_at_it_meanwhile() -> None:
    class Failing(Notes):
        reading, go_on = anyio.Event(), anyio.Event()

        async def read_note(self, name: str) -> bytes | None:
            self.reading.set()
            await self.go_on.wait()
            return await super().read_note(name)

    sink = Failing()
    sink.deaf = True
    running = Journals(sink, FakeClock())
    running.note(file(1))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(running.save)
        await sink.reading.wait()
        await running.save(at_once=True)
        sink.go_on.set()
    sink.deaf = False
    await running.close()
    assert sink.listed().files == by_name(file(1))


@pytest.mark.parametrize("harm", [None, b"", b"{}"])
async def test_a_page_that_is_gone_costs_looks_and_is_made_up_for(harm: bytes | None) -> None:
    sink = await written(Notes(), 5 * FULL)
    name = f"{TASK}/.iceye-journal-2.json"
    if harm is None:
        del sink.notes[name]
    else:
        sink.notes[name] = harm
    assert await told(sink, range(5 * FULL)) == by_name(*map(file, range(FULL)))
    running = Journals(sink, FakeClock())
    for number in range(5 * FULL):
        if await running.known(file(number).asset) is None:
            running.note(file(number))
            await running.save(at_once=True)
    await running.close()
    assert await told(sink, range(5 * FULL)) == by_name(*map(file, range(5 * FULL)))


async def test_a_page_that_goes_while_it_is_changed_leaves_its_new_words_to_the_last_one() -> None:
    sink = await written(Notes(), 3 * FULL)
    running = Journals(sink, FakeClock())
    assert await running.known(file(0).asset) == file(0)
    del sink.notes[f"{TASK}/.iceye-journal.json"]
    running.note(file(0, 5.0))
    await running.save(at_once=True)
    assert sink.listed().files == by_name(file(0, 5.0), *map(file, range(FULL, 3 * FULL)))
    assert await running.known(file(1).asset) is None  # so it is looked at, and noted anew


async def test_what_cannot_be_read_is_not_overwritten_and_written_when_it_can_be() -> None:
    sink = await written(Notes(), 2 * FULL)
    before = dict(sink.notes)
    running = Journals(sink, FakeClock())
    sink.deaf = True
    assert await running.known(file(0).asset) is None
    running.note(file(77))
    await running.save(at_once=True)
    assert sink.notes == before
    sink.deaf = False
    await running.close()
    assert sink.listed().files == by_name(*map(file, [*range(2 * FULL), 77]))


async def test_a_sink_that_is_full_is_not_asked_again_for_each_file() -> None:
    sink, clock = Notes(), FakeClock()
    sink.full = True
    running = Journals(sink, clock)
    for number in range(20 * FULL):
        running.note(file(number))
        await running.save()
    assert len(sink.written) == 1
    sink.full, clock.now = False, clock.now + 60
    await running.save()
    assert len(sink.listed().files) == 20 * FULL


async def test_a_sink_without_notes_makes_nobody_remember() -> None:
    class Bare:
        def __init__(self) -> None:
            inner = MemorySink()
            self.locate, self.find = inner.locate, inner.find
            self.put, self.create = inner.put, inner.create

    running = Journals(Bare(), FakeClock())
    running.note(file(1))
    await running.save(at_once=True)
    assert await running.known(file(1).asset) is None
    await running.close()
    assert (running._books, running._open) == ({}, {})
