"""Does each cause have its code, and do people read a sentence?"""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest
from cli_stage import ref

from iceye_derivatives import (
    ConfigurationError,
    DiskFullError,
    DownloadFailedError,
    Fault,
    IceyeError,
    InvalidTaskRequestError,
    NoDerivativesRequestedError,
    PollBudgetError,
    ServerError,
    TaskEndedError,
    TransferError,
    Watch,
    WatchTimeoutError,
)
from iceye_derivatives.cli import main
from iceye_derivatives.cli.exit_codes import CAUSES, Interrupted, exit_code
from iceye_derivatives.cli.sentences import sentence

ABSTRACT = {"IceyeError", "WatchError"}


def kinds(root: type[IceyeError] = IceyeError) -> Iterator[type[IceyeError]]:
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


def ours() -> list[type[IceyeError]]:
    """Without those that other tests make, which run in the same process."""
    found = {kind for kind in kinds() if kind.__module__.startswith("iceye_derivatives.")}
    return sorted(found, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", ours())
def test_each_error_of_the_library_has_a_code_of_its_own(kind: type[IceyeError]) -> None:
    mro = [each for cause in CAUSES for each in cause.errors]
    assert (kind.__name__ in ABSTRACT) != any(issubclass(kind, each) for each in mro)


def test_codes_are_listed_once_and_in_order() -> None:
    codes = [cause.code for cause in CAUSES]
    assert codes == sorted(set(codes))


def test_help_lists_every_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for cause in CAUSES:
        assert f"{cause.code:>3}  {cause.meaning}" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigurationError("It lacks X: set it"), 2, "It lacks X: set it"),
        (
            InvalidTaskRequestError([Fault("productTypes", "lacks GRD")]),
            2,
            "productTypes: lacks GRD; --no-check sends it all the same",
        ),
        (
            NoDerivativesRequestedError("x", watch=Watch("t")),
            4,
            (
                "Task t lists no derivatives, so none are waited for: if some were ordered, name "
                "them with --derivative; else order a task that has some"
            ),
        ),
        (
            TaskEndedError("x", watch=Watch("t", requested=["DC_A"]), status="REJECTED"),
            5,
            (
                "Task t is REJECTED: what is missing (DC_A) will not come; "
                "order a new task if you still need it"
            ),
        ),
        (
            WatchTimeoutError("x", watch=Watch("t")),
            6,
            (
                "Task t is not complete: 0 derivative(s) came, missing: all; "
                "run the same command again to go on"
            ),
        ),
        (
            PollBudgetError("x", watch=Watch("t")),
            8,
            (
                "Task t is not complete: 0 derivative(s) came, missing: all; "
                "too many looks failed in a row, the last: None"
            ),
        ),
        (DownloadFailedError("1 failed", [TransferError("b", asset=ref(1))]), 7, "1 failed: b"),
        (
            DownloadFailedError(
                "2 failed", [TransferError("b", asset=ref(1)), DiskFullError("f", asset=ref(2))]
            ),
            9,
            "2 failed: b; f",
        ),
        (ServerError("503.", status=503), 8, "503."),
        (OSError(errno.EACCES, "Permission denied", "/x"), 9, "/x: Permission denied"),
        (Interrupted("Go on."), 130, "Interrupted. Go on."),
        (KeyError("nobody expected"), 1, "KeyError: 'nobody expected'"),
    ],
)
def test_an_error_ends_with_its_code_and_one_sentence(
    error: Exception, code: int, words: str
) -> None:
    assert exit_code(error) == code
    assert sentence(error).endswith(words)
    assert "watch=" not in sentence(error)
