"""Which snippets do the pages show, and what does a shell see who types them?

A comment before a block says what the page itself does not:

* ``<!-- not run: why -->``: it cannot be run by a test;
* ``<!-- run by: tests/… -->``: that test runs it; before the first block it speaks for the page;
* ``<!-- the task: NAME -->``: this variable holds the id of a fresh task from here on;
* ``<!-- time passes: 60 seconds -->``: on the simulator's clock, before the block is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

__all__ = ["ROOT", "Block", "blocks", "pages", "typed"]

ROOT = Path(__file__).parents[2]
RUN = ("console", "python", "sh")
_NEXT = re.compile(
    r"<!-- (?P<mark>.*?) -->|^```(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@frozen
class Block:
    """One snippet, with what was said before it."""

    page: str
    line: int
    language: str
    text: str
    marks: tuple[tuple[str, str], ...]

    def mark(self, name: str) -> str | None:
        """What a mark says of this block."""
        return dict(self.marks).get(name)


def pages() -> list[str]:
    """Whose snippets count: all that a reader finds."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md"]
    found += sorted((ROOT / "docs").rglob("*.md"))
    return [path.relative_to(ROOT).as_posix() for path in found]


def blocks(page: str) -> list[Block]:
    """All snippets of a page in a language that can be run."""
    return list(_blocks(page, (ROOT / page).read_text("utf-8")))


def _blocks(page: str, text: str) -> Iterator[Block]:
    marks: list[tuple[str, str]] = []
    whole_page: list[tuple[str, str]] = []
    seen = False
    for found in _NEXT.finditer(text):
        if found["mark"] is not None:
            name, colon, said = found["mark"].partition(": ")
            if colon and not seen and name == "run by":
                whole_page.append((name, said))
            marks.append((name, said))
            continue
        seen = True
        if found["kind"] in RUN:
            line = text.count("\n", 0, found.start()) + 1
            yield Block(page, line, found["kind"], found["text"], (*whole_page, *marks))
        marks = []


def typed(block: Block) -> list[tuple[str, str]]:
    """What is typed, and what the page says that comes of it ("" where it says nothing)."""
    if block.language == "python":
        return [(f"python - <<'END_OF_PROGRAM'\n{block.text}END_OF_PROGRAM", "")]
    if block.language == "sh":
        return [(block.text, "")]
    steps: list[tuple[str, str]] = []
    for line in block.text.splitlines(keepends=True):
        if line.startswith("$ "):
            steps.append((line[2:], ""))
            continue
        command, printed = steps.pop()
        goes_on = command.endswith("\\\n") or line.startswith(">")
        if goes_on and not printed:
            steps.append((command + line.removeprefix("> "), printed))
        else:
            steps.append((command, printed + line))
    return steps
