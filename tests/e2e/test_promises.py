"""Do the promises hold for any sequence of faults, timeouts, cancellations and restarts?

Each example is one task's life: a plan, and a list of runs of which each may meet faults, end by
its patience, or be cancelled at some turn of the event loop.  After them a run without faults has
to bring everything home.  `nox -s soak` tries ten thousand examples, the default run two hundred.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from attrs import frozen
from cancelling import cut_short
from helpers import ALL_TYPES, files_in, open_below
from hypothesis import event, given, settings
from hypothesis import strategies as st

from iceye_derivatives import (
    Backoff,
    ClientCredentials,
    DerivativeReady,
    DerivativesClient,
    DownloadReport,
    IceyeError,
    Watch,
)
from iceye_derivatives.events import DownloadEvent
from iceye_derivatives.simulator import FAULTS, Simulator, TaskPlan, VirtualClock

SECRET = "canary-secret-77aa"
# A file that became another one is whole in either form, so its bytes prove nothing.
CHANGES_THE_TRUTH = frozenset({"replaced_file"})
# A hundred of each is what a change can wait for.  The session `soak` asks for its runs by number,
# and has them searched from several beginnings at a time, since one search keeps to one core.
SOAK = int(os.environ.get("ICEYE_SOAK_RUNS", "0"))
SEARCHES = 40 if SOAK else 1
EXAMPLES = SOAK // SEARCHES if SOAK else min(100, settings().max_examples)
in_each_search = pytest.mark.parametrize("search", range(SEARCHES))


@frozen(kw_only=True)
class Trouble:
    """A fault that is switched on before a run."""

    name: str
    side: Literal["api", "token", "cdn"]
    times: int
    settings: dict[str, Any]


@frozen(kw_only=True)
class Run:
    """One process's life: what goes wrong in it, and what ends it early."""

    troubles: tuple[Trouble, ...]
    cancel_at: int | None
    patience: float | None


@frozen(kw_only=True)
class Life:
    """All that happens to a task and to those who want its files."""

    plan: TaskPlan
    script: tuple[Run, ...]
    rhythm: Backoff


@st.composite
def troubles(draw: st.DrawFn) -> Trouble:
    name = draw(st.sampled_from(sorted(FAULTS.keys() - CHANGES_THE_TRUTH)))
    fault = FAULTS[name]
    choices = {key: list(of) for key, of in fault.settings.items() if isinstance(of, tuple)}
    return Trouble(
        name=name,
        side=draw(st.sampled_from(fault.sides)).value,
        times=draw(st.integers(1, 4)),
        settings={key: draw(st.sampled_from(of)) for key, of in choices.items()},
    )


runs = st.builds(
    Run,
    troubles=st.lists(troubles(), max_size=3).map(tuple),
    cancel_at=st.none() | st.integers(1, 600),
    patience=st.none() | st.sampled_from([0.0, 600.0, 86_400.0]),
)
# The promises do not depend on the rhythm, but the cost of an hour does.
rhythms = st.sampled_from([Backoff(initial=30.0, maximum=900.0), Backoff()])
delays = st.sampled_from([0.0, 60.0, 3600.0, 7200.0])
plans = st.builds(
    TaskPlan,
    accepted_after=st.sampled_from([0.0, 300.0]),
    imaged_after=st.sampled_from([0.0, 7200.0]),
    fulfilled_after=st.sampled_from([0.0, 600.0]),
    derivative_delays=st.fixed_dictionaries(dict.fromkeys(ALL_TYPES, delays)),
    opaque_ids=st.booleans(),
    omit_image_reference=st.booleans(),
)
lives = st.builds(Life, plan=plans, script=st.lists(runs, max_size=3).map(tuple), rhythm=rhythms)


class Witness:
    """Hears and keeps everything that a program could log."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.handed: list[str] = []

    def hear(self, happened: DownloadEvent | IceyeError | DownloadReport) -> None:
        self.heard.append(repr(happened))
        if isinstance(happened, IceyeError):
            self.heard.append(f"{happened} {vars(happened)!r}")
        if isinstance(happened, DerivativeReady) and not happened.derivative.is_update:
            self.handed.append(happened.derivative.id)

    def assert_each_once(self) -> None:
        """ "Each derivative exactly once": within the process that has just ended."""
        assert len(self.handed) == len(set(self.handed))
        self.handed.clear()


def client_of(sim: Simulator) -> DerivativesClient:
    # Where nothing stalls, a busy machine shall not be taken for a fault.
    timeout = 0.05 if list(sim.faults) else 10.0
    auth = ClientCredentials(sim.token_url, sim.client_id, SECRET, timeout=timeout, clock=sim.clock)
    return DerivativesClient(
        base_url=sim.api_base_url,
        auth=auth,
        clock=sim.clock,
        read_timeout=timeout,
        answer_timeout=timeout,
        rate=100.0,
    )


async def download(
    sim: Simulator,
    task_id: str,
    folder: Path,
    *,
    witness: Witness,
    rhythm: Backoff,
    patience: float | None = None,
) -> DownloadReport | None:
    async with client_of(sim) as client:
        try:
            report = await client.download_task(
                task_id,
                folder,
                on_event=witness.hear,
                timeout=patience,
                max_failures=8,
                backoff=rhythm,
            )
        except IceyeError as error:
            witness.hear(error)
            return None
        witness.hear(report)
        return report


def meet(sim: Simulator, run: Run) -> None:
    sim.faults.clear()
    for trouble in run.troubles:
        event(trouble.name)
        sim.faults.add(trouble.name, times=trouble.times, side=trouble.side, **trouble.settings)


def assert_whole_or_absent(folder: Path) -> None:
    """ "A file under its final name is whole and checked.  Everything else is a `.part`." """
    for name, body in files_in(folder).items():
        if name.endswith(".geojson"):
            assert json.loads(body)["type"] == "FeatureCollection", name


def surplus(life: Life) -> set[int]:
    """416 is right where a body that never ends broke off: its part is longer than the file.

    The part has the file's ETag, so the next run asks for what follows it, hears that nothing does,
    and starts over.
    """
    met = {trouble.name for run in life.script for trouble in run.troubles}
    return {416} if "endless_body" in met else set()


def assert_all_there(sim: Simulator, task_id: str, folder: Path) -> None:
    """Each file that the CDN has is there, byte for byte; a fault may have made up more."""
    now = sim.clock.time()
    listed = sim.world.derivatives(task_id, now=now)
    found = [sim.world.file(asset.path, now=now) for each in listed for asset in each.assets]
    assert len(found) == len(ALL_TYPES)
    came = files_in(folder).values()
    assert all(file is not None and file.body in came for file in found)


def assert_discreet(sim: Simulator, witness: Witness, folder: Path) -> None:
    """ "The bearer token goes to the API's origin and nowhere else"; nothing tells a secret."""
    text = "\n".join((*witness.heard, *files_in(folder)))
    for request in sim.requests:
        assert request.side != "cdn" or "authorization" not in request.headers
        assert request.headers.get("authorization", SECRET).split()[-1] not in text
    assert "Signature=" not in text


def assert_polite(sim: Simulator, runs_made: int, begun: float) -> None:
    """Looks follow a rhythm whatever is answered: some at once, then a few a minute at most."""
    hours = (sim.clock.time() - begun) / 3600
    asked = sum(request.side == "api" for request in sim.requests)
    assert asked <= 60 * runs_made + 240 * hours


async def live(life: Life, folder: Path) -> None:
    async with Simulator(clock=VirtualClock(), client_secret=SECRET, detections=20) as sim:
        task_id = sim.add_task(plan=life.plan, derivative_product_types=ALL_TYPES)
        home, witness = folder / "home", Witness()
        go = partial(download, sim, task_id, home, witness=witness, rhythm=life.rhythm)
        before, begun = asyncio.all_tasks(), sim.clock.time()
        for run in life.script:
            meet(sim, run)
            job = partial(go, patience=run.patience)
            await cut_short(job, run.cancel_at)
            assert_whole_or_absent(home)
            assert open_below(home) == []
            witness.assert_each_once()
        sim.faults.clear()
        # An hour later no link of before is alive, and no clock-bound grudge is left.
        await sim.clock.sleep(3700)
        asked = len(sim.requests)
        report = await go()

        assert report is not None
        report.raise_for_failures()
        witness.assert_each_once()
        told = {request.status for request in sim.requests[asked:] if request.side == "cdn"}
        assert told <= {200, 206} | surplus(life)
        assert_all_there(sim, task_id, home)
        assert {path.name for path in folder.iterdir()} == {"home"}
        assert_discreet(sim, witness, home)
        assert_polite(sim, len(life.script) + 1, begun)
        for _ in range(50):
            await asyncio.sleep(0)
        left = {task for task in asyncio.all_tasks() - before if "web_protocol" not in repr(task)}
        assert not left


@in_each_search
@settings(max_examples=EXAMPLES)
@given(life=lives)
def test_whatever_happens_every_file_comes_home_whole(search: int, life: Life) -> None:
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(live, life, Path(folder))


async def watch_on(
    sim: Simulator, watch: Watch, got: list[str], rhythm: Backoff, patience: float | None
) -> None:
    async with client_of(sim) as client:
        try:
            async for derivative in client.watch_task(
                watch.task_id, watch=watch, timeout=patience, max_failures=8, backoff=rhythm
            ):
                assert not derivative.is_update
                got.append(derivative.id)
        except IceyeError:
            return


async def watch_over_restarts(life: Life) -> None:
    async with Simulator(clock=VirtualClock(), client_secret=SECRET, detections=20) as sim:
        task_id = sim.add_task(plan=life.plan, derivative_product_types=ALL_TYPES)
        watch, got = Watch(task_id), list[str]()
        for run in life.script:
            meet(sim, run)
            await cut_short(
                partial(watch_on, sim, watch, got, life.rhythm, run.patience), run.cancel_at
            )
            watch = Watch.from_json(watch.to_json())
        sim.faults.clear()
        await watch_on(sim, watch, got, life.rhythm, None)

        assert watch.finished
        assert len(got) == len(set(got))
        assert set(sim.world.ready_times(task_id)) <= set(got)


@in_each_search
@settings(max_examples=EXAMPLES)
@given(life=lives)
def test_each_derivative_is_handed_out_once_over_all_restarts(search: int, life: Life) -> None:
    anyio.run(watch_over_restarts, life)
