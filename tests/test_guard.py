"""Does the guard of `conftest.py` see who leaves this machine, and let loopback pass?"""

from __future__ import annotations

import socket

import anyio
import pytest
from anyio.abc import SocketAttribute

OUTSIDE = "192.0.2.1"
"""TEST-NET-1 (RFC 5737): documentation only, never routed, should the guard fail."""


def test_a_connection_to_the_outside_is_refused_and_remembered(no_network: list[str]) -> None:
    """Remembered, because a library that turns the error into its own would hide it."""
    with socket.socket() as sock, pytest.raises(OSError, match="leave this machine"):
        sock.connect((OUTSIDE, 443))

    assert no_network == [f"socket.connect {OUTSIDE}"]
    no_network.clear()


def test_a_datagram_to_the_outside_is_refused_too(no_network: list[str]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(OSError, match="leave"):
        sock.sendto(b"?", (OUTSIDE, 53))

    assert no_network == [f"socket.sendto {OUTSIDE}"]
    no_network.clear()


def test_a_name_of_the_outside_is_not_looked_up(no_network: list[str]) -> None:
    with pytest.raises(OSError, match="leave this machine"):
        socket.getaddrinfo("platform.example", 443)

    assert no_network == ["socket.getaddrinfo platform.example"]
    no_network.clear()


def test_a_name_that_cannot_exist_is_a_failed_look_up_and_no_escape() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("store.invalid", 443)


@pytest.mark.anyio
async def test_the_event_loop_cannot_leave_either(no_network: list[str]) -> None:
    with pytest.raises(OSError, match=r"connection attempts failed|leave this machine"):
        await anyio.connect_tcp(OUTSIDE, 443)

    assert f"socket.connect {OUTSIDE}" in no_network
    no_network.clear()


@pytest.mark.anyio
async def test_loopback_is_open() -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)
        async with await anyio.connect_tcp("localhost", port):
            pass
