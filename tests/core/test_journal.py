"""What is known of a task's files: which are whole, and where its watch stood?"""

from __future__ import annotations

import json

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from strategies import TASK_ID, derivative, snapshot, unreadable

from iceye_derivatives._core.journal import Journal, WholeFile, join_page, parse_journal
from iceye_derivatives._core.notes import NoteFault, Reason
from iceye_derivatives._core.plan import JOURNAL, file_name, journal_name, journals_among, page_name
from iceye_derivatives._core.watch import Watch
from iceye_derivatives.models import AssetRef

# Hypothesis also draws words of our own code, and what is given as a name is kept as one.
texts = st.text(max_size=20).filter(lambda text: "http" not in text)
moments = st.floats(0, 1e11) | st.integers(0, 1 << 40)


@st.composite
def journals(draw: st.DrawFn, task_id: str | None = None) -> Journal:
    journal = Journal(draw(texts) if task_id is None else task_id)
    for derivative_id in draw(st.lists(texts, max_size=4)):
        asset = AssetRef(
            task_id=journal.task_id,
            derivative_id=derivative_id,
            product_type=draw(texts),
            asset_type=draw(texts),
            ordinal=draw(st.integers(1, 3)),
        )
        journal.note(
            WholeFile(
                asset=asset,
                size=draw(st.integers(0, 1 << 50)),
                sha256=draw(st.text("0123456789abcdef", min_size=64, max_size=64)),
                stamp=draw(st.none() | texts),
                etag=draw(st.none() | texts),
                begun=draw(moments),
                finished=draw(moments),
            )
        )
    if draw(st.booleans()):
        journal.watch = Watch(
            journal.task_id, requested=draw(st.none() | st.lists(texts))
        ).to_json()
    return journal


@given(journals())
def test_what_is_written_is_read_again(journal: Journal) -> None:
    note = journal.render()
    assert parse_journal(note) == parse_journal(note, journal.task_id) == journal
    assert b"http" not in note


junk: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.just([]) | st.just({})
)


@given(journals(), st.data())
def test_whatever_else_is_found_is_ignored_with_a_reason(
    journal: Journal, data: st.DataObject
) -> None:
    note = journal.render()
    fields = json.loads(note)
    place = fields
    while isinstance(place, dict) and place:
        name = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[name], dict) or data.draw(st.booleans()):
            place[name] = data.draw(junk)
            break
        place = place[name]
    for bad in (
        json.dumps(fields).encode(),
        note[: data.draw(st.integers(0, len(note) - 1))],
        data.draw(st.binary(max_size=30)),
        b"[" * 100_000,
    ):
        try:
            found = parse_journal(bad, journal.task_id)
        except NoteFault as fault:
            reason = fault.reason
            assert isinstance(reason, Reason)
        else:
            found.resumed_watch()
            assert json.loads(found.render())["files"] == json.loads(bad)["files"]


@pytest.mark.parametrize("moment", ["NaN", "Infinity", "-Infinity", "1e15", "1" + "0" * 400])
def test_a_moment_that_no_clock_shows_is_no_journal_s(moment: str) -> None:
    """Python's JSON knows whole numbers that no float can hold."""
    asset = AssetRef(task_id="t", derivative_id="d", product_type="P", asset_type="geojson")
    journal = Journal("t")
    journal.note(
        WholeFile(
            asset=asset, size=1, sha256="0" * 64, stamp=None, etag=None, begun=7.25, finished=9.0
        )
    )
    note = journal.render()
    assert parse_journal(note) == journal
    with pytest.raises(NoteFault):
        parse_journal(note.replace(b"7.25", moment.encode()))


@given(journals())
def test_another_task_s_journal_is_not_believed(journal: Journal) -> None:
    with pytest.raises(NoteFault) as caught:
        parse_journal(journal.render(), journal.task_id + "x")
    assert caught.value.reason is Reason.OTHER_FILE


def test_a_name_that_leads_elsewhere_is_not_believed() -> None:
    """The names become paths."""
    asset = AssetRef(task_id="t", derivative_id="d", product_type="P", asset_type="x")
    journal = Journal("t")
    journal.note(
        WholeFile(asset=asset, size=1, sha256="0" * 64, stamp="1", etag=None, begun=0, finished=0)
    )
    fields = json.loads(journal.render())
    [file] = fields["files"].values()
    for name in ("../../etc/passwd", "/etc/passwd", "P_other.x", ""):
        bad = json.dumps(fields | {"files": {name: file}}).encode()
        with pytest.raises(NoteFault) as caught:
            parse_journal(bad)
        assert caught.value.reason is Reason.OTHER_FILE


@given(journals("t"), journals("t"))
def test_merging_keeps_all_files_and_of_each_the_later_word(one: Journal, two: Journal) -> None:
    merged = Journal("t", dict(one.files), one.watch)
    merged.merge(two)
    assert merged.files.keys() == one.files.keys() | two.files.keys()
    for name, file in merged.files.items():
        words = [found[name] for found in (one.files, two.files) if name in found]
        assert file in words
        assert file.finished == max(word.finished for word in words)
    again = Journal("t", dict(merged.files), merged.watch)
    again.merge(two)
    assert again == merged


@given(st.lists(st.none() | journals("t"), max_size=4), journals("another"))
def test_pages_say_together_what_each_says_and_of_two_words_the_later(
    pages: list[Journal | None], foreign: Journal
) -> None:
    """The same counts for the watch; of two words that are as late it is the later page's."""
    words: dict[str, WholeFile] = {}
    watch = None
    for page in pages:
        for name, file in {} if page is None else page.files.items():
            if name not in words or words[name].finished <= file.finished:
                words[name] = file
        watch = (page and page.watch) or watch
    whole = None
    for page in pages:
        whole = join_page(whole, page and evolve(page, files=dict(page.files)))
    if whole is None:
        assert set(pages) <= {None}
    else:
        assert whole == Journal("t", words, watch)
        assert join_page(whole, foreign) == Journal("t", words, watch)


def test_a_resumed_watch_knows_the_task_and_hands_everything_out_again() -> None:
    """Only whole files count as done: a killed process may have stored nothing of it."""
    watch = Watch(TASK_ID, requested=["DC_VESSELS"])
    watch.receive(snapshot(derivative("a", "geojson")), 0.0)
    assert watch.pop() is not None
    journal = Journal(TASK_ID, watch=watch.to_json())

    resumed = parse_journal(journal.render()).resumed_watch()

    assert resumed is not None
    assert (resumed.requested, resumed.sure) == (("DC_VESSELS",), True)
    assert resumed.delivered == ()
    resumed.receive(snapshot(derivative("a", "geojson", serial=2)), 0.0)
    assert resumed.pop() is not None


def test_a_resumed_watch_tells_again_of_what_cannot_be_read() -> None:
    """The log of another run may be another one."""
    look = snapshot(derivative("a", "geojson"), unreadable=(unreadable(1, "b"),))
    watch = Watch(TASK_ID)
    watch.receive(look, 0.0)
    watch.mark_told()

    resumed = Journal(TASK_ID, watch=watch.to_json()).resumed_watch()

    assert resumed is not None
    assert resumed.unreadable == ()
    resumed.receive(look, 0.0)
    assert resumed.untold == look.unreadable


@pytest.mark.parametrize("watch", [None, "{}", '{"version": 99}', Watch("another").to_json()])
def test_a_watch_that_cannot_be_read_is_begun_anew(watch: str | None) -> None:
    assert Journal("t", watch=watch).resumed_watch() is None


@given(texts, st.integers(1, 999_999))
def test_a_journal_has_a_name_that_no_file_has(task_id: str, page: int) -> None:
    asset = AssetRef(task_id=task_id, derivative_id="d", product_type="P", asset_type="json")
    folder, _, name = journal_name(task_id, page).partition("/")
    assert file_name(asset).startswith(f"{folder}/")
    assert name.startswith(".")
    assert not file_name(evolve(asset, product_type=".iceye")).partition("/")[2].startswith(".")


@given(st.sets(st.integers(1, 300)), st.lists(texts))
def test_pages_are_known_by_their_names_in_their_order(pages: set[int], others: list[str]) -> None:
    names = [page_name(page) for page in pages]
    strays = [".iceye-journal-1.json", ".iceye-journal-02.json", "x.iceye-journal-2.json"]
    strays += [".iceye-journal-0.json", ".iceye-journal-2.json.part", ".iceye-journal-\u0662.json"]
    found = journals_among([*others, *strays, *sorted(names)])
    assert found == [page_name(page) for page in sorted(pages)]
    assert page_name(1) == JOURNAL == ".iceye-journal.json"
