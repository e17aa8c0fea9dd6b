"""``cancel``: how are tasks called off that nobody needs any more?"""

from __future__ import annotations

import os

import click

from iceye_derivatives._lapse import clock_from
from iceye_derivatives.cli.exit_codes import Interrupted
from iceye_derivatives.cli.many import ManyAsJson, ManyAsPlain
from iceye_derivatives.cli.options import debug_option, json_option
from iceye_derivatives.cli.running import run
from iceye_derivatives.cli.sentences import sentence
from iceye_derivatives.cli.wording import count
from iceye_derivatives.client import DerivativesClient
from iceye_derivatives.errors import AuthenticationError, IceyeError
from iceye_derivatives.events import TaskStatusReceived
from iceye_derivatives.protocols import Clock

__all__ = ["cancel"]


@click.command()
@click.argument("task_ids", nargs=-1, required=True, metavar="TASK_ID...")
@json_option
@debug_option
def cancel(*, task_ids: tuple[str, ...], as_json: bool) -> None:
    """Cancel tasks, without asking again: ICEYE bills by its cancellation policy.

    That works as long as a task is RECEIVED or ACTIVE. One that cannot be canceled does not stop
    the others, and one that is canceled already is no failure.
    """
    clock = clock_from(os.environ)
    ids = tuple(dict.fromkeys(task_ids))
    screen = ManyAsJson(clock) if as_json else ManyAsPlain(clock)
    with screen:
        try:
            run(lambda: _cancel_all(ids, screen, clock))
        except Interrupted:
            done = f"{len(screen.tally.finished)} of {count(len(ids), 'task')} canceled"
            raise Interrupted(f"{done}, and one more may be: `status` tells") from None
        failed = screen.tally.failed
        if len(ids) == 1 and failed:
            raise failed[ids[0]]  # alone, its cause decides the exit code
        screen.tally.conclude()


async def _cancel_all(ids: tuple[str, ...], screen: ManyAsJson | ManyAsPlain, clock: Clock) -> None:
    async with DerivativesClient.from_env(clock=clock) as client:
        for task_id in ids:
            try:
                task = await client.cancel_task(task_id)
            except AuthenticationError:
                raise  # no fault of any task
            except IceyeError as error:
                screen.tally.failed[task_id] = error
                if len(ids) > 1:
                    screen.note(f"{task_id} was not canceled: {sentence(error)}")
            else:
                screen.tally.finished.append(task_id)
                screen.on_event(TaskStatusReceived(task_id=task_id, status=task.status))
