"""Placing an order: quote, place, cancel."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.attribution import Attribution
from cardstock.errors import (
    BODY_INVALID,
    REGION_UNKNOWN,
    STOCK_SHORT,
    STORE_BUSY,
    CardstockError,
    InvalidError,
    Pointer,
    RefusedError,
)
from cardstock.ids import RequestKey, new_id
from cardstock.money import CURRENCY, MAX_FEN, split
from cardstock.orders import errors
from cardstock.orders.coupon_model import Coupon
from cardstock.orders.model import MAX_PAID_AT_ONCE, Order, OrderLine, Quote, Receiver, RequestedUnits, SentGoods
from cardstock.orders.payment import end_payment
from cardstock.orders.payment_model import PaymentNotice
from cardstock.orders.ports import Catalogue, Coupons, FreightCharges, Offer, Orders, ReferralNetwork
from cardstock.orders.steps import ATTEMPTS, Channels, close_step, find_order, merge_units, pay_step, require_own
from cardstock.orders.supplier_model import SupplierOrder
from cardstock.regions import contains, is_precise

COUPON_CHANNEL: Final = "coupon"
"""The channel of an order fully paid by its coupon: no money moves, and none is refunded."""


class QuoteNeeds(msgspec.Struct, frozen=True):
    """The ports of a quote. `coupons` is only called for a quote with a coupon."""

    catalogue: Catalogue
    network: ReferralNetwork
    freight: FreightCharges
    coupons: Callable[[], Coupons]


class PlacedOrder(msgspec.Struct, frozen=True):
    """An order, and whether an earlier run of the same request placed it."""

    order: Order
    replayed: bool


def make_quote(
    needs: QuoteNeeds,
    member_id: str,
    requested: Sequence[RequestedUnits],
    attribution: Attribution | None,
    coupon_id: str | None = None,
    *,
    region: str = "",
) -> Quote:
    """Today's prices for `requested`, equal SKUs merged, sent to `region`. Reserves nothing and writes nothing.

    A coupon is spread over the lines by value. The part above the goods is lost: it pays no freight. Raises
    `InvalidError` for more than 50 SKUs or 999 units of one, or for more suppliers than one step can store when a
    coupon pays in full, and REGION_UNKNOWN; `RefusedError` NOT_FOR_SALE with the SKUs, COUPON_UNKNOWN,
    AMOUNT_TOO_LARGE, or what `FreightCharges` refuses; `ConflictError` STOCK_SHORT with the units in stock.
    """
    units = merge_units(requested)
    if region and not is_precise(region):
        raise REGION_UNKNOWN(pointers=(Pointer("/region", "REGION_UNKNOWN"),))
    offers = needs.catalogue.variants_by_sku(units)
    _require_for_sale(requested, units, offers)
    quote = _price(needs, Quote(member_id, (), attribution, None, region=region), units, offers)
    if coupon_id is not None:
        coupon = needs.coupons().find_coupon(member_id, coupon_id)
        if coupon is None:
            raise errors.COUPON_UNKNOWN(pointers=(Pointer("/coupon", "UNKNOWN"),))
        quote = _apply_coupon(coupon, quote)
    return _complete(quote, offers, needs.freight)


def make_fresh_quote(needs: QuoteNeeds, quote: Quote, region: str) -> Quote | None:
    """Today's offer in place of a quote that does not hold any more, sent to `region`: what of it can still be had.

    Lines have no more units than are in stock, products that are not for sale are left out, and so is a coupon that
    cannot be used. None if nothing is left, or nothing can be sent there.
    """
    offers = needs.catalogue.variants_by_sku([line.sku for line in quote.lines])
    now = clock.now()
    units = {
        line.sku: min(line.units, offers[line.sku].stock)
        for line in quote.lines
        if line.sku in offers and offers[line.sku].is_for_sale(now) and offers[line.sku].stock > 0
    }
    if not units:
        return None
    asked = Quote(quote.member_id, (), quote.attribution, None, region=region)
    fresh = _price(needs, asked, units, offers)
    coupon = needs.coupons().find_coupon(quote.member_id, quote.coupon) if quote.coupon else None
    try:
        return _complete(fresh if coupon is None else _apply_coupon(coupon, fresh), offers, needs.freight)
    except (InvalidError, RefusedError):
        return None


def place_or_requote(place: Callable[[], PlacedOrder], requote: Callable[[], Any]) -> PlacedOrder:
    """Place an order. A refusal because the offer holds no more (`errors.OFFER_CHANGED`) encloses a fresh quote under
    `quote`, as `requote` shows it; nothing is enclosed if that gives None."""
    try:
        return place()
    except CardstockError as error:
        if error.refusal in errors.OFFER_CHANGED and (fresh := requote()) is not None:
            error.enclosed = {"quote": fresh}
        raise


def _price(needs: QuoteNeeds, asked: Quote, units: Mapping[str, int], offers: Mapping[str, Offer]) -> Quote:
    """`asked` with its lines, without coupon and freight."""
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
    hint, order_id = needs.network.position_hint(asked.member_id), new_id("ord", clock.now())
    return replace(asked, lines=lines, hint=hint, order_id=order_id)


def _complete(quote: Quote, offers: Mapping[str, Offer], freight: FreightCharges) -> Quote:
    """The quote with its freight, and by whom it is paid."""
    stored = len(quote.lines) + len({line.supplier_id for line in quote.lines})
    if quote.coupon and not quote.goods_fen and stored > MAX_PAID_AT_ONCE:
        raise BODY_INVALID(pointers=(Pointer("/lines", "OUT_OF_RANGE"),))
    goods = [
        SentGoods(line.sku, line.supplier_id, line.units, line.net_fen, offer.freight_template, offer.weight_g)
        for line in quote.lines
        for offer in (offers[line.sku],)
    ]
    parts = freight.parts_of(goods, quote.region)
    by_supplier = tuple(part for part in parts if part.supplier_id)
    quote = replace(quote, freight_fen=sum(part.fen for part in parts), freight_parts=by_supplier)
    if quote.coupon and not quote.amount_fen:
        quote = replace(quote, paid_by="coupon")
    if quote.amount_fen > MAX_FEN:
        raise errors.AMOUNT_TOO_LARGE()
    return quote


def place_order(
    member_id: str,
    quote: Quote | None,
    receiver: Receiver,
    request: RequestKey,
    *,
    app: str = "",
    orders: Orders,
    network: ReferralNetwork,
) -> PlacedOrder:
    """Place an order at the quoted prices and reserve its stock: two calls, and only the second writes.

    `app` is the platform's app in which the order is placed and will be paid: `wechat:wx123`. An order fully paid by
    its coupon is paid in the same step. A repeat of `request` returns the first order, even if its quote has expired
    meanwhile (`quote` None), and so does another request with the quote. Raises `ConflictError` QUOTE_EXPIRED,
    QUOTE_USED (its order has ended unpaid, or goes to another receiver), PRICE_CHANGED, STOCK_SHORT, COUPON_USED or
    REGION_DIFFERS (the receiver is not in the quote's region); nothing is written then.
    """
    if quote is None:
        return PlacedOrder(_find_placed(member_id, request, orders), replayed=True)
    if receiver.region and not is_precise(receiver.region):
        raise REGION_UNKNOWN(pointers=(Pointer("/receiver/region", "REGION_UNKNOWN"),))
    if quote.region and not contains(quote.region, receiver.region):
        raise errors.REGION_DIFFERS()
    now = clock.now()
    order = Order(
        order_id=quote.order_id or new_id("ord", now),
        member_id=member_id,
        status="placed",
        lines=quote.lines,
        amount_fen=quote.amount_fen,
        receiver=receiver,
        attribution=quote.attribution,
        snapshot=network.position_snapshot(member_id, quote.hint),
        placed_at=now,
        coupon=quote.coupon,
        app=app,
        paid_by=quote.paid_by,
        freight_parts=quote.freight_parts,
    )
    supplier_orders: tuple[SupplierOrder, ...] = ()
    if order.paid_by == "coupon":
        nothing = PaymentNotice(COUPON_CHANNEL, order.order_id, order.coupon, 0, CURRENCY, now)
        step = pay_step(order, nothing, now, orders)
        order, supplier_orders = replace(step.orders[0], version=1), step.supplier_orders
    earlier = orders.add_order(order, request, supplier_orders)
    if earlier is None:
        return PlacedOrder(order, replayed=False)
    return PlacedOrder(require_own(orders.find_order(earlier), member_id), replayed=True)


def cancel_order(member_id: str, order_id: str, *, orders: Orders, channels: Channels) -> Order:
    """Cancel an order that is not paid, and release its stock in the same step. A repeat changes nothing.

    Every channel has closed the order before; a payment that it names instead is recorded. Raises `ConflictError`
    ORDER_PAID (ask for a refund instead) or ORDER_EXPIRED, and `UnavailableError` PAYMENT_PENDING while a channel may
    still take money for the order: it waits on for its payment then, and expires if none comes. The channels that have
    closed it take no payment any more: the buyer repeats the cancellation, or pays through one that has not answered.
    """
    for _ in range(ATTEMPTS):
        order = find_order(member_id, order_id, orders=orders)
        if order.status == "placed":
            ended = end_payment(order, orders=orders, channels=channels)
            order = ended.order
            if order.status == "placed" and ended.waiting:
                raise errors.PAYMENT_PENDING()
        if order.status == "cancelled":
            return order
        if order.status == "expired":
            raise errors.ORDER_EXPIRED()
        if order.status != "placed":
            raise errors.ORDER_PAID()
        step = close_step(order, "cancelled", clock.now())
        if orders.store_step(step):
            return step.orders[0]
    raise STORE_BUSY()


def _find_placed(member_id: str, request: RequestKey, orders: Orders) -> Order:
    order_id = orders.order_id_of_request(request)
    if order_id is None:
        raise errors.QUOTE_EXPIRED()
    return require_own(orders.find_order(order_id), member_id)


def _require_for_sale(
    requested: Sequence[RequestedUnits], units: Mapping[str, int], offers: Mapping[str, Offer]
) -> None:
    now = clock.now()
    missing = [sku for sku in units if sku not in offers or not offers[sku].is_for_sale(now)]
    if missing:
        raise errors.NOT_FOR_SALE(pointers=_at_lines(requested, missing, "sku", "NOT_FOR_SALE"), skus=missing)
    short = [
        {"sku": sku, "available": max(0, offers[sku].stock)}
        for sku, count in units.items()
        if offers[sku].stock < count
    ]
    if short:
        named = [str(line["sku"]) for line in short]
        raise STOCK_SHORT(pointers=_at_lines(requested, named, "units", "STOCK_SHORT"), lines=short)


def _at_lines(requested: Sequence[RequestedUnits], skus: Sequence[str], member: str, code: str) -> tuple[Pointer, ...]:
    """Pointers at a member of the lines that name one of `skus`, as they were requested."""
    return tuple(Pointer(f"/lines/{at}/{member}", code) for at, line in enumerate(requested) if line.sku in skus)


def _apply_coupon(coupon: Coupon, quote: Quote) -> Quote:
    values = [line.net_fen for line in quote.lines]
    off = split(min(coupon.fen, sum(values)), values)
    lines = tuple(replace(line, net_fen=line.net_fen - part) for line, part in zip(quote.lines, off, strict=True))
    return replace(quote, lines=lines, coupon=coupon.id)
