"""What can go wrong, and what a caller can do about it.

::

    IceyeError                            every error of this library; `.retryable`
    ├── ConfigurationError                settings or environment variables are missing or wrong
    ├── InvalidTaskRequestError           found before sending; `.faults` holds all of them
    ├── ApiError                          the API said no; `.status` `.code` `.reference` `.task_id`
    │   ├── BadRequestError               400 and other 4xx without a class of their own
    │   ├── AuthenticationError           401 twice, or the token endpoint refused
    │   ├── PermissionDeniedError         403
    │   ├── TaskNotFoundError             404 for the task itself
    │   ├── RateLimitedError              429; `.retry_after`                          retryable
    │   ├── ServerError                   5xx, 408, 425; `.retry_after`                retryable
    │   ├── LimitExceededError            an answer above a ceiling of `Limits`; `.limit` `.allowed`
    │   └── UnexpectedResponseError       an answer that is not what ICEYE documents   retryable
    ├── NetworkError                      no answer, or half of one                    retryable
    ├── TaskCreationUncertainError        the answer to createTask was lost
    ├── WatchError                        a watch ended early; `.watch` `.delivered` `.missing`
    │   ├── WatchTimeoutError             patience is used up (also a `TimeoutError`)  retryable
    │   ├── PollBudgetError               too many failed polls in a row               retryable
    │   ├── UnreadableDerivativesError    what is left cannot be read; `.unreadable`   retryable
    │   ├── TaskEndedError                REJECTED, FAILED or CANCELED; `.status`
    │   └── NoDerivativesRequestedError   the task lists no derivativeProductTypes
    ├── DownloadError                     one file failed; `.asset` `.path`
    │   ├── LinkRefusedError              the store refuses a fresh link; `.store_code`
    │   ├── LinkUnavailableError          the API does not list the asset any more     retryable
    │   ├── TransferError                 the line broke more often than allowed       retryable
    │   ├── ContentError                  wrong size, no GeoJSON, …; `.first_bytes`
    │   ├── FileTooLargeError             above a ceiling of `Limits`; `.limit` `.allowed`
    │   ├── UnsafeLinkError               the link leads where we do not go
    │   ├── DiskFullError                 no room left
    │   └── StorageError                  the sink failed otherwise
    ├── DetectionsError                   a file on disk is no GeoJSON; `.path`
    └── DownloadFailedError               what `report.raise_for_failures()` raises (ExceptionGroup)

All of them pickle, because schedulers send errors between processes.  No message and no attribute
holds a token, a client secret or a signed query string.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import frozen

from iceye_derivatives._visible import visible

if TYPE_CHECKING:
    from typing import Self

    from iceye_derivatives._core.watch import Watch
    from iceye_derivatives.events import DownloadReport
    from iceye_derivatives.models import AssetRef

__all__ = [
    "ApiError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ContentError",
    "DetectionsError",
    "DiskFullError",
    "DownloadError",
    "DownloadFailedError",
    "Fault",
    "FileTooLargeError",
    "IceyeError",
    "InvalidTaskRequestError",
    "LimitExceededError",
    "LinkRefusedError",
    "LinkUnavailableError",
    "NetworkError",
    "NoDerivativesRequestedError",
    "PermissionDeniedError",
    "PollBudgetError",
    "RateLimitedError",
    "ServerError",
    "StorageError",
    "TaskCreationUncertainError",
    "TaskEndedError",
    "TaskNotFoundError",
    "TransferError",
    "UnexpectedResponseError",
    "UnreadableDerivativesError",
    "UnsafeLinkError",
    "WatchError",
    "WatchTimeoutError",
]


class IceyeError(Exception):
    """The root of all errors that this library raises on purpose."""

    retryable: ClassVar[bool] = False
    """Whether the same call, made again later, may succeed."""
    report: DownloadReport | None = None
    """What a `download_task` that this error ended had brought home by then."""

    sent: bool = True
    """False only where it is certain that the API did not carry the call out: it never left this
    machine, since no connection was made or no token was to be had."""

    def __init__(self, message: str) -> None:
        # Done here for all errors: messages quote ids and statuses, and end up in logs.
        super().__init__(visible(message))

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions with keyword-only arguments do not pickle by themselves: rebuild without
        # calling `__init__`, from the message and the evidence.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    cls: type[BaseException], args: tuple[Any, ...], evidence: dict[str, Any]
) -> BaseException:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(evidence)
    return error


@frozen
class Fault:
    """One thing that is wrong with a request."""

    path: str
    """Where: the API's own field name, e.g. ``acquisitionWindow.start``."""
    message: str
    """What is wrong with it and what would be right."""
    code: str | None = None
    """The API's own code for it, where one is documented."""


class ConfigurationError(IceyeError, ValueError):
    """A setting is missing or cannot be used; nothing was sent."""


class InvalidTaskRequestError(IceyeError, ValueError):
    """The request breaks documented rules; nothing was sent.

    Switch the check off with ``create_task(request, check=False)`` where your contract differs.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        listed = "; ".join(f"{fault.path}: {fault.message}" for fault in self.faults)
        super().__init__(
            f"The task request was not sent, as it has {len(faults)} fault(s): {listed}"
        )

    @property
    def codes(self) -> tuple[str, ...]:
        """The API's own codes among the faults (``INCOMPATIBLE_IMAGING_MODE_FOR_…``)."""
        return tuple(fault.code for fault in self.faults if fault.code is not None)


class ApiError(IceyeError):
    """The API answered, and the answer is no."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        reference: str | None = None,
        task_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status."""
        self.code = code
        """The machine-readable code of the error body, where it has one."""
        self.reference = reference
        """The error body's link to the operation's documentation."""
        self.task_id = task_id
        self.retry_after = retry_after
        """Seconds that the API asked to wait."""


class BadRequestError(ApiError):
    """The API refuses the request as it is; sending it again will not help."""


class AuthenticationError(ApiError):
    """The credentials are refused: by the token endpoint, or by the API twice in a row."""


class PermissionDeniedError(ApiError):
    """The credentials are good, but this is not ours to see (403)."""


class TaskNotFoundError(ApiError):
    """The API does not know the task."""


class RateLimitedError(ApiError):
    """The API asks us to slow down (429)."""

    retryable = True


class ServerError(ApiError):
    """The API failed (5xx), or says that the same request may pass later (408, 425)."""

    retryable = True


class LimitExceededError(ApiError):
    """The answer is above a ceiling of `Limits`; asking again would most likely bring the same."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        task_id: str | None = None,
        limit: str,
        allowed: float,
    ) -> None:
        super().__init__(message, status=status, task_id=task_id)
        self.limit = limit
        """Which one, e.g. ``json_bytes``: ``Limits(json_bytes=…)`` raises it."""
        self.allowed = allowed
        """What it is set to."""


class UnexpectedResponseError(ApiError):
    """The answer is not what ICEYE documents: HTML, no JSON, a field missing, a cursor that loops.

    Retryable, because such answers mostly come from a gateway on a bad day.
    """

    retryable = True


class NetworkError(IceyeError):
    """No answer came, or only half of one: name look-up, connection, TLS, timeout, broken body."""

    retryable = True

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class TaskCreationUncertainError(IceyeError):
    """The answer to createTask was lost: the task may exist, and was not ordered a second time."""

    def __init__(self, message: str, *, reference: str | None) -> None:
        super().__init__(message)
        self.reference = reference
        """The ``reference`` to look the task up by, where the request carried one."""


class WatchError(IceyeError):
    """A watch ended before all derivatives were there; nothing that was ready is lost."""

    def __init__(self, message: str, *, watch: Watch, status: str | None = None) -> None:
        super().__init__(message)
        self.watch = watch
        """Goes on where this one stopped: ``client.watch_task(task_id, watch=error.watch)``."""
        self.task_id = watch.task_id
        self.delivered = watch.delivered
        """Ids of the derivatives that were handed out, in that order."""
        self.missing = watch.missing
        """What is known to be still missing: derivative ids, else requested product types, else
        where in the listing it stands."""
        self.unreadable = watch.unreadable
        """What the last listing held of it that cannot be read."""
        self.status = status
        """The task's status, where it was learned."""


class WatchTimeoutError(WatchError, TimeoutError):
    """The patience given as ``timeout`` is used up: a normal end of a wait, not a crash."""

    retryable = True


class PollBudgetError(WatchError):
    """Too many polls failed in a row; the last failure is the ``__cause__``."""

    retryable = True


class UnreadableDerivativesError(WatchError):
    """All that can be read has come, and what cannot be read stays so; `.unreadable` names it."""

    retryable = True


class TaskEndedError(WatchError):
    """The task is REJECTED, FAILED or CANCELED: its derivatives will never come."""


class NoDerivativesRequestedError(WatchError):
    """The task lists no ``derivativeProductTypes``, and nobody has said that some were ordered."""


class DownloadError(IceyeError):
    """One file could not be brought home; nothing stands under its final name."""

    def __init__(self, message: str, *, asset: AssetRef, path: str | None = None) -> None:
        super().__init__(message)
        self.asset = asset
        self.path = path
        """Where it would have been."""


class LinkRefusedError(DownloadError):
    """The store refuses a link that was signed a moment ago: renewing again will not help."""

    def __init__(
        self,
        message: str,
        *,
        asset: AssetRef,
        path: str | None = None,
        status: int,
        store_code: str | None = None,
    ) -> None:
        super().__init__(message, asset=asset, path=path)
        self.status = status
        self.store_code = store_code
        """The ``Code`` of the store's XML answer, e.g. ``AccessDenied``."""


class LinkUnavailableError(DownloadError):
    """The link is dead and the API does not list the asset at the moment."""

    retryable = True


class TransferError(DownloadError):
    """The transfer broke more often than its budget allows; the last break is the ``__cause__``."""

    retryable = True


class ContentError(DownloadError):
    """The store sent something that is not the file: wrong length, no GeoJSON, an HTML page."""

    def __init__(
        self, message: str, *, asset: AssetRef, path: str | None = None, first_bytes: bytes = b""
    ) -> None:
        super().__init__(message, asset=asset, path=path)
        self.first_bytes = first_bytes
        """How it began, with anything that looks like a signature taken out."""


class FileTooLargeError(DownloadError):
    """A file, or all files of a run together, are above a ceiling of `Limits`."""

    def __init__(
        self,
        message: str,
        *,
        asset: AssetRef,
        path: str | None = None,
        limit: str,
        allowed: float,
    ) -> None:
        super().__init__(message, asset=asset, path=path)
        self.limit = limit
        """Which one, e.g. ``bytes_per_file``: ``Limits(bytes_per_file=…)`` raises it."""
        self.allowed = allowed
        """What it is set to."""


class UnsafeLinkError(DownloadError):
    """The link is not one to follow: not https, credentials inside, an odd scheme."""


class DiskFullError(DownloadError):
    """No room is left; what is already there is whole, and running again goes on."""


class StorageError(DownloadError):
    """The sink could not store the file."""


class DetectionsError(IceyeError, ValueError):
    """A file on the disk cannot be read as detections: changed since, or never one of ours."""

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message)
        self.path = path


class DownloadFailedError(ExceptionGroup[DownloadError], IceyeError):
    """Some files failed: what `DownloadReport.raise_for_failures()` raises.

    ``.exceptions`` holds one `DownloadError` a failed file, so ``except*`` works.
    """

    def __new__(cls, message: str, errors: Sequence[DownloadError]) -> Self:
        """As `ExceptionGroup` wants it: message and members at creation."""
        return super().__new__(cls, message, errors)

    def __init__(self, message: str, errors: Sequence[DownloadError]) -> None:
        Exception.__init__(self, message, errors)

    def derive(self, excs: Sequence[DownloadError]) -> DownloadFailedError:  # type: ignore[override]
        """The same kind of group over other errors (``except*`` asks for it)."""
        return DownloadFailedError(self.message, excs)
