"""How good the rules are on a shop's own history: learn up to a day, then compare with what members bought afterwards.

Every figure is NDCG@10 (1 is perfect) of the very code that learns and serves, over each member's first basket after
the cut. Run `python -m cardstock.recommendations.evaluation FILE.csv.gz [DAYS]` on a file with the columns of UCI
Online Retail.
"""

import csv
import gzip
import sys
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import log2
from zlib import crc32

import msgspec

from cardstock.recommendations.learning import learn
from cardstock.recommendations.model import POPULAR_KEY, Purchase, Row, Scene
from cardstock.recommendations.recommending import recommend
from cardstock.recommendations.rows import decode, encode

WINDOW = timedelta(days=28)
_PLACES = 10


class Figures(msgspec.Struct, frozen=True):
    """NDCG@10 by task, popularity against the rules: members with history and their next basket, only its products new
    to them, its second half when the first is shown; and visitors without history who show the first half."""

    members: int
    visitors: int
    popular_next: float
    rules_next: float
    popular_new: float
    rules_new: float
    popular_half: float
    rules_half: float
    popular_visitor: float
    rules_visitor: float
    rows: int
    row_bytes: int
    learning_seconds: float


class _Rows(msgspec.Struct, frozen=True):
    """Serving rows in memory, through the stored form."""

    texts: Mapping[str, str]

    def read_rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        return {key: decode(key, self.texts[key]) for key in keys if key in self.texts}


def ndcg(recommended: Sequence[str], bought: Collection[str]) -> float:
    """Normalised discounted cumulative gain of the first ten; `bought` must not be empty."""
    gain = sum(1 / log2(place + 2) for place, sku in enumerate(recommended[:_PLACES]) if sku in bought)
    return gain / sum(1 / log2(place + 2) for place in range(min(_PLACES, len(bought))))


def evaluate(purchases: Sequence[Purchase], cut: datetime, window: timedelta = WINDOW) -> Figures:
    """The figures for learning before `cut` and the `window` from it. Raises ValueError when nobody bought in them."""
    started = time.perf_counter()
    texts = {row.key: encode(row) for row in learn(purchases, cut)}
    seconds = time.perf_counter() - started
    known: dict[str, set[str]] = defaultdict(set)
    for line in purchases:
        if line.at < cut:
            known[line.member_id].add(line.sku)
    rules, popular = _Rows(texts), _Rows({POPULAR_KEY: texts[POPULAR_KEY]})
    scores: dict[str, list[float]] = defaultdict(list)
    members = 0
    baskets = _first_baskets(purchases, cut, cut + window)
    for member_id, bought in baskets.items():
        # Halves by checksum: neighbouring SKUs are often variants of one product, which would make it too easy.
        ordered = sorted(bought, key=lambda sku: crc32(f"{member_id} {sku}".encode()))
        half, rest = ordered[::2], set(ordered[1::2])
        before = known.get(member_id, set())
        members += bool(before)
        for name, rows in (("popular", popular), ("rules", rules)):
            if before:
                scores[f"{name}_next"].append(ndcg(_skus(member_id, rows), bought))
                if new := bought - before:
                    # Popularity does not know what the member has; leaving it out for both keeps the comparison fair.
                    offered = [s for s in _skus(member_id, rows, scene="discover", limit=50) if s not in before]
                    scores[f"{name}_new"].append(ndcg(offered, new))
            if rest:
                task = "half" if before else "visitor"
                scores[f"{name}_{task}"].append(ndcg(_skus(member_id, rows, shown=half), rest))
    if not members:
        raise ValueError("no member with history bought anything in the window")
    mean = {name: sum(values) / len(values) for name, values in scores.items()}
    return Figures(
        members=members,
        visitors=len(baskets) - members,
        rows=len(texts),
        row_bytes=max(len(text.encode()) for text in texts.values()),
        learning_seconds=seconds,
        **{
            f"{name}_{task}": mean.get(f"{name}_{task}", 0.0)
            for name in ("popular", "rules")
            for task in ("next", "new", "half", "visitor")
        },
    )


def _skus(
    member_id: str,
    rows: _Rows,
    *,
    shown: Sequence[str] = (),
    scene: Scene = "home",
    limit: int = _PLACES,
) -> list[str]:
    return [item.sku for item in recommend(member_id, shown=shown, scene=scene, limit=limit, rows=rows).items]


def _first_baskets(purchases: Sequence[Purchase], cut: datetime, until: datetime) -> dict[str, set[str]]:
    """The first basket of each member in the window."""
    first: dict[str, tuple[datetime, str]] = {}
    baskets: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in purchases:
        if cut <= line.at < until:
            key = (line.at, line.basket_id)
            first[line.member_id] = min(first.get(line.member_id, key), key)
            baskets[line.member_id, line.basket_id].add(line.sku)
    return {member_id: baskets[member_id, basket_id] for member_id, (_, basket_id) in sorted(first.items())}


def online_retail(path: str) -> Iterator[Purchase]:
    """The sold products of a file like UCI Online Retail: no cancellations, no postage, no unknown customers.

    Source: Chen, D. (2015), Online Retail, UCI Machine Learning Repository, doi 10.24432/C5BW33.
    """
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            sold = int(line["Quantity"]) > 0 and line["UnitPrice"].strip("0.") and line["CustomerID"]
            if sold and line["StockCode"][:5].isdigit():
                yield Purchase(
                    line["CustomerID"].removesuffix(".0"),
                    line["StockCode"],
                    line["Description"].strip(),
                    int(line["Quantity"]),
                    datetime.fromisoformat(line["InvoiceDate"]).replace(tzinfo=UTC),
                    line["InvoiceNo"],
                )


def main(path: str, days: str = "28") -> None:
    """Print the figures of the file's last `days`."""
    purchases = list(online_retail(path))
    window = timedelta(days=int(days))
    figures = evaluate(purchases, max(line.at for line in purchases) - window, window)
    print(f"{len(purchases)} lines, {figures.members} members with history, {figures.visitors} without")
    print(f"{figures.rows} rows of at most {figures.row_bytes} bytes, learnt in {figures.learning_seconds:.1f} s")
    print(f"{'NDCG@10':30}{'popular':>9}{'rules':>9}")
    for label, popular, rules in (
        ("next basket", figures.popular_next, figures.rules_next),
        ("only products new to them", figures.popular_new, figures.rules_new),
        ("half the basket shown", figures.popular_half, figures.rules_half),
        ("the same, without history", figures.popular_visitor, figures.rules_visitor),
    ):
        print(f"{label:30}{popular:9.3f}{rules:9.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
