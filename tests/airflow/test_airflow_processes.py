"""Does it work in a real Airflow: scheduler, API server and two triggerers, both of them lost?"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from airflow_stage import AIRCRAFT, PLAN, VESSELS, WAITING, Airflow, Sky, until
from attrs import evolve, field, frozen

MANY = int(os.environ.get("ICEYE_AIRFLOW_TASKS", "60"))
"""Tasks that two triggerers share: few here, as many as you like by hand."""
SHARES = 4
"""Airflow tasks among which they are shared out."""
CAPACITY = (4, 3)
"""Triggers that each triggerer takes: both are needed for the seven that wait at a time."""

LATE = evolve(PLAN, derivative_delays={"DC_AIRCRAFT": 2 * AIRCRAFT})

DAGS = '''
"""A DAG file as a user writes it."""
import json
from datetime import datetime
from pathlib import Path

from airflow.sdk import DAG

from iceye_derivatives import Backoff
from iceye_derivatives.airflow.operators import DownloadDerivativesOperator
from iceye_derivatives.airflow.sensors import IceyeDerivativesSensor

orders = json.loads(Path({orders!r}).read_text())
once = dict(schedule="@once", start_date=datetime(2026, 1, 1))
often = Backoff(initial=0.5, maximum={often})
in_decades = Backoff(initial=1e9, maximum=1e9)

'''
FIRST = """
with DAG("first", **once):
    arguments = dict(destination={destination!r}, settle=0.0, min_wait=4.0)
    DownloadDerivativesOperator(
        task_id="few", task_ids=orders["few"], backoff=often, **arguments
    )
    DownloadDerivativesOperator(
        task_id="patient", task_ids=orders["patient"], backoff=in_decades, **arguments
    )
    DownloadDerivativesOperator(
        task_id="killed", task_ids=orders["killed"], cancel_on_kill=True, **arguments
    )
"""
SECOND = """
with DAG("many", **once):
    for number, task_ids in enumerate(orders["many"]):
        IceyeDerivativesSensor(
            task_id=f"share{{number}}", task_ids=task_ids, backoff=often, min_wait=4.0
        )
"""
DEFERRED = {"few": "deferred", "patient": "deferred", "killed": "deferred"}


@frozen
class Stage:
    """Airflow, the simulator, and what was ordered there."""

    sky: Sky
    airflow: Airflow
    folder: Path
    few: list[str] = field(init=False)
    patient: str = field(init=False)
    killed: str = field(init=False)
    many: list[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        order = self.sky.order
        object.__setattr__(self, "few", [order() for _ in range(3)])
        object.__setattr__(self, "patient", order())
        object.__setattr__(self, "killed", order(plan=WAITING))
        object.__setattr__(
            self, "many", [order(types=("DC_AIRCRAFT",), plan=LATE) for _ in range(MANY)]
        )
        orders = {
            "few": self.few,
            "patient": self.patient,
            "killed": self.killed,
            "many": [self.many[start::SHARES] for start in range(SHARES)],
        }
        (self.folder / "orders.json").write_text(json.dumps(orders))

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def write(self, name: str, dag: str) -> None:
        text = (DAGS + dag).format(
            orders=str(self.folder / "orders.json"),
            destination=str(self.files),
            often=max(2.0, MANY / 100),
        )
        (self.airflow.home / "dags" / name).write_text(text)


def test_killed_copied_and_shared_among_triggerers_it_loses_and_repeats_nothing(
    tmp_path: Path,
) -> None:
    """One Airflow for all of the story: to start it takes longer than the rest.

    Of two triggerers one is killed and one frozen, as a machine is that is moved.  To Airflow both
    are dead, and a third gets what they had; the frozen one comes back with its copies.
    """
    with (
        Sky.open() as sky,
        Airflow.open(tmp_path / "home", AIRFLOW_CONN_ICEYE_DEFAULT=sky.connection()) as airflow,
    ):
        stage = Stage(sky, airflow, tmp_path)
        stage.write("first.py", FIRST)
        sky.pass_time(VESSELS)
        airflow.serve()
        airflow.start("dag-processor")
        airflow.start("scheduler")
        airflow.start("triggerer", "--capacity", str(CAPACITY[0]), name="triggerer-0")
        _its_watches_are_in_the_database(stage)
        stage.write("second.py", SECOND)
        airflow.start("triggerer", "--capacity", str(CAPACITY[1]), name="triggerer-1")
        _both_take_part(stage)
        lost = set(airflow.holders().values())
        airflow.freeze("triggerer-1")
        airflow.stop("triggerer-0", signal.SIGKILL)
        airflow.start("triggerer", "--capacity", str(sum(CAPACITY)), name="triggerer-2")
        copies = _another_goes_on_as_planned(stage, lost)
        _killing_the_waiting_task_cancels_the_order(stage)
        sky.pass_time(2 * AIRCRAFT)
        _all_end_well(stage)
        airflow.thaw("triggerer-1")
        _copies_that_run_on_change_nothing(stage, copies)
        _no_secret_is_anywhere(stage)


def _its_watches_are_in_the_database(stage: Stage) -> None:
    """A worker has downloaded what was ready at once, and the rest is waited for again."""
    vessels = lambda: len(list(stage.files.rglob("DC_VESSELS*.geojson")))  # noqa: E731
    until(vessels, lambda count: count == 4, stage.airflow)
    until(
        lambda: (stage.airflow.states("first"), stage.airflow.holders().keys()),
        lambda found: found == (DEFERRED, DEFERRED.keys()),
        stage.airflow,
    )
    rows = str(stage.airflow.ask("select kwargs from trigger"))
    assert stage.patient in rows  # so that they can be read, and not finding a link says something


def _both_take_part(stage: Stage) -> None:
    holders = until(stage.airflow.holders, lambda found: len(found) == sum(CAPACITY), stage.airflow)
    assert len({holders[f"share{number}"] for number in range(SHARES)}) == 2
    until(
        lambda: stage.sky.looks().keys() & set(stage.many),
        lambda found: len(found) == MANY,
        stage.airflow,
    )


def _another_goes_on_as_planned(stage: Stage, lost: set[int]) -> dict[str, int]:
    """Who has its `Watch` looks when that had planned to: here in decades, and so not at all.

    Returns:
        Who had the triggers before.
    """
    before, looks = stage.airflow.holders(), stage.sky.looks()
    until(
        stage.airflow.holders,
        lambda found: len(found) == sum(CAPACITY) and not lost & set(found.values()),
        stage.airflow,
    )
    until(
        stage.sky.looks,
        lambda found: all(found[each] > looks[each] for each in [*stage.few, *stage.many]),
        stage.airflow,
    )
    assert stage.sky.looks()[stage.patient] == looks[stage.patient]
    assert stage.airflow.states("first") == DEFERRED
    return before


def _killing_the_waiting_task_cancels_the_order(stage: Stage) -> None:
    ((run_id,),) = stage.airflow.ask("select run_id from dag_run where dag_id = 'first'")
    path = f"/api/v2/dags/first/dagRuns/{run_id}/taskInstances/killed"
    stage.airflow.request("PATCH", path, {"new_state": "failed"})
    until(
        lambda: stage.sky.status(stage.killed), lambda status: status == "CANCELED", stage.airflow
    )


def _all_end_well(stage: Stage) -> None:
    """No file was asked for twice."""
    states = until(
        lambda: stage.airflow.states("many"),
        lambda states: len(states) == SHARES and set(states.values()) <= {"success", "failed"},
        stage.airflow,
    )
    assert set(states.values()) == {"success"}
    until(
        lambda: stage.airflow.states("first")["few"],
        lambda state: state == "success",
        stage.airflow,
    )
    assert stage.airflow.states("first") == {
        "few": "success",
        "patient": "deferred",
        "killed": "failed",
    }
    assert len(list(stage.files.rglob("*.geojson"))) == 7
    assert stage.sky.downloads() == 7


def _copies_that_run_on_change_nothing(stage: Stage, before: dict[str, int]) -> None:
    """ "It may run twice": the frozen triggerer looks for its tasks, as if it still had them.

    What it held were shares, since the killed one was there first; all of them have ended.
    """
    frozen = before["share0"] if before["share0"] != before["patient"] else before["share1"]
    held = [number for number in range(SHARES) if before[f"share{number}"] == frozen]
    its_tasks = {each for number in held for each in stage.many[number::SHARES]}
    looks, beat = stage.sky.looks(), stage.airflow.heartbeats()[frozen]
    states = stage.airflow.states("first"), stage.airflow.states("many")
    until(
        stage.sky.looks,
        lambda found: any(found[each] > looks[each] for each in its_tasks),
        stage.airflow,
    )
    until(lambda: stage.airflow.heartbeats()[frozen], lambda found: found != beat, stage.airflow)
    assert (stage.airflow.states("first"), stage.airflow.states("many")) == states
    assert stage.sky.downloads() == 7


def _no_secret_is_anywhere(stage: Stage) -> None:
    secret = stage.sky.simulator.environ["ICEYE_CLIENT_SECRET"]
    told = stage.airflow.logs() + "".join(
        path.read_bytes().decode(errors="replace")
        for path in stage.airflow.home.glob("airflow.db*")
    )
    assert stage.few[0] in told
    assert secret not in told
    assert "Signature=" not in told
