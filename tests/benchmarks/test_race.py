"""Does a race give numbers only to who finished, and read its targets right?"""

# ruff: noqa: RUF001 - tables are set as in print
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from race.ledger import Ledger  # noqa: E402 - benchmarks are scripts, no installed package
from race.racers import Racer, Start, Task  # noqa: E402 - the same
from race.rounds import Course, Out, Run, race  # noqa: E402 - the same
from race.rows import ROWS  # noqa: E402 - the same
from race.store import Store  # noqa: E402 - the same
from race.tables import render  # noqa: E402 - the same
from race.work import NotWhole, Work, check, prepare  # noqa: E402 - the same

WORK = Work(key="few", count=3, size=2_000)


def run(racer: str, seconds: float, **changes: object) -> Run:
    facts: dict[str, object] = {
        "racer": racer,
        "work": "small",
        "round": 0,
        "files": 1_000,
        "bytes": 20_000_000,
        "seconds": seconds,
        "whole": seconds + 0.5,
        "cpu": 1.0,
        "whole_cpu": 1.5,
        "rss": 50_000_000,
        "load": 0.0,
    }
    return Run(**facts | changes)  # type: ignore[arg-type]


@pytest.fixture
def fetched(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A folder as a client that finished leaves it, and the digests of what it was asked for."""
    digests = prepare(tmp_path / "store", WORK)
    folder = tmp_path / "fetched"
    folder.mkdir()
    for number, name in enumerate(digests):
        shutil.copy(tmp_path / "store" / name, folder / f"{number}.anything")
    (folder / ".journal").write_text("its own business")
    return folder, digests


def test_files_that_all_came_are_whole_under_any_name(
    fetched: tuple[Path, dict[str, str]],
) -> None:
    check(*fetched)

    sizes = {path.stat().st_size for path in fetched[0].glob("*.anything")}
    assert (len(set(fetched[1].values())), sizes) == (WORK.count, {WORK.size})


@pytest.mark.parametrize("fault", ["missing", "one byte", "twice", "a part beside it"])
def test_a_client_that_left_something_else_gets_no_number(
    fault: str, fetched: tuple[Path, dict[str, str]]
) -> None:
    folder, digests = fetched
    first, second, *_ = sorted(folder.glob("*.anything"))
    if fault == "missing":
        first.unlink()
    elif fault == "one byte":
        first.write_bytes(first.read_bytes()[:-1] + b"!")
    elif fault == "twice":
        shutil.copy(first, second)
    else:
        (folder / "0.anything.part").write_bytes(b"{")

    with pytest.raises(NotWhole):
        check(folder, digests)


def test_targets_compare_medians_of_rates() -> None:
    row = ROWS["disk"]
    runs = [run("ours", seconds) for seconds in (1.0, 2.0, 9.0)]
    runs += [run("aria2c", seconds) for seconds in (6.0, 1.0, 9.0)]
    runs += [run("stac-asset", 3.0)] * 3

    verdicts = [line for line in render(row, runs).splitlines() if line.startswith("* ")]

    assert verdicts == [
        "* 2.2 × aria2c (reach for 3.5): ours 3.00 met",
        "* 1.8 × stac-asset: ours 1.50 **missed**",
    ]


def test_a_race_is_gone_on_with_from_its_last_whole_round(tmp_path: Path) -> None:
    before = Ledger(tmp_path / "row.json")
    before.begin({"aria2c": "1"}, anew=True)
    rounds = [(0, "ours"), (0, "aria2c"), (1, "aria2c"), (1, "ours"), (2, "ours")]
    for number, racer in rounds:
        before.add(run(racer, 1.0, round=number))

    later = Ledger(tmp_path / "row.json")
    later.begin({"aria2c": "1"}, anew=False)
    assert (later.rounds, [(one.round, one.racer) for one in later.runs]) == (2, rounds[:4])

    later.begin({"aria2c": "2"}, anew=False)
    assert later.runs == []


def copying(name: str, *, fails: str = "never") -> Racer:
    """A client without a network; it gives up in runs whose folder has that name."""

    def start(task: Task) -> Start:
        assert task.peers is not None
        words = f"mkdir -p {task.folder}; cp {task.peers}/2000/0/* {task.folder}"
        if fails in task.folder.parent.name:
            words = "echo 'no more' >&2; false"
        return Start(command=["sh", "-c", words])

    return Racer(name=name, start=start, tells_time=False)


@pytest.mark.parametrize("moment", ["warm", "1-"])
def test_who_fails_is_out_with_a_reason_and_the_others_race_on(moment: str, tmp_path: Path) -> None:
    store = Store(folder=tmp_path, http=1, https=2, pid=os.getpid())
    course = Course(
        work=WORK,
        store=store,
        files=tmp_path / "store",
        ground=tmp_path / "ground",
        peers=tmp_path / "store",
        rounds=range(3),
        tries=1,
    )
    ledger = Ledger(tmp_path / "row.json")
    ledger.begin({}, anew=True)
    for found in race(course, [copying("curl"), copying("aria2c", fails=moment)]):
        ledger.add(found)

    later = Ledger(tmp_path / "row.json")
    assert [(run.racer, run.round) for run in later.runs] == [("curl", n) for n in range(3)]
    why = "it ended with status 1: no more"
    assert later.out == [Out(racer="aria2c", work="few", why=why)]
    assert later.is_out("aria2c", "few")
    assert f"aria2c has no number (few): {why}" in render(ROWS["disk"], later.runs, later.out)


def test_a_row_of_memory_that_was_broken_off_shows_what_it_has() -> None:
    runs = [run("ours", 1.0, work="small"), run("ours, streamed", 1.0, work="small")]

    shown = render(ROWS["memory"], runs)

    assert "| ours, streamed | 1,000 × 20 KB | 50.0 | 50.0–50.0 |  |" in shown
    assert [line for line in shown.splitlines() if line.startswith("* ")] == [
        "* at most 100 MB: 50, met"
    ]


def test_what_a_caller_holds_is_not_what_a_stream_keeps() -> None:
    peaks = {("ours", "many"): 244, ("ours, streamed", "many"): 80, ("ours, streamed", "small"): 60}
    runs = [
        run(racer, 1.0, work=work, rss=peak * 1_000_000) for (racer, work), peak in peaks.items()
    ]

    assert [line for line in render(ROWS["memory"], runs).splitlines() if line[:2] == "* "] == [
        "* at most 100 MB: 80, met",
        "* 50,000 streamed files add to 5,000 under 16 MB: 20.0, **missed**",
    ]


def test_cpu_is_the_better_the_less_it_is() -> None:
    runs = [run("ours", 1.0, cpu=0.9), run("stac-asset", 3.0, cpu=2.0)]

    assert "* 0.5 × CPU of stac-asset (reach for 0.4): ours 0.45 met" in render(
        ROWS["loopback"], runs
    )


def test_a_rehearsal_races_against_a_real_nginx_and_judges_nothing(tmp_path: Path) -> None:
    racers = ["ours", *(name for name in ("curl --parallel",) if shutil.which("curl"))]
    done = subprocess.run(  # noqa: S603 - our own script
        [
            *(sys.executable, str(BENCHMARKS / "peers.py"), "loopback", "--quick"),
            *("--cache", str(tmp_path), "--disk", str(tmp_path), "--only", *racers),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    clients = {line.split(" | ")[0] for line in done.stdout.splitlines() if line.startswith("| ")}
    assert {f"| {name}" for name in racers} <= clients
    assert "met" not in done.stdout
