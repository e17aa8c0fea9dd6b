"""Does any text of a server's come through as text, and nothing of it as a command?"""

from __future__ import annotations

import re
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives import ConfigurationError
from iceye_derivatives._visible import visible

ANY = st.text() | st.text(st.sampled_from("a\x1b\r\n\t\x07\x9b\u2028\u2029\u202e\u2066\ud800\\[]"))
ORDINARY = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")))


@given(ANY)
def test_no_control_character_and_no_end_of_a_line_gets_through(text: str) -> None:
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert [char for char in shown if category(char) in {"Cc", "Cs", "Zl", "Zp"}] == []
    assert re.findall("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]", shown) == []
    assert visible(shown) == shown


@given(ORDINARY)
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "DC_VESSELS",
        "порт Роттердам",
        "鹿特丹\u3000港",
        "روتردام",
        "می\u200cروم",
        "C:\\a",
        "🛰️",
        "👩\u200d🚀",
    ],
)
def test_so_are_words_of_all_languages(text: str) -> None:
    assert visible(text) == text


def test_what_acts_is_spelt_so_that_eyes_see_it() -> None:
    assert visible("a\x1b[2J\r\nb\u202e\ud800") == "a\\x1b[2J\\r\\nb\\u202e\\ud800"


@given(ANY)
def test_every_error_says_it_so(text: str) -> None:
    """Messages quote ids and statuses, and programs write them into their logs."""
    assert str(ConfigurationError(f"Task {text} failed")) == f"Task {visible(text)} failed"
