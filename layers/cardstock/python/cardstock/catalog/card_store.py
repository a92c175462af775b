"""The upkeep of cards in DynamoDB.

| Access pattern | How |
|---|---|
| stock on cards | BatchGetItem of the cards, then of their SKUs, both consistent; an update of each card that differs |

The cards are read before the SKUs, and a card is written under the revision that was read: what it shows is never older
than the stock at the revision before it. Whoever writes a card (publishing too) raises its revision.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from cardstock.aws.tables import get_together
from cardstock.catalog.product_model import shown_stock
from cardstock.catalog.publication_store import CARD, CardItem
from cardstock.catalog.store import VariantItem
from cardstock.catalog.upkeep import StockChange

_ATTEMPTS: Final = 3
_AT_ONCE: Final = 100


class DynamoCards:
    """`catalog.ports.Cards`."""

    def refresh(self, product_ids: Sequence[str]) -> frozenset[str]:
        left = list(product_ids)
        for _ in range(_ATTEMPTS):
            found = get_together({CardItem: [(product_id, CARD) for product_id in left]})
            cards = [item for item in found if isinstance(item, CardItem)]
            stock = _stock(sku for card in cards for sku in card.shown)
            left = [card.product_id for card in cards if not _show(card, stock)]
            if not left:
                break
        return frozenset(left)


def change_of(record: Mapping[str, Any]) -> StockChange | None:
    """The change in a record of the stream of SKUs; None of one that no page shows. Raises ValueError on anything
    else."""
    try:
        before, after = record["dynamodb"]["OldImage"], record["dynamodb"]["NewImage"]
        if "product_id" not in after:
            return None
        return StockChange(after["product_id"]["S"], int(before["stock"]["N"]), int(after["stock"]["N"]))
    except (KeyError, TypeError) as error:
        raise ValueError("no change of a SKU") from error


def _stock(skus: Iterable[str]) -> dict[str, int]:
    stock: dict[str, int] = {}
    wanted = list(skus)
    for start in range(0, len(wanted), _AT_ONCE):
        found = get_together({VariantItem: [(sku,) for sku in wanted[start : start + _AT_ONCE]]})
        stock |= {item.sku: item.stock for item in found if isinstance(item, VariantItem)}
    return stock


def _show(card: CardItem, stock: Mapping[str, int]) -> bool:
    """Write what a card shows, if it differs; False if somebody else has written it."""
    shown = {sku: shown_stock(stock.get(sku, 0)) for sku in card.shown}
    if shown == card.shown:
        return True
    written = CardItem(product_id=card.product_id, sk=CARD).update_if(
        [CardItem.shown.set(shown), CardItem.revision.set(card.revision + 1)], CardItem.revision == card.revision
    )
    return bool(written)
