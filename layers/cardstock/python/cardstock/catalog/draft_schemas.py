"""Drafts as JSON: what suppliers send, and what staff accept."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from typing import Annotated, Self

from msgspec import Meta, field

from cardstock.catalog.drafting import Acceptance
from cardstock.catalog.product_model import (
    MAX_VARIANTS,
    Draft,
    Option,
    Publication,
    VariantTerms,
    places_of,
)
from cardstock.catalog.schemas import (
    Choice,
    InitialStock,
    ListPriceFen,
    OnSaleFrom,
    PriceFen,
    ProductContent,
    State,
    WeightG,
    content_of,
)
from cardstock.clock import rfc3339
from cardstock.edge.fields import Earns, Moment, NextCursor, ProductId, Qualifying, Sku, SupplierId, TemplateId
from cardstock.edge.http import Model

Sha256 = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}\Z",
        description="Names exactly this draft: it changes with every change of the draft.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]


class DraftVariant(Model):
    """One SKU of a draft: staff set its price."""

    sku: Annotated[Sku | None, Meta(description="Article number; absent: the id of the product.")] = None
    choice: Choice = field(default_factory=list)
    weight_g: WeightG | None = None
    initial_stock: InitialStock = 0

    def terms(self, product_id: str, options: Sequence[Option]) -> VariantTerms:
        """The SKU as it is stored, without a price."""
        return VariantTerms(
            sku=self.sku or product_id,
            price_fen=0,
            choice=places_of(self.choice, options),
            weight_g=self.weight_g,
        )


class PutDraft(ProductContent, kw_only=True):
    """What a supplier says of a product: everything besides prices and terms."""

    variants: Annotated[
        list[DraftVariant],
        Meta(min_length=1, max_length=MAX_VARIANTS, description="Its SKUs, the one that stands for it first."),
    ]

    def publication(self, product_id: str, supplier_id: str) -> Publication:
        """The draft of `product_id`."""
        options = self.wordings()
        terms = [each.terms(product_id, options) for each in self.variants]
        return Publication(
            self.product(product_id, supplier_id, terms, "draft", None),
            {each.sku or product_id: each.initial_stock for each in self.variants if each.initial_stock},
        )


class AcceptedVariant(Model):
    """The terms of one SKU, as staff accepted it."""

    price_fen: PriceFen
    sku: Annotated[Sku | None, Meta(description="Article number; absent: the id of the product.")] = None
    list_price_fen: ListPriceFen | None = None
    freight_template: TemplateId | None = None
    qualifying: Qualifying = False
    earns: Earns = True

    def terms(self, product_id: str) -> VariantTerms:
        """The terms as they are stored."""
        return VariantTerms(
            sku=self.sku or product_id,
            price_fen=self.price_fen,
            list_price_fen=self.list_price_fen,
            freight_template=self.freight_template or "",
            qualifying=self.qualifying,
            earns=self.earns,
        )


class AcceptDraft(Model):
    """A draft that staff publish, and its prices."""

    supplier_id: SupplierId
    draft_sha256: Sha256
    variants: Annotated[
        list[AcceptedVariant],
        Meta(min_length=1, max_length=MAX_VARIANTS, description="The terms of every SKU of the draft."),
    ]
    state: State = "on_sale"
    on_sale_from: OnSaleFrom = None

    def acceptance(self, product_id: str) -> Acceptance:
        """The acceptance of the draft of `product_id`."""
        return Acceptance(
            product_id=product_id,
            supplier_id=self.supplier_id,
            sha256=self.draft_sha256,
            terms=tuple(each.terms(product_id) for each in self.variants),
            state=self.state,
            on_sale_from=self.on_sale_from,
        )


class Accepted(Model):
    """What staff last published of a draft."""

    draft_sha256: Sha256
    accepted_at: Annotated[Moment, Meta(description="When it was published.")]
    state: State
    on_sale_from: Annotated[Moment | None, Meta(description="When the sale begins or began; null: at once.")]
    variants: Annotated[list[AcceptedVariant], Meta(description="The terms of its SKUs.")]


class DraftView(PutDraft, kw_only=True):
    """A supplier's draft of a product."""

    product_id: ProductId
    supplier_id: SupplierId
    draft_sha256: Sha256
    updated_at: Annotated[Moment, Meta(description="When the draft was last changed.")]
    accepted: Annotated[Accepted | None, Meta(description="What staff last published of it; null before the first.")]

    @classmethod
    def of(cls, draft: Draft) -> Self:
        """A draft as staff and its supplier see it."""
        product = draft.publication.product
        content = content_of(product)
        return cls(
            **{name: getattr(content, name) for name in ProductContent.__struct_fields__},
            variants=[
                DraftVariant(
                    sku=terms.sku,
                    choice=[value.zh for value in product.values_of(terms)],
                    weight_g=terms.weight_g,
                    initial_stock=draft.publication.initial_stock.get(terms.sku, 0),
                )
                for terms in product.variants
            ],
            product_id=draft.product_id,
            supplier_id=draft.supplier_id,
            draft_sha256=draft.sha256,
            updated_at=rfc3339(draft.updated_at),
            accepted=_accepted(draft),
        )


def _accepted(draft: Draft) -> Accepted | None:
    if draft.accepted is None or draft.accepted_at is None or draft.accepted_sha256 is None:
        return None
    product = draft.accepted.product
    return Accepted(
        draft_sha256=draft.accepted_sha256,
        accepted_at=rfc3339(draft.accepted_at),
        state=product.state,
        on_sale_from=None if product.on_sale_from is None else rfc3339(product.on_sale_from),
        variants=[
            AcceptedVariant(
                sku=terms.sku,
                price_fen=terms.price_fen,
                list_price_fen=terms.list_price_fen,
                freight_template=terms.freight_template or None,
                qualifying=terms.qualifying,
                earns=terms.earns,
            )
            for terms in product.variants
        ],
    )


class DraftQuery(Model):
    """Whose draft."""

    supplier_id: Annotated[SupplierId | None, Meta(description="The supplier, if staff ask.")] = None


class OpenDraft(Model):
    """A draft that waits for staff."""

    product_id: ProductId
    supplier_id: SupplierId
    title: Annotated[str, Meta(description="Title in the language of the request.", examples=["心形烛台"])]
    updated_at: Annotated[Moment, Meta(description="When the draft was last changed.")]


class OpenDrafts(Model):
    """Drafts that wait for staff, in no particular order."""

    items: Annotated[list[OpenDraft], Meta(description="Drafts of this page.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, drafts: Sequence[Draft], next_cursor: str | None, language: str) -> Self:
        """A page of drafts."""
        return cls(
            [
                OpenDraft(
                    product_id=draft.product_id,
                    supplier_id=draft.supplier_id,
                    title=draft.publication.product.title.text(language),
                    updated_at=rfc3339(draft.updated_at),
                )
                for draft in drafts
            ],
            next_cursor,
        )
