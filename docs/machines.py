"""What do the machines make of all that can happen to them: asked of them, for the pictures?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from iceye_derivatives import Snapshot, Task, Watch, errors
from iceye_derivatives._core.answer import ApiResponse
from iceye_derivatives._core.bulk import Advice, BulkLook
from iceye_derivatives._core.decisions import Failed, Patience
from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.fleet import Reach, Rota
from iceye_derivatives._core.fleet_park import reach_of
from iceye_derivatives._core.responses import read_snapshot
from iceye_derivatives._core.transfer import Transfer
from iceye_derivatives._core.transfer_terms import Answer, GiveUp, LinkFacts
from iceye_derivatives.models import AcquisitionWindow, PointOfInterest

Arrow = tuple[str, str]
"""What happens, and what is decided."""

NOW: Final = 1_800_000_000.0
PARTIAL: Final = 206


def transfer_arrows() -> list[Arrow]:
    """Put each answer to a transfer, on a link that is fresh and on one that is dead."""
    statuses = (200, 206, 304, 400, 401, 403, 404, 408, 410, 416, 425, 429, 500, 503)
    arrows = []
    for status in statuses:
        told = {
            age: _transferred(status, fresh=fresh)
            for age, fresh in (("a fresh link", True), ("a dead link", False))
        }
        if len(set(told.values())) == 1:
            arrows.append((str(status), told["a fresh link"]))
        else:
            arrows += [(f"{status}, {age}", decided) for age, decided in told.items()]
    ends: tuple[tuple[str, Callable[[Transfer], object]], ...] = (
        ("the line broke", lambda t: t.broke("the line broke", 0.5)),
        ("all bytes came", lambda t: t.ended(0.5) if t.received(90) else None),
        ("fewer bytes than said", lambda t: t.ended(0.5)),
        ("more bytes than said", lambda t: t.overran(0.5)),
    )
    for fact, put in ends:
        arrows.append((fact, _name(put(_begun()))))
    return arrows


def _begun() -> Transfer:
    transfer = Transfer(DownloadSettings())
    transfer.begin()
    head = Answer(status=200, headers={"content-length": "100", "etag": '"a"'})
    link = LinkFacts(expires=NOW + 3600, skew=0, fresh=True)
    transfer.answered(head, link=link, now=NOW, draw=0.5)
    transfer.received(10)
    return transfer


def _transferred(status: int, *, fresh: bool) -> str:
    transfer = _begun()
    transfer.broke("the line broke", 0.5)
    transfer.begin()
    headers = {"content-length": "100", "etag": '"a"'}
    if status == PARTIAL:
        headers["content-range"] = "bytes 10-99/100"
    link = LinkFacts(expires=NOW + (3600 if fresh else -1), skew=0, fresh=fresh)
    answer = Answer(status=status, headers=headers)
    return _name(transfer.answered(answer, link=link, now=NOW, draw=0.5))


def watch_arrows() -> list[Arrow]:
    """Put each answer to a watch of a task that was ordered with derivatives."""
    ready, unready = [{"type": "geojson", "href": "https://store.example/file"}], list[object]()
    one, two = ("DC_VESSELS",), ("DC_VESSELS", "DC_AIRCRAFT")
    looks = (
        ("200, all have assets", _look(200, ready), one),
        ("200, one cannot be read", _look(200, ready, poor=True), one),
        ("200, an empty assets", _look(200, unready), one),
        ("200, a type is not listed", _look(200, ready), two),
        ("206, nothing new", _look(206, unready), one),
        ("206, one is new", _look(206, ready), two),
        ("206, one cannot be read", _look(206, ready, poor=True), one),
        ("404, task not asked for yet", _look(404, None), one),
    )
    arrows = []
    for fact, snapshot, requested in looks:
        watch = _watch(requested)
        watch.receive(snapshot, NOW)
        arrows.append((fact, _decided(watch, snapshot)))
    watch, poor = _watch(one), _look(200, ready, poor=True)
    for _ in range(watch.failure_budget):
        watch.receive(poor, NOW)
    arrows.insert(2, ("the same, and nothing new for the budget", _decided(watch, poor)))
    tasks = (
        ("404, task ACTIVE", "ACTIVE", ("DC_VESSELS",)),
        ("404, task FULFILLED", "FULFILLED", ("DC_VESSELS",)),
        ("404, task without derivatives", "ACTIVE", ()),
        *((f"404, task {end}", end, ("DC_VESSELS",)) for end in ("REJECTED", "FAILED", "CANCELED")),
    )
    for fact, status, types in tasks:
        watch = _watch(None)
        watch.receive(_look(404, None), NOW)
        watch.receive_task(_task(status, types), NOW)
        if type(watch.decide(NOW, 0.5)).__name__ == "Look":
            watch.receive(_look(404, None), NOW)
        arrows.append((fact, _decided(watch, None)))
    unknown = errors.TaskNotFoundError("no", status=404)
    for seen, after, fact in (
        (False, 0.0, "404, task unknown"),
        (False, 121.0, "the same after the grace"),
        (True, 121.0, "the same, if seen before"),
    ):
        watch = _watch(None)
        watch.receive(_look(404, None), NOW)
        if seen:
            watch.receive_task(_task("ACTIVE", ("DC_VESSELS",)), NOW)
        for moment in (NOW, NOW + after):
            watch.receive_unknown_task(unknown, moment)
        arrows.append((fact, _decided(watch, None)))
    failures = (
        ("401 twice", errors.AuthenticationError("no", status=401)),
        ("403", errors.PermissionDeniedError("no", status=403)),
        ("404 of a gateway's", errors.UnexpectedResponseError("no", status=404)),
        ("429", errors.RateLimitedError("no", status=429)),
        ("5xx", errors.ServerError("no", status=500)),
        ("no answer", errors.NetworkError("no")),
    )
    for fact, error in failures:
        watch = _watch(("DC_VESSELS",))
        watch.receive_failure(error)
        arrows.append((fact, _decided(watch, None)))
    return arrows


def fleet_arrows() -> list[Arrow]:
    """Put what may happen to a task of many to the machines that keep them."""
    ready, unready = [{"type": "geojson", "href": "https://store.example/file"}], list[object]()
    looks = (
        ("added", _kept(lambda rota: rota.add("t", NOW, NOW, "[]"))),
        ("asked: RECEIVED", _kept(lambda rota: _land(rota, _answered("RECEIVED")))),
        ("asked: ACTIVE", _kept(lambda rota: _land(rota, _answered("ACTIVE")))),
        ("asked: FULFILLED, no derivatives yet", _kept(lambda r: _land(r, _answered("FULFILLED")))),
        ("looked at: 206, none is ready", _kept(lambda r: _land(r, _shown(206, unready)))),
        ("looked at: 206, some are ready", _kept(lambda r: _land(r, _shown(206, ready)))),
        ("waits for its image; nudged", _kept(_nudged)),
        ("waits; taken away", _kept(_taken_away)),
        ("out; taken away", _kept(_taken_away_while_out)),
        ("waits; due, not LISTED", _kept(lambda rota: _due(rota, Reach.ALONE))),
    )
    return [*looks, *_advice()]


def _kept(happens: Callable[[Rota], object]) -> str:
    rota = Rota()
    happens(rota)
    place = rota.get("t")
    if place is not None:
        return f"waits, {place.reach.name}{', due now' if place.due <= NOW else ''}"
    return "out, asked alone" if rota.is_out("t") else "gone: none of its events is told"


def _land(rota: Rota, watch: Watch) -> None:
    rota.add("t", NOW, NOW, "[]")
    rota.take(NOW)
    rota.land("t", NOW, NOW + 60, reach_of(watch), "[]")


def _answered(status: str) -> Watch:
    watch = _watch(None)
    watch.receive(_look(404, None), NOW)
    watch.receive_task(_task(status, ("DC_VESSELS",)), NOW)
    while type(watch.decide(NOW, 0.5)).__name__ == "Look":
        watch.receive(_look(404, None), NOW)
    return watch


def _shown(status: int, assets: list[Any]) -> Watch:
    watch = _watch(("DC_VESSELS", "DC_AIRCRAFT"))
    watch.receive(_look(status, assets), NOW)
    watch.decide(NOW, 0.5)
    return watch


def _nudged(rota: Rota) -> None:
    _land(rota, _answered("ACTIVE"))
    rota.nudge("t", NOW)


def _taken_away(rota: Rota) -> None:
    rota.add("t", NOW, NOW, "[]")
    rota.remove("t")


def _taken_away_while_out(rota: Rota) -> None:
    rota.add("t", NOW, NOW, "[]")
    rota.take(NOW)
    rota.remove("t")


def _due(rota: Rota, reach: Reach) -> None:
    rota.add("t", NOW, NOW, "[]")
    rota.take(NOW)
    rota.land("t", NOW, NOW, reach, "[]")
    rota.take(NOW)


def _advice() -> Iterator[Arrow]:
    """What `BulkLook` says to a task that a listing might answer for."""
    spoken = {Advice.LIST: "a listing is read", Advice.HOLD: "waits, HELD"}
    few, many, under_way, just_ended = BulkLook(), BulkLook(), BulkLook(), BulkLook()
    under_way.begin()
    just_ended.begin()
    for _ in range(50):
        just_ended.found(None, saves=2)
    just_ended.goes_on(NOW, more=False)
    for what, bulk, savings, held in (
        ("LISTED or FRESH, due; few others are", few, 1, False),
        ("LISTED or FRESH, due; many others are", many, 100, False),
        ("the same; a listing is under way", under_way, 100, False),
        ("the same; one has just been read", just_ended, 100, False),
        ("HELD, due; one has just been read", just_ended, 100, True),
    ):
        advice = bulk.advise(NOW, savings=savings, waiting=100, held=held)
        yield what, spoken.get(advice, "out, asked alone")


def _look(status: int, assets: list[Any] | None, *, poor: bool = False) -> Snapshot:
    listed: list[Any] = [{"id": "d", "derivativeProductType": "DC_VESSELS", "assets": assets}]
    listed += [{"id": "e"}] if poor else []
    body = json.dumps({"data": listed if assets is not None else []}).encode()
    response = ApiResponse(status=status, headers={}, body=body)
    return read_snapshot("t", response, NOW).snapshot


def _watch(requested: tuple[str, ...] | None) -> Watch:
    watch = Watch("t", requested=requested)
    watch.begin(NOW, Patience())
    watch.decide(NOW, 0.5)
    return watch


def _task(status: str, types: tuple[str, ...]) -> Task:
    start = datetime.fromtimestamp(NOW, UTC)
    return Task(
        id="t",
        contract_id="c",
        status=status,
        imaging_mode="SPOTLIGHT",
        point_of_interest=PointOfInterest(lat=0.0, lon=0.0),
        acquisition_window=AcquisitionWindow(start=start, end=start),
        derivative_product_types=types,
    )


def _decided(watch: Watch, snapshot: Snapshot | None) -> str:
    decision = watch.decide(NOW, 0.5)
    handed = "hand out, then " if snapshot is not None and watch.seen.queued else ""
    if handed:
        while watch.pop() is not None:
            pass
        decision = watch.decide(NOW, 0.5)
    if isinstance(decision, Failed):
        return f"{handed}{type(decision.error).__name__}"
    return f"{handed}{_name(decision)}"


def _name(decision: object) -> str:
    if isinstance(decision, GiveUp):
        return f"GiveUp: {decision.verdict.value}"
    return type(decision).__name__
