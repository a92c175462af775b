"""Generates `layers/STATES.md`: the states of everything that has some, from the areas' docstrings.

    python -m infra.contract.states

A chart is an indented block of lines `before --verb--> after --verb--> later`; `|` separates several
states. The paragraph above it is its heading, a colon, and perhaps a note: `A line: one payment of a batch.` A test
compares the document with the docstrings, and the docstrings with the transitions in the areas' models.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from infra.local.template import ROOT

PACKAGE = ROOT / "layers/cardstock/python/cardstock"
DOCUMENT = ROOT / "layers/STATES.md"
_LINE = re.compile(r"^ {4}[\w |]+( +--[\w ,-]+?--> +[\w |]+)+\Z")
_ARROW = re.compile(r" +--([\w ,-]+?)--> +")

_HEAD = """\
# States

Generated from the areas' docstrings by `python -m infra.contract.states`; a test compares. Each state is one stored
field. Verbs are the area's functions that make the step (of money: the kinds of its transactions); the transitions are
data in the area's `model.py` or `*_model.py`.
"""


class Chart(msgspec.Struct, frozen=True):
    """The states of one thing: `steps` are (before, verb, after), one for each arrow. `note` may be empty."""

    area: str
    heading: str
    note: str
    steps: tuple[tuple[str, str, str], ...]

    @property
    def arrows(self) -> frozenset[tuple[str, str]]:
        """(before, after) of every step."""
        return frozenset((before, after) for before, _, after in self.steps)


def charts(package: Path = PACKAGE) -> Iterator[Chart]:
    """Every chart of every area, in the order of areas and docstrings."""
    for path in sorted(package.glob("*/__init__.py")):
        text = ast.get_docstring(ast.parse(path.read_text("utf-8")), clean=True) or ""
        paragraph, steps, joined = list[str](), list[tuple[str, str, str]](), False
        for line in [*text.split("\n"), ""]:
            if _LINE.match(line):
                steps += _steps(line)
                continue
            if steps:
                heading, _, note = " ".join(paragraph).partition(":")
                yield Chart(path.parent.name, heading, note.strip(), tuple(steps))
                paragraph, steps = [], []
            if line.strip():
                paragraph = [*paragraph, line.strip()] if joined else [line.strip()]
            joined = bool(line.strip())


def _steps(line: str) -> Iterator[tuple[str, str, str]]:
    states = _ARROW.split(line.strip())
    for sources, verb, targets in zip(states[::2], states[1::2], states[2::2], strict=False):
        for before in sources.split("|"):
            for after in targets.split("|"):
                yield before.strip(), verb, after.strip()


def text() -> str:
    """The document."""
    parts = [_HEAD]
    area = ""
    for chart in charts():
        if chart.area != area:
            area = chart.area
            parts.append(f"## {area}\n")
        lines = "\n".join(f"    {before} --> {after}: {verb}" for before, verb, after in chart.steps)
        note = f"{chart.note}\n\n" if chart.note else ""
        parts.append(f"### {chart.heading}\n\n{note}```mermaid\nstateDiagram-v2\n{lines}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    DOCUMENT.write_text(text(), "utf-8")
