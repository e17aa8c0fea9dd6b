"""How is a real browser led by the hand: over a pipe, with no network and a fresh profile?

The DevTools protocol over two file descriptors (``--remote-debugging-pipe``) needs no port, no
WebSocket and no driver: one JSON object each way, ended by a zero byte.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from attrs import define, field

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET_IT = (
    "The map is tested in Chromium, which is not on PATH: apt-get install chromium (Debian), "
    "or see CONTRIBUTING.md"
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    # The cable is cut twice: no name resolves, and what needs no name meets a closed port.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--remote-debugging-pipe",
)
PATIENCE = 60.0
"""Seconds after which a browser that says nothing hangs."""


def find_chromium() -> str:
    """The browser's program; its absence is a failure that says how to mend it."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found, HOW_TO_GET_IT
    return found


class Browser:
    """One process of Chromium, ended with the ``with`` block."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_it, self._write = os.pipe()
        self._read, from_it = os.pipe()
        # The protocol wants descriptors 3 and 4: a shell moves ours there.
        command = f'exec "$0" "$@" 3<&{to_it} 4>&{from_it}'
        arguments = (find_chromium(), *FLAGS, f"--user-data-dir={self._folder.name}", "about:blank")
        self._process = subprocess.Popen(  # noqa: S603  our own words
            ("/bin/bash", "-c", command, *arguments),
            pass_fds=(to_it, from_it),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_it)
        os.close(from_it)
        self._unread = b""
        self._serial = 0
        self.pages: dict[str, Page] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._write)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        self._folder.cleanup()

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """One command and its answer; what the browser tells meanwhile goes to its page."""
        self._serial += 1
        message = {"id": self._serial, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.listen()
            if answer.get("id") == self._serial:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result

    def listen(self) -> dict[str, Any]:
        """The next message of the browser."""
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._read], [], [], PATIENCE)
            assert ready, "Chromium says nothing any more"
            piece = os.read(self._read, 1 << 20)
            assert piece, "Chromium has ended by itself"
            self._unread += piece
        raw, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        page = self.pages.get(message.get("sessionId", ""))
        if page is not None and "method" in message:
            page.hear(message["method"], message["params"])
        return message

    def open(self, url: str, *, width: int = 1280, height: int = 800, dark: bool = False) -> Page:
        """A page of that size, loaded, with its scripts run; the one before it is closed."""
        for old in tuple(self.pages.values()):
            self.call("Target.closeTarget", targetId=old.target)
        self.pages.clear()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        page.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", features=[scheme])
        page.call("Page.navigate", url=url)
        while not page.loaded:
            self.listen()
        return page


@define
class Page:
    """A tab, and all that it complained of or asked the network for."""

    browser: Browser = field(repr=False)
    session: str
    target: str
    loaded: bool = False
    complaints: list[str] = field(factory=list)
    requests: list[str] = field(factory=list)

    def hear(self, method: str, params: dict[str, Any]) -> None:
        """Keep what a test wants to know."""
        match method:
            case "Page.loadEventFired":
                self.loaded = True
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                self.complaints.append(str(params["args"]))
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command to this page."""
        return self.browser.call(method, self.session, **params)

    def evaluate(self, script: str) -> Any:
        """The value of an expression; promises are awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        """Another window."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    def settle(self) -> None:
        """Wait until the next two frames are painted."""
        self.evaluate(
            "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(1))))"
        )

    def move(self, x: float, y: float) -> None:
        """Point somewhere."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.settle()

    def click(self, x: float, y: float) -> None:
        """Point there and press."""
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.settle()

    def press(self, selector: str) -> None:
        """Click an element where it is."""
        x, y = self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'nearest'}); const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        self.click(x, y)

    def key(self, name: str) -> None:
        """Press and release a key that writes nothing."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name)
        self.settle()

    def text(self, selector: str) -> str:
        """What is to be read in an element."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    def screenshot(self) -> bytes:
        """A PNG of what is to be seen."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


def as_url(path: Path) -> str:
    """A file as Chromium wants it."""
    return path.resolve().as_uri()
