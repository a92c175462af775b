"""The judged sets: products, queries with grades, and how well a ranking agrees with them."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from math import log2
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from cardstock.search.index import Index, build
from cardstock.search.model import Attribute, Category, Entry

DATA: Final = Path(__file__).parent / "data"
AT: Final = datetime(2026, 12, 1, tzinfo=UTC)
Name: TypeAlias = Literal["real", "chinese"]


class JudgedQuery(msgspec.Struct, frozen=True):
    """A query, and a grade of 1 to 3 for each product that fits it."""

    id: str
    query: str
    kind: str
    part: Literal["train", "test"]
    judgements: dict[str, int]


def slug(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower()).strip("-")


@cache
def real_entries() -> list[Entry]:
    """The gift wholesaler's articles, in English."""
    with (DATA / "real.csv").open(encoding="utf-8") as file:
        return [
            Entry(
                row["product_id"],
                1,
                title_en=row["title_en"],
                skus=(row["product_id"],),
                price_fen=int(row["price_fen"]),
                sold=int(row["sold"]),
            )
            for row in csv.DictReader(file)
        ]


def chinese_entry(product: Mapping[str, Any]) -> Entry:
    steps = zip(product["category"]["zh"], product["category"]["en"], strict=True)
    return Entry(
        product["product_id"],
        1,
        product["title_zh"],
        product["title_en"],
        product["brand"],
        tuple([Category(slug(en), zh, en) for zh, en in steps]),
        tuple([Attribute(slug(each["name_en"]), slug(each["value_en"]), **each) for each in product["attributes"]]),
        product["description_zh"],
        tuple(product["skus"]),
        product["price_fen"],
        sold=product["sold"],
    )


@cache
def chinese_entries() -> list[Entry]:
    """The invented products of a Chinese shop."""
    lines = (DATA / "chinese.jsonl").read_text("utf-8").splitlines()
    return [chinese_entry(json.loads(line)) for line in lines]


@cache
def index_of(name: Name) -> Index:
    """The index over one of the sets."""
    return Index(build(real_entries() if name == "real" else chinese_entries(), AT))


@cache
def queries(name: Name) -> list[JudgedQuery]:
    """All queries of a set."""
    lines = (DATA / f"queries_{name}.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=JudgedQuery) for line in lines]


def ndcg(found: Sequence[str], judgements: Mapping[str, int], depth: int = 10) -> float:
    """Normalized discounted cumulative gain, with a gain of 2 to the grade, less 1."""

    def gain(grades: Sequence[int]) -> float:
        return sum([(2**grade - 1) / log2(place + 2) for place, grade in enumerate(grades[:depth])], 0.0)

    best = gain(sorted(judgements.values(), reverse=True))
    return gain([judgements.get(each, 0) for each in found]) / best
