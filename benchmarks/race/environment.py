"""Where do the peers come from?  PyPI, into an environment of their own, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from race.store import find

__all__ = ["PACKAGES", "install", "versions"]

PACKAGES = ("aiofiles", "aiohttp", "httpx", "obstore", "parfive", "planet", "stac-asset")
DEBIAN = ("aria2", "curl", "libnginx-mod-http-lua", "nginx", "openssl")
_VERSIONS = """
import importlib.metadata, json, sys
print(json.dumps({name: importlib.metadata.version(name) for name in sys.argv[1:]}))
"""


def install(folder: Path) -> Path:
    """The Python that has them; the same one as runs us, so that it is no difference."""
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print(f"installing {', '.join(PACKAGES)} into {folder}", file=sys.stderr)
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(python), "-m", "pip", "install", "--quiet", "--upgrade", *PACKAGES)
        (folder / "complete").touch()
    return python


def versions(peers: Path | None) -> dict[str, str]:
    """Of everything that races, and of what decides how fast it is."""
    found = {
        "Python": sys.version.split()[0],
        "nginx": _ask(find("nginx"), "-v").split("/")[1].split()[0],
        "our aiohttp": metadata.version("aiohttp"),
    }
    for package in ("msgspec", "orjson", "uvloop"):
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    for program, place in (("aria2c", 2), ("curl", 1)):
        with suppress(SystemExit):
            found[program] = _ask(find(program), "--version").split()[place]
    if peers is not None:
        found |= json.loads(_ask(str(peers), "-c", _VERSIONS, *PACKAGES))
    return found


def install_with_apt() -> None:
    """What no Python package brings, where root asks for it."""
    if os.geteuid() != 0:
        raise SystemExit("--apt installs Debian's packages, which only root may")
    _run("apt-get", "-qy", "install", *DEBIAN)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - our own words


def _ask(*command: str) -> str:
    # nginx tells its version on the other stream.
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    return done.stdout or done.stderr
