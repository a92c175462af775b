"""Published plans in DynamoDB.

Table `plans`: partition key `pk` (always `plan`: a brand has dozens of versions, and readers cache them), sort key
`sk` = `<plan id>#<version, eight digits>`. Written once. The version in force is also in the item `plan` of the table
`network`, so that the read for an order includes it; publishing writes both in one transaction.

| Access pattern | Key | Cost |
|---|---|---|
| a version | sk | 1 RCU, once per process |
| newest version of a plan | sk begins with the id, backwards, limit 1 | 1 RCU |
| all versions, by page | pk | 1 RCU per 4 KB |
| publish | put version if absent, put what is in force, and the request | 1 transaction of 3 items |
"""

from typing import Final

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws import requests
from cardstock.aws.items import StructAttribute, fields_of, record_of
from cardstock.aws.pages import read_page
from cardstock.aws.tables import ConditionFailedError, EpochAttribute, Table, Transaction
from cardstock.ids import RequestKey
from cardstock.network.plan import Approval, Finding, Plan, PublishedPlan, split_ref
from cardstock.network.store import PLAN_KEY, PlanInForce

_PK: Final = "plan"


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
