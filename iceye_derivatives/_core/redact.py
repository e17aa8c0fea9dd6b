"""What of a stranger's text may stand in a message of ours?

Error bodies and headers are written elsewhere: they may quote our request (link, token and all),
be a page of HTML, or hold bytes that move a terminal's cursor.
"""

from __future__ import annotations

import re

__all__ = ["REDACTED", "clean_text"]

REDACTED = "<redacted>"
_LONGEST = 300
# Only that much is looked at: a text is shown by its first line, and patterns cost time.
_LOOKED_AT = 4096

# Each begins where a run of its own characters does, and nowhere inside one: a text that is made of
# nothing but beginnings would otherwise be gone through once for each of them.
_SECRETS = (
    # Whatever follows a "?" that begins a query.
    (re.compile(r"\?[^\s\"'<>?=]*+=[^\s\"'<>]*"), f"?{REDACTED}"),
    (re.compile(r"\b(bearer|basic)\s+[^\s\"'<>,;]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    # name=value and "name":"value", for names that signed links and token requests use.
    (
        re.compile(
            r"(?<![a-z0-9_-])(?=[a-z0-9_-]*(?:token|secret|password|signature|credential|policy"
            r"|expires|key-pair-id|x-amz-|authorization))([a-z0-9_-]++)"
            r"(?:=|[\"']\s*:\s*[\"'])[^\s\"'&<>,;]+",
            re.IGNORECASE,
        ),
        rf"\1={REDACTED}",
    ),
    # A JSON web token begins with '{"' in base64.
    (re.compile(r"(?<![\w-])eyJ[\w-]+\.[\w.-]+"), REDACTED),
)


def clean_text(text: str, *, longest: int = _LONGEST) -> str:
    """The first line with something in it, without secrets and control characters, cut short."""
    lines = (line.strip() for line in text[:_LOOKED_AT].splitlines())
    line = next((line for line in lines if line), "")
    for pattern, replacement in _SECRETS:
        line = pattern.sub(replacement, line)
    # `isprintable` also leaves out the marks that make text run backwards.
    line = "".join(char if char.isprintable() else " " for char in line).strip()
    return line if len(line) <= longest else line[: longest - 1] + "…"
