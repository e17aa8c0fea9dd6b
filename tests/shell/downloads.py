"""Downloads from the fake store, and the law that holds of what they leave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from store_fakes import FakeStore, Fault, detections

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.plan import file_name
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.events import DownloadReport, TransferEvent
from iceye_derivatives.models import Derivative
from iceye_derivatives.protocols import FoundFile, PartialFile, Sink
from iceye_derivatives.sinks import MemorySink

TINY = DownloadSettings(small=64, batch=32, progress_every=16)
"""Bodies above 64 bytes are streamed, so that small tests see both ways."""


def downloader(store: FakeStore, sink: Sink, **changes: object) -> Downloader:
    arguments: dict[str, object] = {"clock": store.clock, "jitter": lambda: 0.5, "settings": TINY}
    return Downloader(store, sink, **(arguments | changes))  # type: ignore[arg-type]


async def events_of(found: Downloader, derivatives: object) -> list[TransferEvent]:
    async with found.transfers(derivatives) as stream:  # type: ignore[arg-type]
        return [event async for event in stream]


def one(body: bytes = b"", *faults: Fault, kind: str = "geojson") -> tuple[FakeStore, Derivative]:
    store = FakeStore(faults=list(faults))
    return store, store.add("d1", body or detections(), kind=kind)


def check_law(store: FakeStore, files: dict[str, bytes], report: DownloadReport | None) -> None:
    """Whole or absent, under our names only, and the report tells the truth."""
    assert not store.left_open
    keys = {file_name(ref): key for ref, key in store.wanted().items()}
    assert set(files) <= set(keys)
    for name, body in files.items():
        assert body in store.versions[keys[name]]
    if report is None:
        return
    assert sorted(file_name(record.asset) for record in report.files) == sorted(keys)
    for record in report.files:
        found = files.get(file_name(record.asset))
        assert record.ok == (found is not None)
        if found is not None:
            assert (record.size, record.sha256) == (len(found), sha256(found).hexdigest())


def files_in(root: Path) -> dict[str, bytes]:
    """What claims to be whole: all but parts and journals."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".part" and not path.name.startswith(".")
    }


def parts_in(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*.part")}


class BrokenSink(MemorySink):
    """A sink whose disk fails at a chosen step."""

    def __init__(self, step: str, error: OSError) -> None:
        super().__init__()
        self.step, self.error = step, error

    async def find(self, name: str) -> FoundFile | None:
        self.fail("find")
        return await super().find(name)

    async def put(self, name: str, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        self.fail("put")
        return await super().put(name, body, check)

    @asynccontextmanager
    async def create(self, name: str) -> AsyncIterator[PartialFile]:  # type: ignore[override]
        self.fail("create")
        async with super().create(name) as part:
            yield BrokenPart(self, part)
        self.fail("close")

    def fail(self, step: str) -> None:
        if step == self.step:
            raise self.error


class BrokenPart:
    def __init__(self, sink: BrokenSink, part: PartialFile) -> None:
        self._sink, self._part = sink, part

    async def write(self, data: bytes) -> None:
        self._sink.fail("write")
        await self._part.write(data)

    async def commit(self) -> str:
        self._sink.fail("commit")
        return await self._part.commit()
