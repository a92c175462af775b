"""HTTP: products, their prices and stock."""

from cardstock.aws.tables import connect
from cardstock.catalog import publishing, schemas
from cardstock.catalog import wiring as catalog_wiring
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.partners import wiring as partners_wiring

api = Api("catalog", callers=partners_wiring.callers)


@api.get("/v1/products", query=schemas.ProductQuery, answer=schemas.ProductPage)
def list_products(request: Request[Nothing, schemas.ProductQuery]) -> schemas.ProductPage:
    """List products.

    In no particular order; with `supplier_id` those of one supplier. Products that are not for sale have `active`
    false.
    """
    products, supplier_id, signer = catalog_wiring.products(), request.query.supplier_id, edge_wiring.signer()
    if supplier_id is None:
        found, following = read_page(signer, "products:", request.query, products.list_products)
    else:
        of = f"products:{supplier_id}"
        found, following = read_page(signer, of, request.query, products.products_of_supplier, supplier_id)
    return schemas.ProductPage.of(found, following)


@api.get("/v1/products/{sku}", answer=schemas.ProductView, codes=(NOT_FOUND,))
def get_product(request: Request[Nothing, Nothing]) -> schemas.ProductView:
    """Get one product."""
    return schemas.ProductView.of(publishing.find_published(request.path["sku"], products=catalog_wiring.products()))


handler = api.handler
connect()
