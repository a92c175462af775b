"""HTTP for staff and suppliers: products, their prices and stock."""

from cardstock.aws.tables import connect
from cardstock.catalog import errors, publishing, schemas, stock
from cardstock.catalog import wiring as catalog_wiring
from cardstock.catalog.model import Listing
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.errors import NOT_FOUND, STOCK_SHORT
from cardstock.partners import wiring as partners_wiring

api = Api("catalog", callers=partners_wiring.callers)


@api.put(
    "/v1/products/{sku}",
    body=schemas.ProductTerms,
    answer=schemas.PublishedProducts,
    auth="key",
    scope="catalog:write",
    codes=(NOT_FOUND, errors.SKU_INVALID, errors.SKU_TAKEN),
)
def put_product(request: Request[schemas.ProductTerms, Nothing]) -> schemas.PublishedProducts:
    """Publish a product, or change it.

    A supplier's key publishes only that supplier's products. A SKU stays with its first supplier. Stock is set the
    first time; then it changes by sales, deliveries and counts.
    """
    return _publish(request.caller.owner, [request.body.listing(request.path["sku"])])


@api.put(
    "/v1/products",
    body=schemas.PublishProducts,
    answer=schemas.PublishedProducts,
    auth="key",
    scope="catalog:write",
    codes=(NOT_FOUND, errors.SKU_TAKEN),
)
def publish_products(request: Request[schemas.PublishProducts, Nothing]) -> schemas.PublishedProducts:
    """Publish up to 100 products.

    All or none, each as with PUT, so a repeat changes nothing. A SKU may occur once.
    """
    return _publish(request.caller.owner, [product.listing(product.sku) for product in request.body.products])


@api.post(
    "/v1/products/{sku}/stock",
    body=schemas.AddStock,
    answer=schemas.ProductView,
    auth="key",
    scope="catalog:write",
    idempotent=True,
    codes=(NOT_FOUND, STOCK_SHORT),
)
def add_stock(request: Request[schemas.AddStock, Nothing]) -> Answer:
    """Add or remove units.

    Once per Idempotency-Key. Units reserved for orders cannot be removed.
    """
    owner, products = request.caller.owner, catalog_wiring.products()
    stocked = stock.add_stock(request.path["sku"], request.body.add, request.key, acting_for=owner, products=products)
    return Answer(schemas.ProductView.of(stocked.product), replayed=stocked.replayed)


def _publish(acting_for: str, listings: list[Listing]) -> schemas.PublishedProducts:
    publishing.publish(listings, acting_for=acting_for, products=catalog_wiring.products())
    return schemas.PublishedProducts(skus=[listing.sku for listing in listings])


handler = api.handler
connect()
