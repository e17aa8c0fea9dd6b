"""What is a simulator: the world, the doors to it and a clock, on two ports of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import anyio

from iceye_derivatives.simulator.api import Api
from iceye_derivatives.simulator.cdn import Cdn
from iceye_derivatives.simulator.clock import RealClock
from iceye_derivatives.simulator.contract import DERIVATIVE_TYPES
from iceye_derivatives.simulator.desk import Desk
from iceye_derivatives.simulator.fault_register import REGISTER
from iceye_derivatives.simulator.faults import Faults
from iceye_derivatives.simulator.links import Links
from iceye_derivatives.simulator.messages import Call, Side
from iceye_derivatives.simulator.notation import http_date
from iceye_derivatives.simulator.oauth import Tokens
from iceye_derivatives.simulator.recording import RecordedRequest, Recorder
from iceye_derivatives.simulator.wire import deliver, receive
from iceye_derivatives.simulator.world import World

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType

    from aiohttp import web

    from iceye_derivatives.simulator.clock import Clock
    from iceye_derivatives.simulator.contract import Contract
    from iceye_derivatives.simulator.desk import Verdict
    from iceye_derivatives.simulator.links import Signer, Signing
    from iceye_derivatives.simulator.plan import TaskPlan
    from iceye_derivatives.simulator.scenario import Scenario

TOKEN_PATH = "/oauth2/v1/token"  # noqa: S105 (a path, not a secret)

_LONGEST_LINE = 16_384


class Simulator:
    """ICEYE's API, token endpoint and CDN on two ports of this machine: an async context manager.

    With `VirtualClock()` here and `clock=sim.clock` for a client, days pass in milliseconds.

    Args:
        seed: What ids and detections follow from.
        clock: The one clock; None is real time.
        plan: The fate of tasks that are ordered through the API.
        detections: How many detections a file holds.
        token_lifetime: How long a token lives, in seconds.
        link_lifetime: How long a download link lives, in seconds.
        signing: The kind of signed link that is made, "canned" or "custom".
        signer: Who signs the links that are listed, where files lie in a store of your own, e.g.
            nginx; None for the CDN of this simulator.
        content_type: What files of detections are declared to be.
        contract: The one contract there is.
        host: Where to listen.
        port: The port of API and tokens; 0 takes a free one.
        cdn_port: The port of the CDN; 0 takes a free one.
        client_id: The one client that is known.
        client_secret: Its secret.
        keep_requests: How many of the latest `requests` are kept; None keeps them all.
        tls: TLS for both ports, with a certificate for `host`; None speaks http.
        scenario: What it says goes before the other arguments; see `Scenario.apply`.

    Attributes:
        clock: The one clock.
        world: What is true; may be asked and changed at any time, also before entering.
        tokens: The register of tokens.
        faults: What goes wrong; see `FAULTS` and `LIES`.
        desk: Who answers.
        requests: Every request that arrived, oldest first; of more than `keep_requests` the latest.
        api_base_url: Scheme, host and port of API and tokens; empty before entering.
        cdn_base_url: The same of the CDN.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Clock | None = None,
        plan: TaskPlan | None = None,
        detections: int = 40,
        token_lifetime: float = 3600.0,
        link_lifetime: float = 3600.0,
        signing: Signing = "canned",
        signer: Signer | None = None,
        content_type: str = "application/geo+json",
        contract: Contract | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        cdn_port: int = 0,
        client_id: str = "simulated-client",
        client_secret: str = "simulated-secret",  # noqa: S107 (opens nothing but this simulator)
        keep_requests: int | None = 10_000,
        tls: ssl.SSLContext | None = None,
        scenario: Scenario | None = None,
    ) -> None:
        self.clock = clock or RealClock()
        self.world = World(seed, plan=plan, detections=detections, contract=contract)
        self.tokens = Tokens(
            client_id=client_id, client_secret=client_secret, lifetime=token_lifetime
        )
        self.faults = Faults(REGISTER)
        self._recorder = Recorder(keep_requests)
        self.client_id = client_id
        self.client_secret = client_secret
        self.api_base_url = ""
        self.cdn_base_url = ""
        self._host = host
        self._ports = (port, cdn_port)
        self._tls = tls
        self._links = Links(
            "", secret=f"{seed}/{client_secret}", lifetime=link_lifetime, signing=signing
        )
        self.desk = Desk(
            tokens=self.tokens,
            api=Api(self.world, self.tokens, self._links if signer is None else signer),
            cdn=Cdn(self.world, self._links, content_type=content_type),
            links=self._links,
            faults=self.faults,
        )
        self._runners: list[web.ServerRunner] = []
        if scenario is not None:
            scenario.apply(self)

    @property
    def requests(self) -> list[RecordedRequest]:
        """What was asked, oldest first."""
        return self._recorder.requests

    @property
    def requests_forgotten(self) -> int:
        """How many requests arrived before the first that `requests` still holds."""
        return self._recorder.forgotten

    @property
    def is_open(self) -> bool:
        """Whether both ports listen."""
        return bool(self._runners)

    @property
    def token_url(self) -> str:
        """Where tokens are to be had."""
        return f"{self.api_base_url}{TOKEN_PATH}"

    @property
    def contract_id(self) -> str:
        """The contract that tasks are ordered under."""
        return self.world.contract.id

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that lead a client here."""
        return {
            "ICEYE_API_BASE_URL": self.api_base_url,
            "ICEYE_TOKEN_URL": self.token_url,
            "ICEYE_CLIENT_ID": self.client_id,
            "ICEYE_CLIENT_SECRET": self.client_secret,
        }

    def add_task(
        self,
        *,
        plan: TaskPlan | None = None,
        derivative_product_types: Iterable[str] = DERIVATIVE_TYPES,
        **fields: object,
    ) -> str:
        """Put in a task as if it had been ordered now; see `World.add_task`."""
        return self.world.add_task(
            now=self.clock.time(),
            plan=plan,
            derivative_product_types=derivative_product_types,
            **fields,
        )

    async def __aenter__(self) -> Self:
        """Start listening on both ports."""
        try:
            self.cdn_base_url = await self._listen(self._on_cdn, self._ports[1])
            self.api_base_url = await self._listen(self._on_api, self._ports[0])
        except BaseException:
            await self._close()
            raise
        self._links.base_url = self.cdn_base_url
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close both ports and every connection, also those that stall."""
        await self._close()

    async def _close(self) -> None:
        # In a cancelled scope every await would be cut short, and the sockets left behind.
        with anyio.CancelScope(shield=True):
            while self._runners:
                await self._runners.pop().cleanup()

    async def _listen(
        self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], port: int
    ) -> str:
        from aiohttp import web  # noqa: PLC0415 (importing the simulator must not import aiohttp)

        # The bare server and no Application: its router knows decoded paths only. No access log:
        # it would print the queries of signed links.
        server = web.Server(
            handler,
            access_log=None,
            handler_cancellation=True,
            max_line_size=_LONGEST_LINE,
        )
        # Stalls are to end at once. Not 0, which aiohttp takes for no limit.
        runner = web.ServerRunner(server, shutdown_timeout=0.02)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, self._host, port, ssl_context=self._tls).start()
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{self._host}:{runner.addresses[0][1]}"

    async def _on_api(self, request: web.BaseRequest) -> web.StreamResponse:
        is_token = request.raw_path.partition("?")[0] == TOKEN_PATH
        return await self._handle(Side.TOKEN if is_token else Side.API, request)

    async def _on_cdn(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._handle(Side.CDN, request)

    async def _handle(self, side: Side, request: web.BaseRequest) -> web.StreamResponse:
        with self.clock.hold():
            call = await receive(request)
            record = self._record(side, call)
            origins = {**dict.fromkeys(Side, self.api_base_url), Side.CDN: self.cdn_base_url}
            verdict = self.desk.answer(side, call, now=record.time, origins=origins)
            record.fault = "+".join(verdict.faults) or None
            if not verdict.answer.wire.stalls:
                return await self._deliver(request, verdict, record)
        # A stall is real time, in which the simulator's may pass too.
        return await self._deliver(request, verdict, record)

    async def _deliver(
        self, request: web.BaseRequest, verdict: Verdict, record: RecordedRequest
    ) -> web.StreamResponse:
        def headers() -> dict[str, str]:
            # A client learns from it how wrong its own clock is.
            return {"Date": http_date(self.clock.time() + verdict.skew)}

        return await deliver(request, verdict.answer, record=record, headers=headers)

    def _record(self, side: Side, call: Call) -> RecordedRequest:
        record = RecordedRequest(
            time=self.clock.time(),
            side=side,
            method=call.method,
            path=call.path,
            query=call.query,
            headers=dict(call.headers),
        )
        self._recorder.add(record)
        return record
