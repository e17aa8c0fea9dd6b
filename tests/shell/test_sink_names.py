"""Does no name, and no link that somebody planted, lead out of the folder?"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sink_files import BODY, NAME, hashed, posix, tree

from iceye_derivatives.sinks import DirectorySink
from iceye_derivatives.sinks._folder import split

pytestmark = pytest.mark.anyio


@posix
async def test_a_link_planted_under_the_final_name_is_replaced_and_never_followed(
    tmp_path: Path,
) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "out" / "task-1"
    victim.write_bytes(b"precious")
    folder.mkdir(parents=True)
    (folder / "DC_VESSELS_d1.geojson").symlink_to(victim)
    sink = DirectorySink(tmp_path / "out")
    assert await sink.find(NAME) is None
    await sink.put(NAME, BODY, hashed)
    assert victim.read_bytes() == b"precious"
    assert not (folder / "DC_VESSELS_d1.geojson").is_symlink()
    assert (folder / "DC_VESSELS_d1.geojson").read_bytes() == BODY


@posix
async def test_a_link_planted_as_a_task_s_folder_is_never_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    root.mkdir()
    (outside / "DC_VESSELS_d1.geojson").write_bytes(b"foreign")
    (root / "task-1").symlink_to(outside)
    sink = DirectorySink(root)
    assert await sink.find(NAME) is None
    with pytest.raises(OSError, match="task-1") as caught:
        await sink.put(NAME, BODY, hashed)
    assert caught.value.errno in {errno.ELOOP, errno.ENOTDIR}
    with pytest.raises(OSError, match="task-1"):
        async with sink.create(NAME) as part:
            await part.commit()
    assert {path.name for path in outside.iterdir()} == {"DC_VESSELS_d1.geojson"}


@posix
async def test_where_folders_cannot_be_held_open_planted_links_are_not_followed_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way that Windows goes."""
    monkeypatch.setattr("iceye_derivatives.sinks._open_folder._BY_HANDLE", False)
    sink = DirectorySink(tmp_path / "out")
    await sink.put(NAME, BODY, hashed)
    found = await sink.find(NAME)
    assert found is not None
    assert tree(tmp_path / "out") == {NAME}
    (tmp_path / "out" / "linked").symlink_to(tmp_path)
    with pytest.raises(OSError, match="symbolic link"):
        await sink.put("linked/x.geojson", BODY, hashed)
    assert await sink.find("linked/x.geojson") is None


@given(st.text(max_size=30))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    try:
        parts = split(name)
    except ValueError:
        return
    assert "/".join(parts) == name
    assert not {"", ".", ".."} & set(parts)


@pytest.mark.parametrize(
    "name", ["", "/etc/x", "../x", "a/../x", "a//x", "a/", "a\\b", "c:x", "a\0"]
)
async def test_a_name_that_leads_out_is_refused_whoever_gives_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        await DirectorySink(tmp_path).put(name, BODY, hashed)
