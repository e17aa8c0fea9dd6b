"""Are links good for what was signed, until it expires, and for nothing else?"""

from __future__ import annotations

import json
from base64 import b64decode
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives.simulator.links import Links, Signing

BASE = "http://127.0.0.1:8080"
PATH = "/abc-123-def/aircraft-detections.geojson"
NOW = 1_800_000_000.0

signings = st.sampled_from(["canned", "custom"])


def links(signing: Signing = "canned") -> Links:
    return Links(BASE, secret="s", signing=signing)


def target(url: str) -> str:
    assert url.startswith(BASE)
    return url.removeprefix(BASE)


@given(signings, st.floats(0, 3599))
def test_a_link_is_good_until_its_hour_is_over(signing: Signing, age: float) -> None:
    """Quotes the page: "Download URLs expire in 1 hour.".

    Complaint 2 (dimensionalOS/dimos #3913): one-hour URLs die during a long transfer; the test
    store never expired one.
    """
    signer = links(signing)
    link = target(signer.sign(PATH, now=NOW))
    assert signer.refusal(link, now=NOW + age) is None
    refusal = signer.refusal(link, now=NOW + 3600)
    assert refusal is not None
    assert (refusal.code, refusal.message) == ("AccessDenied", "Access denied")


@given(signings, st.data())
def test_any_changed_byte_is_refused(signing: Signing, data: st.DataObject) -> None:
    signer = links(signing)
    link = target(signer.sign(PATH, now=NOW))
    place = data.draw(st.integers(0, len(link) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    changed = link[:place] + other + link[place + 1 :]
    assert (signer.refusal(changed, now=NOW) is None) == (changed == link)


@given(signings, st.data())
def test_a_link_that_lost_or_won_bytes_is_refused(signing: Signing, data: st.DataObject) -> None:
    signer = links(signing)
    link = target(signer.sign(PATH, now=NOW))
    place = data.draw(st.integers(0, len(link)))
    more = data.draw(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
    assert signer.refusal(link[:place] + more + link[place:], now=NOW) is not None
    if place < len(link):
        assert signer.refusal(link[:place], now=NOW) is not None


@pytest.mark.parametrize("signing", ["canned", "custom"])
def test_requoting_a_link_breaks_it(signing: Signing) -> None:
    """What many an HTTP client does to a URL by itself is not what was signed."""
    signer = links(signing)
    link = target(signer.sign(PATH, now=NOW))
    path, query = link.split("?")
    terms = query.split("&")
    for changed in (
        link.replace("~", "%7E").replace("-", "%2D"),
        f"{path}?{'&'.join(reversed(terms))}",
        f"{link}&x=1",
        f"{link}&",
        f"{path}?x=1&{query}",
        f"{path}?{query}&{terms[0]}",
    ):
        assert changed != link
        assert signer.refusal(changed, now=NOW) is not None


def test_a_canned_link_shows_its_expiry() -> None:
    query = parse_qs(links().sign(PATH, now=NOW).partition("?")[2])
    assert list(query) == ["Expires", "Signature", "Key-Pair-Id"]
    assert query["Expires"] == [str(int(NOW) + 3600)]


def test_a_custom_link_keeps_its_expiry_in_the_policy() -> None:
    query = parse_qs(links("custom").sign(PATH, now=NOW).partition("?")[2])
    assert list(query) == ["Policy", "Signature", "Key-Pair-Id"]
    policy = query["Policy"][0].translate(str.maketrans("-_~", "+=/"))
    statement = json.loads(b64decode(policy))["Statement"][0]
    assert statement["Resource"] == BASE + PATH
    assert statement["Condition"]["DateLessThan"]["AWS:EpochTime"] == int(NOW) + 3600


def test_one_path_is_never_signed_twice_alike() -> None:
    signer = links()
    assert len({signer.sign(PATH, now=NOW) for _ in range(50)}) == 50


def test_a_link_of_another_key_or_host_is_refused() -> None:
    link = target(links().sign(PATH, now=NOW))
    assert Links(BASE, secret="other").refusal(link, now=NOW) is not None
    elsewhere = Links("http://127.0.0.1:8081", secret="s")
    assert elsewhere.refusal(link, now=NOW) is not None


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("", "MissingKey", "Missing Key-Pair-Id query parameter or cookie value"),
        ("Expires=1&Signature=x", "MissingKey", "Missing Key-Pair-Id query parameter"),
        ("Expires=1&Signature=x&Key-Pair-Id=K1", "AccessDenied", "Unknown Key"),
        ("Policy=e30&Signature=x&Key-Pair-Id=K2JCJMDEHXQW5F", "MalformedPolicy", "Malformed"),
        ("Policy=e30_&Signature=x&Key-Pair-Id=K2JCJMDEHXQW5F", "AccessDenied", "Access denied"),
        ("Expires=soon&Signature=x&Key-Pair-Id=K2JCJMDEHXQW5F", "AccessDenied", "Access denied"),
        ("Signature=x&Key-Pair-Id=K2JCJMDEHXQW5F", "AccessDenied", "Access denied"),
    ],
)
def test_what_cloudfront_says_to_links_that_are_none(query: str, code: str, message: str) -> None:
    refusal = links().refusal(f"{PATH}?{query}", now=NOW)
    assert refusal is not None
    assert refusal.code == code
    assert refusal.message.startswith(message)
