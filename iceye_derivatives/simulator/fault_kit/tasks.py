"""How can what the API says of tasks be wrong, or come too late?"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from iceye_derivatives.simulator.fault_kit.chapter import API, Chapter, loaded, refusal, went_well
from iceye_derivatives.simulator.messages import Answer, json_answer
from iceye_derivatives.simulator.notation import parse_rfc3339

if TYPE_CHECKING:
    from iceye_derivatives.simulator.incident import Incident

TASKS = Chapter("Tasks")

_LIST = "/api/tasking/v2/tasks"
# A cursor of the simulator's own: behind a task that is newer than all.
_FROM_THE_TOP = b64encode(b"after:1000000000").decode()


@TASKS.fault("after", API, seconds=30.0)
def fresh_404(incident: Incident) -> Answer | None:
    """404 for a task that was ordered less than `seconds` ago: "not found" just after creation.

    It takes `times=None` to last for all of these seconds.
    """
    if (task := _task(incident)) is None or incident.call.method != "GET":
        return None
    return refusal(incident, 404) if _is_fresh(task, incident) else None


@TASKS.fault("instead", API)
def forgotten_task(incident: Incident) -> Answer | None:
    """404 in ICEYE's own words for a task that is there, and for all that belongs to it.

    So speaks a part of the API that has lost its data for a while, or a gateway that knows JSON.
    """
    return refusal(incident, 404) if incident.call.path.startswith(f"{_LIST}/") else None


@TASKS.fault("after", API, seconds=60.0)
def late_listing(incident: Incident) -> Answer | None:
    """Tasks that were ordered less than `seconds` ago are missing from the list of tasks.

    It takes `times=None` to last for all of these seconds.
    """
    if (listing := _listing(incident)) is None:
        return None
    older = [task for task in listing["data"] if not _is_fresh(task, incident)]
    if len(older) == len(listing["data"]):
        return None
    return json_answer(200, {**listing, "data": older})


@TASKS.fault("after", API)
def repeated_cursor(incident: Incident) -> Answer | None:
    """The list of tasks gives the same page with the same cursor, again and again.

    It takes `times=None` to last.
    """
    if (listing := _listing(incident)) is None:
        return None
    return json_answer(200, {**listing, "cursor": _FROM_THE_TOP})


@TASKS.lie("after", API, status="PLACEMENT_FAILED")
def other_status(incident: Incident) -> Answer | None:
    """A task shows another `status` than it has; by default one that the page does not know."""
    if (task := _task(incident)) is None:
        return None
    return json_answer(incident.answer.status, {**task, "status": incident.settings["status"]})


@TASKS.lie("after", API)
def other_task(incident: Incident) -> Answer | None:
    """A task that was asked for by its id comes with the id of another."""
    if (task := _task(incident)) is None or incident.call.method != "GET":
        return None
    other = f"{task['id'][:-1]}{'0' if task['id'][-1] != '0' else '1'}"
    return json_answer(incident.answer.status, {**task, "id": other})


@TASKS.lie("after", API, moment="0001-01-01T00:00:00+14:00")
def odd_moments(incident: Incident) -> Answer | None:
    """All moments of a task are `moment`, one at the edge of what a calendar can hold."""
    if (task := _task(incident)) is None:
        return None
    moment = incident.settings["moment"]
    spoilt = {
        "createdAt": moment,
        "updatedAt": moment,
        "acquisitionWindow": {"start": moment, "end": moment},
    }
    return json_answer(incident.answer.status, {**task, **spoilt})


def _task(incident: Incident) -> dict[str, Any] | None:
    value = loaded(incident) if went_well(incident) else None
    return value if isinstance(value, dict) and "createdAt" in value else None


def _listing(incident: Incident) -> dict[str, Any] | None:
    if not went_well(incident) or incident.call.method != "GET" or incident.call.path != _LIST:
        return None
    listing: dict[str, Any] = loaded(incident)
    return listing


def _is_fresh(task: dict[str, Any], incident: Incident) -> bool:
    fresh: bool = incident.now - parse_rfc3339(task["createdAt"]) < incident.settings["seconds"]
    return fresh
