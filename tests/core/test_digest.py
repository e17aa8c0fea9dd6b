"""Are the digests that a store offers read as their documents say, and compared?"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.digest import DigestCheck, Offer, offers

BODY = b'{"type": "FeatureCollection", "features": []}'
SHA256 = b64encode(hashlib.sha256(BODY).digest()).decode()
MD5 = b64encode(hashlib.md5(BODY, usedforsecurity=False).digest()).decode()
CRC = b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()

SPELLINGS = [
    {"repr-digest": f"sha-256=:{SHA256}:"},
    {"repr-digest": f"unknown=:AAAA:, sha-256=:{SHA256}:"},
    {"content-digest": f"sha-256=:{SHA256}:"},
    {"digest": f"SHA-256={SHA256}"},
    {"digest": f"md5={MD5}, sha-256={SHA256}"},
    {"content-md5": MD5},
    {"x-amz-checksum-sha256": SHA256},
    {"x-amz-checksum-crc32": CRC},
    {"x-goog-hash": f"crc32c=AAAAAA==,md5={MD5}"},
]


def checked(body: bytes, offered: tuple[Offer, ...]) -> str | None:
    check = DigestCheck(offered)
    check.feed(body[:7])
    check.feed(body[7:])
    return check.fault(hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("headers", SPELLINGS)
def test_each_spelling_is_read_and_the_right_bytes_agree(headers: dict[str, str]) -> None:
    offered = offers(headers, whole=True)

    assert offered
    assert checked(BODY, offered) is None


@pytest.mark.parametrize("headers", SPELLINGS)
def test_one_changed_byte_is_noticed(headers: dict[str, str]) -> None:
    """Complaint 19 (CS-SI/eodag #1834).

    No integrity check, though the bytes pass through anyway.
    """
    fault = checked(BODY.replace(b"F", b"f"), offers(headers, whole=True))

    assert fault is not None
    assert "is not the one that the store gives" in fault


def test_of_a_part_only_the_digest_of_the_representation_counts() -> None:
    """RFC 9530: a ``Content-Digest`` of a 206 is of the part that it carries."""
    part = {"content-digest": f"sha-256=:{SHA256}:", "content-md5": MD5, "digest": f"md5={MD5}"}

    assert offers(part, whole=False) == ()
    assert len(offers({"repr-digest": f"sha-256=:{SHA256}:"} | part, whole=False)) == 1


def test_an_offer_that_comes_in_the_middle_is_judged_by_the_hash_of_the_whole() -> None:
    check = DigestCheck()
    check.also(offers({"repr-digest": f"sha-256=:{SHA256}:"}, whole=False))
    check.feed(BODY[7:])

    assert check.fault(hashlib.sha256(BODY).hexdigest()) is None
    assert check.fault(hashlib.sha256(BODY[7:]).hexdigest()) is not None


def test_what_an_earlier_part_has_offered_is_not_forgotten_with_the_next() -> None:
    check = DigestCheck()
    for offered in ({"repr-digest": f"sha-256=:{SHA256}:"}, {}):
        check.also(offers(offered, whole=False))

    assert check.fault(hashlib.sha256(BODY[7:]).hexdigest()) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"repr-digest": "sha-256=:AAAA:"},
        {"repr-digest": "sha-256=:!!!!:"},
        {"content-md5": "ü"},
        {"x-amz-checksum-sha256": f"{SHA256}-3"},
        {"etag": '"d41d8cd98f00b204e9800998ecf8427e"'},
    ],
)
def test_what_is_no_digest_of_the_file_proves_nothing(headers: dict[str, str]) -> None:
    assert offers(headers, whole=True) == ()


@given(
    st.dictionaries(
        st.sampled_from([next(iter(headers)) for headers in SPELLINGS]),
        st.text() | st.sampled_from([next(iter(headers.values())) for headers in SPELLINGS]),
    ),
    st.booleans(),
)
def test_whatever_the_store_says_is_read_without_a_crash(
    headers: dict[str, str], whole: bool
) -> None:
    checked(BODY, offers(headers, whole=whole))
