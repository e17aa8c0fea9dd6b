"""Does Azure's Blob Storage keep the promises of sinks, as Microsoft's own emulator speaks it?"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator

import obstore
import pytest
from azurite import KEY, Azurite, serving
from object_stores import (
    BODY,
    MIB,
    NAME,
    REF,
    StorePromises,
    hashed,
    listed,
)

from iceye_derivatives import ClientCredentials, DerivativesClient
from iceye_derivatives.sharing import Busy, Present
from iceye_derivatives.simulator import Simulator, VirtualClock
from iceye_derivatives.sinks import ObjectStoreSink

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with serving(tmp_path_factory.mktemp("azurite")) as azurite:
        yield azurite


@pytest.fixture
def sink(azurite: Azurite, request: pytest.FixtureRequest) -> ObjectStoreSink:
    """A prefix for each test."""
    prefix = hashed(request.node.nodeid.encode())[:12]
    return ObjectStoreSink.from_url(f"az://detections/{prefix}", **azurite.options())


async def test_what_is_put_is_found_whole_and_says_what_it_is(sink: ObjectStoreSink) -> None:
    assert await sink.find(NAME) is None
    assert await sink.put(NAME, BODY, hashed) == (sink.locate(NAME), hashed(BODY))
    found = await sink.find(NAME)
    assert found is not None
    assert (found.size, found.sha256) == (len(BODY), hashed(BODY))
    answer = await obstore.get_async(sink.store, NAME)
    assert answer.attributes["Content-Type"] == "application/geo+json"


class TestPromises(StorePromises):
    """On Azure."""


async def test_an_upload_that_is_left_leaves_nothing_to_be_seen(sink: ObjectStoreSink) -> None:
    with pytest.raises(KeyError):
        async with sink.create(NAME) as part:
            await part.write(b"x" * 6 * MIB)
            await part.write(b"x" * 6 * MIB)
            raise KeyError
    assert await sink.find(NAME) is None
    assert listed(sink) == []


@pytest.mark.parametrize("size", [100, 6 * MIB])
async def test_of_two_processes_one_publishes_and_the_other_keeps_that(
    sink: ObjectStoreSink, size: int
) -> None:
    body = b"x" * size
    async with sink.claim(NAME, REF) as first, sink.claim(NAME, REF) as second:
        stamps = []
        for place in (first, second):
            assert not isinstance(place, Present | Busy)
            async with place.stream() as part:
                await part.write(body)
                await part.commit()
            stamps.append(place.stamp)
    assert stamps[0] == stamps[1] != ""


@pytest.mark.parametrize("size", [100, 6 * MIB])
async def test_other_bytes_that_came_meanwhile_are_left_there(
    sink: ObjectStoreSink, size: int
) -> None:
    async with sink.claim(NAME, REF) as place:
        assert not isinstance(place, Present | Busy)
        await sink.put(NAME, b"theirs", hashed)
        with pytest.raises(OSError, match="meanwhile something else was stored") as caught:
            async with place.stream() as part:
                await part.write(b"x" * size)
                await part.commit()
    assert caught.value.errno == errno.EEXIST
    assert await sink.read_file(NAME, 9) == b"theirs"


@pytest.mark.parametrize(
    ("container", "key", "number", "says"),
    [
        ("detections", "bm9ib2R5J3M=", errno.EACCES, "denies access"),
        ("none-of-ours", KEY, errno.ENOENT, "no such bucket .404 ContainerNotFound."),
    ],
)
async def test_an_error_says_what_to_do_next_and_no_credential(
    azurite: Azurite, container: str, key: str, number: int, says: str
) -> None:
    sink = ObjectStoreSink.from_url(f"az://{container}", **azurite.options(account_key=key))
    with pytest.raises(OSError, match=says) as caught:
        await sink.put(NAME, BODY, hashed)
    assert caught.value.errno == number
    error: BaseException | None = caught.value
    while error is not None:
        told = f"{error!r}{vars(error)!r}"
        assert key not in told
        assert "SharedKey" not in told
        error = error.__context__ or error.__cause__


async def test_a_task_comes_home_and_a_second_run_fetches_nothing(sink: ObjectStoreSink) -> None:
    async with Simulator(clock=VirtualClock(), detections=20) as sim:
        task_id = sim.add_task(derivative_product_types=("DC_VESSELS", "DC_AIRCRAFT"))

        async def run() -> list[tuple[str, str | None]]:
            auth = ClientCredentials(
                sim.token_url, sim.client_id, sim.client_secret, clock=sim.clock
            )
            async with DerivativesClient(
                base_url=sim.api_base_url, auth=auth, clock=sim.clock
            ) as client:
                report = await client.download_task(task_id, sink, stac=True)
            report.raise_for_failures()
            return sorted((str(each.path), each.sha256) for each in report.files)

        first = await run()
        before = len(sim.requests)
        assert await run() == first
        again = [each.path for each in list(sim.requests)[before:]]
        assert not [path for path in again if path.endswith(".geojson")]
    assert len(first) == 2
    item = json.loads(await sink.read_note(f"{task_id}/item.json") or b"")
    assert item["type"] == "Feature"
    assert "Signature" not in json.dumps(item)
