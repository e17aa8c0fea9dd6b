"""What came in and what goes out: HTTP requests and answers as plain values."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


class Side(StrEnum):
    """Which of ICEYE's three counterparts a request meets."""

    API = "api"
    TOKEN = "token"  # noqa: S105 (a name of a counterpart, not a secret)
    CDN = "cdn"


class Ending(StrEnum):
    """How an answer ends on the wire: as it should, with a FIN, with an RST, or not at all."""

    WHOLE = "whole"
    CLOSE = "close"
    RESET = "reset"
    STALL = "stall"


@frozen(kw_only=True)
class Wire:
    """How an answer travels; the default is an honest delivery.

    Attributes:
        delay: Real seconds of silence before the status line.
        head: Whether a status line and headers are sent at all.
        length: What Content-Length says; None tells the truth.
        limit: How many bytes of the body are sent; None sends all of them.
        filler: What is repeated after the body, in chunks and without a Content-Length.
        size: How many bytes body and filler have together; of no meaning without a filler.
        rate: Bytes in a real second; None sends as fast as it can.
        surplus: Bytes that follow where HTTP says that the answer is over.
        ending: What follows the last byte that was sent.
    """

    delay: float = 0.0
    head: bool = True
    length: int | None = None
    limit: int | None = None
    filler: bytes = field(default=b"", repr=False)
    size: int = 0
    rate: float | None = None
    surplus: bytes = field(default=b"", repr=False)
    ending: Ending = Ending.WHOLE

    @property
    def stalls(self) -> bool:
        """Whether real time passes in which the simulator does nothing."""
        return self.delay > 0 or self.rate is not None or self.ending is Ending.STALL


@frozen(kw_only=True)
class Call:
    """One request as it arrived.

    Attributes:
        method: The verb.
        target: Path and query byte for byte: a signed link is checked on these.
        headers: Names in lower case.
        body: The whole body.
    """

    method: str
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The target before the first question mark, nothing decoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The target after the first question mark, nothing decoded."""
        return self.target.partition("?")[2]

    @property
    def parameters(self) -> dict[str, str]:
        """The query decoded; of a repeated name the last value."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@frozen(kw_only=True)
class Answer:
    """One answer, and how it travels.

    Attributes:
        status: The HTTP status.
        headers: What the simulator adds to Date and Content-Length.
        body: The whole body, also where `wire` sends only a part of it.
        wire: How it travels.
    """

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = field(default=b"", repr=False)
    wire: Wire = Wire()


def json_answer(status: int, value: object, *, headers: Mapping[str, str] | None = None) -> Answer:
    """Render a value as an `application/json` answer; `headers` may say otherwise."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    merged = {"Content-Type": "application/json", **(headers or {})}
    return Answer(status=status, headers=merged, body=body)
