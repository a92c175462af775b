"""Count an order for roles and team owners when it is paid, settled or refunded.

A qualifying order makes its buyer a distributor and fixes the buyer's team owner, and it counts the buyer for the
referrer. Facts may arrive in any order and more than once: the outcome follows the times in them. An order that
settled before its refund has counted, even if the refund arrives first.
"""

from datetime import datetime

from msgspec.structs import replace

from cardstock.network.coupons import grant_free_order, revoke_free_order
from cardstock.network.deciding import Draft, ReadPositions, below, decide_and_commit
from cardstock.network.model import Change, CountedOrder, Event, OrderFacts, Position
from cardstock.network.persons import counting_others, is_represented
from cardstock.network.plan import MAX_PROMOTE_N, Plan
from cardstock.network.ports import KnownPositions, Network, Plans, Reading
from cardstock.network.promotion import demote, promote
from cardstock.network.publishing import get_plan


def count_order(facts: OrderFacts, *, network: Network, plans: Plans) -> tuple[Event, ...]:
    """Count an order with the facts known now. Returns the promotions, demotions and coupons that this call caused; for
    an exact repeat all that the order has caused, so that a caller killed before publishing them can still do so.
    """
    plan = get_plan(facts.snapshot.plan_id, facts.snapshot.plan_version, plans=plans)
    referrer = facts.snapshot.referrer

    def rule(known: ReadPositions, reading: Reading) -> Change:
        return count(facts, reading.counted, known, plan)

    decision = decide_and_commit(
        network,
        {facts.buyer_id} if referrer is None else {facts.buyer_id, referrer.id},
        rule,
        neighbours=below,
        order_id=facts.order_id if facts.qualifying_net else None,
        plan=False,
    )
    if decision.change:
        return decision.change.events
    counted = decision.reading.counted
    return network.find_events(counted.events) if counted is not None and counted.events else ()


def count(facts: OrderFacts, counted: CountedOrder | None, known: KnownPositions, plan: Plan) -> Change:
    """The network's change for an order. `plan` is the one of its snapshot, `counted` what was counted before."""
    if facts.qualifying_net:
        return _QualifyingOrder(facts, counted or CountedOrder(facts.order_id), known, plan).count()
    # An order without qualifying lines is not stored.
    draft = Draft(known, facts.order_id)
    if facts.paid_at is not None and facts.net:
        close_binding(draft, facts, again=False)
    return Change(draft.positions(), events=tuple(draft.events))


def close_binding(draft: Draft, facts: OrderFacts, *, again: bool) -> None:
    """After the buyer's payment no binding is possible, and the newest paid order sets a provisional team owner."""
    buyer = draft[facts.buyer_id]
    owner_id = _owner_of(facts)
    # Not if equal: then this order has already set its owner.
    newer = buyer.owner_at is None or facts.placed_at > buyer.owner_at
    provisional = buyer.owner_edge == "provisional" and not buyer.is_partner
    if _sets_owner(facts, buyer) and newer and provisional and owner_id != buyer.owner:
        draft.put(replace(buyer, has_paid=True, owner=owner_id, owner_at=facts.placed_at))
        _record_owner(draft, facts, buyer, again=again)
    elif not buyer.has_paid:
        draft.put(replace(buyer, has_paid=True))


def _owner_of(facts: OrderFacts) -> str | None:
    return facts.snapshot.owner.id if facts.snapshot.owner else None


def _under_this_binding(facts: OrderFacts, buyer: Position) -> bool:
    """Whether the order was placed under the buyer's binding; one placed before it has no referrer."""
    referrer = facts.snapshot.referrer
    return (referrer.id if referrer else None) == buyer.referrer


def _sets_owner(facts: OrderFacts, buyer: Position) -> bool:
    """Whether this order may set the buyer's team owner. False if the buyer was a partner when it was placed: if
    demoted since, the buyer has the old owner back."""
    return _under_this_binding(facts, buyer) and facts.snapshot.buyer_role != "partner"


def _record_owner(draft: Draft, facts: OrderFacts, buyer: Position, *, again: bool) -> None:
    event_id = f"owner.{facts.order_id}"
    details = {"owner": _owner_of(facts), "before": buyer.owner}
    draft.add_event("owner", f"{event_id}.2" if again else event_id, buyer.id, facts.placed_at, details)


class _QualifyingOrder:
    """One count of one qualifying order: what was counted before, and the positions as they change."""

    __slots__ = ("before", "draft", "facts", "order", "plan")

    def __init__(self, facts: OrderFacts, before: CountedOrder, known: KnownPositions, plan: Plan) -> None:
        self.facts = facts
        self.plan = plan
        self.before = before
        self.draft = Draft(known, facts.order_id)
        stopped_at = facts.refunded_at if 2 * facts.qualifying_refunded > facts.qualifying_net else None
        self.order = replace(
            before,
            paid_at=_earlier(before.paid_at, facts.paid_at),
            settled_at=_earlier(before.settled_at, facts.settled_at),
            stopped_at=_earlier(before.stopped_at, stopped_at),
        )

    def count(self) -> Change:
        """The change that the facts lead to."""
        if self.order.paid_at is not None and self.facts.net:
            self._count_paid(self.order.paid_at)
        draft, order = self.draft, self.order
        if draft.events:
            order = replace(order, events=(*order.events, *[event.id for event in draft.events]))
        return Change(draft.positions(), order if order != self.before else None, tuple(draft.events))

    def _count_paid(self, paid_at: datetime) -> None:
        if self.before.paid_at is None:
            self._qualify(paid_at)
        else:
            close_binding(self.draft, self.facts, again=self._has_moved_its_buyer())
        counts_at = self._counts_at(paid_at)
        if counts_at is not None and self.order.counting == "not_yet":
            self._begin(counts_at)
        if self.order.stopped_at is not None:
            self._stop(paid_at, self.order.stopped_at)

    def _settled_at(self) -> datetime | None:
        """When the order settled; None also if the after-sale that delayed it has refunded it."""
        settled_at, stopped_at = self.order.settled_at, self.order.stopped_at
        refunded_first = settled_at is not None and stopped_at is not None and stopped_at <= settled_at
        return None if refunded_first else settled_at

    def _counts_at(self, paid_at: datetime) -> datetime | None:
        """When the order begins to count for the referrer; None: not yet, or refunded before."""
        counts_at = paid_at if self.plan.promote_on == "paid" else self._settled_at()
        stopped_at = self.order.stopped_at
        stopped_first = counts_at is not None and stopped_at is not None and counts_at > stopped_at
        return None if stopped_first else counts_at

    def _stop(self, paid_at: datetime, stopped_at: datetime) -> None:
        """More than half was refunded. If the order had settled before, a plan that keeps roles keeps this one."""
        kept = self.plan.on_refund == "keep" and self._settled_at() is not None
        qualifies = self.order.qualifying == "qualifies"
        if qualifies and not kept:
            self._disqualify(stopped_at)
        elif kept and not qualifies:
            self._qualify(paid_at)
        if self.order.counting == "counts":
            self._end(stopped_at)

    def _qualify(self, at: datetime) -> None:
        """Make the buyer a distributor, fix the buyer's owner, and close the binding as every paid order does."""
        draft, facts = self.draft, self.facts
        buyer = draft[facts.buyer_id]
        self.order = replace(self.order, qualifying="qualifies")
        qualified = replace(
            buyer,
            standing="distributor" if buyer.standing == "member" else buyer.standing,
            qualifying=buyer.qualifying + 1,
            has_paid=True,
        )
        if buyer.owner_edge == "provisional" and _under_this_binding(facts, buyer):
            qualified = self._with_fixed_owner(qualified)
        draft.put(qualified)
        if not buyer.qualifying:
            promote(draft, qualified, self.plan, at)
            grant_free_order(draft, qualified.id, self.plan, at)

    def _with_fixed_owner(self, buyer: Position) -> Position:
        facts = self.facts
        if buyer.is_partner or not _sets_owner(facts, buyer):
            return replace(buyer, owner_edge="fixed")
        owner_id = _owner_of(facts)
        if owner_id != buyer.owner:
            _record_owner(self.draft, facts, buyer, again=self._has_moved_its_buyer())
        owner_at = max(facts.placed_at, buyer.owner_at or facts.placed_at)
        return replace(buyer, owner_edge="fixed", owner=owner_id, owner_at=owner_at)

    def _has_moved_its_buyer(self) -> bool:
        """Whether the order has set an owner before. An order counted after its refund sets it twice."""
        return f"owner.{self.facts.order_id}" in self.before.events

    def _disqualify(self, at: datetime) -> None:
        """The order no longer makes its buyer a distributor."""
        draft, plan = self.draft, self.plan
        buyer = draft[self.facts.buyer_id]
        self.order = replace(self.order, qualifying="ended")
        ended = replace(buyer, qualifying=buyer.qualifying - 1)
        if not ended.qualifying:
            standing = "member" if buyer.standing == "distributor" else buyer.standing
            ended = replace(ended, standing=standing, owner_edge="provisional")
        draft.put(ended)
        if not ended.qualifying and plan.on_refund == "demote":
            demote(draft, ended, plan, at)
        revoke_free_order(draft, ended.id, plan, at)

    def _begin(self, at: datetime) -> None:
        """The order begins to count for the referrer, who may become a partner under its plan."""
        draft, plan = self.draft, self.plan
        buyer = draft[self.facts.buyer_id]
        if buyer.referrer is None or not _under_this_binding(self.facts, buyer) or not buyer.is_here(at):
            return
        self.order = replace(self.order, counting="counts")
        referrer = draft[buyer.referrer]
        if buyer.same_person:
            draft.hold(referrer.id)
        if not buyer.counting and not is_represented(buyer, referrer.id, draft):
            first = referrer.first if len(referrer.first) >= MAX_PROMOTE_N else (*referrer.first, buyer.id)
            referrer = draft.put(replace(referrer, counted=referrer.counted + 1, first=first))
        draft.put(replace(buyer, counting=buyer.counting + 1))
        promote(draft, referrer, plan, at)
        grant_free_order(draft, referrer.id, plan, at)

    def _end(self, at: datetime) -> None:
        """The order stops counting for the referrer, who may lose the partner role under its plan."""
        draft, plan = self.draft, self.plan
        self.order = replace(self.order, counting="ended")
        buyer = draft[self.facts.buyer_id]
        buyer = draft.put(replace(buyer, counting=buyer.counting - 1))
        if buyer.counting or buyer.referrer is None:
            return
        referrer = draft[buyer.referrer]
        if buyer.same_person:
            draft.hold(referrer.id)
        if is_represented(buyer, referrer.id, draft):
            self._let_another_count(buyer, referrer)
            return
        first = tuple(member_id for member_id in referrer.first if member_id != buyer.id)
        referrer = draft.put(replace(referrer, counted=referrer.counted - 1, first=first))
        if plan.on_refund == "demote" and referrer.counted < referrer.needed:
            demote(draft, referrer, plan, at)
        revoke_free_order(draft, referrer.id, plan, at)

    def _let_another_count(self, buyer: Position, referrer: Position) -> None:
        """The person still counts, by an order of another member, who takes the buyer's place."""
        others = counting_others(buyer, referrer.id, self.draft)
        if others and buyer.id in referrer.first:
            first = tuple(others[0] if member_id == buyer.id else member_id for member_id in referrer.first)
            self.draft.put(replace(referrer, first=first))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return other if one is None else one if other is None else min(one, other)
