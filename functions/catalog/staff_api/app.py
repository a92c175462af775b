"""HTTP for staff and suppliers: products, their prices and stock."""

from collections.abc import Sequence
from functools import partial

from cardstock.aws.requests import DynamoAnswers
from cardstock.aws.tables import connect
from cardstock.catalog import listing, page_schemas, publishing, reading, schemas, staff_schemas, stock
from cardstock.catalog import wiring as catalog_wiring
from cardstock.catalog.product_model import Publication
from cardstock.catalog.wiring import products, variants
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Answer, Api, Nothing, Request, nobody
from cardstock.errors import NOT_FOUND, STOCK_SHORT
from cardstock.flows import callers_wiring
from cardstock.flows.publishing_products import UPLOAD_CODES
from cardstock.flows.publishing_products import publish_products as publish_all
from cardstock.partners import wiring as partners_wiring
from cardstock.uploads import wiring as uploads_wiring

api = Api("catalog", callers=callers_wiring.callers, staff=callers_wiring.staff_record, answers=DynamoAnswers)


@api.get(
    "/v1/headquarters/products", query=staff_schemas.StaffProductQuery, answer=page_schemas.ProductCards, auth="key",
    scope="catalog:read",
)  # fmt: skip
def list_all_products(request: Request[Nothing, staff_schemas.StaffProductQuery]) -> page_schemas.ProductCards:
    """List all products, in any state or in one; a page may be empty though `next_cursor` leads on."""
    of, state = request.query.supplier_id, request.query.state
    read = partial(reading.list_all_cards, of, state, products=products(), variants=variants())
    found = read_page(edge_wiring.signer(), f"all-products:{of}:{state}", request.query, read)
    return page_schemas.ProductCards.of(*found, request.language, uploads_wiring.files_host())


@api.get(
    "/v1/headquarters/products/{product_id}", answer=staff_schemas.StaffProduct, auth="key", scope="catalog:read",
    codes=(NOT_FOUND,),
)  # fmt: skip
def get_published_product(request: Request[Nothing, Nothing]) -> staff_schemas.StaffProduct:
    """Get a product as it was published, in any state and in both languages."""
    page = reading.find_page(request.path["product_id"], products=products(), variants=variants())
    return staff_schemas.StaffProduct.of(page)


@api.get(
    "/v1/headquarters/skus", query=staff_schemas.SkuQuery, answer=staff_schemas.StaffSkus, auth="key",
    scope="catalog:read",
)  # fmt: skip
def list_skus(request: Request[Nothing, staff_schemas.SkuQuery]) -> staff_schemas.StaffSkus:
    """List all SKUs with their stock, those that are not for sale too.

    With `state` a page looks at a hundred SKUs: it may be empty though `next_cursor` leads on."""
    of, state = request.query.supplier_id, request.query.state
    read = partial(listing.list_variants, of, state, variants=variants())
    return staff_schemas.StaffSkus.of(*read_page(edge_wiring.signer(), f"skus:{of}:{state}", request.query, read))


@api.put(
    "/v1/products/{product_id}", body=schemas.PutProduct, answer=schemas.PublishedOne, auth="key", concerns=nobody,
    scope="catalog:write", codes=(*schemas.PUBLISHING_CODES, *UPLOAD_CODES),
)  # fmt: skip
def put_product(request: Request[schemas.PutProduct, Nothing]) -> schemas.PublishedOne:
    """Publish a product, or change it: its whole page, with all SKUs and prices.

    Staff only. A SKU stays with its first supplier and its product; SKUs that are left out are not for sale any more.
    Stock is set the first time; then sales, deliveries and counts change it.
    """
    return _publish(request.caller.owner, [request.body.publication(request.path["product_id"])], many=False).items[0]


@api.put(
    "/v1/products", body=schemas.PublishProducts, answer=schemas.PublishedProducts, auth="key", concerns=nobody,
    scope="catalog:write", codes=(*schemas.PUBLISHING_CODES, *UPLOAD_CODES),
)  # fmt: skip
def publish_products(request: Request[schemas.PublishProducts, Nothing]) -> schemas.PublishedProducts:
    """Publish several products.

    All or none, each as with PUT, so a repeat changes nothing. A product counts as two items and each of its SKUs as
    one; 100 items are the limit.
    """
    publications = [each.publication(each.product_id) for each in request.body.products]
    return _publish(request.caller.owner, publications, many=True)


@api.post(
    "/v1/skus/{sku}/stock",
    body=schemas.AddStock,
    answer=schemas.SkuStock,
    auth="key", concerns=nobody, scope="catalog:write", idempotent=True, first_answer="stored",
    codes=(NOT_FOUND, STOCK_SHORT),
)  # fmt: skip
def add_stock(request: Request[schemas.AddStock, Nothing]) -> Answer:
    """Add or remove units of a SKU.

    Once per Idempotency-Key. Units reserved for orders cannot be removed.
    """
    owner, sku = request.caller.owner, request.path["sku"]
    stocked = stock.add_stock(sku, request.body.add, request.key, acting_for=owner, variants=variants())
    return Answer(schemas.SkuStock.of(stocked.variant), replayed=stocked.replayed)


def _publish(acting_for: str, publications: Sequence[Publication], *, many: bool) -> schemas.PublishedProducts:
    publishing.require_staff(acting_for)
    outcomes = publish_all(
        publications,
        many=many,
        hosts=catalog_wiring.media_hosts(),
        clean=catalog_wiring.clean_html,
        products=products(),
        suppliers=partners_wiring.suppliers(),
        uploads=uploads_wiring.uploads(),
        queue=uploads_wiring.publish_queue(),
    )
    return schemas.PublishedProducts.of(publications, outcomes)


handler = api.handler
connect()
