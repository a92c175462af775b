"""Products as JSON, as buyers see them: pages, cards and lists."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from msgspec import Meta, field

from cardstock import clock
from cardstock.catalog.product_model import (
    SHOWN_STOCK,
    ProductCard,
    ProductPage,
)
from cardstock.catalog.schemas import (
    Address,
    Brand,
    CategoryId,
    HostedSource,
    InStock,
    ListPriceFen,
    MoreInStock,
    PriceFen,
    WeightG,
)
from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import (
    ArticleNumber,
    Currency,
    Earns,
    Moment,
    NextCursor,
    ProductId,
    Qualifying,
    SupplierId,
)
from cardstock.edge.http import Model
from cardstock.files import DOCUMENT, PICTURES, address_of
from cardstock.money import CURRENCY


class ShownOption(Model):
    """What buyers choose between, in their language."""

    name: Annotated[str, Meta(description="Name of the option.", examples=["颜色"])]
    values: Annotated[list[str], Meta(description="Its values, as they are shown.", examples=[["白色", "黑色"]])]


class ShownAttribute(Model):
    """A fact about the product, in the buyer's language."""

    name: Annotated[str, Meta(description="Name of the fact.", examples=["材质"])]
    value: Annotated[str, Meta(description="What holds.", examples=["黄铜"])]


class ShownPicture(Model):
    """A picture in three sizes. One from another host has the same address for all of them."""

    large: Annotated[Address, Meta(description="At most 1600 pixels wide and high.")]
    medium: Annotated[Address, Meta(description="At most 800 pixels wide and high.")]
    small: Annotated[Address, Meta(description="At most 320 pixels wide and high.")]

    @classmethod
    def of(cls, source: str, host: str) -> Self:
        """Where a picture is read; `host` is the public host of files."""
        return cls(*(address_of(source, name, host) for name in PICTURES))


class ShownFile(Model):
    """A document about the product."""

    name: Annotated[str, Meta(description="Name of the document.", examples=["说明书"])]
    source: Address


class ShownVariant(Model):
    """One SKU of a product."""

    sku: ArticleNumber
    choice: Annotated[list[str], Meta(description="Its value of each option.", examples=[["白色"]])]
    price_fen: PriceFen
    list_price_fen: ListPriceFen | None
    weight_g: WeightG | None
    qualifying: Qualifying
    earns: Earns
    stock: InStock
    more_in_stock: MoreInStock


class ProductView(Model):
    """A product as its page shows it."""

    product_id: ProductId
    supplier_id: SupplierId
    state: Annotated[Literal["on_sale", "archived"], Meta(description="An `archived` product is not sold any more.")]
    title: Annotated[str, Meta(description="Title in the buyer's language.", examples=["心形烛台"])]
    description: Annotated[
        str, Meta(description="HTML in the buyer's language; may be empty.", examples=["<p>铁艺</p>"])
    ]
    category_ids: Annotated[list[CategoryId], Meta(description="Categories that list it.")]
    brand: Brand
    images: Annotated[list[ShownPicture], Meta(description="Pictures; the first one is on its card.")]
    files: Annotated[list[ShownFile], Meta(description="Documents, such as a manual.")]
    video: Annotated[HostedSource | None, Meta(description="Shown after the pictures.")]
    model_3d: Annotated[HostedSource | None, Meta(description="A model to turn around (glTF).")]
    options: Annotated[list[ShownOption], Meta(description="What buyers choose between.")]
    attributes: Annotated[list[ShownAttribute], Meta(description="Facts in a table.")]
    currency: Currency
    variants: Annotated[list[ShownVariant], Meta(description="Its SKUs, the one that stands for it first.")]
    updated_at: Annotated[Moment, Meta(description="When it was last published.")]

    @classmethod
    def of(cls, page: ProductPage, language: str, host: str) -> Self:
        """A product as a buyer sees it who reads `zh` or `en`; `host` is the public host of files."""
        product, card = page.product, page.card
        return cls(
            product_id=product.product_id,
            supplier_id=product.supplier_id,
            state="archived" if product.state == "archived" else "on_sale",
            title=product.title.text(language),
            description=product.description.text(language) if product.description else "",
            category_ids=list(product.category_ids),
            brand=product.brand,
            images=[ShownPicture.of(source, host) for source in product.images],
            files=[
                ShownFile(each.name.text(language), address_of(each.source, DOCUMENT, host)) for each in product.files
            ],
            video=product.video,
            model_3d=product.model_3d,
            options=[
                ShownOption(option.name.text(language), [value.text(language) for value in option.values])
                for option in product.options
            ],
            attributes=[
                ShownAttribute(each.name.text(language), each.value.text(language)) for each in product.attributes
            ],
            currency=CURRENCY,
            variants=[
                ShownVariant(
                    sku=terms.sku,
                    choice=[value.text(language) for value in product.values_of(terms)],
                    price_fen=terms.price_fen,
                    list_price_fen=terms.list_price_fen,
                    weight_g=terms.weight_g,
                    qualifying=terms.qualifying,
                    earns=terms.earns,
                    stock=min(card.shown.get(terms.sku, 0), SHOWN_STOCK),
                    more_in_stock=card.shown.get(terms.sku, 0) > SHOWN_STOCK,
                )
                for terms in product.variants
            ],
            updated_at=rfc3339(card.updated_at),
        )


class CardStock(Model):
    """The stock of one SKU as a list shows it."""

    sku: ArticleNumber
    stock: InStock
    more_in_stock: MoreInStock


class ProductCardView(Model):
    """A product as lists show it."""

    product_id: ProductId
    supplier_id: SupplierId
    state: Annotated[
        Literal["draft", "scheduled", "on_sale", "archived"],
        Meta(description="Buyers see what is `on_sale` or `archived`.", examples=["on_sale"]),
    ]
    on_sale_from: Annotated[Moment | None, Meta(description="When the sale begins or began; null: at once.")]
    title: Annotated[str, Meta(description="Title in the buyer's language.", examples=["心形烛台"])]
    picture: Annotated[
        Address | None,
        Meta(description="The first picture, at most 320 pixels wide and high; null of a draft that names an upload."),
    ]
    currency: Currency
    price_from_fen: Annotated[int, Meta(description="Price of the cheapest SKU in fen.", examples=[25500])]
    price_to_fen: Annotated[int, Meta(description="Price of the dearest SKU in fen.", examples=[25500])]
    list_price_fen: ListPriceFen | None
    variants: Annotated[list[CardStock], Meta(description="Its SKUs with their stock.")]

    @classmethod
    def of(cls, card: ProductCard, language: str, host: str) -> Self:
        """A card for who reads `zh` or `en`; `host` is the public host of files."""
        return cls(
            product_id=card.product_id,
            supplier_id=card.supplier_id,
            state=card.state_at(clock.now()),
            on_sale_from=None if card.on_sale_from is None else rfc3339(card.on_sale_from),
            title=card.title.text(language),
            picture=card.picture_at(host),
            currency=CURRENCY,
            price_from_fen=card.price_from_fen,
            price_to_fen=card.price_to_fen,
            list_price_fen=card.list_price_fen,
            variants=[
                CardStock(sku, min(units, SHOWN_STOCK), units > SHOWN_STOCK) for sku, units in card.shown.items()
            ],
        )


class ProductCards(Model):
    """Some products."""

    items: Annotated[list[ProductCardView], Meta(description="Products of this page.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, cards: Sequence[ProductCard], next_cursor: str | None, language: str, host: str) -> Self:
        """A page of products; `host` is the public host of files."""
        return cls([ProductCardView.of(card, language, host) for card in cards], next_cursor)


class ProductQuery(PageQuery):
    """Where in the list, and whose products."""

    supplier_id: Annotated[SupplierId | None, Meta(description="Only products of this supplier. Absent: of all.")] = (
        None
    )


class CardQuery(ProductQuery):
    """Which products: some by their ids, or a page of the list."""

    named: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,40}(,[A-Za-z0-9._-]{1,40}){0,99}\Z")] | None,
        Meta(description="Ids of up to 100 products, separated by commas; their order is kept.", examples=["85123A"]),
    ] = field(default=None, name="ids")
