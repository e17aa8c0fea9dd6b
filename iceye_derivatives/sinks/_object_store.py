"""How do files come into an object store: whole or not at all, and without a disk in between?"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import anyio
from anyio.to_thread import run_sync

from iceye_derivatives._core.journal import LARGEST
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.models import AssetRef
from iceye_derivatives.protocols import FoundFile
from iceye_derivatives.sharing import Busy, Place, Present
from iceye_derivatives.sinks._finish import finish
from iceye_derivatives.sinks._object_client import ObjectClient
from iceye_derivatives.sinks._object_part import ObjectPart

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["ObjectStoreSink"]

_NOTE_TIMEOUT: Final = 30.0
"""Seconds: a journal is written even when somebody has cancelled, and must not keep them."""
_PASSWORD = re.compile(r"//[^/@]*:[^/@]*@")


class ObjectStoreSink:
    """Files as objects in S3, GCS, Azure or memory; implements `iceye_derivatives.protocols.Sink`.

    Needs the extra ``cloud``.  A store publishes an object whole or not at all, and nothing is sent
    off before it was checked: bodies of less than 5 MiB in one request, longer ones as a multipart
    upload that goes up while they arrive and is completed only then.  A failure or a cancellation
    aborts it.  What a killed process leaves is a pending upload: invisible, but paid for, so let
    the bucket's lifecycle rules abort those after a day.  No byte touches a disk of ours.

    The journal stands beside the objects; what it says is believed where size and ETag are still
    those that it remembers, so a second run reads no object.  Of several processes under one
    prefix, each may fetch the same file, one publishes it, and the others keep that: the store is
    asked to (``If-None-Match``) for what goes up in one request, and looked at just before a longer
    upload is completed.  There are no locks and no unfinished files to go on with.

    Under cancellation a request gets five seconds to end and is then dropped.

    Args:
        store: A store of obstore's.
        url: What people would call it, e.g. ``s3://bucket/prefix``: it stands in records, errors
            and logs, so it must hold no credential.

    Example::

        sink = ObjectStoreSink.from_url("s3://bucket/detections", region="eu-central-1")
        await client.download_task(task_id, sink)
    """

    def __init__(self, store: ObjectStore, *, url: str = "memory:/") -> None:
        self.url = _plain(url)
        self.store = store
        self._client = ObjectClient(store, self.url)

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Self:  # noqa: ANN401 - obstore's own settings
        """A sink for ``s3://bucket/prefix``, ``gs://…``, ``az://…``, ``abfss://…`` or ``memory:///``.

        Credentials and the like come from the environment as the store's own tools take them
        (``AWS_ACCESS_KEY_ID``, ``GOOGLE_APPLICATION_CREDENTIALS``, ``AZURE_STORAGE_ACCOUNT_KEY``,
        …), or from `options`, which `obstore.store.from_url` documents.

        Raises:
            ConfigurationError: the URL or an option cannot be used, or the extra is not installed.
        """
        plain = _plain(url)
        try:
            from obstore.store import MemoryStore, from_url  # noqa: PLC0415 - an extra
        except ImportError:
            raise ConfigurationError(
                f"{plain} needs obstore: pip install 'iceye-derivatives[cloud]'"
            ) from None
        if plain.startswith("memory:"):
            return cls(MemoryStore(), url=plain)
        try:
            store = from_url(plain, **options)
        except Exception as error:  # noqa: BLE001 - obstore raises whatever its parts do
            reason = type(error).__name__
        else:
            return cls(store, url=plain)
        # Not inside of the `except`: its text may quote an option.
        raise ConfigurationError(
            f"{plain} cannot be opened as an object store ({reason}): check the URL, the options' "
            "names, and the variables of your environment"
        )

    def __repr__(self) -> str:
        return f"ObjectStoreSink({self.url!r})"

    async def make_ready(self) -> None:
        """Ask for an object that nobody has made: one request, which leaves nothing behind.

        It tells an address, a bucket and credentials that are wrong, or that may not look, without
        which no file is stored.  Whether they may write is not tried: each way to ask that leaves
        something in a store that does not know conditions.

        Raises:
            OSError: the store does not answer within half a minute, or refuses.
        """
        with anyio.fail_after(_NOTE_TIMEOUT):
            await self._client.reach()

    def locate(self, name: str) -> str:
        """The URL of that name; no I/O."""
        return self._client.locate(name)

    async def find(self, name: str) -> FoundFile | None:
        """The object of that name, read and hashed, or None."""
        there = await self._client.look(name)
        if there is None:
            return None
        sha256 = await self._client.digest(there)
        return FoundFile(path=self.locate(name), size=there.size, sha256=sha256)

    async def put(self, name: str, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        """Check a small body, and put it in one request."""
        checked = await finish(lambda: run_sync(check, body))
        await self._client.put(name, body, replace=True)
        return self.locate(name), checked

    @asynccontextmanager
    async def create(self, name: str) -> AsyncIterator[ObjectPart]:
        """An object to stream into; aborted unless committed."""
        part = ObjectPart(self._client, name, replace=True, on_stored=_forget)
        try:
            yield part
        finally:
            await part.close()

    @asynccontextmanager
    async def claim(
        self,
        name: str,
        asset: AssetRef,  # noqa: ARG002 - of the Protocol: a claim would be written down for it
        *,
        replace: bool = False,
    ) -> AsyncIterator[Place | Present | Busy]:
        """Look whether the object is there; nobody is kept from making it, too."""
        there = None if replace else await self._client.look(name)
        if there is not None and there.size:
            yield Present(path=self.locate(name), size=there.size, stamp=there.stamp)
        else:
            yield _ObjectPlace(self._client, name, replace=replace or there is not None)

    async def beat(self) -> None:
        """Nothing: there is no claim to keep alive."""

    async def read_note(self, name: str) -> bytes | None:
        """The note of that name, or None."""
        with anyio.fail_after(_NOTE_TIMEOUT):
            return await self._client.read(name, LARGEST)

    async def write_note(self, name: str, render: Callable[[], bytes]) -> None:
        """Put a note in place of the old one."""
        body = await run_sync(render)
        with anyio.fail_after(_NOTE_TIMEOUT):
            await self._client.put(name, body, replace=True)

    async def read_file(self, name: str, limit: int) -> bytes | None:
        """An object's bytes; None where there is none, or a larger one."""
        return await self._client.read(name, limit)

    async def update_note(self, name: str, change: Callable[[bytes | None], bytes | None]) -> None:
        """Put what `change` makes of a note in its place, as long as nobody else does."""
        with anyio.fail_after(_NOTE_TIMEOUT):
            await self._client.update(name, change, LARGEST)


class _ObjectPlace:
    """A name in a store; implements `iceye_derivatives.sharing.Place`."""

    mark = None

    def __init__(self, client: ObjectClient, name: str, *, replace: bool) -> None:
        self._client = client
        self._name = name
        self._replace = replace
        self.stamp: str | None = None

    async def put(self, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        """Check a small body, and put it in one request."""
        checked = await finish(lambda: run_sync(check, body))
        self.stamp = await self._client.put(self._name, body, replace=self._replace)
        return self._client.locate(self._name), checked

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[ObjectPart]:
        """An object to stream into; aborted unless committed."""
        part = ObjectPart(self._client, self._name, replace=self._replace, on_stored=self._stored)
        try:
            yield part
        finally:
            await part.close()

    def _stored(self, stamp: str) -> None:
        self.stamp = stamp


def _forget(stamp: str) -> None:
    """Where nobody keeps a journal."""


def _plain(url: str) -> str:
    """The URL without the slash at its end; it goes into texts, so it must hold no secret."""
    if "?" in url or "#" in url or _PASSWORD.search(url):
        raise ConfigurationError(
            "The URL of an object store must hold no credentials and no query: give them by the "
            "environment, or as options of ObjectStoreSink.from_url()"
        )
    return url.rstrip("/")
