"""How is a watch written down, so that another process goes on with it?

JSON, versioned, small, and without a single URL: "Download URLs expire in 1 hour. Do not store the
URLs for long term access."  What had been shown but not handed out is therefore not stored either;
the next look shows it again.
"""

from __future__ import annotations

import json
from datetime import datetime
from math import isfinite

from attrs import asdict, fields_dict, frozen

from iceye_derivatives._core.outlook import Outlook
from iceye_derivatives._core.redact import clean_text
from iceye_derivatives._core.seen import Seen
from iceye_derivatives._core.unread import (
    Complaint,
    read_complaints,
    read_unreadable,
    write_unreadable,
)
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.models import Unreadable

__all__ = ["WatchState", "dump_state", "load_state"]

VERSION = 2
"""The first had no outlook, and a window of ISO 8601 texts; it is read still."""


_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)


@frozen(kw_only=True)
class WatchState:
    """What of a watch outlives its process."""

    task_id: str
    requested: tuple[str, ...] | None
    sure: bool
    status: str | None
    opens: float | None
    closes: float | None
    outlook: Outlook | None
    seen: Seen
    unreadable: tuple[Unreadable, ...] = ()
    told: frozenset[Complaint] = frozenset()


def dump_state(state: WatchState) -> str:
    """The state as one line of JSON."""
    outlook = state.outlook
    return json.dumps(
        {
            "version": VERSION,
            "task_id": state.task_id,
            "requested": state.requested,
            "sure": state.sure,
            "status": state.status,
            "window": None if state.opens is None else [state.opens, state.closes],
            "outlook": None if outlook is None else asdict(outlook),
            "listed": state.seen.listed,
            "handed": {i: sorted(keys) for i, keys in state.seen.handed.items()},
            "unreadable": write_unreadable(state.unreadable),
            "told": sorted(state.told, key=repr),
        }
    )


def load_state(text: str | bytes) -> WatchState:
    """The state that `dump_state` wrote down.

    Raises:
        ConfigurationError: when the text is anything else.
    """
    try:
        return _read(json.loads(text))
    except _UNREADABLE as error:
        raise ConfigurationError(
            f"This is no saved watch of this version ({type(error).__name__}: "
            f"{clean_text(str(error))}); "
            "start a new one with Watch(task_id)"
        ) from None


def _read(state: dict[str, object]) -> WatchState:
    if state["version"] not in {1, VERSION}:
        raise ValueError(f"version {state['version']!r}")
    opens, closes = _window(state["window"])
    requested, status, sure = state["requested"], state["status"], state["sure"]
    return WatchState(
        task_id=_text(state["task_id"]),
        requested=None if requested is None else tuple(_text(name) for name in _list(requested)),
        sure=sure is True,
        status=None if status is None else _text(status),
        opens=opens,
        closes=closes,
        outlook=_outlook(state["outlook"]) if state["version"] == VERSION else None,
        seen=Seen(
            listed={_text(i): _text(name) for i, name in _object(state["listed"]).items()},
            handed={_text(i): _keys(keys) for i, keys in _object(state["handed"]).items()},
        ),
        # Not in files of the time when one such item held back all others.
        unreadable=read_unreadable(state.get("unreadable", [])),
        told=read_complaints(state.get("told", [])),
    )


def _keys(value: object) -> frozenset[tuple[str, int]]:
    pairs = (_list(pair) for pair in _list(value))
    return frozenset((_text(kind), _count(ordinal)) for kind, ordinal in pairs)


def _window(value: object) -> tuple[float | None, float | None]:
    if value is None:
        return None, None
    start, end = (_moment(moment) for moment in _list(value))
    return start, end


def _moment(value: object) -> float:
    """Unix seconds, or what the first version wrote."""
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a window without a UTC offset")
        return moment.timestamp()
    return _number(value)


def _outlook(value: object) -> Outlook | None:
    if value is None:
        return None
    facts = _object(value)
    known = {name: facts[name] for name in fields_dict(Outlook)}
    read = {name: None if fact is None else _number(fact) for name, fact in known.items()}
    due = read.pop("scene_due")
    return Outlook(**read, scene_due=0.0 if due is None else due)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a string was expected, not {type(value).__name__}")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a number was expected, not {type(value).__name__}")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise TypeError(f"a number was expected, not {type(value).__name__}")
    return float(value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, not {type(value).__name__}")
    return value


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"an object was expected, not {type(value).__name__}")
    return value
