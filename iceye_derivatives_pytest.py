"""How does a test get a simulator, its time and a client: pytest's fixtures, five lines of yours.

    @pytest.mark.anyio
    async def test_every_file_comes_home(iceye_simulator, iceye_client, tmp_path):
        task_id = iceye_simulator.add_task()
        async with iceye_client as client:
            await my_pipeline(client, task_id, tmp_path)

All fixtures are plain ones: nothing is opened before the test's own `async with`, in the test's own
event loop, so that they serve anyio's plugin and pytest-asyncio alike.

Beside the package and not in it: to import a module of a package is to import the package, and
pytest imports every plugin in every run. This one costs nothing until a test asks for a fixture.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from iceye_derivatives import DerivativesClient
    from iceye_derivatives.simulator import Simulator, VirtualClock

_MARKER = (
    "iceye_simulator(scenario=None, **settings): what the fixture `iceye_simulator` is made with: "
    "a scenario or its file, and arguments of `iceye_derivatives.simulator.Simulator`"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known to `--strict-markers`."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def iceye_clock() -> VirtualClock:
    """Time that jumps from deadline to deadline: three days pass in milliseconds."""
    from iceye_derivatives.simulator import VirtualClock  # noqa: PLC0415 (see above)

    return VirtualClock()


@pytest.fixture
def iceye_simulator(request: pytest.FixtureRequest, iceye_clock: VirtualClock) -> Simulator:
    """ICEYE's API, token endpoint and CDN on this machine, on `iceye_clock`.

    It listens inside of `async with iceye_simulator`, or of `async with iceye_client`; tasks and
    faults may be added before. `@pytest.mark.iceye_simulator(...)` says how it is made.
    """
    from iceye_derivatives.simulator.pytest_plugin import simulator_for  # noqa: PLC0415 (see above)

    return simulator_for(request.node, iceye_clock)


@pytest.fixture
def iceye_client(iceye_simulator: Simulator) -> AbstractAsyncContextManager[DerivativesClient]:
    """A client of `iceye_simulator` in its time, to be opened with `async with`.

    It opens the simulator too, unless it is open already. Its jitter is always half, so that a run
    can be repeated; all else is as by default.
    """
    return _ClientOnSimulator(iceye_simulator)


class _ClientOnSimulator:
    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> DerivativesClient:
        from iceye_derivatives import DerivativesClient  # noqa: PLC0415 (see above)

        simulator = self._simulator
        async with AsyncExitStack() as stack:
            if not simulator.is_open:
                await stack.enter_async_context(simulator)
            client = await stack.enter_async_context(
                DerivativesClient.from_env(
                    simulator.environ, clock=simulator.clock, jitter=lambda: 0.5
                )
            )
            self._opened = stack.pop_all()
        return client

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opened.__aexit__(exc_type, exc, traceback)
