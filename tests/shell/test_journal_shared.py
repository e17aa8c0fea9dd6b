"""Several read and write one journal at a time: does each word survive, and is each heard?"""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest
from attrs import evolve
from journal_notes import FULL, TASK, Notes, by_name, file, told, written
from store_fakes import FakeClock

from iceye_derivatives._book import Book
from iceye_derivatives._catalogue import Catalogue
from iceye_derivatives._core.journal import Journal, name_of, parse_journal
from iceye_derivatives._journal import Journals
from iceye_derivatives.models import Derivative

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]


async def test_who_asks_while_pages_are_being_read_waits_for_all_of_them() -> None:
    sink, heard = await written(Notes(), 4 * FULL), []
    book = Book(TASK, sink)

    async def ask(number: int) -> None:
        heard.append(await book.known(file(number).asset))

    async with anyio.create_task_group() as tasks:
        for number in range(4 * FULL):
            tasks.start_soon(ask, number)
    assert heard == [file(number) for number in range(4 * FULL)]


async def test_a_word_that_comes_while_the_one_before_it_is_written_is_written_next() -> None:
    class Slow(Notes):
        async def write_note(self, name: str, render: Callable[[], bytes]) -> None:
            await super().write_note(name, render)
            if len(self.written) == 1:
                running.note(file(1, 2.0))

    sink = Slow()
    running = Journals(sink, FakeClock())
    running.note(file(1))
    await running.save(at_once=True)
    assert sink.listed().files == by_name(file(1))
    await running.close()
    assert sink.listed().files == by_name(file(1, 2.0))


async def test_of_two_words_the_later_counts_and_else_that_of_the_later_page() -> None:
    """A file that was touched is hashed again, and keeps the moment at which it was whole."""
    sink = await written(Notes(), 4 * FULL)
    name = f"{TASK}/.iceye-journal-2.json"
    page = parse_journal(sink.notes[name])
    page.note(evolve(file(0), stamp="touched"))
    page.note(evolve(file(1), stamp="earlier", finished=0.5))
    sink.notes[name] = page.render()
    book, listed = Book(TASK, sink), sink.listed().files
    for word in (evolve(file(0), stamp="touched"), file(1)):
        assert await book.known(word.asset) == listed[name_of(word.asset)] == word


async def test_two_workers_that_save_several_tasks_do_not_stumble_over_each_other() -> None:
    class Slow(Notes):
        reading, go_on = anyio.Event(), anyio.Event()

        async def read_note(self, name: str) -> bytes | None:
            if name.startswith("task-0/"):
                self.reading.set()
                await self.go_on.wait()
            return await super().read_note(name)

    sink = Slow()
    running = Journals(sink, FakeClock())
    for task in range(2):
        running.note(file(1, task_id=f"task-{task}"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(running.save)
        await sink.reading.wait()
        await running.save()
        sink.go_on.set()
    await running.close()
    assert [len(sink.listed(f"task-{task}").files) for task in range(2)] == [1, 1]


async def test_a_stale_page_that_another_process_puts_back_costs_nothing() -> None:
    """It had read it before ours was written, and writes its own on top of what it had read."""
    sink = Notes()
    running = Journals(sink, FakeClock())
    for number in range(FULL):
        running.note(file(number))
    await running.save(at_once=False)
    other = Journal(TASK)
    other.note(file(99))
    sink.notes[f"{TASK}/.iceye-journal.json"] = other.render()
    running.note(file(FULL))
    await running.close()
    expected = by_name(*map(file, [*range(FULL + 1), 99]))
    assert sink.listed().files == expected
    assert await told(sink, range(100)) == expected


async def test_who_finds_the_page_filled_by_another_goes_on_behind_it() -> None:
    sink = Notes()
    late, quick = Journals(sink, FakeClock()), Journals(sink, FakeClock())
    late.note(file(0))
    await late.save(at_once=True)
    for number in range(1, 3 * FULL):
        quick.note(file(number))
        await quick.save(at_once=True)
    late.note(file(50))
    await late.close()
    assert len(sink.notes) == 4
    assert len(parse_journal(sink.notes[f"{TASK}/.iceye-journal.json"]).files) == FULL
    assert await told(sink, range(60)) == by_name(*map(file, [*range(3 * FULL), 50]))


async def test_a_catalogue_is_told_of_what_others_have_written_meanwhile() -> None:
    class Heard(Catalogue):
        files = frozenset[str]()

        async def write(self, journal: Journal, window: object, *, ask: bool) -> None:
            self.files = frozenset(journal.files)

    sink, clock = await written(Notes(), 1), FakeClock()
    heard = Heard(sink, object())
    running, other = Journals(sink, clock, catalogue=heard), Journals(sink, clock)
    assert await running.known(file(0).asset) == file(0)
    other.note(file(1))
    await other.close()
    running.home(Derivative(id="d0", task_id=TASK, product_type="X", assets=()))
    await running.save(at_once=True)
    assert heard.files == by_name(file(0), file(1)).keys()


async def test_behind_an_idle_moment_others_words_are_heard() -> None:
    sink, clock = Notes(), FakeClock()
    one, two = Journals(sink, clock), Journals(sink, clock)
    assert await one.known(file(1).asset) is None
    await one.save(at_once=True)
    two.note(file(1))
    await two.close()
    assert await one.known(file(1).asset) == file(1)
