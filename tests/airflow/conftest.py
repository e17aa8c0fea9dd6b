"""What the tests of the Airflow bridge share: an Airflow home before Airflow is imported."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Airflow reads its settings when it is imported, so they must stand before any test module does.
HOME = Path(tempfile.mkdtemp(prefix="airflow-home-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

from airflow_stage import Sky, airflow_environ, free_port  # noqa: E402 - see above

sys.path.append(str(Path(__file__).parents[1] / "extras"))  # s3_server.py

os.environ.update(airflow_environ(HOME, free_port()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Airflow warns of itself; only what our own code causes is an error here."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("default"))
        item.add_marker(pytest.mark.filterwarnings("error:::iceye_derivatives"))
        item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def database() -> None:
    """Airflow's tables, for what runs in this process."""
    from airflow.utils.db import initdb  # noqa: PLC0415 - Airflow is imported late

    initdb()


@pytest.fixture
def sky(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sky]:
    """A simulator, and the connection to it."""
    with Sky.open() as sky:
        monkeypatch.setenv("AIRFLOW_CONN_ICEYE_DEFAULT", sky.connection())
        yield sky
