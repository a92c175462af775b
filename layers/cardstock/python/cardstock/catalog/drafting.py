"""Drafts: suppliers describe products, staff accept them with prices and terms."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.catalog import errors
from cardstock.catalog.model import SKU
from cardstock.catalog.ports import Products
from cardstock.catalog.product_model import Draft, Publication, StoredState, VariantTerms, digest_of
from cardstock.catalog.publishing import Prepare, cleaned, require_fitting
from cardstock.catalog.stock import STAFF
from cardstock.errors import BODY_INVALID, NOT_FOUND, Pointer
from cardstock.ids import RequestKey


class Acceptance(msgspec.Struct, frozen=True):
    """What staff say of a draft that they have read: the terms of its SKUs, and when they are sold."""

    product_id: str
    supplier_id: str
    sha256: str
    terms: tuple[VariantTerms, ...]
    state: StoredState
    on_sale_from: datetime | None


class AcceptedDraft(msgspec.Struct, frozen=True):
    """A draft after it was accepted, and whether an earlier run of the same request accepted it."""

    draft: Draft
    replayed: bool


def require_supplier(acting_for: str) -> str:
    """The supplier that acts. Raises `ForbiddenError` NOT_A_SUPPLIER for staff."""
    if acting_for == STAFF:
        raise errors.NOT_A_SUPPLIER()
    return acting_for


def store_draft(
    publication: Publication, *, hosts: Sequence[str], clean: Callable[[str], str], products: Products
) -> Draft:
    """Create or replace a supplier's draft of a product, whose SKUs have no price. A repeat changes nothing.

    Raises as `publishing.publish`, SKU_TAKEN for what another supplier has published.
    """
    product = publication.product
    malformed = [name for name in dict.fromkeys((product.product_id, *product.skus)) if not SKU.fullmatch(name)]
    if malformed:
        raise errors.SKU_INVALID(skus=malformed)
    require_fitting(product, "", hosts)
    draft = cleaned(publication, clean)
    products.store_draft(Draft(product.product_id, product.supplier_id, draft, digest_of(draft), clock.now()))
    return find_draft(product.product_id, product.supplier_id, acting_for=product.supplier_id, products=products)


def find_draft(product_id: str, supplier_id: str | None, *, acting_for: str, products: Products) -> Draft:
    """A draft, for staff (`STAFF`) and its own supplier, who need not name itself. Raises `NotFoundError`."""
    of = supplier_id if acting_for == STAFF else acting_for
    draft = products.find_draft(product_id, of) if of is not None and SKU.fullmatch(product_id) else None
    if draft is None or supplier_id not in (None, draft.supplier_id):
        raise NOT_FOUND()
    return draft


def accept_draft(acceptance: Acceptance, request: RequestKey, *, prepare: Prepare, products: Products) -> AcceptedDraft:
    """Publish a supplier's draft at these prices and terms, once per `request`.

    Raises `NotFoundError`, `InvalidError` BODY_INVALID unless the terms name every SKU of the draft once,
    `ConflictError` DRAFT_CHANGED, what `prepare` raises, and as `Products.publish`.
    """
    product_id, supplier_id = acceptance.product_id, acceptance.supplier_id
    draft = products.find_draft(product_id, supplier_id) if SKU.fullmatch(product_id) else None
    if draft is None:
        raise NOT_FOUND(pointers=(Pointer("/supplier_id", "UNKNOWN"),))
    by_sku = {each.sku: each for each in acceptance.terms}
    is_read = draft.sha256 == acceptance.sha256
    if is_read and (by_sku.keys() != set(draft.publication.product.skus) or len(acceptance.terms) != len(by_sku)):
        raise BODY_INVALID(pointers=(Pointer("/variants", "UNKNOWN"),))
    publication = _with_terms(draft.publication, by_sku, acceptance)
    require_fitting(publication.product, "", None)
    if is_read:
        prepare([publication])
    accepted = products.accept(publication, acceptance.sha256, request, clock.now())
    found = find_draft(product_id, supplier_id, acting_for=STAFF, products=products)
    return AcceptedDraft(found, replayed=not accepted)


def _with_terms(publication: Publication, by_sku: Mapping[str, VariantTerms], acceptance: Acceptance) -> Publication:
    variants = tuple(
        replace(
            drafted,
            price_fen=by_sku[drafted.sku].price_fen,
            list_price_fen=by_sku[drafted.sku].list_price_fen,
            freight_template=by_sku[drafted.sku].freight_template,
            qualifying=by_sku[drafted.sku].qualifying,
            earns=by_sku[drafted.sku].earns,
        )
        if drafted.sku in by_sku
        else drafted
        for drafted in publication.product.variants
    )
    product = replace(
        publication.product, variants=variants, state=acceptance.state, on_sale_from=acceptance.on_sale_from
    )
    return replace(publication, product=product)
