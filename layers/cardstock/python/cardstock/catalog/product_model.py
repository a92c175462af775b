"""What a page shows of a product: content, options, SKUs and their prices; and its card, which lists show."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.catalog.model import MAX_NAME, Variant
from cardstock.files import PICTURES, UPLOAD, address_of
from cardstock.ids import fingerprint_of
from cardstock.money import Fen

StoredState: TypeAlias = Literal["draft", "on_sale", "archived"]
ProductState: TypeAlias = Literal["draft", "scheduled", "on_sale", "archived"]
"""As clients see it: a product on sale whose sale has not begun is scheduled."""
Outcome: TypeAlias = Literal["made", "changed", "same"]

PRODUCT_TRANSITIONS: Final[Mapping[StoredState, frozenset[StoredState]]] = {
    "draft": frozenset({"on_sale"}),
    "on_sale": frozenset({"archived"}),
    "archived": frozenset({"on_sale"}),
}

MAX_VARIANTS: Final = 50
MAX_TOGETHER: Final = 100
"""Items of one publication: the limit of a DynamoDB transaction. A product is two, and one for each of its SKUs."""
MAX_IDS: Final = 100
"""Cards of one read: the limit of BatchGetItem."""
SHOWN_STOCK: Final = 20
"""Units in stock are shown exactly up to this many; more are shown as more."""


class Wording(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text in both languages of buyers; without `en` the Chinese one is shown to all."""

    zh: str
    en: str = ""

    def text(self, language: str) -> str:
        """The text for a buyer who reads `zh` or `en`."""
        return self.en if language == "en" and self.en else self.zh


class Option(msgspec.Struct, frozen=True):
    """What a buyer chooses between, such as the colour: its values in the order in which they are shown."""

    name: Wording
    values: tuple[Wording, ...]


class Attribute(msgspec.Struct, frozen=True):
    """A fact about the product, such as the material."""

    name: Wording
    value: Wording


class ProductFile(msgspec.Struct, frozen=True):
    """A document about the product: a manual, a certificate."""

    name: Wording
    source: str


class VariantTerms(msgspec.Struct, frozen=True, omit_defaults=True):
    """One SKU as it is published. `choice` has the place of its value in each option."""

    sku: str
    price_fen: Fen
    choice: tuple[int, ...] = ()
    list_price_fen: Fen | None = None
    """A higher price, with which buyers compare."""
    weight_g: int | None = None
    """Grams of one unit when it is sent; None if that is not known."""
    freight_template: str = ""
    """The template that its freight follows; empty: the default one."""
    qualifying: bool = False
    earns: bool = True


class Product(msgspec.Struct, frozen=True, omit_defaults=True):
    """What staff publish: everything that the page shows besides stock.

    Pictures and files are ids of uploads (`upl_...`) or https addresses, video and model are https addresses.
    `description` is sanitised HTML.
    """

    product_id: str
    supplier_id: str
    title: Wording
    variants: tuple[VariantTerms, ...]
    state: StoredState = "on_sale"
    on_sale_from: datetime | None = None
    description: Wording | None = None
    category_ids: tuple[str, ...] = ()
    brand: str = ""
    images: tuple[str, ...] = ()
    files: tuple[ProductFile, ...] = ()
    video: str | None = None
    model_3d: str | None = None
    options: tuple[Option, ...] = ()
    attributes: tuple[Attribute, ...] = ()

    @property
    def skus(self) -> tuple[str, ...]:
        """Its SKUs, in the order in which they are shown."""
        return tuple(terms.sku for terms in self.variants)

    def values_of(self, terms: VariantTerms) -> tuple[Wording, ...]:
        """The option values of one of its SKUs."""
        return tuple(option.values[place] for option, place in zip(self.options, terms.choice, strict=True))

    def name_of(self, terms: VariantTerms, language: str) -> str:
        """The name of one of its SKUs: title and option values, at most `MAX_NAME` letters. The title gives way."""
        values = " ".join(value.text(language) for value in self.values_of(terms))
        if not values:
            return self.title.text(language)
        return f"{self.title.text(language)[: MAX_NAME - len(values) - 1].rstrip()} {values}"[:MAX_NAME]


class Publication(msgspec.Struct, frozen=True):
    """A product to be published. `initial_stock` by SKU only counts for SKUs that do not exist; absent: none."""

    product: Product
    initial_stock: Mapping[str, int] = {}

    @property
    def size(self) -> int:
        """Items that it writes, without those of SKUs that the product had and has no more."""
        return 2 + len(self.product.variants)


class Draft(msgspec.Struct, frozen=True):
    """A supplier's draft: what staff may publish. The SKUs of its publication have no price (0)."""

    product_id: str
    supplier_id: str
    publication: Publication
    sha256: str
    """Of the publication (`digest_of`): names exactly what staff have read."""
    updated_at: datetime
    accepted: Publication | None = None
    """What staff last published of it, with their prices."""
    accepted_sha256: str | None = None
    accepted_at: datetime | None = None


class ProductCard(msgspec.Struct, frozen=True):
    """What lists show of a product. `shown` is the stock by SKU, at most one more than `SHOWN_STOCK`."""

    product_id: str
    supplier_id: str
    title: Wording
    state: StoredState
    price_from_fen: Fen
    price_to_fen: Fen
    shown: Mapping[str, int]
    updated_at: datetime
    picture: str | None = None
    list_price_fen: Fen | None = None
    """The list price of the cheapest SKU that has one."""
    on_sale_from: datetime | None = None

    def state_at(self, at: datetime) -> ProductState:
        """The state as clients see it at that moment."""
        return state_at(self.state, self.on_sale_from, at)

    def picture_at(self, host: str) -> str | None:
        """Where its picture is read, in the smallest size; None of an upload of a draft, which is not public."""
        if self.picture is None or (self.state == "draft" and self.picture.startswith(UPLOAD)):
            return None
        return address_of(self.picture, PICTURES[-1], host)


class ProductPage(msgspec.Struct, frozen=True):
    """A product and its card, as they were read together. `revision` counts what was published; 0: no page is stored,
    and what is shown is made from its one SKU."""

    product: Product
    card: ProductCard
    revision: int


class PageVersion(msgspec.Struct, frozen=True):
    """A page as it is stored. `version` grows with each change of its product or its card."""

    page: ProductPage
    version: int


def digest_of(publication: Publication) -> str:
    """SHA-256 of a publication as canonical JSON, in hexadecimal."""
    return fingerprint_of(msgspec.json.encode(publication, order="deterministic"))


def state_at(state: StoredState, on_sale_from: datetime | None, at: datetime) -> ProductState:
    """The state as clients see it at that moment."""
    if state == "on_sale" and on_sale_from is not None and on_sale_from > at:
        return "scheduled"
    return state


def shown_stock(stock: int) -> int:
    """The units that a page may show: none below zero, and `SHOWN_STOCK` + 1 for all that are more."""
    return max(0, min(stock, SHOWN_STOCK + 1))


def card_of(product: Product, stock: Mapping[str, int], at: datetime) -> ProductCard:
    """The card of a product whose SKUs have that stock."""
    prices = [terms.price_fen for terms in product.variants]
    listed = [terms for terms in product.variants if terms.list_price_fen is not None]
    cheapest = min(listed, key=lambda terms: terms.price_fen, default=None)
    return ProductCard(
        product_id=product.product_id,
        supplier_id=product.supplier_id,
        title=product.title,
        state=product.state,
        price_from_fen=min(prices),
        price_to_fen=max(prices),
        shown={sku: shown_stock(stock.get(sku, 0)) for sku in product.skus},
        updated_at=at,
        picture=product.images[0] if product.images else None,
        list_price_fen=None if cheapest is None else cheapest.list_price_fen,
        on_sale_from=product.on_sale_from,
    )


def page_of_variant(variant: Variant) -> ProductPage:
    """The page of a SKU that has none of its own: published by release 0.3.0 or before."""
    state: StoredState = "draft" if variant.is_draft else "on_sale" if variant.active else "archived"
    terms = VariantTerms(
        variant.sku,
        variant.price_fen,
        weight_g=variant.weight_g,
        freight_template=variant.freight_template,
        qualifying=variant.qualifying,
        earns=variant.earns,
    )
    product = Product(variant.sku, variant.supplier_id, Wording(variant.name), (terms,), state)
    return ProductPage(product, card_of(product, {variant.sku: variant.stock}, variant.updated_at), 0)


def places_of(choice: Sequence[str], options: Sequence[Option]) -> tuple[int, ...]:
    """The places of Chinese values in their options; -1 for a value that its option does not have, and for one that has
    no option."""
    values = [[value.zh for value in option.values] for option in options]
    return tuple(
        values[number].index(value) if number < len(values) and value in values[number] else -1
        for number, value in enumerate(choice)
    )


def repeated(names: Iterable[str]) -> list[str]:
    """The names that occur more than once, each once."""
    return [name for name, count in Counter(names).items() if count > 1]
