"""Orders and sales as JSON for headquarters, with what is personal masked."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Self

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import (
    Currency,
    Day,
    Fen,
    MemberId,
    Moment,
    NextCursor,
    OrderId,
    SupplierId,
    day_in_query,
)
from cardstock.edge.http import Model
from cardstock.errors import QUERY_INVALID, Pointer
from cardstock.money import CURRENCY
from cardstock.orders import model, sales, sales_model
from cardstock.orders.listing import OrderFile, OrderFilter
from cardstock.orders.refund_schemas import RefundView
from cardstock.orders.schemas import AttributionView, LineView
from cardstock.orders.shipment_schemas import ShipmentView


class OrderQuery(PageQuery, kw_only=True):
    """Which orders, and where in the list."""

    day: Annotated[Day | None, Meta(description="Placed on this day; absent: today, or with a member any day.")] = None
    status: Annotated[model.OrderStatus | None, Meta(description="With this status.", examples=["paid"])] = None
    member_id: Annotated[MemberId, Meta(pattern=r"^mem_[0-9a-z_]{1,26}\Z", description="Of this member.")] | None = None
    supplier_id: Annotated[SupplierId | None, Meta(description="With goods of this supplier.")] = None

    def wanted(self, today: date) -> OrderFilter:
        """The filter. Raises `InvalidError` QUERY_INVALID for a day that does not exist."""
        day = day_in_query(self.day, "day") or (None if self.member_id else today)
        return OrderFilter(day, self.member_id, self.status, self.supplier_id)


class OrderRow(Model):
    """An order in a list."""

    order_id: OrderId
    member_id: MemberId
    status: Annotated[model.OrderStatus, Meta(examples=["paid"], description="Status of the order.")]
    units: Annotated[int, Meta(description="Units of all lines.", examples=[11])]
    suppliers: Annotated[
        list[str], Meta(description="Suppliers with goods in it.", examples=[["sup_lights", "sup_hangers"]])
    ]
    amount_fen: Annotated[Fen, Meta(description="Fen to pay, or paid, with freight.")]
    refunded_fen: Annotated[int, Meta(description="Fen refunded since, requested refunds too.", examples=[0])]
    currency: Currency
    placed_at: Annotated[Moment, Meta(description="When it was placed.")]
    paid_at: Annotated[Moment | None, Meta(description="When it was paid; null before.")]

    @classmethod
    def of(cls, order: model.Order) -> Self:
        """An order in a list."""
        return cls(
            order_id=order.order_id,
            member_id=order.member_id,
            status=order.status,
            units=sum(line.units for line in order.lines),
            suppliers=list(order.supplier_ids),
            amount_fen=order.amount_fen,
            refunded_fen=order.refunded_fen,
            currency=CURRENCY,
            placed_at=rfc3339(order.placed_at),
            paid_at=None if order.paid_at is None else rfc3339(order.paid_at),
        )


class OrderRows(Model):
    """Some orders, newest first."""

    items: Annotated[list[OrderRow], Meta(description="Orders, newest first.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, orders: Sequence[model.Order], next_cursor: str | None) -> Self:
        """A page of orders."""
        return cls([OrderRow.of(order) for order in orders], next_cursor)


class MaskedReceiver(Model):
    """The receiver of the goods, masked."""

    name: Annotated[str, Meta(description="Name, masked.", examples=["王**"])]
    phone: Annotated[str, Meta(description="Telephone number, masked.", examples=["138****8000"])]
    address: Annotated[str, Meta(description="Delivery address, masked.", examples=["上海市静安区****"])]

    @classmethod
    def of(cls, receiver: model.Receiver) -> Self:
        """A receiver, masked."""
        hidden = receiver.masked()
        return cls(hidden.name, hidden.phone, hidden.address)


class OrderPayment(Model):
    """The payment of an order."""

    channel: Annotated[str, Meta(description="Payment channel; `coupon` if a coupon paid all.", examples=["sandbox"])]
    transaction_no: Annotated[
        str, Meta(description="The channel's number of the payment.", examples=["4200000123202611300000000001"])
    ]
    amount_fen: Annotated[Fen, Meta(description="Fen that were paid.")]
    paid_at: Annotated[Moment, Meta(description="When it was paid.")]
    instalments: Annotated[
        int,
        Meta(description="In how many parts the buyer pays the channel, as it states; 1: at once.", examples=[1]),
    ]
    funds_expected_at: Annotated[
        Moment | None,
        Meta(
            description="When the channel should free the money for the merchant, as it last said; null if it did not."
        ),
    ]
    funds_freed_at: Annotated[
        Moment | None, Meta(description="Since when the money is free, if the channel has said so; null otherwise.")
    ]

    @classmethod
    def of(cls, order: model.Order) -> OrderPayment | None:
        """The payment of an order; None before."""
        if order.paid_at is None or order.channel is None:
            return None
        expected, freed = order.funds_expected_at, order.funds_freed_at
        return cls(
            order.channel,
            order.transaction_no or "",
            order.amount_fen,
            rfc3339(order.paid_at),
            order.instalments,
            None if expected is None else rfc3339(expected),
            None if freed is None else rfc3339(freed),
        )


class StaffOrder(OrderRow, kw_only=True):
    """An order with its payment, refunds and supplier orders."""

    lines: Annotated[list[LineView], Meta(description="Lines, with later refunds.")]
    freight_fen: Annotated[int, Meta(examples=[0], description="Freight that the buyer pays, in fen.")]
    coupon: Annotated[
        str | None,
        Meta(
            description="Coupon it was placed with; null if none.",
            examples=["benefit.mem_01kbdxdh50fcazdjhcnqh2rzv5.1"],
        ),
    ]
    receiver: Annotated[MaskedReceiver, Meta(description="Receiver of the goods, masked.")]
    attribution: Annotated[
        AttributionView | None, Meta(description="Card, share and view that led to the order; null if there was none.")
    ]
    payment: Annotated[OrderPayment | None, Meta(description="Payment that paid it; null before.")]
    returned_payments: Annotated[
        list[str],
        Meta(description="Payments of another amount, refunded whole: channel and number.", examples=[["sandbox:t0"]]),
    ]
    refunds: Annotated[list[RefundView], Meta(description="Refunds, oldest first.")]
    supplier_orders: Annotated[list[ShipmentView], Meta(description="Each supplier's part; none before the payment.")]
    expires_at: Annotated[Moment, Meta(description="End of the time to pay.")]
    shipped_at: Annotated[Moment | None, Meta(description="When everything was shipped; null before.")]
    received_at: Annotated[Moment | None, Meta(description="When the buyer confirmed the receipt; null before.")]
    closed_at: Annotated[Moment | None, Meta(description="When it was cancelled, or expired unpaid; null otherwise.")]

    @classmethod
    def of_file(cls, file: OrderFile) -> Self:
        """An order as headquarters reads it."""
        order = file.order
        row = OrderRow.of(order)
        return cls(
            **{name: getattr(row, name) for name in row.__struct_fields__},
            lines=[LineView.of(line) for line in order.lines],
            freight_fen=order.freight_fen,
            coupon=order.coupon or None,
            receiver=MaskedReceiver.of(order.receiver),
            attribution=None if order.attribution is None else AttributionView.of(order.attribution),
            payment=OrderPayment.of(order),
            returned_payments=list(order.returned_payments),
            refunds=[RefundView.of(refund, for_staff=True) for refund in file.refunds],
            supplier_orders=[ShipmentView.of(part) for part in file.supplier_orders],
            expires_at=rfc3339(order.expires_at),
            shipped_at=None if order.shipped_at is None else rfc3339(order.shipped_at),
            received_at=None if order.received_at is None else rfc3339(order.received_at),
            closed_at=None if order.closed_at is None else rfc3339(order.closed_at),
        )


class SalesDaysQuery(Model, kw_only=True):
    """Which days, and whose goods."""

    since: Annotated[
        Day | None, Meta(description="First day, at most 30 days before `until`; absent: the last day alone.")
    ] = None
    until: Annotated[Day | None, Meta(description="Last day; absent: today. With `since` at most 31 days in all.")] = (
        None
    )
    supplier_id: Annotated[SupplierId | None, Meta(description="Goods of this supplier. Absent: of all.")] = None

    def days(self, today: date) -> tuple[date, date]:
        """First and last day. Raises `InvalidError` QUERY_INVALID unless they are 1 to 31 days."""
        until = day_in_query(self.until, "until") or today
        since = day_in_query(self.since, "since") or until
        if not timedelta() <= until - since < timedelta(days=sales.MOST_DAYS):
            earliest = until - timedelta(days=sales.MOST_DAYS - 1)
            bounds = {"min": earliest.isoformat(), "max": until.isoformat()}
            raise QUERY_INVALID(pointers=(Pointer("#query/since", "OUT_OF_RANGE", bounds),))
        return since, until


class SalesSumView(Model):
    """Orders or refunds together."""

    count: Annotated[int, Meta(description="Number of orders, or of refunds.", examples=[42])]
    units: Annotated[int, Meta(description="Units in them.", examples=[310])]
    goods_fen: Annotated[int, Meta(description="Fen for goods, after coupons.", examples=[1_530_000])]
    freight_fen: Annotated[int, Meta(description="Fen of freight; 0 of one supplier.", examples=[0])]
    amount_fen: Annotated[int, Meta(description="Fen of goods and freight.", examples=[1_530_000])]

    @classmethod
    def of(cls, one: sales_model.SalesSum) -> Self:
        """A sum."""
        return cls(one.count, one.units, one.goods_fen, one.freight_fen, one.amount_fen)


class DaySales(Model):
    """What was placed, paid and refunded on one day."""

    day: Day
    placed: Annotated[SalesSumView, Meta(description="Orders placed on the day, also those never paid.")]
    paid: Annotated[SalesSumView, Meta(description="Orders paid on the day, whenever they were placed.")]
    refunded: Annotated[SalesSumView, Meta(description="Refunds that succeeded on the day, of orders of any day.")]
    closed: Annotated[
        bool, Meta(description="Whether nothing of the day can change any more; older open days are as of last night.")
    ]


class SalesDays(Model):
    """Sales by day."""

    items: Annotated[list[DaySales], Meta(description="Days, oldest first.")]
    unsummed: Annotated[
        list[str], Meta(description="Days whose sums are not there yet: ask again tomorrow.", examples=[[]])
    ]
    currency: Currency

    @classmethod
    def of(cls, found: sales.SalesByDay) -> Self:
        """The sales of days."""
        items = [
            DaySales(
                day=each.day.isoformat(),
                placed=SalesSumView.of(each.placed),
                paid=SalesSumView.of(each.paid),
                refunded=SalesSumView.of(each.refunded),
                closed=each.closed,
            )
            for each in found.days
        ]
        return cls(items, [day.isoformat() for day in found.unsummed], CURRENCY)
