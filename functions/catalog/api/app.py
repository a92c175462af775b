"""HTTP: products, their prices and stock."""

from functools import partial

from cardstock.aws.tables import connect
from cardstock.catalog import page_schemas as schemas
from cardstock.catalog import reading
from cardstock.catalog.wiring import products, variants
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.partners import wiring as partners_wiring
from cardstock.uploads.wiring import files_host

api = Api("catalog", callers=partners_wiring.callers)


@api.get("/v1/products", query=schemas.CardQuery, answer=schemas.ProductCards)
def list_products(request: Request[Nothing, schemas.CardQuery]) -> schemas.ProductCards:
    """List products.

    With `ids` these products, in their order, without those that buyers do not see. Otherwise those that are on sale,
    in no particular order, with `supplier_id` of one supplier; a page may hold fewer than `limit`.
    """
    query, language = request.query, request.language
    if query.named is not None:
        found = reading.cards_of(query.named.split(","), products=products(), variants=variants())
        return schemas.ProductCards.of(found, None, language, files_host())
    read = partial(reading.list_cards, query.supplier_id, products=products(), variants=variants())
    found, following = read_page(edge_wiring.signer(), f"products:{query.supplier_id or ''}", query, read)
    return schemas.ProductCards.of(found, following, language, files_host())


@api.get("/v1/products/{product_id}", answer=schemas.ProductView, codes=(NOT_FOUND,))
def get_product(request: Request[Nothing, Nothing]) -> schemas.ProductView:
    """Get one product.

    An archived product is shown with its state, so that old links lead somewhere.
    """
    page = reading.find_shown(request.path["product_id"], products=products(), variants=variants())
    return schemas.ProductView.of(page, request.language, files_host())


handler = api.handler
connect()
