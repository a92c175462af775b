"""Products as JSON, as staff and suppliers send them."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, Self

from msgspec import Meta, field

from cardstock.catalog import errors
from cardstock.catalog.model import MAX_NAME, MAX_STOCK, MAX_WEIGHT_G, Variant
from cardstock.catalog.product_model import (
    MAX_VARIANTS,
    SHOWN_STOCK,
    Attribute,
    Option,
    Outcome,
    Product,
    ProductFile,
    Publication,
    StoredState,
    VariantTerms,
    Wording,
    places_of,
)
from cardstock.clock import rfc3339
from cardstock.edge.fields import (
    ArticleNumber,
    Earns,
    Moment,
    ProductId,
    Qualifying,
    Sku,
    SupplierId,
    TemplateId,
)
from cardstock.edge.http import LINE, Model
from cardstock.errors import SUPPLIER_UNKNOWN

PUBLISHING_CODES: Final = (
    errors.TERMS_FOR_STAFF,
    SUPPLIER_UNKNOWN,
    errors.SKU_INVALID,
    errors.SKU_TAKEN,
    errors.SKU_IN_PRODUCT,
    errors.PRODUCT_STATE,
    errors.PUBLICATION_TOO_LARGE,
    errors.MEDIA_HOST_UNKNOWN,
)
"""What every route that publishes may refuse."""

PriceFen = Annotated[int, Meta(ge=1, le=10**9, description="Price of one unit in fen.", examples=[25500])]
ListPriceFen = Annotated[
    int, Meta(ge=1, le=10**9, description="A higher price to compare with, in fen.", examples=[29900])
]
WeightG = Annotated[
    int,
    Meta(ge=1, le=MAX_WEIGHT_G, description="Grams of one unit when it is sent; absent if unknown.", examples=[350]),
]
InitialStock = Annotated[
    int, Meta(ge=0, le=MAX_STOCK, description="Initial stock; ignored if the SKU exists.", examples=[1000])
]
Source = Annotated[
    str,
    Meta(
        pattern=r"^(upl_[0-9a-z]{26}|https://[A-Za-z0-9.-]{1,100}/[!-~]{0,400})\Z",
        description="Id of an upload, or an https address at a host that the shop allows.",
        examples=["https://media.example.com/lamp.jpg"],
    ),
]
HostedSource = Annotated[
    str,
    Meta(
        pattern=r"^https://[A-Za-z0-9.-]{1,100}/[!-~]{0,400}\Z",
        description="An https address at a host that the shop allows.",
        examples=["https://media.example.com/lamp.mp4"],
    ),
]
Address = Annotated[
    str,
    Meta(
        description="Where it is read, by everybody; it may follow the publishing by a few seconds.",
        examples=["https://files.example.com/files/upl_01kbdxdh50fcazdjhcnqh2rzv5/800.webp"],
    ),
]
CategoryId = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}\Z", description="Id of a category.", examples=["lights"])
]
Brand = Annotated[str, Meta(max_length=60, pattern=r"^[^\r\n]*\Z", description="Brand, free text.", examples=["LUMEN"])]
Choice = Annotated[
    list[Annotated[str, Meta(max_length=20, pattern=LINE, examples=["白色"])]],
    Meta(max_length=3, description="Its value of each option, in their order; in Chinese where they are sent."),
]
State = Annotated[
    StoredState,
    Meta(
        description="`draft` is shown to staff alone, `on_sale` is sold from `on_sale_from` on, the page of an "
        "`archived` product says so."
    ),
]
OnSaleFrom = Annotated[
    Annotated[datetime, Meta(tz=True)] | None,
    Meta(description="When the sale begins; absent: at once.", examples=["2026-12-12T00:00:00+08:00"]),
]
InStock = Annotated[
    int, Meta(ge=0, le=SHOWN_STOCK, description="Units that can be sold now, shown up to 20.", examples=[20])
]
MoreInStock = Annotated[bool, Meta(description="Whether more units than shown can be sold.")]


class Title(Model):
    """A title in both languages."""

    zh: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_NAME,
            pattern=LINE,
            description="In Chinese, or in any language for all.",
            examples=["心形烛台"],
        ),
    ]
    en: Annotated[
        str,
        Meta(
            max_length=MAX_NAME,
            pattern=r"^[^\r\n]*\Z",
            description="In English; empty: as `zh`.",
            examples=["Heart T-light holder"],
        ),
    ] = ""


class Words(Model):
    """A short text in both languages."""

    zh: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=20,
            pattern=LINE,
            description="In Chinese, or in any language for all.",
            examples=["白色"],
        ),
    ]
    en: Annotated[
        str, Meta(max_length=20, pattern=r"^[^\r\n]*\Z", description="In English; empty: as `zh`.", examples=["white"])
    ] = ""


class Sentence(Model):
    """A line of text in both languages."""

    zh: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            pattern=LINE,
            description="In Chinese, or in any language for all.",
            examples=["铁，手工上色"],
        ),
    ]
    en: Annotated[
        str,
        Meta(
            max_length=200,
            pattern=r"^[^\r\n]*\Z",
            description="In English; empty: as `zh`.",
            examples=["Iron, painted by hand"],
        ),
    ] = ""


class Description(Model):
    """HTML in both languages; what a page must not run is taken out."""

    zh: Annotated[
        str,
        Meta(max_length=20_000, description="In Chinese, or in any language for all.", examples=["<p>铁艺烛台</p>"]),
    ]
    en: Annotated[
        str, Meta(max_length=20_000, description="In English; empty: as `zh`.", examples=["<p>An iron holder</p>"])
    ] = ""


class OptionData(Model):
    """What buyers choose between."""

    name: Annotated[Words, Meta(description="Name of the option, such as colour.")]
    values: Annotated[
        list[Words], Meta(min_length=1, max_length=50, description="Its values, as they are shown; each once.")
    ]


class AttributeData(Model):
    """A fact about the product."""

    name: Annotated[Words, Meta(description="Name of the fact, such as material.")]
    value: Annotated[Sentence, Meta(description="What holds.")]


class FileData(Model):
    """A document about the product."""

    name: Annotated[Words, Meta(description="Name of the document.")]
    source: Source


class ProductContent(Model):
    """What a page shows of a product besides its SKUs."""

    title: Annotated[Title, Meta(description="Title for buyers.")]
    description: Annotated[Description | None, Meta(description="Text below the pictures.")] = None
    category_ids: Annotated[list[CategoryId], Meta(max_length=10, description="Categories that list it.")] = field(
        default_factory=list
    )
    brand: Brand = ""
    images: Annotated[list[Source], Meta(max_length=12, description="Pictures; the first one is on its card.")] = field(
        default_factory=list
    )
    files: Annotated[list[FileData], Meta(max_length=12, description="Documents, such as a manual.")] = field(
        default_factory=list
    )
    video: Annotated[HostedSource | None, Meta(description="Shown after the pictures.")] = None
    model_3d: Annotated[HostedSource | None, Meta(description="A model to turn around (glTF).")] = None
    options: Annotated[list[OptionData], Meta(max_length=3, description="What buyers choose between.")] = field(
        default_factory=list
    )
    attributes: Annotated[list[AttributeData], Meta(max_length=30, description="Facts in a table.")] = field(
        default_factory=list
    )

    def product(
        self,
        product_id: str,
        supplier_id: str,
        variants: Sequence[VariantTerms],
        state: StoredState,
        on_sale_from: datetime | None,
    ) -> Product:
        """The product with this content."""
        return Product(
            product_id=product_id,
            supplier_id=supplier_id,
            title=Wording(self.title.zh, self.title.en),
            variants=tuple(variants),
            state=state,
            on_sale_from=on_sale_from,
            description=Wording(self.description.zh, self.description.en) if self.description else None,
            category_ids=tuple(self.category_ids),
            brand=self.brand,
            images=tuple(self.images),
            files=tuple(ProductFile(Wording(each.name.zh, each.name.en), each.source) for each in self.files),
            video=self.video,
            model_3d=self.model_3d,
            options=self.wordings(),
            attributes=tuple(
                Attribute(Wording(each.name.zh, each.name.en), Wording(each.value.zh, each.value.en))
                for each in self.attributes
            ),
        )

    def wordings(self) -> tuple[Option, ...]:
        """The options as they are stored."""
        return tuple(
            Option(Wording(each.name.zh, each.name.en), tuple(Wording(value.zh, value.en) for value in each.values))
            for each in self.options
        )


def content_of(product: Product) -> ProductContent:
    """The content of a product in both languages, as it can be sent again."""
    text = product.description
    return ProductContent(
        title=Title(product.title.zh, product.title.en),
        description=Description(text.zh, text.en) if text else None,
        category_ids=list(product.category_ids),
        brand=product.brand,
        images=list(product.images),
        files=[FileData(_words(each.name), each.source) for each in product.files],
        video=product.video,
        model_3d=product.model_3d,
        options=[
            OptionData(_words(option.name), [_words(value) for value in option.values]) for option in product.options
        ],
        attributes=[
            AttributeData(_words(each.name), Sentence(each.value.zh, each.value.en)) for each in product.attributes
        ],
    )


def _words(wording: Wording) -> Words:
    return Words(wording.zh, wording.en)


class VariantData(Model):
    """One SKU on its terms."""

    price_fen: PriceFen
    sku: Annotated[Sku | None, Meta(description="Article number; absent: the id of the product.")] = None
    choice: Choice = field(default_factory=list)
    list_price_fen: ListPriceFen | None = None
    weight_g: WeightG | None = None
    freight_template: TemplateId | None = None
    qualifying: Qualifying = False
    earns: Earns = True
    initial_stock: InitialStock = 0

    def terms(self, product_id: str, options: Sequence[Option]) -> VariantTerms:
        """The SKU as it is stored."""
        return VariantTerms(
            sku=self.sku or product_id,
            price_fen=self.price_fen,
            choice=places_of(self.choice, options),
            list_price_fen=self.list_price_fen,
            weight_g=self.weight_g,
            freight_template=self.freight_template or "",
            qualifying=self.qualifying,
            earns=self.earns,
        )


class PutProduct(ProductContent, kw_only=True):
    """A product: what its page shows, from whom, at what prices."""

    supplier_id: SupplierId
    variants: Annotated[
        list[VariantData],
        Meta(min_length=1, max_length=MAX_VARIANTS, description="Its SKUs, the one that stands for it first."),
    ]
    state: State = "on_sale"
    on_sale_from: OnSaleFrom = None

    def publication(self, product_id: str) -> Publication:
        """The product `product_id` as it is sent."""
        options = self.wordings()
        terms = [each.terms(product_id, options) for each in self.variants]
        return Publication(
            self.product(product_id, self.supplier_id, terms, self.state, self.on_sale_from),
            {each.sku or product_id: each.initial_stock for each in self.variants},
        )


class PublishedProduct(PutProduct, kw_only=True):
    """The same with its id."""

    product_id: ProductId


class PublishProducts(Model):
    """Several products, published together or not at all."""

    products: Annotated[
        list[PublishedProduct],
        Meta(min_length=1, max_length=33, description="Products to publish, each product and each SKU once."),
    ]


class PublishedOne(Model):
    """What a product has become."""

    product_id: ProductId
    outcome: Annotated[
        Literal["made", "changed", "same"], Meta(description="`same`: it was like this, and nothing was written.")
    ]


class PublishedProducts(Model):
    """What the products have become."""

    items: Annotated[list[PublishedOne], Meta(description="The products, in the order in which they were sent.")]

    @classmethod
    def of(cls, publications: Sequence[Publication], outcomes: Sequence[Outcome]) -> Self:
        """The outcome of each publication."""
        return cls(
            [PublishedOne(each.product.product_id, out) for each, out in zip(publications, outcomes, strict=True)]
        )


class AddStock(Model):
    """Units that arrived, or below zero units that are gone."""

    add: Annotated[
        int,
        Meta(ge=-MAX_STOCK, le=MAX_STOCK, examples=[24], description="Units to add; below zero: to remove."),
    ]


class SkuStock(Model):
    """The stock of one SKU."""

    sku: ArticleNumber
    stock: Annotated[int, Meta(ge=0, examples=[976], description="Units that can be sold now.")]
    updated_at: Annotated[Moment, Meta(description="When its terms or its stock last changed.")]

    @classmethod
    def of(cls, variant: Variant) -> Self:
        """A stock below zero is none."""
        return cls(sku=variant.sku, stock=max(0, variant.stock), updated_at=rfc3339(variant.updated_at))
