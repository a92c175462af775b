"""Published plans in DynamoDB.

Table `plans`: partition key `pk` (always `plan`: a brand has dozens of versions, not thousands, and readers keep
them), sort key `sk` = `<plan id>#<version, eight digits>`. Written once. Which version is in force is told by the item
`plan` of the table `network`, where an order's one read finds it; publishing writes both in one transaction.

| Access pattern | Key | Cost |
|---|---|---|
| a version | sk | 1 RCU, once per process |
| newest version of a plan | sk begins with the id, backwards, limit 1 | 1 RCU |
| all versions, by page | pk | 1 RCU per 4 KB |
| publish | put version if absent, put what is in force, and the request | 1 transaction of 3 items |
"""

from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws import requests
from cardstock.aws.pages import read_page
from cardstock.aws.tables import ConditionFailedError, EpochAttribute, JsonAttribute, Table, Transaction
from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.ids import RequestKey
from cardstock.network.model import Approval, Finding, Plan, PublishedPlan
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
    plan = JsonAttribute()
    approvals = JsonAttribute()
    findings = JsonAttribute()


class DynamoPlans:
    """`network.ports.Plans`. Versions that were read are kept: they never change."""

    def __init__(self) -> None:
        self._kept: dict[str, PublishedPlan] = {}

    def get(self, plan_id: str, version: int) -> PublishedPlan | None:
        key = _sk(plan_id, version)
        if key not in self._kept:
            item = PlanItem.find(_PK, key)
            if item is None:
                return None
            self._keep(item)
        return self._kept[key]

    def latest(self, plan_id: str) -> PublishedPlan | None:
        prefix = PlanItem.sk.startswith(f"{plan_id}#")
        found = PlanItem.query(_PK, prefix, scan_index_forward=False, limit=1, consistent_read=True)
        return next((self._keep(item) for item in found), None)

    def current(self) -> PublishedPlan | None:
        item = PlanInForce.find(PLAN_KEY)
        if item is None:
            return None
        plan_id, _, version = item.ref.rpartition("@")
        return self.get(plan_id, int(version))

    def published_by(self, request: RequestKey) -> PublishedPlan | None:
        ref = requests.find(request)
        if ref is None:
            return None
        plan_id, _, version = ref.rpartition("@")
        return self.get(plan_id, int(version))

    def publish(
        self, record: PublishedPlan, *, instead_of: PublishedPlan | None, request: RequestKey | None = None
    ) -> bool:
        plan = record.plan
        in_force = PlanInForce(ref=plan.ref, body=plan.to_dict())
        before = PlanInForce.pk.does_not_exist() if instead_of is None else PlanInForce.ref == instead_of.plan.ref
        try:
            with Transaction() as transaction:
                if request is not None:
                    requests.remember(transaction, request, plan.ref, record.published_at)
                transaction.save(_item(record), condition=PlanItem.sk.does_not_exist())
                transaction.save(in_force, condition=before)
        except ConditionFailedError:
            return self.get(plan.id, plan.version) == record
        return True

    def page(self, limit: int, after: str | None) -> tuple[tuple[PublishedPlan, ...], str | None]:
        start = None if after is None else {"pk": _PK, "sk": after}
        items, last = read_page(PlanItem.query, _PK, limit=limit, start=start)
        return tuple(self._keep(item) for item in items), last.sk if last else None

    def _keep(self, item: PlanItem) -> PublishedPlan:
        if item.sk not in self._kept:
            self._kept[item.sk] = _record(item)
        return self._kept[item.sk]


def _sk(plan_id: str, version: int) -> str:
    return f"{plan_id}#{version:08d}"


def _item(record: PublishedPlan) -> PlanItem:
    return PlanItem(
        pk=_PK,
        sk=_sk(record.plan.id, record.plan.version),
        published_at=record.published_at,
        published_by=record.published_by,
        plan=record.plan.to_dict(),
        approvals=[_approval_data(approval) for approval in record.approvals],
        findings=[
            finding.to_dict() | {"approval": None if finding.approval is None else _approval_data(finding.approval)}
            for finding in record.findings
        ],
    )


def _record(item: PlanItem) -> PublishedPlan:
    return PublishedPlan(
        plan=Plan.from_dict(item.plan),
        published_at=item.published_at,
        published_by=item.published_by,
        approvals=tuple(_approval(data) for data in item.approvals),
        findings=tuple(
            Finding(**{**data, "approval": None if data["approval"] is None else _approval(data["approval"])})
            for data in item.findings
        ),
    )


def _approval_data(approval: Approval) -> dict[str, Any]:
    return {"check": approval.check, "by": approval.by, "at": to_epoch_ms(approval.at), "reason": approval.reason}


def _approval(data: dict[str, Any]) -> Approval:
    return Approval(data["check"], data["by"], from_epoch_ms(data["at"]), data["reason"])
