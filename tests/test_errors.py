"""Is the error tree as it is drawn: one root, evidence that pickles, a word on retrying?"""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import Any

import pytest

from iceye_derivatives import errors
from iceye_derivatives._core.watch import Watch
from iceye_derivatives.events import DownloadReport
from iceye_derivatives.models import AssetRef

ASSET = AssetRef(
    task_id="task", derivative_id="derivative", product_type="DC_VESSELS", asset_type="geojson"
)
FAULT = errors.Fault(path="productTypes", message="GRD is missing", code="INVALID_REQUEST")
EVIDENCE: dict[str, Any] = {
    "allowed": 64,
    "asset": ASSET,
    "code": "ERR_INSUFFICIENT_FUNDS",
    "errors": [errors.ContentError("It is no GeoJSON", asset=ASSET, first_bytes=b"<html>")],
    "faults": [FAULT],
    "first_bytes": b"<html>",
    "limit": "json_depth",
    "message": "It went wrong; try again",
    "path": "task/DC_VESSELS_derivative.geojson",
    "reference": "https://docs.example/create-task",
    "retry_after": 12.5,
    "sent": False,
    "status": 403,
    "store_code": "AccessDenied",
    "task_id": "task",
    "watch": Watch("task", requested=["DC_VESSELS"]),
}
"""A value for each argument that any error takes, so that each error can be made whole."""


def all_errors() -> list[type[BaseException]]:
    """Every exception class that is defined in `errors.py`, exported or not."""
    return [
        value
        for value in vars(errors).values()
        if inspect.isclass(value)
        and issubclass(value, BaseException)
        and value.__module__ == errors.__name__
    ]


def an_error(cls: type[BaseException]) -> BaseException:
    """An instance with all the evidence that its constructor takes."""
    parameters = list(inspect.signature(cls).parameters.values())
    positional = [EVIDENCE[p.name] for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    named = {p.name: EVIDENCE[p.name] for p in parameters if p.kind is p.KEYWORD_ONLY}
    return cls(*positional, **named)


def evidence(error: BaseException) -> dict[str, Any]:
    """What an error carries, in a form that compares: a watch by what it would save."""
    values = vars(error) | {"args": error.args, "text": str(error)}
    if isinstance(error, errors.DownloadFailedError):
        values["args"] = (error.message, [evidence(member) for member in error.exceptions])
    if isinstance(error, errors.WatchError):
        values["watch"] = error.watch.to_json()
    return values


def drawn_tree() -> dict[str, tuple[str | None, bool]]:
    """The tree of the module's docstring: name → (name of the parent, marked as retryable)."""
    branches: list[str] = []
    tree: dict[str, tuple[str | None, bool]] = {}
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r" {4}((?:│ {3}| {4})*)(├── |└── |)([A-Z]\w+Error)\b", line):
            depth = len(found[1]) // 4 + bool(found[2])
            branches[depth:] = [found[3]]
            parent = branches[depth - 1] if depth else None
            tree[found[3]] = (parent, line.endswith(" retryable"))
    return tree


@pytest.mark.parametrize("cls", all_errors())
def test_every_error_is_an_iceye_error_that_is_exported_and_explained(
    cls: type[BaseException],
) -> None:
    assert issubclass(cls, errors.IceyeError)
    assert cls.__name__ in errors.__all__
    assert cls.__name__.endswith("Error")
    assert vars(cls)["__doc__"]


def test_the_drawing_shows_each_class_under_its_parent_and_no_other() -> None:
    ours = set(all_errors())
    actual = {
        cls.__name__: next((base.__name__ for base in cls.__mro__[1:] if base in ours), None)
        for cls in ours
    }

    assert {name: parent for name, (parent, _) in drawn_tree().items()} == actual


def test_the_drawing_says_which_errors_may_pass_by_themselves() -> None:
    actual = {cls.__name__ for cls in all_errors() if cls.retryable}  # type: ignore[attr-defined]

    assert {name for name, (_, marked) in drawn_tree().items() if marked} == actual


@pytest.mark.parametrize("cls", all_errors())
def test_every_error_pickles_and_copies_with_all_its_evidence(cls: type[BaseException]) -> None:
    """Schedulers send errors between processes; what is lost on the way cannot be acted on."""
    error = an_error(cls)
    error.add_note("seen by the scheduler")
    error.report = DownloadReport()  # type: ignore[attr-defined]

    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        copied = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - our own bytes

        assert type(copied) is cls
        assert evidence(copied) == evidence(error)

    assert evidence(copy.copy(error)) == evidence(error)
    assert evidence(copy.deepcopy(error)) == evidence(error)


def test_a_watch_timeout_is_a_timeout_error_too() -> None:
    """Whoever wraps waits in ``except TimeoutError`` need not know this library."""
    with pytest.raises(TimeoutError):
        raise an_error(errors.WatchTimeoutError)


def test_all_faults_of_a_request_stand_in_one_error() -> None:
    other = errors.Fault(path="acquisitionWindow.end", message="it lies before the start")
    error = errors.InvalidTaskRequestError([FAULT, other])

    assert error.faults == (FAULT, other)
    assert error.codes == ("INVALID_REQUEST",)
    assert all(text in str(error) for text in (FAULT.path, FAULT.message, other.path))


def test_failed_downloads_split_by_kind_with_except_star() -> None:
    refused = errors.LinkRefusedError("The store says no", asset=ASSET, status=403)
    full = errors.DiskFullError("No room is left", asset=ASSET)
    caught: list[errors.DownloadFailedError] = []

    try:
        raise errors.DownloadFailedError("2 of 3 files failed", [refused, full])
    except* errors.DiskFullError as group:
        caught.append(group)  # type: ignore[arg-type]
    except* errors.LinkRefusedError as group:
        caught.append(group)  # type: ignore[arg-type]

    assert [type(group) for group in caught] == [errors.DownloadFailedError] * 2
    assert [group.exceptions for group in caught] == [(full,), (refused,)]
    assert {group.message for group in caught} == {"2 of 3 files failed"}


def test_failed_downloads_can_be_caught_whole() -> None:
    with pytest.raises(errors.IceyeError):
        raise an_error(errors.DownloadFailedError)
