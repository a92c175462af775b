"""HTTP for staff: open items, and clearing them."""

from functools import partial

from cardstock.aws.tables import connect
from cardstock.bank_accounts.errors import ACCOUNT_NUMBER_INVALID, HOLDER_DIFFERS
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.flows import callers_wiring
from cardstock.flows.concerned_wiring import member_of_item
from cardstock.flows.open_items import clear_item
from cardstock.flows.refunds_by_hand import NamedAccount
from cardstock.members import wiring as members_wiring
from cardstock.open_items import schemas
from cardstock.open_items import wiring as open_items_wiring
from cardstock.orders import errors as orders_errors
from cardstock.orders import wiring as orders_wiring
from cardstock.payouts import errors as payouts_errors
from cardstock.payouts import wiring as payouts_wiring
from cardstock.staff import wiring as staff_wiring
from cardstock.staff.errors import CONFIRMING

api = Api("open-items", callers=callers_wiring.callers, staff=callers_wiring.staff_record)


@api.get("/v1/open-items", query=schemas.OpenItemQuery, answer=schemas.OpenItemPage, auth="key",
         scope="open_items:read")  # fmt: skip
def list_items(request: Request[Nothing, schemas.OpenItemQuery]) -> schemas.OpenItemPage:
    """List open items, oldest first.

    Each is something verified that nothing could book by itself: payments, refunds, transfers."""
    query = request.query
    name = f"open-items:{query.status}:{query.kind or ''}"
    read = partial(open_items_wiring.open_items().list_items, query.status, query.kind)
    found, following = read_page(edge_wiring.signer(), name, query, read)
    return schemas.OpenItemPage([schemas.OpenItemView.of(item, request.language) for item in found], following)


@api.get("/v1/open-items/{item_id}", answer=schemas.OpenItemView, auth="key", scope="open_items:read",
         codes=(NOT_FOUND,))  # fmt: skip
def read_item(request: Request[Nothing, Nothing]) -> schemas.OpenItemView:
    """Read an open item: what the other side said, and what is to be done."""
    found = open_items_wiring.open_items().find_item(request.path["item_id"])
    if found is None:
        raise NOT_FOUND()
    return schemas.OpenItemView.of(found, request.language)


@api.post("/v1/open-items/{item_id}/clearings", body=schemas.ClearItem, answer=schemas.OpenItemView,
          auth="key", concerns=member_of_item,
          scope="open_items:clear", codes=(*schemas.CLEARING_CODES, payouts_errors.RESULT_NOT_APPLIED, *CONFIRMING,
                                           *orders_errors.CLOSING, *orders_errors.GRANTING_ASKED,
                                           *orders_errors.AGREEING, HOLDER_DIFFERS,
                                           ACCOUNT_NUMBER_INVALID))  # fmt: skip
def clear(request: Request[schemas.ClearItem, Nothing]) -> schemas.OpenItemView:
    """Clear an open item with an outcome and a reason.

    Who cleared it and why stays on record. Where `persons` is 2, the first call asks and another person clears, whose
    phone confirms it; so does that of whoever grants goodwill. A
    refund that its channel has refused ends in the same step, after the channel was asked again: it was paid to
    `account`, which is in the paying member's verified name, and has succeeded, or it is given up and can be asked for
    anew. A transfer with contradicting results ends as both persons say, and the
    books are corrected in the same step. A goodwill refund that was asked for is given once another person grants it.
    What a buyer asked the channel for is refunded, or the channel denies it and shows the reason. A disputed identity
    is taken once another person than the one who asked says so.
    A repeat changes nothing; another outcome for a cleared item is refused."""
    two, account = staff_wiring.approving(request.caller), request.body.account
    item = clear_item(
        request.path["item_id"],
        request.body.outcome,
        request.body.reason,
        request.caller.actor,
        can_approve=two.can_approve,
        confirm=two.confirm,
        items=open_items_wiring.open_items(),
        orders=orders_wiring.orders,
        channels=orders_wiring.payment_channels,
        asked_refunds=orders_wiring.asked_refunds,
        payouts=payouts_wiring.payouts,
        request_step=payouts_wiring.request_step,
        members=members_wiring.members,
        account=None if account is None else NamedAccount(account.holder, account.number, account.bank),
    )
    return schemas.OpenItemView.of(item, request.language)


handler = api.handler
connect()
