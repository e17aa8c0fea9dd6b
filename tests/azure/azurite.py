"""Azure's Blob Storage over loopback: Azurite, which Microsoft keeps for its own SDKs' tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from attrs import frozen

CONTAINER = "detections"
ACCOUNT = "canaryaccount"
KEY = base64.b64encode(b"CANARY-account-key-3c1d").decode()
VERSION = "2021-08-06"
PATIENCE = 60.0
"""Real seconds for what only a hang makes longer."""


@frozen
class Azurite:
    """One that runs, with an empty container."""

    url: str
    """Of the account."""

    def options(self, **more: Any) -> dict[str, Any]:
        """What `ObjectStoreSink.from_url` needs to get here."""
        return {
            "account_name": ACCOUNT,
            "account_key": KEY,
            "endpoint": self.url,
            "client_options": {"allow_http": True},
            "retry_config": {"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
            **more,
        }

    def environ(self) -> dict[str, str]:
        """The same for a process of its own."""
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": KEY,
            "AZURE_STORAGE_ENDPOINT": self.url,
            "AZURE_ALLOW_HTTP": "true",
        }

    def make_container(self) -> None:
        """Make the one container, signed as Azure wants it (Shared Key)."""
        moment = formatdate(usegmt=True)
        signed = f"x-ms-date:{moment}\nx-ms-version:{VERSION}\n/{ACCOUNT}/{ACCOUNT}/{CONTAINER}"
        text = f"PUT{12 * chr(10)}{signed}\nrestype:container"
        digest = hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)
        headers = {
            "x-ms-date": moment,
            "x-ms-version": VERSION,
            "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}",
            "Content-Length": "0",
        }
        url = f"{self.url}/{CONTAINER}?restype=container"
        with urlopen(Request(url, method="PUT", headers=headers), timeout=PATIENCE):  # noqa: S310 - loopback
            pass


@contextmanager
def serving(folder: Path) -> Iterator[Azurite]:
    """Start `azurite-blob`, which has to be on PATH, on a free port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = ["azurite-blob", "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    place = ["--blobPort", str(port), "--location", str(folder)]
    environ = {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    with subprocess.Popen(  # noqa: S603 - our own words
        ["/usr/bin/env", *(f"{name}={value}" for name, value in environ.items()), *command, *place],
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(port, process)
            azurite = Azurite(f"http://127.0.0.1:{port}/{ACCOUNT}")
            azurite.make_container()
            yield azurite
        finally:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    begun = time.monotonic()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, "azurite-blob has ended: is it installed?"
            assert time.monotonic() - begun < PATIENCE, "azurite-blob does not answer"
            time.sleep(0.1)  # another program's start: there is nothing to wait on but its port
        else:
            return
