"""Which sink is meant by a folder or a URL?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.sinks import DirectorySink, MemorySink, ObjectStoreSink, is_url, sink_for


@pytest.mark.parametrize(
    "folder", ["detections", "C:\\detections", "a:b", Path("x") / "y", "s3", "s3:bucket"]
)
def test_a_folder_is_a_folder(folder: str | Path) -> None:
    sink = sink_for(folder)
    assert isinstance(sink, DirectorySink)
    assert sink.path == str(folder)
    assert not is_url(folder)


def test_an_empty_path_is_no_folder() -> None:
    """It is what a variable gives that was never set; the current folder is nobody's wish."""
    with pytest.raises(ConfigurationError, match="An empty path is no folder"):
        sink_for("")


def test_a_sink_is_what_it_is() -> None:
    sink = MemorySink()
    assert sink_for(sink) is sink


@pytest.mark.parametrize("url", ["https://bucket.example/x", "file:///srv/detections", "ftp://x"])
def test_a_url_of_no_store_that_we_know_is_told_with_those_that_we_do(url: str) -> None:
    with pytest.raises(ConfigurationError, match="begins with one of s3://"):
        sink_for(url)


def test_a_url_that_became_a_path_is_no_folder() -> None:
    """`Path` takes one of the slashes out; a folder named ``s3:`` is what nobody means."""
    with pytest.raises(ConfigurationError, match="give it as a plain string"):
        sink_for(Path("s3://bucket/prefix"))


def test_without_the_extra_a_url_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'iceye-derivatives\[cloud\]'"):
        ObjectStoreSink.from_url("s3://bucket/prefix")
