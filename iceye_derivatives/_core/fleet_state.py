"""How is a whole fleet written down, so that another process goes on with it?

One JSON text without a URL, about two hundred bytes a task.  The parked watches stand in it as they
are, so that writing a hundred thousand is joining strings; the list of field names at its head
says what their numbers mean, so that a later version can read it.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import Any, Final

from attrs import field, frozen

from iceye_derivatives._core.fleet import Reach, RotaEntry
from iceye_derivatives._core.parked_fields import FIELDS, read_state
from iceye_derivatives._core.redact import clean_text
from iceye_derivatives.errors import ConfigurationError

__all__ = ["FleetState"]

VERSION: Final = 1


@frozen
class FleetState:
    """Where all tasks of a fleet stand: what of it outlives its process.

    Taking one (`iceye_derivatives.Fleet.state()`) is quick and can be done on the event loop;
    turning a hundred thousand tasks into text, or back, takes a second, so do that in a thread.

    Example:
        >>> len(FleetState.from_json(FleetState().to_json()))
        0
    """

    _entries: tuple[RotaEntry, ...] = field(default=(), repr=False)
    _lost: float = field(default=0.0, repr=False)
    """By how much each `RotaEntry.due` is later than Unix time, see `Rota.lost`."""
    _instead: Mapping[str, RotaEntry] = field(factory=dict, repr=False)
    """What is known better than by those entries, by task."""

    def __len__(self) -> int:
        return sum(1 for _ in self.places())

    @property
    def task_ids(self) -> tuple[str, ...]:
        """Of all tasks that are still watched."""
        return tuple(entry.task_id for entry in self.places())

    def places(self) -> Iterator[RotaEntry]:
        """Where each task stands, with `RotaEntry.due` in Unix seconds."""
        for entry in self._entries:
            if entry.task_id not in self._instead:
                yield entry._replace(due=entry.due - self._lost) if self._lost else entry
        yield from self._instead.values()

    def to_json(self) -> str:
        """The state as JSON, without any URL; `from_json()` takes it."""
        tasks = ",\n".join(
            f"[{encode_basestring_ascii(entry.task_id)},{entry.due!r},{entry.reach:d},{entry.state}]"
            for entry in self.places()
        )
        return f'{{"version":{VERSION},"fields":{json.dumps(FIELDS)},"tasks":[\n{tasks}\n]}}\n'

    @classmethod
    def from_json(cls, text: str | bytes) -> FleetState:
        """The state that `to_json()` wrote, whatever has reformatted it since.

        Raises:
            ConfigurationError: when the text is anything else.
        """
        try:
            return cls(tuple(_read(text if isinstance(text, str) else text.decode())))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise ConfigurationError(
                f"This is no saved fleet of this version ({type(error).__name__}: "
                f"{clean_text(str(error))}); start a new one from the ids of its tasks"
            ) from None


def _read(text: str) -> Iterator[RotaEntry]:
    # Task by task: one call that parses twenty megabytes would hold the interpreter, and with it
    # every event loop of the process, for as long as it takes, in whichever thread it runs; and
    # its lists of lists would be ten times what is kept.
    found = _TASKS.search(text)
    if found is None:
        raise ValueError("no tasks")
    # Twice, as whoever reformats JSON may put the names of the fields behind the tasks.
    ends = deque((end for _, end in _tasks(text, found.end())), maxlen=1)
    head = json.loads(text[: found.end()] + text[_gap(text, max(ends, default=found.end())) :])
    if head["version"] != VERSION:
        raise ValueError(f"version {head['version']!r}")
    fields = tuple(head["fields"])
    known: set[str] = set()
    for (task_id, due, reach, state), _ in _tasks(text, found.end()):
        if not isinstance(task_id, str) or task_id in known:
            raise ValueError(f"{task_id!r} is no id, or stands there twice")
        known.add(task_id)
        yield RotaEntry(_moment(due), task_id, Reach(reach), _state(state, fields))


def _tasks(text: str, at: int) -> Iterator[tuple[Any, int]]:
    """Each task and where it ends."""
    while (at := _gap(text, at)) < len(text) and text[at] != "]":
        task, at = _DECODER.raw_decode(text, at)
        yield task, at


def _gap(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return at if found is None else found.end()


_DECODER: Final = json.JSONDecoder()
_TASKS: Final = re.compile(r'"tasks"\s*:\s*\[')
_GAP: Final = re.compile(r"[\s,]*")


def _moment(value: Any) -> float:  # noqa: ANN401 - whatever stands in a file
    if not isinstance(value, int | float) or not isfinite(value):
        raise TypeError(f"{value!r} is no moment")
    return float(value)


def _state(state: Any, fields: tuple[str, ...]) -> str:  # noqa: ANN401 - as above
    read_state(state, fields)
    if fields != FIELDS:
        pairs = zip(state[::2], state[1::2], strict=True)
        kept = [(_INDEX[fields[at]], value) for at, value in pairs if fields[at] in _INDEX]
        state = [part for pair in kept for part in pair]
    return json.dumps(state, separators=(",", ":"))


_INDEX: Final = {name: index for index, name in enumerate(FIELDS)}
