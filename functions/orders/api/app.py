"""HTTP: quotes, orders, payments, refunds."""

from functools import partial

from cardstock.aws.tables import connect
from cardstock.delivery.errors import SENDING
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.flows import buying_wiring, callers_wiring
from cardstock.orders import answers, errors, fulfilment, payment, placement, refunds, schemas, steps, tokens
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.payment_schemas import PaymentView, StartPayment
from cardstock.orders.refund_schemas import AskRefund, RefundList, RequestedRefund
from cardstock.orders.shipment_schemas import ShipmentList

api = Api("orders", callers=callers_wiring.callers)
post, get = partial(api.post, auth="member"), partial(api.get, auth="member")
orders, channels, signer = orders_wiring.orders, orders_wiring.payment_channels, edge_wiring.signer


@post("/v1/quotes", body=schemas.AskQuote, answer=schemas.QuoteView, codes=errors.QUOTING + SENDING)
def ask_quote(request: Request[schemas.AskQuote, Nothing]) -> schemas.QuoteView:
    """Quote the price of a cart.

    The quote is valid for fifteen minutes and reserves nothing. An expired attribution is ignored."""
    asked, attribution = request.body, tokens.attribution_of(signer(), request.body.attribution)
    needs, member_id, region = buying_wiring.quoting(), request.caller.id, asked.region or ""
    quote = placement.make_quote(needs, member_id, asked.units(), attribution, asked.coupon, region=region)
    return answers.offer(signer(), quote)


@post("/v1/orders", body=schemas.PlaceOrder, answer=schemas.PlacedOrder, status=201, idempotent=True,
      codes=errors.PLACING)  # fmt: skip
def place_order(request: Request[schemas.PlaceOrder, Nothing]) -> Answer:
    """Place an order.

    At the quoted prices; its stock is reserved until `expires_at`. If it is refused, nothing is written; if the offer
    holds no more, the answer has a fresh `quote`."""
    caller, key, network = request.caller, request.key, buying_wiring.buyer_network()
    quote, receiver = tokens.open_quote(signer(), request.body.quote, caller.id), request.body.receiver.receiver()
    placing = partial(placement.place_order, caller.id, quote, receiver, key, app=caller.app)
    fresh = partial(answers.requote, signer, buying_wiring.quoting, quote, receiver)
    placed = placement.place_or_requote(partial(placing, orders=orders(), network=network), fresh)
    return Answer(schemas.PlacedOrder.of(placed.order), replayed=placed.replayed)


@get("/v1/orders", query=PageQuery, answer=schemas.OrderPage)
def list_orders(request: Request[Nothing, PageQuery]) -> schemas.OrderPage:
    """List the caller's orders, newest first."""
    own, read = request.caller.id, orders().orders_of_member
    return schemas.OrderPage.of(*read_page(signer(), f"orders:{own}", request.query, read, own))


@get("/v1/orders/{order_id}", answer=schemas.OrderView, codes=errors.READING)
def get_order(request: Request[Nothing, Nothing]) -> schemas.OrderView:
    """Get one of the caller's orders."""
    return schemas.OrderView.of(steps.find_order(request.caller.id, request.path["order_id"], orders=orders()))


@post("/v1/orders/{order_id}/cancellations", answer=schemas.OrderView, codes=errors.CANCELLING)
def cancel_order(request: Request[Nothing, Nothing]) -> schemas.OrderView:
    """Cancel an unpaid order.

    Its stock is released. A repeat changes nothing; a paid order needs a refund. Refused while it may still be paid."""
    member_id, order_id = request.caller.id, request.path["order_id"]
    return schemas.OrderView.of(placement.cancel_order(member_id, order_id, orders=orders(), channels=channels()))


@post("/v1/orders/{order_id}/payments", body=StartPayment, answer=PaymentView, codes=errors.PAYING)
def start_payment(request: Request[StartPayment, Nothing]) -> PaymentView:
    """Get the parameters of the platform's pay call.

    Pass them on unchanged. Who logged in pays, in the app of the order; its channel's notice makes it paid. Safe to
    repeat: one order is one payment."""
    caller, asked = request.caller, request.body
    found = payment.start_payment(
        caller.id, request.path["order_id"], asked.channel, caller.account, asked.instalments,
        orders=orders(), channels=channels(), instalments=orders_wiring.instalment_channels(),
    )  # fmt: skip
    return PaymentView.of(found)


@post("/v1/orders/{order_id}/refunds", body=AskRefund, answer=RequestedRefund, status=202, idempotent=True,
      codes=errors.REFUNDING)  # fmt: skip
def ask_refund(request: Request[AskRefund, Nothing]) -> Answer:
    """Request a refund of unsent units of a paid order.

    They are not sent. The money goes back within minutes, the way it was paid. Sent units are refunded by staff."""
    member_id, order_id, asked = request.caller.id, request.path["order_id"], request.body
    made = refunds.request_refund(member_id, order_id, asked.units(), asked.reason, request.key, orders=orders())
    return Answer(RequestedRefund.of(made.refund), replayed=made.replayed)


@api.get("/v1/orders/{order_id}/refunds", answer=RefundList, auth="any", scope="orders:refund")
def list_refunds(request: Request[Nothing, Nothing]) -> RefundList:
    """List the refunds of the caller's order, or for staff of any order; oldest first."""
    staff = request.caller.kind == "key"
    found = refunds.list_refunds(None if staff else request.caller.id, request.path["order_id"], orders=orders())
    return RefundList.of(found, for_staff=staff)


@post("/v1/orders/{order_id}/receipts", answer=schemas.OrderView, codes=errors.RECEIVING)
def confirm_receipt(request: Request[Nothing, Nothing]) -> schemas.OrderView:
    """Confirm that everything has arrived.

    The return window starts now. A repeat changes nothing."""
    member_id, order_id = request.caller.id, request.path["order_id"]
    return schemas.OrderView.of(fulfilment.confirm_receipt(member_id, order_id, orders=orders()))


@get("/v1/orders/{order_id}/shipments", answer=ShipmentList, codes=errors.READING)
def list_shipments(request: Request[Nothing, Nothing]) -> ShipmentList:
    """List each supplier's part of an order, with its parcels."""
    member_id, order_id = request.caller.id, request.path["order_id"]
    return ShipmentList.of(fulfilment.list_supplier_orders(member_id, order_id, orders=orders()))


handler = api.handler
connect()
