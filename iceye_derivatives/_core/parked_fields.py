"""How is each field of a watch that waits written as JSON, and read back?

What this process has written itself is believed.  What stands in a file is checked, as anybody may
have written it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import asdict, fields_dict

from iceye_derivatives import errors
from iceye_derivatives._core.decisions import AskScene, AskTask, Look
from iceye_derivatives._core.outlook import Outlook
from iceye_derivatives._core.seen import Seen
from iceye_derivatives._core.unread import read_complaints, read_unreadable, write_unreadable

__all__ = ["CODECS", "FIELDS", "FORMS", "LEFT_OUT", "Unwritten", "read_state"]


class Unwritten(Exception):  # noqa: N818 - a finding, dealt with where the watch is
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
        raise Unwritten  # it holds URLs
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
    raise Unwritten


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
"""Fields that are not written, as whoever fetches the watch knows them."""
FORMS: Final = tuple(
    (name, None if write is _same else write, None if write is _same else read)
    for name, (write, read) in CODECS.items()
)
"""As `CODECS`, for what this process has written itself: plain values need no check then."""


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
