"""The ports of the recommendations area in memory."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from cardstock.recommendations.model import Purchase, Row

T = TypeVar("T")


class MemoryRows:
    """`recommendations.ports.LearntRows`; remembers what was asked."""

    def __init__(self, *rows: Row) -> None:
        self.rows = {row.key: row for row in rows}
        self.asked: list[list[str]] = []

    def read_rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        self.asked.append(list(keys))
        return {key: self.rows[key] for key in keys if key in self.rows}

    def write_rows(self, rows: Iterable[Row]) -> int:
        count = 0
        for row in rows:
            self.rows[row.key] = row
            count += 1
        return count

    def delete_rows(self, keys: Collection[str]) -> None:
        for key in keys:
            self.rows.pop(key, None)


def everybody(member_ids: Collection[str]) -> Collection[str]:
    """`recommendations.ports.Agreeing`."""
    return member_ids


class MemoryPurchases:
    """`recommendations.ports.Purchases`; remembers what was asked."""

    def __init__(self, *purchases: Purchase) -> None:
        self.purchases = purchases
        self.asked: list[datetime] = []

    def purchases_since(self, moment: datetime) -> list[Purchase]:
        self.asked.append(moment)
        return [purchase for purchase in self.purchases if purchase.at >= moment]


class OneAnswerModel:
    """`recommendations.ports.LanguageModel`: gives one answer; remembers the material."""

    def __init__(self, answer: object) -> None:
        self.answer = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        self.material = ""

    def ask(self, task: str, instruction: str, material: str, accept: Callable[[str], T]) -> T | None:
        self.material = material
        try:
            return accept(self.answer)
        except ValueError:
            return None
