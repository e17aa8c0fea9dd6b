"""Does a task request keep ICEYE's documented rules?"""

from __future__ import annotations

from datetime import datetime

from iceye_derivatives.errors import Fault
from iceye_derivatives.models import TaskRequest


def check_task_request(
    request: TaskRequest, now: datetime, *, required_product: str = "GRD"
) -> tuple[Fault, ...]:
    """All faults at once, none when the request is good."""
    raise NotImplementedError
