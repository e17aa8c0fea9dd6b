"""How is the real program run, so that what it has not read is not on this machine either?

On a busy machine the kernel takes in megabytes for a program that gets no time to read them: they
would count as fetched, and as lost when it is killed.  So the buffers of its sockets are small.
"""

from __future__ import annotations

import runpy
import socket
from typing import Any

BUFFER = 64 * 1024


class NarrowSocket(socket.socket):
    """Takes in little before it is read."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)


if __name__ == "__main__":
    socket.socket = NarrowSocket  # type: ignore[misc]  # for all that is imported from here on
    runpy.run_module("iceye_derivatives", run_name="__main__", alter_sys=True)
