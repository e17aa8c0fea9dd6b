"""Do the promises hold in a bucket: under each fault of the CDN, cancellation, and a kill?"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial

import anyio
import obstore
import pytest
from cancelling import cut_short
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore
from s3_server import PLANTED_KEY, PLANTED_SECRET, Request, S3Server, serving

from iceye_derivatives import ClientCredentials, DerivativesClient, DownloadSettings, IceyeError
from iceye_derivatives.simulator import FAULTS, Simulator, TaskPlan, VirtualClock
from iceye_derivatives.sinks import ObjectStoreSink

SECRET = "canary-secret-5f2c"
# A file that became another one is whole in either form, so its bytes prove nothing; one without
# an end is cut at a ceiling, which is a hundred thousand of our small pieces away.
BESIDE_THE_POINT = {"replaced_file", "endless_body"}
OF_FILES = sorted(
    name for name, fault in FAULTS.items() if "cdn" in fault.sides and name not in BESIDE_THE_POINT
)
OF_BODIES = (
    "changed_etag",
    "cropped_geojson",
    "cut_connection",
    "early_dead_url",
    "html_200",
    "spliced_xml",
    "stalled_body",
    "truncated_body",
    "wrong_length",
)
"""Those that strike when bytes have come, or look like a file: all of them are below."""
KINDS = ("DC_VESSELS", "DC_AIRCRAFT")


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """One for all faults: they are the CDN's."""
    with serving() as server:
        yield server


def in_small_pieces(patched: pytest.MonkeyPatch) -> None:
    """Stream bodies of a few kilobytes, which real stores would want in one piece."""
    small = partial(DownloadSettings, small=256, batch=256)
    patched.setattr("iceye_derivatives.downloader.DownloadSettings", small)
    patched.setattr("iceye_derivatives.sinks._object_part.PIECE", 512)
    patched.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)


def client_of(sim: Simulator) -> DerivativesClient:
    auth = ClientCredentials(sim.token_url, sim.client_id, SECRET, timeout=0.05, clock=sim.clock)
    return DerivativesClient(
        base_url=sim.api_base_url,
        auth=auth,
        clock=sim.clock,
        read_timeout=0.05,
        answer_timeout=0.05,
        rate=100.0,
    )


async def download(sim: Simulator, task_id: str, sink: ObjectStoreSink) -> list[str]:
    """What was told of it."""
    told: list[str] = []
    async with client_of(sim) as client:
        try:
            report = await client.download_task(
                task_id,
                sink,
                stac=True,
                timeout=86_400,
                max_failures=8,
                on_event=lambda event: told.append(repr(event)),
            )
            told.append(repr(report))
        except IceyeError as error:
            told.append(f"{error!r} {vars(error)!r}")
    return told


def truth_of(sim: Simulator, task_id: str) -> list[bytes]:
    now = sim.clock.time()
    listed = sim.world.derivatives(task_id, now=now)
    files = [sim.world.file(asset.path, now=now) for each in listed for asset in each.assets]
    return sorted(file.body for file in files if file is not None)


def final(objects: dict[str, bytes]) -> list[bytes]:
    return sorted(body for key, body in objects.items() if key.endswith(".geojson"))


@pytest.mark.anyio
@pytest.mark.parametrize("name", OF_BODIES)
async def test_no_fault_of_the_cdn_leaves_anything_that_is_not_whole(
    name: str, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamed from the first byte, so that uploads begin, and have to be aborted."""
    in_small_pieces(monkeypatch)
    sink = ObjectStoreSink.from_url(f"s3://detections/{name}", **s3.options())
    async with Simulator(clock=VirtualClock(), seed=5, detections=20, client_secret=SECRET) as sim:
        task_id = sim.add_task(derivative_product_types=KINDS)
        sim.faults.add(name, times=3, side="cdn")
        told = await download(sim, task_id, sink)
        here = {key: body for key, body in s3.objects().items() if key.startswith(f"{name}/")}
        for body in final(here):
            assert json.loads(body)["type"] == "FeatureCollection"
        assert [key for key in s3.pending() if key.startswith(f"{name}/")] == []
        sim.faults.clear()
        await sim.clock.sleep(3700)
        told += await download(sim, task_id, sink)
        here = {key: body for key, body in s3.objects().items() if key.startswith(f"{name}/")}
        assert final(here) == truth_of(sim, task_id)
        text = " ".join([*told, *(body.decode("latin-1") for body in here.values())])
        for secret in (SECRET, PLANTED_KEY, PLANTED_SECRET, "Signature="):
            assert secret not in text


class Life:
    """One process: what goes wrong at the CDN, and at which turn of the loop it is cancelled."""

    def __init__(self, faults: list[str], cancel_at: int | None) -> None:
        self.faults = faults
        self.cancel_at = cancel_at

    def __repr__(self) -> str:
        return f"Life({self.faults}, {self.cancel_at})"


lives = st.builds(
    Life,
    st.lists(st.sampled_from(OF_FILES), max_size=2),
    st.none() | st.integers(1, 400),
)


async def live(script: list[Life]) -> None:
    store = MemoryStore()
    async with Simulator(clock=VirtualClock(), detections=20, client_secret=SECRET) as sim:
        task_id = sim.add_task(derivative_product_types=KINDS)
        for life in script:
            for name in life.faults:
                sim.faults.add(name, times=2, side="cdn")
            sink = ObjectStoreSink(store)
            await cut_short(partial(download, sim, task_id, sink), life.cancel_at)
            sim.faults.clear()
            for body in final(everything(store)):
                assert json.loads(body)["type"] == "FeatureCollection"
        await sim.clock.sleep(3700)
        await download(sim, task_id, ObjectStoreSink(store))
        assert final(everything(store)) == truth_of(sim, task_id)
        assert f"{task_id}/item.json" in everything(store)


def everything(store: MemoryStore) -> dict[str, bytes]:
    paths = [meta["path"] for chunk in obstore.list(store) for meta in chunk]
    return {path: bytes(obstore.get(store, path).bytes()) for path in paths}


@settings(max_examples=20)
@given(st.lists(lives, max_size=3))
def test_whatever_happens_every_file_is_there_in_the_end_and_none_before_it_is_whole(
    script: list[Life],
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        in_small_pieces(patched)
        anyio.run(live, script)


def test_a_killed_process_leaves_at_most_a_pending_upload_and_the_next_ends_whole(
    s3: S3Server,
) -> None:
    """Killed when the first part of a long file arrives, and when it is to be completed."""
    at_once = TaskPlan(
        accepted_after=0,
        imaged_after=0,
        fulfilled_after=0,
        done_after=0,
        derivative_delays=dict.fromkeys(("DC_VESSELS", "DC_VEHICLES", "DC_AIRCRAFT"), 0),
    )
    with simulated(at_once) as sim:
        task_id = sim.add_task(derivative_product_types=("DC_VESSELS",))
        key_of = f"pre/fix/{task_id}/"
        for step in ("UploadPart", "CompleteMultipartUpload"):
            assert kill_at(step, s3, sim, task_id) < 0
            assert [key for key in s3.objects() if key.startswith(key_of)] == []
        assert len(s3.pending()) == 2
        s3.before = lambda request: None
        assert start(s3, sim, task_id).wait(60) == 0
        here = {key: body for key, body in s3.objects().items() if key.startswith(key_of)}
        assert final(here) == truth_of(sim, task_id)
        assert len(s3.pending()) == 2  # what a lifecycle rule is for; ours was completed


def kill_at(step: str, s3: S3Server, sim: Simulator, task_id: str) -> int:
    process: subprocess.Popen[bytes] | None = None
    arrived, killed = threading.Event(), threading.Event()

    def hold(request: Request) -> None:
        if request.step == step:
            arrived.set()
            killed.wait(30)
            raise ConnectionAbortedError  # nobody is there any more to have asked for it

    s3.before = hold
    process = start(s3, sim, task_id)
    assert arrived.wait(60)
    process.kill()
    code = process.wait(30)
    killed.set()
    return code


def start(s3: S3Server, sim: Simulator, task_id: str) -> subprocess.Popen[bytes]:
    """The program, as a user starts it."""
    of_the_store = {
        "AWS_ENDPOINT_URL": s3.url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": PLANTED_KEY,
        "AWS_SECRET_ACCESS_KEY": PLANTED_SECRET,
    }
    program = (sys.executable, "-m", "iceye_derivatives")
    return subprocess.Popen(  # noqa: S603 - our own program
        [*program, "download", task_id, "--to", "s3://detections/pre/fix"],
        env={**os.environ, **of_the_store, **sim.environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class simulated:  # noqa: N801 - reads as what it does
    """A simulator with long files, served by a thread of its own."""

    def __init__(self, plan: TaskPlan) -> None:
        self.sim = Simulator(plan=plan, detections=16_000, seed=5)
        self.loop, self.ended = asyncio.new_event_loop(), asyncio.Event()

    def __enter__(self) -> Simulator:
        started = threading.Event()

        async def serve() -> None:
            async with self.sim:
                started.set()
                await self.ended.wait()

        self.thread = threading.Thread(target=lambda: self.loop.run_until_complete(serve()))
        self.thread.start()
        assert started.wait(20)
        return self.sim

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.ended.set)
        self.thread.join(20)
        self.loop.close()
