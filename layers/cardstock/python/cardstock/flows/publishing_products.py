"""Products are published for suppliers that exist: what is for sale has somebody who sends it."""

from collections.abc import Callable, Sequence

from cardstock.catalog import publishing
from cardstock.catalog.ports import Products
from cardstock.catalog.product_model import Outcome, Publication
from cardstock.errors import SUPPLIER_UNKNOWN, Pointer
from cardstock.partners.ports import Suppliers
from cardstock.partners.suppliers import find_supplier


def publish_products(
    publications: Sequence[Publication],
    *,
    many: bool,
    hosts: Sequence[str],
    clean: Callable[[str], str],
    products: Products,
    suppliers: Suppliers,
) -> Sequence[Outcome]:
    """Create or replace products, all or none, as `catalog.publishing.publish` does.

    Raises like it, and `InvalidError` SUPPLIER_UNKNOWN that points at each product's `supplier_id`; `many` says that
    the body is a list of products. Costs a read a supplier.
    """
    known = {
        supplier_id
        for supplier_id in {each.product.supplier_id for each in publications}
        if find_supplier(supplier_id, suppliers=suppliers) is not None
    }
    unknown = tuple(
        Pointer(f"/products/{index}/supplier_id" if many else "/supplier_id", "UNKNOWN")
        for index, each in enumerate(publications)
        if each.product.supplier_id not in known
    )
    if unknown:
        raise SUPPLIER_UNKNOWN(pointers=unknown)
    return publishing.publish(publications, many=many, hosts=hosts, clean=clean, products=products)
