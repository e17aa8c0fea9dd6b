"""In whatever order processes take their single steps on the disk: has one of them a name at most?

Each process is a thread that goes on by one step at a time, in an order drawn from a seed, and may
be killed before each of them.  Half of them have another file of that folder meanwhile, so that
they reach for the name by linking the record which they have.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Semaphore, Thread, local

import pytest
from attrs import define, field

from iceye_derivatives._core.ownership import Owner
from iceye_derivatives.sinks import _claim as claims
from iceye_derivatives.sinks import _records
from iceye_derivatives.sinks._claim import Claim
from iceye_derivatives.sinks._folder import Folder
from iceye_derivatives.sinks._records import Records

NAME = "task-1/DC_VESSELS_d1.geojson"
PROCESSES = 4


class Dead(BaseException):
    """The process was killed here."""


@define
class Turns:
    """Lets one thread go on at a time, and none further than to its next step."""

    chance: random.Random
    deadly: float
    dying: set[int] = field(factory=set)
    _me: local = field(factory=local)
    _go: dict[int, Event] = field(factory=dict)
    _back: Semaphore = field(factory=lambda: Semaphore(0))
    _ended: set[int] = field(factory=set)

    @property
    def me(self) -> int:
        """Which process this thread is."""
        number: int = self._me.number
        return number

    def step(self) -> None:
        """Wait for the next turn, or die."""
        self._back.release()
        self._go[self.me].wait()
        self._go[self.me].clear()
        if self.me in self.dying:
            raise Dead

    def run(self, program: Callable[[], None]) -> None:
        """Run it in all processes until each has ended."""
        threads = [Thread(target=self._run, args=(n, program)) for n in range(PROCESSES)]
        for number, thread in enumerate(threads):
            self._go[number] = Event()
            thread.start()
            self._back.acquire()
        while len(self._ended) < PROCESSES:
            number = self.chance.choice(sorted(self._go.keys() - self._ended))
            if self.chance.random() < self.deadly:
                self.dying.add(number)
            self._go[number].set()
            self._back.acquire()
        for thread in threads:
            thread.join()

    def _run(self, number: int, program: Callable[[], None]) -> None:
        self._me.number = number
        try:
            with suppress(Dead):
                self.step()
                program()
        finally:
            self._ended.add(number)
            self._back.release()


@define
class World:
    """One folder, and the processes that reach for one name in it."""

    root: str
    turns: Turns
    process_of: dict[str, int] = field(factory=dict)
    holding: set[int] = field(factory=set)
    most: int = 0
    taken: int = 0
    taken_over: int = 0
    linked: int = 0

    def program(self) -> None:
        """Take the name, have it for a while, give it back; a few times."""
        records = Records()
        if self.turns.me % 2:
            with Folder(self.root, f"task-1/own{self.turns.me}", make=True) as folder:
                assert Claim(records).take(folder) is None
        for _ in range(3):
            claim = Claim(records)
            with Stepping(self.root, NAME, make=True) as folder:
                folder.turns = self.turns
                if claim.take(folder) is not None:
                    continue
                self.holding.add(self.turns.me)
                self.linked += folder.has_linked
                self.most = max(self.most, len(self.holding - self.turns.dying))
                self.taken, self.taken_over = self.taken + 1, self.taken_over + claim.took_over
                self.turns.step()
                self.holding.discard(self.turns.me)
                claim.drop(folder)


class Stepping(Folder):
    """Each call is one step."""

    turns: Turns
    has_linked = False

    def create(self, name: str, body: bytes) -> int | None:
        self.turns.step()
        return super().create(name, body)

    def link(self, descriptor: int, name: str) -> None:
        self.turns.step()
        super().link(descriptor, name)
        self.has_linked = True

    def read_stamped(self, name: str, limit: int) -> tuple[bytes, float, str] | None:
        self.turns.step()
        return super().read_stamped(name, limit)

    def exists(self, name: str) -> bool:
        self.turns.step()
        return super().exists(name)

    def discard(self, part: str) -> None:
        self.turns.step()
        super().discard(part)


def leave_dead_record(world: World) -> None:
    """A process died here before all others began: each name has to be taken over at first."""
    claim, nobody = Claim(), -1
    world.turns.dying.add(nobody)
    with Folder(world.root, NAME, make=True) as folder:
        assert claim.take(folder) is None
    assert claim.mine is not None
    world.process_of[claim.mine.token] = nobody


@pytest.mark.parametrize("deadly", [0.0, 0.04])
def test_in_no_order_of_steps_have_two_living_processes_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deadly: float
) -> None:
    """Taking, giving back, being killed at any step, and taking over, in hundreds of orders."""
    new_owner: Callable[[], Owner] = vars(_records)["new_owner"]
    worlds: list[World] = []

    def noted() -> Owner:
        owner, world = new_owner(), worlds[-1]
        world.process_of[owner.token] = world.turns.me
        return owner

    def begin(seed: int) -> World:
        turns = Turns(random.Random(seed), deadly)
        worlds.append(World(str(tmp_path / str(seed)), turns))
        if seed % 2:
            with monkeypatch.context() as patched:
                patched.setattr(_records, "new_owner", new_owner)
                leave_dead_record(worlds[-1])
        return worlds[-1]

    def lives(owner: Owner, _: str) -> bool:
        return worlds[-1].process_of[owner.token] not in worlds[-1].turns.dying

    monkeypatch.setattr(_records, "new_owner", noted)
    monkeypatch.setattr(claims, "lives", lives)
    for seed in range(300):
        world = begin(seed)
        world.turns.run(world.program)
        assert world.most <= 1, seed
    assert sum(world.taken for world in worlds) > 600
    assert sum(world.taken_over for world in worlds) > 100
    assert sum(world.linked for world in worlds) > 100 or sys.platform != "linux"
