"""SKUs in DynamoDB.

Table `products`: partition key `pk` = SKU; index `by_supplier` (`supplier_id`, `pk`), keys only.

| Access pattern | How |
|---|---|
| SKUs of a quote | BatchGetItem |
| one SKU | GetItem, consistent |
| one SKU of each product, page by page | Scan from a SKU on, without drafts (price 0) and `further` ones |
| all SKUs, for staff | Scan from a SKU on |
| a supplier's SKUs | Query `by_supplier`, then BatchGetItem |
| publish | updates in the transaction of a product (`product_store`) |
| reserve, release, ship units | updates in the transaction of an order (`orders.store`) |
| add units | one transaction with the request |
| a supplier's count | one update on condition of an older version |

An item stays below 1 KB, so that selling it costs 2 WCU. `stock` and `held` are in no index: selling writes none.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path, Value
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from cardstock.aws import requests
from cardstock.aws.items import record_of
from cardstock.aws.pages import read_page
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    IntegerAttribute,
    Table,
    Transaction,
)
from cardstock.catalog.model import Variant
from cardstock.clock import to_epoch_ms
from cardstock.errors import NOT_FOUND, STOCK_SHORT
from cardstock.ids import RequestKey
from cardstock.money import Fen


class BySupplier(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """The SKUs of a supplier."""

    class Meta:
        index_name = "by_supplier"
        projection = KeysOnlyProjection()

    supplier_id = UnicodeAttribute(hash_key=True)
    sku = UnicodeAttribute(range_key=True, attr_name="pk")


class VariantItem(Table):
    """One SKU."""

    class Meta:
        variable = "PRODUCTS_TABLE"

    sku = UnicodeAttribute(hash_key=True, attr_name="pk")
    supplier_id = UnicodeAttribute()
    name = UnicodeAttribute()
    price_fen = IntegerAttribute()
    qualifying = BooleanAttribute()
    earns = BooleanAttribute()
    active = BooleanAttribute()
    stock = IntegerAttribute()
    held = IntegerAttribute()
    inventory_version = IntegerAttribute()
    updated_at = EpochAttribute()
    counted = IntegerAttribute(null=True)
    weight_g = IntegerAttribute(null=True)
    freight_template = UnicodeAttribute(null=True)
    product_id = UnicodeAttribute(null=True)
    name_en = UnicodeAttribute(null=True)
    on_sale_from = EpochAttribute(null=True)
    further = BooleanAttribute(null=True)
    by_supplier = BySupplier()


class DynamoVariants:
    """`catalog.ports.Variants`, and `orders.ports.Catalogue`."""

    def find_variant(self, sku: str) -> Variant | None:
        item = VariantItem.find(sku)
        return None if item is None else record_of(Variant, item)

    def variants_by_sku(self, skus: Iterable[str], /) -> dict[str, Variant]:
        return {item.sku: variant_of(item) for item in VariantItem.batch_get(set(skus))}

    def list_leading(self, limit: int, after: str | None) -> tuple[Sequence[Variant], str | None]:
        start = None if after is None else {"pk": after}
        leading = (VariantItem.price_fen > 0) & VariantItem.further.does_not_exist()
        items, last = read_page(VariantItem.scan, limit=limit, start=start, filter_condition=leading)
        return [record_of(Variant, item) for item in items], last.sku if last else None

    def leading_of_supplier(
        self, supplier_id: str, limit: int, after: str | None
    ) -> tuple[Sequence[Variant], str | None]:
        found, last = self._of_supplier(supplier_id, limit, after)
        return [variant for variant in found if not variant.is_draft and not variant.further], last

    def every_variant(
        self, supplier_id: str | None, limit: int, after: str | None
    ) -> tuple[Sequence[Variant], str | None]:
        if supplier_id is not None:
            return self._of_supplier(supplier_id, limit, after)
        start = None if after is None else {"pk": after}
        items, last = read_page(VariantItem.scan, limit=limit, start=start)
        return [record_of(Variant, item) for item in items], last.sku if last else None

    def _of_supplier(self, supplier_id: str, limit: int, after: str | None) -> tuple[Sequence[Variant], str | None]:
        start = None if after is None else {"pk": after, "supplier_id": supplier_id}
        items, last = read_page(VariantItem.by_supplier.query, supplier_id, limit=limit, start=start)
        variants = self.variants_by_sku(item.sku for item in items)
        return [variants[item.sku] for item in items if item.sku in variants], last.sku if last else None

    def add_stock(self, sku: str, units: int, request: RequestKey, at: datetime) -> bool:
        known = VariantItem.sku.exists()
        try:
            with Transaction() as transaction:
                requests.remember(transaction, request, sku, at)
                transaction.update(
                    VariantItem(sku=sku),
                    actions=[VariantItem.stock.add(units), VariantItem.updated_at.set(at)],
                    condition=known if units >= 0 else known & (VariantItem.stock >= -units),
                    return_values="ALL_OLD",
                )
        except ConditionFailedError as error:
            if 0 in error.failed:
                requests.result_of(error.failed[0], request)
                return False
            if not error.failed[1]:
                raise NOT_FOUND() from error
            raise STOCK_SHORT(lines=[shortage(sku, error.failed[1])]) from error
        return True

    def count_stock(self, supplier_id: str, sku: str, on_shelf: int, version: int, at: datetime) -> bool:
        changed = VariantItem(sku=sku).update_if(
            [
                # DynamoDB subtracts: units sold between a read and a write are never lost.
                VariantItem.stock.set(Value(on_shelf) - Path(VariantItem.held)),
                VariantItem.inventory_version.set(version),
                VariantItem.counted.set(on_shelf),
                VariantItem.updated_at.set(at),
            ],
            (VariantItem.supplier_id == supplier_id) & (VariantItem.inventory_version < version),
        )
        if not changed:
            stored = self.find_variant(sku)
            if stored is None or stored.supplier_id != supplier_id:
                raise NOT_FOUND()
        return changed


def variant_of(item: VariantItem) -> Variant:
    """The SKU that an item stores."""
    return record_of(Variant, item)


def reserve_units(transaction: Transaction, sku: str, units: int, price_fen: Fen, at: datetime) -> None:
    """Add to the transaction that places an order: units of a SKU move from `stock` to `held`.

    It fails unless the SKU is for sale `at` that moment at this price and has that many units; `is_sold_at` and
    `shortage` read the reason from the failed item.
    """
    begun = VariantItem.on_sale_from.does_not_exist() | (VariantItem.on_sale_from <= at)
    on_sale = (VariantItem.price_fen == price_fen) & (VariantItem.active == True) & begun  # noqa: E712 - an expression for DynamoDB, not a comparison
    transaction.update(
        VariantItem(sku=sku),
        actions=[VariantItem.stock.add(-units), VariantItem.held.add(units)],
        condition=(VariantItem.stock >= units) & on_sale,
        return_values="ALL_OLD",
    )


def move_units(transaction: Transaction, sku: str, *, stock: int, held: int) -> None:
    """Add to the transaction of a later step of an order: units that are released or sent."""
    transaction.update(VariantItem(sku=sku), actions=[VariantItem.stock.add(stock), VariantItem.held.add(held)])


def is_sold_at(stored: dict[str, Any], price_fen: Fen, at: datetime) -> bool:
    """Whether a SKU was for sale at this price, by the raw item of a failed `reserve_units`."""
    begins = int(stored["on_sale_from"]["N"]) if "on_sale_from" in stored else 0
    is_active = bool(stored) and bool(stored["active"]["BOOL"]) and begins <= to_epoch_ms(at)
    return is_active and int(stored["price_fen"]["N"]) == price_fen


def shortage(sku: str, stored: dict[str, Any]) -> dict[str, object]:
    """What STOCK_SHORT says about a SKU, by the raw item of a failed condition."""
    return {"sku": sku, "available": max(0, int(stored["stock"]["N"])) if stored else 0}
