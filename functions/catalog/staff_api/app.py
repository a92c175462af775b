"""HTTP for staff and suppliers: products, their prices and stock."""

from functools import partial

from cardstock.aws.requests import DynamoAnswers
from cardstock.aws.tables import connect
from cardstock.catalog import errors, listing, publishing, schemas, staff_schemas, stock
from cardstock.catalog import wiring as catalog_wiring
from cardstock.catalog.model import Listing
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Answer, Api, Nothing, Request, nobody
from cardstock.errors import NOT_FOUND, STOCK_SHORT, SUPPLIER_UNKNOWN
from cardstock.flows import callers_wiring
from cardstock.flows.publishing_products import publish_products as publish_listings
from cardstock.partners import wiring as partners_wiring

api = Api("catalog", callers=callers_wiring.callers, staff=callers_wiring.staff_record, answers=DynamoAnswers)


@api.get(
    "/v1/headquarters/products", query=staff_schemas.StaffProductQuery, answer=staff_schemas.StaffProducts, auth="key",
    scope="catalog:read",
)  # fmt: skip
def list_all_products(request: Request[Nothing, staff_schemas.StaffProductQuery]) -> staff_schemas.StaffProducts:
    """List all products, drafts and those that are not for sale too.

    With `state` a page looks at a hundred products: it may be empty though `next_cursor` leads on."""
    of, state = request.query.supplier_id, request.query.state
    read = partial(listing.list_products, of, state, products=catalog_wiring.products())
    return staff_schemas.StaffProducts.of(
        *read_page(edge_wiring.signer(), f"all-products:{of}:{state}", request.query, read)
    )


@api.put(
    "/v1/products/{sku}", body=schemas.ProductTerms, answer=schemas.PublishedProducts, auth="key", concerns=nobody,
    scope="catalog:write", codes=(errors.TERMS_FOR_STAFF, SUPPLIER_UNKNOWN, errors.SKU_INVALID, errors.SKU_TAKEN),
)  # fmt: skip
def put_product(request: Request[schemas.ProductTerms, Nothing]) -> schemas.PublishedProducts:
    """Publish a product, or change it.

    Staff only: a supplier's key gets 403 `TERMS_FOR_STAFF`, and drafts products instead. A SKU stays with its first
    supplier; drafts of others give way. Stock is set the first time; then sales, deliveries and counts change it.
    """
    return _publish(request.caller.owner, [request.body.listing(request.path["sku"])], many=False)


@api.put(
    "/v1/products", body=schemas.PublishProducts, answer=schemas.PublishedProducts, auth="key", concerns=nobody,
    scope="catalog:write", codes=(errors.TERMS_FOR_STAFF, SUPPLIER_UNKNOWN, errors.SKU_TAKEN),
)  # fmt: skip
def publish_products(request: Request[schemas.PublishProducts, Nothing]) -> schemas.PublishedProducts:
    """Publish up to 100 products.

    All or none, each as with PUT, so a repeat changes nothing. A SKU may occur once.
    """
    return _publish(request.caller.owner, [each.listing(each.sku) for each in request.body.products], many=True)


@api.put(
    "/v1/products/{sku}/draft",
    body=schemas.ProductDraft,
    answer=schemas.DraftView,
    auth="key",
    concerns=nobody,
    scope="catalog:write",
    codes=(errors.NOT_A_SUPPLIER, errors.SKU_INVALID, errors.SKU_TAKEN, errors.PRODUCT_PUBLISHED),
)
def draft_product(request: Request[schemas.ProductDraft, Nothing]) -> schemas.DraftView:
    """Draft a product, or change its draft, with a supplier's key.

    Buyers see it once staff have published it with price and terms; from then on staff change it. Stock is the
    supplier's before and after.
    """
    supplier_id = request.caller.owner
    if supplier_id == publishing.STAFF:
        raise errors.NOT_A_SUPPLIER()
    draft = request.body.draft(request.path["sku"], supplier_id)
    return schemas.DraftView.of(publishing.store_draft(draft, products=catalog_wiring.products()))


@api.get("/v1/products/{sku}/draft", answer=schemas.DraftView, auth="key", scope="catalog:write", codes=(NOT_FOUND,))
def get_product_draft(request: Request[Nothing, Nothing]) -> schemas.DraftView:
    """Get a draft: a supplier its own, staff any."""
    sku, owner, products = request.path["sku"], request.caller.owner, catalog_wiring.products()
    return schemas.DraftView.of(publishing.find_draft(sku, acting_for=owner, products=products))


@api.post(
    "/v1/products/{sku}/stock",
    body=schemas.AddStock,
    answer=schemas.ProductView,
    auth="key",
    concerns=nobody,
    scope="catalog:write",
    idempotent=True,
    first_answer="stored",
    codes=(NOT_FOUND, STOCK_SHORT),
)
def add_stock(request: Request[schemas.AddStock, Nothing]) -> Answer:
    """Add or remove units.

    Once per Idempotency-Key. Units reserved for orders cannot be removed.
    """
    owner, products = request.caller.owner, catalog_wiring.products()
    stocked = stock.add_stock(request.path["sku"], request.body.add, request.key, acting_for=owner, products=products)
    return Answer(schemas.ProductView.of(stocked.product), replayed=stocked.replayed)


def _publish(acting_for: str, listings: list[Listing], *, many: bool) -> schemas.PublishedProducts:
    publishing.require_staff(acting_for)
    publish_listings(listings, many=many, products=catalog_wiring.products(), suppliers=partners_wiring.suppliers())
    return schemas.PublishedProducts(skus=[listing.sku for listing in listings])


handler = api.handler
connect()
