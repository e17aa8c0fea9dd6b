"""How can the list of derivatives be wrong?"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attrs import evolve

from iceye_derivatives.simulator.fault_kit.chapter import (
    API,
    Chapter,
    is_part,
    loaded,
    refusal,
    went_well,
)
from iceye_derivatives.simulator.messages import Answer, json_answer

if TYPE_CHECKING:
    from iceye_derivatives.simulator.incident import Incident

LISTINGS = Chapter("Lists of derivatives")

_MIB = 1024 * 1024
_NEXT = "page-2"


@LISTINGS.fault("after", API)
def flap_404(incident: Incident) -> Answer | None:
    """Derivatives that were listed with 206 are gone again: 404."""
    return refusal(incident, 404) if is_part(incident) else None


@LISTINGS.fault("after", API)
def empty_assets_200(incident: Incident) -> Answer | None:
    """200 where 206 was due: complete by its status, with an empty `assets` in its body."""
    return evolve(incident.answer, status=200) if is_part(incident) else None


@LISTINGS.fault("after", API)
def missing_type_200(incident: Incident) -> Answer | None:
    """200 that lacks the last of the derivatives that were ordered."""
    if not (data := listed_derivatives(incident))[1:]:
        return None
    return relisted(incident, data[:-1], status=200)


@LISTINGS.lie("after", API)
def vanished_type(incident: Incident) -> Answer | None:
    """The first derivative that had an asset is not listed any more; the status is as it was."""
    data = listed_derivatives(incident)
    shown = [each for each in data if each["assets"]]
    if not shown:
        return None
    return relisted(incident, [each for each in data if each is not shown[0]])


@LISTINGS.fault("after", API)
def unknown_type(incident: Incident) -> Answer | None:
    """One derivative more, of a type and with fields that the page does not know."""
    if not (data := listed_derivatives(incident)):
        return None
    stranger = {**data[-1], "id": "stranger", "derivativeProductType": "DC_BUILDINGS", "new": 1}
    return relisted(incident, [*data, stranger])


@LISTINGS.lie("after", API, what=("derivative", "id", "asset"))
def duplicates(incident: Incident) -> Answer | None:
    """By `what`, there is twice: a whole "derivative", the "id" of one, or each "asset"."""
    if not (data := listed_derivatives(incident)):
        return None
    first, *rest = data
    doubled = {
        "derivative": [first, first, *rest],
        "id": [{**each, "id": first["id"]} for each in data],
        "asset": [{**each, "assets": each["assets"] * 2} for each in data],
    }[incident.settings["what"]]
    return relisted(incident, doubled)


@LISTINGS.fault("after", API)
def paged_derivatives(incident: Incident) -> Answer | None:
    """The list comes in pages, which ICEYE's page does not know: one derivative and a cursor.

    With the cursor comes the rest, without one. It takes `times=None` to last.
    """
    if not (data := listed_derivatives(incident))[1:]:
        return None
    if incident.call.parameters.get("cursor") == _NEXT:
        return relisted(incident, data[1:])
    return relisted(incident, data[:1], cursor=_NEXT)


@LISTINGS.lie("after", API, count=500)
def too_many_derivatives(incident: Incident) -> Answer | None:
    """`count` derivatives more, each with an id of its own, all with the link of the first."""
    shown = [each for each in listed_derivatives(incident) if each["assets"]]
    if not shown:
        return None
    more = [{**shown[0], "id": f"more-{n}"} for n in range(incident.settings["count"])]
    return relisted(incident, [*listed_derivatives(incident), *more])


@LISTINGS.lie("after", API, count=500)
def too_many_assets(incident: Incident) -> Answer | None:
    """Each derivative has `count` assets more, of types of their own, all with one link."""
    if not (data := listed_derivatives(incident)):
        return None
    more = [
        {**each, "assets": [*each["assets"], *_copies(each["assets"], incident.settings["count"])]}
        for each in data
    ]
    return relisted(incident, more)


@LISTINGS.fault("after", API, size=4 * _MIB)
def huge_listing(incident: Incident) -> Answer | None:
    """The true list with a field more of `size` bytes."""
    if not (data := listed_derivatives(incident)):
        return None
    return relisted(incident, data, padding="x" * incident.settings["size"])


@LISTINGS.fault(
    "after",
    API,
    shape=("list", "null", "string", "number", "data_null", "data_object", "no_data", "items"),
)
def odd_listing(incident: Incident) -> Answer | None:
    """Good JSON of another shape than the page's.

    `shape` says of which: the body is a "list", "null", a "string" or a "number"; its `data` is
    null, an object or missing; or the "items" of `data` are no objects.
    """
    if not (data := listed_derivatives(incident)):
        return None
    body: object = {
        "list": data,
        "null": None,
        "string": "data",
        "number": 1,
        "data_null": {"data": None},
        "data_object": {"data": data[0]},
        "no_data": {},
        "items": {"data": [1, None, "x", []]},
    }[incident.settings["shape"]]
    return json_answer(incident.answer.status, body)


@LISTINGS.fault("after", API, field=("id", "derivativeProductType", "assets", "href", "type"))
def missing_field(incident: Incident) -> Answer | None:
    """The first derivative lacks a `field` that the page promises; "href" and "type" of assets."""
    if not (data := listed_derivatives(incident)):
        return None
    name, first = incident.settings["field"], data[0]
    assets = [{k: v for k, v in asset.items() if k != name} for asset in first["assets"]]
    poorer = {k: v for k, v in {**first, "assets": assets}.items() if k != name}
    return relisted(incident, [poorer, *data[1:]])


@LISTINGS.fault(
    "after",
    API,
    field=("href", "type", "asset", "assets", "id", "derivativeProductType", "derivative"),
    product_type="",
)
def unreadable_derivative(incident: Incident) -> Answer | None:
    """One derivative that has an asset holds a list where the page promises something else.

    `field` is what is wrapped in it: its "id" or "derivativeProductType", the whole "derivative",
    or of its first asset the "href", the "type" or all; instead of its "assets" comes an object.
    It is that of `product_type`, or the first (""); the others and the status are as they were.
    """
    data, wanted = listed_derivatives(incident), incident.settings["product_type"]
    struck = [
        number
        for number, each in enumerate(data)
        if each["assets"] and wanted in {"", each["derivativeProductType"]}
    ]
    if not struck:
        return None
    data[struck[0]] = _wrapped(data[struck[0]], incident.settings["field"])
    return relisted(incident, data)


def _wrapped(derivative: dict[str, Any], field: str) -> Any:  # noqa: ANN401 (JSON is anything)
    if field == "derivative":
        return [derivative]
    if field == "assets":
        return {**derivative, "assets": {"items": derivative["assets"]}}
    if field in derivative:
        return {**derivative, field: [derivative[field]]}
    first, *rest = derivative["assets"]
    wrapped = [first] if field == "asset" else {**first, field: [first[field]]}
    return {**derivative, "assets": [wrapped, *rest]}


def listed_derivatives(incident: Incident) -> list[dict[str, Any]]:
    """Give the derivatives of an answer; none where it does not list them."""
    if not went_well(incident) or not incident.call.path.endswith("/derivatives"):
        return []
    data: list[dict[str, Any]] = loaded(incident)["data"]
    return data


def relisted(
    incident: Incident,
    data: list[dict[str, Any]],
    *,
    status: HTTPStatus | int | None = None,
    **more: object,
) -> Answer:
    """Answer with other derivatives, under the true status unless another is given."""
    return json_answer(incident.answer.status if status is None else status, {"data": data, **more})


def _copies(assets: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    return [{**asset, "type": f"{asset['type']}-{n}"} for asset in assets for n in range(count)]
