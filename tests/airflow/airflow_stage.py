"""What do the tests of the Airflow bridge stand on: a simulator beside Airflow, moved by hand?"""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import Request, urlopen

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal
from attrs import define, field

from iceye_derivatives.simulator import RealClock, Simulator, TaskPlan, VirtualClock

T = TypeVar("T")

VESSELS, AIRCRAFT = 100.0, 10_000.0
"""Seconds of the simulator's clock, from the order to each derivative."""
PLAN = TaskPlan(
    accepted_after=0.0,
    imaged_after=0.0,
    fulfilled_after=0.0,
    done_after=1.0,
    derivative_delays={"DC_VESSELS": VESSELS, "DC_AIRCRAFT": AIRCRAFT},
    detections=5,
)
WAITING = TaskPlan(accepted_after=0.0, imaged_after=1e9)
"""A task that stays ACTIVE."""
TYPES = ("DC_VESSELS", "DC_AIRCRAFT")
PATIENCE = 240.0
"""Real seconds for what only a hang makes longer: Airflow's programs take a while to start."""


@define
class Sky:
    """A simulator that runs in a thread of its own, and whose time stands still until moved."""

    simulator: Simulator
    portal: BlockingPortal
    _seen: int = field(default=0, init=False)
    _asked: Counter[str] = field(factory=Counter, init=False)

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Sky]:
        """For as long as the block lasts."""
        clock = VirtualClock(
            start=RealClock().time()
        )  # orders are judged by it, and made by the real one
        with start_blocking_portal() as portal, clock.hold():
            simulator = Simulator(clock=clock, plan=PLAN)
            with portal.wrap_async_context_manager(simulator):
                sky = cls(simulator, portal)
                counting = portal.start_task_soon(sky._keep_counting)
                yield sky
                counting.cancel()

    def order(self, **kwargs: Any) -> str:
        """Put in a task that is FULFILLED at once, and whose derivatives come at their time."""
        return self.portal.call(
            lambda: self.simulator.add_task(
                derivative_product_types=kwargs.pop("types", TYPES), **kwargs
            )
        )

    def pass_time(self, seconds: float) -> None:
        """Move the clock."""
        self.portal.call(self.simulator.clock.advance, seconds)  # type: ignore[attr-defined]  # a VirtualClock

    def pass_time_once_looked_at(self, seconds: float) -> None:
        """The same as soon as somebody waits for a task; for a thread of its own."""
        while not self.looks():
            time.sleep(0.05)  # Airflow's doing: there is nothing to wait on but its requests
        time.sleep(0.5)  # long enough for a state to be saved without news
        self.pass_time(seconds)

    def looks(self) -> Counter[str]:
        """How often each task's derivatives were looked at so far."""
        counted = self.portal.call(self._count)
        return Counter(
            {
                path.split("/")[-2]: number
                for path, number in counted.items()
                if path.endswith("/derivatives")
            }
        )

    def downloads(self) -> int:
        """How many files were asked for so far."""
        counted = self.portal.call(self._count)
        return sum(number for path, number in counted.items() if path.endswith(".geojson"))

    def _count(self) -> Counter[str]:
        """How often each path was asked for; the simulator itself forgets what is long ago."""
        simulator = self.simulator
        assert simulator.requests_forgotten <= self._seen, "some were forgotten before"
        new = simulator.requests[self._seen - simulator.requests_forgotten :]
        self._seen += len(new)
        self._asked.update(each.path for each in new)
        return self._asked.copy()

    async def _keep_counting(self) -> None:
        while True:
            self._count()
            await anyio.sleep(1)  # real seconds: ten thousand are remembered

    def status(self, task_id: str) -> str:
        """What the API calls the status of a task."""
        world, clock = self.simulator.world, self.simulator.clock
        task = self.portal.call(lambda: world.get_task(task_id, now=clock.time()))
        return str(task["status"])

    def paths(self) -> list[str]:
        """What was asked for so far, as long as that is not much."""
        return self.portal.call(lambda: [each.path for each in self.simulator.requests])

    def connection(self, **extra: object) -> str:
        """The Airflow connection of this API, as JSON."""
        environ = self.simulator.environ
        return json.dumps(
            {
                "conn_type": "iceye",
                "host": environ["ICEYE_API_BASE_URL"],
                "login": environ["ICEYE_CLIENT_ID"],
                "password": environ["ICEYE_CLIENT_SECRET"],
                "extra": {"token_url": environ["ICEYE_TOKEN_URL"], "rate": 200.0, **extra},
            }
        )


def dags_folder() -> Path:
    """Where the Airflow of this process looks for DAG files."""
    folder = Path(os.environ["AIRFLOW_HOME"]) / "dags"
    folder.mkdir(exist_ok=True)
    return folder


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def airflow_environ(home: Path, port: int) -> dict[str, str]:
    """Settings of an Airflow of its own: SQLite, this machine's loopback, no examples."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # how soon a worker's end is noticed
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__FERNET_KEY": "",  # so that what is in the database can be read
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "120",  # a busy machine is no fault of a task
        "AIRFLOW__API__SECRET_KEY": "a test's own key",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a test's own key" * 4,
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "1",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "AIRFLOW__SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "2",
        "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "4",
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "200",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "200",
    }


@define
class Airflow:
    """Airflow's own programs, started as people start them."""

    home: Path
    environ: dict[str, str]
    _running: dict[str, subprocess.Popen[bytes]] = field(factory=dict)

    @classmethod
    @contextmanager
    def open(cls, home: Path, **environ: str) -> Iterator[Airflow]:
        """A new one with an empty database; all its programs end with the block."""
        settings = airflow_environ(home, free_port())
        airflow = cls(home, {**os.environ, **settings, **environ})
        (home / "dags").mkdir(parents=True)
        airflow.run("db", "migrate")
        try:
            yield airflow
        finally:
            for name in list(airflow._running):
                airflow.stop(name, signal.SIGKILL)

    def run(self, *arguments: str) -> str:
        """One command, to its end; its output."""
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", "airflow", *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def serve(self) -> None:
        """Start its API server, and return when that answers."""
        self.start("api-server")
        until(lambda: self._answers("/api/v2/monitor/health"), bool, self)
        until(lambda: self._answers("/execution/health"), bool, self)

    def _answers(self, path: str) -> bool:
        try:
            self._open(self._to(path))
        except OSError:
            return False
        return True

    def _open(self, request: Request) -> bytes:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - our own URLs
            body: bytes = answer.read()
            return body

    def _to(self, path: str, *arguments: Any, **more: Any) -> Request:
        base = f"http://127.0.0.1:{self.environ['AIRFLOW__API__PORT']}"
        return Request(base + path, *arguments, **more)  # noqa: S310 - our own URL

    def start(self, command: str, *arguments: str, name: str | None = None) -> None:
        """A program of Airflow's, until `stop()`."""
        log = (self.home / f"{name or command}.log").open("ab")
        self._running[name or command] = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", "airflow", command, *arguments],
            env=self.environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """End a program and all that it has started."""
        process = self._running.pop(name)
        os.killpg(process.pid, how)
        try:
            process.wait(60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def freeze(self, name: str) -> None:
        """Let a program and all that it has started stand still, until `thaw()`.

        Not while it holds SQLite's one lock: that would freeze all others, too.
        """
        group = self._running[name].pid
        while True:
            os.killpg(group, signal.SIGSTOP)
            if self._can_be_written():
                return
            os.killpg(group, signal.SIGCONT)
            time.sleep(0.1)  # for it to end what it writes: its doing, which leaves no trace

    def thaw(self, name: str) -> None:
        """Let it go on as if nothing had been."""
        os.killpg(self._running[name].pid, signal.SIGCONT)

    def _can_be_written(self) -> bool:
        db = sqlite3.connect(self.home / "airflow.db", timeout=3)
        try:
            db.execute("begin immediate")
        except sqlite3.OperationalError:
            return False
        finally:
            db.close()
        return True

    def heartbeats(self) -> dict[int, str]:
        """When each triggerer was last known to live."""
        return dict(self.ask("select id, latest_heartbeat from job where job_type='TriggererJob'"))

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What its database says."""
        with sqlite3.connect(
            f"file:{self.home / 'airflow.db'}?mode=ro", uri=True, timeout=30
        ) as db:
            rows: list[tuple[Any, ...]] = db.execute(query, values).fetchall()
        db.close()
        return rows

    def holders(self) -> dict[str, int]:
        """Which triggerer runs the trigger of each task that waits."""
        rows = self.ask(
            "select task_id, triggerer_id from task_instance join trigger"
            " on trigger.id = trigger_id where triggerer_id is not null"
        )
        return dict(rows)

    def request(self, method: str, path: str, body: object) -> None:
        """One request to its API server, as a click in the browser makes it."""
        token = json.loads(self._open(self._to("/auth/token")))["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode()
        self._open(self._to(path, data, headers, method=method))

    def states(self, dag_id: str) -> dict[str, str]:
        """The state of each task of a DAG's runs."""
        rows = self.ask(
            "select task_id, map_index, state from task_instance where dag_id = ?", dag_id
        )
        return {f"{task}[{index}]" if index >= 0 else task: state for task, index, state in rows}

    def logs(self) -> str:
        """All that the programs and the tasks have written."""
        return "\n".join(
            path.read_text(errors="replace")
            for path in sorted(self.home.rglob("*"))
            if path.suffix == ".log" and path.is_file()
        )


def until(look: Callable[[], T], good: Callable[[T], bool], airflow: Airflow) -> T:
    """Look until it is good; what the programs said, where it never is."""
    begun = time.monotonic()
    while not good(found := look()):
        if time.monotonic() - begun > PATIENCE:
            raise AssertionError(f"It stays {found!r}\n{airflow.logs()[-6000:]}")
        time.sleep(0.25)  # another program's doing: there is nothing to wait on but its traces
    return found
