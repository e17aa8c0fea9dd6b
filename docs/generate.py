"""Which pages and pictures are made from the code: `python docs/generate.py` writes them anew.

A test compares what is committed with what the code gives, so none of them can fall behind.  The
pictures are drawn by asking the machines themselves: each fact is put to a fresh one in the state
that the row names, and the arrow leads to what it decides.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from json_schema import events, json_schema
from machines import Arrow, fleet_arrows, transfer_arrows, watch_arrows

import iceye_derivatives
from iceye_derivatives import errors
from iceye_derivatives.cli.exit_codes import CAUSES, CODES

HERE = Path(__file__).parent
MADE = "<!-- Made from the code by `python docs/generate.py`: edit that, not this page. -->\n"


def made() -> dict[str, str]:
    """Each file below `docs/` that is made, and its text."""
    return {
        "reference/errors.md": errors_page(),
        "reference/exit-codes.md": exit_codes_page(),
        "reference/api.md": api_page(),
        "reference/json-lines.md": json_lines_page(),
        "reference/json-lines.schema.json": json.dumps(json_schema(), indent=1) + "\n",
        "explanation/watch.svg": drawn("What a watch makes of an answer", watch_arrows()),
        "explanation/transfer.svg": drawn("What a transfer makes of it", transfer_arrows()),
        "explanation/fleet.svg": drawn("What becomes of a fleet's task", fleet_arrows()),
    }


def first_line(thing: object) -> str:
    """The first sentence of a docstring, for a cell of a table."""
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return text.replace("|", "\\|")


def errors_page() -> str:
    """The tree, with what each means and how a shell hears of it."""
    rows = [
        f"| {'&emsp;' * depth}`{kind.__name__}` | {first_line(kind)} "
        f"| {'yes' if kind.retryable else ''} | {_code(kind)} |"
        for depth, kind in _tree(errors.IceyeError, 0)
    ]
    return "\n".join(
        [
            f"{MADE}\n# Errors",
            "",
            "All derive from `IceyeError`, pickle, and hold the evidence that their names promise.",
            "*Retryable* says whether the same call, made again later, may succeed.",
            "",
            "| error | means | retryable | exit code |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _tree(kind: type[errors.IceyeError], depth: int) -> Iterator[tuple[int, type]]:
    yield depth, kind
    for child in kind.__subclasses__():
        if child.__name__ in errors.__all__:
            yield from _tree(child, depth + 1)


def _code(kind: type[BaseException]) -> str:
    return str(next((CODES[each] for each in kind.__mro__ if each in CODES), ""))


def exit_codes_page() -> str:
    """The table that `--help` prints, with the errors that bring each code."""
    rows = [
        f"| {cause.code} | {cause.meaning} | "
        f"{', '.join(f'`{kind.__name__}`' for kind in cause.errors)} |"
        for cause in CAUSES
    ]
    return "\n".join(
        [
            f"{MADE}\n# Exit codes",
            "",
            "Of `iceye-derivatives` and each of its commands.",
            "",
            "| code | when | errors |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def api_page() -> str:
    """Every public name, by what it is; the docstrings are its contract."""
    names = [n for n in iceye_derivatives.__all__ if not n.startswith("__")]
    shown = {name: getattr(iceye_derivatives, name) for name in names}
    homes = {"Errors": errors, "Events": iceye_derivatives.events}
    groups: dict[str, list[str]] = {"The client and its settings": []}
    for name, thing in shown.items():
        group = next((g for g, home in homes.items() if name in home.__all__), "")
        if not group and name in iceye_derivatives.models.__all__:
            group = "Values"
        if not group and getattr(thing, "_is_protocol", False):
            group = "Protocols"
        groups.setdefault(group or "The client and its settings", []).append(name)
    parts = [f"{MADE}\n# API", ""]
    for group, members in groups.items():
        parts += [f"## {group}", "", "```{eval-rst}", ".. py:currentmodule:: iceye_derivatives", ""]
        for name in members:
            parts += [f".. {_directive(shown[name])}:: {name}", *_options(shown[name]), ""]
        parts[-1:] = ["```", ""]
    return "\n".join(parts)


def _options(thing: object) -> Iterator[str]:
    """What a public class has of a base that nobody knows by name is its own."""
    bases = thing.__mro__[1:] if isinstance(thing, type) else ()
    if any(
        base.__module__.startswith("iceye_derivatives._") and not base.__name__.startswith("_")
        for base in bases
    ):
        yield "   :inherited-members:"


def _directive(thing: object) -> str:
    if isinstance(thing, type):
        return "autoexception" if issubclass(thing, BaseException) else "autoclass"
    return "autofunction" if inspect.isroutine(thing) else "autodata"


def json_lines_page() -> str:
    """What `--json` writes."""
    schema = json_schema()
    kinds = {kind["properties"]["event"]["const"]: kind for kind in schema["oneOf"]}
    parts = [
        f"{MADE}\n# JSON Lines",
        "",
        "What each command with `--json` writes: one object a line.  The last one is a report,",
        "however it ended, but where an option is not known or the reader has gone.",
        "[The schema](json-lines.schema.json) is JSON Schema 2020-12; a line that it does not",
        "describe is a defect.  Within a major version fields and events may be added.",
        "No line holds a URL.",
        "",
        "| event | when | fields |",
        "| --- | --- | --- |",
    ]
    for name, (_, when) in events().items():
        fields = [f"`{f}`" for f in kinds[name]["properties"] if f not in {"event", "time"}]
        parts.append(f"| `{name}` | {when} | {' '.join(fields)} |")
    return "\n".join([*parts, ""])


# -- the pictures ---------------------------------------------------------------------------------

STEP, MARGIN, WIDTH, LEFT, RIGHT, BOX = 34, 56, 860, 300, 560, 26
STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1b2733}rect{fill:#eef3f8;stroke:#8aa0b4}"
    "path{fill:none;stroke:#5b7f9f;stroke-width:1.4}.h{font-weight:600;font-size:16px}"
    ".to rect{fill:#e7f4ec;stroke:#7fae90}svg{background:#fff}"
)


def drawn(title: str, arrows: list[Arrow]) -> str:
    """Facts on the left, decisions on the right, and an arrow for each: SVG without a script."""
    targets = list(dict.fromkeys(decided for _, decided in arrows))
    height = MARGIN + STEP * len(arrows) + 12
    gap = (height - MARGIN) / len(targets)
    middle = {to: MARGIN + gap * (i + 0.5) for i, to in enumerate(targets)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"',
        ' orient="auto"><path d="M0 0 8 4 0 8z" style="fill:#5b7f9f"/></marker></defs>',
        f'<text class="h" x="12" y="28">{escape(title)}</text>',
    ]
    for i, (fact, decided) in enumerate(arrows):
        y, to = MARGIN + STEP * (i + 0.5), middle[decided]
        parts.append(_box("from", 12, y, LEFT - 12, fact))
        parts.append(
            f'<path marker-end="url(#a)" d="M{LEFT} {y:.0f}C{LEFT + 130} {y:.0f} '
            f'{RIGHT - 130} {to:.0f} {RIGHT - 2} {to:.0f}"/>'
        )
    parts += [_box("to", RIGHT, y, WIDTH - RIGHT - 12, to) for to, y in middle.items()]
    return "\n".join([*parts, "</svg>", ""])


def _box(kind: str, x: float, y: float, width: float, text: str) -> str:
    return (
        f'<g class="{kind}"><rect x="{x:.0f}" y="{y - BOX / 2:.0f}" width="{width:.0f}" '
        f'height="{BOX}" rx="5"/><text x="{x + 10:.0f}" y="{y + 5:.0f}">{escape(text)}</text></g>'
    )


def main() -> int:
    """Write them all."""
    for name, text in made().items():
        (HERE / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
