"""What is answered in the end: the counterparts' true answer, and the faults around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from iceye_derivatives.simulator.cdn import denial
from iceye_derivatives.simulator.incident import Incident
from iceye_derivatives.simulator.messages import Answer, Call, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iceye_derivatives.simulator.api import Api
    from iceye_derivatives.simulator.cdn import Cdn
    from iceye_derivatives.simulator.faults import Faults
    from iceye_derivatives.simulator.links import Links
    from iceye_derivatives.simulator.oauth import Tokens


@frozen(kw_only=True)
class Verdict:
    """What is sent.

    Attributes:
        answer: The answer, with all that was done to it.
        skew: By how many seconds the clock that dates it is ahead.
        faults: The names of the faults that struck, in the order in which they did.
    """

    answer: Answer
    skew: float = 0.0
    faults: tuple[str, ...] = ()


@frozen(kw_only=True)
class Desk:
    """ICEYE's three counterparts, and what goes wrong with them."""

    tokens: Tokens
    api: Api
    cdn: Cdn
    links: Links
    faults: Faults = field(repr=False)

    def answer(self, side: Side, call: Call, *, now: float, origins: Mapping[Side, str]) -> Verdict:
        """Answer a request that arrived at `now` (Unix seconds).

        Args:
            side: Which counterpart was called.
            call: The request.
            now: The simulator's moment.
            origins: Scheme, host and port of each counterpart.
        """
        incident = Incident(
            side=side,
            call=call,
            now=now,
            origins=origins,
            sign=lambda path, lifetime: self.links.sign(path, now=now, lifetime=lifetime),
            memory=self.faults.memory,
        )
        struck, incident = self.faults.before(incident)
        if (given := self.faults.strike("instead", incident)) is not None:
            struck.append(given[0])
            answer = given[1]
        else:
            answer = self._true_answer(incident)
        if (spoilt := self.faults.strike("after", evolve(incident, answer=answer))) is not None:
            struck.append(spoilt[0])
            answer = spoilt[1]
        return Verdict(answer=answer, skew=incident.skew, faults=tuple(struck))

    def _true_answer(self, incident: Incident) -> Answer:
        call, now, skew = incident.call, incident.now, incident.skew
        if incident.side is Side.TOKEN:
            return self.tokens.answer(call, now=now)
        if incident.side is Side.API:
            return self.api.answer(call, now=now, skew=skew)
        if self.faults.memory.is_dead(call.target, now=now):
            return denial("AccessDenied", "Access denied")
        answer = self.cdn.answer(call, now=now, skew=skew)
        # A cache asks for the signature first, and only then looks at what it keeps.
        kept = self.faults.memory.kept(call.path, now=now) if answer.status < 400 else None  # noqa: PLR2004 (an error)
        return answer if kept is None else kept
