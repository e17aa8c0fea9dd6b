"""Is this surely a FeatureCollection, by SQLite's reader of JSON, which comes with Python?

It is written in C and makes no object of any value: a file takes it a third of the time that
Python's own scanner needs, and the interpreter is free meanwhile.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import sys
from collections.abc import Callable
from threading import Lock
from typing import Final

__all__ = ["is_strict", "sqlite_reader"]

# How `json_each` is given a document: in a form that is read only once (SQLite 3.45), or as its
# text; from 3.42 on it takes JSON5 as well, and `json_valid` alone does not.
_FORMS: Final = (
    "SELECT jsonb(?1) WHERE json_valid(?1)",
    None,
    "SELECT ?1 WHERE json_valid(?1)",
)
_MEMBERS: Final = """
    SELECT fullkey, type, atom FROM json_each(?) WHERE key IN ('features', 'type') ORDER BY key"""
_OTHERS: Final = "SELECT count(*) FROM json_each(?, '$.features') WHERE type <> 'object'"
_COLLECTION: Final = [("$.features", "array", None), ("$.type", "text", "FeatureCollection")]
"""Each member once: which of two would count, readers do not agree on.  And spelled as it is here:
by a path, SQLite before 3.45 finds no name that is spelled with escapes, and counts nothing."""

_SAMPLE: Final = '{"features":[{"x":%s}],"type":"FeatureCollection"}'
_JSON: Final = ("[null,true,-0.5e+7]", r'"\u00e9\ud800\\\"\/\b"', '{"":{}}')
_NOT_JSON: Final = (
    *("NaN", "-Infinity", "+1", "01", "1.", ".5", "-", "0x1", "1e", "nul", ""),
    *("'a'", r'"\x41"', r'"\u12"', '"\t"', '"\x01"', "{x:1}", "[1,]", '{"a":1,}', "1/**/", "\x0b1"),
)

_turn: Final = Lock()
"""One connection serves all threads, each for some microseconds; it is made in turn as well."""
if sys.platform != "win32":
    # SQLite's own locks would stay closed in a fork, had another thread just closed them.
    os.register_at_fork(
        before=_turn.acquire, after_in_parent=_turn.release, after_in_child=_turn.release
    )


def sqlite_reader() -> Callable[[bytes], bool] | None:
    """Who reads a body; None where this SQLite is too old, or takes for JSON what is none."""
    with _turn:
        connection = sqlite3.connect(":memory:", check_same_thread=False)
    readers = (_Reader(connection, form) for form in _FORMS)
    found = next(filter(is_strict, readers), None)
    if found is None:
        with _turn:
            connection.close()
        return None
    atexit.register(found.close)
    return found


class _Reader:
    def __init__(self, connection: sqlite3.Connection, form: str | None) -> None:
        self._connection = connection
        self._form = form

    def __call__(self, body: bytes) -> bool:
        """Whether it is a FeatureCollection; raises ValueError where it is not even UTF-8."""
        text = body.decode("utf-8-sig")
        # It would end the text; or, before SQLite 3.45, the name or the value in which it stands.
        # Looked for in that order since most files have no backslash, which is told in no time.
        if "\0" in text or ("\\" in text and r"\u0000" in text):
            return False
        try:
            with _turn:
                return self._is_collection(text)
        except sqlite3.Error:
            return False

    def _is_collection(self, text: str) -> bool:
        ask = self._connection.execute
        document = (text,) if self._form is None else ask(self._form, (text,)).fetchone()
        return (
            document is not None
            and ask(_MEMBERS, document).fetchall() == _COLLECTION
            and ask(_OTHERS, document).fetchone() == (0,)
        )

    def close(self) -> None:
        """Read nothing more."""
        with _turn:
            self._connection.close()


def is_strict(reader: Callable[[bytes], bool]) -> bool:
    """Whether it knows JSON, and nothing beyond: it is the system's, and may be of any age."""
    return all(reader((_SAMPLE % good).encode()) for good in _JSON) and not any(
        reader((_SAMPLE % bad).encode()) for bad in _NOT_JSON
    )
