"""Where can a redirect lead that nobody should follow?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iceye_derivatives.simulator.fault_kit.chapter import API, CDN, TOKEN, Chapter
from iceye_derivatives.simulator.fault_kit.hrefs import NEAREST, SCHEMES
from iceye_derivatives.simulator.messages import Answer

if TYPE_CHECKING:
    from iceye_derivatives.simulator.incident import Incident

REDIRECTS = Chapter("Redirects")

_STATUSES = (302, 301, 303, 307, 308)


@REDIRECTS.fault("instead", CDN, API, TOKEN, status=_STATUSES)
def redirect_to_itself(incident: Incident) -> Answer:
    """A redirect (`status`) to the very same URL: a harmless detour, with `times=None` a loop."""
    return _redirect(f"{incident.origins[incident.side]}{incident.call.target}", incident)


@REDIRECTS.fault("instead", CDN, API, TOKEN, scheme=("https", "http"), status=_STATUSES)
def redirect_outside(incident: Incident) -> Answer:
    """A redirect (`status`) to another host, by `scheme` in the clear or not; nobody is there."""
    scheme = incident.settings["scheme"]
    return _redirect(f"{scheme}://files.simulator.invalid{incident.call.target}", incident)


@REDIRECTS.fault("instead", CDN, API, TOKEN, status=_STATUSES)
def redirect_across(incident: Incident) -> Answer:
    """A redirect (`status`) from the CDN to the API, or from API and tokens to the CDN.

    That is another origin: a request that follows shows, in `requests`, what it brought along.
    """
    other = API if incident.side is CDN else CDN
    return _redirect(f"{incident.origins[other]}{incident.call.target}", incident)


@REDIRECTS.fault("instead", CDN, API, TOKEN, status=_STATUSES)
def redirect_by_other_name(incident: Incident) -> Answer:
    """A redirect (`status`) to the same place by the name "localhost": to a client another host."""
    port = incident.origins[incident.side].rpartition(":")[2]
    scheme = incident.origins[incident.side].partition("://")[0]
    return _redirect(f"{scheme}://localhost:{port}{incident.call.target}", incident)


@REDIRECTS.fault("instead", CDN, API, TOKEN, host=NEAREST)
def redirect_to_private(incident: Incident) -> Answer:
    """A redirect to a `host` that is private, "169.254.169.254" for example."""
    return _redirect(f"http://{incident.settings['host']}/latest/meta-data/", incident)


@REDIRECTS.fault("instead", CDN, API, TOKEN, scheme=tuple(SCHEMES))
def redirect_to_scheme(incident: Incident) -> Answer:
    """A redirect to another `scheme`, a file of the machine's own among them."""
    return _redirect(SCHEMES[incident.settings["scheme"]], incident)


@REDIRECTS.fault("instead", CDN, API, TOKEN)
def redirect_with_credentials(incident: Incident) -> Answer:
    """A redirect to the same place with user and password before the host."""
    origin = incident.origins[incident.side].replace("://", "://user:simulated-password@")
    return _redirect(f"{origin}{incident.call.target}", incident)


@REDIRECTS.fault("instead", CDN, API, TOKEN, location=("", "missing", "https://[::1", "http:///"))
def redirect_to_nowhere(incident: Incident) -> Answer:
    """A redirect whose `location` is no URL, or is "missing"."""
    location = incident.settings["location"]
    if location == "missing":
        return Answer(status=302)
    return _redirect(location, incident)


def _redirect(location: str, incident: Incident) -> Answer:
    status = incident.settings.get("status", _STATUSES[0])
    return Answer(status=status, headers={"Location": location})
