"""HTTP: what WeChat pushes to the server of a mini-program."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.edge.observability import count, logger
from cardstock.errors import NOT_FOUND
from cardstock.orders import errors
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.ports import Pushes
from cardstock.orders.push_schemas import PushParameters
from cardstock.orders.pushes import record_push
from cardstock.partners import wiring as partners_wiring

api = Api("payments", callers=partners_wiring.callers)
METRICS = {
    "recorded": "FundsPushed", "reminded": "OpenItemsOpened", "managed": "ShippingNotReported",
    "repeated": "PushesRepeated", "unresolved": "OpenItemsOpened", "other": "PushesNotNeeded",
}  # fmt: skip


@api.get("/v1/payments/wechat/pushes/{app_id}", query=PushParameters, answer=str, codes=errors.NOTIFYING)
def check_wechat_address(request: Request[Nothing, PushParameters]) -> Answer:
    """Answer WeChat's check of the address.

    WeChat asks when somebody saves the address in its console. Signed with the mini-program's token; the answer is
    `echostr`.
    """
    return _text(_pushes().check_address(request.path["app_id"], request.query.given()))


@api.post("/v1/payments/wechat/pushes/{app_id}", query=PushParameters, answer=str, raw=True, codes=errors.NOTIFYING)
def take_wechat_push(request: Request[Nothing, PushParameters]) -> Answer:
    """Take an event that WeChat pushes.

    JSON or XML, signed with the mini-program's token at most five minutes ago, and encrypted where it has a key. When
    WeChat frees a payment's money is kept with the order; reminders are for the staff. Every other event is taken too.
    A repeat changes nothing.
    """
    try:
        push = _pushes().read(request.path["app_id"], request.query.given(), request.raw)
    except ValueError:
        # Genuine: WeChat would send the same again.
        logger.error("unreadable push", app_id=request.path["app_id"], bytes=len(request.raw))
        count("PushesUnreadable")
        return _text("success")
    outcome = record_push(push, orders=orders_wiring.orders())
    about = getattr(push, "order_no", "") or getattr(push, "name", "") or getattr(push, "text", "")
    logger.info("push recorded", kind=type(push).__name__, outcome=outcome, about=about)
    count(METRICS[outcome])
    return _text("success")


def _pushes() -> Pushes:
    """Raises `NotFoundError` where WeChat Pay is not open."""
    found = orders_wiring.pushes()
    if found is None:
        raise NOT_FOUND()
    return found


def _text(content: str) -> Answer:
    return Answer(content, content_type="text/plain")


handler = api.handler
connect()
