"""Products are published for suppliers that exist: what is for sale has somebody who sends it."""

from collections.abc import Sequence

from cardstock.catalog import publishing
from cardstock.catalog.model import Listing
from cardstock.catalog.ports import Products
from cardstock.errors import SUPPLIER_UNKNOWN, Pointer
from cardstock.partners.ports import Suppliers
from cardstock.partners.suppliers import find_supplier


def publish_products(listings: Sequence[Listing], *, many: bool, products: Products, suppliers: Suppliers) -> None:
    """Create or replace products, all or none, as `catalog.publishing.publish` does.

    Raises like it, and `InvalidError` SUPPLIER_UNKNOWN that points at each product's `supplier_id`; `many` says that
    the body is a list of products. Costs a read a supplier.
    """
    known = {
        supplier_id
        for supplier_id in {listing.supplier_id for listing in listings}
        if find_supplier(supplier_id, suppliers=suppliers) is not None
    }
    unknown = tuple(
        Pointer(f"/products/{index}/supplier_id" if many else "/supplier_id", "UNKNOWN")
        for index, listing in enumerate(listings)
        if listing.supplier_id not in known
    )
    if unknown:
        raise SUPPLIER_UNKNOWN(pointers=unknown)
    publishing.publish(listings, products=products)
