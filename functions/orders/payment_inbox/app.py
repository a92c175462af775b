"""HTTP: payment channels' notices."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Api, Nothing, Request
from cardstock.edge.observability import count, logger
from cardstock.errors import NOT_FOUND, InvalidError
from cardstock.orders import errors, payment
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.payment_schemas import NoticeTaken
from cardstock.partners import wiring as partners_wiring

api = Api("payments", callers=partners_wiring.callers)
METRICS = {
    "paid": "PaymentsPaid", "repeated": "PaymentsRepeated", "stray": "PaymentsStray", "unresolved": "OpenItemsOpened",
}  # fmt: skip


@api.post("/v1/payments/sandbox/notify", answer=NoticeTaken, raw=True, codes=errors.NOTIFYING)
def take_sandbox_notice(request: Request[Nothing, Nothing]) -> NoticeTaken:
    """Take the sandbox channel's notice of a payment.

    Signed with the shared key. A repeat changes nothing. A payment that came too late or with another amount is
    refunded; one that fits nothing is taken too, and becomes an open item for staff.
    """
    channel = orders_wiring.payment_channels().get("sandbox")
    if channel is None:
        raise NOT_FOUND()
    orders = orders_wiring.orders()
    try:
        notice = channel.read_notice(request.headers, request.raw)
    except InvalidError:
        # Signed by the channel: a refusal would make it repeat the same bytes for a day, and then forget them.
        count(
            METRICS["unresolved"]
            if payment.record_unreadable("sandbox", request.raw, orders=orders)
            else METRICS["repeated"]
        )
        logger.error("unreadable payment notice", bytes=len(request.raw))
        return NoticeTaken(code="SUCCESS")
    if notice is not None:
        outcome = payment.record_payment(notice, orders=orders)
        logger.info("payment recorded", order_id=notice.order_no, outcome=outcome)
        count(METRICS[outcome])
    return NoticeTaken(code="SUCCESS")


handler = api.handler
connect()
