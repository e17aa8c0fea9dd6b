"""Where do files go: a folder, or memory?"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from iceye_derivatives.protocols import FoundFile, PartialFile

__all__ = ["DirectorySink", "MemorySink"]


class DirectorySink:
    """A folder."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def locate(self, name: str) -> str:
        raise NotImplementedError

    async def find(self, name: str) -> FoundFile | None:
        raise NotImplementedError

    async def put(self, name: str, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        raise NotImplementedError

    def create(self, name: str) -> AbstractAsyncContextManager[PartialFile]:
        raise NotImplementedError


class MemorySink(DirectorySink):
    """Memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
