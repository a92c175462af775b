"""Published plans in DynamoDB.

Table `plans`: partition key `pk` (`plan` for every version: a brand has dozens, and readers cache them), sort key
`sk` = `<plan id>#<version, eight digits>`. Written once. The version in force is also in the item `plan` of the table
`network`, so that the read for an order includes it; publishing writes both in one transaction.

An approval: `pk` = `approval#<digest of the rules>`, `sk` = `<check>#<person>`, so that nobody's approval is in the way
of another person's. Written once; only an expired one is replaced, by the same person's next.

| Access pattern | Key | Cost |
|---|---|---|
| a version | sk | 1 RCU, once per process |
| newest version of a plan | sk begins with the id, backwards, limit 1 | 1 RCU |
| all versions, by page | pk | 1 RCU per 4 KB |
| approve a check | digest, check and person, put if absent or expired | 1 WCU; a repeat reads it, 1 RCU |
| approvals of rules | digest | 1 RCU per 4 KB |
| publish | put version if absent, put what is in force, and the request | 1 transaction of 3 items |
"""

from typing import Final

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws import requests
from cardstock.aws.items import PrefixedAttribute, StructAttribute, fields_of, record_of
from cardstock.aws.pages import read_page
from cardstock.aws.tables import ConditionFailedError, EpochAttribute, Table, Transaction
from cardstock.ids import RequestKey
from cardstock.network.plan import Approval, Finding, Plan, PublishedPlan, StoredApproval, split_ref
from cardstock.network.store import PLAN_KEY, PlanInForce

_PK: Final = "plan"
_APPROVAL: Final = "approval#"


class PlanItem(Table):
    """One version of a plan."""

    class Meta:
        variable = "PLANS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    published_at = EpochAttribute()
    published_by = UnicodeAttribute()
    plan = StructAttribute(Plan)
    approvals = StructAttribute(tuple[Approval, ...])
    findings = StructAttribute(tuple[Finding, ...])


class PlanApprovalItem(Table):
    """One person's approval of one check of the rules with a digest."""

    class Meta:
        variable = "PLANS_TABLE"

    digest = PrefixedAttribute(_APPROVAL, hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True)
    check = UnicodeAttribute()
    by = UnicodeAttribute()
    at = EpochAttribute()
    reason = UnicodeAttribute()
    expires_at = EpochAttribute()


class DynamoPlans:
    """`network.ports.Plans`. Versions are cached after the first read, because they never change."""

    def __init__(self) -> None:
        self._kept: dict[str, PublishedPlan] = {}

    def find_plan(self, plan_id: str, version: int) -> PublishedPlan | None:
        key = _sk(plan_id, version)
        if key not in self._kept:
            item = PlanItem.find(_PK, key)
            if item is None:
                return None
            self._keep(item)
        return self._kept[key]

    def newest_version(self, plan_id: str) -> PublishedPlan | None:
        prefix = PlanItem.sk.startswith(f"{plan_id}#")
        found = PlanItem.query(_PK, prefix, scan_index_forward=False, limit=1, consistent_read=True)
        return next((self._keep(item) for item in found), None)

    def plan_in_force(self) -> PublishedPlan | None:
        item = PlanInForce.find(PLAN_KEY)
        if item is None:
            return None
        return self.find_plan(*split_ref(item.ref))

    def find_plan_of_request(self, request: RequestKey) -> PublishedPlan | None:
        ref = requests.find(request)
        if ref is None:
            return None
        return self.find_plan(*split_ref(ref))

    def save_plan(
        self, record: PublishedPlan, *, instead_of: PublishedPlan | None, request: RequestKey | None = None
    ) -> bool:
        plan = record.plan
        in_force = PlanInForce(ref=plan.ref, body=plan.to_dict())
        before = PlanInForce.pk.does_not_exist() if instead_of is None else PlanInForce.ref == instead_of.plan.ref
        try:
            with Transaction() as transaction:
                if request is not None:
                    requests.remember(transaction, request, plan.ref, record.published_at)
                item = PlanItem(_PK, _sk(plan.id, plan.version), **fields_of(record, PlanItem))
                transaction.save(item, condition=PlanItem.sk.does_not_exist())
                transaction.save(in_force, condition=before)
        except ConditionFailedError:
            return self.find_plan(plan.id, plan.version) == record
        return True

    def add_approval(self, approval: StoredApproval) -> StoredApproval:
        item = PlanApprovalItem(sk=f"{approval.check}#{approval.by}", **fields_of(approval, PlanApprovalItem))
        if item.put_if(PlanApprovalItem.sk.does_not_exist() | (PlanApprovalItem.expires_at <= approval.at)):
            return approval
        found = PlanApprovalItem.find(approval.digest, item.sk)
        return approval if found is None else record_of(StoredApproval, found)

    def find_approvals(self, digest: str) -> tuple[StoredApproval, ...]:
        found = [record_of(StoredApproval, item) for item in PlanApprovalItem.query(digest, consistent_read=True)]
        return tuple(sorted(found, key=lambda approval: (approval.at, approval.check, approval.by)))

    def list_plans(self, limit: int, after: str | None) -> tuple[tuple[PublishedPlan, ...], str | None]:
        start = None if after is None else {"pk": _PK, "sk": after}
        items, last = read_page(PlanItem.query, _PK, limit=limit, start=start)
        return tuple(self._keep(item) for item in items), last.sk if last else None

    def _keep(self, item: PlanItem) -> PublishedPlan:
        if item.sk not in self._kept:
            self._kept[item.sk] = record_of(PublishedPlan, item)
        return self._kept[item.sk]


def _sk(plan_id: str, version: int) -> str:
    return f"{plan_id}#{version:08d}"
