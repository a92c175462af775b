"""HTTP: payment channels' notices of payments and refunds."""

from msgspec import convert

from cardstock.aws.tables import connect
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.edge.observability import count, logger
from cardstock.errors import NOT_FOUND, InvalidError
from cardstock.orders import errors, payment
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.agreement_model import AgreementNotice
from cardstock.orders.payment_model import ClosedNotice, Notice, PaymentNotice, RefundAsked
from cardstock.orders.payment_schemas import AskedRefundTaken, CallbackTaken, NoticeTaken
from cardstock.orders.ports import Orders
from cardstock.partners import wiring as partners_wiring

api = Api("payments", callers=partners_wiring.callers)
METRICS = {
    "paid": "PaymentsPaid", "repeated": "PaymentsRepeated", "stray": "PaymentsStray", "unresolved": "OpenItemsOpened",
    "succeeded": "RefundsReported", "refused": "OpenItemsOpened", "waiting": "OpenItemsOpened",
    "closed": "OrdersClosed", "kept": "PaymentsRepeated", "requested": "RefundsAsked", "asked": "OpenItemsOpened",
    "signed": "AgreementsSigned", "ended": "AgreementsEnded",
}  # fmt: skip


@api.post("/v1/payments/sandbox/notify", answer=NoticeTaken, raw=True, codes=errors.NOTIFYING)
def take_sandbox_notice(request: Request[Nothing, Nothing]) -> NoticeTaken:
    """Take the sandbox channel's notice of a payment.

    Signed with the shared key. A repeat changes nothing. A payment that came too late or with another amount is
    refunded; one that fits nothing is taken too, and becomes an open item for staff.
    """
    _take("sandbox", request)
    return NoticeTaken(code="SUCCESS")


@api.post("/v1/payments/wechat/notify", status=204, raw=True, codes=errors.NOTIFYING)
def take_wechat_notice(request: Request[Nothing, Nothing]) -> Answer:
    """Take WeChat Pay's notice of a payment or a refund.

    Signed by WeChat Pay, at most five minutes ago, and encrypted with the merchant's APIv3 key. Otherwise as the
    sandbox's.
    """
    _take("wechat", request)
    return Answer("")


@api.post("/v1/payments/alipay/notify", answer=str, raw=True, codes=errors.NOTIFYING)
def take_alipay_notice(request: Request[Nothing, Nothing]) -> Answer:
    """Take Alipay's notice of a payment or a refund.

    A form, signed by Alipay with the key of the app that it names. It proves no time, and a replay changes nothing.
    Otherwise as the sandbox's.
    """
    _take("alipay", request)
    return Answer("success", content_type="text/plain")


@api.post("/v1/payments/douyin/notify", answer=CallbackTaken, raw=True, codes=errors.NOTIFYING)
def take_douyin_notice(request: Request[Nothing, Nothing]) -> CallbackTaken:
    """Take Douyin's callback about a payment or a refund.

    Signed by Douyin, at most five minutes ago. A buyer who asks Douyin for a refund gets what was not sent; the rest
    waits for staff. `data` has our number for such a refund. Otherwise as the sandbox's.
    """
    notice = _take("douyin", request)
    if not isinstance(notice, RefundAsked):
        return CallbackTaken(err_no=0, err_tips="success")
    said = orders_wiring.asked_refunds()["douyin"].reply_to(notice)
    return CallbackTaken(err_no=0, err_tips="success", data=convert(said, AskedRefundTaken))


def _take(name: str, request: Request[Nothing, Nothing]) -> Notice | None:
    """Record a notice, and return it if it can be read. Raises `NotFoundError` without the channel, `UnauthorizedError`
    for a forgery."""
    channel = orders_wiring.payment_channels().get(name)
    if channel is None:
        raise NOT_FOUND()
    orders = orders_wiring.orders()
    try:
        notice = channel.read_notice(request.headers, request.raw)
    except InvalidError:
        # Signed by the channel: a refusal would make it repeat the same bytes for a day, and then forget them.
        is_new = payment.record_unreadable(name, request.raw, orders=orders)
        count(METRICS["unresolved" if is_new else "repeated"])
        logger.error("unreadable payment notice", channel=name, bytes=len(request.raw))
        return None
    if notice is None:
        return None
    outcome = _record(name, notice, request.raw, orders)
    number = notice.state.agreement_no if isinstance(notice, AgreementNotice) else notice.order_no
    logger.info("payment notice recorded", order_id=number, kind=type(notice).__name__, outcome=outcome)
    count(METRICS[outcome])
    return notice


def _record(name: str, notice: Notice, raw: bytes, orders: Orders) -> str:
    # Most notices are payments: what others need is imported when they come.
    if isinstance(notice, PaymentNotice):
        return payment.record_payment(notice, orders=orders)
    if isinstance(notice, ClosedNotice):
        return payment.record_closed(notice, orders=orders, channels=orders_wiring.payment_channels())
    if isinstance(notice, RefundAsked):
        from cardstock.orders.asked_refunds import record_asked

        return record_asked(notice, orders=orders)
    if isinstance(notice, AgreementNotice):
        from cardstock.orders.agreements import record_state

        outcome = record_state(notice.state, name, agreements=orders_wiring.agreements())
        # An agreement that nobody here has asked for: people must look.
        is_new = outcome == "unknown" and payment.record_unreadable(name, raw, orders=orders)
        return "unresolved" if is_new else "repeated" if outcome == "unknown" else outcome
    from cardstock.orders.refund_ends import record_refund

    return record_refund(notice, orders=orders)


handler = api.handler
connect()
