"""What does a scenario file say: TOML, read strictly, faults named by their place in it."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from iceye_derivatives.simulator.plan import TaskPlan
from iceye_derivatives.simulator.scenario import Scenario, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[str, Any], Any]

ALWAYS = "always"
"""What `times` says for ever: TOML has no null."""


class ScenarioError(ValueError):
    """A scenario file cannot be used; the message names the file and the place in it."""


def load_scenario(path: str | Path) -> Scenario:
    """Read a scenario from a TOML file.

    Its keys are those of `Scenario`; the table `plan` has those of `TaskPlan` and `quick` (true
    begins with `TaskPlan.quick()`), each table of `faults` those of `Trouble` and the fault's own
    settings beside them. `times` may be "always".

    Raises:
        ScenarioError: The file is no TOML, or says something that there is not.
        OSError: The file cannot be read.
    """
    name = Path(path).name
    try:
        return parse_scenario(Path(path).read_text(encoding="utf-8"))
    except (ScenarioError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{name}: {error}") from None


def parse_scenario(text: str) -> Scenario:
    """Read a scenario from TOML; see `load_scenario`.

    Raises:
        ScenarioError: It is no TOML, or says something that there is not.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"it is no TOML: {error}") from None
    return Scenario(**_table(_SCENARIO)("", said))


def _fail(path: str, rule: str) -> ScenarioError:
    return ScenarioError(f"{path}: {rule}" if path else rule)


def _table(checks: Mapping[str, Check]) -> Check:
    def check(path: str, value: object) -> dict[str, Any]:
        values = _tables_only(path, value)
        for name in values:
            if name not in checks:
                raise _fail(_at(path, name), f"there is no such key; known are {', '.join(checks)}")
        return {name: checks[name](_at(path, name), values[name]) for name in values}

    return check


def _tables_only(path: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _fail(path, "must be a table")
    return value


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _seconds(path: str, value: object) -> float:
    # A bool is an int to Python; `inf`, which never comes, is a number of TOML.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _fail(path, "must be a number of seconds")
    if math.isnan(value) or value < 0:
        raise _fail(path, "must be 0 seconds or more")
    return float(value)


def _whole(path: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _fail(path, "must be a whole number, 0 or more")
    return value


def _flag(path: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _fail(path, "must be true or false")
    return value


def _text(path: str, value: object) -> str:
    if not isinstance(value, str):
        raise _fail(path, "must be a string")
    return value


def _one_of(*allowed: str) -> Check:
    def check(path: str, value: object) -> str:
        if value not in allowed:
            raise _fail(path, f"must be one of {', '.join(allowed)}")
        return _text(path, value)

    return check


def _delays(path: str, value: object) -> dict[str, float]:
    table = _tables_only(path, value)
    return {name: _seconds(_at(path, name), each) for name, each in table.items()}


def _moves(path: str, value: object) -> tuple[tuple[float, float], ...]:
    move = _table({"before": _seconds, "off": _difference})
    if not isinstance(value, list):
        raise _fail(path, "must be an array of tables")
    found = []
    for place, each in enumerate(value):
        said = move(f"{path}[{place}]", each)
        if missing := {"before", "off"} - said.keys():
            raise _fail(_at(f"{path}[{place}]", min(missing)), "is missing")
        found.append((said["before"], said["off"]))
    return tuple(found)


def _difference(path: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _fail(path, "must be a number of seconds")
    return float(value)


def _extra_assets(path: str, value: object) -> dict[str, tuple[str, float]]:
    asset = _table({"type": _text, "after": _seconds})
    found = {}
    for name, each in _tables_only(path, value).items():
        said = asset(_at(path, name), each)
        if missing := {"type", "after"} - said.keys():
            raise _fail(_at(_at(path, name), min(missing)), "is missing")
        found[name] = (said["type"], said["after"])
    return found


def _plan(path: str, value: object) -> TaskPlan:
    said = _table(_PLAN)(path, value)
    base = TaskPlan.quick() if said.pop("quick", False) else TaskPlan()
    return evolve(base, **said)


def _faults(path: str, value: object) -> tuple[Trouble, ...]:
    if not isinstance(value, list):
        raise _fail(path, "must be an array of tables: write [[faults]]")
    return tuple(_fault(f"{path}[{place}]", each) for place, each in enumerate(value))


def _fault(path: str, value: object) -> Trouble:
    said = dict(_tables_only(path, value))
    if "name" not in said:
        raise _fail(_at(path, "name"), "is missing")
    common = {
        name: check(_at(path, name), said.pop(name))
        for name, check in _TROUBLE.items()
        if name in said
    }
    try:
        return Trouble(**common, settings=said)
    except ValueError as error:
        raise _fail(path, str(error)) from None


def _times(path: str, value: object) -> int | None:
    return None if value == ALWAYS else _whole(path, value)


_TROUBLE: dict[str, Check] = {
    "name": _text,
    "times": _times,
    "skip": _whole,
    "side": _one_of("api", "token", "cdn"),
    "path": _text,
}

_PLAN: dict[str, Check] = {
    "quick": _flag,
    "accepted_after": _seconds,
    "imaged_after": _seconds,
    "imaged_into_window": _seconds,
    "fulfilled_after": _seconds,
    "done_after": _seconds,
    "derivative_delays": _delays,
    "outcome": _one_of("DONE", "REJECTED", "FAILED"),
    "failed_after": _seconds,
    "extra_assets": _extra_assets,
    "omit_image_reference": _flag,
    "image_id": _text,
    "opaque_ids": _flag,
    "echo_types": _flag,
    "detections": _whole,
    "scene_moves": _moves,
    "promises": _whole,
}

_SCENARIO: dict[str, Check] = {
    "plan": _plan,
    "faults": _faults,
    "seed": _whole,
    "detections": _whole,
    "token_lifetime": _seconds,
    "link_lifetime": _seconds,
    "signing": _one_of("canned", "custom"),
    "content_type": _text,
}
