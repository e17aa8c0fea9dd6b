"""How does a command run to its end, or stop within a second of a signal?"""

from __future__ import annotations

import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TypeVar

import anyio

from iceye_derivatives.cli.exit_codes import Interrupted

__all__ = ["ending_alike", "run"]

T = TypeVar("T")


def run(command: Callable[[], Awaitable[T]]) -> T:
    """Run a command in an event loop of its own and give its result.

    SIGINT and SIGTERM cancel it: all its transfers stop, what is written stays partial, and files
    under their final names are whole.

    Raises:
        Interrupted: a signal came first.
    """
    try:
        with _keeping_handler():
            return anyio.run(_run, command, backend_options={"use_uvloop": _has_uvloop()})
    except KeyboardInterrupt:
        raise Interrupted from None


@contextmanager
def ending_alike() -> Iterator[None]:
    """Let SIGTERM end what runs here as Ctrl-C does: by an exception, with nothing half done."""
    if threading.current_thread() is not threading.main_thread():
        yield  # no other thread is ever given a signal
        return
    with _keeping_handler():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        yield


@contextmanager
def _keeping_handler() -> Iterator[None]:
    # An event loop that lets go of a signal leaves the system's own handler behind, not the one
    # that it had found.
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:  # else it is none of Python's
            signal.signal(signal.SIGTERM, before)


def _has_uvloop() -> bool:
    """The extra ``speed``: a faster event loop, where it is installed."""
    return find_spec("uvloop") is not None


async def _run(command: Callable[[], Awaitable[T]]) -> T:
    results: list[T] = []
    errors: list[BaseException] = []
    async with anyio.create_task_group() as tasks:
        await tasks.start(_cancel_on_signal, tasks.cancel_scope)
        # Caught here, so that one error does not come out wrapped in a group.
        try:
            results.append(await command())
        except Exception as error:  # noqa: BLE001  raised again below
            errors.append(error)
        tasks.cancel_scope.cancel()
    if errors:
        raise _alone(errors[0])
    if not results:
        raise Interrupted
    return results[0]


def _alone(error: BaseException) -> BaseException:
    """An error that a task group wrapped and that is the only one, without its wrapping."""
    while type(error) is ExceptionGroup and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


async def _cancel_on_signal(
    scope: anyio.CancelScope, *, task_status: anyio.abc.TaskStatus[None]
) -> None:
    try:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for _ in signals:
                # Leaving the receiver gives the second Ctrl-C its old, ruder meaning back.
                break
    except NotImplementedError:
        # Windows: event loops take no signals there, and Ctrl-C comes as KeyboardInterrupt.
        task_status.started()
        return
    scope.cancel()
