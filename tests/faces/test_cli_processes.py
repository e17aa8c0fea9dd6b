"""Do the programs work together as processes, and stop when they are told to?"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_stage import WAITING, Stage

PROGRAM = (sys.executable, "-m", "iceye_derivatives")
unix = pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals to one process")


@contextmanager
def running(*arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(  # noqa: S603  our own program
        [*PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def run(*arguments: str, **environ: str) -> tuple[int, str, str]:
    with running(*arguments, **environ) as process:
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


def read_until(process: subprocess.Popen[str], *words: str) -> list[str]:
    """Lines of stdout until each of the words has been seen so often as it is given."""
    assert process.stdout is not None
    wanted, lines = list(words), []
    for line in process.stdout:
        lines.append(line)
        if seen := next((word for word in wanted if word in line), None):
            wanted.remove(seen)
        if not wanted:
            return lines
    raise AssertionError(f"It ended before it said {wanted}: {lines}")


def variables(lines: list[str]) -> dict[str, str]:
    """What a shell would know after these lines."""
    pairs = (line.removeprefix("export ").strip().split("=", 1) for line in lines)
    return {name: value.strip("'") for name, value in pairs}


@contextmanager
def simulating(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A simulator that serves, and the variables that lead to it."""
    with running("simulate", *options) as simulator:
        yield simulator, variables(read_until(simulator, "ICEYE_SIMULATED_CLOCK"))


def files_in(folder: Path) -> list[Path]:
    """Every file but for journals."""
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    )


@unix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_download_and_the_next_run_keeps_its_files(
    number: signal.Signals, stage: Stage, tmp_path: Path
) -> None:
    """Complaint 20 (ecmwf/cdsapi #21).

    Ctrl-C leaves a truncated file that readers open without complaint.
    """
    task_id = stage.task()
    stage.simulator.faults.add("stalled_body", times=1)
    download = ("download", task_id, "--to", str(tmp_path))
    with running(*download) as process:
        read_until(process, " whole: ", " whole: ")
        process.send_signal(number)
        _, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in error
    assert error == (
        f"Interrupted. Whole in {tmp_path}: 2 files; "
        "run the same command again: whole files are kept\n"
    )
    kept = files_in(tmp_path)
    assert [path.suffix for path in kept] == [".geojson", ".geojson"]
    for path in kept:
        assert json.loads(path.read_bytes())["type"] == "FeatureCollection"

    code, out, _ = run(*download)
    assert (code, out.count(" kept: "), out.count(" whole: ")) == (0, 2, 1)
    assert set(kept) < set(files_in(tmp_path))


@unix
def test_a_signal_among_many_tasks_tells_what_is_there(stage: Stage, tmp_path: Path) -> None:
    ids = [stage.task(), stage.task(WAITING)]
    with running("download", *ids, "--to", str(tmp_path)) as process:
        read_until(process, " whole: ", " whole: ", " whole: ")
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert re.sub(r"[0-9.]+ k?B", "<size>", error) == (
        f"Interrupted. 1 of 2 tasks complete, 3 files (<size>) whole in {tmp_path}; "
        "run the same command again: whole files are kept\n"
    )


@unix
def test_a_signal_ends_a_wait_and_programs_are_told(stage: Stage, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with running("watch", stage.task(WAITING), "--json", "--state", str(state)) as process:
        read_until(process, '"waiting"')
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=20)
    report = json.loads(out.splitlines()[-1])
    assert process.returncode == report["exit_code"] == 130
    assert (report["event"], report["ok"]) == ("report", False)
    assert error.startswith("Interrupted. 0 derivatives came")
    assert state.exists(), "what was learned of the task is not lost"


SIGNALLED = """
import importlib, signal, sys
from iceye_derivatives.cli import main
module, name, number = sys.argv[1:4]
module = importlib.import_module(f"iceye_derivatives.cli.{module}")
setattr(module, name, lambda *_, **__: signal.raise_signal(int(number)))
sys.exit(main(sys.argv[4:]))
"""
"""Runs a command to which a signal comes just as it calls one of its functions."""


@unix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("command", "calls"),
    [("export", "read_some"), ("map", "read_some"), ("verify", "inspect"), ("download", "find")],
)
def test_a_signal_ends_each_command_with_the_same_code(
    command: str, calls: str, number: signal.Signals, stage: Stage, tmp_path: Path
) -> None:
    """Also those that never wait, and where a download only sums up what it has found."""
    words = {
        "export": [str(tmp_path), "--to", "x.csv"],
        "map": [str(tmp_path)],
        "verify": [str(tmp_path)],
        "download": [stage.task(), "--to", str(tmp_path)],
    }
    module = "session" if command == "download" else command
    told = [sys.executable, "-c", SIGNALLED, module, calls, str(int(number))]
    done = subprocess.run(  # noqa: S603  our own program
        [*told, command, *words[command]], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 130, done.stderr
    assert "Interrupted." in done.stderr
    assert "Traceback" not in done.stderr
    assert ("Whole in" in done.stderr) == (command == "download")


def test_simulate_order_and_download_are_three_processes(tmp_path: Path) -> None:
    """As the README shows it, faster; links still live long enough for a busy machine."""
    folder, exports = tmp_path / "found", tmp_path / "sim.env"
    told = ("--speed", "10000", "--env-file", str(exports))
    with simulating(*told) as (simulator, environ):
        assert variables(exports.read_text().splitlines()) == environ
        assert exports.stat().st_mode & 0o077 == 0 or os.name == "nt"
        code, out, _ = run("order", "--lat", "51.95", "--lon", "4.05", **environ)
        assert code == 0
        code, out, error = run("download", out.strip(), "--to", str(folder), **environ)
        assert (code, error) == (0, "")
        assert len(files_in(folder)) == 3
        if os.name != "nt":
            simulator.send_signal(signal.SIGINT)
            _, error = simulator.communicate(timeout=20)
            assert simulator.returncode == 130
            assert error.endswith("The simulator is closed and has forgotten its tasks\n")
            assert not exports.exists()


def test_a_program_of_ones_own_goes_in_the_simulators_time() -> None:
    """It would wait for hours of the machine's own otherwise."""
    program = """
import asyncio, os, sys
from iceye_derivatives import DerivativesClient

async def main():
    async with DerivativesClient.from_env() as client:
        async for derivative in client.watch_task(sys.argv[1]):
            print(derivative.product_type)

asyncio.run(main())
"""
    with simulating("--speed", "10000") as (_, environ):
        _, task_id, _ = run("order", "--lat", "51.95", "--lon", "4.05", **environ)
        ended = subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-c", program, task_id.strip()],
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert sorted(ended.stdout.split()) == ["DC_AIRCRAFT", "DC_VEHICLES", "DC_VESSELS"]


def test_a_reader_that_leaves_early_causes_no_traceback(stage: Stage) -> None:
    """As in ``watch ... | head -1``, which a shell calls 141 of its own programs."""
    with running("watch", stage.task(WAITING), "--max-interval", "1") as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(timeout=30)
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 141


def redirected(words: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Our program, its streams as these words of a shell make them."""
    return subprocess.run(  # noqa: S603  our own program
        ["/bin/sh", "-c", f'exec "$@" {words}', "sh", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@unix
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_socket_ever_gets_the_number_of_a_stream_that_was_closed(closed: str) -> None:
    """An order is sent, and uvloop aborts the process where it should close such a socket."""
    program = (
        "import os; from iceye_derivatives.cli import main; main(['--version']);"
        "os._exit(os.open(os.devnull, os.O_RDONLY) < 3)"
    )
    assert redirected(closed, sys.executable, "-c", program).returncode == 0


@unix
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_was_closed_is_no_failure(stage: Stage, closed: str) -> None:
    ended = redirected(closed, *PROGRAM, "status", stage.task())
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (">&-" in closed.replace("2>&-", "")) == (not ended.stdout)


@unix
@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"], ["watch", "--json"]])
def test_output_to_a_full_disk_is_one_sentence_and_no_traceback(
    stage: Stage, arguments: list[str]
) -> None:
    ended = redirected("> /dev/full", *PROGRAM, *arguments, stage.task())
    assert (ended.returncode, ended.stderr) == (9, "[Errno 28] No space left on device\n")


@unix
def test_a_report_that_nobody_reads_changes_no_exit_code() -> None:
    with running("verify", "--json", "no/such/folder") as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(timeout=30)
        assert process.stderr is not None
        assert process.stderr.read().endswith("Directory 'no/such/folder' does not exist.\n")
    assert process.returncode == 2


def test_a_terminal_without_unicode_gets_question_marks(stage: Stage) -> None:
    code, out, _ = run("status", stage.task(reference="Kai ⚓"), PYTHONIOENCODING="latin-1")
    assert code == 0
    assert "reference    Kai ?" in out


@pytest.mark.parametrize("package", ["click", "rich"])
def test_without_the_extra_it_says_how_to_install_it(package: str) -> None:
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from iceye_derivatives.cli import main; sys.exit(main(['--help']))"
    )
    ended = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        f"The command line needs {package}, which is not installed: "
        "run pip install 'iceye-derivatives[cli]'\n"
    )
