"""Does the simulator run as a process of its own, and end when it is told to?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from iceye_derivatives.simulator import FAULTS, LIES
from iceye_derivatives.simulator.__main__ import main


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "iceye_derivatives.simulator", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 (our own module)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_how_to_find_it_and_ends_with_zero(number: signal.Signals) -> None:
    with running("--fault", "rate_limited:2", "--quick", "--speed", "60") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        process.send_signal(number)
        rest, errors = process.communicate(timeout=30)
    assert [line.partition("=")[0] for line in lines[:4]] == [
        "export ICEYE_API_BASE_URL",
        "export ICEYE_TOKEN_URL",
        "export ICEYE_CLIENT_ID",
        "export ICEYE_CLIENT_SECRET",
    ]
    assert lines[5].startswith("# ready: API on http://127.0.0.1:")
    assert (process.returncode, rest, errors) == (0, "", "")


def test_help_lists_every_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"{name} " in shown for name in FAULTS | LIES)


@pytest.mark.parametrize("arguments", [["--fault", "nonsense"], ["--speed", "0"]])
def test_what_cannot_start_says_why(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "could not start" in capsys.readouterr().err
