"""HTTP for staff: orders and sales as headquarters reads them, returns of sent units, and goodwill refunds."""

from functools import partial

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.clock import brand_day
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.flows import callers_wiring
from cardstock.flows.concerned_wiring import buyer_of_order
from cardstock.flows.goodwill import give_goodwill
from cardstock.open_items import wiring as open_items_wiring
from cardstock.orders import errors, listing, refunds, sales, staff_schemas
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.refund_schemas import AcceptReturn, GrantRefund, RequestedRefund
from cardstock.orders.sales_model import TOTAL

api = Api("orders", callers=callers_wiring.callers, staff=callers_wiring.staff_record)


@api.get(
    "/v1/headquarters/orders",
    query=staff_schemas.OrderQuery,
    answer=staff_schemas.OrderRows,
    auth="key",
    scope="orders:read",
)
def list_all_orders(request: Request[Nothing, staff_schemas.OrderQuery]) -> staff_schemas.OrderRows:
    """List the orders of a day or of a member, newest first.

    With `status` or `supplier_id` a page looks at a hundred orders and shows those that fit: it may be empty though
    `next_cursor` leads on. Orders placed by release 0.2.0 are on their days once `cardstock reindex` has run.
    """
    wanted = request.query.wanted(brand_day(clock.now()))
    read = partial(listing.list_orders, wanted, orders=orders_wiring.orders(), days=orders_wiring.order_days())
    found, following = read_page(edge_wiring.signer(), f"all-orders:{wanted}", request.query, read)
    return staff_schemas.OrderRows.of(found, following)


@api.get(
    "/v1/headquarters/orders/{order_id}",
    answer=staff_schemas.StaffOrder,
    auth="key",
    scope="orders:read",
    codes=errors.READING,
)
def read_any_order(request: Request[Nothing, Nothing]) -> staff_schemas.StaffOrder:
    """Get any order with its payment, refunds and supplier orders; its receiver is masked."""
    return staff_schemas.StaffOrder.of_file(listing.read_order(request.path["order_id"], orders=orders_wiring.orders()))


@api.get(
    "/v1/headquarters/sales",
    query=staff_schemas.SalesDaysQuery,
    answer=staff_schemas.SalesDays,
    auth="key",
    scope="sales:read",
)
def read_sales_by_day(request: Request[Nothing, staff_schemas.SalesDaysQuery]) -> staff_schemas.SalesDays:
    """Read what was placed, paid and refunded by day, of all or of one supplier, for at most 31 days.

    The days are the brand's. A refund counts on the day on which it succeeded. Days that cannot change any more are
    stored every night; today is summed from its orders.
    """
    (since, until), of = request.query.days(brand_day(clock.now())), request.query.supplier_id or TOTAL
    found = sales.read_sales(
        of, since, until, clock.now(), sales=orders_wiring.stored_sales(), orders=orders_wiring.order_days()
    )
    return staff_schemas.SalesDays.of(found)


@api.post(
    "/v1/orders/{order_id}/returns",
    body=AcceptReturn,
    answer=RequestedRefund,
    status=202,
    auth="key",
    concerns=buyer_of_order,
    scope="orders:refund",
    idempotent=True,
    codes=errors.RETURNING,
)
def accept_return(request: Request[AcceptReturn, Nothing]) -> Answer:
    """Take units of a paid order back, and refund them.

    Also units that were sent: a buyer alone cannot have those refunded. The reason and the person are on record. Units
    that were sent are not for sale again by it."""
    order_id, asked, orders = request.path["order_id"], request.body, orders_wiring.orders()
    made = refunds.accept_return(
        request.caller.actor, order_id, asked.units(), asked.reason, request.key, orders=orders
    )
    return Answer(RequestedRefund.of(made.refund), replayed=made.replayed)


@api.post(
    "/v1/orders/{order_id}/goodwill-refunds", body=GrantRefund, answer=RequestedRefund, status=202,
    auth="key", concerns=buyer_of_order,
    scope="orders:refund", idempotent=True, codes=errors.GRANTING,
)  # fmt: skip
def grant_refund(request: Request[GrantRefund, Nothing]) -> Answer:
    """Grant a goodwill refund: money back without units, with a reason.

    It is spread over what is left of all lines, and claws back its part of the rewards. More than is left is refused,
    and more than one person may give too, unless `second_person` is true: then an open item asks another person.
    One person may give 20 % (2 000 basis points; the brand's setting `GoodwillBps`) of what was paid for all lines,
    rounded down to a fen, over all goodwill refunds that were not given up, and of one line as much, rounded up."""
    order_id, asked = request.path["order_id"], request.body
    made = give_goodwill(
        request.caller.actor, order_id, asked.amount_fen, asked.reason, request.key,
        second_person=asked.second_person, bound_bps=orders_wiring.goodwill_bound(), orders=orders_wiring.orders(),
        items=open_items_wiring.open_items(),
    )  # fmt: skip
    return Answer(RequestedRefund.of_goodwill(made.refund), replayed=made.replayed)


handler = api.handler
connect()
