"""HTTP: payment channels' notices."""

from typing import Annotated

from msgspec import Meta

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge.http import Api, Model, Nothing, Request
from cardstock.edge.observability import count, logger
from cardstock.errors import BODY_INVALID, NOT_FOUND, SIGNATURE_INVALID
from cardstock.orders import errors, service
from cardstock.orders import wiring as orders_wiring
from cardstock.partners import wiring as partners_wiring

api = Api("payments", callers=partners_wiring.callers)


class NoticeTaken(Model):
    """What the channel wants to read once a notice has been booked."""

    code: Annotated[
        str, Meta(description="Always `SUCCESS`: the channel stops sending the notice.", examples=["SUCCESS"])
    ]


@api.post(
    "/v1/payments/sandbox/notify",
    answer=NoticeTaken,
    raw=True,
    codes=(SIGNATURE_INVALID, BODY_INVALID, NOT_FOUND, errors.PAYMENT_MISMATCH),
)
def take_sandbox_notice(request: Request[Nothing, Nothing]) -> NoticeTaken:
    """Take the sandbox channel's notice of a payment.

    Signed with the key that both sides know. A repeat changes nothing. A payment that came too late is sent back.
    """
    channel = orders_wiring.payment_channels().get("sandbox")
    if channel is None:
        raise NOT_FOUND()
    notice = channel.read_notice(request.headers, request.raw)
    if notice is not None:
        booked = service.record_payment(notice, orders=orders_wiring.orders(), clock=process_clock())
        logger.info("payment booked", order_id=notice.order_no, booked=booked)
        count(f"Payments{booked.title()}")
    return NoticeTaken(code="SUCCESS")


handler = api.handler
connect()
