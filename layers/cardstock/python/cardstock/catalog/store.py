"""The catalogue in DynamoDB.

Table `products`: partition key `pk` = SKU; index `by_supplier` (`supplier_id`, `pk`), keys only.

| Access pattern | How |
|---|---|
| products of a quote, of a page | BatchGetItem |
| one product | GetItem, consistent |
| all products, page by page | Scan from a SKU on, without drafts (price 0) |
| the same with drafts, for staff | Scan from a SKU on |
| a supplier's products | Query `by_supplier`, then BatchGetItem |
| a supplier's draft | one update on condition that the SKU is nobody's, or the supplier's and without price |
| publish up to 100 | one TransactWriteItems, each on condition that the SKU is the supplier's or nobody's |
| publish over drafts of other suppliers | the same again, on condition that they are drafts |
| reserve, release, ship units | updates in the transaction of an order (`orders.store`) |
| add units | one transaction with the request |
| a supplier's count | one update on condition of an older version |

An item stays below 1 KB, so that selling it costs 2 WCU. `stock` and `held` are in no index: selling writes none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import Attribute, BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import Action
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
from cardstock.catalog import errors
from cardstock.catalog.model import Draft, Listing, Product
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
    counted = IntegerAttribute(null=True)
    weight_g = IntegerAttribute(null=True)
    freight_template = UnicodeAttribute(null=True)
    by_supplier = BySupplier()


class DynamoProducts:
    """`catalog.ports.Products`, and `orders.ports.Catalogue`."""

    def find_product(self, sku: str) -> Product | None:
        item = ProductItem.find(sku)
        return None if item is None else record_of(Product, item)

    def products_by_sku(self, skus: Iterable[str], /) -> dict[str, Product]:
        return {item.sku: product_of(item) for item in ProductItem.batch_get(set(skus))}

    def list_products(self, limit: int, after: str | None) -> tuple[Sequence[Product], str | None]:
        start = None if after is None else {"pk": after}
        published = ProductItem.price_fen > 0
        items, last = read_page(ProductItem.scan, limit=limit, start=start, filter_condition=published)
        return [record_of(Product, item) for item in items], last.sku if last else None

    def products_of_supplier(
        self, supplier_id: str, limit: int, after: str | None
    ) -> tuple[Sequence[Product], str | None]:
        found, last = self._of_supplier(supplier_id, limit, after)
        return [product for product in found if not product.is_draft], last

    def every_product(
        self, supplier_id: str | None, limit: int, after: str | None
    ) -> tuple[Sequence[Product], str | None]:
        if supplier_id is not None:
            return self._of_supplier(supplier_id, limit, after)
        start = None if after is None else {"pk": after}
        items, last = read_page(ProductItem.scan, limit=limit, start=start)
        return [record_of(Product, item) for item in items], last.sku if last else None

    def _of_supplier(self, supplier_id: str, limit: int, after: str | None) -> tuple[Sequence[Product], str | None]:
        start = None if after is None else {"pk": after, "supplier_id": supplier_id}
        items, last = read_page(ProductItem.by_supplier.query, supplier_id, limit=limit, start=start)
        products = self.products_by_sku(item.sku for item in items)
        return [products[item.sku] for item in items if item.sku in products], last.sku if last else None

    def publish_listings(self, listings: Sequence[Listing], at: datetime) -> None:
        try:
            self._publish(listings, {}, at)
        except ConditionFailedError as error:
            taken = self._owners(listings, error)
            others = [sku for sku, product in taken.items() if not product.is_draft]
            if others:
                raise errors.SKU_TAKEN(skus=others) from error
            try:
                self._publish(listings, taken, at)
            except ConditionFailedError as again:
                raise errors.SKU_TAKEN(skus=list(self._owners(listings, again))) from again

    def _owners(self, listings: Sequence[Listing], error: ConditionFailedError) -> dict[str, Product]:
        """What is stored under the SKUs that a transaction could not write."""
        found = [self.find_product(listings[index].sku) for index in sorted(error.failed)]
        return {product.sku: product for product in found if product is not None}

    @staticmethod
    def _publish(listings: Sequence[Listing], drafts: Mapping[str, Product], at: datetime) -> None:
        """Publish; in place of `drafts` of other suppliers, whose stock does not count."""
        with Transaction() as transaction:
            for listing in listings:
                draft, supplier = drafts.get(listing.sku), ProductItem.supplier_id
                stock, version = ProductItem.stock, ProductItem.inventory_version
                transaction.update(
                    ProductItem(sku=listing.sku),
                    actions=[
                        supplier.set(listing.supplier_id),
                        ProductItem.name.set(listing.name),
                        ProductItem.price_fen.set(listing.price_fen),
                        ProductItem.qualifying.set(listing.qualifying),
                        ProductItem.earns.set(listing.earns),
                        ProductItem.active.set(listing.active),
                        stock.set(listing.initial_stock if draft else stock | listing.initial_stock),
                        ProductItem.held.set(ProductItem.held | 0),
                        version.set(-1 if draft else version | -1),
                        ProductItem.updated_at.set(at),
                        _set_or_remove(ProductItem.weight_g, listing.weight_g),
                        _set_or_remove(ProductItem.freight_template, listing.freight_template or None),
                    ],
                    condition=(supplier == draft.supplier_id) & (ProductItem.price_fen == 0)
                    if draft
                    else ProductItem.sku.does_not_exist() | (supplier == listing.supplier_id),
                )

    def store_draft(self, draft: Draft, at: datetime) -> None:
        drafted = ProductItem(sku=draft.sku).update_if(
            [
                ProductItem.supplier_id.set(draft.supplier_id),
                ProductItem.name.set(draft.name),
                ProductItem.price_fen.set(0),
                ProductItem.qualifying.set(False),
                ProductItem.earns.set(True),
                ProductItem.active.set(False),
                ProductItem.stock.set(ProductItem.stock | draft.initial_stock),
                ProductItem.held.set(ProductItem.held | 0),
                ProductItem.inventory_version.set(ProductItem.inventory_version | -1),
                ProductItem.updated_at.set(at),
            ],
            ProductItem.sku.does_not_exist()
            | ((ProductItem.supplier_id == draft.supplier_id) & (ProductItem.price_fen == 0)),
        )
        if not drafted:
            stored = self.find_product(draft.sku)
            if stored is not None and stored.supplier_id == draft.supplier_id:
                raise errors.PRODUCT_PUBLISHED()
            raise errors.SKU_TAKEN(skus=[draft.sku])

    def add_stock(self, sku: str, units: int, request: RequestKey, at: datetime) -> bool:
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
        changed = ProductItem(sku=sku).update_if(
            [
                # DynamoDB subtracts: units sold between a read and a write are never lost.
                ProductItem.stock.set(Value(on_shelf) - Path(ProductItem.held)),
                ProductItem.inventory_version.set(version),
                ProductItem.counted.set(on_shelf),
                ProductItem.updated_at.set(at),
            ],
            (ProductItem.supplier_id == supplier_id) & (ProductItem.inventory_version < version),
        )
        if not changed:
            stored = self.find_product(sku)
            if stored is None or stored.supplier_id != supplier_id:
                raise NOT_FOUND()
        return changed


def product_of(item: ProductItem) -> Product:
    """The product that an item stores."""
    return record_of(Product, item)


def _set_or_remove(attribute: "Attribute[Any]", value: Any) -> Action:
    return attribute.remove() if value is None else attribute.set(value)


def reserve_units(transaction: Transaction, sku: str, units: int, price_fen: Fen) -> None:
    """Add to the transaction that places an order: units of a SKU move from `stock` to `held`.

    It fails unless the SKU is for sale at this price and has that many units; `is_sold_at` and `shortage` read the
    reason from the failed item.
    """
    transaction.update(
        ProductItem(sku=sku),
        actions=[ProductItem.stock.add(-units), ProductItem.held.add(units)],
        condition=(ProductItem.stock >= units) & (ProductItem.price_fen == price_fen) & (ProductItem.active == True),  # noqa: E712 - an expression for DynamoDB, not a comparison
        return_values="ALL_OLD",
    )


def move_units(transaction: Transaction, sku: str, *, stock: int, held: int) -> None:
    """Add to the transaction of a later step of an order: units that are released or sent."""
    transaction.update(ProductItem(sku=sku), actions=[ProductItem.stock.add(stock), ProductItem.held.add(held)])


def is_sold_at(stored: dict[str, Any], price_fen: Fen) -> bool:
    """Whether a SKU was for sale at this price, by the raw item of a failed `reserve_units`."""
    return bool(stored) and bool(stored["active"]["BOOL"]) and int(stored["price_fen"]["N"]) == price_fen


def shortage(sku: str, stored: dict[str, Any]) -> dict[str, object]:
    """What STOCK_SHORT says about a SKU, by the raw item of a failed condition."""
    return {"sku": sku, "available": max(0, int(stored["stock"]["N"])) if stored else 0}
