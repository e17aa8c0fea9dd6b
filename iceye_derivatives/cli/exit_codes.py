"""Which exit code and which sentence does an error end the program with?"""

from __future__ import annotations

from attrs import frozen

from iceye_derivatives.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    DetectionsError,
    DiskFullError,
    DownloadError,
    DownloadFailedError,
    InvalidTaskRequestError,
    NetworkError,
    NoDerivativesRequestedError,
    PermissionDeniedError,
    PollBudgetError,
    StorageError,
    TaskCreationUncertainError,
    TaskEndedError,
    TaskNotFoundError,
    WatchError,
    WatchTimeoutError,
)

__all__ = [
    "CAUSES",
    "FAILURE",
    "INTERRUPTED",
    "Cause",
    "Interrupted",
    "SomeTasksFailed",
    "exit_code",
    "sentence",
]

FAILURE = 1
INTERRUPTED = 130
"""What shells give for SIGINT (128 + 2); SIGTERM ends the same way here, so it says the same."""


class Interrupted(Exception):  # noqa: N818  an end on request, not an error
    """A signal asked the program to end; its text is what is there and how to go on."""


class SomeTasksFailed(Exception):  # noqa: N818  as above: some of many
    """Of many tasks some were given up; its text is how many, and why the first was.

    Args:
        message: The text.
        files: What failed of the tasks that were not given up, if anything did.
    """

    def __init__(self, message: str, files: DownloadFailedError | None = None) -> None:
        super().__init__(message)
        self.files = files


@frozen
class Cause:
    """One row of the table: a code, when it comes, and the errors that bring it."""

    code: int
    meaning: str
    errors: tuple[type[BaseException], ...] = ()


CAUSES = (
    Cause(0, "all that was asked for is there"),
    Cause(FAILURE, "an error that nobody expected; --debug shows where"),
    Cause(
        2,
        "usage, configuration, or a request that is refused as it is",
        (ConfigurationError, InvalidTaskRequestError, BadRequestError),
    ),
    Cause(3, "credentials or permissions", (AuthenticationError, PermissionDeniedError)),
    Cause(
        4,
        "no such task, or a task without derivatives",
        (TaskNotFoundError, NoDerivativesRequestedError),
    ),
    Cause(5, "the task was rejected, failed or canceled", (TaskEndedError,)),
    Cause(6, "the patience of --timeout is used up, something is missing", (WatchTimeoutError,)),
    Cause(
        7,
        "files or tasks failed; what is there is whole",
        (DownloadError, DownloadFailedError, DetectionsError, SomeTasksFailed),
    ),
    Cause(
        8,
        "the API or the network failed more often than allowed",
        (ApiError, NetworkError, PollBudgetError, TaskCreationUncertainError),
    ),
    Cause(9, "the disk is full or refuses", (DiskFullError, StorageError, OSError)),
    Cause(INTERRUPTED, "interrupted by Ctrl-C or SIGTERM", (Interrupted, KeyboardInterrupt)),
)
"""The table, as `--help` prints it."""

CODES = {error: cause.code for cause in CAUSES for error in cause.errors}


def exit_code(error: BaseException) -> int:
    """The code of the nearest class in the table; 1 where there is none."""
    if isinstance(error, SomeTasksFailed) and error.files is not None:
        return exit_code(error.files)
    if isinstance(error, DownloadFailedError):
        # A full disk is the machine's trouble, whatever else failed beside it.
        codes = {exit_code(member) for member in error.exceptions}
        return max(codes & {CODES[StorageError]}, default=CODES[DownloadFailedError])
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), FAILURE)


def sentence(error: BaseException) -> str:  # noqa: PLR0911  one for each kind
    """What happened, to what, and what to do next, in the words of a shell's user.

    The errors' own messages speak to programs ("go on with watch=error.watch"); where a person at
    a shell goes on differently, the sentence is made from the evidence instead.
    """
    match error:
        case WatchError():
            return _watch_sentence(error)
        case DownloadFailedError():
            return f"{error.message}: {'; '.join(str(member) for member in error.exceptions)}"
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


def _watch_sentence(error: WatchError) -> str:
    missing = ", ".join(error.missing) or "all"
    so_far = (
        f"Task {error.task_id} is not complete: {len(error.delivered)} derivative(s) came, "
        f"missing: {missing}"
    )
    match error:
        case WatchTimeoutError():
            return f"{so_far}; run the same command again to go on"
        case PollBudgetError():
            return f"{so_far}; too many looks failed in a row, the last: {error.__cause__}"
        case TaskEndedError():
            return (
                f"Task {error.task_id} is {error.status}: what is missing ({missing}) will not "
                "come; order a new task if you still need it"
            )
        case NoDerivativesRequestedError():
            return (
                f"Task {error.task_id} was ordered without derivatives, so none will come; "
                "order one with --derivative"
            )
        case _:
            return str(error)
