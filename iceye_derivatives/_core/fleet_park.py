"""How little is needed to remember a watch that only waits?

A watch with all that it knows is most of a kilobyte.  While it waits, hardly any of that differs
from a fresh one: only what does is kept, as one short line of JSON, which is also what a saved
fleet holds.  A watch that knows something without a name here stays as it is: remembered whole,
at the price of the memory, but never wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from json import JSONDecoder, JSONEncoder
from operator import attrgetter
from typing import Any, Final

from attrs import asdict, fields_dict

from iceye_derivatives import errors
from iceye_derivatives._core.decisions import AskScene, AskTask, Look, Patience
from iceye_derivatives._core.fleet import Reach
from iceye_derivatives._core.outlook import Outlook
from iceye_derivatives._core.seen import Seen
from iceye_derivatives._core.unread import read_complaints, read_unreadable, write_unreadable
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._core.watch_memory import WATCH_SLOTS

__all__ = ["CODECS", "FIELDS", "LEFT_OUT", "Garage", "reach_of", "read_state"]

_encode = JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode = JSONDecoder().decode


class _Unwritten(Exception):  # noqa: N818 - a finding, dealt with where the watch is
    """A value that has no form here."""


def _plain(*kinds: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:  # noqa: ANN401 - whatever stands in a file
        if type(value) not in kinds:
            raise TypeError(f"a {type(value).__name__} is not expected here")
        return value

    return check


def _write_names(names: Any) -> Any:  # noqa: ANN401 - as above
    return list(names)


def _read_names(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - as above
    return tuple(map(_text, _plain(list)(value)))


def _write_seen(seen: Any) -> Any:  # noqa: ANN401 - as above
    if seen.queue:
        raise _Unwritten  # it holds URLs
    return [seen.listed, {name: sorted(keys) for name, keys in seen.handed.items()}]


def _read_seen(value: Any) -> Seen:  # noqa: ANN401 - as above
    listed, handed = value
    return Seen(
        listed={name: _text(kind) for name, kind in listed.items()},
        handed={
            name: frozenset((_text(kind), _count(ordinal)) for kind, ordinal in keys)
            for name, keys in handed.items()
        },
    )


def _write_told(told: Any) -> Any:  # noqa: ANN401 - as above
    return sorted(told, key=repr)


def _write_outlook(outlook: Any) -> Any:  # noqa: ANN401 - as above
    return {name: value for name, value in asdict(outlook).items() if value is not None}


def _read_outlook(value: Any) -> Outlook:  # noqa: ANN401 - as above
    known = fields_dict(Outlook)
    return Outlook(**{name: _moment(number) for name, number in value.items() if name in known})


_KINDS: Final = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.IceyeError)
}
_QUESTIONS: Final = {"look": Look(), "task": AskTask(), "scene": AskScene()}


def _write_question(question: Any) -> Any:  # noqa: ANN401 - as above
    for name, known in _QUESTIONS.items():
        if question == known:
            return name
    raise _Unwritten


def _read_question(value: Any) -> Any:  # noqa: ANN401 - as above
    return _QUESTIONS[value]


def _write_failure(error: Any) -> Any:  # noqa: ANN401 - as above
    # A user's own subclass, of their `TokenSource` say, goes under the nearest name of ours: it may
    # not be there where the state is read.
    return next(kind.__name__ for kind in type(error).__mro__ if _KINDS.get(kind.__name__) is kind)


def _read_failure(value: Any) -> Any:  # noqa: ANN401 - as above
    # Only its kind is told to anybody: the next failure brings a whole one.
    kind = _KINDS.get(_text(value), errors.IceyeError)
    return kind.__new__(kind, "A look failed before this watch was parked")


def _same(value: Any) -> Any:  # noqa: ANN401 - as above
    return value


_text, _flag, _count = _plain(str), _plain(bool), _plain(int)
_moment = _plain(float, int)

_Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]

CODECS: Final[Mapping[str, _Codec]] = {
    "status": (_same, _text),
    "requested": (_write_names, _read_names),
    "sure": (_same, _flag),
    "_asked_at": (_same, _moment),
    "_asks": (_same, _count),
    "_closes": (_same, _moment),
    "_complete": (_same, _flag),
    "_deadline": (_same, _moment),
    "_delay": (_same, _moment),
    "_ended": (_same, _flag),
    "_failure": (_write_failure, _read_failure),
    "_failures": (_same, _count),
    "_just_answered_404": (_same, _flag),
    "_last_look_taken": (_same, _flag),
    "_looked_at": (_same, _moment),
    "_next": (_same, _moment),
    "_nudged": (_same, _flag),
    "_opens": (_same, _moment),
    "_outlook": (_write_outlook, _read_outlook),
    "_quiet_looks": (_same, _count),
    "_retry_after": (_same, _moment),
    "_seen": (_write_seen, _read_seen),
    "_silent_since": (_same, _moment),
    "_todo": (_write_question, _read_question),
    "_unknown_since": (_same, _moment),
    "_stuck": (_same, _count),
    "_told": (_write_told, read_complaints),
    "_unreadable": (write_unreadable, read_unreadable),
}
FIELDS: Final = tuple(CODECS)
"""A parked watch names a field by its index here; a saved fleet carries the list."""
LEFT_OUT: Final = frozenset({"task_id", "_patience"})
"""Known to who fetches it."""


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
        except _Unwritten:
            self._whole[watch.task_id] = watch
            return ""

    def note(self, watch: Watch, now: float) -> str:
        """The same for a file, of a watch in the middle of something: it begins with a look.

        What it is about to ask or to hand out is not known to who goes on with it.
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
            name, _, read = _FORMS[index]
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
                raise _Unwritten
        found: list[Any] = []
        for index, (value, plain) in enumerate(zip(_values_of(watch), self._plain, strict=True)):
            if value is not plain and value != plain:
                write = _FORMS[index][1]
                found += (index, value if write is None or value is None else write(value))
        return _encode(found)


def reach_of(watch: Watch) -> Reach:
    """How the task of a watch that waits may be asked after next."""
    return Reach.LISTED if watch.wants_status and not watch.asks_now else Reach.ALONE


def read_state(state: Any, fields: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401 - as above
    """The fields of a parked watch.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: it is none.
    """
    found = {}
    parts = iter(_plain(list)(state))
    for index, value in zip(parts, parts, strict=True):
        name = fields[index]
        if name in CODECS:  # what another version knows beyond that is no loss
            found[name] = None if value is None else CODECS[name][1](value)
    return found


_DEADLINE: Final = FIELDS.index("_deadline")
_values_of = attrgetter(*FIELDS)
_FORMS: Final = tuple(
    (name, None if write is _same else write, None if write is _same else read)
    for name, (write, read) in CODECS.items()
)
"""As `CODECS`, for what this process has written itself: what is plain needs no check."""
