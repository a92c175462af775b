"""Refusals: each code is declared once, raised somewhere, and readable in both languages."""

import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from cardstock.edge.problems import STATUS
from cardstock.errors import Refusal
from tests.house.cloud import ROOT

PACKAGE = ROOT / "layers/cardstock/python"
FILES = sorted((PACKAGE / "cardstock").rglob("errors.py"))
SOURCES = {
    path: path.read_text("utf-8") for folder in ("layers", "functions") for path in (ROOT / folder).rglob("*.py")
}


def declared(path: Path) -> dict[str, Refusal]:
    """The refusals that a file declares. What it imports from another file is declared there."""
    module = importlib.import_module(".".join(path.relative_to(PACKAGE).with_suffix("").parts))
    assigned = set(re.findall(r"^(\w+): Final\b", path.read_text("utf-8"), re.M))
    return {name: value for name, value in vars(module).items() if isinstance(value, Refusal) and name in assigned}


EVERY = [(path, name, refusal) for path in FILES for name, refusal in declared(path).items()]


def test_a_code_is_declared_once() -> None:
    counted = Counter(refusal.code for _, _, refusal in EVERY)

    assert [code for code, times in counted.items() if times > 1] == []


@pytest.mark.parametrize(("path", "name", "refusal"), EVERY, ids=[name for _, name, _ in EVERY])
def test_a_refusal_is_called_like_its_code_has_two_texts_and_is_used(path: Path, name: str, refusal: Refusal) -> None:
    facts = re.findall(r"{(\w+)}", refusal.zh)

    assert name == refusal.code
    assert refusal.zh
    assert refusal.en
    assert sorted(facts) == sorted(re.findall(r"{(\w+)}", refusal.en))
    assert refusal.kind in STATUS
    assert any(re.search(rf"\b{name}\b", text) for other, text in SOURCES.items() if other != path), "nobody raises it"
