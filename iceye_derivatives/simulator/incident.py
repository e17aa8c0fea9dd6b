"""What is a fault, and what may it look at when it is asked whether it strikes."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from iceye_derivatives.simulator.memory import Memory
from iceye_derivatives.simulator.messages import Answer, Call, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Stage = Literal["before", "instead", "after"]

_NOTHING = Answer(status=0)


def _unsigned(path: str, lifetime: float) -> str:
    raise ValueError(f"nobody is there to sign {path} for {lifetime:g} seconds")


@frozen(kw_only=True)
class Incident:
    """A request that a fault may strike.

    Attributes:
        side: Which counterpart was called.
        call: The request; a fault *before* the answer may put another in its place.
        now: The simulator's moment, in Unix seconds: what is true follows from it.
        skew: By how many seconds the counterpart's own clock is ahead of it; a fault *before* the
            answer may change it.
        settings: The fault's settings, defaults filled in.
        answer: The true answer; of no meaning before there is one.
        origins: Scheme, host and port of each counterpart.
        sign: Gives a link for a path that states a lifetime in seconds.
        memory: What outlives this request; a fault may add to it.
    """

    side: Side
    call: Call
    now: float
    skew: float = 0.0
    settings: Mapping[str, Any] = field(factory=dict)
    answer: Answer = _NOTHING
    origins: Mapping[Side, str] = field(factory=dict)
    sign: Callable[[str, float], str] = field(default=_unsigned, repr=False)
    memory: Memory = field(factory=Memory, repr=False)

    @property
    def clock(self) -> float:
        """What the counterpart's own clock shows, in Unix seconds."""
        return self.now + self.skew


@frozen(kw_only=True)
class Fault:
    """One thing that can go wrong.

    Attributes:
        name: What it is switched on by.
        description: What it does, in words.
        sides: Where it can strike; the first is where it does unless told otherwise.
        stage: Whether it comes before the true answer, stands instead of it or comes after it.
        settings: Its settings with their defaults; a tuple holds the choices, the default first.
        lies: Whether what it says might be true, so that no client can be blamed for believing it.
        strike: Gives what is sent instead (*before*: what is seen instead), or None where it has
            no business.
    """

    name: str
    description: str
    sides: tuple[Side, ...]
    stage: Stage
    settings: Mapping[str, Any]
    lies: bool
    strike: Callable[[Incident], Answer | Incident | None] = field(repr=False)

    def variants(self) -> Iterator[dict[str, Any]]:
        """Go through the settings that `add` takes, one of each choice; the default is first.

        For a test that wants to meet all that a fault can do.
        """
        choices = {name: each for name, each in self.settings.items() if isinstance(each, tuple)}
        for values in product(*choices.values()):
            yield dict(zip(choices, values, strict=True))
