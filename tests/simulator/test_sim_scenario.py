"""Does a scenario say the same from Python and from a file, and complain where the mistake is?"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import fields
from sim_caller import TASKS, Caller

from iceye_derivatives.simulator import (
    Scenario,
    ScenarioError,
    Simulator,
    TaskPlan,
    Trouble,
    VirtualClock,
    load_scenario,
    serve,
)
from iceye_derivatives.simulator.__main__ import main
from iceye_derivatives.simulator.scenario_file import _PLAN, _SCENARIO, parse_scenario

SHOWN = sorted((Path(__file__).parents[2] / "docs" / "scenarios").glob("*.toml"))

FULL = """
seed = 7
detections = 5
token_lifetime = 60
link_lifetime = 120.5
signing = "custom"
content_type = "application/json"

[plan]
accepted_after = 1
outcome = "FAILED"
failed_after = 2
echo_types = false
image_id = "I-1"
derivative_delays = { DC_VESSELS = 60, DC_AIRCRAFT = inf }
extra_assets.DC_VESSELS = { type = "csv", after = 30 }
scene_moves = [{ before = 3600, off = -60 }]
promises = 28800

[[faults]]
name = "rate_limited"
times = 3
retry_after = "date"

[[faults]]
name = "skewed_clock"
times = "always"
skip = 1
side = "cdn"
path = "/vessels"
seconds = -30
"""
SAME = Scenario(
    seed=7,
    detections=5,
    token_lifetime=60.0,
    link_lifetime=120.5,
    signing="custom",
    content_type="application/json",
    plan=TaskPlan(
        accepted_after=1.0,
        outcome="FAILED",
        failed_after=2.0,
        echo_types=False,
        image_id="I-1",
        derivative_delays={"DC_VESSELS": 60.0, "DC_AIRCRAFT": math.inf},
        extra_assets={"DC_VESSELS": ("csv", 30.0)},
        scene_moves=((3600.0, -60.0),),
        promises=28_800,
    ),
    faults=(
        Trouble(name="rate_limited", times=3, settings={"retry_after": "date"}),
        Trouble(
            name="skewed_clock",
            times=None,
            skip=1,
            side="cdn",
            path="/vessels",
            settings={"seconds": -30},
        ),
    ),
)


def test_a_file_says_what_python_says(tmp_path: Path) -> None:
    file = tmp_path / "full.toml"
    file.write_text(FULL)
    assert load_scenario(file) == load_scenario(str(file)) == SAME


def test_an_empty_file_changes_nothing() -> None:
    assert parse_scenario("") == Scenario()


def test_a_file_can_say_all_that_python_can() -> None:
    assert _SCENARIO.keys() == {each.name for each in fields(Scenario)}
    assert _PLAN.keys() == {each.name for each in fields(TaskPlan)} | {"quick"}


def test_a_quick_plan_may_still_differ() -> None:
    plan = parse_scenario("[plan]\nquick = true\nimaged_after = 60").plan
    assert plan == TaskPlan.quick(imaged_after=60.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = ", "it is no TOML: Invalid value (at end of document)"),
        ("sed = 1", "sed: there is no such key; known are plan, faults, seed"),
        ("seed = true", "seed: must be a whole number, 0 or more"),
        ("detections = -1", "detections: must be a whole number, 0 or more"),
        ("link_lifetime = nan", "link_lifetime: must be 0 seconds or more"),
        ('token_lifetime = "1 h"', "token_lifetime: must be a number of seconds"),
        ('signing = "rsa"', "signing: must be one of canned, custom"),
        ("content_type = 1", "content_type: must be a string"),
        ("plan = 1", "plan: must be a table"),
        ("[plan]\nimaged = 1", "plan.imaged: there is no such key; known are quick"),
        ('[plan]\noutcome = "LOST"', "plan.outcome: must be one of DONE, REJECTED, FAILED"),
        ("[plan]\necho_types = 1", "plan.echo_types: must be true or false"),
        ("[plan]\nderivative_delays.DC_X = -1", "plan.derivative_delays.DC_X: must be 0 seconds"),
        ("[plan]\nscene_moves = [{ off = 1 }]", "plan.scene_moves[0].before: is missing"),
        ("[plan]\nscene_moves = 1", "plan.scene_moves: must be an array of tables"),
        ("[plan]\nextra_assets.DC_X = {}", "plan.extra_assets.DC_X.after: is missing"),
        ("[plan]\nextra_assets.DC_X = {typ = 1}", "plan.extra_assets.DC_X.typ: there is no such"),
        ("[faults]", "faults: must be an array of tables: write [[faults]]"),
        ("faults = [1]", "faults[0]: must be a table"),
        ("[[faults]]", "faults[0].name: is missing"),
        ("[[faults]]\nname = 1", "faults[0].name: must be a string"),
        ('[[faults]]\nname = "nil"', "faults[0]: there is no fault 'nil'; known are absurd_length"),
        (
            '[[faults]]\nname = "flap_404"\n[[faults]]\nname = "flap_404"\ntimes = "often"',
            "faults[1].times: must be a whole number",
        ),
        ('[[faults]]\nname = "flap_404"\ntimes = 0', "faults[0]: flap_404 strikes a whole number"),
        ('[[faults]]\nname = "flap_404"\nside = "cdn"', "faults[0]: flap_404 cannot strike 'cdn'"),
        ('[[faults]]\nname = "flap_404"\nside = "x"', "faults[0].side: must be one of api, token"),
        ('[[faults]]\nname = "flap_404"\nn = 1', "faults[0]: flap_404 has no setting 'n'"),
        (
            '[[faults]]\nname = "rate_limited"\nseconds = "x"',
            "faults[0]: seconds of rate_limited is a whole number, not 'x'",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "mistake.toml"
    file.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    assert str(caught.value).startswith(f"mistake.toml: {message}")


def test_a_file_that_is_no_text_is_told_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "picture.toml"
    file.write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ScenarioError, match=r"^picture.toml: "):
        load_scenario(file)


def test_a_trouble_is_checked_where_it_is_written() -> None:
    with pytest.raises(ValueError, match="has no setting 'minutes'"):
        Trouble(name="rate_limited", settings={"minutes": 1})


def test_two_scenarios_joined_have_all_faults_and_the_later_settings() -> None:
    first = Scenario(faults=[Trouble(name="flap_404")], seed=1, detections=2)
    second = Scenario(faults=[Trouble(name="bit_rot")], seed=3)
    joined = first | second
    assert [each.name for each in joined.faults] == ["flap_404", "bit_rot"]
    assert (joined.seed, joined.detections) == (3, 2)
    assert first | Scenario() == Scenario() | first == first


def applied(sim: Simulator) -> dict[str, Any]:
    """What a scenario may change, read from where it takes effect."""
    return {
        "plan": sim.world.plan,
        "seed": sim.world.seed,
        "detections": sim.world.detections,
        "token_lifetime": sim.tokens.lifetime,
        "link_lifetime": sim.desk.links.lifetime,
        "signing": sim.desk.links.signing,
        "content_type": sim.desk.cdn.content_type,
        "faults": tuple((armed.fault.name, armed.times, armed.skip) for armed in sim.faults),
    }


def test_a_scenario_goes_before_the_other_arguments() -> None:
    assert applied(Simulator(scenario=SAME, seed=1, detections=9)) == {
        "plan": SAME.plan,
        "seed": 7,
        "detections": 5,
        "token_lifetime": 60.0,
        "link_lifetime": 120.5,
        "signing": "custom",
        "content_type": "application/json",
        "faults": (("rate_limited", 3, 0), ("skewed_clock", None, 1)),
    }


def test_an_empty_scenario_leaves_the_other_arguments() -> None:
    settings: dict[str, Any] = {"seed": 1, "detections": 9, "signing": "custom"}
    assert applied(Simulator(scenario=Scenario(), **settings)) == applied(Simulator(**settings))


def test_a_scenario_adds_to_what_is_there_and_can_be_used_again() -> None:
    sims = Simulator(), Simulator()
    for sim in sims:
        sim.faults.add("bit_rot")
        SAME.apply(sim)
        assert next(armed.fault.name for armed in sim.faults) == "bit_rot"
    assert applied(sims[0]) == applied(sims[1])


@pytest.mark.anyio
async def test_a_scenario_happens(caller: Caller) -> None:
    scenario = Scenario(detections=2, faults=[Trouble(name="rate_limited", times=2)])
    scenario.apply(caller.sim)
    statuses = [(await caller.api("GET", TASKS)).status for _ in range(3)]
    assert statuses == [429, 429, 200]
    assert len((await caller.send("GET", await caller.a_link())).json["features"]) == 2


@pytest.mark.anyio
async def test_serve_takes_a_scenario_and_faults_besides() -> None:
    names: list[str] = []
    async with anyio.create_task_group() as group:

        def on_ready(sim: Simulator) -> None:
            names.extend(armed.fault.name for armed in sim.faults)
            group.cancel_scope.cancel()

        await serve(on_ready=on_ready, clock=VirtualClock(), faults=["bit_rot"], scenario=SAME)
    assert names == ["rate_limited", "skewed_clock", "bit_rot"]


def test_there_are_scenarios_to_look_at() -> None:
    assert len(SHOWN) >= 3


@pytest.mark.parametrize("file", SHOWN, ids=lambda file: file.stem)
def test_a_shown_scenario_can_be_loaded_and_says_what_it_is(file: Path) -> None:
    assert load_scenario(file) != Scenario()
    assert file.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("name", ["missing.toml", "wrong.toml"])
def test_the_shell_is_told_what_is_wrong_with_a_scenario(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong.toml").write_text("sed = 1")
    assert main(["--scenario", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert "could not start" in error
    assert name in error
