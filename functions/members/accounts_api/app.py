"""HTTP: one person with several accounts."""

from cardstock.aws.counters import DynamoCounts
from cardstock.aws.tables import connect
from cardstock.clock import rfc3339
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.errors import MEMBER_ERASED
from cardstock.flows import merging, parting
from cardstock.flows.joining_wiring import merge_needs, parting_needs
from cardstock.members import account_schemas as schemas
from cardstock.members import phones
from cardstock.members.merge_model import MERGE_CODES, MERGE_TRIES
from cardstock.members.schemas import JOINING_CODES, Joining
from cardstock.members.wiring import members
from cardstock.partners.wiring import callers

api = Api("accounts", callers=callers, counts=DynamoCounts)


@api.put("/v1/me/joining", answer=Joining, auth="member", codes=JOINING_CODES)
def put_joining(request: Request[Nothing, Nothing]) -> Joining:
    """Let the next account that logs in with the member's number within ten minutes join, if it has no member."""
    return Joining(rfc3339(phones.open_joining(request.caller.id, members=members())))


@api.put("/v1/me/merge-code", answer=schemas.NewMergeCode, auth="member", codes=schemas.CODE_CODES, limit=MERGE_CODES)
def put_merge_code(request: Request[Nothing, Nothing]) -> schemas.NewMergeCode:
    """Get a code with which another account of the same person merges with this one, within ten minutes.

    The person enters it while logged in on the other account (`POST /v1/me/merges`). Never pass it on to somebody else.
    """
    made = merging.new_code(request.caller.id, request.count, merge_needs())
    return schemas.NewMergeCode(made.text, rfc3339(made.stored.expires_at))


@api.post(
    "/v1/me/merges", body=schemas.MergeAccounts, answer=schemas.MergedAccounts, auth="member",
    codes=schemas.MERGE_CODES, limit=MERGE_TRIES,
)  # fmt: skip
def merge_accounts(request: Request[schemas.MergeAccounts, Nothing]) -> schemas.MergedAccounts:
    """Merge with the account that got the code: both are one person from now on. A repeat changes nothing.

    Orders, money, inviters and log-ins stay each account's own. One person counts once for a referrer, is granted one
    coupon, and gets no reward for the own orders: such a reward is held. Two verified identities cannot merge.
    """
    group = merging.merge(request.body.code, request.caller.id, request.count, merge_needs())
    return schemas.MergedAccounts.of(group, request.caller.id)


@api.get("/v1/me/merges", answer=schemas.MergedAccounts, auth="member", codes=(MEMBER_ERASED,))
def list_merged_accounts(request: Request[Nothing, Nothing]) -> schemas.MergedAccounts:
    """List the accounts that are merged with this one, and this one; nothing without a merge."""
    return schemas.MergedAccounts.of(merging.group_of(request.caller.id, merge_needs()), request.caller.id)


@api.delete("/v1/me/merges/{member_id}", status=204, auth="member", codes=schemas.PART_CODES)
def undo_merge(request: Request[Nothing, Nothing]) -> Answer:
    """Undo the merge of an account: this one, or one that is merged with it. For thirty days after its merge.

    Afterwards counts are as if they had never been one person; rewards that are held stay held. Exports
    with data of both are deleted, and links to them end. Refused once one of the
    accounts is, or was, a person of the staff.
    """
    parting.undo_merge(request.path["member_id"], request.caller.id, parting_needs())
    return Answer("", status=204)


handler = api.handler
connect()
