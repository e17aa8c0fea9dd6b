"""Who makes a file now, and is that process still alive?"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.notes import NoteFault
from iceye_derivatives._core.ownership import (
    BEAT,
    LARGEST,
    SILENCE,
    Judgement,
    Owner,
    judge,
    parse_owner,
    render_owner,
)

owners = st.builds(
    Owner,
    token=st.text("0123456789abcdef", min_size=17, max_size=64),
    host=st.text(max_size=64),
    machine=st.text(max_size=64),
    pid=st.integers(0, 1 << 31),
    started=st.text(max_size=20),
)
ages = st.floats(-1e9, 1e9)


@given(owners)
def test_what_is_written_is_read_again(owner: Owner) -> None:
    note = render_owner(owner)
    assert len(note) < LARGEST
    assert parse_owner(note) == owner


@given(owners, st.data())
def test_whatever_else_is_found_cannot_be_read_and_never_crashes(
    owner: Owner, data: st.DataObject
) -> None:
    note = render_owner(owner)
    fields = json.loads(note)
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(
        st.none() | st.booleans() | st.floats() | st.just([]) | st.just("../x") | st.just({})
    )
    for bad in (note[: data.draw(st.integers(0, len(note) - 1))], json.dumps(fields).encode()):
        try:
            found = parse_owner(bad)
        except NoteFault:
            continue
        assert json.loads(render_owner(found)) == json.loads(bad)


@given(owners, ages)
def test_where_the_machine_can_tell_time_is_not_asked(owner: Owner, age: float) -> None:
    assert judge(owner, alive=True, age=age) is Judgement.HELD
    assert judge(owner, alive=False, age=age) is Judgement.DEAD


@given(owners | st.none(), st.none() | st.booleans(), ages)
def test_nobody_who_may_live_counts_as_certainly_gone(
    owner: Owner | None, alive: bool | None, age: float
) -> None:
    verdict = judge(owner, alive=alive, age=age)
    if verdict is Judgement.DEAD:
        assert alive is False


@given(owners)
def test_elsewhere_a_silence_of_minutes_counts_as_gone_and_a_few_lost_beats_do_not(
    owner: Owner,
) -> None:
    assert judge(owner, alive=None, age=5 * BEAT) is Judgement.HELD
    assert judge(owner, alive=None, age=SILENCE + 1) is Judgement.LOST


@pytest.mark.parametrize(("age", "verdict"), [(1, Judgement.HELD), (60, Judgement.LOST)])
def test_a_record_that_is_being_written_is_left_alone_for_a_while(
    age: float, verdict: Judgement
) -> None:
    assert judge(None, alive=None, age=age) is verdict
