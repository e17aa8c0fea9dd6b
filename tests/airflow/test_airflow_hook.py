"""Does a connection become a client, and does a faulty one say all that it lacks?"""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path

import jsonschema
import pytest
from airflow.sdk import Connection
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime
from airflow_stage import Sky

from iceye_derivatives import ConfigurationError
from iceye_derivatives.airflow.hook import IceyeHook, client_of
from iceye_derivatives.airflow.provider_info import get_provider_info

pytestmark = pytest.mark.anyio


def test_airflow_finds_the_connection_type_by_the_entry_point() -> None:
    assert "iceye" in ProvidersManagerTaskRuntime().hooks


def test_the_description_is_what_airflows_schema_wants() -> None:
    import airflow  # noqa: PLC0415 - for its file alone

    (found,) = (
        point
        for point in entry_points(group="apache_airflow_provider")
        if point.value.startswith("iceye_derivatives.")
    )
    schema = Path(airflow.__path__[0]) / "provider_info.schema.json"
    jsonschema.validate(found.load()(), json.loads(schema.read_text()))
    assert found.load() is get_provider_info


async def test_a_connection_becomes_a_client(sky: Sky) -> None:
    task_id = sky.order()
    async with await IceyeHook().aget_client() as client:
        assert (await client.get_task(task_id)).id == task_id


def test_the_same_in_a_worker(sky: Sky) -> None:
    assert IceyeHook().test_connection() == (True, "ICEYE's API answers, and takes the token")


def test_a_refused_secret_is_told_without_it(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = json.loads(sky.connection())
    monkeypatch.setenv(
        "AIRFLOW_CONN_ICEYE_DEFAULT", json.dumps({**connection, "password": "CANARY-9f1"})
    )
    good, message = IceyeHook().test_connection()
    assert not good
    assert "CANARY" not in message


def test_all_that_a_connection_lacks_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as told:
        client_of(Connection(conn_id="c", conn_type="iceye", extra='{"rate": "fast"}'))
    assert "rate='fast'" in str(told.value)
    assert "no password" in str(told.value)
    with pytest.raises(ConfigurationError, match="token_url"):
        client_of(Connection(conn_id="c", conn_type="iceye", login="me", password="s"))


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({}, "https://platform.iceye.com"),
        ({"host": "api.example"}, "https://api.example"),
        ({"host": "http://127.0.0.1:9"}, "http://127.0.0.1:9"),
        ({"host": "127.0.0.1", "schema": "http", "port": 9}, "http://127.0.0.1:9"),
    ],
)
def test_the_host_may_be_written_as_people_do(fields: dict[str, object], url: str) -> None:
    client = client_of(Connection(conn_id="c", conn_type="iceye", password="token", **fields))
    assert client.base_url == url


def test_no_secret_shows_in_a_hook_or_its_client(sky: Sky) -> None:
    hook = IceyeHook()
    secret = json.loads(sky.connection())["password"]
    assert secret not in repr(hook) + repr(vars(hook)) + repr(hook.get_client())
