"""What does an error body say, in whichever of its shapes?

ICEYE documents two: ``title/code/details/reference`` for ``application/problem+json`` and
``code/message`` otherwise.  The token endpoint has the third, of RFC 6749, section 5.2:
``error/error_description``.  Gateways send HTML, plain text, or nothing.
"""

from __future__ import annotations

import json
import re
from typing import Any

from attrs import frozen

from iceye_derivatives._core.redact import clean_text

__all__ = ["LARGEST_PROBLEM", "Problem", "is_foreign", "read_problem"]

# The first that is there is the one that tells people most.
_TEXTS = ("details", "detail", "message", "error_description", "title", "error")
_CODES = ("code", "error")
_TITLE = re.compile(r"<title[^>]*>([^<]*)</title>", re.IGNORECASE)
_LONGEST_CODE = 100
# A number beyond this is no code, and Python refuses to spell those of thousands of digits.
_HUGE = 10**18
LARGEST_PROBLEM = 1 << 18
"""Bytes: an error body larger than this is no error body; the rest of it is not read."""


@frozen(kw_only=True)
class Problem:
    """What could be read, made fit for messages."""

    text: str = ""
    code: str | None = None
    reference: str | None = None
    """Link to the operation's documentation."""


def read_problem(body: bytes) -> Problem:
    """Read an error body; never raises."""
    text = body[:LARGEST_PROBLEM].decode("utf-8", "replace")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return Problem(text=_read_page(text))
    if not isinstance(raw, dict):
        return Problem(text=clean_text(raw) if isinstance(raw, str) else "")
    # Some gateways wrap it once more: {"error": {"code": …, "message": …}}.
    if isinstance(raw.get("error"), dict):
        raw = raw["error"]
    return Problem(
        text=_first(raw, _TEXTS) or "",
        code=_first(raw, _CODES, longest=_LONGEST_CODE),
        reference=_first(raw, ("reference",)),
    )


def is_foreign(body: bytes) -> bool:
    """Whether it is not ICEYE that says no: words that are no JSON object, as ICEYE's all are.

    An empty body says nothing of who sent it, so it is taken for what its status says.
    """
    if not body.strip():
        return False
    try:
        raw = json.loads(body[:LARGEST_PROBLEM])
    except (ValueError, RecursionError):
        return True
    return not isinstance(raw, dict)


def _first(raw: dict[str, Any], names: tuple[str, ...], *, longest: int = 300) -> str | None:
    for name in names:
        value = raw.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _HUGE:
            value = str(value)
        if isinstance(value, str) and (cleaned := clean_text(value, longest=longest)):
            return cleaned
    return None


def _read_page(text: str) -> str:
    """The title of an HTML page, else plain text; markup without a title tells nobody anything."""
    title = _TITLE.search(text[:4096])
    if title is not None:
        return clean_text(title[1])
    return "" if text.lstrip().startswith("<") else clean_text(text)
