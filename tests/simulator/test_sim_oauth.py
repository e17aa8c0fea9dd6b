"""Does the token endpoint do what ICEYE documents, and no more?"""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

import pytest
from sim_caller import TASKS, Caller, Reply

pytestmark = pytest.mark.anyio

FORM = "application/x-www-form-urlencoded"


def basic(client_id: str, client_secret: str) -> str:
    return "Basic " + b64encode(f"{client_id}:{client_secret}".encode()).decode()


async def ask(caller: Caller, *, method: str = "POST", **changes: Any) -> Reply:
    headers = {
        "Authorization": basic(caller.sim.client_id, caller.sim.client_secret),
        "Content-Type": FORM,
        **changes.get("headers", {}),
    }
    body = urlencode(changes.get("form", {"grant_type": "client_credentials"}))
    return await caller.send(method, caller.sim.token_url, headers=headers, data=body)


async def test_a_token_has_the_documented_fields_and_opens_the_api(caller: Caller) -> None:
    reply = await ask(caller)
    assert reply.status == 200
    assert set(reply.json) == {"token_type", "expires_in", "access_token", "scope"}
    assert reply.json["token_type"] == "Bearer"
    assert reply.json["expires_in"] == 3600
    assert reply.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {reply.json['access_token']}"}
    assert (
        await caller.send("GET", caller.sim.api_base_url + TASKS, headers=headers)
    ).status == 200


@pytest.mark.parametrize(
    "authorization", ["", "Basic", "Basic ???", basic("simulated-client", "wrong"), "Bearer x"]
)
async def test_an_unknown_client_is_refused_as_rfc_6749_says(
    caller: Caller, authorization: str
) -> None:
    reply = await ask(caller, headers={"Authorization": authorization})
    assert reply.status == 401
    assert reply.json["error"] == "invalid_client"
    assert reply.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"form": {"grant_type": "password"}}, 400, "unsupported_grant_type"),
        ({"form": {}}, 400, "unsupported_grant_type"),
        ({"headers": {"Content-Type": "application/json"}}, 400, "invalid_request"),
        ({"method": "GET"}, 405, "invalid_request"),
    ],
)
async def test_other_requests_for_tokens_are_refused(
    caller: Caller, changes: dict[str, Any], status: int, error: str
) -> None:
    reply = await ask(caller, **changes)
    assert (reply.status, reply.json["error"]) == (status, error)


async def test_an_older_token_stays_good_beside_a_newer_one(caller: Caller) -> None:
    tokens = [(await ask(caller)).json["access_token"] for _ in range(2)]
    assert tokens[0] != tokens[1]
    for token in tokens:
        caller.sim.tokens.check(f"Bearer {token}", now=caller.clock.time())


async def test_all_tokens_can_be_revoked(caller: Caller) -> None:
    token = (await ask(caller)).json["access_token"]
    caller.sim.tokens.revoke()
    headers = {"Authorization": f"Bearer {token}"}
    assert (
        await caller.send("GET", caller.sim.api_base_url + TASKS, headers=headers)
    ).status == 401
