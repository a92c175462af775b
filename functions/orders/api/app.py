"""HTTP: quotes, orders, payments, refunds."""

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.flows import wiring as flows_wiring
from cardstock.orders import errors, service
from cardstock.orders import schemas as models
from cardstock.orders import tokens as quotes
from cardstock.orders import wiring as orders_wiring
from cardstock.partners import wiring as partners_wiring

api = Api("orders", callers=partners_wiring.callers)
orders, clock, positions, signer = orders_wiring.orders, process_clock, flows_wiring.positions, edge_wiring.signer


@api.post("/v1/quotes", body=models.AskQuote, answer=models.QuoteView, auth="member", codes=models.QUOTE_CODES)
def ask_quote(request: Request[models.AskQuote, Nothing]) -> models.QuoteView:
    """Ask what a cart costs.

    The answer holds for fifteen minutes and reserves nothing. An attribution that has expired is left out."""
    now, attribution = clock().now(), quotes.attribution_of(signer(), request.body.attribution)
    cart = (request.caller.id, models.wanted(request.body.lines), attribution, request.body.coupon)
    quote = service.make_quote(
        *cart,
        catalogue=orders_wiring.offers(),
        network=positions(),
        freight=orders_wiring.freight(),
        coupons=flows_wiring.coupons,
    )
    return models.quote_told(quote, quotes.sign_quote(signer(), quote), now)


@api.post("/v1/orders", body=models.PlaceOrder, answer=models.PlacedOrder, status=201, auth="member", idempotent=True,
          codes=models.PLACE_CODES)  # fmt: skip
def place_order(request: Request[models.PlaceOrder, Nothing]) -> Answer:
    """Place an order.

    At the quoted prices, and its stock is reserved until `expires_at`; or it is refused and nothing is written."""
    quote = quotes.open_quote(signer(), request.body.quote, request.caller.id)
    if quote is None:
        placed = service.find_placed(request.caller.id, request.key, orders=orders())
    else:
        receiver = models.receiver_of(request.body.receiver)
        placed = service.place_order(quote, receiver, request.key, orders=orders(), network=positions(), clock=clock())
    return Answer(models.placed_told(placed.order), replayed=placed.replayed)


@api.get("/v1/orders", query=PageQuery, answer=models.OrderPage, auth="member")
def list_orders(request: Request[Nothing, PageQuery]) -> models.OrderPage:
    """List the caller's orders, newest first."""
    of, member_id = f"orders:{request.caller.id}", request.caller.id
    return models.page_told(*read_page(signer(), of, request.query, orders().of_member, member_id))


@api.get("/v1/orders/{order_id}", answer=models.OrderView, auth="member", codes=(NOT_FOUND,))
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
    asked, channels = (
        (request.caller.id, request.path["order_id"], request.body.channel),
        orders_wiring.payment_channels(),
    )
    return models.payment_told(service.start_payment(*asked, orders=orders(), channels=channels, clock=clock()))


@api.post("/v1/orders/{order_id}/refunds", body=models.AskRefund, answer=models.RequestedRefund, status=202,
          auth="member", idempotent=True, codes=models.REFUND_CODES)  # fmt: skip
def ask_refund(request: Request[models.AskRefund, Nothing]) -> Answer:
    """Give units of a paid order back.

    Those not sent stay there. The money follows within minutes, the way it came. More than was bought is refused."""
    what = (request.path["order_id"], models.wanted(request.body.lines), request.body.reason, request.key)
    asked = service.request_refund(request.caller.id, *what, orders=orders(), clock=clock())
    return Answer(models.requested_told(asked.refund), replayed=asked.replayed)


@api.get("/v1/orders/{order_id}/refunds", answer=models.RefundList, auth="any", scope="orders:refund")
def list_refunds(request: Request[Nothing, Nothing]) -> models.RefundList:
    """List the refunds of the caller's order, to staff of any; oldest first."""
    staff = request.caller.kind == "key"
    found = service.refunds_of(None if staff else request.caller.id, request.path["order_id"], orders=orders())
    return models.refunds_told(found, to_staff=staff)


@api.post(
    "/v1/orders/{order_id}/receipts", answer=models.OrderView, auth="member", codes=(NOT_FOUND, errors.NOT_SHIPPED)
)
def confirm_receipt(request: Request[Nothing, Nothing]) -> models.OrderView:
    """Confirm that everything has arrived.

    The return window starts now. A repeat changes nothing."""
    order_id = request.path["order_id"]
    return models.order_told(service.confirm_receipt(request.caller.id, order_id, orders=orders(), clock=clock()))


@api.get("/v1/orders/{order_id}/shipments", answer=models.ShipmentList, auth="member", codes=(NOT_FOUND,))
def list_shipments(request: Request[Nothing, Nothing]) -> models.ShipmentList:
    """List each supplier's part of an order, with its parcels."""
    return models.shipments_told(service.shipments_of(request.caller.id, request.path["order_id"], orders=orders()))


handler = api.handler
connect()
