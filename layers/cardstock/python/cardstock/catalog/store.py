"""The catalogue in DynamoDB.

Table `products`: partition key `pk` = SKU; index `by_supplier` (`supplier_id`, `pk`), keys only.

| Access pattern | How |
|---|---|
| products of a quote, of a page | BatchGetItem |
| one product | GetItem, consistent |
| all products, page by page | Scan from a SKU on |
| a supplier's products | Query `by_supplier`, then BatchGetItem |
| publish up to 100 | one TransactWriteItems, each on condition that the SKU is the supplier's or nobody's |
| sell, give back, ship | updates within the order's transaction (`adapters/dynamodb/orders.py`) |
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
from cardstock.aws.pages import read_page
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    IntegerAttribute,
    Table,
    Transaction,
)
from cardstock.catalog import errors
from cardstock.catalog.model import Listing, Product
from cardstock.errors import NOT_FOUND, STOCK_SHORT
from cardstock.ids import RequestKey
from cardstock.orders.model import Offer


class BySupplier(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB's __init_subclass__
    """The SKUs of a supplier."""

    class Meta:
        index_name = "by_supplier"
        projection = KeysOnlyProjection()

    supplier_id = UnicodeAttribute(hash_key=True)
    sku = UnicodeAttribute(range_key=True, attr_name="pk")


class ProductItem(Table):
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
    by_supplier = BySupplier()


class DynamoProducts:
    """The catalogue's `Products` port, and what orders need of it."""

    def find(self, sku: str) -> Product | None:
        """See the port."""
        item = ProductItem.find(sku)
        return None if item is None else _product(item)

    def find_all(self, skus: Iterable[str]) -> dict[str, Product]:
        """See the port."""
        return {item.sku: _product(item) for item in ProductItem.batch_get(set(skus))}

    def offers(self, skus: Iterable[str]) -> dict[str, Offer]:
        """The orders area's `Catalogue` port."""
        return {
            item.sku: Offer(
                sku=item.sku,
                name=item.name,
                price_fen=item.price_fen,
                supplier_id=item.supplier_id,
                qualifying=item.qualifying,
                earns=item.earns,
                active=item.active,
                stock=item.stock,
            )
            for item in ProductItem.batch_get(set(skus))
        }

    def page(self, limit: int, after: str | None) -> tuple[Sequence[Product], str | None]:
        """See the port."""
        items, last = read_page(ProductItem.scan, limit=limit, start=None if after is None else {"pk": after})
        return [_product(item) for item in items], last.sku if last else None

    def of_supplier(self, supplier_id: str, limit: int, after: str | None) -> tuple[Sequence[Product], str | None]:
        """See the port."""
        start = None if after is None else {"pk": after, "supplier_id": supplier_id}
        items, last = read_page(ProductItem.by_supplier.query, supplier_id, limit=limit, start=start)
        products = self.find_all(item.sku for item in items)
        return [products[item.sku] for item in items if item.sku in products], last.sku if last else None

    def publish(self, listings: Sequence[Listing], at: datetime) -> None:
        """See the port."""
        try:
            with Transaction() as transaction:
                for listing in listings:
                    transaction.update(
                        ProductItem(sku=listing.sku),
                        actions=[
                            ProductItem.supplier_id.set(listing.supplier_id),
                            ProductItem.name.set(listing.name),
                            ProductItem.price_fen.set(listing.price_fen),
                            ProductItem.qualifying.set(listing.qualifying),
                            ProductItem.earns.set(listing.earns),
                            ProductItem.active.set(listing.active),
                            ProductItem.stock.set(ProductItem.stock | listing.initial_stock),
                            ProductItem.held.set(ProductItem.held | 0),
                            ProductItem.inventory_version.set(ProductItem.inventory_version | -1),
                            ProductItem.updated_at.set(at),
                        ],
                        condition=ProductItem.sku.does_not_exist() | (ProductItem.supplier_id == listing.supplier_id),
                    )
        except ConditionFailedError as error:
            taken = [listings[index].sku for index in sorted(error.failed)]
            raise errors.SKU_TAKEN(skus=taken) from error

    def add_stock(self, sku: str, units: int, request: RequestKey, at: datetime) -> bool:
        """See the port."""
        known = ProductItem.sku.exists()
        try:
            with Transaction() as transaction:
                requests.remember(transaction, request, sku, at)
                transaction.update(
                    ProductItem(sku=sku),
                    actions=[ProductItem.stock.add(units), ProductItem.updated_at.set(at)],
                    condition=known if units >= 0 else known & (ProductItem.stock >= -units),
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
        """See the port."""
        changed = ProductItem(sku=sku).update_if(
            [
                # DynamoDB subtracts: units sold meanwhile are never lost between a read and a write.
                ProductItem.stock.set(Value(on_shelf) - Path(ProductItem.held)),
                ProductItem.inventory_version.set(version),
                ProductItem.updated_at.set(at),
            ],
            (ProductItem.supplier_id == supplier_id) & (ProductItem.inventory_version < version),
        )
        if not changed:
            stored = self.find(sku)
            if stored is None or stored.supplier_id != supplier_id:
                raise NOT_FOUND()
        return changed


def shortage(sku: str, stored: dict[str, Any]) -> dict[str, object]:
    """What a refusal says of a SKU of which there is not enough, from the raw item."""
    return {"sku": sku, "available": max(0, int(stored["stock"]["N"])) if stored else 0}


def _product(item: ProductItem) -> Product:
    return Product(
        sku=item.sku,
        name=item.name,
        supplier_id=item.supplier_id,
        price_fen=item.price_fen,
        qualifying=item.qualifying,
        earns=item.earns,
        active=item.active,
        stock=item.stock,
        held=item.held,
        inventory_version=item.inventory_version,
        updated_at=item.updated_at,
    )
