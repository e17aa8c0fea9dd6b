"""What does a watch teach of how long derivatives take: each once, when it is first ready?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from strategies import EPOCH, TASK_ID, derivative, snapshot, task
from watches import NOW, drain

from iceye_derivatives import TaskStatus, Watch
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.delays import Delays

MINUTE = 60.0
IMAGED = EPOCH + timedelta(days=2)
"""In the window of the task."""


@pytest.mark.parametrize("taken", [False, True], ids=["still waits", "was taken"])
def test_a_derivative_that_is_listed_again_teaches_nothing_more(taken: bool) -> None:
    """Nor does one before it has assets, or one that has more of them later."""
    delays, watch = Delays(), Watch(TASK_ID)
    watch.begin(NOW, Patience(delays=delays))
    watch.receive_task(task(TaskStatus.FULFILLED, fulfilled_at=IMAGED), IMAGED.timestamp())
    taught = list[float]()
    for minute, kinds in enumerate([(), ("geojson",), ("geojson",), ("geojson", "png")]):
        watch.receive(snapshot(derivative("a", *kinds)), IMAGED.timestamp() + minute * MINUTE)
        if taken:
            drain(watch)
        taught.append(delays.observations("DC_VESSELS"))

    assert taught == pytest.approx([0, 1, 1, 1])
