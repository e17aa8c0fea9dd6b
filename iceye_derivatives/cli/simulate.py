"""``simulate``: how is the built-in simulator served to other processes?"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import anyio
import click

from iceye_derivatives._clock import SystemClock
from iceye_derivatives._lapse import VARIABLE, TimeLapse, spell_clock
from iceye_derivatives.cli.exit_codes import Interrupted
from iceye_derivatives.cli.options import debug_option
from iceye_derivatives.cli.running import run
from iceye_derivatives.cli.wording import size, stamp
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.simulator import (
    FAULTS,
    LIES,
    RecordedRequest,
    Simulator,
    load_scenario,
    serve,
)

__all__ = ["simulate"]

HOUR = 3600.0
LOG_EVERY = 0.1
SHORTEST_TOKEN, SHORTEST_LINK = 60.0, 10.0
"""Real seconds: at an hour a second, ICEYE's hour would be over before a slow machine has read the
answer that carries the token."""
FAULT_HELP = "Switch a fault on, for so many requests (1); repeat for several. Known are: " + (
    ", ".join({**FAULTS, **LIES})
)


@click.command()
@click.option("--port", default=0, show_default="a free one", help="The API's port.")
@click.option("--cdn-port", default=0, show_default="a free one", help="The files' port.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=HOUR,
    show_default=True,
    help="Simulated seconds in a real one; 3600 lets an hour pass each second.",
)
@click.option("--seed", default=0, show_default=True, help="What ids and detections follow from.")
@click.option(
    "--detections",
    type=click.IntRange(min=0),
    default=40,
    show_default=True,
    help="Detections in a file.",
)
@click.option("--fault", "faults", multiple=True, metavar="NAME[:TIMES]", help=FAULT_HELP)
@click.option(
    "--scenario",
    "scenario_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file with a task's fate, faults and settings; it wins over other options.",
)
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the export lines here too; the file goes when the simulator does.",
)
@debug_option
def simulate(
    *,
    port: int,
    cdn_port: int,
    speed: float,
    seed: int,
    detections: int,
    faults: tuple[str, ...],
    scenario_file: Path | None,
    env_file: Path | None,
) -> None:
    """Serve ICEYE's API, token endpoint and files on this machine, without an account.

    Run the printed export lines in another terminal; there `iceye-derivatives order` and
    `download` then talk to this simulator, in its time.
    """
    clock = TimeLapse(fast=speed)

    async def serve_and_log() -> None:
        async with anyio.create_task_group() as tasks:

            def announce(simulator: Simulator) -> None:
                _announce(exports(simulator, speed=speed), env_file)
                if sys.stderr.isatty():
                    tasks.start_soon(_log, simulator)

            await serve(
                on_ready=announce,
                faults=faults,
                scenario=None if scenario_file is None else load_scenario(scenario_file),
                seed=seed,
                clock=clock,
                detections=detections,
                token_lifetime=max(HOUR, SHORTEST_TOKEN * speed),
                link_lifetime=max(HOUR, SHORTEST_LINK * speed),
                port=port,
                cdn_port=cdn_port,
            )

    try:
        run(serve_and_log)
    except Interrupted:
        raise Interrupted("The simulator is closed and has forgotten its tasks") from None
    except ValueError as error:
        raise ConfigurationError(f"The simulator cannot start: {error}") from None
    finally:
        if env_file is not None:
            env_file.unlink(missing_ok=True)


def exports(simulator: Simulator, *, speed: float) -> list[str]:
    """The lines that lead a shell's programs here."""
    now = simulator.clock.time()
    variables = {
        **simulator.environ,
        "ICEYE_CONTRACT_ID": simulator.contract_id,
        VARIABLE: spell_clock(speed=speed, moment=now, wall=SystemClock().time()),
    }
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


def request_line(request: RecordedRequest) -> str:
    """One request without its query, which may hold a signature."""
    fault = f"  [{request.fault}]" if request.fault else ""
    sent = f"{request.status or 'cut'} {size(request.bytes_sent)}"
    begin = f"{stamp(request.time)} {request.side:<5} {request.method:<5}"
    return f"{begin} {sent:<12} {request.path}{fault}"


def _announce(lines: list[str], env_file: Path | None) -> None:
    # The file first: who reads the lines may look for it at once.
    if env_file is not None:
        # Only for its owner: the secret opens nothing but this simulator, but habits matter.
        opened = os.open(env_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.write("\n".join([*lines, ""]))
    click.echo("\n".join(lines))
    click.echo("Serving until Ctrl-C; run the lines above in another terminal.", err=True)


async def _log(simulator: Simulator) -> None:
    # The list is asked again and again: the simulator knows nothing of who watches it.
    seen = 0
    while True:
        for request in simulator.requests[max(0, seen - simulator.requests_forgotten) :]:
            click.echo(request_line(request), err=True)
        seen = simulator.requests_forgotten + len(simulator.requests)
        await anyio.sleep(LOG_EVERY)
