"""Any JSON, and texts as they may stand in it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st
from strategies import json_values

from iceye_derivatives._core.wire import WireError

OFFSETS = st.builds(
    lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-23 * 60 - 59, 23 * 60 + 59)
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=OFFSETS)  # noqa: DTZ001 - bounds must be naive
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = json_values(TEXTS)


def faults_of(error: WireError) -> dict[str, str]:
    return {fault.path: fault.message for fault in error.faults}
