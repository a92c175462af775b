"""HTTP for staff: goodwill refunds."""

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.orders import schemas as models
from cardstock.orders import service
from cardstock.orders import wiring as orders_wiring
from cardstock.partners import wiring as partners_wiring

api = Api("orders", callers=partners_wiring.callers)
orders, clock = orders_wiring.orders, process_clock


@api.post("/v1/orders/{order_id}/goodwill-refunds", body=models.GrantRefund, answer=models.RequestedRefund, status=202,
          auth="key", scope="orders:refund", idempotent=True, codes=models.GRANT_CODES)  # fmt: skip
def grant_refund(request: Request[models.GrantRefund, Nothing]) -> Answer:
    """Give a buyer money back without units, with a reason.

    It is spread over what is left of all lines, and takes its part of the rewards. More than is left is refused."""
    what = (request.path["order_id"], request.body.amount_fen, request.body.reason, request.key)
    asked = service.grant_refund(request.caller.actor, *what, orders=orders(), clock=clock())
    return Answer(models.requested_told(asked.refund), replayed=asked.replayed)


handler = api.handler
connect()
