"""Does a planted secret, token or signature reach any line that the program writes?"""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_stage import TYPES, Stage

from iceye_derivatives.cli import app, main
from iceye_derivatives.cli.redaction import redact
from iceye_derivatives.simulator import FAULTS

# Those that let a client wait for an answer cost real time, and the e2e canary has them all.
SLOW = {"absurd_retry_after", "slow_headers", "stalled_body"}


@pytest.mark.parametrize("options", [[], ["--json", "--debug"]])
@pytest.mark.parametrize("fault", ["", *sorted(set(FAULTS) - SLOW)])
def test_no_secret_is_written(
    fault: str,
    options: list[str],
    stage: Stage,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    task_id = stage.task(derivative_product_types=TYPES)
    if fault:
        stage.simulator.faults.add(fault, times=4)
    patience = ["--timeout", "600"]
    state = ["--state", str(tmp_path / "state.json")]
    main(["watch", task_id, *patience, *state, *options])
    main(["download", task_id, "--to", str(tmp_path), *patience, *options])
    main(["status", task_id, *options])
    shown = capsys.readouterr()
    text = shown.out + shown.err
    text += "".join(str(path) for path in tmp_path.rglob("*"))
    text += "".join(p.read_text(errors="replace") for p in tmp_path.rglob("*") if p.is_file())
    secrets = stage.secrets()
    assert len(secrets) >= 3
    assert [secret for secret in secrets if secret in text] == []
    assert "Signature=" not in text
    assert "canary-secret" not in text


def test_even_an_error_that_nobody_expected_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its text and its traceback are the only ones that the library did not write."""
    monkeypatch.setenv("ICEYE_CLIENT_SECRET", "canary-secret")
    monkeypatch.setenv("ICEYE_ACCESS_TOKEN", "canary-token")

    def explode(**_: object) -> None:
        # Put together here, since a traceback shows lines of code.
        bird = "can" + "ary"
        raise RuntimeError(
            f"{bird}-secret {bird}-token https://cdn.example/a?Expires=1&Signature={bird}"
        )

    monkeypatch.setattr(app.status, "callback", explode)
    assert main(["status", "x", "--debug"]) == 1
    error = capsys.readouterr().err
    assert "RuntimeError" in error
    assert "Traceback" in error
    assert "canary" not in error.replace("test_cli_canary", "")


@pytest.mark.parametrize(
    "text",
    [
        "GET https://cdn.example/a.geojson?Expires=1&Signature=canary",
        "'https://cdn.example/a.geojson?x=canary'",
        "/a.geojson?Expires=1&Signature=canary&Key-Pair-Id=K",
        "Authorization: Bearer canary-token.abc",
        "Basic Y2FuYXJ5OmNhbmFyeQ== canary-secret",
        "X-Amz-Signature=canary",
        "client_secret=canary&grant_type=x",
    ],
)
def test_the_second_wall_catches_what_looks_like_a_secret(text: str) -> None:
    shown = redact(text, {"ICEYE_CLIENT_SECRET": "canary-secret"})
    assert "canary" not in shown
    assert "Y2FuYXJ5" not in shown
    assert "<redacted>" in shown


def test_harmless_words_are_left_alone() -> None:
    text = "task 7fb95g75 at https://cdn.example/a.geojson is READY (Basic question?)"
    assert redact(text, {"ICEYE_CLIENT_SECRET": ""}) == text
