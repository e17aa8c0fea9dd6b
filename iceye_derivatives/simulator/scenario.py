"""What is to happen: a plan, faults and settings as one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, field, fields, frozen

from iceye_derivatives.simulator.fault_register import REGISTER
from iceye_derivatives.simulator.faults import arm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from iceye_derivatives.simulator.links import Signing
    from iceye_derivatives.simulator.plan import TaskPlan
    from iceye_derivatives.simulator.server import Simulator


@frozen(kw_only=True)
class Trouble:
    """One fault of a scenario: what `Faults.add` takes, and checked as it checks.

    Attributes:
        name: One of `FAULTS` or `LIES`.
        times: How many requests it strikes; None strikes for ever.
        skip: How many requests that it would strike it lets pass first.
        side: "api", "token" or "cdn"; None takes the first of the fault's sides.
        path: Only requests with this in their path.
        settings: The fault's own.

    Raises:
        ValueError: There is no such fault, side or setting; the message lists those that there are.
    """

    name: str
    times: int | None = 1
    skip: int = 0
    side: Literal["api", "token", "cdn"] | None = None
    path: str = ""
    settings: Mapping[str, Any] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        # Now and not when it is applied: an error is to show where the mistake was made.
        arm(
            REGISTER,
            self.name,
            times=self.times,
            skip=self.skip,
            side=self.side,
            path=self.path,
            settings=self.settings,
        )


def _faults(faults: Iterable[Trouble]) -> tuple[Trouble, ...]:
    return tuple(faults)


@frozen(kw_only=True)
class Scenario:
    """Everything that distinguishes one simulated day from another.

    None leaves a simulator's own setting as it is. Scenarios are values: one may be applied to many
    simulators, and two are joined by `first | second`.

    Attributes:
        plan: The fate of tasks that are ordered.
        faults: What goes wrong, in the order in which it is switched on.
        seed: What ids and detections follow from.
        detections: How many detections a file holds.
        token_lifetime: How long a token lives, in seconds.
        link_lifetime: How long a download link lives, in seconds.
        signing: The kind of signed link that is made.
        content_type: What files of detections are declared to be.

    Example:
        >>> from iceye_derivatives.simulator import Scenario, Trouble
        >>> bad_line = Scenario(faults=[Trouble(name="reset_body", times=None)])
        >>> short_links = Scenario(link_lifetime=60.0)
        >>> (bad_line | short_links).link_lifetime
        60.0
    """

    plan: TaskPlan | None = None
    faults: tuple[Trouble, ...] = field(default=(), converter=_faults)
    seed: int | None = None
    detections: int | None = None
    token_lifetime: float | None = None
    link_lifetime: float | None = None
    signing: Signing | None = None
    content_type: str | None = None

    def __or__(self, other: Scenario) -> Scenario:
        """Give both: the faults one after the other, of all else what `other` says, if it does."""
        said = {
            each.name: value
            for each in fields(Scenario)
            if each.name != "faults" and (value := getattr(other, each.name)) is not None
        }
        return evolve(self, faults=(*self.faults, *other.faults), **said)

    def apply(self, simulator: Simulator) -> None:
        """Let this happen to a simulator.

        Its faults are switched on besides those that are on already. Tasks, tokens and links that
        exist stay as they are.
        """
        desk = simulator.desk
        for home, name, value in (
            (simulator.world, "plan", self.plan),
            (simulator.world, "seed", self.seed),
            (simulator.world, "detections", self.detections),
            (desk.tokens, "lifetime", self.token_lifetime),
            (desk.links, "lifetime", self.link_lifetime),
            (desk.links, "signing", self.signing),
            (desk.cdn, "content_type", self.content_type),
        ):
            if value is not None:
                setattr(home, name, value)
        for trouble in self.faults:
            simulator.faults.add(
                trouble.name,
                times=trouble.times,
                skip=trouble.skip,
                side=trouble.side,
                path=trouble.path,
                **trouble.settings,
            )
