"""Is every link that leads astray refused, with a reason that gives nothing away?"""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iceye_derivatives._core.addresses import is_loopback, is_private
from iceye_derivatives._core.link_policy import (
    UnsafeLink,
    check_hosts,
    check_link,
    redirect_target,
)
from iceye_derivatives.errors import ConfigurationError

STORE = "https://d1234567890abc.cloudfront.net/a%2Fb.geojson?Expires=1&Signature=a~b_&Sig=%2F"


@pytest.mark.parametrize(
    "link",
    [
        STORE,
        "http://127.0.0.1:81/x",
        "http://[::1]/x",
        "http://cdn.localhost/x",
        "https://10.0.0.1/x",
    ],
)
def test_links_of_stores_and_of_this_machine_are_opened(link: str) -> None:
    """A private address is fine where no redirect chose it: many live in closed networks."""
    check_link(link)


@pytest.mark.parametrize(
    "link",
    [
        "http://cdn.example/x?Signature=planted",
        "ftp://cdn.example/planted",
        "file:///etc/planted",
        "//cdn.example/planted",
        "https:planted",
        "https://user:planted@cdn.example/",
        "https://cdn.example@planted.example/",
        "https://cdn.example:99999/planted",
        "https://[::1/planted",
        "https://cdn.example/planted x",
        "https://cdn.example/planted\r\nHost: x",
        "https://cdn.example\\@planted",
        "https://cdn.exämple/planted",
        "https://2130706433/planted",
        "https://0x7f.1/planted",
        "https://127.1/planted",
        "https://1.2.3.4./planted",
        "",
    ],
)
def test_other_links_are_refused_without_being_quoted(link: str) -> None:
    """Plain http, odd schemes, credentials, characters and addresses in odd forms."""
    with pytest.raises(UnsafeLink) as caught:
        check_link(link)

    assert "planted" not in str(caught.value)


@given(st.text(max_size=8), st.integers(0, 0x180))
def test_no_character_passes_but_those_that_every_parser_reads_alike(rest: str, code: int) -> None:
    """Printable ASCII without the space and the backslash; it says the link's origin then."""
    link = f"https://cdn.example/{chr(code)}{rest}"
    if re.fullmatch(r"[!-\[\]-~]+", link):
        assert check_link(link) == "https://cdn.example"
    else:
        with pytest.raises(UnsafeLink, match="characters"):
            check_link(link)


def test_plain_http_is_the_callers_to_allow() -> None:
    """And nothing else becomes allowed with it."""
    check_link("http://cdn.example/x", allow_http=True)
    with pytest.raises(UnsafeLink, match="scheme"):
        check_link("ftp://cdn.example/x", allow_http=True)


@pytest.mark.parametrize(
    "inner",
    [
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00::1]/",
        "https://[::ffff:192.168.0.1]/",
        "http://localhost/",
        "http://127.0.0.1/",
    ],
)
def test_no_redirect_leads_from_a_public_store_into_a_private_network(inner: str) -> None:
    """The same link is fine from a store that is private itself."""
    with pytest.raises(UnsafeLink, match="private"):
        check_link(inner, came_from=STORE)
    check_link(inner, came_from="https://192.168.7.7/x")


@given(st.text(max_size=30), st.booleans())
@example("https://[v1.x]/", False)  # noqa: FBT003 - by position, as given
def test_no_text_breaks_the_check(link: str, allow_http: bool) -> None:
    """The law: a decision for any text, and what passes has a scheme, a host and no credentials."""
    for text in (link, "https://" + link, "https://cdn.example/" + link):
        try:
            check_link(text, allow_http=allow_http)
        except UnsafeLink:
            continue
        assert text.lower().startswith(("https://", "http://"))
        assert text.isascii()
        assert "@" not in text.split("/")[2].partition("?")[0]


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (STORE, STORE),
        (f" {STORE}#fragment", STORE),
        ("/other?Sig=%2F", "https://cdn.example/other?Sig=%2F"),
        ("b?x", "https://cdn.example/dir/b?x"),
        ("//evil.example/x", "https://evil.example/x"),
        ("ftp://x/", "ftp://x/"),
        ("//[::1/x", "//[::1/x"),
    ],
)
def test_a_location_is_followed_byte_for_byte(location: str, target: str) -> None:
    """A signature may be in it; a relative one is joined to where it came from."""
    assert redirect_target("https://cdn.example/dir/a?Signature=s", location) == target


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("notlocalhost", False),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_this_machine_is_known_by_its_names(host: str, expected: bool) -> None:
    """RFC 6761 gives ``.localhost`` to the loopback."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("8.8.8.8", False),
        ("2606:4700::1111", False),
        ("cdn.example", False),
        ("10.0.0.1", True),
        ("100.64.0.1", True),
        ("127.0.0.1", True),
        ("169.254.169.254", True),
        ("172.16.0.1", True),
        ("192.168.0.1", True),
        ("0.0.0.0", True),  # noqa: S104 - nothing is bound
        ("224.0.0.1", True),
        ("255.255.255.255", True),
        ("::1", True),
        ("::", True),
        ("fe80::1", True),
        ("fe80::1%eth0", True),
        ("fd00:ec2::254", True),
        ("ff02::1", True),
        ("::ffff:10.0.0.1", True),
        ("64:ff9b::a9fe:a9fe", True),
        ("64:ff9b::808:808", False),
        ("2002:a9fe:a9fe::", True),
        ("api.localhost", True),
    ],
)
def test_private_networks_are_known_in_every_coat(host: str, expected: bool) -> None:
    """Clouds keep their credentials at 169.254.169.254, and translators lead to it."""
    assert is_private(host) is expected


def test_links_lead_to_allowed_hosts_alone() -> None:
    """An exact name, a name below one, and nothing that only looks like it."""
    allowed = check_hosts(["*.CloudFront.net", "store.example.", "10.1.2.3", "::1"])
    for good in (STORE, "https://store.example./x", "https://10.1.2.3/x", "https://[::1]/x"):
        check_link(good, allowed_hosts=allowed)
    for host in ("cloudfront.net", "evilcloudfront.net", "a.store.example", "x.example", "[::2]"):
        with pytest.raises(UnsafeLink, match="allowed_hosts"):
            check_link(f"https://{host}/x", allowed_hosts=allowed)


def test_a_host_that_is_named_may_be_private() -> None:
    """Whoever names a store in a closed network means it; a pattern means nothing of that kind."""
    api = "https://platform.example"
    check_link("https://10.1.2.3/x", allowed_hosts={"10.1.2.3"}, came_from=api)
    with pytest.raises(UnsafeLink, match="private"):
        check_link("https://10.1.2.3/x", came_from=api)
    with pytest.raises(UnsafeLink, match="private"):
        check_link("https://cdn.localhost/x", allowed_hosts={"*.localhost"}, came_from=api)


@pytest.mark.parametrize(
    "hosts",
    ["cdn.example", ["https://cdn.example"], ["cdn.example:443"], ["*"], ["*.*.example"], [""]],
)
def test_what_is_no_host_is_refused_as_a_setting(hosts: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="allowed_hosts"):
        check_hosts(hosts)
