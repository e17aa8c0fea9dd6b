"""Where do the peers come from?  PyPI, into an environment of their own, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

__all__ = ["PACKAGES", "install", "versions"]

PACKAGES = ("aiofiles", "aiohttp", "httpx", "obstore", "parfive", "planet", "stac-asset")
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


def versions(peers: Path, ours: str = sys.executable) -> dict[str, str]:
    """Of everything that races, and of what decides how fast it is."""
    found: dict[str, str] = json.loads(_ask(str(peers), "-c", _VERSIONS, *PACKAGES))
    mine = json.loads(_ask(ours, "-c", _VERSIONS, "iceye-derivatives", "aiohttp"))
    return {
        "Python": sys.version.split()[0],
        "iceye-derivatives": mine["iceye-derivatives"],
        "aiohttp (ours)": mine["aiohttp"],
        **found,
    }


def install_with_apt() -> None:
    """What no Python package brings, where root asks for it."""
    if os.geteuid() != 0:
        raise SystemExit("--apt installs Debian's packages, which only root may")
    _run("apt-get", "-qy", "install", "nginx", "aria2", "curl", "openssl")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - our own words


def _ask(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own words
