"""Refusals: each code is declared once, raised somewhere, and readable in both languages."""

import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from cardstock.edge.problems import STATUS
from cardstock.errors import CODES_IN_WORDS, Refusal
from cardstock.members.consent_texts import TERMS
from infra.contract.schemas import FIELD_CODES
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


CODED = re.compile(r"/v1/|\b(?:GET|POST|PUT|DELETE|PATCH)\b|\b[A-Za-z0-9]+_\w+\b|`|\w:\w")
"""Routes, names of fields, codes and scopes: what a program reads."""
CODES = frozenset({"purpose", "scope", "call", "kind", "state", "status", "channel", "role", "field"})
"""Facts that are codes."""


@pytest.mark.parametrize(("path", "name", "refusal"), EVERY, ids=[name for _, name, _ in EVERY])
def test_a_text_is_in_words_and_names_no_route_no_field_and_no_code(path: Path, name: str, refusal: Refusal) -> None:
    for text in (refusal.zh, refusal.en):
        assert CODED.findall(re.sub(r"{\w+}", "", text)) == [], (path, name)
        assert set(re.findall(r"{(\w+)}", text)) & CODES <= CODES_IN_WORDS.keys(), (path, name)


def test_the_words_for_codes_are_those_that_members_have_read() -> None:
    words = {
        purpose: tuple(terms.notice(language).title for language in ("zh", "en")) for purpose, terms in TERMS.items()
    }

    assert CODES_IN_WORDS["purpose"] == words


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


def test_every_code_of_a_field_is_listed_in_the_document() -> None:
    """Those that stand in the code as they are; tests of functions hold the others (`tests/house/problems.py`)."""
    named = {
        code
        for path, text in SOURCES.items()
        if path.relative_to(ROOT).parts[0] == "layers"
        for code in re.findall(r'\b(?:Pointer|_invalid)\((?:[^()]|\([^()]*\))*?, "(\w+)"', text)
    }
    refusals = {refusal.code for _, _, refusal in EVERY}
    fields = set(FIELD_CODES)

    assert {"INVALID", "UNKNOWN", "NOT_OFFERED", "CHECK_DIGIT", "MISSING"} <= named
    assert named - refusals - fields == set()
