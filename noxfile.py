"""Which checks are there, and how is each one run: one session, one job.

``nox`` runs the default ones, ``nox -l`` lists all, ``nox -s tests-3.12 -- -k watch`` runs a part.
"""

from __future__ import annotations

import os
import re
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox

ROOT = Path(__file__).parent
DIST = ROOT / ".nox" / "dist"
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
OLDEST = PYTHONS[0]
LINTERS = PROJECT["project"]["optional-dependencies"]["lint"]
EXTRAS = "cloud,stac,geo,telemetry,speed"
NO_INDEX = "https://index.invalid/simple"
S3_SERVER = ("moto[s3]>=5.1", "flask", "flask-cors")
STAC_READERS = ("pystac[validation]", "pystac-client")


def apart(*folders: str) -> list[str]:
    """Leave these folders of tests out."""
    return [f"--ignore={ROOT / 'tests' / name}" for name in folders]


# The oldest Python searches the laws in earnest and runs what the pages show, for all others.
BRIEF = ("--hypothesis-profile=brief", "-m", "not once", *apart("docs", "benchmarks"))
AT_RANDOM = ("--hypothesis-profile=soak", "--timeout=14400", "-o", "faulthandler_timeout=0")
FOLDERS = ("iceye_derivatives", "tests", "benchmarks", "docs", "examples")
CODE = (*FOLDERS, "iceye_derivatives_pytest.py", "noxfile.py")
# Left out: 102 (the shield stands inside the function that a `finally` awaits, where the rule does
# not look; the tests that cancel at each await do), 106 (a matter of taste), 109 (`timeout` of a
# watch is total patience, which the pure watch decides, and no cancel scope in disguise), 110
# (tests wait turn by turn for what a fake has seen), 114 (asks for a list of names), 124 (a
# Protocol says what is async, needed or not), 401 (wants a newer pytest than the oldest we allow).
ASYNC_RULES = (
    "--enable=ASYNC1,ASYNC2,ASYNC3,ASYNC4",
    "--disable=ASYNC102,ASYNC106,ASYNC109,ASYNC110,ASYNC114,ASYNC124,ASYNC401",
)

nox.needs_version = ">=2025.5.1"  # the first with `requires=`; `.ci/run` wants `--parallel` as well
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
# A Python that is not there is reported as skipped; nox would make it an error where CI is set.
nox.options.error_on_missing_interpreters = False

# uv brings a list of authorities of its own; pip takes the system's, which a closed network needs.
os.environ.setdefault("UV_SYSTEM_CERTS", "1")

# Programs that tests start shall not compile all that they import, each time anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# pyenv's shims fail for all versions but the active one: nox shall see the interpreters themselves.
PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
os.environ["PATH"] = os.pathsep.join(
    [os.environ["PATH"], *(str(path) for v in PYTHONS for path in PYENV.glob(f"{v}.*/bin"))]
)

BARE_IMPORT = """
import sys, iceye_derivatives
assert "site-packages" in iceye_derivatives.__file__, iceye_derivatives.__file__
late = {"aiohttp", "asyncio", "cattrs", "click", "rich", "ssl"} & sys.modules.keys()
assert not late, f"imported before anybody asked for it: {late}"
"""
BARE_INSTALL = """
import importlib.metadata as m
print("installed:", *sorted(f"{d.name}-{d.version}" for d in m.distributions()))
asked = {r.split(">")[0] for r in m.requires("iceye-derivatives") if "extra ==" not in r}
assert asked == {"aiofiles", "aiohttp", "anyio", "attrs", "cattrs"}, asked
extra = {"click", "hypothesis", "pytest", "rich"} & {d.name.lower() for d in m.distributions()}
assert not extra, f"nobody asked for {extra}"
"""


def the_wheel(extras: str = "") -> str:
    """What to install: the wheel that the session `build` left, with its extras."""
    return f"{next(DIST.glob('*.whl'))}{extras}"


def run_pytest(session: nox.Session, *args: str, where: str = "tests", dev: bool = False) -> None:
    """Run the tests from a folder without our source: what they import is what is installed."""
    codes = [0, 5] if session.posargs else [0]  # of what a user chose, a run may have nothing
    here = session.create_tmp()
    # Beside another session (`nox --parallel`), one worker: all together keep the cores busy.  The
    # longest gets them all, since nothing is done before it is.
    beside = getattr(session, "parallel", False) and session.name != f"tests-{OLDEST}"
    # Who is done takes over what waits elsewhere: a minute's test at the end keeps nobody.
    spread = ("-n", "1" if beside else "auto", "--dist", "worksteal")
    with session.chdir(here), quick_folder() as folder:
        session.run(
            *("pytest", *spread, "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)),
            *("-o", f"cache_dir={here}/cache"),  # of its own: two sessions may run at a time
            *(str(ROOT / where), *args, *session.posargs),
            env={"PYTHONDEVMODE": "1" if dev else "", "TMPDIR": folder},
            success_codes=codes,
        )


@contextmanager
def quick_folder() -> Iterator[str]:
    """Where tests keep their files: in memory where Linux offers a good piece of it.

    They make and delete some ten thousand, which keeps a disk busy for minutes and says nothing.
    """
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30
    with tempfile.TemporaryDirectory(dir=memory if roomy else None) as folder:
        yield folder


@nox.session
def build(session: nox.Session) -> None:
    """Build the sdist, and the wheel from it: what the sessions below install."""
    for old in DIST.glob("*"):
        old.unlink()
    session.install("build")
    session.run("python", "-m", "build", "--outdir", str(DIST), silent=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format, and the traps of async code."""
    session.install(*LINTERS)
    session.run("ruff", "check", *CODE)
    session.run("ruff", "format", "--check", *CODE)
    # It takes a third of a second a file, so it reads what users run; ruff has its main rules.
    shown = [
        path for name in ("iceye_derivatives", "examples") for path in Path(name).rglob("*.py")
    ]
    files = [str(path) for path in sorted(shown) if "async " in path.read_text("utf-8")]
    session.run("flake8-async", "--anyio", *ASYNC_RULES, *files, log=False)


@nox.session
def imports(session: nox.Session) -> None:
    """The import law of `pyproject.toml`."""
    session.install(*LINTERS)
    # Its cache misses modules that come or go, and building the graph takes a second.
    session.run("lint-imports", "--no-cache")


@nox.session(requires=["build"])
def types(session: nox.Session) -> None:
    """Types as we write them, and as a user's checker finds them in the wheel."""
    session.install(the_wheel("[test,lint]"), "nox")
    session.run("mypy")
    api = ROOT / "tests" / "typing" / "api.py"
    session.chdir(session.create_tmp())
    session.run("mypy", "--strict", str(api))


@nox.session(python=PYTHONS, requires=["build"])
def tests(session: nox.Session) -> None:
    """The tests against the installed wheel, on each Python that is present.

    The oldest runs all of them.  The newest runs what may differ between two Pythons, with smaller
    budgets and in development mode, whose debugging of asyncio doubles the time and sees the same
    on each.  What lies between leaves out the long way over loopback and the programs, which take
    most of the time and find nothing that its neighbours do not.
    """
    session.install(the_wheel("[test]"))
    if session.python == OLDEST:
        run_pytest(session)
    elif session.python == PYTHONS[-1]:
        run_pytest(session, *BRIEF, dev=True)
    else:
        run_pytest(session, *BRIEF, *apart("e2e", "faces", "cdn"))


@nox.session(python=OLDEST, venv_backend="uv", requires=["build"])
def tests_lowest(session: nox.Session) -> None:
    """The same with the lowest versions that we claim to work with."""
    session.install("--resolution=lowest-direct", "--extra=cli", "-r", "pyproject.toml")
    session.install(the_wheel("[test]"))
    run_pytest(session, *BRIEF)


@nox.session(python=OLDEST, requires=["build"])
def extras(session: nox.Session) -> None:
    """What the extras bring, each against the real library that it is a bridge to."""
    session.install(the_wheel(f"[test,{EXTRAS}]"), *S3_SERVER, *STAC_READERS, "opentelemetry-sdk")
    run_pytest(session, where="tests/extras")


@nox.session(python=OLDEST, requires=["build"])
def airflow(session: nox.Session) -> None:
    """The bridge to Airflow, against Airflow's own programs: minutes, most of them its start."""
    session.install(the_wheel("[test,airflow,cloud]"), *S3_SERVER)
    # One process: an Airflow home and its database belong to it.
    run_pytest(session, "-n", "0", where="tests/airflow")


@nox.session(default=False, requires=["build"])
def azure(session: nox.Session) -> None:
    """The promises of sinks on Azure's API: its emulator comes by npm, so not for each change."""
    session.install(the_wheel("[test,cloud]"))
    there = session.create_tmp()
    session.run("npm", "install", "--silent", "--prefix", there, "azurite", external=True)
    session.env["PATH"] = os.pathsep.join([f"{there}/node_modules/.bin", os.environ["PATH"]])
    run_pytest(session, "-n", "0", where="tests/azure")


@nox.session(default=False, requires=["build"])
def properties(session: nox.Session) -> None:
    """The laws with a large and random budget: for a night, not for each change."""
    session.install(the_wheel("[test]"))
    # `soak` has the promises.
    run_pytest(session, *AT_RANDOM, "-m", "hypothesis", *apart("e2e/test_promises.py"))


@nox.session(default=False, requires=["build"])
def soak(session: nox.Session) -> None:
    """Ten thousand random lives of a task, with faults, cancellations and restarts: an hour."""
    session.install(the_wheel("[test]"))
    session.env["ICEYE_SOAK_RUNS"] = "10000"
    run_pytest(session, *AT_RANDOM, "-k", "test_promises", "--hypothesis-show-statistics")


@nox.session(default=False, requires=["build"])
def crash(session: nox.Session) -> None:
    """The program killed with SIGKILL at two hundred moments, and what that costs."""
    session.install(the_wheel("[test]"))
    session.env["ICEYE_CRASH_KILLS"] = "200"
    run_pytest(session, "-k", "test_crash", "-o", "faulthandler_timeout=0")


@nox.session(default=False, requires=["build"])
def fuzz(session: nox.Session) -> None:
    """What reads foreign bytes, under a fuzzer that is guided by coverage: five minutes of it."""
    session.install(the_wheel("[test]"), "atheris")
    guided = str(ROOT / "tests" / "fuzz" / "guided.py")
    session.chdir(session.create_tmp())  # where it leaves what it found
    session.run("python", guided, *(session.posargs or ("-max_total_time=300", "-max_len=2000")))


@nox.session(requires=["build"])
def package(session: nox.Session) -> None:
    """What a user gets: the right files, few packages, and an import that costs little."""
    with zipfile.ZipFile(the_wheel()) as wheel:
        names = wheel.namelist()
    page = {f"iceye_derivatives/geo/vendor/leaflet/{name}" for name in ("LICENSE", "leaflet.js")}
    if lost := page - set(names):
        session.error(f"The wheel lacks {lost}, without which no map can be drawn")
    strays = [name for name in names if not name.startswith("iceye_derivatives")]
    if strays or "iceye_derivatives/py.typed" not in names:
        session.error(f"The wheel lacks py.typed or holds strays: {strays}")
    with tarfile.open(next(DIST.glob("*.tar.gz"))) as sdist:
        files = {name.partition("/")[2] for name in sdist.getnames()}
    if (
        missing := {"LICENSE", "README.md", "CHANGELOG.md", "noxfile.py", "tests/conftest.py"}
        - files
    ):
        session.error(f"The sdist lacks {missing}")

    session.install(the_wheel())
    with session.chdir(session.create_tmp()):
        session.run("python", "-W", "error", "-c", BARE_IMPORT)
        session.run("python", "-c", BARE_INSTALL)
    session.install("twine")
    session.run("twine", "check", "--strict", *map(str, DIST.iterdir()))


@nox.session(requires=["build"])
def demo(session: nox.Session) -> None:
    """The README's run command, from the wheel: a stranger's first minute."""
    session.install(the_wheel("[cli]"))
    found = Path(session.create_tmp()).resolve() / "detections"
    session.chdir(found.parent)
    session.run("iceye-derivatives", "demo", "--to", str(found))
    files = sorted(p for p in found.rglob("*") if p.is_file() and not p.name.startswith("."))
    if not files or any(path.suffix != ".geojson" for path in files):
        session.error(f"The demo left {files}")


@nox.session(requires=["build"])
def docs(session: nox.Session) -> None:
    """The pages, any warning an error; what they load in a browser comes with them."""
    session.install(the_wheel("[docs]"))
    pages = Path(session.create_tmp()).resolve() / "html"
    session.run("python", "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(pages))
    far = re.compile(r"<(?:script|img|link rel=.?stylesheet)[^>]*(?:src|href)=.?(?:https?:)?//")
    if lost := [page.name for page in pages.rglob("*.html") if far.search(page.read_text("utf-8"))]:
        session.error(f"A reader in a closed network would lack parts of {lost}")


@nox.session(python="3.12", default=False, requires=["build"])
def closed(session: nox.Session) -> None:
    """The page for closed networks: its own commands, from the download of wheels to the demo."""
    page = (ROOT / "docs" / "how-to" / "air-gapped.md").read_text("utf-8")
    gather, install, demo = re.findall(r"```console\n\$ (.*?)```", page, re.DOTALL)[:3]
    session.install("pip")
    session.chdir(session.create_tmp())
    shutil.rmtree("wheelhouse", ignore_errors=True)
    # What was built here stands in for what the index would have.
    session.run("bash", "-ec", gather, env={"PIP_FIND_LINKS": str(DIST)}, external=True)
    for step in (install, demo):
        commands = step.replace("\n$ ", "\n")
        session.run("bash", "-ec", commands, env={"PIP_INDEX_URL": NO_INDEX}, external=True)


@nox.session(default=False, requires=["build"])
def pictures(session: nox.Session) -> None:
    """Draw the pages' pictures anew: the demo's detections in Chromium, and the terminal."""
    session.install(the_wheel("[cli,geo]"))
    for script in ("draw_map.py", "draw_terminal.py"):
        session.run("python", str(ROOT / "docs" / script))


@nox.session(default=False, requires=["build"])
def bench(session: nox.Session) -> None:
    """What the numbers of `benchmarks/README.md` are on this machine: all, or the script named."""
    session.install(the_wheel("[test,speed]"), "pyperf")
    scripts = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py"))}
    name, *options = session.posargs or ("",)
    for script in [scripts[name]] if name else scripts.values():
        session.run("python", str(script), *options)
