"""When is a task's folder described as a STAC Item, and what is asked and read for it?

It is written together with the journal: at most once a second, and at the end.  If it cannot be
written, there is no catalogue, but no file is held up for it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from typing import Any, Final, Protocol, runtime_checkable

import anyio
from anyio.to_thread import run_sync

from iceye_derivatives._core.content import is_geojson
from iceye_derivatives._core.coverage import Coverage, coverage_of
from iceye_derivatives._core.journal import Journal
from iceye_derivatives._core.plan import CATALOG, COLLECTION, ITEM, folder_name
from iceye_derivatives._core.stac import build_item, render
from iceye_derivatives._core.stac_collection import build_catalog, build_collection
from iceye_derivatives._core.stac_facts import CatalogFile, Recalled, facts_of, recall
from iceye_derivatives.errors import ConfigurationError, IceyeError
from iceye_derivatives.models import AcquisitionWindow, Derivative, Task
from iceye_derivatives.protocols import Sink
from iceye_derivatives.sharing import CatalogSink

__all__ = ["Catalogue"]

logger = logging.getLogger("iceye_derivatives")

_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a file that is looked into: parsing a longer one would hold up the loop."""
_TASK_TIMEOUT: Final = 30.0
"""Seconds for one question about a task; it is asked again when the item is next written."""
_TASKS: Final = 256
"""How many tasks are remembered: a run of weeks must not collect them all."""


@runtime_checkable
class _Knowing(Protocol):
    """A client that can tell of a task; fakes and others need not be able to."""

    base_url: str

    async def look_at_task(self, task_id: str) -> Task:
        """One request, no retry."""
        ...


class Catalogue:
    """The items of one run's tasks, and the collection above them.

    Args:
        sink: Where the files are.
        client: Is asked for each task once, if it can tell.

    Raises:
        ConfigurationError: the sink cannot read its files, or change its notes.
    """

    def __init__(self, sink: Sink, client: object) -> None:
        if not isinstance(sink, CatalogSink):
            raise ConfigurationError(
                f"{type(sink).__name__} cannot hold a STAC catalogue: leave stac=True out, or give "
                "it the methods of iceye_derivatives.sharing.CatalogSink"
            )
        self._sink = sink
        self._client = client if isinstance(client, _Knowing) else None
        self._tasks: dict[str, Task] = {}
        self._images: dict[str, dict[str, tuple[str | None, str | None]]] = {}
        """By task and derivative: the reference and the id of its image."""
        self._looked: dict[str, dict[str, tuple[str, Coverage]]] = {}
        """By task and file: its SHA-256, and what it covers."""

    def note(self, derivative: Derivative) -> None:
        """A file of this derivative is whole: its item has to be written."""
        image = (derivative.image_reference, derivative.image_id)
        self._images.setdefault(derivative.task_id, {})[derivative.id] = image

    async def write(self, journal: Journal, window: AcquisitionWindow | None, *, ask: bool) -> None:
        """Write a task's item, and tell the collection of it.

        Args:
            journal: What is known of the task's files.
            window: When its image may be taken, as far as the watch knows.
            ask: Whether the API may be asked for the task; not when somebody has cancelled.

        Raises:
            OSError: the sink failed.
        """
        task_id = journal.task_id
        folder = folder_name(task_id)
        before = recall(await self._sink.read_note(f"{folder}/{ITEM}"))
        task = await self._task(task_id) if ask else self._tasks.get(task_id)
        await self._look_inside(folder, journal, before)
        item = build_item(
            task_id,
            self._described(journal, before),
            facts_of(task, window, before.facts),
            api=None if self._client is None else f"{self._client.base_url}/api/tasking/v2",
        )
        await self._sink.update_note(f"{folder}/{ITEM}", lambda _: render(item))
        await self._sink.update_note(CATALOG, _first_catalog)
        await self._sink.update_note(COLLECTION, partial(_with_item, item=item, folder=folder))
        self._forget(task_id)

    async def _task(self, task_id: str) -> Task | None:
        if task_id not in self._tasks and self._client is not None:
            try:
                with anyio.move_on_after(_TASK_TIMEOUT):
                    self._tasks[task_id] = await self._client.look_at_task(task_id)
            except IceyeError as error:
                logger.debug("The item of task %s is written without it: %s", task_id, error)
        return self._tasks.get(task_id)

    async def _look_inside(self, folder: str, journal: Journal, before: Recalled) -> None:
        """Read the files that neither this run nor the item knows the inside of."""
        looked = self._looked.setdefault(journal.task_id, {})
        for name, file in journal.files.items():
            known = before.files.get(name)
            if known is not None and known.sha256 == file.sha256 and known.coverage is not None:
                continue
            if name in looked and looked[name][0] == file.sha256:
                continue
            if is_geojson(file.asset) and file.size <= _LARGEST:
                body = await self._sink.read_file(f"{folder}/{name}", _LARGEST)
                coverage = None if body is None else await run_sync(_look, body, file.sha256)
                if coverage is not None:
                    looked[name] = (file.sha256, coverage)

    def _described(self, journal: Journal, before: Recalled) -> Iterable[CatalogFile]:
        images = self._images.get(journal.task_id, {})
        looked = self._looked.get(journal.task_id, {})
        for name, file in journal.files.items():
            known = before.files.get(name)
            same = known if known is not None and known.sha256 == file.sha256 else None
            reference, image_id = images.get(file.asset.derivative_id, (None, None))
            sha256_then, coverage = looked.get(name, (None, None))
            if sha256_then != file.sha256:
                coverage = None
            yield CatalogFile(
                name=name,
                asset=file.asset,
                size=file.size,
                sha256=file.sha256,
                finished=file.finished,
                image_reference=reference or (same.image_reference if same else None),
                image_id=image_id or (same.image_id if same else None),
                coverage=coverage or (same.coverage if same else None),
            )

    def _forget(self, task_id: str) -> None:
        """The item remembers what is in its files; of the tasks, the oldest are forgotten."""
        self._looked.pop(task_id, None)
        for memory in (self._tasks, self._images):
            for old in list(memory)[:-_TASKS]:
                memory.pop(old, None)


def _look(body: bytes, expected: str) -> Coverage | None:
    """What a file covers; None where somebody has changed it since it was stored."""
    if sha256(body).hexdigest() != expected:
        return None
    try:
        return coverage_of(json.loads(body.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return None


def _with_item(before: bytes | None, *, item: dict[str, Any], folder: str) -> bytes | None:
    collection = build_collection(before, item, folder)
    return None if collection is None else render(collection)


def _first_catalog(before: bytes | None) -> bytes | None:
    catalog = build_catalog(before)
    return None if catalog is None else render(catalog)
