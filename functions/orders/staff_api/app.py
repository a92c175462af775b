"""HTTP for staff: returns of sent units, and goodwill refunds."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.orders import errors, refunds, schemas
from cardstock.orders import wiring as orders_wiring
from cardstock.partners import wiring as partners_wiring

api = Api("orders", callers=partners_wiring.callers)


@api.post(
    "/v1/orders/{order_id}/returns",
    body=schemas.AcceptReturn,
    answer=schemas.RequestedRefund,
    status=202,
    auth="key",
    scope="orders:refund",
    idempotent=True,
    codes=errors.RETURNING,
)
def accept_return(request: Request[schemas.AcceptReturn, Nothing]) -> Answer:
    """Take units of a paid order back, and refund them.

    Also units that were sent: a buyer alone cannot have those refunded. The reason and the person are on record. Units
    that were sent are not for sale again by it."""
    order_id, asked, orders = request.path["order_id"], request.body, orders_wiring.orders()
    made = refunds.accept_return(
        request.caller.actor, order_id, asked.units(), asked.reason, request.key, orders=orders
    )
    return Answer(schemas.RequestedRefund.of(made.refund), replayed=made.replayed)


@api.post(
    "/v1/orders/{order_id}/goodwill-refunds",
    body=schemas.GrantRefund,
    answer=schemas.RequestedRefund,
    status=202,
    auth="key",
    scope="orders:refund",
    idempotent=True,
    codes=errors.GRANTING,
)
def grant_refund(request: Request[schemas.GrantRefund, Nothing]) -> Answer:
    """Grant a goodwill refund: money back without units, with a reason.

    It is spread over what is left of all lines, and claws back its part of the rewards. More than is left is
    refused."""
    order_id, asked, orders = request.path["order_id"], request.body, orders_wiring.orders()
    made = refunds.grant_goodwill(
        request.caller.actor, order_id, asked.amount_fen, asked.reason, request.key, orders=orders
    )
    return Answer(schemas.RequestedRefund.of(made.refund), replayed=made.replayed)


handler = api.handler
connect()
