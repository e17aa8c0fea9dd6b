"""Does a shell's user read what happened to a file, from what the error knows of it?"""

from __future__ import annotations

import errno
import re

import pytest
from cli_stage import FAULT, ref

from iceye_derivatives import (
    DownloadError,
    DownloadFailedError,
    Limits,
    LinkUnavailableError,
    NetworkError,
    UnreadableDerivativesError,
    Watch,
    WatchTimeoutError,
)
from iceye_derivatives._core.content import ContentFault
from iceye_derivatives._core.metering import TooManyBytes
from iceye_derivatives._core.transfer_errors import TransferErrors
from iceye_derivatives._core.transfer_terms import GiveUp, Verdict
from iceye_derivatives.cli.sentences import sentence

ASSET = ref(1)
ERRORS = TransferErrors(ASSET, "task-1/x.geojson")
AT = "/to/task-1/x.geojson"


def given_up(verdict: Verdict, **evidence: object) -> DownloadError:
    return ERRORS.verdict(GiveUp(verdict=verdict, reason="it is so", **evidence), tries=3)


def storage(number: int, name: str | None) -> DownloadError:
    cause = OSError(number, "No such place", name)
    error = ERRORS.storage(cause)
    error.__cause__ = cause
    return error


def unavailable() -> DownloadError:
    error = LinkUnavailableError(
        "The link is dead: see the cause, then download again", asset=ASSET
    )
    error.__cause__ = NetworkError("It broke.")
    return error


WHAT_CAME = "task-1/x.geojson was not stored, as what the store sent is not the file"
REFUSED = "task-1/x.geojson was not fetched: it is so"
MEND = "mend that, and run the same command again"
SENTENCES = {
    "what came": (
        ERRORS.fault(ContentFault("it is HTML", b"<html>\n\x1b[2J" + b"x" * 999)),
        (
            rf"{WHAT_CAME}: it is HTML; it begins with '<html>\n\x1b[2J{'x' * 37}'; run the same "
            "command again, and ask ICEYE if it stays so"
        ),
    ),
    "nothing came": (ERRORS.content("it is empty", b""), f"{WHAT_CAME}: it is empty"),
    "refused": (
        given_up(Verdict.REFUSED, status=403, store_code="AccessDenied"),
        f"{REFUSED} (AccessDenied); ask ICEYE if it stays so",
    ),
    "refused without a code": (
        given_up(Verdict.REFUSED, status=403),
        f"{REFUSED}; ask ICEYE if it stays so",
    ),
    "no such folder": (
        storage(errno.ENOENT, "/to"),
        f"{AT} could not be stored (/to: No such place): {MEND}",
    ),
    "a disk that does not say where": (
        storage(errno.EIO, None),
        f"{AT} could not be stored (No such place): {MEND}",
    ),
    "too large": (
        ERRORS.fault(TooManyBytes("it has more than", "bytes_per_file", Limits(bytes_per_file=7))),
        (
            "task-1/x.geojson was not stored: it has more than the 7 allowed; a program of your "
            "own can raise that, by Limits(bytes_per_file=…)"
        ),
    ),
    "no link": (unavailable(), "The link is dead: It broke."),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_what_happened_to_a_file_is_told_from_the_evidence(case: str) -> None:
    error, words = SENTENCES[case]
    error.path = AT
    assert sentence(error) == words


@pytest.mark.parametrize(
    "error",
    [
        *(error for error, _ in SENTENCES.values()),
        ERRORS.unsafe("it is odd"),
        ERRORS.no_room("No space left"),
        ERRORS.busy("process 7"),
        ERRORS.broken("it broke"),
        given_up(Verdict.BROKEN),
    ],
    ids=str,
)
def test_no_attribute_is_spoken_of(error: DownloadError) -> None:
    """Nobody at a shell can look at one."""
    assert not re.search(r" \.[a-z]|the cause", sentence(error))


def test_what_cannot_be_read_is_told_at_the_end_of_a_watch() -> None:
    watch = Watch("task-1")
    watch._unreadable = (FAULT,)
    so_far = (
        "Task task-1 is not complete: 0 derivative(s) came, missing: derivative-2 (cannot be read: "
        "data[1].assets[0].href (DC_AIRCRAFT derivative-2) is not a string); "
    )

    late = sentence(WatchTimeoutError("late", watch=watch))
    stuck = sentence(UnreadableDerivativesError("stuck", watch=watch))

    assert late == f"{so_far}run the same command again to go on"
    assert stuck == f"{so_far}report it to ICEYE, and run the same command again when it is mended"


def test_of_many_files_the_first_are_told() -> None:
    """They mostly fail alike, and a thousand would be a page."""
    errors = [ERRORS.broken(str(number)) for number in range(9)]
    told = sentence(DownloadFailedError("9 of 9 files failed", errors))
    assert told == (
        "9 of 9 files failed: The transfer of task-1/x.geojson broke: 0; The transfer of "
        "task-1/x.geojson broke: 1; The transfer of task-1/x.geojson broke: 2; and 6 more"
    )
