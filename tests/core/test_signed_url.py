"""When does a signed URL die, by its own word?"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.signed_url import read_signed_url

MOMENTS = st.integers(0, 253_402_300_799)
BASE = "https://cdn.example/path/a.geojson"


def policy(document: object) -> str:
    """A custom policy as AWS encodes it."""
    encoded = b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()
    return encoded.translate(str.maketrans("+=/", "-_~"))


def until(moment: object) -> dict[str, object]:
    return {
        "Statement": [
            {"Resource": BASE, "Condition": {"DateLessThan": {"AWS:EpochTime": moment}}},
        ]
    }


@given(MOMENTS, st.sampled_from(["?Expires={}&Signature=s", "?a=b&Expires={}", "?Expires={}#f"]))
def test_a_canned_policy_says_it_in_expires(moment: int, form: str) -> None:
    assert read_signed_url(BASE + form.format(moment)).expires == float(moment)


@given(MOMENTS)
def test_a_custom_policy_says_it_in_its_first_statement(moment: int) -> None:
    url = read_signed_url(f"{BASE}?Policy={policy(until(moment))}&Signature=s&Key-Pair-Id=K")
    assert url.expires == float(moment)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(1, 604_800))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_s3_says_it_as_a_date_and_a_life(signed: datetime, life: int) -> None:
    signed = signed.replace(microsecond=0, tzinfo=UTC)
    url = f"{BASE}?X-Amz-Date={signed:%Y%m%dT%H%M%SZ}&X-Amz-Expires={life}&X-Amz-Signature=s"
    assert read_signed_url(url).expires == signed.timestamp() + life


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?Signature=s",
        "?XExpires=1700000000",
        "?Expires=",
        "?Expires=soon",
        "?Expires=-1",
        "?Expires=253402300800",
        "?Expires=" + "9" * 5000,
        "#?Expires=1700000000",
        "?Policy=",
        "?Policy=%%%",
        "?Policy=" + policy([]),
        "?Policy=" + policy({"Statement": []}),
        "?Policy=" + policy(until(None)),
        "?Policy=" + policy(until(True)),  # noqa: FBT003 - the value under test
        "?Policy=" + policy(until(float("nan"))),
        "?Policy=" + policy(until(10**400)),
        "?Policy=" + b64encode(b"[" * 6000).decode(),
        "?X-Amz-Date=20240101T000000Z",
        "?X-Amz-Date=20241301T000000Z&X-Amz-Expires=3600",
        "?X-Amz-Date=yesterday&X-Amz-Expires=3600",
    ],
)
def test_what_cannot_be_read_is_unknown(query: str) -> None:
    assert read_signed_url(BASE + query).expires is None


@given(
    st.text(st.characters(), max_size=300),
    st.sampled_from(["", "?Policy=", "?X-Amz-Date=", "?Expires="]),
)
def test_it_never_raises_and_never_changes_a_byte(garbage: str, start: str) -> None:
    """Lone surrogates, broken ports and control characters included."""
    raw = start + garbage
    url = read_signed_url(raw)
    assert url.reveal() == raw
    assert url.expires is None or url.expires_at is not None


@given(st.binary(max_size=200))
def test_any_bytes_as_a_policy_are_survived(body: bytes) -> None:
    read_signed_url(
        f"{BASE}?Policy={b64encode(body).decode().translate(str.maketrans('+=/', '-_~'))}"
    )
