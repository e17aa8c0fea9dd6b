"""Does anything that reads foreign bytes crash, hang, or raise what nobody expects?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seeds import SEEDS, TEXTS
from targets import TARGETS

from iceye_derivatives._core import redact

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["2030-01-31T12:00:00Z", "DC_VESSELS", "https://c.example/a?Expires=1", "\ud800"]
    )
)
NAMES = st.sampled_from(sorted({name for seed in SEEDS for name in seed})) | st.text(max_size=5)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=12
)


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """A seed with one of its values, or some of its bytes, replaced."""
    if draw(st.booleans()):
        data = draw(st.sampled_from(TEXTS))
    else:
        data = json.dumps(_with(draw, draw(st.sampled_from(SEEDS)))).encode("utf-8", "replace")
    for _ in range(draw(st.integers(0, 3))):
        at, until = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        piece = draw(st.binary(max_size=4) | st.just(data[at:until] * 2))
        data = data[:at] + piece + data[until if draw(st.booleans()) else at :]
    return data


def _with(draw: st.DrawFn, document: Any) -> Any:
    match document:
        case dict() if document:
            name = draw(st.sampled_from(sorted(document)))
            return document | {name: _with(draw, document[name])}
        case [first, *others]:
            return [_with(draw, first), *others]
        case _:
            return draw(DOCUMENTS)


ANYTHING = mutants() | st.binary() | DOCUMENTS.map(lambda found: json.dumps(found).encode())


@pytest.mark.parametrize("name", TARGETS)
@given(data=ANYTHING)
def test_any_bytes_end_in_a_value_or_a_typed_error(name: str, data: bytes) -> None:
    """Mutated answers, arbitrary JSON and plain garbage."""
    TARGETS[name](data)


# Beginnings of what our patterns look for: a text of nothing but beginnings is what makes a pattern
# try again from each of them.
RUNS = [
    *(
        "a",
        "-",
        "a-",
        "?",
        "?a",
        "=",
        "?=",
        "&",
        "eyJ-",
        "eyJ.",
        "<",
        "<title",
        "<title>",
        " ",
        "\n",
    ),
    *(
        "bearer ",
        "basic\t",
        "token-",
        "-token",
        "x-amz-",
        "policy",
        "expires=",
        "'",
        '"',
        '\\"',
        "\\",
    ),
    *(
        "[",
        "]",
        "{",
        "}",
        "[]",
        "{}",
        "[{",
        '{"a":',
        ",",
        ":",
        "1",
        "-1",
        "1.",
        "%",
        "#",
        "/",
        "../",
        "@",
    ),
    *(
        "0x",
        "0x.",
        "1.1.",
        "<Code> ",
        "\x00",
        "\xff",
        "\u2028",
        "?Expires=1",
        "&Expires=1",
        "?Policy=A",
    ),
]
STARTS = ("", "?", "https://c.example/?", '{"message":"', '{"type":"Feature","a":[[')


@pytest.mark.once
@pytest.mark.timeout(200)  # a hang is what it is for; a machine may be slow
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("start", STARTS)
def test_no_text_takes_longer_than_its_length(
    name: str, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 kB of each run: a pattern that backtracks would take minutes, not milliseconds.

    Messages look at the first 4 KiB alone; here they look at all of it, so that a slow pattern
    shows.
    """
    monkeypatch.setattr(redact, "_LOOKED_AT", 1 << 20)
    for run in RUNS:
        TARGETS[name]((start + run * (60_000 // len(run))).encode())
