"""A second world in which ICEYE's API can be met without an account.

It plays the token endpoint, the tasking API with its derivatives, and the CDN with its signed
links, on ports of this machine and on a clock that can be sped up or jumps by itself. It shares no
code with the library: it is a second reading of ICEYE's page, so that one mistake cannot hide in
both.

    async with Simulator(clock=VirtualClock()) as sim:
        task_id = sim.add_task()
        ...  # a client with sim.environ and clock=sim.clock
"""

from __future__ import annotations

from iceye_derivatives.simulator.callbacks import Callbacks, Travel
from iceye_derivatives.simulator.clock import Clock, RealClock, VirtualClock
from iceye_derivatives.simulator.contract import Contract
from iceye_derivatives.simulator.fault_register import FAULTS, LIES
from iceye_derivatives.simulator.incident import Fault
from iceye_derivatives.simulator.plan import Status, TaskPlan
from iceye_derivatives.simulator.recording import RecordedRequest
from iceye_derivatives.simulator.scenario import Scenario, Trouble
from iceye_derivatives.simulator.scenario_file import ScenarioError, load_scenario
from iceye_derivatives.simulator.serve import serve
from iceye_derivatives.simulator.server import Simulator
from iceye_derivatives.simulator.world import World

__all__ = [
    "FAULTS",
    "LIES",
    "Callbacks",
    "Clock",
    "Contract",
    "Fault",
    "RealClock",
    "RecordedRequest",
    "Scenario",
    "ScenarioError",
    "Simulator",
    "Status",
    "TaskPlan",
    "Travel",
    "Trouble",
    "VirtualClock",
    "World",
    "load_scenario",
    "serve",
]
