"""What was asked: one record for each of the latest requests, so that tests can ask in turn."""

from __future__ import annotations

from attrs import define, field

from iceye_derivatives.simulator.messages import Side


@define(kw_only=True)
class RecordedRequest:
    """One request that was made; not frozen, since it is there before its answer is.

    Attributes:
        time: The simulator's moment of its arrival, in Unix seconds.
        side: "token", "api" or "cdn".
        method: The verb.
        path: The path, nothing decoded.
        query: The query, nothing decoded; not in the repr, it may hold a signature.
        headers: Names in lower case; not in the repr, they may hold a token.
        status: The status that was sent; 0 if none was.
        fault: The names of the faults that struck, joined by "+"; None for an honest answer.
        bytes_sent: Bytes of the body that were sent.
    """

    time: float
    side: Side
    method: str
    path: str
    query: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    status: int = 0
    fault: str | None = None
    bytes_sent: int = 0


@define
class Recorder:
    """The latest requests; not all of them, since a simulator may run for weeks.

    Attributes:
        keep: How many are kept at least; None keeps all.
        requests: Those that are kept, oldest first.
        forgotten: How many older ones are not kept any more.
    """

    keep: int | None
    requests: list[RecordedRequest] = field(factory=list)
    forgotten: int = 0

    def add(self, record: RecordedRequest) -> None:
        """A request has arrived."""
        self.requests.append(record)
        # Some at a time, as whatever is cut off a list's beginning moves all the rest.
        if self.keep is not None and len(self.requests) > self.keep + self.keep // 8:
            excess = len(self.requests) - self.keep
            del self.requests[:excess]
            self.forgotten += excess
