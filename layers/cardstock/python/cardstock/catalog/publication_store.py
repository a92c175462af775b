"""Publications in DynamoDB: products, cards and SKUs that are written together, on condition of what was read."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from cardstock.aws.items import StructAttribute, fields_of, record_of
from cardstock.aws.tables import EpochAttribute, IntegerAttribute, JsonAttribute, Table, Transaction, get_together
from cardstock.catalog import errors
from cardstock.catalog.model import Variant
from cardstock.catalog.product_model import (
    MAX_TOGETHER,
    PRODUCT_TRANSITIONS,
    Outcome,
    Product,
    Publication,
    StoredState,
    VariantTerms,
    Wording,
    card_of,
    page_of_variant,
)
from cardstock.catalog.store import VariantItem

CONTENT: Final = "page#content"
CARD: Final = "page#card"


class ContentItem(Table):
    """What a page shows besides prices of lists and stock."""

    class Meta:
        variable = "PRODUCT_PAGES_TABLE"

    product_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default=CONTENT)
    product = StructAttribute(Product)
    revision = IntegerAttribute()
    updated_at = EpochAttribute()


class CardItem(Table):
    """What lists show of a product."""

    class Meta:
        variable = "PRODUCT_PAGES_TABLE"

    product_id = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default=CARD)
    supplier_id = UnicodeAttribute()
    title = StructAttribute(Wording)
    state = UnicodeAttribute()
    price_from_fen = IntegerAttribute()
    price_to_fen = IntegerAttribute()
    shown = JsonAttribute()
    updated_at = EpochAttribute()
    picture = UnicodeAttribute(null=True)
    list_price_fen = IntegerAttribute(null=True)
    on_sale_from = EpochAttribute(null=True)
    revision = IntegerAttribute()


class Stored(msgspec.Struct):
    """What is stored of the products that are published."""

    contents: dict[str, ContentItem]
    cards: dict[str, CardItem]
    variants: dict[str, Variant]


def read(publications: Sequence[Publication]) -> Stored:
    """What is stored of the products and then of their SKUs, read consistently: two calls.

    In this order, because a card is written under its revision: stock that changes later is either read here, or
    brings the card up to date after it was written, or raises the revision before.
    """
    ids = [each.product.product_id for each in publications]
    stored = Stored({}, {}, {})
    pages: dict[type[Table], Iterable[tuple[str, ...]]] = {
        ContentItem: [(product_id, CONTENT) for product_id in ids],
        CardItem: [(product_id, CARD) for product_id in ids],
    }
    for item in get_together(pages):
        if isinstance(item, ContentItem):
            stored.contents[item.product_id] = item
        elif isinstance(item, CardItem):
            stored.cards[item.product_id] = item
    for variant in get_together({VariantItem: [(sku,) for each in publications for sku in each.product.skus]}):
        if isinstance(variant, VariantItem):
            stored.variants[variant.sku] = record_of(Variant, variant)
    return stored


def require_free(publications: Sequence[Publication], stored: Stored, *, states: bool = True) -> None:
    """Refuse SKUs of other suppliers and other products, and (`states`) states that do not follow."""
    taken, elsewhere, stuck = [], [], []
    for product in (each.product for each in publications):
        for variant in (stored.variants[sku] for sku in product.skus if sku in stored.variants):
            if variant.is_draft:
                continue  # of release 0.3.0, of whatever supplier: it gives way
            if variant.supplier_id != product.supplier_id:
                taken.append(variant.sku)
            elif variant.product_id not in (None, product.product_id):
                elsewhere.append(variant.sku)
        before = _state_before(product, stored)
        if states and before is not None and product.state not in (before, *PRODUCT_TRANSITIONS[before]):
            stuck.append(product.product_id)
        content = stored.contents.get(product.product_id)
        if content is not None and content.product.supplier_id != product.supplier_id:
            taken.append(product.product_id)
    if taken:
        raise errors.SKU_TAKEN(skus=taken)
    if elsewhere:
        raise errors.SKU_IN_PRODUCT(skus=elsewhere)
    if stuck:
        raise errors.PRODUCT_STATE(products=stuck)


def _state_before(product: Product, stored: Stored) -> StoredState | None:
    if product.product_id in stored.contents:
        before: StoredState = stored.contents[product.product_id].product.state
        return before
    variant = stored.variants.get(product.product_id)
    return None if variant is None or variant.is_draft else page_of_variant(variant).product.state


def outcome_of(product: Product, stored: Stored) -> Outcome:
    """What publishing makes of a product."""
    content = stored.contents.get(product.product_id)
    if content is None:
        return "made" if _state_before(product, stored) is None else "changed"
    return "same" if content.product == product else "changed"


def write(
    publications: Sequence[Publication],
    stored: Stored,
    at: datetime,
    first: Callable[[Transaction], None] | None = None,
) -> None:
    """Write products, cards and SKUs if they are as they were read, in one transaction; `first` adds to it what must
    hold too. Raises `ConditionFailedError`, `TooLargeError` PUBLICATION_TOO_LARGE."""
    dropped = {
        each.product.product_id: [sku for sku in content.product.skus if sku not in each.product.skus]
        for each in publications
        if (content := stored.contents.get(each.product.product_id)) is not None
    }
    if sum(each.size for each in publications) + sum(map(len, dropped.values())) > MAX_TOGETHER:
        raise errors.PUBLICATION_TOO_LARGE(most=MAX_TOGETHER)
    with Transaction() as transaction:
        if first is not None:
            first(transaction)
        for publication in publications:
            product = publication.product
            content, card = stored.contents.get(product.product_id), stored.cards.get(product.product_id)
            transaction.save(
                ContentItem(
                    product_id=product.product_id,
                    product=product,
                    revision=content.revision + 1 if content else 1,
                    updated_at=at,
                ),
                condition=ContentItem.product_id.does_not_exist()
                if content is None
                else ContentItem.revision == content.revision,
            )
            _write_card(transaction, publication, card, stored, at)
            for terms in product.variants:
                is_shown = card is not None and terms.sku in card.shown
                _write_variant(transaction, publication, terms, stored.variants.get(terms.sku), at, is_shown=is_shown)
            for sku in dropped.get(product.product_id, ()):
                transaction.update(
                    VariantItem(sku=sku),
                    actions=[
                        VariantItem.active.set(False),
                        VariantItem.further.set(True),
                        VariantItem.updated_at.set(at),
                    ],
                    condition=VariantItem.product_id == product.product_id,
                )


def _write_card(
    transaction: Transaction, publication: Publication, card: CardItem | None, stored: Stored, at: datetime
) -> None:
    """An update, so that what others keep in a card stays."""
    product = publication.product
    stock = {sku: _stock_after(publication, sku, stored.variants.get(sku)) for sku in product.skus}
    fields = fields_of(card_of(product, stock, at), CardItem)
    del fields["product_id"]
    attributes = CardItem.get_attributes()
    actions = [_set_or_remove(attributes[name], value) for name, value in fields.items()]
    transaction.update(
        CardItem(product_id=product.product_id, sk=CARD),
        actions=[*actions, CardItem.revision.set(card.revision + 1 if card else 1)],
        condition=CardItem.product_id.does_not_exist() if card is None else CardItem.revision == card.revision,
    )


def _stock_after(publication: Publication, sku: str, variant: Variant | None) -> int:
    if variant is None or _gives_way(publication.product, variant):
        return publication.initial_stock.get(sku, 0)
    return variant.stock


def _gives_way(product: Product, variant: Variant) -> bool:
    """Whether it is another supplier's draft, whose stock does not count."""
    return variant.is_draft and variant.supplier_id != product.supplier_id


def _write_variant(
    transaction: Transaction,
    publication: Publication,
    terms: VariantTerms,
    variant: Variant | None,
    at: datetime,
    *,
    is_shown: bool,
) -> None:
    """`is_shown`: the card has the stock of this SKU; otherwise nobody else brings the card up to date meanwhile."""
    product = publication.product
    anew = variant is not None and _gives_way(product, variant)
    initial, stock, version = (
        publication.initial_stock.get(terms.sku, 0),
        VariantItem.stock,
        VariantItem.inventory_version,
    )
    actions: list[Action] = [
        VariantItem.supplier_id.set(product.supplier_id),
        VariantItem.product_id.set(product.product_id),
        VariantItem.name.set(product.name_of(terms, "zh")),
        VariantItem.price_fen.set(terms.price_fen),
        VariantItem.qualifying.set(terms.qualifying),
        VariantItem.earns.set(terms.earns),
        VariantItem.active.set(product.state == "on_sale"),
        stock.set(initial if anew else stock | initial),
        VariantItem.held.set(VariantItem.held | 0),
        version.set(-1 if anew else version | -1),
        VariantItem.updated_at.set(at),
        _set_or_remove(VariantItem.weight_g, terms.weight_g),
        _set_or_remove(VariantItem.freight_template, terms.freight_template or None),
        _set_or_remove(VariantItem.name_en, product.name_of(terms, "en") if product.title.en else None),
        _set_or_remove(VariantItem.on_sale_from, product.on_sale_from),
        VariantItem.further.remove() if terms.sku == product.skus[0] else VariantItem.further.set(True),
    ]
    own = (VariantItem.supplier_id == product.supplier_id) & (
        VariantItem.product_id.does_not_exist() | (VariantItem.product_id == product.product_id)
    )
    if variant is None:
        condition = VariantItem.sku.does_not_exist()
    elif anew:
        condition = (VariantItem.supplier_id == variant.supplier_id) & (VariantItem.price_fen == 0)
    else:
        condition = own if is_shown else own & (VariantItem.stock == variant.stock)
    transaction.update(VariantItem(sku=terms.sku), actions=actions, condition=condition)


def _set_or_remove(attribute: "Attribute[Any]", value: Any) -> Action:
    return attribute.remove() if value is None else attribute.set(value)
