"""What passes between a trigger and an operator, through Airflow's database: plain JSON, no URL?

Airflow tells events of one trigger that runs twice apart by their payload, so equal news must read
equally wherever they were gathered.
"""

from __future__ import annotations

from typing import Any

from attrs import asdict, frozen

from iceye_derivatives import Derivative, IceyeError

__all__ = ["Failure", "News", "Ready"]


@frozen(kw_only=True)
class Ready:
    """A derivative whose assets can be fetched."""

    task_id: str
    derivative_id: str
    product_type: str
    asset_types: tuple[str, ...]
    is_update: bool = False

    @classmethod
    def of(cls, derivative: Derivative) -> Ready:
        """The part of a derivative that lives longer than its links."""
        return cls(
            task_id=derivative.task_id,
            derivative_id=derivative.id,
            product_type=derivative.product_type,
            asset_types=tuple(asset.type for asset in derivative.assets),
            is_update=derivative.is_update,
        )


@frozen(kw_only=True)
class Failure:
    """A task that is watched no more."""

    task_id: str
    kind: str
    """The error's class."""
    message: str
    retryable: bool

    @classmethod
    def of(cls, task_id: str, error: IceyeError) -> Failure:
        """An error as text; our messages hold no secret."""
        return cls(
            task_id=task_id,
            kind=type(error).__name__,
            message=str(error),
            retryable=error.retryable,
        )


@frozen(kw_only=True)
class News:
    """Why a trigger fires: what became ready, what failed, and how the others go on."""

    ready: tuple[Ready, ...] = ()
    failed: tuple[Failure, ...] = ()
    waiting: int = 0
    """Tasks that are not finished."""
    state: str | None = None
    """The saved fleet of those, see `iceye_derivatives.FleetState`."""
    error: Failure | None = None
    """What ended the whole wait, e.g. refused credentials."""

    def to_payload(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "ready": [{**asdict(each), "asset_types": [*each.asset_types]} for each in self.ready],
            "failed": [asdict(each) for each in self.failed],
            "waiting": self.waiting,
            "state": self.state,
            "error": None if self.error is None else asdict(self.error),
        }

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> News:
        """What `to_payload` wrote."""
        error = payload["error"]
        return cls(
            ready=tuple(
                Ready(**{**each, "asset_types": tuple(each["asset_types"])})
                for each in payload["ready"]
            ),
            failed=tuple(Failure(**each) for each in payload["failed"]),
            waiting=payload["waiting"],
            state=payload["state"],
            error=None if error is None else Failure(**error),
        )
