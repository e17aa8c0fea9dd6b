"""Which few things are asked of an object store, and how are names made its keys?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from anyio.to_thread import run_sync
from attrs import frozen

from iceye_derivatives.sinks._folder import split
from iceye_derivatives.sinks._object_errors import (
    another_there,
    is_conflict,
    knows_no_conditions,
    lacks_bucket,
    telling,
)
from iceye_derivatives.sinks._settle import settle

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["ObjectClient", "Standing"]

_BLOCK: Final = 5 * 1024 * 1024
"""Bytes of one reading request: short enough for any time-out, and tried again alone."""
_TRIES: Final = 3
_NOBODYS: Final = "iceye-derivatives-was-here"
"""A key that no file has: theirs have slashes."""
_MEDIA_TYPES: Final = {"geojson": "application/geo+json", "json": "application/json"}


@frozen(kw_only=True)
class Standing:
    """An object that is there."""

    key: str
    size: int
    stamp: str
    """Its ETag, which changes with its bytes; else when it was last written."""
    etag: str | None


class ObjectClient:
    """Names in a store that obstore talks to; raises `OSError`."""

    def __init__(self, store: ObjectStore, url: str) -> None:
        self.store = store
        self.url = url
        self._conditions = True
        """Whether the store is believed to put under a condition."""

    def locate(self, name: str) -> str:
        """The URL of that name."""
        return f"{self.url}/{'/'.join(split(name))}"

    @telling
    async def reach(self) -> None:
        """Raise unless the store says that an object which nobody has made is not there."""
        import obstore  # noqa: PLC0415 - an extra

        try:
            await obstore.get_async(self.store, _NOBODYS)
        except FileNotFoundError as error:
            if lacks_bucket(error):
                raise

    @telling
    async def look(self, name: str) -> Standing | None:
        """What stands under the name; nobody reads it."""
        import obstore  # noqa: PLC0415 - an extra

        key = _key(name)
        try:
            return _standing(key, await obstore.head_async(self.store, key))
        except FileNotFoundError:
            return None

    @telling
    async def digest(self, there: Standing) -> str:
        """The SHA-256 of an object's bytes, read block by block."""
        import obstore  # noqa: PLC0415 - an extra

        digest = sha256()
        for options in _blocks(there):
            found = await obstore.get_async(self.store, there.key, options=options)
            await run_sync(digest.update, await found.bytes_async())
        return digest.hexdigest()

    @telling
    async def read(self, name: str, limit: int) -> bytes | None:
        """The bytes of a small object; None where there is none, or a larger one."""
        found = await self._read(name, limit)
        return None if found is None else found[0]

    async def _read(self, name: str, limit: int) -> tuple[bytes, Any] | None:
        import obstore  # noqa: PLC0415 - an extra

        try:
            found = await obstore.get_async(self.store, _key(name))
            if found.meta["size"] > limit:
                return None
            return bytes(await found.bytes_async()), found.meta
        except FileNotFoundError:
            return None

    @telling
    async def update(
        self, name: str, change: Callable[[bytes | None], bytes | None], limit: int
    ) -> None:
        """Change a small object; where somebody else did so meanwhile, change that again."""
        while True:
            found = await self._read(name, limit)
            before = None if found is None else found[0]
            after = await run_sync(change, before)
            if after is None or after == before:
                return
            mode: Any = "overwrite"
            if self._conditions:
                mode = "create" if found is None else _version(found[1])
            try:
                await self._put(name, after, mode=mode)
            except Exception as error:
                if self._conditions and knows_no_conditions(error):
                    self._conditions = False
                elif not is_conflict(error):
                    raise
            else:
                return

    @telling
    async def put(self, name: str, body: bytes, *, replace: bool) -> str:
        """Put a body in one request, first or not at all unless `replace`: its stamp.

        Where something stands there already, it is kept if its bytes are the same, be they another
        process's, or our own of a request whose answer was lost.
        """
        for _ in range(_TRIES):
            try:
                create = not replace and self._conditions
                return await self._put(name, body, mode="create" if create else "overwrite")
            except Exception as error:
                if not replace and knows_no_conditions(error):
                    self._conditions = False
                    continue
                if not is_conflict(error):
                    raise
            there = await self.look(name)
            if there is None:
                continue  # a race that both have lost
            if await self.digest(there) == await run_sync(_sha256, body):
                return there.stamp
            break
        raise another_there(self.locate(name))

    async def _put(self, name: str, body: bytes, *, mode: Any) -> str:  # noqa: ANN401 - obstore's
        import obstore  # noqa: PLC0415 - an extra

        key = _key(name)
        put = await settle(
            lambda: obstore.put_async(
                self.store,
                key,
                body,
                mode=mode,
                attributes=_attributes(name),
                use_multipart=False,
            )
        )
        return _stamp(put["e_tag"], put["version"])

    def open_writer(self, name: str, *, piece: int, at_once: int) -> Any:  # noqa: ANN401 - obstore's
        """A multipart upload that begins with its first piece; no I/O."""
        import obstore  # noqa: PLC0415 - an extra

        return obstore.open_writer_async(
            self.store,
            _key(name),
            attributes=_attributes(name),
            buffer_size=piece,
            max_concurrency=at_once,
        )


def _key(name: str) -> str:
    return "/".join(split(name))


def _attributes(name: str) -> dict[str, str]:
    media_type = _MEDIA_TYPES.get(name.rpartition(".")[2])
    return {} if media_type is None else {"Content-Type": media_type}


def _standing(key: str, meta: Any) -> Standing:  # noqa: ANN401 - a TypedDict of obstore's
    stamp = _stamp(meta["e_tag"], meta.get("version")) or meta["last_modified"].isoformat()
    return Standing(key=key, size=meta["size"], stamp=stamp, etag=meta["e_tag"])


def _stamp(etag: str | None, version: str | None) -> str:
    return etag or version or ""


def _version(meta: Any) -> dict[str, str]:  # noqa: ANN401 - a TypedDict of obstore's
    """What obstore takes as "only if it is still this one"."""
    found = {"e_tag": meta["e_tag"], "version": meta.get("version")}
    return {name: value for name, value in found.items() if value is not None}


def _blocks(there: Standing) -> Iterator[Any]:
    """Ranges of one and the same object: should it be replaced meanwhile, that is an error."""
    same = {} if there.etag is None else {"if_match": there.etag}
    for start in range(0, there.size, _BLOCK):
        yield {"range": (start, min(start + _BLOCK, there.size)), **same}


def _sha256(body: bytes) -> str:
    return sha256(body).hexdigest()
