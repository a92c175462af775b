"""Products as headquarters lists them: drafts and those that are not for sale too."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from cardstock.catalog.model import Product
from cardstock.catalog.ports import Products
from cardstock.pages import fitting_page

ProductState: TypeAlias = Literal["draft", "active", "inactive"]


def state_of(product: Product) -> ProductState:
    """Whether staff have published a product, and whether it is for sale."""
    if product.is_draft:
        return "draft"
    return "active" if product.active else "inactive"


def list_products(
    supplier_id: str | None, state: ProductState | None, limit: int, after: str | None, *, products: Products
) -> tuple[Sequence[Product], str | None]:
    """A page of the products of a supplier or of all, in the state or in any, and the SKU after which the next starts.

    With a state it looks at a hundred products, and may hold none though others follow.
    """

    def read(most: int, behind: str | None) -> tuple[Sequence[Product], str | None]:
        return products.every_product(supplier_id, most, behind)

    fits = None if state is None else lambda product: state_of(product) == state
    return fitting_page(read, fits, lambda product: product.sku, limit, after)
