"""An answer of the API as it comes over the line, and the error that it is."""

from __future__ import annotations

import json
from typing import Any

from iceye_derivatives._core.responses import ApiResponse, error_for
from iceye_derivatives.errors import ApiError

NOW = 1_767_225_600.0  # 2026-01-01
READY = {
    "id": "a",
    "derivativeProductType": "DC_VESSELS",
    "assets": [{"type": "geojson", "href": "https://cdn.example/a?Expires=1&Signature=planted"}],
}


def response(status: int, body: Any = b"", **headers: str) -> ApiResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiResponse(status=status, headers=named, body=raw)


def error(status: int, body: Any = b"", task_id: str | None = None, **headers: str) -> ApiError:
    return error_for(response(status, body, **headers), NOW, operation="getTask", task_id=task_id)
