"""How are requests to one origin written, and which of its connections are at hand?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import define, field

from iceye_derivatives._transport.connection import Channel

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Origin"]


@define(eq=False)
class Origin:
    """One store of files: what all requests to it share, and its idle connections."""

    prefix: str
    proxy: str | None = field(repr=False)
    request: aiohttp.ClientRequest = field(repr=False)
    """A request of aiohttp's own, by which its pool knows whom to connect to."""
    headers: Mapping[str, str] = field(repr=False)
    may_keep: Callable[[], bool] = field(repr=False)
    """Whether connections may be kept at hand just now."""
    _rendered: tuple[Mapping[str, str], str] | None = field(init=False, default=None, repr=False)
    """Headers, and how they go over the line: nearly all requests have the same."""
    _at_hand: list[Channel] = field(init=False, factory=list, repr=False)
    _unused: int = field(init=False, default=0)
    """How many of them, from the first one on, nobody has wanted lately."""

    def has(self, url: str, proxy: str | None) -> bool:
        """Whether a link certainly leads here; where it does not, its origin is looked up."""
        return url.startswith(self.prefix + "/") and proxy == self.proxy

    def ask(self, url: str, headers: Mapping[str, str]) -> bytes:
        """One GET as it goes over the line; ValueError where it would be more than one.

        What a link is signed with is plain text here, and in no frame that waits for anything.
        """
        if self._rendered is None or self._rendered[0] != headers:
            self._rendered = headers, self._render(headers)
        # Byte for byte; what stands behind "#" is never sent.
        target = url[len(self.prefix) :].partition("#")[0]
        if not target.startswith("/"):
            target = f"/{target}"
        if not target.isprintable():
            raise ValueError("a link with the end of a line in it")
        return f"GET {target}{self._rendered[1]}".encode("latin-1")

    def _render(self, headers: Mapping[str, str]) -> str:
        lines = [f"{name}: {value}" for name, value in {**self.headers, **headers}.items()]
        rendered = "\r\n".join([" HTTP/1.1", *lines, "", ""])
        ends = len(lines) + 2
        if (rendered.count("\r"), rendered.count("\n"), rendered.count("\0")) != (ends, ends, 0):
            raise ValueError("a header with the end of a line in it")
        return rendered

    def take(self) -> Channel | None:
        """A connection that is at hand: the one that served last, so that few are kept alive."""
        while self._at_hand:
            channel = self._at_hand.pop()
            self._unused = min(self._unused, len(self._at_hand))
            if not channel.transport.is_closing():
                return channel
            channel.connection.close()
        return None

    def keep(self, channel: Channel) -> None:
        """Its body is over: it is at hand, or aiohttp's again."""
        if self.may_keep():
            self._at_hand.append(channel)
        else:
            channel.give_back()

    def let_go(self, *, all_of_them: bool) -> bool:
        """Give back what nobody wanted since this was called last; whether anything is left."""
        few = len(self._at_hand) if all_of_them else self._unused
        for channel in self._at_hand[:few]:
            channel.give_back()
        del self._at_hand[:few]
        self._unused = len(self._at_hand)
        return self._unused > 0

    def retire(self) -> None:
        """It is forgotten: what is still under way for it goes back to aiohttp as well."""
        self.may_keep = _never
        self.let_go(all_of_them=True)


def _never() -> bool:
    return False
