"""What does a line of `--json` look like, as JSON Schema?

Which fields an event has is read from the table atop `iceye_derivatives.cli.json_lines`; what each
field is, stands here, once for all events that have it.
"""

from __future__ import annotations

import re
from typing import Any

from iceye_derivatives._core.inventory import Condition
from iceye_derivatives.cli import json_lines
from iceye_derivatives.cli.exit_codes import CAUSES
from iceye_derivatives.models import Availability

__all__ = ["events", "json_schema"]

Schema = dict[str, Any]

WHEN = {
    "note": "a sentence for people",
    "ordered": "a task was ordered",
    "task_status": "the task was asked for, and its status is another one",
    "snapshot": "the derivatives endpoint answered",
    "scene": "the scene was asked for",
    "unreadable": "a listing holds what cannot be read; each complaint once",
    "expected": "it is known what is still missing",
    "waiting": "nothing to do before a moment",
    "poll_failed": "a look failed, and will be repeated",
    "derivative_ready": "a derivative has files; once, and again with `is_update`",
    "watch_finished": "all derivatives came",
    "watch_failed": "one of many tasks was given up",
    "transfer_started": "a file is being fetched",
    "transfer_progressed": "bytes came; at most once a second for each file",
    "transfer_retrying": "a transfer broke and will go on",
    "link_renewed": "a link was dead or dying, and there is a fresh one",
    "transfer_finished": "a file is whole, checked, and under its name",
    "transfer_failed": "a file was given up",
    "found": "a whole file was read",
    "status": "what `status` asked for",
    "task": "one of those that `tasks` lists",
    "verified": "a file was looked at by `verify`",
    "report": "the last line, however it ended",
    "report_of_many": "the last line where several tasks were asked for, and of `cancel`",
    "report_of_files": "the last line of `verify`, unless it failed before it had seen all",
}
FIVE = ("task_id", "derivative_id", "product_type", "asset_type", "ordinal")
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SECONDS: Schema = {"type": "number", "minimum": 0}
MOMENT: Schema = {"type": "string", "format": "date-time"}
TEXTS: Schema = {"type": "array", "items": TEXT}
ANSWER: Schema = {"enum": [404, 206, 200]}


def _null_or(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


FIELDS: dict[str, Schema] = {
    "answer": ANSWER,
    "answers": {"type": "array", "items": ANSWER},
    "asset_type": TEXT,
    "asset_types": TEXTS,
    "availability": {"enum": [str(each) for each in Availability]},
    "budget": COUNT,
    "condition": {"enum": [str(each) for each in Condition]},
    "conditions": _object({str(each): COUNT for each in Condition}),
    "contract_id": _null_or(TEXT),
    "classes": {"type": "object", "additionalProperties": COUNT},
    "delivered": COUNT,
    "derivative_id": TEXT,
    "derivative_product_types": TEXTS,
    "derivatives": {"type": "array", "items": _ref("derivative")},
    "detections": _null_or(COUNT),
    "error": _ref("error"),
    "exit_code": {"enum": [cause.code for cause in CAUSES]},
    "failed": {"type": "object", "additionalProperties": _ref("error")},
    "failures": COUNT,
    "faulty": COUNT,
    "folder": TEXT,
    "files": {"type": "array", "items": _ref("file")},
    "finished": TEXTS,
    "image_id": _null_or(TEXT),
    "image_reference": _null_or(TEXT),
    "imaging": _null_or(MOMENT),
    "imaging_mode": _null_or(TEXT),
    "is_update": {"type": "boolean"},
    "kept": {"type": "boolean"},
    "listed": COUNT,
    "missing": {"type": "array", "items": _ref("awaited")},
    "name": TEXT,
    "offset": COUNT,
    "ok": {"type": "boolean"},
    "ordered_at": _null_or(MOMENT),
    "ordinal": COUNT,
    "path": _null_or(TEXT),
    "product_type": TEXT,
    "ready": COUNT,
    "reason": TEXT,
    "received": COUNT,
    "reference": _null_or(TEXT),
    "renewals": COUNT,
    "retries": COUNT,
    "seconds": SECONDS,
    "sha256": _null_or({"type": "string", "pattern": "^[0-9a-f]*$"}),
    "size": _null_or(COUNT),
    "status": TEXT,
    "task_id": TEXT,
    "text": TEXT,
    "total": _null_or(COUNT),
    "unreadable": {"type": "array", "items": _ref("unreadable")},
    "until": MOMENT,
    "window": _null_or({"type": "array", "items": MOMENT, "minItems": 2, "maxItems": 2}),
}
NULLABLE = {"report": ("error", "status", "task_id"), "verified": ("task_id",)}
"""There is no error where all went well, no task where its order failed, and none that a folder
without a journal tells."""


def events() -> dict[str, tuple[tuple[str, ...], str]]:
    """Each event's own fields, in the order of the table, and when it comes."""
    _, _, table = (json_lines.__doc__ or "").partition("event                  its other")
    rows = re.sub(r"\n {10,}", " ", table).splitlines()
    found = {}
    for row in rows:
        name, _, said = row.partition(" ")
        if re.fullmatch(r"[a-z_]+", name):
            said = re.sub(r"\(.*?\)", "", said).replace("the same five", " ".join(FIVE))
            found[name] = (tuple(re.findall(r"[a-z_0-9]+", said)), WHEN[name])
    return found


def json_schema() -> Schema:
    """The schema of one line."""
    table = events()
    files = [table[name][0] for name in ("transfer_finished", "transfer_failed")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line that iceye-derivatives writes with --json",
        "oneOf": [_event(name, *told) for name, told in table.items()],
        "$defs": {
            "error": _object({"type": TEXT, "message": TEXT, "retryable": {"type": "boolean"}}),
            "unreadable": _object(
                {
                    "item": COUNT,
                    "field": TEXT,
                    "problem": TEXT,
                    "derivative_id": _null_or(TEXT),
                    "product_type": _null_or(TEXT),
                }
            ),
            "awaited": _object({"derivative_id": _null_or(TEXT), "product_type": TEXT}),
            "derivative": _object(
                {"derivative_id": TEXT, "product_type": TEXT, "asset_types": TEXTS}
            ),
            "file": {"oneOf": [_object({name: FIELDS[name] for name in each}) for each in files]},
        },
    }


def _event(name: str, fields: tuple[str, ...], when: str) -> Schema:
    kinds = {field: FIELDS[field] for field in fields}
    nullable = NULLABLE.get("report" if name.startswith("report") else name, ())
    kinds |= {each: _null_or(kinds[each]) for each in nullable if each in kinds}
    schema = _object({"event": {"const": name}, "time": MOMENT, **kinds})
    return {"title": name, "description": when, **schema}
