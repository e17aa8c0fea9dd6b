"""A task with a forecast: how is its watch begun, answered and taught?"""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st
from strategies import EPOCH, TASK_ID, snapshot, task

from iceye_derivatives import Delays, IceyeError, ImagingTime, Scene, TaskNotFoundError, Watch
from iceye_derivatives._core.decisions import AskScene, AskTask, Look, Patience, Wait

NOW = EPOCH.timestamp()
MINUTE, HOUR = 60.0, 3600.0
OPENS = NOW + 24 * HOUR
"""When the window of `strategies.task` opens."""
TYPES = ("DC_AIRCRAFT", "DC_VEHICLES", "DC_VESSELS")

jitters = st.floats(0, 1, exclude_max=True)


def scene(start: float) -> Scene:
    """An image of ten seconds that is planned for that moment."""
    begin = at(start)
    return Scene(imaging_time=ImagingTime(start=begin, end=begin + timedelta(seconds=10)))


def at(moment: float) -> datetime:
    """A moment as the API tells it."""
    return EPOCH + timedelta(seconds=moment - NOW)


def no_scene(kind: type[IceyeError] = TaskNotFoundError) -> IceyeError:
    """Why there is none."""
    return kind("no", status=404)  # type: ignore[call-arg]  all that are drawn take it


def taught(**minutes: float) -> Delays:
    """Delays that lie within a fifth of these medians."""
    delays = Delays()
    for kind, median in minutes.items():
        for percent in range(80, 121, 2):
            took = median * MINUTE * percent / 100
            delays.observe(kind, took, took + 5)
    return delays


def fresh(delays: Delays | None = None, **patience: object) -> Watch:
    """A watch that begins now and makes forecasts."""
    watch = Watch(TASK_ID)
    known = Delays() if delays is None else delays
    watch.begin(NOW, Patience(delays=known, **patience))  # type: ignore[arg-type]
    return watch


def settle(
    watch: Watch, now: float, status: str, plan: float | None = None, **more: object
) -> Wait:
    """Answer all that is asked at one moment, until the watch waits."""
    for _ in range(6):
        match watch.decide(now, 0.5):
            case Look():
                watch.receive(snapshot(status=404), now)
            case AskTask():
                watch.receive_task(task(status, **more), now)
            case AskScene() if plan is None:
                watch.receive_no_scene(no_scene(), now)
            case AskScene():
                watch.receive_scene(scene(plan), now)
            case Wait() as wait:
                return wait
    raise AssertionError("it never waits")
