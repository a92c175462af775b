"""The figures of the demonstration that are the same in every run, because they follow from the invoices alone.

The command counts what happens. Tests compare its counts with these figures, and these with the README.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from infra.demo.shop_data import Return, Sale, ShopData, windows

UNKNOWN_PURCHASE = "cancellation_of_unknown_purchase"


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of what was read, sold and refused. `sales_fen`: paid for all orders. `members`: buyers and guides."""

    invoices_read: int
    invoices_sold: int
    invoices_refused: Mapping[str, int]
    rows_read: int
    rows_refused: Mapping[str, int]
    orders: int
    supplier_orders: int
    sales_fen: int
    refunds: int
    members: int

    def lines(self) -> list[tuple[str, str]]:
        """Name and text of each figure, for the command and the README."""
        return [
            ("invoices", f"{self.invoices_read:,} read, {self.invoices_sold:,} sold; {refused(self.invoices_refused)}"),
            ("rows", f"{self.rows_read:,} read; {refused(self.rows_refused)}"),
            ("orders", f"{self.orders:,} in {self.supplier_orders:,} supplier orders"),
            ("sales", f"{yuan(self.sales_fen)} yuan; {self.refunds:,} refunds"),
            ("members", f"{self.members:,}"),
        ]


def refused(reasons: Mapping[str, int]) -> str:
    """Number of refusals by reason, the most frequent first."""
    ordered = sorted(reasons.items(), key=lambda pair: -pair[1])
    return f"refused: {', '.join(f'{count:,} {reason}' for reason, count in ordered) or 'none'}"


def yuan(fen: int) -> str:
    """Fen as text for people; nothing is computed with it."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def figures_of(data: ShopData, *, guides: int) -> Figures:
    """The figures of these invoices, with this number of guides besides the buyers."""
    refunds, unknown = _refunds(data)
    rows_refused = data.refused + (Counter({UNKNOWN_PURCHASE: unknown}) if unknown else Counter())
    return Figures(
        invoices_read=data.invoices,
        invoices_sold=data.sold_invoices,
        invoices_refused=dict(data.refused_invoices),
        rows_read=data.rows,
        rows_refused=dict(rows_refused),
        orders=len(data.sales),
        supplier_orders=sum(len({data.articles[sku].supplier_id for sku in sale.units}) for sale in data.sales),
        sales_fen=sum(data.articles[sku].price_fen * units for sale in data.sales for sku, units in sale.units.items()),
        refunds=refunds,
        members=guides + len(data.customers),
    )


def _refunds(data: ShopData) -> tuple[int, int]:
    """Number of refunds made of the cancelled rows, and number of rows without a known purchase.

    A row is refunded from the customer's latest purchases of the article, a refund for each order and SKU.
    """
    bought: dict[str, list[dict[str, int]]] = defaultdict(list)
    refunds = unknown = 0
    for _, events in windows(data.events()):
        for sale in (event for event in events if isinstance(event, Sale)):
            bought[sale.customer].append(dict(sale.units))
        for event in (event for event in events if isinstance(event, Return)):
            missing = event.units
            for order in reversed(bought[event.customer]):
                for sku in order:
                    if sku.rpartition("-")[0] == event.code and (units := min(missing, order[sku])):
                        order[sku] -= units
                        missing -= units
                        refunds += 1
                if not missing:
                    break
            unknown += missing > 0
    return refunds, unknown
