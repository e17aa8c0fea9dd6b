"""How can what the API says of a task's scene, and of when its products are due, be wrong?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iceye_derivatives.simulator.fault_kit.chapter import API, Chapter, loaded, refusal, went_well
from iceye_derivatives.simulator.messages import Answer, json_answer
from iceye_derivatives.simulator.notation import parse_rfc3339, rfc3339

if TYPE_CHECKING:
    from iceye_derivatives.simulator.incident import Incident

SCENES = Chapter("Scenes and promises")


@SCENES.fault("after", API, status=(404, 403, 500))
def no_scene(incident: Incident) -> Answer | None:
    """There is no scene where there should be one: `status` 404, 403 or 500.

    It takes `times=None` to last.
    """
    return None if _scene(incident) is None else refusal(incident, incident.settings["status"])


@SCENES.fault("after", API, shape=("no_imaging_time", "naive", "backwards", "number", "list"))
def odd_scene(incident: Incident) -> Answer | None:
    """A scene of another shape than ICEYE's schema.

    `shape` says of which: there is "no_imaging_time", its moments have no offset ("naive") or stand
    "backwards", its incidence angle is a "number", or the body is a "list".
    """
    if (scene := _scene(incident)) is None:
        return None
    time = scene["imagingTime"]
    bodies: dict[str, object] = {
        "no_imaging_time": {k: v for k, v in scene.items() if k != "imagingTime"},
        "naive": {**scene, "imagingTime": {k: v.removesuffix("Z") for k, v in time.items()}},
        "backwards": {**scene, "imagingTime": {"start": time["end"], "end": time["start"]}},
        "number": {**scene, "incidenceAngle": float(scene["incidenceAngle"])},
        "list": [scene],
    }
    return json_answer(200, bodies[incident.settings["shape"]])


@SCENES.lie("after", API, seconds=3600.0)
def moving_scene(incident: Incident) -> Answer | None:
    """The image is planned for `seconds` from now, whenever it is asked for.

    It takes `times=None` to last.
    """
    return _planned(incident, incident.now + incident.settings["seconds"])


@SCENES.lie("after", API, by=86_400.0)
def lying_scene(incident: Incident) -> Answer | None:
    """The image is planned, or was taken, `by` seconds later than in truth (below 0: earlier).

    It takes `times=None` to last.
    """
    if (scene := _scene(incident)) is None:
        return None
    return _planned(
        incident, parse_rfc3339(scene["imagingTime"]["start"]) + incident.settings["by"]
    )


@SCENES.lie("after", API, seconds=10)
def wrong_promise(incident: Incident) -> Answer | None:
    """A task says that its products are due `seconds` after imaging, hours from the truth.

    It takes `times=None` to last.
    """
    value = loaded(incident) if went_well(incident) else None
    if not isinstance(value, dict) or "createdAt" not in value:
        return None
    promise = {"productsAvailableInSeconds": incident.settings["seconds"]}
    return json_answer(incident.answer.status, {**value, **promise})


def _planned(incident: Incident, start: float) -> Answer | None:
    if (scene := _scene(incident)) is None:
        return None
    time = {"start": rfc3339(start), "end": rfc3339(start + scene["duration"])}
    return json_answer(200, {**scene, "imagingTime": time})


def _scene(incident: Incident) -> dict[str, Any] | None:
    value = loaded(incident) if went_well(incident) else None
    return value if isinstance(value, dict) and "imagingTime" in value else None
