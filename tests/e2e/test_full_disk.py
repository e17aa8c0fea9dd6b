"""The real program under a limit of the system that a disk has, too: what is said, what is kept?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from trials import BATCH, MIB, Trial, stage

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits of Unix")

LIMIT = 2 * MIB


# No file may grow beyond the limit: write(2) then says EFBIG, as a full disk says ENOSPC.
LIMITED = f"""
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, {LIMIT}))
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


def test_a_file_that_cannot_grow_is_told_kept_and_gone_on_with(tmp_path: Path) -> None:
    """Trap (parfive, writers): the writer dies of a full disk and the join never returns."""
    with stage() as (simulator, line):
        trial = Trial(simulator, line, tmp_path)
        ended = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", LIMITED, *trial.script],
            env={**os.environ, **simulator.environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 9
        assert "could not be stored (File too large)" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert not list(tmp_path.rglob("*.geojson"))
        assert len(list(tmp_path.rglob("*.mark.part"))) == 3

        with trial.start() as process:
            assert process.wait(60) == 0
        trial.allowed = 3 * (MIB + BATCH)
        trial.check_end()
