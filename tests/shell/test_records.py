"""Claims that share one record: does each still say and prove what a record of its own would?"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from sink_files import open_handles

from iceye_derivatives._core.ownership import Owner, parse_owner, render_owner
from iceye_derivatives.models import AssetRef
from iceye_derivatives.sharing import Busy, Present
from iceye_derivatives.sinks import DirectorySink, _claim, _process, _records, _sync
from iceye_derivatives.sinks._claim import Claim
from iceye_derivatives.sinks._folder import Folder
from iceye_derivatives.sinks._records import Records

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere none is shared")


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever these tests are run on: it has links."""
    monkeypatch.setattr(_records, "is_known", lambda handle: True)


def take(root: Path, file: str, records: Records | None = None) -> Claim | None:
    """The claim where it is ours now."""
    claim = Claim(Records() if records is None else records)
    with Folder(str(root), file, make=True) as folder:
        return claim if claim.take(folder) is None else None


def had(root: Path, file: str, records: Records | None = None) -> Claim:
    claim = take(root, file, records)
    assert claim is not None
    return claim


def drop(root: Path, file: str, claim: Claim) -> None:
    with Folder(str(root), file) as folder:
        claim.drop(folder)


def record_of(root: Path, file: str) -> Path:
    return root / f"{file}.owner.part"


def owner_of(root: Path, file: str) -> Owner:
    return parse_owner(record_of(root, file).read_bytes())


def test_claims_of_one_folder_are_names_of_one_record_and_nothing_stays_of_them(
    tmp_path: Path,
) -> None:
    records, files = Records(), ("d1", "d2", "d3")
    claims = {file: had(tmp_path, file, records) for file in files}
    assert len({record_of(tmp_path, file).stat().st_ino for file in files}) == 1
    assert [owner_of(tmp_path, file) for file in files] == [claim.mine for claim in claims.values()]
    for number, file in enumerate(files):
        drop(tmp_path, file, claims[file])
        assert {path.name for path in tmp_path.iterdir()} == {
            record_of(tmp_path, left).name for left in files[number + 1 :]
        }
    assert open_handles(tmp_path) == []


def test_each_folder_has_a_record_of_its_own(tmp_path: Path) -> None:
    records = Records()
    had(tmp_path, "task-1/d1", records)
    had(tmp_path, "task-2/d1", records)
    one, other = owner_of(tmp_path, "task-1/d1"), owner_of(tmp_path, "task-2/d1")
    assert one.token != other.token


def test_a_token_never_comes_twice_for_one_file(tmp_path: Path) -> None:
    """Or who saw the first owner die would take the file from the second."""
    records, tokens = Records(), list[str]()
    had(tmp_path, "stays", records)
    for _ in range(3):
        claim = had(tmp_path, "d1", records)
        tokens.append(owner_of(tmp_path, "d1").token)
        drop(tmp_path, "d1", claim)
    assert len(set(tokens)) == 3


def test_a_record_is_for_so_many_files_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_records, "_MOST", 2)
    records = Records()
    for number in range(4):
        had(tmp_path, f"d{number}", records)
    tokens = [owner_of(tmp_path, f"d{number}").token for number in range(4)]
    assert tokens[0] == tokens[1] != tokens[2] == tokens[3]


def test_who_has_one_of_them_has_no_other(tmp_path: Path) -> None:
    """A record that could not be deleted is a dead one's, whatever else its token has."""
    records = Records()
    claim, other = had(tmp_path, "d1", records), had(tmp_path, "d2", records)
    claim.forsake("d1")
    assert take(tmp_path, "d2") is None
    heir = had(tmp_path, "d1")
    assert heir.took_over
    assert heir.surely_alone
    drop(tmp_path, "d1", heir)
    drop(tmp_path, "d2", other)
    assert list(tmp_path.iterdir()) == []


def test_all_that_a_killed_process_had_is_taken_over_file_by_file(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from iceye_derivatives.sinks._claim import Claim\n"
        "from iceye_derivatives.sinks._folder import Folder\n"
        "from iceye_derivatives.sinks._records import Records\n"
        "records = Records()\n"
        "for file in ('d1', 'd2'):\n"
        "    with Folder(sys.argv[1], file, make=True) as folder:\n"
        "        assert Claim(records).take(folder) is None\n"
        "print(flush=True); input()"
    )
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert owner_of(tmp_path, "d1").pid == process.pid
        assert [take(tmp_path, file) for file in ("d1", "d2")] == [None, None]
        process.kill()
        process.wait()
    records = Records()
    for file in ("d1", "d2"):
        heir = had(tmp_path, file, records)
        assert heir.took_over
        assert take(tmp_path, file) is None
        drop(tmp_path, file, heir)
    assert list(tmp_path.iterdir()) == []


def test_it_is_our_own_record_that_gets_a_name_whatever_stands_under_its_first(
    tmp_path: Path,
) -> None:
    records = Records()
    ours = had(tmp_path, "d1", records).mine
    assert ours is not None
    theirs = Owner(token="ab" * 12, host="", machine="", pid=7, started="")
    record_of(tmp_path, "d1").unlink()
    record_of(tmp_path, "d1").write_bytes(render_owner(theirs))
    had(tmp_path, "d2", records)
    assert owner_of(tmp_path, "d2").pid == os.getpid()
    assert owner_of(tmp_path, "d1") == theirs


def test_a_fork_does_not_go_by_its_parent_s_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records()
    had(tmp_path, "d1", records)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    had(tmp_path, "d2", records)
    assert owner_of(tmp_path, "d2").pid == 1


def test_where_all_its_names_were_deleted_a_new_one_is_made_and_shared(tmp_path: Path) -> None:
    records = Records()
    for file in ("d1", "d2"):
        had(tmp_path, file, records)
        record_of(tmp_path, file).unlink()
    had(tmp_path, "d3", records)
    had(tmp_path, "d4", records)
    assert owner_of(tmp_path, "d3") == owner_of(tmp_path, "d4")


def test_where_there_are_no_links_each_has_its_own_and_links_are_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def link(source: str, *_: object, **named: Any) -> None:
        asked.append(source)
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    records = Records()
    claims = {file: had(tmp_path, file, records) for file in ("d1", "d2", "d3")}
    assert len({owner_of(tmp_path, file).token for file in claims}) == 3
    assert len(asked) == 1
    for file, claim in claims.items():
        assert take(tmp_path, file) is None
        drop(tmp_path, file, claim)
    assert open_handles(tmp_path) == []


@pytest.mark.parametrize("why", ["unknown", "elsewhere", "no handle"])
def test_where_none_is_shared_each_has_its_own_and_nothing_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """A server shows others what was written when it is closed, and no sooner."""
    if why == "unknown":
        monkeypatch.setattr(_records, "is_known", _sync.is_known)
        monkeypatch.setattr(_sync, "_KNOWN", frozenset())
    elif why == "elsewhere":
        monkeypatch.setattr(sys, "platform", "darwin")
    else:
        monkeypatch.setattr(Folder, "handle", None)
    monkeypatch.delattr(os, "link")  # nobody asks for one
    records, files = Records(), ("d1", "d2", "d3")
    claims = {file: had(tmp_path, file, records) for file in files}
    kept = [path for path in open_handles(tmp_path) if path.endswith(".part")]
    assert kept == []
    assert len({record_of(tmp_path, file).stat().st_ino for file in files}) == 3
    for file, claim in claims.items():
        assert owner_of(tmp_path, file) == claim.mine
        assert take(tmp_path, file, records) is None
        drop(tmp_path, file, claim)
    assert list(tmp_path.iterdir()) == []


def test_once_a_link_was_refused_nothing_stays_open_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object, **named: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    records = Records()
    first = had(tmp_path, "d0", records)
    for number in range(1, 4):
        had(tmp_path, f"d{number}", records)
    assert open_handles(tmp_path) == [str(record_of(tmp_path, "d0"))]
    drop(tmp_path, "d0", first)
    assert open_handles(tmp_path) == []


def test_a_record_that_cannot_be_closed_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers tell of a full disk only then."""
    before, close = set(_process._claims), os.close

    def full(handle: int) -> None:
        record = stat.S_ISREG(os.fstat(handle).st_mode)
        close(handle)
        if record:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(_records, "is_known", lambda handle: False)
    with monkeypatch.context() as patched:
        patched.setattr(os, "close", full)
        with pytest.raises(OSError, match="quota"):
            take(tmp_path, "d1")
    assert list(tmp_path.iterdir()) == []
    assert _process._claims == before


def test_a_fork_does_not_wait_for_a_thread_that_it_has_not(tmp_path: Path) -> None:
    """It happened while the disk's thread was about a record of ours."""
    program = (
        "import os, signal, sys\n"
        "from iceye_derivatives.sinks import _records\n"
        "from iceye_derivatives.sinks._claim import Claim\n"
        "from iceye_derivatives.sinks._folder import Folder\n"
        "records = _records.Records()\n"
        "def take(file):\n"
        "    with Folder(sys.argv[1], file, make=True) as folder:\n"
        "        assert Claim(records).take(folder) is None\n"
        "take('d1')\n"
        "with _records._lock:\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        signal.alarm(20)\n"
        "        take('d2')\n"
        "        os._exit(0)\n"
        "take('d3')\n"
        "print(child)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    found = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert owner_of(tmp_path, "d2").pid == int(found.stdout)
    assert owner_of(tmp_path, "d3") == owner_of(tmp_path, "d1")


def test_who_asks_in_vain_is_not_remembered(tmp_path: Path) -> None:
    had(tmp_path, "d1")
    before, records = set(_process._claims), Records()
    had(tmp_path, "d2", records)
    for _ in range(3):
        assert take(tmp_path, "d1", records) is None
    assert len(_process._claims - before) == 1


@pytest.mark.anyio
async def test_a_claim_ends_though_its_folder_is_gone(tmp_path: Path) -> None:
    before, sink = set(_process._claims), DirectorySink(tmp_path)
    asset = AssetRef(task_id="t", derivative_id="d", product_type="P", asset_type="geojson")
    async with sink.claim("task-1/d1", asset) as place:
        assert not isinstance(place, Present | Busy)
        shutil.rmtree(tmp_path / "task-1")
    assert _process._claims == before
    assert open_handles(tmp_path) == []


def test_an_heir_that_cannot_look_again_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    had(tmp_path, "d1").forsake("d1")
    walk, looks = vars(_claim)["_walk"], list[Folder]()

    def walks(folder: Folder) -> object:
        looks.append(folder)
        if len(looks) == 2:
            raise OSError(errno.EIO, "bad sector")
        return walk(folder)

    monkeypatch.setattr(_claim, "_walk", walks)
    with pytest.raises(OSError, match="bad sector"):
        take(tmp_path, "d1")
    assert open_handles(tmp_path) == []
    had(tmp_path, "d1")


@pytest.mark.parametrize("call", ["link", "write"])
def test_what_fails_or_ends_the_thread_leaves_no_claim_and_no_handle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def end(*_: object, **named: Any) -> None:
        raise KeyboardInterrupt

    records = Records()
    first = had(tmp_path, "d1", records)
    with monkeypatch.context() as patched:
        patched.setattr(os, call, end)
        with pytest.raises(KeyboardInterrupt):
            take(tmp_path, "d2", records if call == "link" else None)
    drop(tmp_path, "d2", had(tmp_path, "d2", records))
    drop(tmp_path, "d1", first)
    assert list(tmp_path.iterdir()) == []
    assert open_handles(tmp_path) == []


def test_threads_that_share_records_have_each_name_once_and_close_all_of_them(
    tmp_path: Path,
) -> None:
    records, barrier = Records(), Barrier(4)
    having: dict[str, int] = {}
    seen: list[bool] = []

    def run(number: int) -> None:
        barrier.wait()
        for turn in range(60):
            file = f"d{(turn + number) % 5}"
            claim = take(tmp_path, file, records)
            if claim is not None:
                having[file] = number
                seen.append(all(having[file] == number for _ in range(20)))
                drop(tmp_path, file, claim)

    threads = [Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(seen)
    assert len(seen) > 60
    assert list(tmp_path.iterdir()) == []
    assert open_handles(tmp_path) == []
