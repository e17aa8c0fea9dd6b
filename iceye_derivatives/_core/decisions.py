"""What can a watch decide, and how patient is it?"""

from __future__ import annotations

from typing import TypeAlias

from attrs import Factory, field, frozen

from iceye_derivatives._core.backoff import Backoff
from iceye_derivatives._core.clock_lag import ClockLag
from iceye_derivatives._core.delays import Delays
from iceye_derivatives.errors import IceyeError

__all__ = ["AskScene", "AskTask", "Decision", "Failed", "Finished", "Look", "Patience", "Wait"]


@frozen(kw_only=True)
class Patience:
    """How long and how often one run of a watch tries."""

    backoff: Backoff = Factory(Backoff)
    timeout: float | None = None
    """Seconds in all, from the start of the run; None waits for ever."""
    failures: int = 60
    """Failed polls in a row before giving up: hours of outage at the default rhythm.  As many looks
    in a row may show nothing that is missing but what cannot be read."""
    grace: float = 120.0
    """Seconds for which a task unknown to the API is taken for one that is very fresh."""
    push: bool = False
    """Whether changes of the task's status are told from outside, by `Watch.nudge()`: then the
    status is only asked for to be safe."""
    delays: Delays | None = field(default=None, eq=False, repr=False)
    """What was learned of how long things take, and learns from this run; None for no forecasts."""
    lag: ClockLag | None = field(default=None, eq=False, repr=False)
    """What the client's answers tell of this machine's clock, by which forecasts are corrected."""


@frozen
class Look:
    """Ask for the derivatives."""


@frozen
class AskTask:
    """Ask for the task."""


@frozen
class AskScene:
    """Ask for the scene: when is the image planned?"""


@frozen
class Wait:
    """Nothing to do before a moment."""

    seconds: float
    until: float
    reason: str


@frozen
class Finished:
    """All derivatives were handed out."""


@frozen
class Failed:
    """There is no point in going on; raise this."""

    error: IceyeError
    cause: IceyeError | None = None


Decision: TypeAlias = Look | AskTask | AskScene | Wait | Finished | Failed
