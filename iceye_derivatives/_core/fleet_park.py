"""How little is needed to remember a watch that only waits?

A watch with all that it knows is most of a kilobyte.  While it waits, hardly any of that differs
from a fresh one: only what does is kept, as one short line of JSON, which is also what a saved
fleet holds.  A watch that knows something without a name here stays as it is: remembered whole,
at the price of the memory, but never wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import JSONDecoder, JSONEncoder
from operator import attrgetter
from typing import Any, Final

from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.fleet import Reach
from iceye_derivatives._core.parked_fields import CODECS, FIELDS, FORMS, LEFT_OUT, Unwritten
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._core.watch_memory import WATCH_SLOTS

__all__ = ["Garage", "reach_of"]

_encode = JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode = JSONDecoder().decode
_DEADLINE: Final = FIELDS.index("_deadline")
_values_of = attrgetter(*FIELDS)


class Garage:
    """Parks the watches of one fleet and brings them out again.

    Args:
        patience: Of all of them.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        plain = Watch("")
        plain.begin(0.0, patience)
        self._plain = _values_of(plain)
        self._all = tuple((name, getattr(plain, name)) for name in WATCH_SLOTS)
        self._formless = tuple(
            (name, value) for name, value in self._all if name not in CODECS.keys() | LEFT_OUT
        )
        self._whole: dict[str, Watch] = {}

    def fresh(self, task_id: str, now: float) -> Watch:
        """A watch that begins now."""
        watch = self._copy(task_id)
        watch.begin(now, self._patience)
        return watch

    def park(self, watch: Watch) -> str:
        """What is to be remembered of it."""
        try:
            return self._write(watch)
        except Unwritten:
            self._whole[watch.task_id] = watch
            return ""

    def note(self, watch: Watch, now: float) -> str:
        """As `park`, for a file, where the watch is in the middle of something.

        What it is about to ask, or to hand out, is left out: resumed, it begins with a look.
        """
        again = Watch.from_json(watch.to_json())
        again.begin(now, self._patience)
        return self._write(again)

    def renew(self, state: str, now: float) -> str:
        """What was parked by an earlier run, with the patience of one that begins now.

        Without it the default of this run would pass for what the other knew, and the other's
        moment for that of this one.
        """
        found, timeout = _decode(state), self._patience.timeout
        if timeout is None and _DEADLINE not in found[::2]:
            return state
        kept = [
            part
            for index, value in zip(found[::2], found[1::2], strict=True)
            if index != _DEADLINE
            for part in (index, value)
        ]
        if timeout is not None:
            kept += (_DEADLINE, now + timeout)
        return _encode(kept)

    @property
    def whole(self) -> Mapping[str, Watch]:
        """Those that could not be written down, by the ids of their tasks."""
        return self._whole

    def fetch(self, task_id: str, state: str) -> Watch:
        """The watch that was parked."""
        watch = self._whole.pop(task_id, None)
        return self.read(task_id, state) if watch is None else watch

    def forget(self, task_id: str) -> None:
        """It will not be fetched."""
        self._whole.pop(task_id, None)

    def read(self, task_id: str, state: str) -> Watch:
        """The watch of a text, which stays parked."""
        watch = self._copy(task_id)
        parts = iter(_decode(state))
        for index, value in zip(parts, parts, strict=True):
            name, _, read = FORMS[index]
            setattr(watch, name, value if read is None or value is None else read(value))
        return watch

    def _copy(self, task_id: str) -> Watch:
        # Not by the constructor: a thousand times a second its defaults would be felt.
        watch = Watch.__new__(Watch)
        for name, value in self._all:
            setattr(watch, name, value)
        watch.task_id = task_id
        return watch

    def _write(self, watch: Watch) -> str:
        for name, plain in self._formless:
            if getattr(watch, name) != plain:
                raise Unwritten
        found: list[Any] = []
        for index, (value, plain) in enumerate(zip(_values_of(watch), self._plain, strict=True)):
            if value is not plain and value != plain:
                write = FORMS[index][1]
                found += (index, value if write is None or value is None else write(value))
        return _encode(found)


def reach_of(watch: Watch) -> Reach:
    """How the task of a watch that waits may be asked after next."""
    return Reach.LISTED if watch.wants_status and not watch.asks_now else Reach.ALONE
