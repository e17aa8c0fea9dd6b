"""Do the fixtures serve a stranger: from a wheel, under either plugin, and cost others nothing?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from iceye_derivatives.simulator.scenario_file import parse_scenario

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "testing.md"
STRICT = ("--strict-markers", "-W", "error", "-p", "no:cacheprovider", "-p", "no:randomly")
UNDER_ANYIO = ("-p", "no:asyncio")
UNDER_ASYNCIO = ("-p", "no:anyio", "-o", "asyncio_default_fixture_loop_scope=function")
SHOWS_WHOSE = """
import sys
from importlib.metadata import entry_points

def test_it_is_the_wheels():
    (entry,) = {e.value for e in entry_points(group="pytest11", name="iceye_derivatives")}
    assert entry == "iceye_derivatives_pytest"
    assert sys.modules[entry].__file__.startswith(SITE)
"""
COSTS_NOTHING = """
import sys

def test_nothing_is_imported_for_a_test_that_asks_for_nothing():
    assert "iceye_derivatives_pytest" in sys.modules
    assert not {"iceye_derivatives", "aiohttp", "cattrs"} & sys.modules.keys()
"""
MARKS = """
import pytest
from iceye_derivatives.simulator import Scenario, ScenarioError

@pytest.fixture
def anyio_backend():
    return "asyncio"

pytestmark = pytest.mark.iceye_simulator(detections=1, seed=5)

@pytest.mark.iceye_simulator(scenario="here.toml", detections=2)
def test_the_nearest_mark_goes_first(iceye_simulator, iceye_clock):
    assert iceye_simulator.world.detections == 2
    assert iceye_simulator.world.seed == 5
    assert iceye_simulator.tokens.lifetime == 77
    assert iceye_simulator.clock is iceye_clock

@pytest.mark.iceye_simulator(scenario=Scenario(seed=3))
def test_a_scenario_may_be_a_value(iceye_simulator):
    assert iceye_simulator.world.seed == 3

@pytest.mark.iceye_simulator(1)
def test_a_mark_takes_names_only(request):
    with pytest.raises(TypeError, match="keyword"):
        request.getfixturevalue("iceye_simulator")

@pytest.mark.iceye_simulator(scenario="wrong.toml")
def test_a_mark_with_a_wrong_file_says_so(request):
    with pytest.raises(ScenarioError, match="^wrong.toml: sed: there is no such key"):
        request.getfixturevalue("iceye_simulator")

@pytest.mark.anyio
async def test_a_client_leaves_an_open_simulator_open(iceye_simulator, iceye_client):
    async with iceye_simulator as sim:
        url = sim.api_base_url
        async with iceye_client as client:
            assert client.base_url.startswith(url)
        assert sim.is_open
    assert not iceye_simulator.is_open
    async with iceye_client:
        assert iceye_simulator.is_open
    assert not iceye_simulator.is_open
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel in it, as an installer leaves it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 (our own arguments)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(folder: Path, site: Path, *options: str, autoload: bool = True) -> str:
    """Run pytest as a stranger would, and give what it printed; all must have passed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    # In front of what is there, and of what is installed.
    environ["PYTHONPATH"] = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    if not autoload:
        environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    (folder / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(  # noqa: S603 (our own arguments)
        [sys.executable, "-m", "pytest", *STRICT, *options],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shown() -> str:
    """All the Python of the page as one test file."""
    blocks = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) >= 6
    return "\n".join(blocks)


@pytest.mark.once
def test_what_the_page_shows_runs_from_the_wheel_under_anyio(site: Path, tmp_path: Path) -> None:
    (tmp_path / "test_shown.py").write_text(shown())
    (tmp_path / "test_whose.py").write_text(f"SITE = {str(site)!r}\n{SHOWS_WHOSE}")
    assert " 6 passed" in run(tmp_path, site, *UNDER_ANYIO)


@pytest.mark.skipif(
    find_spec("pytest_asyncio") is None and "CI" not in os.environ,
    reason="pytest-asyncio, of the extra `test`, is not installed",
)
@pytest.mark.once
def test_what_the_page_shows_runs_from_the_wheel_under_pytest_asyncio(
    site: Path, tmp_path: Path
) -> None:
    text = shown().replace("@pytest.mark.anyio\n", "@pytest.mark.asyncio\n")
    (tmp_path / "test_shown.py").write_text(text)
    assert " 5 passed" in run(tmp_path, site, *UNDER_ASYNCIO)


def test_it_costs_nothing_to_those_who_do_not_ask(site: Path, tmp_path: Path) -> None:
    (tmp_path / "test_others.py").write_text(COSTS_NOTHING)
    run(tmp_path, site, *UNDER_ANYIO)


def test_marks_say_how_a_simulator_is_made_also_without_entry_points(
    site: Path, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "here.toml").write_text("token_lifetime = 77")
    (inner / "wrong.toml").write_text("sed = 77")
    (inner / "test_marks.py").write_text(MARKS)
    (options,) = re.findall(r"`pytest ((?:-p \S+ ?)+)`", PAGE.read_text(encoding="utf-8"))
    assert " 5 passed" in run(tmp_path, site, *options.split(), autoload=False)


def test_the_page_shows_a_scenario_that_says_what_python_says() -> None:
    (toml,) = re.findall(
        r"^```toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    python = re.search(
        r"^DYING = .*?^\)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert python is not None
    names: dict[str, object] = {}
    exec("from iceye_derivatives.simulator import *\n" + python[0], names)  # noqa: S102 (our own page)
    assert parse_scenario(toml) == names["DYING"]
