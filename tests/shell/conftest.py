"""What several tests of the shell are run with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import TCPConnector
from journal_notes import FULL
from store_fakes import FakeStore

from iceye_derivatives._core import journal as journals
from iceye_derivatives._transport import lane, lanes


@pytest.fixture(params=[7, 1 << 20], ids=["in pieces", "at one time"])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that comes at one time goes a shorter way, to the same end."""
    monkeypatch.setattr(FakeStore, "pieces", request.param)


@pytest.fixture(params=[None, 2], ids=["one page", "pages"])
def one_page_or_more(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever holds for a journal holds for one of several pages."""
    if request.param is not None:
        monkeypatch.setattr(journals, "FULL", request.param)


@pytest.fixture(scope="module")
def small_pages() -> Iterator[None]:
    """A page of a journal is full with a few files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journals, "FULL", FULL)
        yield


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[lane.Lane]:
    """All lanes that were made."""
    found: list[lane.Lane] = []

    class Noted(lane.Lane):
        def __init__(self, *arguments: Any) -> None:
            found.append(self)
            super().__init__(*arguments)

    monkeypatch.setattr(lanes, "Lane", Noted)
    return found


@pytest.fixture
def by_session(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it, and aiohttp is not as it is known: all goes through its sessions."""
    return lambda: monkeypatch.setattr(lanes, "_fits", lambda *_: False)


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Each time that aiohttp's pool was asked; and nothing at hand is given back by time."""
    asked: list[object] = []
    connect = TCPConnector.connect

    async def counted(*arguments: Any, **named: Any) -> Any:
        asked.append(arguments)
        return await connect(*arguments, **named)

    monkeypatch.setattr(TCPConnector, "connect", counted)
    monkeypatch.setattr(lanes, "_AT_HAND", 1e6)
    return asked
