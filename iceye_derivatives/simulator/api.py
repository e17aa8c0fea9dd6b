"""Which operation is meant, and what does it answer: ICEYE's routes over the world."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iceye_derivatives.simulator.messages import json_answer
from iceye_derivatives.simulator.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from iceye_derivatives.simulator.derivatives import Derivative
    from iceye_derivatives.simulator.links import Signer
    from iceye_derivatives.simulator.messages import Answer, Call
    from iceye_derivatives.simulator.oauth import Tokens
    from iceye_derivatives.simulator.world import World

    Operation = Callable[["Api", "Request"], Answer]

_TASKS = "/api/tasking/v2/tasks"


@frozen(kw_only=True)
class Request:
    """One request that found its operation; `skew` is what the API's clock is ahead of `now`."""

    call: Call
    now: float
    skew: float
    resource: str

    @property
    def clock(self) -> float:
        """What the API's own clock shows, in Unix seconds."""
        return self.now + self.skew


class Api:
    """The tasking API, and as much of the company API as leads to it."""

    def __init__(self, world: World, tokens: Tokens, links: Signer) -> None:
        self._world = world
        self._tokens = tokens
        self._links = links

    def answer(self, call: Call, *, now: float, skew: float = 0.0) -> Answer:
        """Answer a request at `now` (Unix seconds); links are signed `skew` seconds ahead of it."""
        try:
            # Before the route: who is not known learns nothing of what there is.
            self._tokens.check(call.headers.get("authorization", ""), now=now)
            operation, resource = _route(call)
            return operation(self, Request(call=call, now=now, skew=skew, resource=resource))
        except ProblemError as problem:
            extra = (
                {"WWW-Authenticate": "Bearer"}
                if problem.status == HTTPStatus.UNAUTHORIZED
                else None
            )
            return problem.render(call.headers.get("accept", ""), headers=extra)

    def _create_task(self, request: Request) -> Answer:
        return json_answer(201, self._world.create_task(_body(request.call), now=request.now))

    def _list_tasks(self, request: Request) -> Answer:
        return json_answer(200, self._world.list_tasks(request.call.parameters, now=request.now))

    def _get_task(self, request: Request) -> Answer:
        return json_answer(200, self._world.get_task(request.resource, now=request.now))

    def _cancel_task(self, request: Request) -> Answer:
        canceled = self._world.cancel_task(request.resource, _body(request.call), now=request.now)
        return json_answer(200, canceled)

    def _get_scene(self, request: Request) -> Answer:
        return json_answer(200, self._world.scene(request.resource, now=request.now))

    def _list_derivatives(self, request: Request) -> Answer:
        derivatives = self._world.derivatives(request.resource, now=request.now)
        # "200 OK — All requested derivatives have products available", "206 Partial Content —
        # Some, but not all": no range answer of RFC 9110, so there is no Content-Range.
        complete = all(each.ready_at <= request.now for each in derivatives)
        data = [self._describe(each, request) for each in derivatives]
        return json_answer(200 if complete else 206, {"data": data})

    def _list_contracts(self, _: Request) -> Answer:
        return json_answer(200, {"data": [self._world.contract.describe()]})

    def _get_contract(self, request: Request) -> Answer:
        if request.resource != self._world.contract.id:
            raise ProblemError(404, "the contract was not found")
        return json_answer(200, self._world.contract.describe())

    def _describe(self, derivative: Derivative, request: Request) -> dict[str, Any]:
        described: dict[str, Any] = {"id": derivative.id}
        if derivative.image_reference is not None:
            described["imageReference"] = derivative.image_reference
        if derivative.image_id is not None:
            described["imageId"] = derivative.image_id
        described["derivativeProductType"] = derivative.product_type
        # Empty as long as "it is still being processed".
        described["assets"] = [
            {"type": asset.type, "href": self._links.sign(asset.path, now=request.clock)}
            for asset in derivative.ready_assets(request.now)
        ]
        return described

    ROUTES: tuple[tuple[str, re.Pattern[str], Operation], ...] = (
        ("POST", re.compile(_TASKS), _create_task),
        ("GET", re.compile(_TASKS), _list_tasks),
        ("GET", re.compile(_TASKS + "/([^/]+)"), _get_task),
        ("PATCH", re.compile(_TASKS + "/([^/]+)"), _cancel_task),
        ("GET", re.compile(_TASKS + "/([^/]+)/scene"), _get_scene),
        ("GET", re.compile(_TASKS + "/([^/]+)/derivatives"), _list_derivatives),
        ("GET", re.compile("/api/company/v1/contracts"), _list_contracts),
        ("GET", re.compile("/api/company/v1/contracts/([^/]+)"), _get_contract),
    )


def _route(call: Call) -> tuple[Operation, str]:
    methods = set()
    for method, pattern, operation in Api.ROUTES:
        if match := pattern.fullmatch(call.path):
            if method == call.method:
                return operation, match[1] if pattern.groups else ""
            methods.add(method)
    if methods:
        raise ProblemError(405, f"use {' or '.join(sorted(methods))}")
    raise ProblemError(404, "there is no such resource")


def _body(call: Call) -> object:
    try:
        return json.loads(call.body)
    except ValueError:
        raise ProblemError(400, "the request body is not JSON") from None
