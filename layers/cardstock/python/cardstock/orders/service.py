"""What can happen to an order. Every step is one transaction on records whose versions were read before it.

A step that finds a record changed reads again and decides again; a step that was done before changes nothing. So
repeats, lost answers and kills at any point end in the same books.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.attribution import Attribution
from cardstock.clock import Clock
from cardstock.errors import (
    BODY_INVALID,
    IDEMPOTENCY_KEY_REUSED,
    NOT_FOUND,
    REFUND_EXCEEDS_PAID,
    STOCK_SHORT,
    STORE_BUSY,
    ConflictError,
    Pointer,
    RefusedError,
    UnavailableError,
)
from cardstock.ids import RequestKey, derived_id, new_id
from cardstock.money import CURRENCY, MAX_FEN, Fen, half_up, split
from cardstock.orders import errors
from cardstock.orders.model import (
    MAX_LINES,
    MAX_PAID_AT_ONCE,
    MAX_PARCELS,
    MAX_UNITS,
    NO_FREIGHT,
    ORDER_ID,
    REFUND_WINDOW,
    Coupon,
    Freight,
    Order,
    OrderLine,
    OrderStatus,
    Parcel,
    PaymentNotice,
    PaymentParameters,
    Quote,
    Receiver,
    Refund,
    RefundKind,
    RefundLine,
    Step,
    StockChange,
    SupplierLine,
    SupplierOrder,
)
from cardstock.orders.ports import Catalogue, Coupons, Network, Orders, PaymentChannel

_ATTEMPTS = 6
"""Of a step against somebody who changes the same records at the same time."""
_PATIENCE = timedelta(hours=24)
"""How long an order that should expire waits for a channel that gives no answer. Money that comes later goes back."""

COUPON_CHANNEL = "coupon"
"""What an order was paid through that a coupon covers: no money has moved, and none goes back."""

Channels: TypeAlias = Mapping[str, PaymentChannel]
Recorded: TypeAlias = Literal["paid", "repeated", "stray"]


class Wanted(msgspec.Struct, frozen=True):
    """Units of one SKU that somebody wants to buy or to give back."""

    sku: str
    units: int


class Placed(msgspec.Struct, frozen=True):
    """An order, and whether an earlier run of the same request had made it."""

    order: Order
    replayed: bool


class Requested(msgspec.Struct, frozen=True):
    """A refund, and whether an earlier run of the same request had made it."""

    refund: Refund
    replayed: bool


class Swept(msgspec.Struct, frozen=True):
    """What a sweep did. `unanswered`: left for the next one because a channel gave no answer, or a wrong one."""

    expired: int
    paid: int
    unanswered: int
    finished: bool


class Finished(msgspec.Struct, frozen=True):
    """What was done of refunds that had not gone through. `left`: for the next sweep. `refused`: the ids of those among
    them that the channel says it will not do."""

    done: int
    left: int
    refused: tuple[str, ...]


# Buying


def make_quote(
    member_id: str,
    wanted: Sequence[Wanted],
    attribution: Attribution | None,
    coupon_id: str | None = None,
    *,
    catalogue: Catalogue,
    network: Network,
    freight: Freight = NO_FREIGHT,
    coupons: Callable[[], Coupons] | None = None,
) -> Quote:
    """Today's prices for `wanted`, equal SKUs merged. Reserves nothing, writes nothing.

    A coupon is spread over the lines by value, and what it has above the goods is lost: it pays no freight. Raises
    `InvalidError` for more than 50 SKUs or 999 units of one, or of more suppliers than a coupon can pay at once,
    `RefusedError` NOT_FOR_SALE naming the SKUs, COUPON_UNKNOWN or AMOUNT_TOO_LARGE, and `ConflictError` STOCK_SHORT
    saying what there is.
    """
    units = _merge(wanted)
    offers = catalogue.offers(units)
    missing = [sku for sku in units if sku not in offers or not offers[sku].active]
    if missing:
        raise errors.NOT_FOR_SALE(skus=missing)
    short = [
        {"sku": sku, "available": max(0, offers[sku].stock)}
        for sku, count in units.items()
        if offers[sku].stock < count
    ]
    if short:
        raise STOCK_SHORT(lines=short)
    lines = tuple(
        OrderLine(
            line_no=number,
            sku=sku,
            name=offers[sku].name,
            units=count,
            price_fen=offers[sku].price_fen,
            net_fen=count * offers[sku].price_fen,
            supplier_id=offers[sku].supplier_id,
            qualifying=offers[sku].qualifying,
            earns=offers[sku].earns,
        )
        for number, (sku, count) in enumerate(units.items(), 1)
    )
    quote = Quote(member_id=member_id, lines=lines, attribution=attribution, hint=network.hint(member_id))
    if coupon_id is not None:
        coupon = coupons().of(member_id, coupon_id) if coupons is not None else None
        if coupon is None:
            raise errors.COUPON_UNKNOWN()
        quote = _less(coupon, quote)
        if not quote.goods_fen and len(lines) + len({line.supplier_id for line in lines}) > MAX_PAID_AT_ONCE:
            raise BODY_INVALID(pointers=(Pointer("/lines", "OUT_OF_RANGE"),))
    quote = replace(quote, freight_fen=freight.of(quote.goods_fen))
    if coupon_id is not None and not quote.amount_fen:
        quote = replace(quote, paid_by="coupon")
    if quote.amount_fen > MAX_FEN:
        raise errors.AMOUNT_TOO_LARGE()
    return quote


def _less(coupon: Coupon, quote: Quote) -> Quote:
    values = [line.net_fen for line in quote.lines]
    off = split(min(coupon.fen, sum(values)), values)
    lines = tuple(replace(line, net_fen=line.net_fen - part) for line, part in zip(quote.lines, off, strict=True))
    return replace(quote, lines=lines, coupon=coupon.id)


def place_order(
    quote: Quote, receiver: Receiver, request: RequestKey, *, orders: Orders, network: Network, clock: Clock
) -> Placed:
    """Place an order at the quoted prices and take its stock: two calls, the second of which does it all.

    One for which there is nothing to pay, as a coupon covers it, is paid at once. A repeat of `request` gives the first
    order. Raises `ConflictError` PRICE_CHANGED, STOCK_SHORT or COUPON_USED; then nothing is written.
    """
    now = clock.now()
    order = Order(
        order_id=new_id("ord", now),
        member_id=quote.member_id,
        status="placed",
        lines=quote.lines,
        amount_fen=quote.amount_fen,
        receiver=receiver,
        attribution=quote.attribution,
        snapshot=network.snapshot(quote.member_id, quote.hint),
        placed_at=now,
        coupon=quote.coupon,
        paid_by=quote.paid_by,
    )
    parts: tuple[SupplierOrder, ...] = ()
    if order.paid_by == "coupon":
        notice = PaymentNotice(COUPON_CHANNEL, order.order_id, order.coupon, 0, CURRENCY, now)
        step = _paid(order, notice, now)
        order, parts = replace(step.orders[0], version=1), step.supplier_orders
    earlier = orders.place(order, request, parts)
    if earlier is None:
        return Placed(order, replayed=False)
    return Placed(_own(orders.find(earlier), quote.member_id), replayed=True)


def find_placed(member_id: str, request: RequestKey, *, orders: Orders) -> Placed:
    """The order that `request` made earlier: a repeat may come after its quote has expired.

    Raises `ConflictError` QUOTE_EXPIRED if it made none.
    """
    order_id = orders.placed_by(request)
    if order_id is None:
        raise errors.QUOTE_EXPIRED()
    return Placed(_own(orders.find(order_id), member_id), replayed=True)


def find_order(member_id: str | None, order_id: str, *, orders: Orders) -> Order:
    """A member's own order; any for the staff (None). Raises `NotFoundError`, also for somebody else's."""
    return _own(orders.find(order_id) if ORDER_ID.fullmatch(order_id) else None, member_id)


def cancel_order(member_id: str, order_id: str, *, orders: Orders, clock: Clock) -> Order:
    """Cancel an order that is not paid; its stock is back in the same step. A repeat changes nothing.

    Raises `ConflictError` ORDER_PAID (ask for a refund) or ORDER_EXPIRED.
    """
    for _ in range(_ATTEMPTS):
        order = find_order(member_id, order_id, orders=orders)
        if order.status == "cancelled":
            return order
        if order.status == "expired":
            raise errors.ORDER_EXPIRED()
        if order.status != "placed":
            raise errors.ORDER_PAID()
        closed = _closed(order, "cancelled", clock.now())
        if orders.store(closed):
            return closed.orders[0]
    raise STORE_BUSY()


# Paying


def start_payment(
    member_id: str, order_id: str, channel: str, *, orders: Orders, channels: Channels, clock: Clock
) -> PaymentParameters:
    """What the client needs in order to pay. Safe to repeat.

    Raises `InvalidError` CHANNEL_UNKNOWN, `ConflictError` ORDER_PAID, ORDER_CANCELLED or ORDER_EXPIRED.
    """
    order = find_order(member_id, order_id, orders=orders)
    if channel not in channels:
        raise errors.CHANNEL_UNKNOWN(pointers=(Pointer("/channel", "CHANNEL_UNKNOWN"),))
    if order.status == "cancelled":
        raise errors.ORDER_CANCELLED()
    if order.status == "expired" or (order.status == "placed" and clock.now() >= order.expires_at):
        raise errors.ORDER_EXPIRED()
    if order.status != "placed":
        raise errors.ORDER_PAID()
    return channels[channel].start(order)


def record_payment(notice: PaymentNotice, *, orders: Orders, clock: Clock) -> Recorded:
    """Book a verified payment: the order is paid and each supplier has its part, in one transaction.

    The same payment again changes nothing. A payment that no order waits for (cancelled, expired, paid by another)
    becomes a `stray` refund of all of it. Raises `NotFoundError` for an unknown order and `RefusedError`
    PAYMENT_MISMATCH for another amount or currency; nothing is written then.
    """
    for _ in range(_ATTEMPTS):
        order = orders.find(notice.order_no) if ORDER_ID.fullmatch(notice.order_no) else None
        if order is None:
            raise NOT_FOUND()
        if notice.currency != CURRENCY or notice.amount_fen != order.amount_fen:
            raise errors.PAYMENT_MISMATCH(amount_fen=order.amount_fen, currency=CURRENCY)
        if order.status == "placed":
            if orders.store(_paid(order, notice, clock.now())):
                return "paid"
        elif (order.channel, order.transaction_no) == (notice.channel, notice.transaction_no):
            return "repeated"
        else:
            stray = Refund(
                refund_id=derived_id("rfd", order.order_id, notice.channel, notice.transaction_no),
                order_id=order.order_id,
                member_id=order.member_id,
                kind="stray",
                status="requested",
                amount_fen=notice.amount_fen,
                lines=(),
                reason=f"paid when {order.status}",
                channel=notice.channel,
                transaction_no=notice.transaction_no,
                total_fen=notice.amount_fen,
                requested_at=clock.now(),
            )
            return "stray" if orders.store(Step(refunds=(stray,))) else "repeated"
    raise STORE_BUSY()


def _paid(order: Order, notice: PaymentNotice, now: datetime) -> Step:
    paid = replace(
        order,
        status="paid",
        # The channel's clock is not ours: a payment lies between the order and now.
        paid_at=max(order.placed_at, min(notice.paid_at, now)),
        channel=notice.channel,
        transaction_no=notice.transaction_no,
        payer=derived_id("payer", notice.payer) if notice.payer else "",
        device=derived_id("device", notice.device) if notice.device else "",
        version=order.version + 1,
    )
    parts = tuple(
        SupplierOrder(
            supplier_id=supplier_id,
            order_id=order.order_id,
            status="open",
            lines=tuple(
                SupplierLine(line.sku, line.name, line.units) for line in order.lines if line.supplier_id == supplier_id
            ),
            receiver=order.receiver,
            created_at=now,
        )
        for supplier_id in order.supplier_ids
    )
    return Step(orders=(paid,), supplier_orders=parts)


def expire_due(
    at: datetime, *, orders: Orders, channels: Channels, clock: Clock, time_left: Callable[[], bool]
) -> Swept:
    """Expire what was not paid in time at `at`; the stock is back in the same step, one transaction per order.

    The channels are asked first, so that a payment whose callback was lost is booked instead; an order on which one
    gives no answer is left to the next sweep, for a day. Stops when `time_left` says so. A payment at the same moment
    either comes first, or finds the order expired.
    """
    expired = paid = unanswered = 0
    for order_id in orders.due(at):
        if not time_left():
            return Swept(expired, paid, unanswered, finished=False)
        order = orders.find(order_id)
        if order is None or order.status != "placed":
            continue
        try:
            notice = next((found for channel in channels.values() if (found := channel.query(order))), None)
            if notice is not None:
                record_payment(notice, orders=orders, clock=clock)
                paid += 1
                continue
        except (UnavailableError, RefusedError):
            if at < order.expires_at + _PATIENCE:
                unanswered += 1
                continue
        if orders.store(_closed(order, "expired", clock.now())):
            expired += 1
    return Swept(expired, paid, unanswered, finished=True)


def _closed(order: Order, status: OrderStatus, at: datetime) -> Step:
    closed = replace(order, status=status, closed_at=at, version=order.version + 1)
    return Step(
        orders=(closed,),
        stock=tuple(StockChange(line.sku, line.units, -line.units) for line in order.lines),
        freed=((order.coupon, order.order_id),) if order.coupon else (),
    )


# Giving back


def request_refund(
    member_id: str,
    order_id: str,
    wanted: Sequence[Wanted],
    reason: str,
    request: RequestKey,
    *,
    orders: Orders,
    clock: Clock,
    unsent_only: bool = False,
) -> Requested:
    """Reserve units of a paid order for a refund; the money follows through `execute_refund`.

    The amount per line is the cumulative half-up share of what was paid for it, so that all units together are exactly
    that; at most what a goodwill has left of it. The freight goes back with the last unit if nothing of the order was
    sent. Units that have not left their supplier are taken off his order now and go back on sale when the money is
    back. A repeat of `request` gives the first refund. Raises `RefusedError` REFUND_TOO_MUCH (nothing is refunded then)
    or REFUND_TOO_LATE, `ConflictError` ORDER_NOT_PAID, or with `unsent_only` UNITS_SENT.
    """

    def units_of(order: Order, parts: Mapping[str, SupplierOrder]) -> tuple[RefundLine, ...]:
        lines = _refund_lines(order, _merge(wanted), parts)
        if unsent_only and not all(line.restock for line in lines):
            raise errors.UNITS_SENT()
        return lines

    return _ask(member_id, order_id, units_of, reason, request, orders=orders, clock=clock, kind="return")


def grant_refund(
    actor: str, order_id: str, amount: Fen, reason: str, request: RequestKey, *, orders: Orders, clock: Clock
) -> Requested:
    """Give `amount` fen of a paid order back as goodwill, no units; the money follows through `execute_refund`.

    It is spread over what is left of all lines, by largest remainder, and never of the freight; who gave it and why is
    kept. A repeat of `request` gives the first refund. Raises `RefusedError` REFUND_EXCEEDS_PAID (nothing is refunded
    then) or REFUND_TOO_LATE, `ConflictError` ORDER_NOT_PAID.
    """

    def fen_of(order: Order, _parts: Mapping[str, SupplierOrder]) -> tuple[RefundLine, ...]:
        return _goodwill_lines(order, amount)

    return _ask(None, order_id, fen_of, reason, request, orders=orders, clock=clock, kind="goodwill", granted_by=actor)


def _ask(
    member_id: str | None,
    order_id: str,
    lines_of: Callable[[Order, Mapping[str, SupplierOrder]], tuple[RefundLine, ...]],
    reason: str,
    request: RequestKey,
    *,
    orders: Orders,
    clock: Clock,
    kind: RefundKind,
    granted_by: str = "",
) -> Requested:
    refund_id = derived_id("rfd", request.id)
    for _ in range(_ATTEMPTS):
        order = find_order(member_id, order_id, orders=orders)
        earlier = orders.find_refund(order_id, refund_id)
        if earlier is not None:
            if earlier.fingerprint != request.fingerprint:
                raise IDEMPOTENCY_KEY_REUSED()
            return Requested(earlier, replayed=True)
        if order.paid_at is None or order.channel is None or order.transaction_no is None:
            raise errors.ORDER_NOT_PAID()
        now = clock.now()
        if now > order.paid_at + REFUND_WINDOW:
            raise errors.REFUND_TOO_LATE()
        parts = orders.find_supplier_orders(order_id, order.supplier_ids)
        lines = lines_of(order, parts)
        changed = _cut_down(parts, lines, now)
        after = _with_refund(order, lines, {**parts, **changed}, now)
        refund = Refund(
            refund_id=refund_id,
            order_id=order_id,
            member_id=order.member_id,
            kind=kind,
            status="requested",
            amount_fen=after.refunded_fen - order.refunded_fen,
            lines=lines,
            reason=reason,
            channel=order.channel,
            transaction_no=order.transaction_no,
            total_fen=order.amount_fen,
            requested_at=now,
            fingerprint=request.fingerprint,
            sequence=order.version + 1,
            granted_by=granted_by,
        )
        if orders.store(Step(orders=(after,), refunds=(refund,), supplier_orders=tuple(changed.values()))):
            return Requested(refund, replayed=False)
    raise STORE_BUSY()


def withdraw(order_id: str, reason: str, request: RequestKey, *, orders: Orders, clock: Clock) -> Fen | None:
    """Take back what has not been sent of an order whose coupon is undone; what the coupon took off it, in fen, if
    anything has been sent and kept, else 0.

    None if the order was not paid: it is closed now, and its coupon free. Safe to repeat: one `request` takes back
    once.
    """
    for _ in range(_ATTEMPTS):
        order = orders.find(order_id)
        if order is None or order.status in ("cancelled", "expired"):
            return None
        if order.status == "placed":
            if orders.store(_closed(order, "cancelled", clock.now())):
                return None
            continue
        parts = orders.find_supplier_orders(order_id, order.supplier_ids)
        unsent = [
            Wanted(line.sku, line.units - line.refunded_units)
            for line in order.lines
            if parts[line.supplier_id].status == "open" and line.refunded_units < line.units
        ]
        if not unsent:
            kept = any(line.refunded_units < line.units for line in order.lines)
            return coupon_fen(order) if kept else 0
        try:
            request_refund(
                order.member_id, order_id, unsent, reason, request, orders=orders, clock=clock, unsent_only=True
            )
        except ConflictError:
            continue  # It has left meanwhile: look again.
    raise STORE_BUSY()


def coupon_fen(order: Order) -> Fen:
    """What the coupon took off an order, in all."""
    return sum(line.units * line.price_fen - line.net_fen for line in order.lines)


def coupon_share(order: Order, refund: Refund, refunds: Iterable[Refund]) -> Fen:
    """The part of what the coupon took off that lies on a refund's units; all refunds together have all of it.

    Cumulative over the order's `refunds` in the sequence of their requests, so it is the same whenever it is asked.
    """
    share = 0
    for line in order.lines:
        before = sum(
            each.units
            for other in refunds
            if other.part_of_order and other.sequence < refund.sequence
            for each in other.lines
            if each.line_no == line.line_no
        )
        now = sum(each.units for each in refund.lines if each.line_no == line.line_no)
        off = line.units * line.price_fen - line.net_fen
        share += half_up(off * (before + now), line.units) - half_up(off * before, line.units)
    return share


def _refund_lines(order: Order, units: Mapping[str, int], parts: Mapping[str, SupplierOrder]) -> tuple[RefundLine, ...]:
    bought = {line.sku: line for line in order.lines}
    too_much = [
        {"sku": sku, "refundable": bought[sku].units - bought[sku].refunded_units if sku in bought else 0}
        for sku, count in units.items()
        if sku not in bought or bought[sku].refunded_units + count > bought[sku].units
    ]
    if too_much:
        raise errors.REFUND_TOO_MUCH(lines=too_much)
    lines = []
    for sku, count in units.items():
        line = bought[sku]
        before = half_up(line.net_fen * line.refunded_units, line.units)
        share = half_up(line.net_fen * (line.refunded_units + count), line.units) - before
        fen = min(share, line.net_fen - line.refunded_fen)
        unshipped = parts[line.supplier_id].status == "open"
        lines.append(RefundLine(line.line_no, sku, count, fen, restock=unshipped))
    return tuple(lines)


def _goodwill_lines(order: Order, amount: Fen) -> tuple[RefundLine, ...]:
    rests = [line.net_fen - line.refunded_fen for line in order.lines]
    if not 0 < amount <= sum(rests):
        raise REFUND_EXCEEDS_PAID(refundable_fen=sum(rests))
    spread = zip(order.lines, split(amount, rests), strict=True)
    return tuple(RefundLine(line.line_no, line.sku, 0, fen) for line, fen in spread if fen)


def _cut_down(
    parts: Mapping[str, SupplierOrder], lines: Sequence[RefundLine], now: datetime
) -> dict[str, SupplierOrder]:
    """The supplier orders from which `lines` take units that have not left, changed."""
    taken = {line.sku: line.units for line in lines if line.restock}
    changed = {}
    for supplier_id, part in parts.items():
        if part.status == "open" and any(line.sku in taken for line in part.lines):
            left = tuple(replace(line, cancelled=line.cancelled + taken.get(line.sku, 0)) for line in part.lines)
            empty = all(line.cancelled == line.units for line in left)
            changed[supplier_id] = replace(
                part,
                lines=left,
                status="cancelled" if empty else "open",
                reduced_at=now,
                last_event="reduced",
                version=part.version + 1,
            )
    return changed


def _with_refund(
    order: Order, refunded: Sequence[RefundLine], parts: Mapping[str, SupplierOrder], now: datetime
) -> Order:
    by_sku = {line.sku: line for line in refunded}
    lines = tuple(
        replace(
            line,
            refunded_units=line.refunded_units + by_sku[line.sku].units,
            refunded_fen=line.refunded_fen + by_sku[line.sku].amount_fen,
        )
        if line.sku in by_sku
        else line
        for line in order.lines
    )
    return _moved_on(replace(order, lines=lines, version=order.version + 1), parts, now)


def _moved_on(order: Order, parts: Mapping[str, SupplierOrder], now: datetime) -> Order:
    """`order` with what its supplier orders say: shipped once nothing is waited for and something was sent."""
    done = tuple(supplier_id for supplier_id in order.supplier_ids if parts[supplier_id].status != "open")
    sent = any(part.status in ("shipped", "delivered") for part in parts.values())
    if order.status == "paid" and sent and len(done) == len(order.supplier_ids):
        return replace(order, done_suppliers=done, status="shipped", shipped_at=now)
    return replace(order, done_suppliers=done)


def execute_refund(order_id: str, refund_id: str, *, orders: Orders, channels: Channels, clock: Clock) -> Refund:
    """Have the channel send the money of a requested refund back, then complete it. Safe to repeat at any point: the
    channel sees one number, and an unknown outcome is asked for again, never taken as failed.

    Raises `UnavailableError` while the outcome is unknown or the channel is working on it: call again later. Raises
    `RefusedError` when the channel will never do it; a person must look.
    """
    refund = orders.find_refund(order_id, refund_id)
    if refund is None:
        raise NOT_FOUND()
    if refund.status == "succeeded":
        return refund
    if refund.amount_fen > 0:
        channel = channels.get(refund.channel)
        if channel is None:
            raise errors.CHANNEL_MISSING()
        if not channel.refund(refund):
            raise errors.REFUND_PENDING()
    return complete_refund(order_id, refund_id, orders=orders, clock=clock)


def finish_refunds(*, orders: Orders, channels: Channels, clock: Clock, time_left: Callable[[], bool]) -> Finished:
    """Execute all refunds that have not gone through, however long their channels took, while `time_left` says so.

    One that was refused is asked for again too: a merchant's account may have been empty.
    """
    done, left, refused = 0, 0, list[str]()
    waiting = list(orders.open_refunds())
    # In another sequence each time: those whose channel hangs until the time is up must not stand before the others.
    random.Random(int(clock.now().timestamp())).shuffle(waiting)  # noqa: S311 - guards nothing
    for order_id, refund_id in waiting:
        if not time_left():
            left += 1
            continue
        try:
            execute_refund(order_id, refund_id, orders=orders, channels=channels, clock=clock)
            done += 1
        except UnavailableError:
            left += 1
        except RefusedError:
            left += 1
            refused.append(refund_id)
    return Finished(done, left, tuple(refused))


def complete_refund(order_id: str, refund_id: str, *, orders: Orders, clock: Clock) -> Refund:
    """Record that the money is back; what never left its supplier is on sale again in the same step, once."""
    for _ in range(_ATTEMPTS):
        refund = orders.find_refund(order_id, refund_id)
        if refund is None:
            raise NOT_FOUND()
        if refund.status == "succeeded":
            return refund
        done = replace(refund, status="succeeded", succeeded_at=clock.now(), version=refund.version + 1)
        stock = tuple(StockChange(line.sku, line.units, -line.units) for line in refund.lines if line.restock)
        if orders.store(Step(refunds=(done,), stock=stock)):
            return done
    raise STORE_BUSY()


def refunds_of(member_id: str | None, order_id: str, *, orders: Orders) -> tuple[Refund, ...]:
    """The refunds of a member's own order, of any for the staff (None); oldest first."""
    find_order(member_id, order_id, orders=orders)
    return orders.refunds_of(order_id)


# Sending and receiving


def report_shipment(
    supplier_id: str,
    order_id: str,
    carrier: str,
    tracking_no: str,
    event_id: str,
    *,
    orders: Orders,
    clock: Clock,
) -> SupplierOrder:
    """A supplier sent its part of an order. With the last supplier's part the order is shipped, in the same step.

    The first report sends everything that was not refunded; later ones add parcels. The same `event_id` again changes
    nothing. Raises `NotFoundError` for an order that has no part of this supplier, `ConflictError`
    SUPPLIER_ORDER_CANCELLED when everything of his was refunded, `RefusedError` TOO_MANY_PARCELS.
    """
    for _ in range(_ATTEMPTS):
        order = orders.find(order_id)
        parts = orders.find_supplier_orders(order_id, order.supplier_ids) if order else {}
        part = parts.get(supplier_id)
        if order is None or part is None:
            raise NOT_FOUND()
        if any(parcel.event_id == event_id for parcel in part.parcels):
            return part
        if part.status == "cancelled":
            raise errors.SUPPLIER_ORDER_CANCELLED()
        if len(part.parcels) >= MAX_PARCELS:
            raise errors.TOO_MANY_PARCELS(limit=MAX_PARCELS)
        now = clock.now()
        parcels = (*part.parcels, Parcel(event_id, carrier, tracking_no, now))
        after = replace(part, parcels=parcels, last_event="parcel_sent", version=part.version + 1)
        if part.status != "open":
            if orders.store(Step(supplier_orders=(after,))):
                return after
            continue
        after = replace(after, status="shipped", shipped_at=now)
        moved = _moved_on(replace(order, version=order.version + 1), {**parts, supplier_id: after}, now)
        left = tuple(
            StockChange(line.sku, 0, line.cancelled - line.units) for line in part.lines if line.cancelled < line.units
        )
        if orders.store(Step(orders=(moved,), supplier_orders=(after,), stock=left)):
            return after
    raise STORE_BUSY()


def report_delivery(supplier_id: str, order_id: str, *, orders: Orders, clock: Clock) -> SupplierOrder:
    """A supplier's parcels have arrived. A repeat changes nothing. Raises `NotFoundError`, and `ConflictError`
    NOT_SHIPPED when the shipment was never reported (the report may be on its way: try again)."""
    for _ in range(_ATTEMPTS):
        part = _part(supplier_id, order_id, orders)
        if part.status == "delivered":
            return part
        if part.status != "shipped":
            raise errors.NOT_SHIPPED()
        after = replace(
            part, status="delivered", delivered_at=clock.now(), last_event="delivered", version=part.version + 1
        )
        if orders.store(Step(supplier_orders=(after,))):
            return after
    raise STORE_BUSY()


def shipments_of(member_id: str, order_id: str, *, orders: Orders) -> tuple[SupplierOrder, ...]:
    """The parts of a member's own order with their parcels; none before it is paid."""
    order = find_order(member_id, order_id, orders=orders)
    parts = orders.find_supplier_orders(order_id, order.supplier_ids)
    return tuple(parts[supplier_id] for supplier_id in order.supplier_ids if supplier_id in parts)


def confirm_receipt(member_id: str, order_id: str, *, orders: Orders, clock: Clock) -> Order:
    """The buyer has received everything; windows of return and freeze start here. A repeat changes nothing.

    Raises `ConflictError` NOT_SHIPPED before all suppliers have sent.
    """
    for _ in range(_ATTEMPTS):
        order = find_order(member_id, order_id, orders=orders)
        if order.status == "completed":
            return order
        if order.status != "shipped":
            raise errors.NOT_SHIPPED()
        after = replace(order, status="completed", received_at=clock.now(), version=order.version + 1)
        if orders.store(Step(orders=(after,))):
            return after
    raise STORE_BUSY()


def _part(supplier_id: str, order_id: str, orders: Orders) -> SupplierOrder:
    part = orders.find_supplier_orders(order_id, (supplier_id,)).get(supplier_id)
    if part is None:
        raise NOT_FOUND()
    return part


def _own(order: Order | None, member_id: str | None) -> Order:
    if order is None or member_id not in (None, order.member_id):
        raise NOT_FOUND()
    return order


def _merge(wanted: Sequence[Wanted]) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in wanted:
        units[line.sku] = units.get(line.sku, 0) + line.units
    if not units or len(units) > MAX_LINES or any(not 1 <= count <= MAX_UNITS for count in units.values()):
        raise BODY_INVALID(pointers=(Pointer("/lines", "OUT_OF_RANGE"),))
    return units
