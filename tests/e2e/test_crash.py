"""The real program, killed with SIGKILL at random moments: is all whole in the end, at what cost?

The moments are drawn from a seed.  Twenty kills run by default; the session `crash` makes it two
hundred.  What the kills cost is printed: bytes that went over the line more than once.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest
from trials import MIB, Trial, stage

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL is Unix's")

KILLS = int(os.environ.get("ICEYE_CRASH_KILLS", "20"))


@pytest.mark.once
@pytest.mark.timeout(120 + 20 * KILLS)
def test_killed_at_any_moment_it_ends_whole_and_fetches_little_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(2027)
    kills = twice = trials = whole = 0
    with stage() as (simulator, line):
        while kills < KILLS:
            trials += 1
            trial = Trial(simulator, line, tmp_path / str(trials))
            while kills + trial.kills < KILLS and not trial.run(chance):
                pass
            while not trial.run(None):
                raise AssertionError("nobody killed it")
            kills += trial.kills
            twice += trial.check_end()
            trial.check_journal()
            whole += sum(len(body) for body in trial.truth().values())
    with capsys.disabled():
        print(  # noqa: T201 - what the test is for
            f"\n{kills} kills in {trials} downloads of {whole / MIB:.0f} MiB: "
            f"{twice / MIB:.2f} MiB fetched twice, {twice / MIB / kills:.2f} MiB a kill"
        )


def end_of(process: subprocess.Popen[bytes]) -> int:
    """Its exit code."""
    assert process.stderr is not None
    error = process.stderr.read()
    assert b"Traceback" not in error, error.decode()
    return process.wait(60)


def test_two_programs_in_one_folder_fetch_each_file_once(tmp_path: Path) -> None:
    """Complaint 23 (huggingface/huggingface_hub #4196).

    A shared partial file was corrupted where locks do nothing.
    """
    with stage() as (simulator, line):
        trial = Trial(simulator, line, tmp_path)
        with trial.start() as one, trial.start() as two:
            assert (end_of(one), end_of(two)) == (0, 0)
        assert trial.check_end() == 0


@pytest.mark.once
def test_the_second_program_takes_over_what_the_first_was_killed_at(tmp_path: Path) -> None:
    with stage() as (simulator, line):
        trial = Trial(simulator, line, tmp_path)
        size = sum(len(body) for body in trial.truth().values())
        with trial.start() as one:
            while line.fetched.total() < size // 2:
                time.sleep(0.001)
            with trial.start() as two:
                time.sleep(0.2)
                one.kill()
                one.wait()
                trial.allow({})
                assert end_of(two) == 0
        trial.check_end()
        trial.check_journal()
