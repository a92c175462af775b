"""Bridge for callers of the old names, until they call the verbs of each phase."""

# ruff: noqa: ARG001, PLC0414

from collections.abc import Sequence

from cardstock.ids import RequestKey
from cardstock.network import binding, coupons, ordering, promotion, publishing
from cardstock.network.counting import count_order as count_order
from cardstock.network.deciding import position_of
from cardstock.network.model import Event, Position, Snapshot
from cardstock.network.plan import Approval, Plan, PublishedPlan
from cardstock.network.ports import Network, Plans
from cardstock.network.publishing import get_plan as get_plan

position = position_of
benefit_of = coupons.coupon_value


def bind_inviter(member_id: str, inviter_id: str, *, network: Network, clock: object = None) -> Position:
    return binding.bind_inviter(member_id, inviter_id, network=network)


def hint_for(member_id: str, *, network: Network, clock: object = None) -> ordering.Hint:
    return ordering.hint_for(member_id, network=network)


def position_for_order(
    member_id: str, hint: Sequence[str], *, network: Network, clock: object = None
) -> tuple[Snapshot, ordering.Hint]:
    return ordering.position_for_order(member_id, hint, network=network)


def count_verified(member_id: str, *, network: Network, clock: object = None) -> tuple[Event, ...]:
    return coupons.count_verified(member_id, network=network)


def appoint_partner(member_id: str, reason: str, actor: str, *, network: Network, clock: object = None) -> Position:
    return promotion.appoint_partner(member_id, reason, actor, network=network)


def publish_plan(
    draft: Plan,
    approvals: Sequence[Approval],
    actor: str,
    *,
    plans: Plans,
    clock: object = None,
    request: RequestKey | None = None,
) -> PublishedPlan:
    return publishing.publish_plan(draft, approvals, actor, plans=plans, request=request)
