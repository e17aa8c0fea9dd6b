"""What can go wrong: the register of faults, each switched on by name and count.

A fault *before* the answer changes what a counterpart sees: the request, or its own clock. One that
stands *instead* of the true answer keeps the request from being carried out; one that comes *after*
changes what was answered, or how it travels. Of the last two kinds at most one each strikes a
request, so that a 429 may also be slow; of several that fit, the one that was added first. Of the
first kind all strike that have different names: a clock may be wrong whatever else is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import define, evolve

from iceye_derivatives.simulator.incident import Fault, Incident
from iceye_derivatives.simulator.memory import Memory
from iceye_derivatives.simulator.messages import Answer, Side
from iceye_derivatives.simulator.settings import chosen, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@define(kw_only=True)
class Armed:
    """A fault that is switched on; `times` counts down, None lasts until `clear()`."""

    fault: Fault
    times: int | None
    skip: int
    side: Side
    path: str
    settings: Mapping[str, Any]

    def strike(self, incident: Incident) -> Answer | Incident | None:
        """Strike, if this request is one to strike; what did not strike is not counted."""
        if self.times == 0 or incident.side is not self.side or self.path not in incident.call.path:
            return None
        # What is let pass leaves no trace in the memory either.
        memory = Memory() if self.skip else incident.memory
        outcome = self.fault.strike(evolve(incident, settings=self.settings, memory=memory))
        if outcome is None:
            return None
        if self.skip:
            self.skip -= 1
            return None
        if self.times is not None:
            self.times -= 1
        return outcome


class Faults:
    """The faults that are switched on.

    Args:
        register: What there is to switch on.

    Attributes:
        memory: What they leave behind.
    """

    def __init__(self, register: Mapping[str, Fault]) -> None:
        self._register = register
        self._armed: list[Armed] = []
        self.memory = Memory()

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
            name: One of `FAULTS` or `LIES`.
            times: How many requests it strikes; None strikes until `clear()`.
            skip: How many requests that it would strike it lets pass first.
            side: Which counterpart; None takes the first of the fault's sides.
            path: Only requests with this in their path.
            **settings: The fault's own.

        Raises:
            ValueError: There is no such fault, or it has no such side or setting; the message
                lists those that there are.
        """
        self._armed.append(
            arm(
                self._register,
                name,
                times=times,
                skip=skip,
                side=side,
                path=path,
                settings=settings,
            )
        )

    def clear(self) -> None:
        """Switch all faults off; links that died stay dead."""
        self._armed.clear()

    def before(self, incident: Incident) -> tuple[list[str], Incident]:
        """Give the faults that change what is seen, and what is seen then."""
        names: list[str] = []
        for armed in self._armed:
            if armed.fault.stage != "before" or armed.fault.name in names:
                continue
            if isinstance(seen := armed.strike(incident), Incident):
                names.append(armed.fault.name)
                incident = seen
        return names, incident

    def strike(
        self, stage: Literal["instead", "after"], incident: Incident
    ) -> tuple[str, Answer] | None:
        """Give the first fault of this stage that strikes, and what is answered then."""
        for armed in self._armed:
            if armed.fault.stage == stage and isinstance(given := armed.strike(incident), Answer):
                return armed.fault.name, given
        return None


def arm(
    register: Mapping[str, Fault],
    name: str,
    *,
    times: int | None,
    skip: int,
    side: str | None,
    path: str,
    settings: Mapping[str, object],
) -> Armed:
    """Make a fault ready to strike; see `Faults.add` for what is what.

    Raises:
        ValueError: There is no such fault, side or setting; the message lists those that there are.
    """
    if name not in register:
        raise ValueError(f"there is no fault {name!r}; known are {listed(register)}")
    fault = register[name]
    where = fault.sides[0] if side is None else side
    if where not in fault.sides:
        raise ValueError(f"{name} cannot strike {side!r}; it can {listed(fault.sides)}")
    if times is not None and times < 1:
        raise ValueError(f"{name} strikes a whole number of times above 0, not {times}")
    if skip < 0:
        raise ValueError(f"{name} lets a whole number of requests pass, not {skip}")
    return Armed(
        fault=fault,
        times=times,
        skip=skip,
        side=Side(where),
        path=path,
        settings=chosen(fault, settings),
    )
