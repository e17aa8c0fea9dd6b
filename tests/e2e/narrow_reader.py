"""How is the real program run, so that what it reads of files is known, though it is killed?

What a machine has taken in for a program that gets no time to read it was not fetched by that
program: so it is the program itself that counts, and the buffers of its sockets are small.
Its journals have a page for each file, so that a kill may come between two.
"""

from __future__ import annotations

import os
import runpy
import socket
import sys
from typing import Any

from aiohttp import connector
from aiohttp.client_proto import ResponseHandler

from iceye_derivatives._core import journal
from iceye_derivatives._transport import lane

BUFFER = 64 * 1024
HEAD_ENDS = b"\r\n\r\n"


class NarrowSocket(socket.socket):
    """Takes in little before it is read."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)


def note(size: int) -> None:
    """So many bytes of a body were read, whichever loop it is, before anybody else sees them."""
    if size:
        os.write(NotingHandler.notes, b"%d\n" % size)


class NotingHandler(ResponseHandler):
    """Notes what reaches aiohttp."""

    line = 0
    """The port of the line: the API has another one."""
    notes = -1
    """Where to: the bytes of each read, a number a line."""
    _head: bytes | None = b""

    def data_received(self, data: bytes) -> None:
        """As ever; an answer's head is no part of its file."""
        if self.transport is not None and self.transport.get_extra_info("peername")[1] == self.line:
            body = data
            if self._head is not None:
                head, end, body = (self._head + data).partition(HEAD_ENDS)
                self._head = None if end else head
            note(len(body))
        super().data_received(data)


class NotingLane(lane.Lane):
    """Notes what reaches us past it: of files alone, and these come by the line."""

    def buffer_updated(self, nbytes: int) -> None:
        """As ever; an answer's head is no part of its file."""
        data = bytes(self._reading.scratch[:nbytes])
        note(nbytes if self.status else len(data.partition(HEAD_ENDS)[2]))
        super().buffer_updated(nbytes)


if __name__ == "__main__":
    NotingHandler.line = int(sys.argv.pop(1))
    NotingHandler.notes = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    journal.FULL = 1  # type: ignore[misc]
    lane.Lane = NotingLane  # type: ignore[misc]
    connector.ResponseHandler = NotingHandler  # type: ignore[attr-defined]  # for each connection
    socket.socket = NarrowSocket  # type: ignore[misc]  # for all that is imported from here on
    runpy.run_module("iceye_derivatives", run_name="__main__", alter_sys=True)
