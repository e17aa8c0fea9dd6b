"""Which exit code does an error end the program with?"""

from __future__ import annotations

from attrs import frozen
from click import ClickException

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
    UnreadableDerivativesError,
    WatchTimeoutError,
)

__all__ = [
    "CAUSES",
    "FAILURE",
    "INTERRUPTED",
    "UNREAD",
    "Cause",
    "Interrupted",
    "SomeTasksFailed",
    "SomeTasksLate",
    "exit_code",
]

FAILURE = 1
INTERRUPTED = 130
"""What shells give for SIGINT (128 + 2); SIGTERM ends the same way here, so it says the same."""

UNREAD = 141
"""The same for SIGPIPE (128 + 13): who sets ``pipefail`` knows it by this number."""


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


class SomeTasksLate(SomeTasksFailed):
    """The same where each of them only ran out of patience: as with one task, run it again."""


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
        (ConfigurationError, InvalidTaskRequestError, BadRequestError, ClickException),
    ),
    Cause(3, "credentials or permissions", (AuthenticationError, PermissionDeniedError)),
    Cause(
        4,
        "no such task, or a task without derivatives",
        (TaskNotFoundError, NoDerivativesRequestedError),
    ),
    Cause(5, "the task was rejected, failed or canceled", (TaskEndedError,)),
    Cause(
        6,
        "the patience of --timeout is used up, something is missing",
        (WatchTimeoutError, SomeTasksLate),
    ),
    Cause(
        7,
        "files or tasks failed; what is there is whole",
        (DownloadError, DownloadFailedError, DetectionsError, SomeTasksFailed),
    ),
    Cause(
        8,
        "the API or the network failed more often than allowed",
        (
            ApiError,
            NetworkError,
            PollBudgetError,
            TaskCreationUncertainError,
            UnreadableDerivativesError,
        ),
    ),
    Cause(9, "the disk is full or refuses", (DiskFullError, StorageError, OSError)),
    Cause(INTERRUPTED, "interrupted by Ctrl-C or SIGTERM", (Interrupted, KeyboardInterrupt)),
    Cause(UNREAD, "whoever read the output has gone, as `head -1` does", (BrokenPipeError,)),
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
