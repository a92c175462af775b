"""Learning: from purchases to serving rows, without numpy.

Own history counts a member's baskets with a product, halved every 120 days. Neighbours are products in the same
baskets, by cosine. Popular is how many members bought a product within 28 days. These numbers were chosen on the four
weeks before those that `evaluation` reports (UCI Online Retail, December 2010 to June 2011).

Bounds: time grows with lines x 50 and memory with lines, because a basket counts with at most 50 products and
neighbours are counted product by product and let go.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain
from math import sqrt

from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.recommendations.model import POPULAR_KEY, Entry, Purchase, Row, member_key, product_key
from cardstock.recommendations.ports import LearntRows, Purchases
from cardstock.recommendations.rows import fitted

HISTORY = timedelta(days=365)
HALF_LIFE_DAYS = 120
POPULAR_DAYS = 28
BASKET_CAP = 50
MIN_TOGETHER = 2
"""Two products are neighbours when at least this many baskets hold both: one basket is chance."""
NEIGHBOURS = 30
OWN_ENTRIES = 40
CANDIDATE_ENTRIES = 30
POPULAR_ENTRIES = 60
TITLE_LETTERS = 40
MEMBER_ROW_BYTES = 3_900
"""Under 4 KB, so that reading a row costs half a read unit."""
PRODUCT_ROW_BYTES = 1_900
"""Under 2 KB with its key: some twenty neighbours with Chinese titles, thirty with English ones."""
_ONE = 1000
_DAY_MS = 86_400_000


class _Baskets:
    """The history in small integers: products are numbered, a basket is its member, its time and its products."""

    def __init__(self, purchases: Iterable[Purchase], at: datetime) -> None:
        self.skus: list[str] = []
        self.titles: list[str] = []
        self.of_member: dict[str, list[tuple[int, set[int]]]] = defaultdict(list)
        number: dict[str, int] = {}
        titled_at: list[int] = []
        baskets: dict[tuple[str, str], tuple[int, set[int]]] = {}
        end = to_epoch_ms(at)
        self.until = 0
        """The newest purchase: what is recent is counted back from it, so that a quiet month empties no shelf."""
        for line in purchases:
            moment = to_epoch_ms(line.at)
            if line.units <= 0 or moment >= end:
                continue
            self.until = max(self.until, moment)
            product = number.setdefault(line.sku, len(self.skus))
            if product == len(self.skus):
                self.skus.append(line.sku)
                self.titles.append("")
                titled_at.append(-1)
            if moment > titled_at[product] or (moment == titled_at[product] and line.title > self.titles[product]):
                self.titles[product] = line.title[:TITLE_LETTERS]
                titled_at[product] = moment
            basket = baskets.get((line.member_id, line.basket_id))
            if basket is None:
                basket = baskets[line.member_id, line.basket_id] = (moment, set())
                self.of_member[line.member_id].append(basket)
            basket[1].add(product)

    def by_sku(self, product: int) -> str:
        return self.skus[product]


def learn(purchases: Iterable[Purchase], at: datetime) -> Iterator[Row]:
    """The serving rows of what was bought before `at`: the popular row, one per product that has neighbours, one per
    member. Their `learned_at` is the newest purchase. The same purchases give the same rows, whatever their order and
    whenever they are learnt."""
    baskets = _Baskets(purchases, at)
    if baskets.skus:
        at = from_epoch_ms(baskets.until)
    yield _popular(baskets, at)
    neighbours: dict[int, list[tuple[int, int]]] = {}
    for product, found in _neighbours(baskets):
        neighbours[product] = found
        entries = tuple(
            Entry(baskets.skus[other], baskets.titles[other], together=together) for other, together in found
        )
        row = Row(product_key(baskets.skus[product]), at, entries, baskets.titles[product])
        yield fitted(row, PRODUCT_ROW_BYTES)
    for member_id, history in baskets.of_member.items():
        yield fitted(Row(member_key(member_id), at, _member(baskets, history, neighbours)), MEMBER_ROW_BYTES)


def _popular(baskets: _Baskets, at: datetime) -> Row:
    since = baskets.until - POPULAR_DAYS * _DAY_MS
    buyers: Counter[int] = Counter()
    for history in baskets.of_member.values():
        buyers.update({product for moment, products in history if moment >= since for product in products})
    best = _best(baskets, dict(buyers), POPULAR_ENTRIES)
    entries = tuple(Entry(baskets.skus[product], baskets.titles[product], popular=score) for product, score in best)
    return fitted(Row(POPULAR_KEY, at, entries), MEMBER_ROW_BYTES)


def _neighbours(baskets: _Baskets) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    kept: list[list[int]] = []
    containing: list[list[int]] = [[] for _ in baskets.skus]
    for history in baskets.of_member.values():
        for _, products in history:
            # Evenly spaced by SKU: which products of a very long basket count must not depend on reading order.
            ordered = sorted(products, key=baskets.by_sku)
            length = len(ordered)
            if length > BASKET_CAP:
                ordered = [ordered[place * length // BASKET_CAP] for place in range(BASKET_CAP)]
            for product in ordered:
                containing[product].append(len(kept))
            kept.append(ordered)
    for product, places in enumerate(containing):
        counts: Counter[int] = Counter()
        for place in places:
            counts.update(kept[place])
        cosines = [
            (round(_ONE * count / sqrt(len(places) * len(containing[other]))), other)
            for other, count in counts.items()
            if other != product and count >= MIN_TOGETHER
        ]
        cosines.sort(key=lambda pair: (-pair[0], baskets.skus[pair[1]]))
        if cosines:
            yield product, [(other, cosine) for cosine, other in cosines[:NEIGHBOURS]]


def _member(
    baskets: _Baskets, history: list[tuple[int, set[int]]], neighbours: dict[int, list[tuple[int, int]]]
) -> tuple[Entry, ...]:
    weights: dict[int, float] = defaultdict(float)
    # Oldest first: floats must add up in one order for the same purchases to give the same row.
    for moment, products in sorted(history, key=lambda basket: (basket[0], sorted(basket[1], key=baskets.by_sku))):
        weight = 0.5 ** ((baskets.until - moment) / _DAY_MS / HALF_LIFE_DAYS)
        for product in products:
            weights[product] += weight
    own = dict(_best(baskets, weights, OWN_ENTRIES))
    together: dict[int, int] = defaultdict(int)
    because: dict[int, tuple[int, int]] = {}
    for product, score in own.items():
        for other, cosine in neighbours.get(product, ()):
            part = score * cosine
            together[other] += part
            if part > because.get(other, (0, 0))[0]:
                because[other] = (part, product)
    top = max(together.values(), default=0)
    new = [pair for pair in together.items() if pair[0] not in weights]
    new.sort(key=lambda pair: (-pair[1], baskets.skus[pair[0]]))
    candidates = [product for product, _ in new[:CANDIDATE_ENTRIES]]
    return tuple(
        Entry(
            baskets.skus[product],
            baskets.titles[product],
            own=own.get(product, 0),
            together=_ONE * together[product] // top if product in together else 0,
            because=baskets.skus[because[product][1]] if product in because else "",
        )
        for product in _alternate(list(own), candidates)
    )


def _alternate(own: list[int], candidates: list[int]) -> Iterator[int]:
    """Own products and candidates in turn, so that a row cut to its size keeps the best of both."""
    for place in range(max(len(own), len(candidates))):
        yield from own[place : place + 1]
        yield from candidates[place : place + 1]


def _best(baskets: _Baskets, scores: dict[int, int] | dict[int, float], count: int) -> list[tuple[int, int]]:
    """The best `count` products with their score in thousandths of the best."""
    ranked = sorted(scores.items(), key=lambda pair: (-pair[1], baskets.skus[pair[0]]))[:count]
    return [(product, max(1, round(_ONE * score / ranked[0][1]))) for product, score in ranked]


def learn_from(purchases: Purchases, *, at: datetime, rows: LearntRows) -> int:
    """Learn from the year before `at` and write the serving rows; how many were written.

    None while nobody has bought anything since the last run: a quiet shop costs nothing. A run that was killed leaves
    some rows new and some old, each whole, and is done again, since the row that says how far was learnt comes last.
    """
    learnt = learn(purchases.purchases_since(at - HISTORY), at)
    popular = next(learnt)
    known = rows.read_rows((POPULAR_KEY,)).get(POPULAR_KEY)
    if known is not None and known.learned_at == popular.learned_at:
        return 0
    return rows.write_rows(chain(learnt, (popular,)))
