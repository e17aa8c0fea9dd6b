"""How does it run by itself: a simulator that serves until it is cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from iceye_derivatives.simulator.server import Simulator

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from iceye_derivatives.simulator.clock import Clock
    from iceye_derivatives.simulator.links import Signing
    from iceye_derivatives.simulator.plan import TaskPlan
    from iceye_derivatives.simulator.scenario import Scenario


async def serve(
    *,
    on_ready: Callable[[Simulator], None] | None = None,
    faults: Iterable[str] = (),
    seed: int = 0,
    clock: Clock | None = None,
    plan: TaskPlan | None = None,
    detections: int = 40,
    token_lifetime: float = 3600.0,
    link_lifetime: float = 3600.0,
    signing: Signing = "canned",
    host: str = "127.0.0.1",
    port: int = 0,
    cdn_port: int = 0,
    tls: ssl.SSLContext | None = None,
    scenario: Scenario | None = None,
) -> None:
    """Serve until cancelled; both ports are closed before the cancellation goes on.

    Args:
        on_ready: Called once with the simulator when both ports listen.
        faults: Faults to switch on, each NAME or NAME:TIMES.
        seed: See `Simulator`, as for all that follow.
        clock: Real time if None.
        plan: The fate of every task.
        detections: Detections in a file.
        token_lifetime: Seconds.
        link_lifetime: Seconds.
        signing: "canned" or "custom".
        host: Where to listen.
        port: The API's port; 0 takes a free one.
        cdn_port: The CDN's port; 0 takes a free one.
        tls: None speaks http.
        scenario: What it says goes before the other arguments; `faults` come besides its own.

    Raises:
        ValueError: There is no such fault.
        OSError: A port is taken.
    """
    simulator = Simulator(
        seed=seed,
        clock=clock,
        plan=plan,
        detections=detections,
        token_lifetime=token_lifetime,
        link_lifetime=link_lifetime,
        signing=signing,
        host=host,
        port=port,
        cdn_port=cdn_port,
        tls=tls,
        scenario=scenario,
    )
    for fault in faults:
        name, _, times = fault.partition(":")
        simulator.faults.add(name, times=_times(times or "1"))
    async with simulator:
        if on_ready is not None:
            on_ready(simulator)
        await asyncio.Event().wait()


def _times(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise ValueError(f"a fault strikes a whole number of times above 0, not {text!r}")
    return int(text)
