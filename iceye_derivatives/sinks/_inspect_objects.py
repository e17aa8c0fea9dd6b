"""What stands under an object store's prefix: read again, and compared with the journals there?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import anyio

from iceye_derivatives._core.inventory import Finding, Inventory, judge_file, roll_call
from iceye_derivatives._core.journal import join_page, read_journal
from iceye_derivatives._core.plan import journals_among
from iceye_derivatives.sinks._object_errors import os_error
from iceye_derivatives.sinks._object_store import ObjectStoreSink

__all__ = ["inspect_objects"]


def inspect_objects(sink: ObjectStoreSink) -> Iterator[Inventory]:
    """Read and hash the objects of each task under a prefix; as `inspect` does for folders."""
    for task, names in sorted(_names(sink).items()):
        found = anyio.run(_inspect, sink, task, sorted(names))
        if found.task_id is not None or found.findings:
            yield found


def _names(sink: ObjectStoreSink) -> dict[str, set[str]]:
    """By task's prefix; that may be the sink's own."""
    import obstore  # noqa: PLC0415 - an extra

    names: defaultdict[str, set[str]] = defaultdict(set)
    fault: OSError | None = None
    try:
        for chunk in obstore.list(sink.store):
            for meta in chunk:
                task, _, name = str(meta["path"]).rpartition("/")
                names[task].add(name)
    except Exception as error:  # noqa: BLE001 - obstore raises whatever its parts do
        fault = os_error(error, sink.url)
    if fault is not None:
        raise fault
    if "" in names and not journals_among(names[""]):
        del names[""]
    return names


async def _inspect(sink: ObjectStoreSink, task: str, names: list[str]) -> Inventory:
    above = f"{task}/" if task else ""
    journal = None
    for page in journals_among(names):
        journal = join_page(journal, read_journal(await sink.read_note(f"{above}{page}")))
    findings: list[Finding] = []
    for name, known in sorted(journal.files.items()) if journal else ():
        found: Any = await sink.find(f"{above}{name}")
        there = None if found is None else (found.size, found.sha256)
        findings.append(judge_file(name, known, there))
    return Inventory(
        folder=f"{sink.url}/{task}".rstrip("/"),
        task_id=None if journal is None else journal.task_id,
        findings=(*findings, *roll_call(names, journal)),
    )
