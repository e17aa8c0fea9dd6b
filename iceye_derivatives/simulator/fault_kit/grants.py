"""How can the token endpoint grant something that is no good token?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iceye_derivatives.simulator.fault_kit.chapter import TOKEN, Chapter, loaded, went_well
from iceye_derivatives.simulator.messages import Answer, json_answer

if TYPE_CHECKING:
    from iceye_derivatives.simulator.incident import Incident

GRANTS = Chapter("Tokens")

_ODD: dict[str, dict[str, Any]] = {
    "expires_in_text": {"expires_in": "3600"},
    "expires_in_negative": {"expires_in": -1},
    "expires_in_zero": {"expires_in": 0},
    "expires_in_huge": {"expires_in": 10**30},
    "expires_in_null": {"expires_in": None},
    "token_missing": {"access_token": None},
    "token_empty": {"access_token": ""},
    "token_number": {"access_token": 1},
    "token_newline": {"access_token": "simulated\r\nX-Injected: 1"},
    "token_not_ascii": {"access_token": "simuliert-\u00fc\u202e"},
    "token_long": {"access_token": "x" * 100_000},
    "type_mac": {"token_type": "mac"},
    "type_lower": {"token_type": "bearer"},
    "type_missing": {"token_type": None},
}


@GRANTS.fault("after", TOKEN)
def token_without_expiry(incident: Incident) -> Answer | None:
    """A good token without `expires_in`, which RFC 6749 only recommends."""
    if not went_well(incident):
        return None
    grant = {name: value for name, value in loaded(incident).items() if name != "expires_in"}
    return json_answer(200, grant, headers=incident.answer.headers)


@GRANTS.fault("after", TOKEN, seconds=1)
def brief_token(incident: Incident) -> Answer | None:
    """A token that states a life of `seconds`; it is good for longer."""
    if not went_well(incident):
        return None
    grant = {**loaded(incident), "expires_in": incident.settings["seconds"]}
    return json_answer(200, grant, headers=incident.answer.headers)


@GRANTS.fault("after", TOKEN, kind=tuple(_ODD))
def odd_token(incident: Incident) -> Answer | None:
    """A grant with one member that is not as RFC 6749 has it, by its `kind`; null is left out."""
    if not went_well(incident):
        return None
    grant = {**loaded(incident), **_ODD[incident.settings["kind"]]}
    if incident.settings["kind"] != "expires_in_null":
        grant = {name: value for name, value in grant.items() if value is not None}
    return json_answer(200, grant, headers=incident.answer.headers)


@GRANTS.fault("after", TOKEN)
def useless_token(incident: Incident) -> Answer | None:
    """A well-formed token that the API does not know: 401 however often it is fetched."""
    if not went_well(incident):
        return None
    grant = {**loaded(incident), "access_token": "simulated-token-of-nobody"}
    return json_answer(200, grant, headers=incident.answer.headers)
