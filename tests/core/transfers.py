"""A transfer and the answers that it gets, as facts: no line, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.transfer import Transfer
from iceye_derivatives._core.transfer_terms import Answer, Decision, LinkFacts, Pause, Receive

NOW = 1_700_000_000.0
OLD = LinkFacts(expires=NOW + 3000, skew=0.0, fresh=False)
FRESH = LinkFacts(expires=NOW + 3600, skew=0.0, fresh=True)
DEAD = LinkFacts(expires=NOW - 1, skew=0.0, fresh=False)
ETAG = '"v1"'
XML = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'


def transfer(**settings: Any) -> Transfer:
    return Transfer(attrs.evolve(DownloadSettings(), **settings))


def answer(
    machine: Transfer,
    status: int,
    headers: Mapping[str, str] | None = None,
    *,
    beginning: bytes = b"",
    link: LinkFacts = FRESH,
) -> Decision:
    found = Answer(status=status, headers=headers or {}, beginning=beginning)
    return machine.answered(found, link=link, now=NOW, draw=0.5)


def broken_at(size: int, *, etag: str | None = ETAG, total: int = 100) -> Transfer:
    """A transfer whose line broke after so many bytes."""
    machine = transfer()
    machine.begin()
    headers = {"content-length": str(total)} | ({"etag": etag} if etag else {})
    assert answer(machine, 200, headers) == Receive(offset=0, total=total)
    assert machine.received(size)
    assert isinstance(machine.broke("the line broke", 0.5), Pause)
    return machine
