"""What can go wrong: the register of faults, each switched on by name and count.

A fault that stands *instead* of the true answer keeps the request from being carried out; one that
comes *after* changes what was answered, or how it travels. Of each kind at most one strikes a
request, so that a 429 may also be slow; of several that fit, the one that was added first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import define, field, frozen

from iceye_derivatives.simulator.messages import Answer, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from iceye_derivatives.simulator.messages import Call

Stage = Literal["instead", "after"]


@frozen(kw_only=True)
class Incident:
    """What a fault may look at when it is asked whether it strikes.

    Attributes:
        side: Which counterpart was called.
        call: The request.
        now: The simulator's moment, in Unix seconds.
        settings: The fault's settings, defaults filled in.
        answer: The true answer; of no meaning *instead* of it.
        dead_links: Targets that are refused from now on; a fault may add to them.
    """

    side: Side
    call: Call
    now: float
    settings: Mapping[str, Any]
    answer: Answer
    dead_links: set[str]


@frozen(kw_only=True)
class Fault:
    """One thing that can go wrong.

    Attributes:
        name: What it is switched on by.
        description: What it does, in words.
        sides: Where it can strike; the first is where it does unless told otherwise.
        stage: Whether it stands instead of the true answer or comes after it.
        settings: Its settings with their defaults; a tuple holds the choices, the default first.
        strike: Gives the answer that is sent instead, or None where it has no business.
    """

    name: str
    description: str
    sides: tuple[Side, ...]
    stage: Stage
    settings: Mapping[str, Any]
    strike: Callable[[Incident], Answer | None] = field(repr=False)


@define(kw_only=True)
class Armed:
    """A fault that is switched on; `times` counts down, None lasts until `clear()`."""

    fault: Fault
    times: int | None
    skip: int
    side: Side
    path: str
    settings: Mapping[str, Any]

    def strike(self, incident: Incident) -> Answer | None:
        """Strike, if this request is one to strike; what did not strike is not counted."""
        if self.times == 0 or incident.side is not self.side or self.path not in incident.call.path:
            return None
        answer = self.fault.strike(incident)
        if answer is None:
            return None
        if self.skip:
            self.skip -= 1
            return None
        if self.times is not None:
            self.times -= 1
        return answer


class Faults:
    """The faults that are switched on.

    Args:
        register: What there is to switch on.
    """

    def __init__(self, register: Mapping[str, Fault]) -> None:
        self._register = register
        self._armed: list[Armed] = []
        self._dead_links: set[str] = set()

    def __iter__(self) -> Iterator[Armed]:
        """Go through the faults that may still strike."""
        return (armed for armed in self._armed if armed.times != 0)

    def add(
        self,
        name: str,
        *,
        times: int | None = 1,
        skip: int = 0,
        side: Literal["api", "token", "cdn"] | None = None,
        path: str = "",
        **settings: Any,  # noqa: ANN401 (each fault has its own, checked below)
    ) -> None:
        """Switch a fault on.

        Args:
            name: One of `FAULTS`.
            times: How many requests it strikes; None strikes until `clear()`.
            skip: How many requests that it would strike it lets pass first.
            side: Which counterpart; None takes the first of the fault's sides.
            path: Only requests with this in their path.
            **settings: The fault's own.

        Raises:
            ValueError: There is no such fault, or it has no such side or setting; the message
                lists those that there are.
        """
        if name not in self._register:
            raise ValueError(f"there is no fault {name!r}; known are {_listed(self._register)}")
        fault = self._register[name]
        chosen = fault.sides[0] if side is None else side
        if chosen not in fault.sides:
            raise ValueError(f"{name} cannot strike {side!r}; it can {_listed(fault.sides)}")
        self._armed.append(
            Armed(
                fault=fault,
                times=times,
                skip=skip,
                side=Side(chosen),
                path=path,
                settings=_chosen(fault, settings),
            )
        )

    def clear(self) -> None:
        """Switch all faults off; links that died stay dead."""
        self._armed.clear()

    def instead(self, side: Side, call: Call, *, now: float) -> tuple[str, Answer] | None:
        """Give the fault that keeps this request from being carried out, and its answer."""
        return self._strike("instead", side, call, Answer(status=0), now)

    def after(
        self, side: Side, call: Call, answer: Answer, *, now: float
    ) -> tuple[str, Answer] | None:
        """Give the fault that spoils this answer, and what becomes of it."""
        return self._strike("after", side, call, answer, now)

    def _strike(
        self, stage: Stage, side: Side, call: Call, answer: Answer, now: float
    ) -> tuple[str, Answer] | None:
        for armed in self._armed:
            if armed.fault.stage != stage:
                continue
            incident = Incident(
                side=side,
                call=call,
                now=now,
                settings=armed.settings,
                answer=answer,
                dead_links=self._dead_links,
            )
            if (struck := armed.strike(incident)) is not None:
                return armed.fault.name, struck
        return None

    def is_dead(self, target: str) -> bool:
        """Say whether a link died before its time."""
        return target in self._dead_links


def _chosen(fault: Fault, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in a fault's defaults; of a tuple of choices, the first."""
    chosen = {
        name: default[0] if isinstance(default, tuple) else default
        for name, default in fault.settings.items()
    }
    for name, value in settings.items():
        if name not in chosen:
            known = _listed(chosen) if chosen else "none"
            raise ValueError(f"{fault.name} has no setting {name!r}; it has {known}")
        choices = fault.settings[name]
        if isinstance(choices, tuple) and value not in choices:
            raise ValueError(f"{name} of {fault.name} is one of {_listed(choices)}, not {value!r}")
    return {**chosen, **settings}


def _listed(names: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, names)))
