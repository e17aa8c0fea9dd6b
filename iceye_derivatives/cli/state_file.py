"""Where does one watch stand between two runs of the program?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from iceye_derivatives._core.watch import Watch
from iceye_derivatives.errors import ConfigurationError

__all__ = ["load_watch", "save_text", "save_watch", "tell_ordered"]


def tell_ordered(watch: Watch, derivatives: Sequence[str]) -> Watch:
    """The watch, which now knows what was ordered; the API has the last word where it tells."""
    if derivatives:
        watch.requested, watch.sure = tuple(derivatives), True
    return watch


def load_watch(path: Path | None, task_id: str) -> Watch:
    """The watch saved there, or a new one where there is no file.

    Raises:
        ConfigurationError: the file holds something else, or another task's watch.
        OSError: it cannot be read.
    """
    if path is None:
        return Watch(task_id)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Watch(task_id)
    except UnicodeDecodeError:
        text = ""
    try:
        watch = Watch.from_json(text)
    except ConfigurationError:
        raise ConfigurationError(
            f"{path} holds no saved watch of this version: delete it, or name another file"
        ) from None
    if watch.task_id != task_id:
        raise ConfigurationError(
            f"{path} holds the watch of task {watch.task_id}, not of {task_id}: name another file"
        )
    return watch


def save_watch(path: Path, watch: Watch) -> None:
    """Write down where a watch stands.

    Raises:
        OSError: it cannot be written.
    """
    save_text(path, watch.to_json())


def save_text(path: Path, text: str) -> None:
    """Write it so that a crash leaves the old state or the new one, never half of one.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        # Nobody has asked for a file by the draft's name; what is missing can only be the folder.
        named = path.parent if isinstance(error, FileNotFoundError) else path
        raise OSError(error.errno, error.strerror, str(named)) from error
    finally:
        draft.unlink(missing_ok=True)
