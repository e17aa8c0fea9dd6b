"""Is what is above a ceiling refused by the ceiling's name, and not read?"""

from __future__ import annotations

import functools
from typing import Any

import attrs
import pytest
from answers import NOW, response

from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.responses import error_for, read_snapshot, read_task, read_task_page
from iceye_derivatives.errors import ConfigurationError, LimitExceededError


def test_a_body_above_the_ceiling_is_not_parsed() -> None:
    """The error names the ceiling, its value and how to raise it."""
    limits = Limits(json_bytes=1000)
    with pytest.raises(LimitExceededError, match=r"the 1,000 allowed.*Limits\(json_bytes=…\)") as e:
        read_snapshot("t", response(200, b" " * 1001), NOW, limits=limits)
    assert (e.value.limit, e.value.allowed, e.value.task_id) == ("json_bytes", 1000, "t")
    assert not e.value.retryable
    assert e.value.__cause__ is e.value.__context__ is None


GOOD: dict[str, Any] = {
    "id": "a",
    "derivativeProductType": "DC_VESSELS",
    "assets": [{"type": "g", "href": "h"}],
}
DEFAULTS = attrs.asdict(Limits())
NOTHING: Any = None
DEEP: Any = functools.reduce(lambda inner, _: [inner], range(10), NOTHING)


@pytest.mark.parametrize(
    ("limits", "listing"),
    [
        (Limits(derivatives_per_task=2), {"data": [GOOD] * 3}),
        (Limits(assets_per_derivative=2), {"data": [GOOD | {"assets": GOOD["assets"] * 3}]}),
        (Limits(json_depth=9), {"data": [GOOD | {"unknown": DEEP}]}),
        (Limits(json_depth=9), {"data": [], "meta": DEEP}),
        (
            Limits(json_depth=9),
            {"data": [GOOD | {"assets": [{"type": "g", "href": "h", "x": DEEP}]}]},
        ),
        (Limits(id_length=9), {"data": [GOOD | {"id": "x" * 10}]}),
        (Limits(id_length=9), {"data": [GOOD | {"imageReference": "x" * 10}]}),
        (Limits(id_length=10), {"data": [GOOD | {"assets": [{"type": "x" * 11, "href": "h"}]}]}),
        (Limits(link_length=40), {"data": [GOOD | {"assets": [{"type": "g", "href": "x" * 41}]}]}),
        (Limits(link_length=40), {"data": [GOOD | {"unknown": {"x" * 41: 1}}]}),
        (Limits(link_length=40), {"data": [], "cursor": "x" * 41}),
    ],
)
def test_what_is_above_a_ceiling_is_named_by_it(limits: Limits, listing: dict[str, Any]) -> None:
    """Each ceiling of a listing: the same listing passes with the defaults."""
    (name,) = (key for key, value in attrs.asdict(limits).items() if value != DEFAULTS[key])
    with pytest.raises(LimitExceededError, match=rf"Limits\({name}=…\)") as caught:
        read_snapshot("t", response(200, listing), NOW, limits=limits)
    assert caught.value.limit == name
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert read_snapshot("t", response(200, listing), NOW).status == 200


@pytest.mark.parametrize("name", [key for key in DEFAULTS if key != "redirects"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_ceiling_that_nothing_passes_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Limits(**{name: value})  # type: ignore[arg-type]  # a float for a whole number, on purpose


def test_a_task_above_a_ceiling_is_named_too() -> None:
    """What a task holds beyond our fields is kept, so it is looked at."""
    body = {"id": "t", "status": "ACTIVE", "meta": DEEP}
    with pytest.raises(LimitExceededError, match="json_depth"):
        read_task(response(200, body), NOW, limits=Limits(json_depth=9))
    with pytest.raises(LimitExceededError, match="json_depth"):
        read_task_page(response(200, {"data": [body]}), NOW, limits=Limits(json_depth=9))


def test_a_longer_retry_after_is_cut_to_its_ceiling() -> None:
    """One header must not stop a client for a year.

    Trap (azure, Retry-After): it goes through `int()`, so an HTTP date would raise.
    """
    answer = response(429, b"", retry_after="99999999")
    error = error_for(answer, NOW, operation="getTask", limits=Limits(retry_after=7.0))
    assert error.retry_after == 7.0
