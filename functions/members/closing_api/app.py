"""HTTP: a member closes the account."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import MEMBER_ERASED
from cardstock.flows import closing, closing_schemas
from cardstock.flows.closing_wiring import closing_needs
from cardstock.partners.wiring import callers

api = Api("closing", callers=callers)


@api.get("/v1/me/closing", answer=closing_schemas.Closing, auth="member", codes=(MEMBER_ERASED,))
def get_closing(request: Request[Nothing, Nothing]) -> closing_schemas.Closing:
    """Read what stands in the way of closing the account, and what becomes of its money."""
    return closing_schemas.Closing.of(closing.standing(request.caller.id, closing_needs()), request.language)


@api.put(
    "/v1/me/closing", body=closing_schemas.CloseAccount, answer=closing_schemas.Closing, auth="member",
    codes=closing_schemas.CLOSING_CODES,
)  # fmt: skip
def close_account(request: Request[closing_schemas.CloseAccount, Nothing]) -> closing_schemas.Closing:
    """Close the account for good, or have it wait: then a night closes it, and the client need not call again.

    Refused while orders, refunds or debts are open. From the first call on the member earns nothing from new orders
    and places none (`MEMBER_CLOSING`), which cannot be taken back; from a minute later on (`again_at`) the night, or
    the same call, closes the account. Frozen rewards are waited for, and available money is paid with the next
    payout: unless the member gives up exactly that sum, or it cannot be paid and is set aside as unclaimed. What the
    last call gives up is kept until then; if another sum is available by now, the account waits
    (`give_up_differs`). A closed account is refused everywhere (`MEMBER_ERASED`; what only reads, until the access
    token ends), its profile and cards are deleted, and its telephone number is free. The nights after erase the
    rest; `kept` says what stays, and why. A repeat is answered
    `closed`. From the first of these nights on the person can register again.
    """
    caller, given_up = request.caller, request.body.given_up()
    found = closing.close_account(caller.id, given_up, closing_needs(), session_id=caller.session_id)
    return closing_schemas.Closing.of(found, request.language)


handler = api.handler
connect()
