"""Does the file of many tasks remember who ended, who was given up, and who goes on?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives import FleetState, Watch, WatchFailed, WatchFinished, WatchTimeoutError
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.fleet import Reach, RotaEntry
from iceye_derivatives._core.fleet_park import Garage
from iceye_derivatives._core.seen import Seen
from iceye_derivatives.cli.fleet_file import FleetFile

NOW = 1_800_000_000.0
# Names that stand in the file itself, as a server or a user may choose them as well.
NAMES = st.sampled_from(["tasks", "ended", "given_up", '"ended": [']) | st.text(max_size=9)
GARAGE = Garage(Patience())


def fleet_of(task_ids: Iterable[str]) -> FleetState:
    fresh = GARAGE.park(GARAGE.fresh("", NOW))
    return FleetState(tuple(RotaEntry(NOW, task_id, Reach.FRESH, fresh) for task_id in task_ids))


def given_up(task_id: str, shown: Iterable[str]) -> WatchFailed:
    names = list(shown)
    seen = Seen(
        listed=dict.fromkeys(names, "DC_VESSELS"),
        handed=dict.fromkeys(names, frozenset({("geojson", 1)})),
    )
    watch = Watch(task_id, seen=seen)
    error = WatchTimeoutError("It took too long", watch=watch)
    return WatchFailed(task_id=task_id, error=error, watch=watch)


@given(
    parts=st.lists(NAMES, unique=True).flatmap(
        lambda ids: st.tuples(st.just(ids), st.integers(0, len(ids)), st.integers(0, len(ids)))
    ),
    shown=st.lists(NAMES, unique=True, max_size=3),
    sort=st.booleans(),
)
def test_what_was_written_is_read_again(
    parts: tuple[list[str], int, int], shown: list[str], sort: bool
) -> None:
    """Whatever the names are, and whatever has reformatted the file since."""
    ids, one, two = parts
    first, second = sorted((one, two))
    ended, failed, waiting = ids[:first], ids[first:second], ids[second:]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.json"
        memory = FleetFile(path)
        for task_id in ended:
            memory.note(WatchFinished(task_id=task_id, delivered=3))
        for task_id in failed:
            memory.note(given_up(task_id, shown))
        memory.saving(fleet_of(waiting))()
        document = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(document, sort_keys=sort, indent=sort or None), "utf-8")

        again = FleetFile.load(path)
        fleet = again.take_fleet(NOW)

    assert list(again.ended) == ended
    assert set(fleet.task_ids) == {*failed, *waiting}
    states = {place.task_id: place.state for place in fleet.places()}
    for task_id in failed:
        assert GARAGE.read(task_id, states[task_id]).delivered == tuple(shown)


def test_a_file_of_an_older_version_is_read(tmp_path: Path) -> None:
    """It holds the fleet alone."""
    path = tmp_path / "fleet.json"
    path.write_text(fleet_of(["a", "b"]).to_json(), "utf-8")

    memory = FleetFile.load(path)

    assert memory.ended == {}
    assert set(memory.take_fleet(NOW).task_ids) == {"a", "b"}


def test_an_older_version_reads_the_fleet_of_ours(tmp_path: Path) -> None:
    memory = FleetFile(tmp_path / "fleet.json")
    memory.note(WatchFinished(task_id="tasks", delivered=3))
    memory.note(given_up("b", ["tasks"]))
    memory.saving(fleet_of(["c"]))()

    assert FleetState.from_json((tmp_path / "fleet.json").read_bytes()).task_ids == ("c",)


def test_who_waits_is_told_what_was_ordered(tmp_path: Path) -> None:
    memory = FleetFile(tmp_path / "fleet.json")
    memory.note(given_up("a", []))
    memory.saving(fleet_of(["b"]))()

    fleet = FleetFile.load(memory.path).take_fleet(NOW, ["DC_VESSELS"])

    for place in fleet.places():
        watch = GARAGE.read(place.task_id, place.state)
        assert (watch.requested, watch.sure) == (("DC_VESSELS",), True)


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    FleetFile.load(None).saving(FleetState())()
    assert list(tmp_path.iterdir()) == []
