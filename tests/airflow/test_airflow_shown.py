"""Does each DAG that the docs show run as shown?"""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from airflow_stage import AIRCRAFT, Sky, dags_folder

from iceye_derivatives import Backoff

pytestmark = [pytest.mark.usefixtures("database")]

QUICK = {"initial": 0.02, "maximum": 0.1}
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "airflow.md"
ORDER, THOUSAND = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def run(name: str, source: str, waits: str, **conf: Any) -> str:
    """The state in which the DAG ends; only its patience with Airflow is taken from it."""
    path = dags_folder() / f"{name}.py"
    path.write_text(source)
    try:
        dag = runpy.run_path(str(path))[name]()
        operator = dag.get_task(waits)
        settings = getattr(operator, "partial_kwargs", vars(operator))
        settings["min_wait"] = 0.0
        settings["backoff"] = QUICK if settings is vars(operator) else Backoff(**QUICK)
        return str(dag.test(run_conf=conf).state)
    finally:
        path.unlink()


def test_the_one_that_orders_waits_and_downloads(sky: Sky, tmp_path: Path) -> None:
    later = Thread(target=sky.pass_time_once_looked_at, args=[AIRCRAFT], daemon=True)
    later.start()
    state = run(
        "detections", ORDER, "download", folder=str(tmp_path), contract_id=sky.simulator.contract_id
    )
    later.join()
    assert state == "success"
    assert len(list(tmp_path.rglob("DC_VESSELS*.geojson"))) == 1


def test_the_one_that_waits_for_all_there_are(sky: Sky) -> None:
    for _ in range(8):
        sky.order()
    sky.pass_time(AIRCRAFT)
    assert run("thousand", THOUSAND, "ready") == "success"
