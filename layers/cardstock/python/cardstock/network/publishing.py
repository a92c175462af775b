"""Publish plans after the compliance check, and find the version under which an order was placed."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import NOT_FOUND, SECOND_PERSON_NEEDED, STORE_BUSY, Pointer
from cardstock.ids import RequestKey, RequestResult
from cardstock.network import errors, plan_check
from cardstock.network.plan import Approval, Plan, PublishedPlan
from cardstock.network.ports import Plans
from cardstock.network.presets import DEFAULT_PLAN

_ATTEMPTS: Final = 12


def publish_plan(
    draft: Plan,
    approvals: Sequence[Approval],
    actor: str,
    *,
    plans: Plans,
    request: RequestKey | None = None,
    can_approve: Callable[[str], bool] = lambda _: True,
) -> RequestResult[PublishedPlan]:
    """Publish `draft` as the next version of its id and put it in force; orders placed before keep theirs.

    Publishing the plan in force changes nothing (`replayed`), and neither does a repeat of `request`, even if another
    plan is in force by then. `can_approve`: whether a person of the staff whom an approval names by id (`stf_...`) may
    approve what `actor` publishes; other names are not checked.

    Raises `InvalidError` APPROVAL_INVALID; `RefusedError` PLAN_REFUSED, whose fact `findings` lists each failed check
    with its clause and what would pass, and SECOND_PERSON_NEEDED; `UnavailableError` STORE_BUSY.
    """
    earlier = None if request is None else plans.find_plan_of_request(request)
    if earlier is not None:
        return RequestResult(earlier, replayed=True)
    for number, approval in enumerate(approvals):
        if not approval.by.strip() or not approval.reason.strip():
            raise errors.APPROVAL_INVALID(pointers=(Pointer(f"/approvals/{number}", "by_and_reason"),))
        if approval.by.startswith("stf_") and not can_approve(approval.by):
            raise SECOND_PERSON_NEEDED(pointers=(Pointer(f"/approvals/{number}/approver", "SECOND_PERSON"),))
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
