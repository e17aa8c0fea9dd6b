"""Does a journal of many pages tell what one of a single page would, in bounded memory?"""

from __future__ import annotations

import random
from contextlib import suppress

import anyio
import pytest
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st
from journal_notes import FULL, TASK, Killed, Notes, by_name, file, told, written
from store_fakes import FakeClock

from iceye_derivatives._book import Book
from iceye_derivatives._core.journal import WholeFile, parse_journal
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._journal import Journals, resumed_watch

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]


@define
class Life:
    """Two processes that share a sink; what they must not lose, and what they may have written."""

    sink: Notes = field(factory=Notes)
    clock: FakeClock = field(factory=FakeClock)
    running: list[Journals] = field(init=False)
    unsaved: list[list[WholeFile]] = field(init=False, factory=lambda: [[], []])
    saved: list[WholeFile] = field(factory=list)
    noted: list[WholeFile] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.running = [self.begun(), self.begun()]

    def begun(self) -> Journals:
        return Journals(self.sink, self.clock)

    def note(self, who: int, number: int) -> None:
        # Each word has a moment of its own, so that it is clear which is the last.
        word = file(number, finished=float((len(self.noted) * 37) % 1009))
        self.running[who].note(word)
        self.unsaved[who].append(word)
        self.noted.append(word)

    async def save(self, who: int, *, at_once: bool) -> None:
        self.clock.now += 0.4
        await self.running[who].save(at_once=at_once)
        if at_once:
            self._keep(who)

    async def end(self, who: int) -> None:
        await self.running[who].close()
        self._keep(who)
        self.running[who] = self.begun()

    async def kill(self, who: int, steps: int) -> None:
        self.sink.dies_in = steps
        with suppress(Killed):
            await self.running[who].close()
        self.sink.dies_in = float("inf")
        self.unsaved[who].clear()
        self.running[who] = self.begun()

    def _keep(self, who: int) -> None:
        self.saved += self.unsaved[who]
        self.unsaved[who].clear()

    async def check(self) -> None:
        listed = self.sink.listed().files
        assert await told(self.sink, range(20)) == listed
        for name, word in by_name(*self.saved).items():
            assert listed[name].finished >= word.finished
        for word in listed.values():
            assert word in self.noted


whose = st.integers(0, 1)
steps = st.lists(
    st.tuples(st.just("note"), whose, st.integers(0, 19))
    | st.tuples(st.just("note"), whose, st.integers(0, 19))
    | st.tuples(st.sampled_from(["save", "idle", "end"]), whose, st.just(0))
    | st.tuples(st.just("kill"), whose, st.integers(0, 9)),
    max_size=60,
)


@given(steps)
def test_whatever_is_noted_and_whoever_is_killed_pages_tell_the_last_word_of_all_that_was_saved(
    taken: list[tuple[str, int, int]],
) -> None:
    async def live() -> None:
        life = Life()
        for step, who, number in taken:
            match step:
                case "note":
                    life.note(who, number)
                case "save" | "idle":
                    await life.save(who, at_once=step == "idle")
                case "end":
                    await life.end(who)
                case _:
                    await life.kill(who, number)
            await life.check()
        for who in (0, 1):
            await life.end(who)
        await life.check()

    anyio.run(live)


@given(st.lists(st.integers(0, 40), unique=True), st.randoms(use_true_random=False))
def test_files_that_come_again_are_written_where_they_stand(
    numbers: list[int], chance: random.Random
) -> None:
    """Or each run that fetches all of them anew would make the journal longer by all of them."""

    async def live() -> None:
        sink = Notes()
        for moment in (1.0, 2.0, 2.0):
            chance.shuffle(numbers)
            running = Journals(sink, FakeClock())
            for number in numbers:
                running.note(evolve(file(number, moment), etag=f"{chance.random()}"))
                await running.save()
            await running.close()
            if moment == 1.0:
                names = set(sink.notes)
        assert set(sink.notes) == names
        standing = [parse_journal(note, TASK).files for note in sink.notes.values()]
        assert sum(map(len, standing)) == len(numbers)
        assert {word.finished for files in standing for word in files.values()} <= {2.0}

    anyio.run(live)


@given(st.integers(0, 60), st.sampled_from([1, 5, 50]))
def test_memory_holds_two_pages_whatever_the_number_of_files(files: int, tasks: int) -> None:
    async def live() -> None:
        running = Journals(Notes(), FakeClock())
        for number in range(files):
            for task in range(tasks):
                running.note(file(number, task_id=f"task-{task}"))
            await running.save()
            held = sum(book.held for book in running._open.values())
            assert held <= 3 * FULL * tasks

    anyio.run(live)


async def test_a_usual_task_costs_not_one_look_more() -> None:
    sink = await written(Notes(), FULL - 1)
    assert set(sink.notes) == {f"{TASK}/.iceye-journal.json"}
    sink.read.clear()
    assert len(await told(sink, range(FULL))) == FULL - 1
    assert sink.read == [f"{TASK}/.iceye-journal.json"]


async def test_of_many_files_each_page_is_read_once_in_whatever_order_they_are_asked_for() -> None:
    sink = await written(Notes(), 10 * FULL)
    sink.read.clear()
    book, order = Book(TASK, sink), list(range(10 * FULL))
    random.Random(1).shuffle(order)
    for number in order:
        assert await book.known(file(number).asset) == file(number)
    assert len(sink.read) == len(set(sink.read)) == len(sink.notes) + 1
    assert book.held < FULL


async def test_the_newest_state_of_a_watch_is_resumed_whichever_page_it_is_in() -> None:
    sink, seen = Notes(), []
    for run in range(3 * FULL):
        watch = Watch(TASK, requested=[f"TYPE_{run}"])
        running = Journals(sink, FakeClock(), watch)
        running.note(file(run))
        await running.close()
        await Journals(sink, FakeClock(), Watch(TASK, requested=[f"AGAIN_{run}"])).close()
        await written(sink, run)  # without a watch
        found = await resumed_watch(sink, TASK)
        assert found is not None
        seen.append(found.requested)
    assert seen == [(f"AGAIN_{run}",) for run in range(3 * FULL)]
