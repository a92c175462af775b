"""States: each thing's chart, its transitions as data and the document say the same."""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from infra.contract.states import DOCUMENT, PACKAGE, Chart, charts, text

CHARTS = list(charts())


def transitions(area: str) -> Iterator[frozenset[tuple[str, str]]]:
    """The arrows of every `TRANSITIONS` mapping that a model of the area declares."""
    for path in sorted((PACKAGE / area).rglob("*.py")):
        if "TRANSITIONS" in path.read_text("utf-8"):
            module = importlib.import_module(
                ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
            )
            for name, value in vars(module).items():
                if name.endswith("TRANSITIONS") and isinstance(value, Mapping):
                    yield frozenset((before, after) for before, afters in value.items() for after in afters)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: f"{chart.area}: {chart.subject}")
def test_a_chart_has_the_arrows_of_transitions_that_the_area_declares(chart: Chart) -> None:
    assert chart.arrows in set(transitions(chart.area))


@pytest.mark.parametrize("area", sorted({path.parent.name for path in PACKAGE.glob("*/model.py")}))
def test_transitions_are_drawn_in_a_chart(area: str) -> None:
    drawn = {chart.arrows for chart in CHARTS if chart.area == area}

    assert set(transitions(area)) <= drawn


def test_the_document_is_made_of_the_charts() -> None:
    assert DOCUMENT.read_text("utf-8") == text(), "run `python -m infra.contract.states`"


def test_a_chart_is_read_as_it_is_written(tmp_path: Path) -> None:
    area = tmp_path / "lamps"
    area.mkdir()
    chart = "    off --press--> on | broken --mend--> off\n    on --press--> off\n"
    (area / "__init__.py").write_text(f'"""Lamps.\n\nA lamp:\n\n{chart}\nEnd.\n"""\n', "utf-8")

    [read] = charts(tmp_path)

    assert (read.area, read.subject) == ("lamps", "A lamp")
    assert read.arrows == {("off", "on"), ("off", "broken"), ("on", "off"), ("broken", "off")}
