"""What stands on the stage: the simulator's API, nginx before it and as its store, a client?"""

from __future__ import annotations

import ssl
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from hashlib import md5, sha256
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio.lowlevel
from attrs import field, frozen, mutable
from nginx_conf import SECRET
from nginx_server import Nginx

from iceye_derivatives import DerivativesClient, DownloadReport, SignedUrl
from iceye_derivatives._clock import SystemClock
from iceye_derivatives.simulator import Simulator, TaskPlan


@mutable
class ImpatientClock:
    """Real time, as nginx has no other, but for sleeping: that only moves this clock ahead."""

    ahead: float = 0.0
    """Seconds of which nginx knows nothing."""
    sleeps: int = 0
    meanwhile: Callable[[], Awaitable[None]] | None = None
    """What happens in each sleep."""

    def time(self) -> float:
        """Unix seconds, by this clock's idea of them."""
        return SystemClock().time() + self.ahead

    async def sleep(self, seconds: float, /) -> None:
        """Return at once."""
        self.sleeps += 1
        self.ahead += seconds
        if self.meanwhile is not None:
            await self.meanwhile()
        await anyio.lowlevel.checkpoint()


@mutable
class NginxLinks:
    """Signs as nginx's `secure_link` checks; stands where the simulator's own signer would."""

    base_url: str
    lifetimes: list[float] = field(factory=lambda: [3600.0])
    """Seconds that links live, listing by listing; the last one stays."""
    terms: str = ""
    """Further terms of the query, in front."""
    secret: str = SECRET
    when_signing: Callable[[], None] | None = None
    expiries: list[int] = field(factory=list)
    raw_paths: dict[str, str] = field(factory=dict)
    """How a path is written in the link, where not as the simulator writes it."""

    def sign(self, path: str, *, now: float) -> str:
        """A link that nginx takes until it dies."""
        if self.when_signing is not None:
            self.when_signing()
        lifetime = self.lifetimes.pop(0) if len(self.lifetimes) > 1 else self.lifetimes[0]
        self.expiries.append(int(now + lifetime))
        target = f"{self.raw_paths.get(path, path)}?{self.terms}Expires={self.expiries[-1]}"
        # The one digest that `secure_link` knows.
        digest = md5(f"{target} {self.secret}".encode(), usedforsecurity=False).digest()
        signature = urlsafe_b64encode(digest).rstrip(b"=").decode()
        return f"{self.base_url}{target}&Signature={signature}"


@frozen(kw_only=True)
class Order:
    """A task whose derivatives are all there, and the files that they should become."""

    task_id: str
    bodies: Mapping[str, bytes]
    """By product type."""
    places: Mapping[str, Path]
    """Where nginx finds each of them."""

    def came_whole(self, report: DownloadReport) -> bool:
        """Whether each file was stored byte for byte, with the right digest in its record."""
        report.raise_for_failures()
        stored = {r.derivative.product_type: Path(r.path or "").read_bytes() for r in report.files}
        digests = {r.derivative.product_type: r.sha256 for r in report.files}
        wanted = {kind: sha256(body).hexdigest() for kind, body in self.bodies.items()}
        return stored == self.bodies and digests == wanted


@frozen(kw_only=True)
class Stage:
    """Everything that a test moves."""

    sim: Simulator
    nginx: Nginx
    links: NginxLinks
    clock: ImpatientClock
    trust: ssl.SSLContext
    _numbers: count[int] = field(factory=count)

    def order(self, *bodies: bytes, raw_paths: Sequence[str] = ()) -> Order:
        """A task with one derivative for each body, ready since now, and the files at nginx."""
        types = [f"DC_{next(self._numbers):03}" for _ in bodies]
        plan = TaskPlan(
            accepted_after=0,
            imaged_after=0,
            fulfilled_after=0,
            done_after=0,
            derivative_delays=dict.fromkeys(types, 0.0),
        )
        task_id = self.sim.add_task(plan=plan, derivative_product_types=types)
        listed = self.sim.world.derivatives(task_id, now=self.sim.clock.time())
        paths = {each.product_type: each.assets[0].path for each in listed}
        self.links.raw_paths |= dict(zip(paths.values(), raw_paths, strict=False))
        places = {
            kind: self.nginx.folder / "files" / unquote(self.links.raw_paths.get(path, path))[1:]
            for kind, path in paths.items()
        }
        order = Order(task_id=task_id, bodies=dict(zip(types, bodies, strict=True)), places=places)
        for kind, place in order.places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(order.bodies[kind])
        return order

    def client(self, **settings: object) -> AbstractAsyncContextManager[DerivativesClient]:
        """A client that speaks https with both, and trusts the private authority."""
        environ = self.sim.environ | {
            "ICEYE_API_BASE_URL": self.nginx.api_url,
            "ICEYE_TOKEN_URL": self.sim.token_url.replace(
                self.sim.api_base_url, self.nginx.api_url
            ),
        }
        given: dict[str, Any] = {
            "ssl_context": self.trust,
            "clock": self.clock,
            "rate": 1000.0,
        } | settings
        return DerivativesClient.from_env(environ, jitter=lambda: 0.5, **given)

    def listings(self) -> int:
        """How often the derivatives endpoint was asked."""
        return sum(request.path.endswith("/derivatives") for request in self.sim.requests)


async def links_of(client: DerivativesClient, task_id: str) -> list[SignedUrl]:
    """The links of a task's assets, as they are listed now."""
    snapshot = await client.get_derivatives(task_id)
    return [asset.url for derivative in snapshot.derivatives for asset in derivative.assets]


@asynccontextmanager
async def staged(folder: Path, trust: ssl.SSLContext) -> AsyncGenerator[Stage, None]:
    """The stage; nginx is on it, but still to be started."""
    # The simulator's own store stays out of it: its API hands out links to nginx.
    links = NginxLinks("")
    async with Simulator(seed=7, signer=links) as sim:
        nginx = Nginx(folder=folder, api=sim.api_base_url)
        links.base_url = nginx.cdn_url
        try:
            yield Stage(sim=sim, nginx=nginx, links=links, clock=ImpatientClock(), trust=trust)
        finally:
            nginx.kill()
