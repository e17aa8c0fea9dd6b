"""How many looks a second, measured in those of a bare aiohttp loop that decodes and does no more?

``python benchmarks/polling.py --rounds 7``; aim: at least 0.6.  The server is a process of its own
that answers from memory; both clients keep as many requests in flight, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp
from decode import a_listing

from iceye_derivatives import DerivativesClient, StaticToken

IN_FLIGHT = 20
HEAD = (
    "HTTP/1.1 206 Partial Content\r\nContent-Type: application/json\r\n"
    "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: {}\r\n\r\n"
)


class Responder(asyncio.Protocol):
    """Answers whatever ends a request's head, without reading it."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the line."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """One answer a head; our clients send no body and do not pipeline."""
        if data.endswith(b"\r\n\r\n"):
            self._transport.write(self._answer)


async def serve(derivatives: int) -> None:
    """Tell the port, then answer until killed."""
    body = a_listing(derivatives)
    answer = HEAD.format(len(body)).encode() + body
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Responder(answer), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def rate(look: Callable[[], Awaitable[object]], seconds: float) -> float:
    """Looks a second."""
    count, end = 0, time.perf_counter() + seconds

    async def worker() -> None:
        nonlocal count
        while time.perf_counter() < end:
            await look()
            count += 1

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(worker())
    return count / (time.perf_counter() - begun)


async def compare(port: int, rounds: int, seconds: float) -> list[tuple[float, float]]:
    """(bare, ours) for each round, after one that only warms up."""
    origin = f"http://127.0.0.1:{port}"
    url = f"{origin}/api/tasking/v2/tasks/t/derivatives"
    headers = {"Authorization": f"Bearer {'t' * 800}"}
    found = []
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session,
        DerivativesClient(
            base_url=origin, auth=StaticToken("t" * 800), rate=1e6, burst=1_000_000
        ) as client,
    ):

        async def bare() -> None:
            async with session.get(url, headers=headers) as response:
                json.loads(await response.read())

        async def ours() -> None:
            await client.look_at_derivatives("t")

        for number in range(rounds + 1):
            order = (bare, ours) if number % 2 else (ours, bare)
            rates = {look: await rate(look, seconds) for look in order}
            found.append((rates[bare], rates[ours]))
    return found[1:]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--derivatives", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve(asked.derivatives))
        return
    command = [sys.executable, __file__, "--serve", "--derivatives", str(asked.derivatives)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:  # noqa: S603 - ourselves
        assert server.stdout is not None
        port = int(server.stdout.readline())
        try:
            found = asyncio.run(compare(port, asked.rounds, asked.seconds))
        finally:
            server.kill()
    print(f"{asked.derivatives} derivatives an answer, {IN_FLIGHT} at once, {asked.rounds} rounds")
    print(f"bare aiohttp  {statistics.median(bare for bare, _ in found):8.0f} looks a second")
    print(f"ours          {statistics.median(ours for _, ours in found):8.0f} looks a second")
    print(f"ratio         {statistics.median(ours / bare for bare, ours in found):8.2f}")


if __name__ == "__main__":
    main()
