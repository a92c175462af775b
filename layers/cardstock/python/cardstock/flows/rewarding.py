"""The network's rules applied to an order, for the ledger. Explanations and the simulation use the same engine.

All results follow from the order's own lines and snapshot and from a published plan, none of which ever changes: the
same order always gives the same fen.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from cardstock.ledger.model import Accrual, Credit, RewardKind
from cardstock.money import Fen
from cardstock.network.model import Case, OrderFacts, OrderLine, Reward, Snapshot, WhatIf
from cardstock.network.plan import Plan
from cardstock.network.ports import Plans
from cardstock.network.publishing import get_plan
from cardstock.network.rewards import (
    awaits_settling,
    explain,
    qualifying_net,
    qualifying_refunded,
    qualifying_returned,
    rewards_for,
    taken,
    what_if,
    what_if_not_due,
)
from cardstock.orders import settling
from cardstock.orders.model import Order
from cardstock.orders.refund_amounts import cumulative_parts
from cardstock.orders.refund_model import Refund


class PlanRules:
    """The rules of published plans, applied to orders. A plan costs one read; `plans` may cache it."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    def accrual(self, order: Order) -> Accrual:
        """The rewards of `order`, credited once it is paid; no credits if nobody earns on it."""
        plan = self._plan(order)
        return Accrual(order.order_id, plan.ref, tuple(_credit(reward) for reward in _rewards(order, plan)))

    def what_if(self, order: Order) -> Mapping[RewardKind, tuple[WhatIf, ...]]:
        """What would have changed each reward of `order`, by its own rules."""
        plan, snapshot = self._plan(order), Snapshot.from_compact(order.snapshot)
        return what_if(_lines(order), snapshot, plan, buyer_id=order.member_id)

    def not_due(self, order: Order) -> tuple[tuple[Case, tuple[WhatIf, ...]], ...]:
        """The kinds of reward that `order` does not pay, by its own rules: each with the reason, and with what would
        have made it due."""
        plan, snapshot, lines = self._plan(order), Snapshot.from_compact(order.snapshot), _lines(order)
        cases = explain(lines, snapshot, plan, buyer_id=order.member_id).cases
        return tuple(
            (case, what_if_not_due(lines, snapshot, plan, case, buyer_id=order.member_id))
            for case in cases
            if case.reward is None
        )

    def opens_at(self, order: Order) -> datetime | None:
        """The end of the return window and the freeze, regardless of after-sales; None before the receipt."""
        return settling.opens_at(order, self.waits_days(order))

    def taken(self, order: Order, refunds: Sequence[Refund]) -> Mapping[str, Mapping[RewardKind, Fen]]:
        """The claw-back of each succeeded refund from each reward, by refund id."""
        rewards = _rewards(order, self._plan(order))
        return cumulative_parts(refunds, lambda some: taken(rewards, settling.returned(order, some)))

    def settles_at(self, order: Order, refunds: Sequence[Refund] = ()) -> datetime | None:
        """The end of the return window, the freeze and the after-sales; None while that is open."""
        return settling.settles_at(order, self.waits_days(order), refunds)

    def waits_days(self, order: Order) -> int:
        """Days from the receipt to the end of the return window and of the freeze."""
        return self._plan(order).waits_days

    def concerns(self, order: Order) -> bool:
        """Whether anything depends on the settling of `order`."""
        plan = self._plan(order)
        return awaits_settling(_lines(order), _rewards(order, plan), plan)

    def facts(self, order: Order, refunds: Sequence[Refund] = (), *, settled_at: datetime | None = None) -> OrderFacts:
        """The facts of `order` for the network."""
        lines = _lines(order)
        net = qualifying_net(lines)
        back, refunded_at = qualifying_returned(
            net,
            (
                (refund.succeeded_at, refund.refund_id, qualifying_refunded(lines, settling.returned(order, (refund,))))
                for refund in refunds
                if refund.status == "succeeded" and refund.succeeded_at is not None
            ),
        )
        return OrderFacts(
            order_id=order.order_id,
            buyer_id=order.member_id,
            snapshot=Snapshot.from_compact(order.snapshot),
            placed_at=order.placed_at,
            net=sum(line.net for line in lines),
            qualifying_net=net,
            paid_at=order.paid_at,
            settled_at=settled_at,
            qualifying_refunded=back,
            refunded_at=refunded_at,
        )

    def _plan(self, order: Order) -> Plan:
        snapshot = Snapshot.from_compact(order.snapshot)
        return get_plan(snapshot.plan_id, snapshot.plan_version, plans=self._plans)


def _lines(order: Order) -> list[OrderLine]:
    return [OrderLine(line.sku, line.units, line.net_fen, line.qualifying, line.earns) for line in order.lines]


def _rewards(order: Order, plan: Plan) -> tuple[Reward, ...]:
    return rewards_for(_lines(order), Snapshot.from_compact(order.snapshot), plan, buyer_id=order.member_id)


def _credit(reward: Reward) -> Credit:
    return Credit(
        reward=reward.kind,
        member_id=reward.member_id,
        role=reward.role,
        rule=reward.rule,
        rate=reward.rate.value,
        unit=reward.rate.unit,
        base=reward.base,
        full=reward.full,
        limited=reward.limited,
        amount=reward.amount,
    )
