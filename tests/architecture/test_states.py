"""States: each thing's chart, its transitions as data and the document say the same."""

import ast
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias, get_args, get_origin

import pytest

from infra.contract.states import DOCUMENT, PACKAGE, Chart, charts, text

Arrows: TypeAlias = frozenset[tuple[str, str]]
CHARTS = list(charts())
DERIVED = {"BatchStatus", "ProductState"}
"""Literals that say of a stored state what readers of it need."""


def declared(area: str) -> Iterator[tuple[str, Arrows]]:
    """Name and arrows of every mapping from states to states, or from verbs to arrows, that the area declares."""
    for path in sorted((PACKAGE / area).rglob("*.py")):
        if "frozenset({" not in path.read_text("utf-8"):
            continue
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        for name, value in vars(importlib.import_module(".".join(parts).removesuffix(".__init__"))).items():
            if isinstance(value, Mapping) and all(isinstance(reached, frozenset) for reached in value.values()):
                yield (
                    name,
                    frozenset(
                        after if isinstance(after, tuple) else (before, after)
                        for before, afters in value.items()
                        for after in afters
                    ),
                )


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: f"{chart.area}: {chart.heading}")
def test_a_chart_has_the_arrows_of_transitions_that_the_area_declares(chart: Chart) -> None:
    assert chart.arrows in {arrows for _, arrows in declared(chart.area)}


@pytest.mark.parametrize("area", sorted({path.parent.name for path in PACKAGE.glob("*/model.py")}))
def test_transitions_are_drawn_in_a_chart(area: str) -> None:
    drawn = {chart.arrows for chart in CHARTS if chart.area == area}

    assert {arrows for name, arrows in declared(area) if name.endswith("TRANSITIONS")} <= drawn


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: f"{chart.area}: {chart.heading}")
def test_the_verbs_of_a_chart_are_functions_of_its_area(chart: Chart) -> None:
    """Except of a chart that draws declared kinds of steps, as those of money."""
    kinds: set[frozenset[str]] = set()
    functions = set()
    for path in (PACKAGE / chart.area).rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        tree = ast.parse(path.read_text("utf-8"))
        functions |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"}
        if path.name == "ports.py":  # what a store does is in the area's words too
            functions |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        if path.name == "model.py":
            declares = vars(importlib.import_module(".".join(parts))).items()
            kinds |= {frozenset(value) for name, value in declares if name == "MOVES"}
    verbs = frozenset(verb for _, verb, _ in chart.steps)

    assert verbs in kinds or sorted(verbs - functions) == []


def test_a_heading_is_short_and_names_one_thing_of_its_area() -> None:
    headings = [(chart.area, chart.heading) for chart in CHARTS]

    assert [heading for _, heading in headings if not 1 <= len(heading.split()) <= 6] == []
    assert len(set(headings)) == len(headings)


def stored_states(area: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Name and states of every Literal of states that the area's models declare."""
    for path in sorted((PACKAGE / area).glob("*model.py")):
        for name, value in vars(importlib.import_module(f"cardstock.{area}.{path.stem}")).items():
            if get_origin(value) is Literal and name.endswith(("State", "Status", "Stage")) and name not in DERIVED:
                yield name, frozenset(get_args(value))


@pytest.mark.parametrize("area", sorted({path.parent.name for path in PACKAGE.glob("*/model.py")}))
def test_the_states_of_a_literal_are_those_of_a_chart(area: str) -> None:
    drawn = {frozenset(state for arrow in chart.arrows for state in arrow) for chart in CHARTS if chart.area == area}

    assert {name: states for name, states in stored_states(area) if states not in drawn} == {}


def test_the_document_is_made_of_the_charts() -> None:
    assert DOCUMENT.read_text("utf-8") == text(), "run `python -m infra.contract.states`"


def test_a_chart_is_read_as_it_is_written(tmp_path: Path) -> None:
    area = tmp_path / "lamps"
    area.mkdir()
    chart = "    off --press--> on | broken --mend--> off\n    on --press--> off\n"
    (area / "__init__.py").write_text(f'"""Lamps.\n\nA lamp: It may\nbreak.\n\n{chart}\nEnd.\n"""\n', "utf-8")

    [read] = charts(tmp_path)

    assert (read.area, read.heading, read.note) == ("lamps", "A lamp", "It may break.")
    assert read.arrows == {("off", "on"), ("off", "broken"), ("on", "off"), ("broken", "off")}
