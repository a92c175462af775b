"""Recommending: at most one read in one call, sums of integers, an order that the same facts always give.

What an answer doesn't know: stock and price. Rows are as old as the last learning, and asking the products would cost
a second call, so an answer names products and the shelf that shows them reads price and stock where they are true
(`GET /v1/products/{sku}`, a quote). A product that sold out since last night is therefore still recommended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from cardstock.clock import Clock
from cardstock.ids import new_id
from cardstock.recommendations.learning import HISTORY, learn
from cardstock.recommendations.model import (
    POPULAR_KEY,
    Reason,
    Recommendation,
    Row,
    Scene,
    Shelf,
    member_key,
    product_key,
)
from cardstock.recommendations.ports import LearntRows, Model, Purchases, ServingRows
from cardstock.recommendations.wording import Language, improve, reason_text

MAX_ITEMS = 50
MAX_SHOWN = 10


@dataclass(frozen=True, slots=True)
class _Weights:
    """What a thousandth of each score counts. Chosen on the four weeks before those that `evaluation` reports."""

    own: int
    together: int
    shown: int
    popular: int


_WEIGHTS: dict[Scene, _Weights] = {
    "home": _Weights(own=10, together=1, shown=18, popular=4),
    "discover": _Weights(own=0, together=10, shown=18, popular=4),
}


def recommend(
    member_id: str,
    *,
    shown: Sequence[str] = (),
    scene: Scene = "home",
    limit: int = 10,
    rows: ServingRows,
    clock: Clock,
) -> Shelf:
    """At most `limit` products for a member who looks at the products `shown` (the basket, or the page's product).

    One call to `rows`, whatever is asked. Only the first `MAX_SHOWN` of `shown` count; none of them is recommended. A
    member without history gets what goes with `shown` and what is popular; before the first learning the answer is
    empty. Raises UnavailableError when the store does not answer.
    """
    looked_at = tuple(dict.fromkeys(shown))[:MAX_SHOWN]
    found = rows.read([member_key(member_id), POPULAR_KEY, *(product_key(sku) for sku in looked_at)])
    items = _ranked(found, member_id, looked_at, scene)
    return Shelf(
        new_id("rec", clock.now()),
        tuple(item for item in items if item.sku not in shown)[:limit],
        "rules",
        max((row.learned_at for row in found.values()), default=None),
    )


@dataclass(slots=True)
class _Candidate:
    title: str
    own: int = 0
    together: int = 0
    shown: int = 0
    popular: int = 0
    because: str = ""
    because_shown: str = ""
    best_shown: int = 0


def _ranked(found: Mapping[str, Row], member_id: str, shown: Sequence[str], scene: Scene) -> list[Recommendation]:
    candidates: dict[str, _Candidate] = {}
    titles: dict[str, str] = {}
    owned = set()
    if (mine := found.get(member_key(member_id))) is not None:
        for entry in mine.entries:
            titles[entry.sku] = entry.title
            candidates[entry.sku] = _Candidate(
                entry.title, own=entry.own, together=entry.together, because=entry.because
            )
            if entry.own:
                owned.add(entry.sku)
    if (popular := found.get(POPULAR_KEY)) is not None:
        for entry in popular.entries:
            candidates.setdefault(entry.sku, _Candidate(entry.title)).popular = entry.popular
    for sku in shown:
        if (row := found.get(product_key(sku))) is not None:
            titles[sku] = row.title
            for entry in row.entries:
                candidate = candidates.setdefault(entry.sku, _Candidate(entry.title))
                candidate.shown += entry.together
                if entry.together > candidate.best_shown:
                    candidate.best_shown = entry.together
                    candidate.because_shown = sku
    most_shown = max((candidate.shown for candidate in candidates.values()), default=0) or 1
    weights = _WEIGHTS[scene]
    items = []
    for sku, candidate in candidates.items():
        if scene == "discover" and sku in owned:
            continue
        shown_part = weights.shown * (candidate.shown * 1000 // most_shown)
        parts: list[tuple[int, Reason, str]] = [
            (weights.own * candidate.own, "OWN_HISTORY", ""),
            (shown_part, "CO_PURCHASE", candidate.because_shown),
            (weights.together * candidate.together if candidate.because else 0, "CO_PURCHASE", candidate.because),
            (weights.popular * candidate.popular, "POPULAR", ""),
        ]
        score = sum(part for part, _, _ in parts)
        if score:
            _, reason, because = max(parts, key=lambda part: part[0])
            items.append(Recommendation(sku, candidate.title, score, reason, because, titles.get(because, "")))
    return sorted(items, key=lambda item: (-item.score, item.sku))


def present(shelf: Shelf, *, language: Language, model: Model | None) -> Shelf:
    """The shelf with a text beside each product, re-ordered and worded by `model` if there is one and it answers
    acceptably in time; by the rules otherwise. Never fails because of the model, and the products stay the same."""
    worded = replace(shelf, items=tuple(replace(item, text=reason_text(item, language)) for item in shelf.items))
    return worded if model is None else improve(worded, language=language, model=model)


def learn_from(purchases: Purchases, *, at: datetime, rows: LearntRows) -> int:
    """Learn from the year before `at` and write the serving rows; how many were written.

    None while nobody has bought anything since the last run: a quiet shop costs nothing. A run that was killed leaves
    some rows new and some old, each whole, and is done again, since the row that says how far was learnt comes last.
    """
    learnt = learn(purchases.since(at - HISTORY), at)
    popular = next(learnt)
    known = rows.read((POPULAR_KEY,)).get(POPULAR_KEY)
    if known is not None and known.learned_at == popular.learned_at:
        return 0
    return rows.write(chain(learnt, (popular,)))
