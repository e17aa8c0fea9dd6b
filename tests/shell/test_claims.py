"""However many reach for a name, die over it or come back: has one of them it at most?"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier, Thread

import pytest
from claimed_files import NAME, plant, silence
from downloads import parts_in
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from iceye_derivatives.sinks import _claim as claims
from iceye_derivatives.sinks._claim import Claim
from iceye_derivatives.sinks._folder import Folder


def test_who_was_thought_dead_does_not_give_its_heir_s_name_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zombie, heir, third = Claim(), Claim(), Claim()
    with Folder(str(tmp_path), NAME, make=True) as folder:
        assert zombie.take(folder) is None
        with monkeypatch.context() as patched:
            patched.setattr(claims, "lives", lambda *_: False)
            assert heir.take(folder) is None
        zombie.drop(folder)
        assert third.take(folder) is not None
        heir.drop(folder)
        assert third.take(folder) is None
        third.drop(folder)
    assert parts_in(tmp_path) == set()


def test_of_many_threads_that_reach_for_a_name_one_gets_it(tmp_path: Path) -> None:
    for dead in (False, True):
        root = tmp_path / str(dead)
        if dead:
            silence(plant(root), 1000)
        barrier, got = Barrier(8), list[Claim]()

        def reach(root: Path = root, barrier: Barrier = barrier, got: list[Claim] = got) -> None:
            claim = Claim()
            with Folder(str(root), NAME, make=True) as folder:
                barrier.wait()
                if claim.take(folder) is None:
                    got.append(claim)

        threads = [Thread(target=reach) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 1
        with Folder(str(root), NAME) as folder:
            got[0].drop(folder)
        assert parts_in(root) == set()


def killed_over_the_file(root: Path, times: int) -> None:
    """So many processes took the file one after the other, and each died over it."""
    for _ in range(times):
        with Folder(str(root), NAME, make=True) as folder:
            assert Claim().take(folder) is None


def test_however_often_processes_die_over_a_file_the_next_one_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by two hundred kills on a machine too busy to let any of them get far."""
    monkeypatch.setattr(claims, "lives", lambda *_: False)
    killed_over_the_file(tmp_path, 100)
    claim = Claim()
    with Folder(str(tmp_path), NAME) as folder:
        assert claim.take(folder) is None
        assert claim.surely_alone
        claim.drop(folder)
    assert parts_in(tmp_path) == set()


def test_more_dead_owners_than_can_be_looked_at_are_told_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "lives", lambda *_: False)
    monkeypatch.setattr(claims, "_LONGEST_CHAIN", 5)
    killed_over_the_file(tmp_path, 5)
    with (
        Folder(str(tmp_path), NAME) as folder,
        pytest.raises(FileExistsError, match="remove what ends in"),
    ):
        Claim().take(folder)


class Processes(RuleBasedStateMachine):
    """Claims of processes that die, are thought dead, and come back: never two owners who live.

    Each process is a `Claim` whose life we decide; every order of their steps is tried.
    """

    running = Bundle("running")

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.root = self.folder.name
        self.alive: dict[str, bool] = {}
        self.holders: list[Claim] = []
        self.patched = pytest.MonkeyPatch()
        self.patched.setattr(claims, "lives", lambda owner, _: self.alive.get(owner.token))

    def teardown(self) -> None:
        self.patched.undo()
        self.folder.cleanup()

    @rule(target=running)
    def starts(self) -> Claim:
        return Claim()

    @rule(claim=running)
    def reaches(self, claim: Claim) -> None:
        if claim.mine is not None or claim in self.holders:
            return
        with Folder(self.root, NAME, make=True) as folder:
            if claim.take(folder) is None:
                assert claim.mine is not None
                self.alive[claim.mine.token] = True
                self.holders.append(claim)

    @rule(claim=consumes(running))
    def is_killed(self, claim: Claim) -> None:
        if claim in self.holders:
            assert claim.mine is not None
            self.alive[claim.mine.token] = False
            self.holders.remove(claim)

    @rule(claim=running)
    def gives_back(self, claim: Claim) -> None:
        if claim in self.holders:
            self.holders.remove(claim)
            with Folder(self.root, NAME) as folder:
                claim.drop(folder)

    @invariant()
    def at_most_one_has_it(self) -> None:
        assert len(self.holders) <= 1

    @invariant()
    def what_is_free_can_be_had(self) -> None:
        if not self.holders:
            claim = Claim()
            with Folder(self.root, NAME, make=True) as folder:
                assert claim.take(folder) is None
                claim.drop(folder)
                assert not [name for name in folder.names() if name == f"{folder.file}.owner.part"]


Processes.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestProcesses = Processes.TestCase
