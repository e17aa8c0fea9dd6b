"""What stands in the folders of a sink: hashed again, and compared with their journals?"""

from __future__ import annotations

import os
from collections.abc import Iterator

from iceye_derivatives._core.inventory import Finding, Inventory, judge_file, roll_call
from iceye_derivatives._core.journal import LARGEST, join_page, read_journal
from iceye_derivatives._core.plan import JOURNAL, journals_among
from iceye_derivatives.sinks._destination import sink_for
from iceye_derivatives.sinks._folder import NO_FILE, Folder
from iceye_derivatives.sinks._hash import hash_file
from iceye_derivatives.sinks._inspect_objects import inspect_objects
from iceye_derivatives.sinks._object_store import ObjectStoreSink

__all__ = ["inspect"]


def inspect(root: str | os.PathLike[str]) -> Iterator[Inventory]:
    """Hash the files of each task below a folder or URL (or of the one whose folder it is).

    A folder may also be the one above those into which tasks were downloaded.

    It blocks, task by task; symbolic links are not followed.  Folders that hold neither a journal
    nor a file are left out.

    Raises:
        OSError: the folder or store cannot be read.
        ConfigurationError: the URL is of no store that we know.
    """
    sink = sink_for(root)
    if isinstance(sink, ObjectStoreSink):
        yield from inspect_objects(sink)
    else:
        yield from _inspect_folders(os.fspath(root))


def _inspect_folders(path: str) -> Iterator[Inventory]:
    with Folder(path, JOURNAL) as folder:
        names = sorted(folder.names())
        if journals_among(names):
            yield _inspect(folder, path, names)
            return
    for name in names:
        yield from _inspect_below(path, name)


def _inspect_below(root: str, name: str) -> Iterator[Inventory]:
    found = _look(root, name)
    if found is None:
        return
    if found.task_id is None:
        # Whoever names a folder one too high means the tasks of all below it, and would be told to
        # download them once more.
        inner = [_look(root, f"{name}/{each.name}") for each in found.findings]
        tasks = [task for task in inner if task is not None and task.task_id is not None]
        if tasks:
            yield from tasks
            return
    if found.task_id is not None or found.findings:
        yield found


def _look(root: str, name: str) -> Inventory | None:
    """None where no task's folder can be: a file, a link, or a name that none has."""
    try:
        with Folder(root, f"{name}/{JOURNAL}") as folder:
            path = os.path.join(root, *name.split("/"))  # noqa: PTH118
            return _inspect(folder, path, sorted(folder.names()))
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in NO_FILE:
            raise
        return None


def _inspect(folder: Folder, path: str, names: list[str]) -> Inventory:
    journal = None
    for page in journals_among(names):
        journal = join_page(journal, read_journal(folder.read(page, LARGEST)))
    findings: list[Finding] = []
    for name, known in sorted(journal.files.items()) if journal else ():
        findings.append(judge_file(name, known, hash_file(folder, name)))
    return Inventory(
        folder=path,
        task_id=None if journal is None else journal.task_id,
        findings=(*findings, *roll_call(names, journal)),
    )
