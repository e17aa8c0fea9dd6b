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
        try:
            with Folder(path, f"{name}/{JOURNAL}") as folder:
                inside = sorted(folder.names())
                found = _inspect(folder, os.path.join(path, name), inside)  # noqa: PTH118
        except (OSError, ValueError) as error:
            # A file, a link, or a name that no task's folder can have.
            if isinstance(error, OSError) and error.errno not in NO_FILE:
                raise
            continue
        if found.task_id is not None or found.findings:
            yield found


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
