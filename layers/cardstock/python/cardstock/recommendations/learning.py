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
from itertools import chain, islice
from math import sqrt
from typing import Final, NamedTuple, TypeAlias

from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.recommendations.model import POPULAR_KEY, Entry, Purchase, Row, member_key, member_of, product_key
from cardstock.recommendations.ports import Agreeing, LearntRows, Purchases
from cardstock.recommendations.rows import fitted

HISTORY: Final = timedelta(days=365)
HALF_LIFE_DAYS: Final = 120
POPULAR_DAYS: Final = 28
BASKET_CAP: Final = 50
MIN_TOGETHER: Final = 2
"""Two products are neighbours when at least this many baskets hold both: one basket is chance."""
NEIGHBOURS: Final = 30
OWN_ENTRIES: Final = 40
CANDIDATE_ENTRIES: Final = 30
POPULAR_ENTRIES: Final = 60
TITLE_LETTERS: Final = 40
MEMBER_ROW_BYTES: Final = 3_900
"""Under 4 KB, so that reading a row costs half a read unit."""
PRODUCT_ROW_BYTES: Final = 1_900
"""Under 2 KB with its key: some twenty neighbours with Chinese titles, thirty with English ones."""
_BATCH: Final = 100
"""Rows that are written between two reads of consents: one call reads a hundred members."""
_ONE: Final = 1000
_DAY_MS: Final = 86_400_000

_Scored: TypeAlias = tuple[int, int]
"""A product by its number, and its score in thousandths."""


class _Basket(NamedTuple):
    at_ms: int
    products: set[int]


class _History:
    """The purchases in small integers: products are numbered, a basket is its time and its products."""

    def __init__(self) -> None:
        self.skus: list[str] = []
        self.titles: list[str] = []
        self.baskets_of_member: dict[str, list[_Basket]] = defaultdict(list)
        self.until_ms = 0
        """The newest purchase: what is recent is counted back from it, so that a quiet month empties no shelf."""
        self._numbers: dict[str, int] = {}
        self._titled_at: list[int] = []
        self._baskets: dict[tuple[str, str], _Basket] = {}

    def add(self, line: Purchase) -> None:
        at_ms = to_epoch_ms(line.at)
        self.until_ms = max(self.until_ms, at_ms)
        basket = self._baskets.get((line.member_id, line.basket_id))
        if basket is None:
            basket = self._baskets[line.member_id, line.basket_id] = _Basket(at_ms, set())
            self.baskets_of_member[line.member_id].append(basket)
        basket.products.add(self._number(line, at_ms))

    def sku(self, product: int) -> str:
        return self.skus[product]

    def _number(self, line: Purchase, at_ms: int) -> int:
        """The product's number. Its title is the latest one, and of two at one moment the greater."""
        product = self._numbers.setdefault(line.sku, len(self.skus))
        if product == len(self.skus):
            self.skus.append(line.sku)
            self.titles.append("")
            self._titled_at.append(-1)
        titled_at = self._titled_at[product]
        if at_ms > titled_at or (at_ms == titled_at and line.title > self.titles[product]):
            self.titles[product] = line.title[:TITLE_LETTERS]
            self._titled_at[product] = at_ms
        return product


def learn(purchases: Iterable[Purchase], at: datetime) -> Iterator[Row]:
    """The serving rows of what was bought before `at`: the popular row, one per product that has neighbours, one per
    member. Their `learned_at` is the newest purchase. The same purchases give the same rows, whatever their order and
    whenever they are learnt."""
    history = _History()
    end_ms = to_epoch_ms(at)
    for line in purchases:
        if line.units > 0 and to_epoch_ms(line.at) < end_ms:
            history.add(line)
    learned_at = from_epoch_ms(history.until_ms) if history.skus else at
    yield fitted(Row(POPULAR_KEY, learned_at, _popular_entries(history)), MEMBER_ROW_BYTES)
    neighbours: dict[int, list[_Scored]] = {}
    for product, found in _neighbours(history):
        neighbours[product] = found
        entries = tuple(Entry(history.skus[other], history.titles[other], together=cosine) for other, cosine in found)
        row = Row(product_key(history.skus[product]), learned_at, entries, history.titles[product])
        yield fitted(row, PRODUCT_ROW_BYTES)
    for member_id, baskets in history.baskets_of_member.items():
        entries = _member_entries(history, baskets, neighbours)
        yield fitted(Row(member_key(member_id), learned_at, entries), MEMBER_ROW_BYTES)


def _popular_entries(history: _History) -> tuple[Entry, ...]:
    since_ms = history.until_ms - POPULAR_DAYS * _DAY_MS
    buyers: Counter[int] = Counter()
    for baskets in history.baskets_of_member.values():
        buyers.update({product for basket in baskets if basket.at_ms >= since_ms for product in basket.products})
    best = _best(history, dict(buyers), POPULAR_ENTRIES)
    return tuple(Entry(history.skus[product], history.titles[product], popular=score) for product, score in best)


def _neighbours(history: _History) -> Iterator[tuple[int, list[_Scored]]]:
    """Each product that has neighbours, with them and their cosines, best first."""
    kept: list[list[int]] = []
    containing: list[list[int]] = [[] for _ in history.skus]
    for baskets in history.baskets_of_member.values():
        for basket in baskets:
            products = _capped(sorted(basket.products, key=history.sku))
            for product in products:
                containing[product].append(len(kept))
            kept.append(products)
    for product, places in enumerate(containing):
        counts: Counter[int] = Counter()
        for place in places:
            counts.update(kept[place])
        cosines = [
            (other, round(_ONE * count / sqrt(len(places) * len(containing[other]))))
            for other, count in counts.items()
            if other != product and count >= MIN_TOGETHER
        ]
        cosines.sort(key=lambda pair: (-pair[1], history.skus[pair[0]]))
        if cosines:
            yield product, cosines[:NEIGHBOURS]


def _capped(products: list[int]) -> list[int]:
    """At most `BASKET_CAP` products of a basket, evenly spaced, so that reading order does not choose them."""
    length = len(products)
    if length <= BASKET_CAP:
        return products
    return [products[place * length // BASKET_CAP] for place in range(BASKET_CAP)]


def _member_entries(
    history: _History, baskets: list[_Basket], neighbours: dict[int, list[_Scored]]
) -> tuple[Entry, ...]:
    weights = _weights(history, baskets)
    own = dict(_best(history, weights, OWN_ENTRIES))
    together: dict[int, int] = defaultdict(int)
    because: dict[int, tuple[int, int]] = {}
    for product, score in own.items():
        for other, cosine in neighbours.get(product, ()):
            part = score * cosine
            together[other] += part
            if part > because.get(other, (0, 0))[0]:
                because[other] = (part, product)
    most = max(together.values(), default=0)
    new = [pair for pair in together.items() if pair[0] not in weights]
    new.sort(key=lambda pair: (-pair[1], history.skus[pair[0]]))
    candidates = [product for product, _ in new[:CANDIDATE_ENTRIES]]
    return tuple(
        Entry(
            history.skus[product],
            history.titles[product],
            own=own.get(product, 0),
            together=_ONE * together[product] // most if product in together else 0,
            because=history.skus[because[product][1]] if product in because else "",
        )
        for product in _alternate(list(own), candidates)
    )


def _weights(history: _History, baskets: list[_Basket]) -> dict[int, float]:
    """How often and how lately the member bought each product."""
    weights: dict[int, float] = defaultdict(float)
    # Oldest first: floats must add up in one order for the same purchases to give the same row.
    for basket in sorted(baskets, key=lambda one: (one.at_ms, sorted(one.products, key=history.sku))):
        weight = 0.5 ** ((history.until_ms - basket.at_ms) / _DAY_MS / HALF_LIFE_DAYS)
        for product in basket.products:
            weights[product] += weight
    return weights


def _alternate(own: list[int], candidates: list[int]) -> Iterator[int]:
    """Own products and candidates in turn, so that a row cut to its size keeps the best of both."""
    for place in range(max(len(own), len(candidates))):
        yield from own[place : place + 1]
        yield from candidates[place : place + 1]


def _best(history: _History, scores: dict[int, int] | dict[int, float], count: int) -> list[_Scored]:
    """The best `count` products with their score in thousandths of the best."""
    ranked = sorted(scores.items(), key=lambda pair: (-pair[1], history.skus[pair[0]]))[:count]
    return [(product, max(1, round(_ONE * score / ranked[0][1]))) for product, score in ranked]


def learn_from(purchases: Purchases, *, at: datetime, rows: LearntRows, agreeing: Agreeing) -> int:
    """Learn from the year before `at` and write the serving rows; how many were written.

    Members who do not agree have no row afterwards, whenever they withdrew. What they bought counts in the sums over
    products, which name nobody.

    None while nobody has bought anything since the last run: a quiet shop costs nothing. A run that was killed leaves
    some rows new and some old, each whole, and is done again, since the row that says how far was learnt comes last.
    """
    learnt = learn(purchases.purchases_since(at - HISTORY), at)
    popular = next(learnt)
    known = rows.read_rows((POPULAR_KEY,)).get(POPULAR_KEY)
    if known is not None and known.learned_at == popular.learned_at:
        return 0
    return _write(chain(learnt, (popular,)), rows, agreeing)


def _write(learnt: Iterator[Row], rows: LearntRows, agreeing: Agreeing) -> int:
    count = 0
    while batch := list(islice(learnt, _BATCH)):
        owners = {row.key: member_of(row.key) for row in batch}
        asked = [owner for owner in owners.values() if owner is not None]
        agreed = {None, *agreeing(asked)} if asked else {None}
        count += rows.write_rows(row for row in batch if owners[row.key] in agreed)
        # Read again: who withdrew since the first read has deleted a row that this has put back.
        still = {None, *agreeing([owner for owner in agreed if owner])} if len(agreed) > 1 else agreed
        rows.delete_rows([key for key, owner in owners.items() if owner not in still])
    return count
