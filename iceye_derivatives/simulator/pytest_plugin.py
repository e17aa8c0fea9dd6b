"""Which simulator does a test want: what its marks say, for pytest's fixtures.

The fixtures themselves are in `iceye_derivatives_pytest`, which pytest finds by its entry point.
Who switches entry points off names this: `pytest -p iceye_derivatives.simulator.pytest_plugin`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iceye_derivatives.simulator.scenario_file import load_scenario
from iceye_derivatives.simulator.server import Simulator

if TYPE_CHECKING:
    import pytest

    from iceye_derivatives.simulator.clock import Clock

# A name and no import: that module knows the library, and nothing here does.
pytest_plugins = ("iceye_derivatives_pytest",)


def simulator_for(item: pytest.Item, clock: Clock) -> Simulator:
    """Make the simulator that a test asks for with `@pytest.mark.iceye_simulator(...)`.

    Of several marks the nearest goes first, each argument for itself. A scenario that is a path is
    read, from the folder of the test's file if it is relative.

    Raises:
        ScenarioError: The scenario's file cannot be used.
        TypeError: The simulator takes no such argument.
    """
    settings: dict[str, Any] = {}
    for mark in item.iter_markers("iceye_simulator"):
        if mark.args:
            raise TypeError("the mark iceye_simulator takes keyword arguments only")
        settings = {**mark.kwargs, **settings}
    scenario = settings.get("scenario")
    if scenario is not None and not hasattr(scenario, "apply"):
        settings["scenario"] = load_scenario(item.path.parent / scenario)
    return Simulator(**{"clock": clock, **settings})
