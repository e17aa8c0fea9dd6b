"""A watch that has begun, and what it decides or hands out."""

from __future__ import annotations

from strategies import EPOCH, TASK_ID

from iceye_derivatives import Derivative, Watch
from iceye_derivatives._core.decisions import Decision, Failed, Patience, Wait

NOW = EPOCH.timestamp()
HOUR = 3600.0


def fresh(**patience: object) -> Watch:
    watch = Watch(TASK_ID)
    watch.begin(NOW, Patience(**patience))  # type: ignore[arg-type]
    return watch


def drain(watch: Watch) -> list[Derivative]:
    taken = []
    while (one := watch.pop()) is not None:
        taken.append(one)
    return taken


def keys(one: Derivative) -> frozenset[tuple[str, int]]:
    return frozenset((ref.asset_type, ref.ordinal) for ref in one.asset_refs())


def wait_of(decision: Decision) -> float:
    assert isinstance(decision, Wait), decision
    return decision.seconds


def failure_of(decision: Decision) -> Exception:
    assert isinstance(decision, Failed), decision
    return decision.error
