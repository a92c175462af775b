"""Approve plans, publish them after the compliance check, and find the version under which an order was placed."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import NOT_FOUND, SECOND_PERSON_NEEDED, STORE_BUSY, Pointer
from cardstock.ids import RequestKey, RequestResult
from cardstock.network import errors, plan_check
from cardstock.network.plan import APPROVAL_LIFETIME, Approval, Check, Plan, PublishedPlan, StoredApproval
from cardstock.network.ports import Plans
from cardstock.network.presets import DEFAULT_PLAN

_ATTEMPTS: Final = 12


def approve_plan(draft: Plan, check: Check, reason: str, person_id: str | None, *, plans: Plans) -> StoredApproval:
    """Approve one check that `draft` fails, as the person whose key it is, until `APPROVAL_LIFETIME` is over.

    It holds for exactly these rules under this id: another rule needs another approval. A repeat changes nothing, also
    with another reason; after it has expired it can be given again.

    Raises `InvalidError` APPROVAL_INVALID, and `RefusedError`: SECOND_PERSON_NEEDED for a caller who is no person,
    APPROVAL_NOT_NEEDED.
    """
    if person_id is None:
        raise SECOND_PERSON_NEEDED()
    if not reason.strip():
        raise errors.APPROVAL_INVALID(pointers=(Pointer("/reason", "by_and_reason"),))
    needed = {finding.check for finding in plan_check.check(draft) if finding.verdict == "needs_approval"}
    if check not in needed:
        raise errors.APPROVAL_NOT_NEEDED(check=check)
    now = clock.now()
    return plans.add_approval(StoredApproval(draft.digest, check, person_id, now, reason, now + APPROVAL_LIFETIME))


def publish_approved_plan(
    draft: Plan, actor: str, *, plans: Plans, can_approve: Callable[[str], bool], request: RequestKey | None = None
) -> RequestResult[PublishedPlan]:
    """`publish_plan` with the approvals that persons have given to the rules of `draft`.

    `can_approve`: whether a person may approve now what `actor` publishes. An approval of anybody else counts as none:
    the publisher's own, that of a person who has been deactivated since, an expired one. Raises as `publish_plan`.
    """
    now = clock.now()
    alive = [approval for approval in plans.find_approvals(draft.digest) if now < approval.expires_at]
    persons = {person for person in {approval.by for approval in alive} if can_approve(person)}
    counted: dict[Check, Approval] = {}
    for approval in alive:
        if approval.by in persons:
            counted.setdefault(approval.check, approval.to_approval())
    return publish_plan(draft, tuple(counted.values()), actor, plans=plans, request=request)


def publish_plan(
    draft: Plan,
    approvals: Sequence[Approval],
    actor: str,
    *,
    plans: Plans,
    request: RequestKey | None = None,
) -> RequestResult[PublishedPlan]:
    """Publish `draft` as the next version of its id and put it in force; orders placed before keep theirs.

    `approvals` are taken as they are: `publish_approved_plan` finds those that count. Publishing the plan in force
    changes nothing (`replayed`), and neither does a repeat of `request`, even if another plan is in force by then.

    Raises `InvalidError` APPROVAL_INVALID; `RefusedError` PLAN_REFUSED, whose fact `findings` lists each failed check
    with its clause and what would pass; `UnavailableError` STORE_BUSY.
    """
    earlier = None if request is None else plans.find_plan_of_request(request)
    if earlier is not None:
        return RequestResult(earlier, replayed=True)
    for number, approval in enumerate(approvals):
        if not approval.by.strip() or not approval.reason.strip():
            raise errors.APPROVAL_INVALID(pointers=(Pointer(f"/approvals/{number}", "by_and_reason"),))
    findings = plan_check.check(draft, approvals)
    blocking = plan_check.blocks(findings)
    if blocking:
        raise errors.PLAN_REFUSED(
            checks=", ".join(finding.check for finding in blocking),
            findings=[finding.to_dict() for finding in blocking],
        )
    for _ in range(_ATTEMPTS):
        before = plans.plan_in_force()
        if before is not None and before.plan == replace(draft, version=before.plan.version):
            return RequestResult(before, replayed=True)
        newest = plans.newest_version(draft.id)
        version = newest.plan.version + 1 if newest else 1
        record = PublishedPlan(replace(draft, version=version), clock.now(), actor, tuple(approvals), findings)
        if plans.save_plan(record, instead_of=before, request=request):
            return RequestResult(record, replayed=False)
    raise STORE_BUSY()


def get_plan(plan_id: str, version: int, *, plans: Plans) -> Plan:
    """One version, which never changes. Raises `NotFoundError`."""
    if (plan_id, version) == (DEFAULT_PLAN.id, DEFAULT_PLAN.version):
        return DEFAULT_PLAN
    record = plans.find_plan(plan_id, version)
    if record is None:
        raise NOT_FOUND()
    return record.plan
