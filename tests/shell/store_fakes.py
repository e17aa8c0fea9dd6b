"""A store, an API and a clock that keep to our Protocols and break to order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import ClassVar

import anyio
import anyio.lowlevel
from attrs import define, field, frozen

from iceye_derivatives._core.signed_url import read_signed_url
from iceye_derivatives.errors import IceyeError, NetworkError
from iceye_derivatives.models import (
    Asset,
    AssetRef,
    Availability,
    Derivative,
    SignedUrl,
    Snapshot,
)

START = 1_700_000_000.0
CANARY = "CANARYSIGNATURE"
XML = (
    b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>'
)


def detections(text: str = "x", size: int = 0) -> bytes:
    document = {"type": "FeatureCollection", "features": [], "note": text * max(1, size)}
    return json.dumps(document).encode()


class FakeClock:
    """Sleeping takes no time and moves the clock."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float, /) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await anyio.lowlevel.checkpoint()


@frozen
class Fault:
    """What goes wrong with one request; None means: not this."""

    status: int | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=dict)
    """Laid over the right ones; an empty value takes one away."""
    refuse: bool = False
    """No answer at all."""
    stop_after: int | None = None
    """The line breaks after so many bytes."""
    cut_after: int | None = None
    """The body ends in good order after so many bytes."""
    extra: bytes = b""
    """Behind the body."""
    replace: bool = False
    """The file is another one from now on."""
    expire: bool = False
    """An hour passes before the request arrives."""


@define(slots=False)
class FakeStore:
    """API and file store: links are signed per listing and die by the store's clock."""

    clock: FakeClock = field(factory=FakeClock)
    life: float = 3600.0
    skew: float = 0.0
    pieces: ClassVar[int] = 7
    chunk: int = field(factory=lambda: FakeStore.pieces)
    etags: bool = True
    files: dict[str, list[Derivative]] = field(factory=dict)
    bodies: dict[str, bytes] = field(factory=dict)
    versions: dict[str, list[bytes]] = field(factory=dict)
    faults: list[Fault] = field(factory=list)
    listing_errors: list[IceyeError | None] = field(factory=list)
    hidden: set[str] = field(factory=set)
    listings: list[str] = field(factory=list)
    requests: list[tuple[str, dict[str, str], int]] = field(factory=list)
    open_now: int = 0
    open_most: int = 0
    left_open: int = 0
    """Bodies that were begun, and neither read to their end nor closed when they were left."""
    signed: int = 0
    on_open: Callable[[], None] = lambda: None

    def server_time(self) -> float:
        return self.clock.now + self.skew

    def add(
        self, derivative_id: str, *bodies: bytes, task_id: str = "task-1", kind: str = "geojson"
    ) -> Derivative:
        keys = []
        for n, body in enumerate(bodies):
            key = f"{task_id}/{derivative_id}/{n}.{kind}"
            self.bodies[key], self.versions[key] = body, [body]
            keys.append(key)
        assets = tuple(Asset(type=kind, url=SignedUrl(key)) for key in keys)
        unsigned = Derivative(
            id=derivative_id, task_id=task_id, product_type="DC_VESSELS", assets=assets
        )
        self.files.setdefault(task_id, []).append(unsigned)
        return self.sign(unsigned)

    def sign(self, derivative: Derivative) -> Derivative:
        self.signed += 1
        expires = int(self.server_time() + self.life)
        assets = tuple(
            Asset(
                type=asset.type,
                url=read_signed_url(
                    f"https://cdn.example/{asset.url.reveal()}?Expires={expires}&Signature={CANARY}{self.signed}"
                ),
            )
            for asset in derivative.assets
        )
        return Derivative(
            id=derivative.id,
            task_id=derivative.task_id,
            product_type=derivative.product_type,
            assets=assets,
        )

    def wanted(self) -> dict[AssetRef, str]:
        """Each asset's key."""
        return {
            ref: asset.url.reveal()
            for derivatives in self.files.values()
            for derivative in derivatives
            for ref, asset in zip(derivative.asset_refs(), derivative.assets, strict=True)
        }

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        self.listings.append(task_id)
        await anyio.lowlevel.checkpoint()
        error = self.listing_errors.pop(0) if self.listing_errors else None
        if error is not None:
            raise error
        return Snapshot(
            task_id=task_id,
            availability=Availability.COMPLETE,
            derivatives=tuple(self.sign(d) for d in self.files[task_id] if d.id not in self.hidden),
            server_time=float(int(self.server_time())),
        )

    @asynccontextmanager
    async def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AsyncIterator[FakeResponse]:
        fault = self.faults.pop(0) if self.faults else Fault()
        if fault.expire:
            self.clock.now += self.life + 120
        key = url.reveal().removeprefix("https://cdn.example/").partition("?")[0]
        if fault.replace:
            self.versions[key].append(detections("v" * len(self.versions[key])))
            self.bodies[key] = self.versions[key][-1]
        self.requests.append((key, dict(headers), fault.status or 0))
        self.on_open()
        await anyio.lowlevel.checkpoint()
        if fault.refuse:
            raise NetworkError("The store could not be reached")
        self.open_now += 1
        self.open_most = max(self.open_most, self.open_now)
        answer = self._answer(url, key, headers, fault)
        try:
            yield answer
        finally:
            self.open_now -= 1
            self.left_open += answer.is_open

    def _answer(
        self, url: SignedUrl, key: str, headers: Mapping[str, str], fault: Fault
    ) -> FakeResponse:
        body, etag = self.bodies[key], f'"{len(self.versions[key])}-{key}"'
        answer = {"date": http_date(self.server_time()), "content-length": str(len(body))}
        if self.etags:
            answer["etag"] = etag
        status = 200
        wanted = headers.get("Range")
        if wanted is not None and headers.get("If-Range") == etag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            there = f"{start}-{len(body) - 1}" if start < len(body) else "*"
            answer["content-range"] = f"bytes {there}/{len(body)}"
            status, body = 206 if start < len(body) else 416, body[start:]
            answer["content-length"] = str(len(body))
        if url.expires is not None and url.expires <= self.server_time():
            status, body = 403, XML
        if fault.status is not None:
            status, body = fault.status, fault.body
        answer |= fault.headers
        answer = {name: value for name, value in answer.items() if value}
        return FakeResponse(status, answer, body + fault.extra, self.chunk, fault)


@define(repr=False)
class FakeResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes
    chunk: int
    fault: Fault
    is_open: bool = False

    async def chunks(self) -> AsyncIterator[bytes]:
        self.is_open = True
        try:
            async for piece in self._pieces():
                yield piece
        finally:
            self.is_open = False

    async def _pieces(self) -> AsyncIterator[bytes]:
        end = len(self.body)
        for limit in (self.fault.stop_after, self.fault.cut_after):
            end = end if limit is None else min(end, limit)
        for start in range(0, end, self.chunk):
            await anyio.lowlevel.checkpoint()
            yield self.body[start : min(end, start + self.chunk)]
        await anyio.lowlevel.checkpoint()
        if self.fault.stop_after is not None:
            raise NetworkError("The line broke")


async def settle() -> None:
    """Let everybody else go as far as they get without us."""
    for _ in range(25):
        await anyio.lowlevel.checkpoint()


def http_date(moment: float) -> str:
    from email.utils import formatdate  # noqa: PLC0415 - only here

    return formatdate(moment, usegmt=True)
