"""Does the command line bring files into a bucket, and tell what became of them there?"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from s3_server import PLANTED_KEY, PLANTED_SECRET, Refusal, S3Server, serving

from iceye_derivatives._core import journal as journals
from iceye_derivatives._core.plan import journals_among, page_name
from iceye_derivatives.cli import main
from iceye_derivatives.simulator import Simulator, TaskPlan
from iceye_derivatives.sinks import ObjectStoreSink

Captured = pytest.CaptureFixture[str]
AT_ONCE = TaskPlan(
    accepted_after=0,
    imaged_after=0,
    fulfilled_after=0,
    done_after=0,
    derivative_delays={"DC_VESSELS": 0, "DC_VEHICLES": 0, "DC_AIRCRAFT": 0},
)
TO = "s3://detections/pre/fix"
NO_BYTE_IN_A_FILE = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from iceye_derivatives.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A bucket, and what a user's environment says of it."""
    with serving() as server:
        for name, value in {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": PLANTED_KEY,
            "AWS_SECRET_ACCESS_KEY": PLANTED_SECRET,
        }.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A task that is done, in a simulator that another thread serves."""
    simulator = Simulator(plan=AT_ONCE, client_secret="canary-secret-77aa")
    started, ended, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        async with simulator:
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(10)
    for name, value in simulator.environ.items():
        monkeypatch.setenv(name, value)
    yield simulator.add_task(derivative_product_types=("DC_VESSELS", "DC_AIRCRAFT"))
    loop.call_soon_threadsafe(ended.set)
    thread.join(10)
    loop.close()


def conditions(capsys: Captured, place: str = TO) -> tuple[int, dict[str, str]]:
    capsys.readouterr()
    code = main(["verify", place, "--json"])
    *lines, _ = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return code, {line["name"]: line["condition"] for line in lines}


@pytest.mark.parametrize("full", [2_000, 1], ids=["one page", "pages"])
def test_download_verify_and_repair_work_for_a_url(
    s3: S3Server, task: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch, full: int
) -> None:
    monkeypatch.setattr(journals, "FULL", full)
    assert main(["download", task, "--to", TO]) == 0
    assert f"The files are in {TO}/{task}\n" in capsys.readouterr().out
    truth = {key: body for key, body in s3.objects().items() if key.endswith(".geojson")}
    changed, missing = sorted(truth)
    assert conditions(capsys) == (0, {key.rpartition("/")[2]: "whole" for key in truth})
    assert conditions(capsys, f"{TO}/{task}")[0] == 0

    s3.bucket.keys.pop(missing)
    s3.bucket.keys[changed].value = b"changed"
    anyio.run(ObjectStoreSink.from_url(TO).put, f"{task}/odd.txt", b"odd", str)
    code, found = conditions(capsys)
    assert code == 7
    assert found == {
        changed.rpartition("/")[2]: "changed",
        missing.rpartition("/")[2]: "missing",
        "odd.txt": "foreign",
    }

    s3.bucket.keys.pop(f"pre/fix/{task}/odd.txt")
    assert main(["download", task, "--to", TO, "--repair"]) == 0
    assert {k: v for k, v in s3.objects().items() if k in truth} == truth
    assert conditions(capsys)[0] == 0


@pytest.mark.parametrize("full", [2_000, 1], ids=["one page", "pages"])
def test_a_second_run_reads_no_object(
    s3: S3Server, task: str, monkeypatch: pytest.MonkeyPatch, full: int
) -> None:
    """Only behind a page that is full it looks for another."""
    monkeypatch.setattr(journals, "FULL", full)
    assert main(["download", task, "--to", TO]) == 0
    s3.requests.clear()
    pages = journals_among(key.rpartition("/")[2] for key in s3.objects())
    assert main(["download", task, "--to", TO]) == 0
    read = [r.key for r in s3.requests if r.step == "GetObject"]
    read.remove("pre/fix/iceye-derivatives-was-here")  # the store is tried by one that is not there
    looked_for = {key.rpartition("/")[2] for key in read} - set(pages)
    assert looked_for <= (set() if full > 1 else {page_name(len(pages) + 1)})
    assert len(read) >= len(pages)
    assert [r for r in s3.requests if r.step == "PutObject" and r.key.endswith("geojson")] == []


def test_a_store_that_denies_is_exit_code_9_and_names_no_credential(
    s3: S3Server, task: str, capsys: Captured
) -> None:
    s3.refuse = lambda request: Refusal(403, "AccessDenied")
    assert main(["download", task, "--to", TO, "--debug"]) == 9
    told = capsys.readouterr()
    assert f"{TO} denies access (403 AccessDenied): let these credentials put" in told.err
    for secret in (PLANTED_KEY, PLANTED_SECRET, "CANARYSIGNATURE", "Signature="):
        assert secret not in told.out + told.err


@pytest.mark.parametrize("url", ["ftp://host/x", "s3:/bucket/prefix", "file:///x"])
def test_a_url_that_is_no_destination_is_a_usage_error(url: str, task: str) -> None:
    assert main(["download", task, "--to", url]) == 2


def test_nothing_is_staged_on_a_disk(s3: S3Server, task: str, tmp_path: Path) -> None:
    """In a process that can write no byte to a file, what fails for a folder works for a bucket."""

    def download(place: str) -> subprocess.CompletedProcess[bytes]:
        program = [sys.executable, "-B", "-c", NO_BYTE_IN_A_FILE, "download", task, "--to", place]
        return subprocess.run(program, capture_output=True, cwd=tmp_path, check=False, timeout=120)  # noqa: S603 - our own

    assert download(str(tmp_path)).returncode != 0
    done = download(TO)
    assert done.returncode == 0, done.stderr.decode()
    assert sum(key.endswith(".geojson") for key in s3.objects()) == 2
