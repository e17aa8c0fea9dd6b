"""What serves the files: an nginx on this machine, with links that expire?"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from hashlib import md5
from pathlib import Path

__all__ = ["Distance", "Store", "find", "serving"]

SECRET = "benchmark"  # noqa: S105 - it guards noise, on this machine
_LIFETIME = 3600
_PATIENCE = 10.0
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

# `keepalive_requests` and TLS are nginx's own defaults, which all clients meet alike.  The store's
# own work is kept small (no log, known files stay open), as it is no part of what is compared.
_CONF = """
{modules}
{user}
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections 1024; }}

http {{
    types {{ application/geo+json geojson; }}
    default_type application/octet-stream;
    client_body_temp_path temp;
    proxy_temp_path temp;
    fastcgi_temp_path temp;
    uwsgi_temp_path temp;
    scgi_temp_path temp;
    access_log off;
    sendfile on;
    open_file_cache max=10000 inactive=600s;
    open_file_cache_valid 600s;

    server {{
        listen 127.0.0.1:{http};
        listen 127.0.0.1:{https} ssl;
        ssl_certificate store.pem;
        ssl_certificate_key store.key;
        root {files};
        {late}

        location /unsigned/ {{ alias {files}/; }}
        location / {{
            secure_link $arg_signature,$arg_expires;
            secure_link_md5 "$uri $arg_expires {secret}";
            if ($secure_link = "") {{ return 403; }}
            if ($secure_link = "0") {{ return 410; }}
        }}
    }}
}}
"""

# How a store that is far away is made on a machine whose kernel cannot delay packets: timers in
# nginx itself, before each answer and within each TLS handshake.  They cost no client anything, and
# are the same for all: no session is resumed, as nginx would ask for no certificate then, and so
# not wait.  Bodies are not delayed piece by piece: TCP's slow start is not in these numbers.
_LATE = """
        ssl_session_tickets off;
        ssl_certificate_by_lua_block {{ ngx.sleep({handshake}) }}
        access_by_lua_block {{ ngx.sleep({answer}) }}
"""
_MODULES = ("ndk_http_module", "ngx_http_lua_module")
_MODULE_FOLDERS = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules")


@dataclass(frozen=True, kw_only=True)
class Distance:
    """How far away the store seems to be, in seconds."""

    answer: float = 0.020
    handshake: float = 0.040


@dataclass(frozen=True, kw_only=True)
class Store:
    """An nginx that listens."""

    folder: Path
    http: int
    https: int
    pid: int

    @property
    def authority(self) -> Path:
        """The certificate that each client is told to trust."""
        return self.folder / "ca.pem"

    def link(self, name: str, *, tls: bool, signed: bool = True) -> str:
        """Where a file is, for an hour if it is signed."""
        base = f"https://127.0.0.1:{self.https}" if tls else f"http://127.0.0.1:{self.http}"
        if not signed:
            return f"{base}/unsigned/{name}"
        expires = int(time.time()) + _LIFETIME  # noqa: TID251 - nginx knows no other time
        # The one digest that `secure_link` knows.
        digest = md5(f"/{name} {expires} {SECRET}".encode(), usedforsecurity=False).digest()
        signature = urlsafe_b64encode(digest).rstrip(b"=").decode()
        return f"{base}/{name}?Expires={expires}&Signature={signature}&Key-Pair-Id=K2JCJMDEHXQW5F"

    def cpu(self) -> float:
        """Seconds that it has worked, in all."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return sum(_cpu_of(pid) for pid in (str(self.pid), *children))


@contextmanager
def serving(folder: Path, files: Path, distance: Distance | None = None) -> Iterator[Store]:
    """Run one that serves `files`, with its own things in `folder`, until the context is left."""
    (folder / "temp").mkdir(parents=True, exist_ok=True)
    _certify(folder)
    http, https = _free_ports(2)
    # Started by root, workers become somebody who may not read our files; started by anybody else,
    # nginx warns that the line has no effect.
    user = "user root root;" if os.geteuid() == 0 else ""
    conf = _CONF.format(
        user=user,
        modules="" if distance is None else _modules(),
        late="" if distance is None else _LATE.format(**asdict(distance)),
        http=http,
        https=https,
        files=files,
        secret=SECRET,
    )
    (folder / "nginx.conf").write_text(conf)
    command = [find("nginx"), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "error.log"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:  # noqa: S603 - found above
        try:
            _wait(process, [http, https])
            yield Store(folder=folder, http=http, https=https, pid=process.pid)
        finally:
            process.terminate()


def find(program: str) -> str:
    """Where it is on this machine."""
    found = shutil.which(program, path=_PATH)
    if found is None:
        package = {"aria2c": "aria2"}.get(program, program)
        raise SystemExit(
            f"{program} is not installed: get it with `apt-get install {package}` (Debian, Ubuntu)"
            f" or `brew install {package}`, or run with --apt as root"
        )
    return found


def _modules() -> str:
    """What nginx is told to load for its timers."""
    for folder in map(Path, _MODULE_FOLDERS):
        if all((folder / f"{name}.so").exists() for name in _MODULES):
            return "\n".join(f"load_module {folder}/{name}.so;" for name in _MODULES)
    raise SystemExit(
        "nginx's Lua module is not installed, and a store that seems far away needs it: get it "
        "with `apt-get install libnginx-mod-http-lua` (Debian, Ubuntu), or run with --apt as root"
    )


def _certify(folder: Path) -> None:
    """An authority of our own, and a certificate of it for this machine."""
    if (folder / "store.pem").exists():
        return
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"]
    for arguments in (
        [
            *("-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=benchmark authority"),
            # RFC 5280, 4.2.1.3: an authority "MUST include this extension"; Python 3.13 insists.
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        ],
        [
            *("-keyout", "store.key", "-out", "store.pem", "-subj", "/CN=store"),
            *("-CA", "ca.pem", "-CAkey", "ca.key"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"),
        ],
    ):
        command = [find("openssl"), "req", "-x509", *key, *arguments]
        subprocess.run(command, check=True, cwd=folder, capture_output=True)  # noqa: S603 - our own


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in socks]


def _wait(process: subprocess.Popen[bytes], ports: list[int]) -> None:
    give_up = time.monotonic() + _PATIENCE
    for port in ports:
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > give_up:
                raise SystemExit("nginx did not start: see what it said above")
            time.sleep(0.005)


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def _cpu_of(pid: str) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
