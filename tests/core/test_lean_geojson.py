"""Is a file that is believed without a tree one that the parser would have believed?"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from verdicts import VALUES, altered, parsed_verdict, verdict

from iceye_derivatives._core import quick_geojson
from iceye_derivatives._core.quick_geojson import surely_a_collection
from iceye_derivatives._core.sqlite_geojson import is_strict, sqlite_reader

_LOOKS_FOR_SQLITE = quick_geojson._by_sqlite.__wrapped__
DOCUMENTS = st.builds(
    lambda kind, members: {"type": kind, **members},
    st.sampled_from(["FeatureCollection", "Feature", "Nothing", None]),
    st.dictionaries(st.sampled_from(["features", "geometry", "x"]), VALUES),
)
WHOLE = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null, "properties":'
    ' {"class": "bâteau", "a": -1.5e-3}}, {"properties": {"n": [true, 0, "\\"\\\\"], "x": {}}}],'
    ' "note" : "\\u00e9" }\n'
).encode()


@pytest.fixture(autouse=True, params=["SQLite", "Python"])
def _without_the_extra(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """By SQLite, and where Python was built without it."""
    monkeypatch.setattr(quick_geojson, "_by_msgspec", lambda: None)
    if request.param == "Python":
        monkeypatch.setattr(quick_geojson, "_by_sqlite", lambda: None)


def test_what_the_page_shows_needs_no_tree() -> None:
    assert surely_a_collection(WHOLE)
    assert surely_a_collection(b"\xef\xbb\xbf" + WHOLE)


@example(b"")
@example(b'{"type":"FeatureCollection","features":[NaN]}')
@example(b'{"type":"FeatureCollection","features":[],"x":NaN}')
@example(b'{"type":"FeatureCollection","features":[1]}')
@example(b'{"type":"FeatureCollection","features":[1.5]}')
@example(b'{"type":"FeatureCollection","features":[[]]}')
@example(b'{"type":"FeatureCollection","features":{}}')
@example(b'{"type":"FeatureCollection","features":[' + b"1" * 5000 + b"]}")
@example(b'{"type":"Point","features":[],"type":"FeatureCollection"}')
@example(b'{"type":"FeatureCollection","features":[],"type":{}}')
@example(b'{[]:1,"type":"FeatureCollection","features":[]}')
@example(b'{{}:1,"type":"FeatureCollection","features":[]}')
@example(b'{"type":"FeatureCollection","features":[],}')
@example(b'{"type":"FeatureCollection","features":[]} x')
@example(b'{"type":"FeatureCollection","features":[]}\0x')
@example(b'{"type":"FeatureCollection","features":[],"note":"\xff"}')
@example(b'{"type":"FeatureCollection","features":[{}],"features":[1]}')
@example(b'{"type":"FeatureCollection","features":[{}],"featur\\u0065s":[1]}')
@example(b'{"type":"FeatureCollection","features":[{}],"ty\\u0070e":"Point"}')
@example(rb'{"type":"FeatureCollection","featur\u0065s":[1]}')
@example(rb'{"type":"FeatureCollection","features\u0000":[]}')
@example(rb'{"type\u0000":"FeatureCollection","features":[]}')
@example(rb'{"type":"FeatureCollection\u0000","features":[]}')
@example(b'{"type":"FeatureCollection","features":[]')
@example(b'{"type":"FeatureCollection","features"')
@example(b'\x0b{"type":"FeatureCollection","features":[]}')
@example(b"{" + b'"a":[' * 100_000)
@given(DOCUMENTS.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=40))
def test_both_come_to_one_verdict_in_the_same_words(body: bytes) -> None:
    assert verdict(body) == parsed_verdict(body)


@given(altered(WHOLE))
def test_a_few_bytes_exchanged_cut_out_or_put_in_change_both_verdicts_alike(body: bytes) -> None:
    assert verdict(body) == parsed_verdict(body)


@pytest.mark.parametrize("text", ["{'features':[]}", "[NaN]", "[1,]", "[+1]", "[01]", '["\t"]'])
def test_what_is_none_is_not_believed_at_any_place(text: str) -> None:
    """Newer releases of SQLite read JSON5 as well."""
    body = f'{{"features":[{{}}],"type":"FeatureCollection","x":{text}}}'
    assert not surely_a_collection(body.encode())


def test_sqlite_reads_it_where_there_is_one() -> None:
    reads = sqlite_reader()
    assert reads is not None
    assert reads(WHOLE)
    assert not reads(WHOLE[:-3])


def test_a_python_that_was_built_without_sqlite_reads_it_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    monkeypatch.delitem(sys.modules, "iceye_derivatives._core.sqlite_geojson")
    monkeypatch.setattr(quick_geojson, "_by_sqlite", _LOOKS_FOR_SQLITE)
    assert surely_a_collection(WHOLE)
    assert not surely_a_collection(WHOLE[:-3])


def test_a_reader_that_takes_more_or_less_than_json_is_not_asked() -> None:
    """Which SQLite there is, is the system's choice."""

    def takes_nan(body: bytes) -> bool:
        try:
            json.loads(body)
        except ValueError:
            return False
        return True

    assert not is_strict(takes_nan)
    assert not is_strict(lambda _: False)
    assert not is_strict(lambda _: True)


@pytest.mark.parametrize(
    ("task", "forks"),
    [
        ("reads(whole % (b',{\"a\":[1,2,3]}' * 100_000))", 5),
        ("sqlite_reader().close() or True", 100),  # of which one in seventeen met it
    ],
)
def test_a_fork_reads_on_whatever_another_thread_was_just_doing(task: str, forks: int) -> None:
    """SQLite's own locks are copied as they are, and so are ours."""
    program = f"""
import os, signal, sys
from threading import Event, Thread
from iceye_derivatives._core.sqlite_geojson import sqlite_reader
reads, begun = sqlite_reader(), Event()
whole = b'{{"type":"FeatureCollection","features":[{{}}%s]}}'
def go_on():
    while {task}:
        begun.set()
Thread(target=go_on, daemon=True).start()
begun.wait()
for _ in range({forks}):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(not (reads(whole % b"") and sqlite_reader()))
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        sys.exit("the fork waits for a thread that it has not")
"""
    found = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
