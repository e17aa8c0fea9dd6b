"""How is a watch written down, so that another process goes on with it?

JSON, versioned, small, and without a single URL: "Download URLs expire in 1 hour. Do not store the
URLs for long term access."  What had been shown but not handed out is therefore not stored either;
the next look shows it again.
"""

from __future__ import annotations

import json
from datetime import datetime

from attrs import frozen

from iceye_derivatives._core.redact import clean_text
from iceye_derivatives._core.seen import Seen
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.models import AcquisitionWindow

__all__ = ["WatchState", "dump_state", "load_state"]

VERSION = 1


@frozen(kw_only=True)
class WatchState:
    """What of a watch outlives its process."""

    task_id: str
    requested: tuple[str, ...] | None
    sure: bool
    status: str | None
    window: AcquisitionWindow | None
    seen: Seen


def dump_state(state: WatchState) -> str:
    """The state as one line of JSON."""
    window = state.window
    return json.dumps(
        {
            "version": VERSION,
            "task_id": state.task_id,
            "requested": state.requested,
            "sure": state.sure,
            "status": state.status,
            "window": window and [window.start.isoformat(), window.end.isoformat()],
            "listed": state.seen.listed,
            "handed": {i: sorted(keys) for i, keys in state.seen.handed.items()},
        }
    )


def load_state(text: str | bytes) -> WatchState:
    """The state that `dump_state` wrote down.

    Raises:
        ConfigurationError: when the text is anything else.
    """
    try:
        return _read(json.loads(text))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ConfigurationError(
            f"This is no saved watch of this version ({type(error).__name__}: "
            f"{clean_text(str(error))}); "
            "start a new one with Watch(task_id)"
        ) from None


def _read(state: dict[str, object]) -> WatchState:
    if state["version"] != VERSION:
        raise ValueError(f"version {state['version']!r}")
    requested, status, sure = state["requested"], state["status"], state["sure"]
    return WatchState(
        task_id=_text(state["task_id"]),
        requested=None if requested is None else tuple(_text(name) for name in _list(requested)),
        sure=sure is True,
        status=None if status is None else _text(status),
        window=_window(state["window"]),
        seen=Seen(
            listed={_text(i): _text(name) for i, name in _object(state["listed"]).items()},
            handed={_text(i): _keys(keys) for i, keys in _object(state["handed"]).items()},
        ),
    )


def _keys(value: object) -> frozenset[tuple[str, int]]:
    pairs = (_list(pair) for pair in _list(value))
    return frozenset((_text(kind), _count(ordinal)) for kind, ordinal in pairs)


def _window(value: object) -> AcquisitionWindow | None:
    if value is None:
        return None
    start, end = (datetime.fromisoformat(_text(moment)) for moment in _list(value))
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("a window without a UTC offset")
    return AcquisitionWindow(start=start, end=end)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a string was expected, not {type(value).__name__}")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a number was expected, not {type(value).__name__}")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, not {type(value).__name__}")
    return value


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"an object was expected, not {type(value).__name__}")
    return value
