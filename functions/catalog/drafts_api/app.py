"""HTTP for suppliers and staff: drafts of products, and accepting them."""

from functools import partial

from cardstock.aws.requests import DynamoAnswers
from cardstock.aws.tables import connect
from cardstock.catalog import draft_schemas as schemas
from cardstock.catalog import drafting, errors
from cardstock.catalog import wiring as catalog_wiring
from cardstock.catalog.page_schemas import ProductQuery
from cardstock.catalog.publishing import require_staff
from cardstock.catalog.stock import STAFF
from cardstock.catalog.wiring import products
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Answer, Api, Nothing, Request, nobody
from cardstock.errors import NOT_FOUND
from cardstock.flows import callers_wiring
from cardstock.flows.publishing_products import UPLOAD_CODES
from cardstock.flows.publishing_products import accept_draft as accept_and_publish
from cardstock.uploads import wiring as uploads_wiring

api = Api("drafts", callers=callers_wiring.callers, staff=callers_wiring.staff_record, answers=DynamoAnswers)


@api.get("/v1/product-drafts", query=ProductQuery, answer=schemas.OpenDrafts, auth="key", scope="catalog:write")
def list_drafts(request: Request[Nothing, ProductQuery]) -> schemas.OpenDrafts:
    """List drafts that wait: staff all or those of a supplier, a supplier its own."""
    owner = request.caller.owner
    of = request.query.supplier_id if owner == STAFF else owner
    read = partial(products().open_drafts, of)
    found = read_page(edge_wiring.signer(), f"drafts:{of}", request.query, read)
    return schemas.OpenDrafts.of(*found, request.language)


@api.put(
    "/v1/products/{product_id}/draft",
    body=schemas.PutDraft,
    answer=schemas.DraftView,
    auth="key",
    concerns=nobody,
    scope="catalog:write",
    codes=(
        errors.NOT_A_SUPPLIER, errors.SKU_INVALID, errors.SKU_TAKEN, errors.SKU_IN_PRODUCT, errors.MEDIA_HOST_UNKNOWN,
    ),
)  # fmt: skip
def draft_product(request: Request[schemas.PutDraft, Nothing]) -> schemas.DraftView:
    """Draft a product, or change its draft, with a supplier's key.

    Buyers see it once staff have accepted it with prices and terms. A later change waits for staff again, and what
    they have accepted stays on sale. Its SKUs and their stock exist from the first acceptance on.
    """
    supplier_id = drafting.require_supplier(request.caller.owner)
    draft = drafting.store_draft(
        request.body.publication(request.path["product_id"], supplier_id),
        hosts=catalog_wiring.media_hosts(),
        clean=catalog_wiring.clean_html,
        products=products(),
    )
    return schemas.DraftView.of(draft)


@api.get(
    "/v1/products/{product_id}/draft", query=schemas.DraftQuery, answer=schemas.DraftView, auth="key",
    scope="catalog:write", codes=(NOT_FOUND,),
)  # fmt: skip
def get_product_draft(request: Request[Nothing, schemas.DraftQuery]) -> schemas.DraftView:
    """Get a draft, and what staff last accepted of it: a supplier its own, staff that of `supplier_id`."""
    product_id, of = request.path["product_id"], request.query.supplier_id
    found = drafting.find_draft(product_id, of, acting_for=request.caller.owner, products=products())
    return schemas.DraftView.of(found)


@api.post(
    "/v1/products/{product_id}/acceptances",
    body=schemas.AcceptDraft,
    answer=schemas.DraftView,
    status=201,
    auth="key",
    concerns=nobody,
    scope="catalog:write",
    idempotent=True,
    first_answer="stored",
    codes=(
        errors.TERMS_FOR_STAFF, errors.DRAFT_CHANGED, errors.SKU_TAKEN, errors.SKU_IN_PRODUCT, errors.PRODUCT_STATE,
        errors.PUBLICATION_TOO_LARGE, NOT_FOUND, *UPLOAD_CODES,
    ),
)  # fmt: skip
def accept_draft(request: Request[schemas.AcceptDraft, Nothing]) -> Answer:
    """Publish a supplier's draft at these prices and terms.

    Staff only. `draft_sha256` says which draft was read: one that was changed since is refused with `DRAFT_CHANGED`.
    """
    require_staff(request.caller.owner)
    acceptance = request.body.acceptance(request.path["product_id"])
    accepted = accept_and_publish(
        acceptance,
        request.key,
        products=products(),
        uploads=uploads_wiring.uploads(),
        queue=uploads_wiring.publish_queue(),
    )
    return Answer(schemas.DraftView.of(accepted.draft), replayed=accepted.replayed)


handler = api.handler
connect()
