"""`infra/COSTS.md`: two of its tables are written by `make bench`, the text around them by people.

Each table stands between comments that name it, which a reader of the page does not see.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infra.local.template import ROOT

PATH = ROOT / "infra" / "COSTS.md"


@dataclass(frozen=True, slots=True)
class Row:
    """One operation. `within`: whether what was counted is at most what it may be."""

    operation: str
    counted: str
    at_most: str
    floor: str
    within: bool


def markdown(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(cells)} |".replace("  ", " ") for cells in (head, *body)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]]) + "\n"


def counts_table(rows: Iterable[Row]) -> str:
    """The table of what was counted."""
    head = ("Operation", "Counted", "At most", "Floor")
    return markdown(head, ((row.operation, row.counted, row.at_most, row.floor) for row in rows))


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name}[^>]*-->\n\n)(.*?)(\n<!-- end of {name} -->)", re.S)


def block(text: str, name: str) -> str:
    """The block of that name in the document. LookupError without one."""
    found = _block(name).search(text)
    if found is None:
        raise LookupError(f"{PATH.name} has no block called {name!r}")
    return found[2]


def with_block(text: str, name: str, content: str) -> str:
    """The document with another content of that block. LookupError without one."""
    block(text, name)
    return _block(name).sub(lambda found: found[1] + content + found[3], text)
