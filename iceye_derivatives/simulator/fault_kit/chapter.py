"""How is a fault written down: one small function, its docstring the documentation."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from iceye_derivatives.simulator.cdn import denial
from iceye_derivatives.simulator.incident import Fault, Incident
from iceye_derivatives.simulator.messages import Answer, Side
from iceye_derivatives.simulator.oauth import oauth_error
from iceye_derivatives.simulator.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from iceye_derivatives.simulator.incident import Stage

    Strike = Callable[[Incident], Answer | Incident | None]

API, TOKEN, CDN = Side.API, Side.TOKEN, Side.CDN

_HTML = b"<!doctype html><title>Gateway</title><h1>Something went wrong</h1>"


@frozen
class Chapter:
    """Faults of one kind.

    Attributes:
        title: The kind, as a heading.
        faults: By their names, in the order in which they are written.
    """

    title: str
    faults: dict[str, Fault] = field(factory=dict)

    def fault(self, stage: Stage, *sides: Side, **settings: object) -> Callable[[Strike], Strike]:
        """Enter a function under its own name; a tuple of a setting holds the choices."""
        return self._entry(stage, sides, settings, lies=False)

    def lie(self, stage: Stage, *sides: Side, **settings: object) -> Callable[[Strike], Strike]:
        """Enter a fault that no client can tell from the truth."""
        return self._entry(stage, sides, settings, lies=True)

    def _entry(
        self, stage: Stage, sides: tuple[Side, ...], settings: Mapping[str, object], *, lies: bool
    ) -> Callable[[Strike], Strike]:
        def enter(strike: Strike) -> Strike:
            self.faults[strike.__name__] = Fault(
                name=strike.__name__,
                description=" ".join((strike.__doc__ or "").split()),
                sides=sides,
                stage=stage,
                settings=settings,
                lies=lies,
                strike=strike,
            )
            return strike

        return enter


def went_well(incident: Incident) -> bool:
    """Say whether the true answer is a good one."""
    return HTTPStatus.OK <= incident.answer.status < HTTPStatus.MULTIPLE_CHOICES


def is_file(incident: Incident) -> bool:
    """Say whether the true answer is a whole file."""
    return incident.answer.status == HTTPStatus.OK


def is_part(incident: Incident) -> bool:
    """Say whether the true answer is a part of a file."""
    return incident.answer.status == HTTPStatus.PARTIAL_CONTENT


def loaded(incident: Incident) -> Any:  # noqa: ANN401 (JSON is anything)
    """Give the value of a JSON answer; None where it is none."""
    try:
        return json.loads(incident.answer.body)
    except ValueError:
        return None


def html(status: int) -> Answer:
    """Answer with a gateway's page."""
    return Answer(status=status, headers={"Content-Type": "text/html; charset=utf-8"}, body=_HTML)


def refusal(incident: Incident, status: int, headers: dict[str, str] | None = None) -> Answer:
    """Refuse in the dialect of the counterpart that was called."""
    if incident.side is TOKEN:
        error = "invalid_client" if status == HTTPStatus.UNAUTHORIZED else "temporarily_unavailable"
        return oauth_error(status, error, "A fault was switched on.", headers)
    if incident.side is CDN:
        return denial("Fault", "A fault was switched on", status=status, headers=headers)
    problem = ProblemError(status, "a fault was switched on")
    return problem.render(incident.call.headers.get("accept", ""), headers=headers)
