"""Recommending: at most one read in one call, sums of integers, an order that the same facts always give.

An answer does not know stock and price. Rows are as old as the last learning, and asking the products would cost a
second call, so an answer names products, and the page that shows them reads price and stock where they are true
(`GET /v1/products?ids=`, a quote). A product that sold out since last night is therefore still recommended.
"""

from collections.abc import Sequence
from typing import Final

from cardstock import clock
from cardstock.ids import new_id
from cardstock.recommendations.model import POPULAR_KEY, Scene, Shelf, member_key, product_key
from cardstock.recommendations.ports import ServingRows
from cardstock.recommendations.ranking import Candidates, ranked

MAX_ITEMS: Final = 50
MAX_SHOWN: Final = 10


def recommend(
    member_id: str | None, *, shown: Sequence[str] = (), scene: Scene = "home", limit: int = 10, rows: ServingRows
) -> Shelf:
    """At most `limit` products for a member who looks at the products `shown` (the basket, or the page's product).

    One call to `rows`, whatever is asked. Only the first `MAX_SHOWN` of `shown` count; none of them is recommended. A
    member without history gets what goes with `shown` and what is popular. So does None, which is somebody who does not
    agree to personal recommendations. Before the first learning the answer is empty. Raises `UnavailableError` when the
    store does not answer.
    """
    looked_at = tuple(dict.fromkeys(shown))[:MAX_SHOWN]
    own_keys = () if member_id is None else (member_key(member_id),)
    found = rows.read_rows([*own_keys, POPULAR_KEY, *(product_key(sku) for sku in looked_at)])
    candidates = Candidates()
    if own_keys and (own := found.get(own_keys[0])) is not None:
        candidates.add_member_row(own)
    if (popular := found.get(POPULAR_KEY)) is not None:
        candidates.add_popular_row(popular)
    for sku in looked_at:
        if (row := found.get(product_key(sku))) is not None:
            candidates.add_shown_product(sku, row)
    items = (item for item in ranked(candidates, scene) if item.sku not in shown)
    return Shelf(
        id=new_id("rec", clock.now()),
        items=tuple(items)[:limit],
        ranked_by="rules",
        learned_at=max((row.learned_at for row in found.values()), default=None),
    )
