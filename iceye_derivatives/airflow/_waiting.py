"""What do operator and sensor share: which tasks, how they wait, and how a failure is told?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NoReturn, Protocol

from airflow.sdk.exceptions import AirflowException, AirflowFailException
from attrs import asdict, evolve, frozen

from iceye_derivatives import Backoff
from iceye_derivatives.airflow.payload import Failure, News
from iceye_derivatives.airflow.triggers import IceyeDerivativesTrigger

__all__ = ["Story", "backoff_arguments", "checked_ids", "raise_for", "wait_in_trigger"]

_TOLD: Final = 20
"""Failures that are spelled out: the message goes through a database, and people read it."""


@frozen(kw_only=True)
class Story:
    """What a wait has to know from one deferral to the next."""

    of: int
    """How many tasks it began with."""
    deadline: float | None
    """When patience ends, in Unix seconds."""
    failed: tuple[Failure, ...] = ()

    def on(self, news: News, failures: Iterable[Failure] = ()) -> Story:
        """The story with what failed in these news, and what failed after them."""
        error = () if news.error is None else (news.error,)
        return evolve(self, failed=(*self.failed, *news.failed, *failures, *error))

    def to_carry(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_carry(cls, carry: dict[str, Any]) -> Story:
        """What `to_carry` wrote, whatever else stands beside it."""
        return cls(
            of=carry["of"],
            deadline=carry["deadline"],
            failed=tuple(Failure(**each) for each in carry["failed"]),
        )


class _Waiter(Protocol):
    """What operator and sensor have alike."""

    iceye_conn_id: str
    save_every: float | None
    min_wait: float
    backoff: dict[str, float] | None
    max_failures: int
    defer: Any


def wait_in_trigger(
    task: _Waiter,
    story: Story,
    *,
    task_ids: Sequence[str],
    state: str | None,
    carry: dict[str, Any] | None = None,
    **more: Any,  # noqa: ANN401 - arguments of the trigger that only one of them has
) -> NoReturn:
    """Leave the worker; `resume` is called in another one, with the story and what is carried.

    Args:
        task: Who waits.
        story: So far.
        task_ids: Those that are waited for from now on.
        state: Those that are waited for already.
        carry: JSON values that come back beside the story.
        more: Further arguments of the trigger.
    """
    task.defer(
        trigger=IceyeDerivativesTrigger(
            task_ids=task_ids,
            iceye_conn_id=task.iceye_conn_id,
            state=state,
            deadline=story.deadline,
            save_every=task.save_every,
            min_wait=task.min_wait,
            backoff=task.backoff,
            max_failures=task.max_failures,
            carry={**story.to_carry(), **(carry or {})},
            **more,
        ),
        method_name="resume",
    )
    raise AssertionError("Airflow's defer() does not return")


def checked_ids(task_ids: str | Iterable[object]) -> list[str]:
    """Each id once, in the order given; a template may have made one string of it.

    Raises:
        AirflowFailException: there is none, or one that is no text.
    """
    given = [task_ids] if isinstance(task_ids, str) else list(task_ids)
    named = [each for each in given if isinstance(each, str) and each]
    if not named or len(named) < len(given):
        raise AirflowFailException(
            f"task_ids={task_ids!r} names no ICEYE tasks: give one id, or a list of them"
        )
    return list(dict.fromkeys(named))


def backoff_arguments(backoff: Backoff | None) -> dict[str, float] | None:
    """The rhythm as keywords that go through Airflow's database."""
    if backoff is None:
        return None
    return asdict(backoff, filter=lambda attribute, _: attribute.init)


def raise_for(failures: Sequence[Failure], *, of: int) -> None:
    """Raise what Airflow shows: with a second try where one may help, else without.

    Raises:
        AirflowFailException: none of it will pass by itself.
        AirflowException: some of it may.
    """
    if not failures:
        return
    told = [
        f"{each.task_id + ': ' if each.task_id else ''}{each.kind}: {each.message}"
        for each in failures[:_TOLD]
    ]
    if len(failures) > _TOLD:
        told.append(f"and {len(failures) - _TOLD} more")
    message = f"{'' if of == 1 else _counted(failures, of)}{'; '.join(told)}"
    if any(each.retryable for each in failures):
        raise AirflowException(message)
    raise AirflowFailException(message)


def _counted(failures: Sequence[Failure], of: int) -> str:
    tasks = len({each.task_id for each in failures if each.task_id})
    return f"{tasks} of {of} ICEYE tasks failed. " if tasks else ""
