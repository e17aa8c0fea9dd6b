"""What does a watch know, what of it is saved, and what has been handed out?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, Self

from iceye_derivatives._core.decisions import AskScene, AskTask, Failed, Look, Patience
from iceye_derivatives._core.outlook import Outlook
from iceye_derivatives._core.seen import Seen
from iceye_derivatives._core.unread import Complaint, complaint, name_of
from iceye_derivatives._core.watch_state import WatchState, dump_state, load_state
from iceye_derivatives.errors import IceyeError
from iceye_derivatives.models import AcquisitionWindow, Derivative, Unreadable

__all__ = ["WATCH_SLOTS", "WatchMemory"]

UNIX = datetime(1970, 1, 1, tzinfo=UTC)
WATCH_SLOTS = (
    "_asked_at",
    "_asks",
    "_closes",
    "_complete",
    "_deadline",
    "_delay",
    "_ended",
    "_failure",
    "_failures",
    "_fatal",
    "_just_answered_404",
    "_last_look_taken",
    "_looked_at",
    "_next",
    "_nudged",
    "_opens",
    "_outlook",
    "_patience",
    "_quiet_looks",
    "_retry_after",
    "_seen",
    "_silent_since",
    "_stuck",
    "_todo",
    "_told",
    "_unknown_since",
    "_unreadable",
    "requested",
    "status",
    "sure",
    "task_id",
)


class WatchMemory:
    """All that `Watch` holds, and nothing that it thinks."""

    __slots__ = WATCH_SLOTS

    def __init__(
        self, task_id: str, *, requested: Iterable[str] | None = None, seen: Seen | None = None
    ) -> None:
        self.task_id = task_id
        self.status: str | None = None
        """The task's status when it was last asked for."""
        self._opens: float | None = None
        self._closes: float | None = None
        self.requested = None if requested is None else tuple(requested)
        """The product types ordered, as far as known."""
        self.sure = bool(self.requested)
        """Whether it is known that derivatives were asked for at all."""
        self._seen = seen
        self._outlook: Outlook | None = None
        self._complete = False
        self._unreadable: tuple[Unreadable, ...] = ()
        self._told: frozenset[Complaint] = frozenset()
        self.begin(0.0, Patience())

    # -- what a caller may ask ---------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether all derivatives were handed out: tells success from a generator that died."""
        return self._complete and (self._seen is None or not self._seen.queued)

    @property
    def delivered(self) -> tuple[str, ...]:
        """Ids of the derivatives handed out so far, in that order."""
        return () if self._seen is None else self._seen.delivered

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids listed without assets, then requested product types that are not listed at all.

        In between, what cannot be read: by its id, else by its product type, else by its path.
        """
        unready = () if self._seen is None else self._seen.unready
        named = map(name_of, self._unreadable)
        known = {fault.product_type for fault in self._unreadable if fault.derivative_id}
        return tuple(dict.fromkeys((*unready, *named, *sorted(self._unlisted - known))))

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """What the last listing held that cannot be read."""
        return self._unreadable

    @property
    def untold(self) -> tuple[Unreadable, ...]:
        """What of it nobody was told of."""
        return tuple(fault for fault in self._unreadable if complaint(fault) not in self._told)

    def mark_told(self) -> None:
        """Somebody was told of all that is `untold`."""
        self._told |= set(map(complaint, self._unreadable))

    @property
    def seen(self) -> Seen:
        """What was shown and what was handed out."""
        # Made when it is needed: a hundred thousand watches wait for days with nothing in it.
        if self._seen is None:
            self._seen = Seen()
        return self._seen

    @seen.setter
    def seen(self, seen: Seen) -> None:
        self._seen = seen

    @property
    def was_seen(self) -> bool:
        """Whether the API has ever shown the task, in this process or in one before it."""
        return self.status is not None or self._listed

    @property
    def window(self) -> AcquisitionWindow | None:
        """The acquisition window, as far as known."""
        if self._opens is None or self._closes is None:
            return None
        # Not `datetime.fromtimestamp`: by its own offset a moment may lie beyond the calendar.
        with suppress(OverflowError):
            return AcquisitionWindow(
                start=UNIX + timedelta(seconds=self._opens),
                end=UNIX + timedelta(seconds=self._closes),
            )
        return None

    @window.setter
    def window(self, window: AcquisitionWindow | None) -> None:
        self._opens = None if window is None else window.start.timestamp()
        self._closes = None if window is None else window.end.timestamp()

    def to_json(self) -> str:
        """The state as JSON, without any URL; `from_json()` takes it."""
        return dump_state(
            WatchState(
                task_id=self.task_id,
                requested=self.requested,
                sure=self.sure,
                status=self.status,
                opens=self._opens,
                closes=self._closes,
                outlook=self._outlook,
                seen=self._seen or Seen(),
                unreadable=self._unreadable,
                told=self._told,
            )
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """A watch that goes on where the saved one stood.

        Raises:
            ConfigurationError: when the text is not what `to_json()` writes.
        """
        state = load_state(text)
        watch = cls(state.task_id, requested=state.requested)
        if state.seen.listed or state.seen.handed:
            watch.seen = state.seen
        watch.sure, watch.status, watch._outlook = state.sure, state.status, state.outlook
        watch._opens, watch._closes = state.opens, state.closes
        watch._unreadable, watch._told = state.unreadable, state.told
        return watch

    def begin(self, now: float, patience: Patience) -> None:
        """A run starts: patience and budgets are fresh, what was seen stays."""
        self._patience = patience
        self._deadline = None if patience.timeout is None else now + patience.timeout
        self._todo: Look | AskTask | AskScene | None = Look()
        self._just_answered_404 = False
        self._ended = False
        self._next: float | None = None
        self._delay = 0.0
        self._quiet_looks = 0
        self._silent_since = now
        self._asked_at: float | None = None
        self._asks = 0
        self._unknown_since: float | None = None
        self._failures = 0
        self._failure: IceyeError | None = None
        self._stuck = 0
        self._retry_after: float | None = None
        self._nudged = False
        self._looked_at = -inf
        self._last_look_taken = False
        self._fatal: Callable[[Any], Failed] | None = None

    # -- what waits to be handed out ---------------------------------------------------------------

    def peek(self) -> Derivative | None:
        """What `pop()` would give, without counting it as handed out."""
        return None if self._seen is None else self._seen.peek(self.task_id)

    def give_back(self, derivative_id: str) -> None:
        """Count it as not handed out: its files did not come home, so it is to come again."""
        if self._seen is not None:
            self._seen.give_back(derivative_id)
        self._complete = False

    def pop(self) -> Derivative | None:
        """The next derivative to hand out, which counts as handed out from now on."""
        return None if self._seen is None else self._seen.pop(self.task_id)

    def forget(self) -> None:
        """Hand out everything again, and tell of everything again."""
        self._seen, self._unreadable, self._told = None, (), frozenset()
        self._complete = False

    @property
    def _unlisted(self) -> set[str]:
        """Types that were ordered and never listed."""
        listed = () if self._seen is None else self._seen.listed.values()
        return set(self.requested or ()).difference(listed)

    def _by_api(self, now: float) -> float:
        """A moment of our clock by the API's, which scenes and windows are told by."""
        lag = self._patience.lag
        return now if lag is None else now + lag.seconds

    @property
    def _listed(self) -> bool:
        return self._seen is not None and bool(self._seen.listed)
