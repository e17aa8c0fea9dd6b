"""Who else looks into a folder: does he read all pages of its journal, and only those?"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import anyio
import pytest
from attrs import evolve
from journal_notes import FULL, TASK, file
from store_fakes import FakeClock

from iceye_derivatives._core.inventory import Condition
from iceye_derivatives._core.journal import WholeFile, name_of
from iceye_derivatives._core.part_names import file_of
from iceye_derivatives._journal import Journals
from iceye_derivatives.geo._files import find_files
from iceye_derivatives.sinks import DirectorySink, inspect

pytestmark = pytest.mark.usefixtures("small_pages")


def put(root: Path, count: int, task_id: str = TASK) -> dict[str, WholeFile]:
    """Files in a folder with a journal of several pages beside them, as a download leaves it."""
    words = {}
    for number in range(count):
        body = b"%d" % number
        word = evolve(file(number, 5.0, task_id), sha256=sha256(body).hexdigest(), size=len(body))
        (root / task_id).mkdir(exist_ok=True)
        (root / task_id / name_of(word.asset)).write_bytes(body)
        words[name_of(word.asset)] = word

    async def write() -> None:
        running = Journals(DirectorySink(root), FakeClock())
        for word in words.values():
            running.note(word)
            await running.save(at_once=True)
        await running.close()

    anyio.run(write)
    return words


def test_verifying_looks_into_all_pages_wherever_they_stand(tmp_path: Path) -> None:
    words = put(tmp_path, 3 * FULL + 1)
    assert len(list(tmp_path.rglob(".iceye-journal*.json"))) == 4
    for place in (tmp_path, tmp_path / TASK):
        [inventory] = inspect(place)
        assert inventory.ok
        assert [finding.name for finding in inventory.findings] == sorted(words)


def test_a_page_that_is_gone_hides_its_own_files_alone_from_verifying(tmp_path: Path) -> None:
    words = put(tmp_path, 3 * FULL)
    (tmp_path / TASK / ".iceye-journal.json").unlink()
    (tmp_path / TASK / ".iceye-journal-2.json").write_bytes(b"[")
    for place in (tmp_path, tmp_path / TASK):
        [inventory] = inspect(place)
        assert inventory.task_id == TASK
        found = {finding.name: finding.condition for finding in inventory.findings}
        known = [*words][2 * FULL :]
        assert found == {
            name: Condition.WHOLE if name in known else Condition.FOREIGN for name in words
        }


def test_reading_detections_knows_files_of_all_pages(tmp_path: Path) -> None:
    """No name tells when a file was whole."""
    words = put(tmp_path, 2 * FULL + 1)
    found = {each.path.name: each for each in find_files(tmp_path)}
    assert found.keys() == words.keys()
    assert {each.asset for each in found.values()} == {word.asset for word in words.values()}
    assert {each.downloaded for each in found.values()} == {5.0}


def test_a_page_that_was_never_finished_is_cleared_away(tmp_path: Path) -> None:
    put(tmp_path, FULL + 1)
    stray = tmp_path / TASK / f".iceye-journal-2.json.{'ab' * 12}-1.part"
    stray.write_bytes(b"{")
    put(tmp_path, FULL + 2)
    assert not stray.exists()
    assert {file_of(path.name) for path in tmp_path.rglob("*")} == {None}
