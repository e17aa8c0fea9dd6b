"""``verify``, ``download --repair``: are the files what they were, and do they become it again?"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cli_stage import Stage

from iceye_derivatives.cli import main

Captured = pytest.CaptureFixture[str]


def conditions(folder: Path, capsys: Captured) -> tuple[int, dict[str, str], dict[str, object]]:
    """The exit code, each name's condition, and the report."""
    capsys.readouterr()
    code = main(["verify", str(folder), "--json"])
    *lines, report = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (report["event"], report["ok"], report["exit_code"]) == (
        "report_of_files",
        code == 0,
        code,
    )
    assert all(line["event"] == "verified" for line in lines)
    return code, {line["name"]: line["condition"] for line in lines}, report


def downloaded(stage: Stage, folder: Path) -> tuple[str, list[Path]]:
    task_id = stage.task()
    assert main(["download", task_id, "--to", str(folder)]) == 0
    return task_id, sorted(folder.rglob("*.geojson"))


def test_after_a_download_all_is_whole_and_no_credentials_are_needed(
    stage: Stage, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id, files = downloaded(stage, tmp_path)
    for name in stage.simulator.environ:
        monkeypatch.delenv(name, raising=False)
    code, found, report = conditions(tmp_path, capsys)
    assert code == 0
    assert found == {path.name: "whole" for path in files}
    assert report["conditions"]["whole"] == 3
    # The task's own folder may be named as well.
    assert conditions(tmp_path / task_id, capsys)[0] == 0
    assert main(["verify", str(tmp_path)]) == 0
    assert "1 task: 3 whole\n" in capsys.readouterr().out


def test_what_is_changed_missing_unfinished_or_foreign_is_told_and_mended(
    stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    task_id, (changed, missing, whole) = downloaded(stage, tmp_path)
    truth = {path: path.read_bytes() for path in (changed, missing, whole)}
    before = changed.stat()
    body = bytearray(truth[changed])
    body[len(body) // 2] ^= 1
    changed.write_bytes(body)
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    missing.unlink()
    missing.with_name(f"{missing.name}.0a-1.part").write_bytes(b"{")
    whole.with_name("DC_OTHER_d.geojson.mark.part").write_bytes(b"{")
    whole.with_name("notes.txt").write_text("mine")
    whole.with_name(".hidden").write_text("let be")
    code, found, _ = conditions(tmp_path, capsys)
    assert code == 7
    assert found == {
        changed.name: "changed",
        missing.name: "missing",
        whole.name: "whole",
        "DC_OTHER_d.geojson": "unfinished",
        "notes.txt": "foreign",
    }
    assert main(["verify", str(tmp_path)]) == 7
    assert "--repair" in capsys.readouterr().out

    requests = len(stage.simulator.requests)
    assert main(["download", task_id, "--to", str(tmp_path), "--repair"]) == 0

    fetched = [r for r in stage.simulator.requests[requests:] if r.side == "cdn"]
    assert len(fetched) == 2
    assert {path: path.read_bytes() for path in truth} == truth
    whole.with_name("DC_OTHER_d.geojson.mark.part").unlink()
    code, found, _ = conditions(tmp_path, capsys)
    assert (code, found) == (
        7,
        {**{path.name: "whole" for path in truth}, "notes.txt": "foreign"},
    )
    whole.with_name("notes.txt").unlink()
    assert conditions(tmp_path, capsys)[0] == 0


def test_a_folder_that_is_one_too_high_is_verified_as_well(
    stage: Stage, tmp_path: Path, capsys: Captured
) -> None:
    """As `map` does it.  "Download into it again" would have fetched everything once more."""
    one, _ = downloaded(stage, tmp_path / "one")
    _, (changed, *_) = downloaded(stage, tmp_path / "two")
    (tmp_path / "one" / "catalog.json").write_text("{}")
    (tmp_path / "notes").mkdir()
    code, found, _ = conditions(tmp_path, capsys)
    assert (code, set(found.values()), len(found)) == (0, {"whole"}, 6)
    changed.write_bytes(b"{}")
    code, found, _ = conditions(tmp_path, capsys)
    assert (code, found[changed.name]) == (7, "changed")
    assert main(["verify", str(tmp_path)]) == 7
    assert f"Task {one} in {tmp_path / 'one' / one}\n" in capsys.readouterr().out


def test_a_second_run_of_a_complete_task_asks_a_handful_of_times(
    stage: Stage, tmp_path: Path
) -> None:
    task_id, _ = downloaded(stage, tmp_path)
    before = len(stage.simulator.requests)
    assert main(["download", task_id, "--to", str(tmp_path)]) == 0
    assert len(stage.simulator.requests) - before <= 4


def test_a_folder_without_a_journal_cannot_be_verified(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "task").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "loose.txt").write_text("x")
    (tmp_path / "task" / "DC_VESSELS_d.geojson").write_text("{}")
    code, found, _ = conditions(tmp_path, capsys)
    assert (code, found) == (7, {"DC_VESSELS_d.geojson": "foreign"})
    assert main(["verify", str(tmp_path)]) == 7
    assert "name the folder that `download --to` was given" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_links_are_not_followed(stage: Stage, tmp_path: Path, capsys: Captured) -> None:
    _, (linked, *_) = downloaded(stage, tmp_path / "there")
    elsewhere = tmp_path / "elsewhere"
    linked.rename(elsewhere)
    linked.symlink_to(elsewhere)
    (tmp_path / "there" / "loop").symlink_to(tmp_path)
    code, found, _ = conditions(tmp_path / "there", capsys)
    assert code == 7
    assert found[linked.name] == "missing"
    assert len(found) == 3


def test_a_folder_that_is_not_there_is_a_mistake_of_usage(tmp_path: Path) -> None:
    assert main(["verify", str(tmp_path / "nowhere")]) == 2
