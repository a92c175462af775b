"""HTTP: quotes, orders, payments, refunds."""

from cardstock import bootstrap
from cardstock.edge import quotes
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.edge.models import orders as models
from cardstock.errors import ConflictError
from cardstock.orders import service

api = Api("orders", callers=bootstrap.callers)
orders, clock, positions, signer = bootstrap.orders, bootstrap.clock, bootstrap.positions, bootstrap.signer


@api.post("/v1/quotes", body=models.AskQuote, answer=models.QuoteView, auth="member", codes=models.QUOTE_CODES)
def ask_quote(request: Request[models.AskQuote, Nothing]) -> models.QuoteView:
    """Ask what a cart costs.

    The answer holds for fifteen minutes and reserves nothing. An attribution that has expired is left out."""
    now, attribution = clock().now(), quotes.attribution_of(signer(), request.body.attribution)
    wanted = models.wanted(request.body.lines)
    quote = service.make_quote(
        request.caller.id, wanted, attribution, request.body.coupon, catalogue=bootstrap.offers(), network=positions(),
        coupons=bootstrap.coupons,
    )  # fmt: skip
    return models.quote_told(quote, quotes.sign_quote(signer(), quote), now)


@api.post("/v1/orders", body=models.PlaceOrder, answer=models.PlacedOrder, status=201, auth="member", idempotent=True,
          codes=models.PLACE_CODES)  # fmt: skip
def place_order(request: Request[models.PlaceOrder, Nothing]) -> Answer:
    """Place an order.

    At the quoted prices, and its stock is reserved until `expires_at`; or it is refused and nothing is written."""
    quote = quotes.open_quote(signer(), request.body.quote, request.caller.id)
    if quote is None:
        # A repeat may come after its quote has expired.
        placed = service.find_placed(request.caller.id, request.key, orders=orders())
    else:
        receiver = models.receiver_of(request.body.receiver)
        placed = service.place_order(quote, receiver, request.key, orders=orders(), network=positions(), clock=clock())
    if placed is None:
        raise ConflictError("QUOTE_EXPIRED")
    return Answer(models.placed_told(placed.order), replayed=placed.replayed)


@api.get("/v1/orders", query=models.PageQuery, answer=models.OrderPage, auth="member", codes=("CURSOR_INVALID",))
def list_orders(request: Request[Nothing, models.PageQuery]) -> models.OrderPage:
    """List the caller's orders, newest first."""
    of, member_id = f"orders:{request.caller.id}", request.caller.id
    return models.page_told(*read_page(signer(), of, request.query, orders().of_member, member_id))


@api.get("/v1/orders/{order_id}", answer=models.OrderView, auth="member", codes=("NOT_FOUND",))
def get_order(request: Request[Nothing, Nothing]) -> models.OrderView:
    """Get one of the caller's orders."""
    return models.order_told(service.find_order(request.caller.id, request.path["order_id"], orders=orders()))


@api.post("/v1/orders/{order_id}/cancellations", answer=models.OrderView, auth="member", codes=models.CANCEL_CODES)
def cancel_order(request: Request[Nothing, Nothing]) -> models.OrderView:
    """Cancel an order that is not paid.

    Its stock is released. A repeat changes nothing; a paid order is refunded instead."""
    order_id = request.path["order_id"]
    return models.order_told(service.cancel_order(request.caller.id, order_id, orders=orders(), clock=clock()))


@api.post("/v1/orders/{order_id}/payments", body=models.StartPayment, answer=models.PaymentView, auth="member",
          codes=models.PAY_CODES)  # fmt: skip
def start_payment(request: Request[models.StartPayment, Nothing]) -> models.PaymentView:
    """Get what the platform's pay call wants.

    Safe to repeat: one order is one payment at the channel. The order is paid when the channel's notice has come."""
    order_id, channels = request.path["order_id"], bootstrap.payment_channels()
    found = service.start_payment(
        request.caller.id, order_id, request.body.channel, orders=orders(), channels=channels, clock=clock()
    )
    return models.payment_told(found)


@api.post("/v1/orders/{order_id}/refunds", body=models.AskRefund, answer=models.RequestedRefund, status=202,
          auth="member", idempotent=True, codes=models.REFUND_CODES)  # fmt: skip
def ask_refund(request: Request[models.AskRefund, Nothing]) -> Answer:
    """Give units of a paid order back.

    Units that have not been sent are not sent any more. The money follows within minutes, the way it came. More than
    was bought is refused as a whole."""
    order_id, wanted, reason = request.path["order_id"], models.wanted(request.body.lines), request.body.reason
    asked = service.request_refund(
        request.caller.id, order_id, wanted, reason, request.key, orders=orders(), clock=clock()
    )
    return Answer(models.requested_told(asked.refund), replayed=asked.replayed)


@api.get("/v1/orders/{order_id}/refunds", answer=models.RefundList, auth="member", codes=("NOT_FOUND",))
def list_refunds(request: Request[Nothing, Nothing]) -> models.RefundList:
    """List an order's refunds, oldest first."""
    return models.refunds_told(service.refunds_of(request.caller.id, request.path["order_id"], orders=orders()))


@api.post("/v1/orders/{order_id}/receipts", answer=models.OrderView, auth="member", codes=("NOT_FOUND", "NOT_SHIPPED"))
def confirm_receipt(request: Request[Nothing, Nothing]) -> models.OrderView:
    """Confirm that everything has arrived.

    The return window starts now. A repeat changes nothing."""
    order_id = request.path["order_id"]
    return models.order_told(service.confirm_receipt(request.caller.id, order_id, orders=orders(), clock=clock()))


@api.get("/v1/orders/{order_id}/shipments", answer=models.ShipmentList, auth="member", codes=("NOT_FOUND",))
def list_shipments(request: Request[Nothing, Nothing]) -> models.ShipmentList:
    """List each supplier's part of an order, with its parcels."""
    return models.shipments_told(service.shipments_of(request.caller.id, request.path["order_id"], orders=orders()))


handler = api.handler
bootstrap.warm()
