"""Do operator and sensor work in a DAG as Airflow itself runs it: `dag.test()`?"""

from __future__ import annotations

import hashlib
import runpy
import time
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from airflow_stage import AIRCRAFT, PLAN, VESSELS, Sky, dags_folder
from attrs import evolve
from s3_server import BUCKET, PLANTED_KEY, PLANTED_SECRET, serving

from iceye_derivatives import ConfigurationError
from iceye_derivatives.airflow._waiting import checked_ids, raise_for
from iceye_derivatives.airflow.operators import DownloadDerivativesOperator
from iceye_derivatives.airflow.payload import Failure
from iceye_derivatives.airflow.sensors import IceyeDerivativesSensor

pytestmark = [pytest.mark.usefixtures("database")]

_count = count()

DAG_FILE = """
from airflow.sdk import DAG

from iceye_derivatives import Backoff
from {module} import {name}

with DAG({dag_id!r}, schedule=None) as dag:
    quick = dict(backoff=Backoff(initial=0.02, maximum=0.1), min_wait=0.0)
    {name}(task_id="t", **quick, **{arguments!r})
"""


def run(make: type[BaseOperator], **arguments: Any) -> tuple[str, Any]:
    """Run a DAG of one operator, from a file as users have it: its state, and what XCom has."""
    dag_id = f"dag_{next(_count)}"
    source = DAG_FILE.format(
        module=make.__module__, name=make.__name__, dag_id=dag_id, arguments=arguments
    )
    path = dags_folder() / f"{dag_id}.py"
    path.write_text(source)
    try:
        result = runpy.run_path(str(path))["dag"].test()
    finally:
        path.unlink()
    instance = result.get_task_instance("t")
    return str(result.state), instance.xcom_pull(task_ids="t", run_id=result.run_id)


def test_each_derivative_is_downloaded_when_it_is_ready(sky: Sky, tmp_path: Path) -> None:
    task_id = sky.order()
    sky.pass_time(VESSELS)

    def later() -> None:
        while not list(tmp_path.rglob("DC_VESSELS*.geojson")):
            time.sleep(0.05)  # the operator's doing: there is nothing to wait on but its file
        sky.pass_time(AIRCRAFT)

    thread = Thread(target=later, daemon=True)
    thread.start()
    state, files = run(
        DownloadDerivativesOperator, task_ids=task_id, destination=str(tmp_path), settle=0.0
    )
    thread.join()
    assert state == "success"
    assert [each["product_type"] for each in files] == ["DC_VESSELS", "DC_AIRCRAFT"]
    for each in files:
        body = Path(each["path"]).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (each["size"], each["sha256"])


def test_a_task_that_fails_fails_the_operator_after_the_others(sky: Sky, tmp_path: Path) -> None:
    good, bad = sky.order(), sky.order(types=())
    sky.pass_time(AIRCRAFT)
    state, _ = run(
        DownloadDerivativesOperator, task_ids=[good, bad], destination=str(tmp_path), settle=0.0
    )
    assert state == "failed"
    assert len(list((tmp_path / good).glob("*.geojson"))) == 2


def test_a_rejected_order_fails_the_operator_in_our_words(
    sky: Sky, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rejected = sky.order(plan=evolve(PLAN, outcome="REJECTED"))
    sky.pass_time(1)
    state, _ = run(DownloadDerivativesOperator, task_ids=rejected, destination=str(tmp_path))
    assert state == "failed"
    told = capfd.readouterr()
    assert f"{rejected}: TaskEndedError: Task {rejected} is REJECTED" in told.out + told.err


def test_the_operator_ends_with_its_timeout_and_keeps_what_came(
    sky: Sky, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    task_id = sky.order()
    sky.pass_time(VESSELS)
    state, _ = run(
        DownloadDerivativesOperator,
        task_ids=task_id,
        destination=str(tmp_path),
        settle=0.0,
        timeout=5.0,
    )
    assert state == "failed"
    told = capfd.readouterr()
    assert "WatchTimeoutError" in told.out + told.err
    assert [path.name[:10] for path in tmp_path.rglob("*.geojson")] == ["DC_VESSELS"]


def test_run_again_it_fetches_nothing_twice(sky: Sky, tmp_path: Path) -> None:
    task_id = sky.order()
    sky.pass_time(AIRCRAFT)
    arguments = {"task_ids": [task_id], "destination": str(tmp_path), "wait_for": "all"}
    first = run(DownloadDerivativesOperator, **arguments)
    before = sky.portal.call(lambda: len(sky.simulator.requests))
    assert run(DownloadDerivativesOperator, **arguments) == first
    again = sky.portal.call(lambda: list(sky.simulator.requests))[before:]
    assert not [each for each in again if each.path.endswith(".geojson")]


def test_saving_in_between_changes_nothing(sky: Sky, tmp_path: Path) -> None:
    task_ids = [sky.order(), sky.order()]
    arguments = {"task_ids": task_ids, "save_every": 0.3}
    later = Thread(target=sky.pass_time_once_looked_at, args=[AIRCRAFT], daemon=True)
    later.start()
    assert run(IceyeDerivativesSensor, **arguments)[0] == "success"
    state, files = run(DownloadDerivativesOperator, destination=str(tmp_path), **arguments)
    assert state == "success"
    assert len({each["path"] for each in files}) == len(files) == 4
    later.join()


def test_it_downloads_to_an_object_store(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = sky.order()
    sky.pass_time(AIRCRAFT)
    with serving() as s3:
        for name, value in {
            "AWS_ENDPOINT_URL": s3.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": PLANTED_KEY,
            "AWS_SECRET_ACCESS_KEY": PLANTED_SECRET,
        }.items():
            monkeypatch.setenv(name, value)
        state, files = run(
            DownloadDerivativesOperator, task_ids=[task_id], destination=f"s3://{BUCKET}/a"
        )
        stored = {f"s3://{BUCKET}/{key}": body for key, body in s3.objects().items()}
    assert (state, len(files)) == ("success", 2)
    for each in files:
        assert hashlib.sha256(stored[each["path"]]).hexdigest() == each["sha256"]


def test_a_slip_in_the_destination_is_told_before_the_wait(sky: Sky) -> None:
    operator = DownloadDerivativesOperator(task_id="t", task_ids=["a"], destination="ftp://x/y")
    with pytest.raises(ConfigurationError, match="ftp:// is no destination"):
        operator.execute({})


@pytest.mark.parametrize("given", [[], "", ["a", None]])
def test_task_ids_that_name_nothing_fail_without_a_retry(given: Any) -> None:
    with pytest.raises(AirflowFailException, match="names no ICEYE tasks"):
        checked_ids(given)


def test_a_failure_is_told_in_our_words_and_tried_again_where_that_may_help() -> None:
    ended = Failure(task_id="a", kind="TaskEndedError", message="It is REJECTED.", retryable=False)
    broken = Failure(task_id="b", kind="NetworkError", message="No answer.", retryable=True)
    with pytest.raises(AirflowFailException) as final:
        raise_for([ended], of=2)
    assert str(final.value) == "1 of 2 ICEYE tasks failed. a: TaskEndedError: It is REJECTED."
    with pytest.raises(AirflowException) as passing:
        raise_for([ended, broken], of=2)
    assert not isinstance(passing.value, AirflowFailException)
    raise_for([], of=2)


def test_the_sensor_hands_on_what_is_ready(sky: Sky) -> None:
    task_id = sky.order()
    sky.pass_time(AIRCRAFT)
    state, ready = run(IceyeDerivativesSensor, task_ids=[task_id])
    assert state == "success"
    assert sorted(each["product_type"] for each in ready) == ["DC_AIRCRAFT", "DC_VESSELS"]
    assert "http" not in str(ready)


def test_the_sensor_pokes_where_nobody_can_defer(sky: Sky) -> None:
    task_id = sky.order()
    sky.pass_time(AIRCRAFT)
    state, ready = run(IceyeDerivativesSensor, task_ids=[task_id], deferrable=False)
    assert (state, len(ready)) == ("success", 2)


@pytest.mark.parametrize("deferrable", [True, False])
def test_the_sensor_fails_with_a_task_that_fails(
    sky: Sky, capfd: pytest.CaptureFixture[str], deferrable: bool
) -> None:
    sky.pass_time(1)
    state, _ = run(IceyeDerivativesSensor, task_ids=[sky.order(types=())], deferrable=deferrable)
    assert state == "failed"
    told = capfd.readouterr()
    assert "NoDerivativesRequestedError" in told.out + told.err


def test_the_sensor_ends_with_its_timeout(sky: Sky) -> None:
    assert run(IceyeDerivativesSensor, task_ids=[sky.order()], timeout=0.2)[0] == "failed"
