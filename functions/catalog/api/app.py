"""HTTP: products, their prices and stock."""

from cardstock.aws.tables import connect
from cardstock.catalog import schemas as models
from cardstock.catalog import service
from cardstock.catalog import wiring as catalog_wiring
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.partners import wiring as partners_wiring

api = Api("catalog", callers=partners_wiring.callers)


@api.get("/v1/products", query=models.ProductQuery, answer=models.ProductPage)
def list_products(request: Request[Nothing, models.ProductQuery]) -> models.ProductPage:
    """List products.

    In no order that means anything; with `supplier_id` those of one supplier. Products that are not sold at present
    have `active` false.
    """
    products, supplier_id, signer = catalog_wiring.products(), request.query.supplier_id, edge_wiring.signer()
    if supplier_id is None:
        found, following = read_page(signer, "products:", request.query, products.page)
    else:
        of = f"products:{supplier_id}"
        found, following = read_page(signer, of, request.query, products.of_supplier, supplier_id)
    return models.ProductPage([models.told(product) for product in found], following)


@api.get("/v1/products/{sku}", answer=models.ProductView, codes=(NOT_FOUND,))
def get_product(request: Request[Nothing, Nothing]) -> models.ProductView:
    """Get one product."""
    return models.told(service.find_product(request.path["sku"], products=catalog_wiring.products()))


handler = api.handler
connect()
