"""How is a real nginx started, cut off, killed and asked what it has seen?"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, field, frozen, mutable
from nginx_conf import Settings, prepare, render

# Debian keeps it where only root looks.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_PATIENCE = 20.0


@frozen(kw_only=True)
class Seen:
    """One request as nginx logged it; what was not sent is empty."""

    port: int
    connection: int
    tls: str
    method: str
    target: str
    status: int
    sent: int
    """Bytes of the body that nginx gave to the line."""
    took: float
    """Seconds, by nginx's own clock."""
    authorization: str
    accept_encoding: str
    range: str
    if_range: str
    content_range: str
    etag: str

    @property
    def begins(self) -> int:
        """The byte from which it was asked for."""
        return int(self.range.removeprefix("bytes=").removesuffix("-") or 0)

    @property
    def total(self) -> int:
        """How long the file is, of which this is a part."""
        return int(self.content_range.rpartition("/")[2])


def find_nginx() -> str:
    """Where it is; fails the test where it is not."""
    found = shutil.which("nginx", path=_PATH)
    if found is None:
        pytest.fail(
            "nginx is not installed, and these tests drive the library against a real one: "
            "get it with `apt-get install nginx` (Debian, Ubuntu) or `brew install nginx`",
            pytrace=False,
        )
    return found


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in socks]


@mutable(kw_only=True)
class Nginx:
    """One nginx with a folder of its own; its ports are known before it is started."""

    folder: Path
    api: str
    """Where the proxy leads."""
    settings: Settings = field(factory=Settings)
    cdn_port: int = 0
    api_port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def __attrs_post_init__(self) -> None:
        self.cdn_port, self.api_port = free_ports(2)
        prepare(self.folder)

    @property
    def cdn_url(self) -> str:
        """The store."""
        return f"https://127.0.0.1:{self.cdn_port}"

    @property
    def api_url(self) -> str:
        """The proxy before the API."""
        return f"https://127.0.0.1:{self.api_port}"

    def start(self, **changes: Any) -> None:
        """Start it, or start it again; return when it listens."""
        binary = find_nginx()
        self._write(changes)
        with (self.folder / "stderr.log").open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - the binary that was just looked up
                [binary, "-p", f"{self.folder}/", "-c", "nginx.conf", "-e", "error.log"],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        self._wait_until_it_listens()

    def reload(self, **changes: Any) -> None:
        """Give it other settings; all bodies that are on their way break off, and are logged."""
        self._write(changes)
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """As a crash does: nothing is finished, nothing is logged, nobody listens."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order: the last requests are in the log then."""
        self._end(signal.SIGQUIT)

    def seen(self) -> list[Seen]:
        """Stop it, and give all requests for files in the order in which they ended."""
        self.stop()
        return [one for one in self._log() if one.port == self.cdn_port]

    def seen_by_api(self) -> list[Seen]:
        """The same of the proxy before the API."""
        self.stop()
        return [one for one in self._log() if one.port == self.api_port]

    def _log(self) -> list[Seen]:
        # nginx writes a request's line *after* its last byte: hence the stop.
        text = (self.folder / "access.log").read_text()
        return [Seen(**json.loads(line)) for line in text.splitlines()]

    def _write(self, changes: dict[str, Any]) -> None:
        self.settings = evolve(self.settings, **changes)
        text = render(
            self.settings,
            cdn_port=self.cdn_port,
            api_port=self.api_port,
            api=self.api,
        )
        (self.folder / "nginx.conf").write_text(text)

    def _wait_until_it_listens(self) -> None:
        give_up = time.monotonic() + _PATIENCE
        while not all(_listens(port) for port in (self.cdn_port, self.api_port)):
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > give_up:
                pytest.fail(f"nginx did not start: {self._complaint()}", pytrace=False)
            time.sleep(0.005)

    def _complaint(self) -> str:
        logs = [self.folder / name for name in ("stderr.log", "error.log")]
        return "".join(log.read_text() for log in logs if log.exists())[-2000:]

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if how is signal.SIGKILL:
            os.killpg(process.pid, how)  # the workers too
        else:
            process.send_signal(how)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
