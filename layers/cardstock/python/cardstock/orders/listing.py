"""Orders as headquarters lists and reads them: those of a day or of a member, and all that is stored of one."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import msgspec

from cardstock.clock import brand_day
from cardstock.orders.model import Order, OrderStatus
from cardstock.orders.ports import OrderDays, Orders
from cardstock.orders.refund_model import Refund
from cardstock.orders.steps import find_order
from cardstock.orders.supplier_model import SupplierOrder
from cardstock.pages import fitting_page

MEMBER_PAGE: Final = 100
"""Orders of a member that are read at once."""


class OrderFilter(msgspec.Struct, frozen=True):
    """Which orders: placed on `day`, or the member's own; of these, those of the status and with goods of the supplier.

    `day` may be None only with a member.
    """

    day: date | None
    member_id: str | None = None
    status: OrderStatus | None = None
    supplier_id: str | None = None

    def fits(self, order: Order) -> bool:
        """Whether an order is one of them."""
        return (
            (self.day is None or brand_day(order.placed_at) == self.day)
            and self.member_id in (None, order.member_id)
            and self.status in (None, order.status)
            and (self.supplier_id is None or self.supplier_id in order.supplier_ids)
        )


class OrderFile(msgspec.Struct, frozen=True):
    """All that is stored of one order."""

    order: Order
    refunds: tuple[Refund, ...]
    supplier_orders: tuple[SupplierOrder, ...]


def all_orders_of(member_id: str, *, orders: Orders) -> Iterator[Order]:
    """Every order of a member, newest first, a page at a time. May miss those of the last second."""
    after: str | None = None
    while True:
        page, after = orders.orders_of_member(member_id, MEMBER_PAGE, after)
        yield from page
        if after is None:
            return


def list_orders(
    wanted: OrderFilter, limit: int, after: str | None, *, orders: Orders, days: OrderDays
) -> tuple[Sequence[Order], str | None]:
    """A page of the orders wanted, newest first, and the id after which the next page starts; None at the end.

    A filtered page looks at a hundred orders of the day or of the member, and may hold none though others follow.
    """
    day, member_id = wanted.day, wanted.member_id

    def read(most: int, behind: str | None) -> tuple[Sequence[Order], str | None]:
        if member_id is not None:
            return orders.orders_of_member(member_id, most, behind)
        if day is None:
            raise LookupError("neither a day nor a member")
        return days.newest_orders(day, most, behind)

    filtered = wanted.status or wanted.supplier_id or (member_id and day)
    return fitting_page(read, wanted.fits if filtered else None, lambda order: order.order_id, limit, after)


def read_order(order_id: str, *, orders: Orders) -> OrderFile:
    """An order with its refunds, oldest first, and its supplier orders. Three reads. Raises `NotFoundError`."""
    order = find_order(None, order_id, orders=orders)
    parts = orders.find_supplier_orders(order_id, order.supplier_ids) if order.is_paid else {}
    return OrderFile(
        order,
        orders.refunds_of_order(order_id),
        tuple(parts[supplier_id] for supplier_id in order.supplier_ids if supplier_id in parts),
    )
