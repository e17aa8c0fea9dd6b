"""What does a failure of the sink mean for a transfer?"""

from __future__ import annotations

from types import TracebackType

from iceye_derivatives._core.transfer_errors import TransferErrors

__all__ = ["storing"]


class storing:  # noqa: N801 - a context manager, and a class since each file enters four of them
    """Turn the sink's `OSError`s into `DiskFullError` and `StorageError`.

    Not for a claim: errors of others pass through its block as well.
    """

    __slots__ = ("_errors",)

    def __init__(self, errors: TransferErrors) -> None:
        self._errors = errors

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc, OSError):
            raise self._errors.storage(exc) from exc
