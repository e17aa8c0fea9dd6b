"""Is every fault documented and tested, does it strike in each dress, and end when it is over?"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
from sim_caller import TASKS, Caller, order

from iceye_derivatives.simulator import FAULTS, LIES, Simulator, TaskPlan, VirtualClock
from iceye_derivatives.simulator.desk import Verdict
from iceye_derivatives.simulator.fault_register import CHAPTERS, REGISTER
from iceye_derivatives.simulator.fault_table import markdown
from iceye_derivatives.simulator.messages import Call, Side
from iceye_derivatives.simulator.server import TOKEN_PATH

ORIGINS = {Side.API: "http://api", Side.TOKEN: "http://api", Side.CDN: "http://cdn"}
AT_ONCE: dict[str, dict[str, Any]] = {
    "slow_headers": {"seconds": 0.01},
    "slow_drip": {"rate": 1e7},
    "fresh_404": {"seconds": 1e6},
    "late_listing": {"seconds": 1e6},
    "throttled": {"requests": 0},
    "reset_body": {"sent": 10},
}
"""Settings with which a fault strikes at once, and costs no time."""


def every_dress() -> Iterator[Any]:
    for name, fault in REGISTER.items():
        for side in fault.sides:
            for number, dress in enumerate(fault.variants()):
                yield pytest.param(name, side, dress, id=f"{name}-{side}-{number}")


class Visitor:
    """Asks a simulator everything that there is to ask, without a line in between."""

    def __init__(self) -> None:
        self.sim = Simulator(clock=VirtualClock(), detections=3)

    def visit(self) -> list[Verdict]:
        partial = self.sim.add_task(plan=TaskPlan(imaged_after=200.0))
        self.sim.clock.advance(2_700)  # type: ignore[attr-defined]
        link = self._api("GET", f"{TASKS}/{partial}/derivatives", faulty=False)
        target = json.loads(link.answer.body)["data"][1]["assets"][0]["href"]
        part = {"range": "bytes=10-", "if-range": "other"}
        client = base64.b64encode(b"simulated-client:simulated-secret").decode()
        form = {
            "authorization": f"Basic {client}",
            "content-type": "application/x-www-form-urlencoded",
        }
        return [
            self._ask(Side.TOKEN, "POST", TOKEN_PATH, form, b"grant_type=client_credentials"),
            self._api("POST", TASKS, json.dumps(order(self.sim.clock.time())).encode()),
            self._api("GET", TASKS),
            self._api("GET", f"{TASKS}/{partial}"),
            self._api("GET", f"{TASKS}/{partial}/scene"),
            self._api("GET", f"{TASKS}/{partial}/derivatives"),
            self._ask(Side.CDN, "GET", target, {"range": "bytes=10-"}),
            self._ask(Side.CDN, "GET", target, part),
            self._ask(Side.CDN, "GET", target),
        ]

    def _api(self, method: str, path: str, body: bytes = b"", *, faulty: bool = True) -> Verdict:
        token = self.sim.tokens.issue(now=self.sim.clock.time())
        headers = {"authorization": f"Bearer {token}"}
        if not faulty:
            answer = self.sim.desk.api.answer(
                Call(method=method, target=path, headers=headers), now=self.sim.clock.time()
            )
            return Verdict(answer=answer)
        return self._ask(Side.API, method, path, headers, body)

    def _ask(
        self,
        side: Side,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> Verdict:
        call = Call(method=method, target=target, headers=headers or {}, body=body)
        return self.sim.desk.answer(side, call, now=self.sim.clock.time(), origins=ORIGINS)


def test_a_visit_without_faults_meets_none() -> None:
    verdicts = Visitor().visit()
    assert [each.faults for each in verdicts] == [()] * len(verdicts)
    assert [each.answer.status for each in verdicts] == [
        200,
        201,
        200,
        200,
        200,
        206,
        206,
        200,
        200,
    ]


@pytest.mark.parametrize(("name", "side", "dress"), [*every_dress()])
def test_every_fault_strikes_in_each_dress_and_is_over_when_cleared(
    name: str, side: Any, dress: dict[str, Any]
) -> None:
    visitor = Visitor()
    settings = {**AT_ONCE.get(name, {}), **dress}
    visitor.sim.faults.add(name, times=None, side=side, **settings)
    struck = [each for each in visitor.visit() if each.faults]
    assert {each.faults for each in struck} == {(name,)}
    visitor.sim.faults.clear()
    # A cache may keep a refusal for its time.
    visitor.sim.clock.advance(60)  # type: ignore[attr-defined]
    assert not any(each.faults or each.skew for each in visitor.visit())


@pytest.mark.anyio
@pytest.mark.parametrize("name", [*REGISTER])
async def test_every_fault_can_be_sent(
    name: str, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    """What a server cannot put on the wire ends in its log, not in a test of a client."""
    fault = REGISTER[name]
    for side in fault.sides:
        caller.sim.faults.clear()
        task_id, link = caller.a_whole_task(), await caller.a_link()
        caller.sim.faults.add(name, times=None, side=side, **AT_ONCE.get(name, {}))
        seen = len(caller.sim.requests)
        for patience in (0.05, 5.0):  # the second where a busy machine has not come to answer
            with caplog.at_level(logging.WARNING):
                for target in (
                    ("POST", caller.sim.token_url),
                    ("GET", f"{caller.sim.api_base_url}{TASKS}"),
                    ("GET", f"{caller.sim.api_base_url}{TASKS}/{task_id}"),
                    ("GET", f"{caller.sim.api_base_url}{TASKS}/{task_id}/scene"),
                    ("GET", f"{caller.sim.api_base_url}{TASKS}/{task_id}/derivatives"),
                    ("GET", link),
                ):
                    await _glance(caller, *target, patience)
            assert not caplog.records
            struck = [request for request in caller.sim.requests[seen:] if request.fault]
            if struck or fault.stage == "after" or name in ("ignored_range", "ignored_if_range"):
                break
        else:
            pytest.fail(f"{name} never struck the {side}")


async def _glance(caller: Caller, method: str, url: str, patience: float) -> None:
    token = caller.sim.tokens.issue(now=caller.clock.time())
    headers = {} if "Signature" in url else {"Authorization": f"Bearer {token}"}
    with anyio.move_on_after(patience), suppress(aiohttp.ClientError, ValueError):
        await caller.send(method, url, headers=headers, allow_redirects=False)


def test_every_fault_is_documented() -> None:
    for name, fault in REGISTER.items():
        assert fault.name == name
        assert fault.description.endswith(".")
        assert fault.sides
        assert all(f"`{setting}`" in fault.description for setting in fault.settings)
    assert sum(len(chapter.faults) for chapter in CHAPTERS) == len(REGISTER)
    assert FAULTS | LIES == REGISTER
    assert not FAULTS.keys() & LIES.keys()


def test_every_fault_has_a_test_of_its_own() -> None:
    texts = "".join(
        path.read_text(encoding="utf-8")
        for path in Path(__file__).parent.glob("test_sim_fault*.py")
    )
    assert [name for name in REGISTER if f'"{name}"' not in texts] == []


def test_the_page_of_all_faults_is_up_to_date() -> None:
    """`python -m iceye_derivatives.simulator.fault_table > docs/simulator-faults.md` mends it."""
    page = Path(__file__).parents[2] / "docs" / "simulator-faults.md"
    assert page.read_text(encoding="utf-8") == markdown()
