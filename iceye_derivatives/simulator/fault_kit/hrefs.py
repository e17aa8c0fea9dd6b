"""How can a download link be none that one should follow, or not keep what it promises?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from iceye_derivatives.simulator.cdn import denial, origin_denial
from iceye_derivatives.simulator.fault_kit.chapter import API, CDN, Chapter, went_well
from iceye_derivatives.simulator.fault_kit.listings import listed_derivatives, relisted

if TYPE_CHECKING:
    from collections.abc import Callable

    from iceye_derivatives.simulator.incident import Incident
    from iceye_derivatives.simulator.messages import Answer

HREFS = Chapter("Links")

SCHEMES = {
    "http": "http://files.simulator.invalid/escaped.geojson?Signature=s",
    "file": "file:///etc/hostname",
    "ftp": "ftp://files.simulator.invalid/escaped.geojson",
    "data": 'data:application/geo+json,{"type":"FeatureCollection","features":[]}',
    "javascript": "javascript:alert(1)",
    "gopher": "gopher://127.0.0.1:11211/_stats",
    "unix": "unix:///var/run/docker.sock",
    "none": "//files.simulator.invalid/escaped.geojson",
}
"""Links by their scheme; nobody is there."""

PRIVATE = (
    "169.254.169.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 (a host that is not to be asked, and none to listen on)
    "[fd00::1]",
    "[fe80::1]",
    "[::ffff:10.0.0.1]",
    "0x0a000001",
    "167772161",
)
"""Hosts that are of no business to a link from outside, also in the spellings that hide it."""

NEAREST = "127.0.0.1:9"
"""A default, so that a run over all faults stays on this machine; nobody listens there."""

_BROKEN: dict[str, object] = {
    "empty": "",
    "blank": " ",
    "relative": "escaped.geojson",
    "no_host": "https:///escaped.geojson",
    "bad_port": "https://files.simulator.invalid:99999/escaped.geojson",
    "bad_ipv6": "https://[::1/escaped.geojson",
    "newline": "https://files.simulator.invalid/\r\nX-Injected: 1",
    "blanks": "https://files.simulator.invalid/es caped.geojson",
    "nul": "https://files.simulator.invalid/\x00",
    "not_ascii": "https://files.simulator.invalid/é\u202e.geojson",
    "long": f"https://files.simulator.invalid/{'x' * 100_000}",
    "null": None,
    "number": 1,
    "object": {},
}


@HREFS.fault("after", CDN)
def early_dead_url(incident: Incident) -> Answer | None:
    """A good link is dead before its stated expiry, for ever; one signed anew is good."""
    if not went_well(incident):
        return None
    incident.memory.deaths[incident.call.target] = incident.now
    return denial("AccessDenied", "Access denied")


@HREFS.fault("after", API, states=604_800.0, lives=120.0)
def long_promise(incident: Incident) -> Answer | None:
    """Links state that they live for `states` seconds, a week, and die after `lives` seconds."""

    def promise(href: str) -> str:
        link = incident.sign(urlsplit(href).path, incident.settings["states"])
        parts = urlsplit(link)
        target = f"{parts.path}?{parts.query}"
        incident.memory.deaths[target] = incident.now + incident.settings["lives"]
        return link

    return _linked(incident, promise)


@HREFS.fault("after", CDN)
def refused_url(incident: Incident) -> Answer | None:
    """A good link is refused with 403, however fresh it is."""
    return denial("AccessDenied", "Access denied") if went_well(incident) else None


@HREFS.fault("after", CDN)
def origin_denied(incident: Incident) -> Answer | None:
    """The bucket behind the CDN refuses, with RequestId and HostId; no fresh link helps."""
    return origin_denial(incident.call.path) if went_well(incident) else None


@HREFS.fault("after", CDN, seconds=10.0)
def cached_404(incident: Incident) -> Answer | None:
    """404 for a file that is there, kept by the CDN for `seconds` of the simulator's time.

    What is asked again sooner gets the same, whatever its link; that counts for no strike.
    """
    if not went_well(incident):
        return None
    answer = denial("NoSuchKey", "The specified key does not exist.", status=404)
    until = incident.now + incident.settings["seconds"]
    incident.memory.cached[incident.call.path] = (until, answer)
    return answer


@HREFS.fault("after", API, scheme=tuple(SCHEMES))
def odd_scheme_link(incident: Incident) -> Answer | None:
    """Links have another `scheme` than https; "none" leaves it out."""
    return _linked(incident, lambda _: SCHEMES[incident.settings["scheme"]])


@HREFS.fault("after", API)
def foreign_link(incident: Incident) -> Answer | None:
    """Links lead to another host by https, where nobody is."""
    return _linked(incident, lambda href: f"https://files.simulator.invalid{_target(href)}")


@HREFS.fault("after", API, host=NEAREST)
def private_link(incident: Incident) -> Answer | None:
    """Links lead to a `host` that is private, "169.254.169.254" for example."""
    return _linked(incident, lambda href: f"https://{incident.settings['host']}{_target(href)}")


@HREFS.fault("after", API, userinfo=("user:simulated-password", "simulated-token", ":", "a%40b"))
def credentialed_link(incident: Incident) -> Answer | None:
    """Good links but for a `userinfo` before the host; who follows them gets the file."""
    userinfo = incident.settings["userinfo"]
    return _linked(incident, lambda href: href.replace("://", f"://{userinfo}@", 1))


@HREFS.fault("after", API, kind=tuple(_BROKEN))
def broken_link(incident: Incident) -> Answer | None:
    """Links that are none, by their `kind`."""
    return _linked(incident, lambda _: _BROKEN[incident.settings["kind"]])


@HREFS.fault("after", API)
def unsigned_link(incident: Incident) -> Answer | None:
    """Links without any query: no expiry to be read, and the CDN refuses them."""
    return _linked(incident, lambda href: href.partition("?")[0])


def _linked(incident: Incident, change: Callable[[str], object]) -> Answer | None:
    """Put other links into a list of derivatives; None where there are none."""
    data = listed_derivatives(incident)
    if not any(each["assets"] for each in data):
        return None
    for each in data:
        each["assets"] = [{**asset, "href": change(asset["href"])} for asset in each["assets"]]
    return relisted(incident, data)


def _target(href: str) -> str:
    parts = urlsplit(href)
    return f"{parts.path}?{parts.query}"
