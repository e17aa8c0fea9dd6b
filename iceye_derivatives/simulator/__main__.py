"""How is it started from a shell: `python -m iceye_derivatives.simulator`."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from contextlib import suppress
from textwrap import fill
from typing import TYPE_CHECKING

from iceye_derivatives.simulator import FAULTS, LIES, RealClock, TaskPlan, load_scenario, serve

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from iceye_derivatives.simulator import Simulator


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; 0 then, 2 if it could not start."""
    options = _parser().parse_args(arguments)
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(_serve(options))
    except (OSError, ValueError) as error:
        print(f"The simulator could not start: {error}.", file=sys.stderr)  # noqa: T201 (a shell's face)
        return 2
    return 0


async def _serve(options: Namespace) -> None:
    serving = asyncio.current_task()
    if serving is not None:
        # Windows has no such handlers; there Ctrl-C arrives as KeyboardInterrupt.
        with suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with suppress(asyncio.CancelledError):
        await serve(
            on_ready=announce,
            faults=options.fault,
            seed=options.seed,
            clock=RealClock(speed=options.speed),
            plan=TaskPlan.quick() if options.quick else None,
            detections=options.detections,
            token_lifetime=options.token_lifetime,
            link_lifetime=options.link_lifetime,
            signing=options.signing,
            host=options.host,
            port=options.port,
            cdn_port=options.cdn_port,
            scenario=None if options.scenario is None else load_scenario(options.scenario),
        )


def announce(simulator: Simulator) -> None:
    """Print what a shell needs to find the simulator, then that it is ready."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in simulator.environ.items()]
    lines += [
        f"# contract {simulator.contract_id}",
        f"# ready: API on {simulator.api_base_url}, CDN on {simulator.cdn_base_url}",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201 (a shell's face)


def _parser() -> ArgumentParser:
    faults = "\n".join(
        fill(
            fault.description,
            width=80,
            initial_indent=f"  {name:25} ",
            subsequent_indent=" " * 28,
        )
        for name, fault in (FAULTS | LIES).items()
    )
    parser = ArgumentParser(
        prog="python -m iceye_derivatives.simulator",
        description="Play ICEYE's API, token endpoint and CDN on this machine.",
        epilog=f"faults:\n{faults}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    add("--port", type=int, default=0, help="the API's port; 0 takes a free one")
    add("--cdn-port", type=int, default=0, help="the CDN's port; 0 takes a free one")
    add("--speed", type=float, default=1.0, help="simulated seconds in a real one (%(default)s)")
    add("--seed", type=int, default=0, help="what ids and detections follow from (%(default)s)")
    add("--detections", type=int, default=40, help="detections in a file (%(default)s)")
    add("--token-lifetime", type=float, default=3600.0, help="seconds (%(default)s)")
    add("--link-lifetime", type=float, default=3600.0, help="seconds (%(default)s)")
    add("--signing", choices=("canned", "custom"), default="canned", help="the links' policy")
    add("--quick", action="store_true", help="tasks live for minutes once their window opens")
    add(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:TIMES]",
        help="switch a fault on; may be repeated",
    )
    add("--scenario", metavar="FILE", help="a TOML file; what it says goes before the options")
    return parser


if __name__ == "__main__":
    sys.exit(main())
