"""Does a planted token, client secret or signature show up anywhere, whatever goes wrong?"""

from __future__ import annotations

import contextlib
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl

import pytest
from helpers import ALL_TYPES, files_in

from iceye_derivatives import ClientCredentials, DerivativesClient, IceyeError, Watch
from iceye_derivatives.events import DownloadEvent
from iceye_derivatives.simulator import FAULTS, LIES, Simulator, VirtualClock

pytestmark = [pytest.mark.anyio, pytest.mark.once]

KNOWN = FAULTS | LIES
SECRET = "canary-secret-5f2c"
FEW = {name: {"count": 5} for name in ("too_many_derivatives", "too_many_assets")}
"""Five more tell as much of a secret as five hundred, and a hundred times as fast."""


class Everything(logging.Handler):
    """Keeps every record of every logger, formatted, with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {record.__dict__}")


@pytest.fixture
def everything() -> Iterator[Everything]:
    handler, root = Everything(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


def told(error: BaseException) -> Iterator[str]:
    """All that an error can say: text, repr, traceback with its chain, evidence, pickle."""
    yield str(error)
    yield repr(error)
    yield "".join(traceback.format_exception(error))
    yield "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    yield repr(vars(error))
    yield pickle.dumps(error).decode("latin-1")
    seen: set[int] = set()
    inner: BaseException | None = error
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        yield repr(inner) + str(inner) + repr(vars(inner))
        # Suppressed contexts too: error trackers walk them.
        inner = inner.__cause__ or inner.__context__


def secrets_of(sim: Simulator) -> set[str]:
    """What went over the wire and must not be anywhere else."""
    tokens = {r.headers["authorization"] for r in sim.requests if "authorization" in r.headers}
    bare = {value.removeprefix("Bearer ").removeprefix("Basic ") for value in tokens}
    signatures = {
        value
        for request in sim.requests
        if request.side == "cdn"
        for name, value in parse_qsl(request.query)
        if name in {"Signature", "Policy"}
    }
    return {SECRET, *bare, *signatures}


@pytest.mark.parametrize(
    ("name", "side"), [(name, side) for name in sorted(KNOWN) for side in KNOWN[name].sides]
)
@pytest.mark.parametrize("times", [1, 12])
async def test_no_secret_is_told_under_any_fault(
    name: str,
    side: Literal["api", "token", "cdn"],
    times: int,
    everything: Everything,
    tmp_path: Path,
) -> None:
    """Trap (planet, logs): each request URL is logged at INFO and all headers at DEBUG.

    Complaint 7 (encode/httpx #2760): the HTTP library prints full URLs at INFO.
    """
    outputs: list[str] = []
    watch: Watch | None = None
    async with Simulator(
        clock=VirtualClock(),
        signing="canned" if times == 1 else "custom",
        client_secret=SECRET,
    ) as sim:
        task_id = sim.add_task(derivative_product_types=ALL_TYPES)
        watch = Watch(task_id)
        sim.faults.add(name, times=times, side=side, **FEW.get(name, {}))

        def note(event: DownloadEvent) -> None:
            outputs.extend((repr(event), str(event), pickle.dumps(event).decode("latin-1")))

        auth = ClientCredentials(
            sim.token_url, sim.client_id, SECRET, timeout=0.05, clock=sim.clock
        )
        async with DerivativesClient(
            base_url=sim.api_base_url,
            auth=auth,
            clock=sim.clock,
            read_timeout=0.05,
            answer_timeout=0.05,
        ) as client:
            outputs.extend((repr(client), str(vars(client))))
            try:
                report = await client.download_task(
                    task_id,
                    tmp_path,
                    watch=watch,
                    on_event=note,
                    timeout=2 * 86_400,
                    max_failures=8,
                )
                outputs.append(repr(report))
                with contextlib.suppress(IceyeError):
                    report.raise_for_failures()
                for record in report.failures:
                    assert record.error is not None
                    outputs.extend(told(record.error))
            except IceyeError as error:
                outputs.extend(told(error))
                outputs.append(repr(error.report))
        outputs.append(watch.to_json())
        outputs.extend(everything.lines)
        outputs.extend(files_in(tmp_path))
        outputs.extend(body.decode("latin-1") for body in files_in(tmp_path).values())
        planted = secrets_of(sim)

    text = json.dumps(outputs)
    assert len(planted) >= 2
    assert [secret for secret in planted if secret in text] == []
    assert "Signature=" not in text
