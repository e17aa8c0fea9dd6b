"""Does a journal of many pages tell what one of a single page would, in bounded memory?"""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import anyio
import pytest
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st
from store_fakes import FakeClock

from iceye_derivatives import _journal
from iceye_derivatives._book import Book
from iceye_derivatives._catalogue import Catalogue
from iceye_derivatives._core import journal as journals
from iceye_derivatives._core.inventory import Condition
from iceye_derivatives._core.journal import Journal, WholeFile, join_page, name_of, parse_journal
from iceye_derivatives._core.part_names import file_of
from iceye_derivatives._core.plan import journals_among
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._journal import Journals, resumed_watch
from iceye_derivatives.geo._files import find_files
from iceye_derivatives.models import AssetRef, Derivative
from iceye_derivatives.sinks import DirectorySink, MemorySink, inspect

FULL = 3
TASK = "task-1"


@pytest.fixture(autouse=True, scope="module")
def small_pages() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journals, "FULL", FULL)
        yield


class Killed(BaseException):
    """The process ended here."""


class Notes(MemorySink):
    """Counts what is asked of it, fails to order, and ends a process before or behind a step."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self.written: list[str] = []
        self.dies_in: float = float("inf")
        self.full = self.deaf = False

    async def read_note(self, name: str) -> bytes | None:
        self._step()
        self.read.append(name)
        if self.deaf:
            raise OSError(errno.EIO, "Input/output error")
        return self.notes.get(name)

    async def write_note(self, name: str, render: Callable[[], bytes]) -> None:
        self._step()
        self.written.append(name)
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.notes[name] = render()
        self._step()

    def _step(self) -> None:
        self.dies_in -= 1
        if self.dies_in < 0:
            raise Killed

    def listed(self, task_id: str = TASK) -> Journal:
        """All pages that are there, as who looks into the folder reads them."""
        whole = None
        names = [name.rpartition("/")[2] for name in self.notes if name.startswith(f"{task_id}/")]
        for name in journals_among(names):
            whole = join_page(whole, parse_journal(self.notes[f"{task_id}/{name}"], task_id))
        return whole or Journal(task_id)


def file(number: int, finished: float = 1.0, task_id: str = TASK) -> WholeFile:
    asset = AssetRef(
        task_id=task_id, derivative_id=f"d{number}", product_type="X", asset_type="geojson"
    )
    return WholeFile(
        asset=asset,
        size=number,
        sha256=f"{number:064x}",
        stamp=f"{finished}",
        etag=None,
        begun=0.0,
        finished=finished,
    )


def by_name(*files: WholeFile) -> dict[str, WholeFile]:
    """The last word on each."""
    words: dict[str, WholeFile] = {}
    for each in sorted(files, key=lambda each: each.finished):
        words[name_of(each.asset)] = each
    return words


async def told(sink: Notes, numbers: range) -> dict[str, WholeFile]:
    """What a new run is told of these files."""
    book = Book(TASK, sink)
    found = [await book.known(file(number).asset) for number in numbers]
    return {name_of(each.asset): each for each in found if each is not None}


def put(root: Path, count: int, task_id: str = TASK) -> dict[str, WholeFile]:
    """Files in a folder with a journal of several pages beside them, as a download leaves it."""
    words = {}
    for number in range(count):
        body = b"%d" % number
        word = evolve(file(number, 5.0, task_id), sha256=sha256(body).hexdigest(), size=len(body))
        (root / task_id).mkdir(exist_ok=True)
        (root / task_id / name_of(word.asset)).write_bytes(body)
        words[name_of(word.asset)] = word

    async def write() -> None:
        running = Journals(DirectorySink(root), FakeClock())
        for word in words.values():
            running.note(word)
            await running.save(at_once=True)
        await running.close()

    anyio.run(write)
    return words


# -- laws ------------------------------------------------------------------------------------------


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


# -- examples --------------------------------------------------------------------------------------


async def written(sink: Notes, count: int) -> Notes:
    """Pages of exactly so many files as make one full."""
    running = Journals(sink, FakeClock())
    for number in range(count):
        running.note(file(number))
        await running.save(at_once=True)
    await running.close()
    return sink


@pytest.mark.anyio
async def test_a_usual_task_costs_not_one_look_more() -> None:
    sink = await written(Notes(), FULL - 1)
    assert set(sink.notes) == {f"{TASK}/.iceye-journal.json"}
    sink.read.clear()
    assert len(await told(sink, range(FULL))) == FULL - 1
    assert sink.read == [f"{TASK}/.iceye-journal.json"]


@pytest.mark.anyio
async def test_of_many_files_each_page_is_read_once_in_whatever_order_they_are_asked_for() -> None:
    sink = await written(Notes(), 10 * FULL)
    sink.read.clear()
    book, order = Book(TASK, sink), list(range(10 * FULL))
    random.Random(1).shuffle(order)
    for number in order:
        assert await book.known(file(number).asset) == file(number)
    assert len(sink.read) == len(set(sink.read)) == len(sink.notes) + 1
    assert book.held < FULL


@pytest.mark.anyio
async def test_who_asks_while_pages_are_being_read_waits_for_all_of_them() -> None:
    sink, heard = await written(Notes(), 4 * FULL), []
    book = Book(TASK, sink)

    async def ask(number: int) -> None:
        heard.append(await book.known(file(number).asset))

    async with anyio.create_task_group() as tasks:
        for number in range(4 * FULL):
            tasks.start_soon(ask, number)
    assert heard == [file(number) for number in range(4 * FULL)]


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
async def test_a_page_that_goes_while_it_is_changed_leaves_its_new_words_to_the_last_one() -> None:
    sink = await written(Notes(), 3 * FULL)
    running = Journals(sink, FakeClock())
    assert await running.known(file(0).asset) == file(0)
    del sink.notes[f"{TASK}/.iceye-journal.json"]
    running.note(file(0, 5.0))
    await running.save(at_once=True)
    assert sink.listed().files == by_name(file(0, 5.0), *map(file, range(FULL, 3 * FULL)))
    assert await running.known(file(1).asset) is None  # so it is looked at, and noted anew


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
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


@pytest.mark.anyio
async def test_behind_an_idle_moment_others_words_are_heard() -> None:
    sink, clock = Notes(), FakeClock()
    one, two = Journals(sink, clock), Journals(sink, clock)
    assert await one.known(file(1).asset) is None
    await one.save(at_once=True)
    two.note(file(1))
    await two.close()
    assert await one.known(file(1).asset) == file(1)


# -- who else reads it -----------------------------------------------------------------------------


def test_verifying_looks_into_all_pages_wherever_they_stand(tmp_path: Path) -> None:
    words = put(tmp_path, 3 * FULL + 1)
    assert len(list(tmp_path.rglob(".iceye-journal*.json"))) == 4
    for place in (tmp_path, tmp_path / TASK):
        [inventory] = inspect(place)
        assert inventory.ok
        assert [finding.name for finding in inventory.findings] == sorted(words)


def test_a_page_that_is_gone_hides_its_own_files_alone_from_verifying(tmp_path: Path) -> None:
    words = put(tmp_path, 3 * FULL)
    (tmp_path / TASK / ".iceye-journal.json").unlink()
    (tmp_path / TASK / ".iceye-journal-2.json").write_bytes(b"[")
    for place in (tmp_path, tmp_path / TASK):
        [inventory] = inspect(place)
        assert inventory.task_id == TASK
        found = {finding.name: finding.condition for finding in inventory.findings}
        known = [*words][2 * FULL :]
        assert found == {
            name: Condition.WHOLE if name in known else Condition.FOREIGN for name in words
        }


def test_reading_detections_knows_files_of_all_pages(tmp_path: Path) -> None:
    """No name tells when a file was whole."""
    words = put(tmp_path, 2 * FULL + 1)
    found = {each.path.name: each for each in find_files(tmp_path)}
    assert found.keys() == words.keys()
    assert {each.asset for each in found.values()} == {word.asset for word in words.values()}
    assert {each.downloaded for each in found.values()} == {5.0}


def test_a_page_that_was_never_finished_is_cleared_away(tmp_path: Path) -> None:
    put(tmp_path, FULL + 1)
    stray = tmp_path / TASK / f".iceye-journal-2.json.{'ab' * 12}-1.part"
    stray.write_bytes(b"{")
    put(tmp_path, FULL + 2)
    assert not stray.exists()
    assert {file_of(path.name) for path in tmp_path.rglob("*")} == {None}
