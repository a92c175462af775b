"""One plain word for one idea: words that the project replaced do not come back."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.house.cloud import ROOT

WORDS: Mapping[str, str] = {
    "benefit": "coupon",
    "benefits": "coupons",
    "furnish": "set up",
    "guard": "compliance check",
    "guards": "compliance checks",
    "he": "they, or the member",
    "him": "them, or the member",
    "his": "their, or the member's",
    "office": "authority, or a name that says of what",
    "till": "until, or checkout",
    "told": "a noun for the value; notified",
    "undoing": "revocation",
    "watchman": "compliance check",
    "weather": "transient error",
    "world": "fixture",
}
"""Word -> what to write instead."""
AREAS = "layers/cardstock/python/cardstock"
PLACES: Mapping[str, tuple[str, ...]] = {
    # The plan's stored field and its name in the API; ids of coupons begin with it.
    "benefit": (
        f"{AREAS}/edge/faults.py",
        f"{AREAS}/ledger/",
        f"{AREAS}/network/",
        f"{AREAS}/orders/",
        "tests/",
    ),
    # A figure of the simulation in the API.
    "benefits": (
        f"{AREAS}/network/simulation/",
        "infra/commands/simulate.py",
        "tests/network/",
    ),
    # A bound of the simulation in the API.
    "guard": (f"{AREAS}/network/simulation/", "infra/commands/simulate.py", "tests/network/"),
    # The rule itself.
    "he": (".github/CONTRIBUTING.md",),
    # Local names in tests and their scenarios.
    "told": ("tests/",),
    "world": ("tests/",),
    # An unknown parameter of a bad request.
    "weather": ("events/recommendations/",),
}
"""Word -> where it stays."""
FOLDERS = ("layers", "functions", "infra", "events", "tests", ".github")
KINDS = {".py", ".md", ".yaml", ".yml", ".json", ".js", ".ts", ".tsx"}
SKIPPED = ("infra/contract/openapi.json", "infra/demo/data/", "tests/architecture/test_plain_words.py")
"""Generated from what is checked; other people's data; this list."""
PATTERN = re.compile(rf"\b(?:{'|'.join(WORDS)})\b", re.IGNORECASE)


def files() -> Iterator[Path]:
    yield from (path for path in ROOT.glob("*.*") if path.suffix in KINDS and path.name != "CHANGELOG.md")
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in KINDS and not {"node_modules", "dist", "__pycache__"} & set(path.parts):
                yield path


def found_in(text: str, place: str) -> list[str]:
    """The replaced words in a text at `place`, each with its line and its replacement."""
    return [
        f"{place}:{number}: {word} -> {WORDS[word]}"
        for number, line in enumerate(text.splitlines(), 1)
        for word in (match.group().lower() for match in PATTERN.finditer(line))
        if not place.startswith(PLACES.get(word, ()) or ("-",))
    ]


def test_replaced_words_do_not_come_back() -> None:
    places = {path.relative_to(ROOT).as_posix(): path for path in files()}
    found = [
        line
        for place, path in sorted(places.items())
        if not place.startswith(SKIPPED)
        for line in found_in(path.read_text("utf-8"), place)
    ]

    assert len(places) > 500
    assert found == []


def test_a_replaced_word_is_found_in_prose_and_names() -> None:
    assert found_in("He told\nthe office_id", "README.md") == [
        "README.md:1: he -> they, or the member",
        "README.md:1: told -> a noun for the value; notified",
    ]
    assert found_in('"weather": 1', "events/recommendations/api/bad.json") == []
