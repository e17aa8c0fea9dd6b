"""In what words does a shell's user read of an error?

The errors' own messages speak to programs ("go on with watch=error.watch", "see .first_bytes");
where a person at a shell goes on differently, the sentence is made from the evidence instead.
"""

from __future__ import annotations

import re
from typing import Final

from iceye_derivatives._core.unread import spell
from iceye_derivatives.cli.exit_codes import FAILURE, Interrupted, SomeTasksFailed, exit_code
from iceye_derivatives.errors import (
    ContentError,
    DownloadError,
    DownloadFailedError,
    FileTooLargeError,
    InvalidTaskRequestError,
    LinkRefusedError,
    LinkUnavailableError,
    NoDerivativesRequestedError,
    PollBudgetError,
    StorageError,
    TaskEndedError,
    UnreadableDerivativesError,
    WatchError,
    WatchTimeoutError,
)

__all__ = ["sentence"]

SHOWN = 3
"""Failed files that are told of one by one: they mostly fail alike."""
BEGINNING = 48
"""Bytes of what came instead of a file."""
AGAIN = "run the same command again"


def sentence(error: BaseException) -> str:  # noqa: PLR0911  one for each kind
    """What happened, to what, and what to do next."""
    match error:
        case WatchError():
            return _watch_sentence(error)
        case DownloadError():
            return _file_sentence(error)
        case DownloadFailedError():
            return _files_sentence(error)
        case SomeTasksFailed(files=DownloadFailedError() as files):
            return f"{error}; {sentence(files)}"
        case InvalidTaskRequestError():
            return f"{error}; --no-check sends it all the same"
        case OSError() if error.filename is not None:
            return f"{error.filename}: {error.strerror}"
        case Interrupted() | KeyboardInterrupt():
            return f"Interrupted. {error}".strip()
        case _:
            known = exit_code(error) != FAILURE
            return str(error) if known else f"{type(error).__name__}: {error}"


_FOR_PROGRAMS: Final = re.compile(
    r"(: see the cause|; see \.|; if that is what it should be).*", re.DOTALL
)
"""Where a message begins to speak of attributes and arguments."""


def _file_sentence(error: DownloadError) -> str:
    told = _FOR_PROGRAMS.sub("", str(error))
    match error:
        case StorageError(__cause__=OSError() as cause):
            where = f"{cause.filename}: " if cause.filename is not None else ""
            reason = f"{where}{cause.strerror or type(cause).__name__}"
            return f"{error.path} could not be stored ({reason}): mend that, and {AGAIN}"
        case LinkUnavailableError(__cause__=Exception() as cause):
            return f"{told}: {cause}"
        case ContentError(first_bytes=beginning) if beginning:
            text = beginning[:BEGINNING].decode("utf-8", "replace")
            return f"{told}; it begins with {text!r}; {AGAIN}, and ask ICEYE if it stays so"
        case LinkRefusedError(store_code=code):
            return f"{told}{f' ({code})' if code else ''}; ask ICEYE if it stays so"
        case FileTooLargeError(limit=limit):
            return f"{told}; a program of your own can raise that, by Limits({limit}=…)"
        case _:
            return told


def _files_sentence(error: DownloadFailedError) -> str:
    members = [sentence(member) for member in error.exceptions]
    more = [f"and {len(members) - SHOWN} more"] if len(members) > SHOWN else []
    return f"{error.message}: {'; '.join([*members[:SHOWN], *more])}"


def _watch_sentence(error: WatchError) -> str:
    missing = ", ".join(error.missing) or "all"
    unread = f" (cannot be read: {spell(error.unreadable)})" if error.unreadable else ""
    so_far = (
        f"Task {error.task_id} is not complete: {len(error.delivered)} derivative(s) came, "
        f"missing: {missing}{unread}"
    )
    match error:
        case WatchTimeoutError():
            return f"{so_far}; run the same command again to go on"
        case PollBudgetError():
            return f"{so_far}; too many looks failed in a row, the last: {error.__cause__}"
        case UnreadableDerivativesError():
            return f"{so_far}; report it to ICEYE, and {AGAIN} when it is mended"
        case TaskEndedError():
            return (
                f"Task {error.task_id} is {error.status}: what is missing ({missing}) will not "
                "come; order a new task if you still need it"
            )
        case NoDerivativesRequestedError():
            return (
                f"Task {error.task_id} lists no derivatives, so none are waited for: if some were "
                "ordered, name them with --derivative; else order a task that has some"
            )
        case _:
            return str(error)
