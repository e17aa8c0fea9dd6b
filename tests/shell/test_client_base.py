"""Does each session of a client get the settings that are meant for it?"""

from __future__ import annotations

from iceye_derivatives import DerivativesClient, Limits, StaticToken
from iceye_derivatives._transport import SessionSettings


def test_each_session_has_its_own_patience_and_shares_the_rest() -> None:
    """A call ends in five minutes; a large file on a slow line may take hours."""
    limits = Limits(redirects=1)
    client = DerivativesClient(
        auth=StaticToken("t"),
        connect_timeout=1.0,
        answer_timeout=2.0,
        read_timeout=3.0,
        trust_env=False,
        limits=limits,
    )

    assert client._api._session._settings == SessionSettings(
        connect_timeout=1.0,
        read_timeout=2.0,
        total_timeout=300.0,
        connections=20,
        trust_env=False,
        limits=limits,
    )
    assert client._files._session._settings == SessionSettings(
        connect_timeout=1.0,
        read_timeout=3.0,
        connections=256,
        trust_env=False,
        limits=limits,
    )
