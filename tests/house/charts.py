"""State charts in docstrings: lines of `state --verb--> state`, as `__init__.py` of an area draws them."""

import re
from collections.abc import Mapping, Set
from typing import NamedTuple, TypeVar

State = TypeVar("State")

_LINE = re.compile(r"^ +\w+( --[\w ]+--> \w+)+$", re.MULTILINE)
_ARROW = re.compile(r"(?=\b(\w+) --([\w ]+)--> (\w+))")


class Step(NamedTuple):
    """One arrow of a chart."""

    before: str
    verb: str
    after: str


def steps_in(docstring: str | None) -> set[Step]:
    """Every arrow of the charts in a docstring."""
    lines = (found[0] for found in _LINE.finditer(docstring or ""))
    return {Step(*arrow) for line in lines for arrow in _ARROW.findall(line)}


def steps_of(transitions: Mapping[State, Set[State]]) -> set[tuple[State, State]]:
    """Every step that `transitions` allow, as (before, after)."""
    return {(before, after) for before, reached in transitions.items() for after in reached}
