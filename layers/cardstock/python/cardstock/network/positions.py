"""How positions change: pure decisions on the nodes they are given.

Each function looks at a fixed number of nodes, whatever the size or depth of the network, and returns a `Change` that
an adapter writes in one transaction. What a decision needs and was not given it asks for with `UnreadError`.

    bind      referrer set once, before the first paid order, by somebody who has referred nobody: so no loop can arise.
              Proof: the edge member -> inviter is drawn while nobody points at member; a loop would need one that does.
    order     the team owner is taken in one step: the referrer if a partner, else the owner stored on the referrer;
              a demoted one is replaced by his own owner; if that is no partner either, by nobody.
    count     a qualifying order makes its buyer a distributor, and counts him for his referrer.
    promote   enough who count, and the own purchase. demote: the plan says so, and too few are left.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from cardstock.errors import (
    INVITER_BOUND,
    INVITER_HAS_REFERRED,
    INVITER_SELF,
    INVITER_TOO_LATE,
    INVITER_UNKNOWN,
    MEMBER_ERASED,
    NOT_FOUND,
    REASON_MISSING,
)
from cardstock.network.model import (
    MAX_PROMOTE_N,
    Change,
    Event,
    EventKind,
    Mark,
    Node,
    OrderFacts,
    Person,
    Plan,
    Snapshot,
    undoing_of,
)


class UnreadError(LookupError):
    """A decision needs the position of `member_id`, which it was not given."""

    def __init__(self, member_id: str) -> None:
        super().__init__(member_id)
        self.member_id = member_id


def binding(
    member: Node, inviter: Node | None, known: Mapping[str, Node], at: datetime, plan: Plan | None = None
) -> Change:
    """Bind `member` to `inviter` (`None`: nobody of that id).

    `known` holds the inviter's owner and, should he be no partner any more, that one's owner. A member who has proved
    before who he is counts from now on, as in `verification`, under `plan` (the current one). Binding to the same
    inviter again changes nothing. Raises `RefusedError`: INVITER_UNKNOWN (erased people are unknown), INVITER_SELF,
    INVITER_BOUND (another inviter already), INVITER_TOO_LATE (after the first paid order), INVITER_HAS_REFERRED,
    MEMBER_ERASED.
    """
    if inviter is not None and member.referrer == inviter.id:
        return Change()
    if member.erased:
        raise MEMBER_ERASED()
    if inviter is None or inviter.erased:
        raise INVITER_UNKNOWN()
    if inviter.id == member.id:
        raise INVITER_SELF()
    if member.referrer is not None:
        raise INVITER_BOUND()
    if member.has_paid:
        raise INVITER_TOO_LATE()
    if member.has_referred:
        raise INVITER_HAS_REFERRED()
    owner = _taken_owner(inviter, known)
    owner_id = owner.id if owner else None
    if member.partner and not member.keeps_owner:
        bound = replace(member, referrer=inviter.id, bound_at=at, peer=owner_id)
    else:
        bound = replace(member, referrer=inviter.id, bound_at=at, owner=owner_id, owner_at=at)
    # Written once: from then on the inviter is not touched by those whom he brings, however many.
    nodes = (bound,) if inviter.has_referred else (bound, replace(inviter, has_referred=True))
    details = {"referrer": inviter.id, "owner": bound.owner, "peer": bound.peer}
    events = (Event(f"bind.{member.id}", "bind", member.id, at, inviter.id, details),)
    if member.verified and plan is not None:
        counted = _one_more_verified(replace(inviter, has_referred=True), plan, at, member.id)
        return Change((bound, *counted.nodes), events=(*events, *counted.events))
    return Change(nodes, events=events)


def snapshot_of(buyer: Node, known: Mapping[str, Node], plan: Plan, at: datetime) -> Snapshot:
    """What an order of `buyer` placed `at` keeps of plan and network."""
    referrer = None if buyer.referrer is None else _of(known, buyer.referrer)
    if buyer.fixed or buyer.partner:
        owner = None if buyer.owner is None else _partner_or_next(_of(known, buyer.owner), known)
    else:
        owner = None if referrer is None else _taken_owner(referrer, known)
    earner = referrer if referrer is not None and referrer.partner else owner
    peer = None if earner is None or earner.peer is None else _of(known, earner.peer)
    lapsed = (
        plan.binding_days is not None
        and buyer.bound_at is not None
        and at > buyer.bound_at + timedelta(days=plan.binding_days)
    )
    return Snapshot(
        plan_id=plan.id,
        plan_version=plan.version,
        buyer_role=buyer.role,
        referrer=_person(referrer, buyer),
        owner=_person(owner, buyer),
        peer=_person(peer, buyer),
        lapsed=lapsed,
    )


def count(facts: OrderFacts, mark: Mark | None, known: Mapping[str, Node], plan: Plan) -> Change:
    """What the network draws from an order: paid, settled, refunded, in whatever order and however often it is told.

    `plan` is the one of the order's snapshot. The outcome for the order is that of its facts in the order in which they
    happened: an order that settled before its refund has counted, even if the refund is heard of first.
    """
    step = _Counting(facts, mark, known, plan)
    step.run()
    return step.change()


def appointment(member: Node, reason: str, actor: str, plan: Plan, at: datetime) -> Change:
    """Make `member` a partner whom no rule demotes. `plan` (the current one) says whether he leaves his owner.

    A second appointment changes nothing. Raises `RefusedError` REASON_MISSING, `NotFoundError` for an erased member.
    """
    if not reason.strip():
        raise REASON_MISSING()
    if member.erased:
        raise NOT_FOUND()
    if member.appointed:
        return Change()
    after = replace(member if member.partner else _raised(member, plan), appointed=True)
    details = {"reason": reason, "role": member.role, "owner": member.owner, "peer": member.peer}
    return Change((after,), events=(Event(f"appoint.{member.id}", "appoint", member.id, at, actor, details),))


def erasure(member: Node, at: datetime) -> Change:
    """From `at` on `member` earns nothing, does not begin to count, rises and falls no more; his place stays."""
    if member.erased:
        return Change()
    event = Event(f"erase.{member.id}", "erase", member.id, at, member.id, {"role": member.role})
    return Change((replace(member, erased_at=at),), events=(event,))


def verification(member: Node, known: Mapping[str, Node], plan: Plan, at: datetime) -> Change:
    """`member` has proved who he is, and counts as a verified referral from now on; under an `unlock` plan enough of
    them give his referrer the benefit. A second verification changes nothing."""
    if member.verified or member.erased:
        return Change()
    after = replace(member, verified=True)
    if member.referrer is None:
        return Change((after,))
    counted = _one_more_verified(_of(known, member.referrer), plan, at, member.id)
    return Change((after, *counted.nodes), events=counted.events)


def _one_more_verified(referrer: Node, plan: Plan, at: datetime, cause: str) -> Change:
    referrer = replace(referrer, verified_referrals=referrer.verified_referrals + 1)
    if plan.benefit == "unlock" and referrer.verified_referrals >= plan.benefit_n:
        return _granted(referrer, plan, at, cause) or Change((referrer,))
    return Change((referrer,))


class _Counting:
    """One run of `count`: the nodes as they change, and the events on the way."""

    __slots__ = (
        "before", "began", "changed", "ended", "events", "facts", "held", "known", "paid_at", "plan", "settled_at",
        "stopped_at",
    )  # fmt: skip

    def __init__(self, facts: OrderFacts, mark: Mark | None, known: Mapping[str, Node], plan: Plan) -> None:
        self.facts = facts
        self.plan = plan
        self.known = known
        self.changed: dict[str, Node] = {}
        self.events: list[Event] = []
        self.before = before = mark or Mark(facts.order_id)
        stopped_at = facts.refunded_at if 2 * facts.qualifying_refunded > facts.qualifying_net else None
        self.paid_at = _earlier(before.paid_at, facts.paid_at)
        self.settled_at = _earlier(before.settled_at, facts.settled_at)
        self.stopped_at = _earlier(before.stopped_at, stopped_at)
        self.held, self.began, self.ended = before.held, before.began, before.ended

    def change(self) -> Change:
        known = self.known
        nodes = tuple([node for node in self.changed.values() if node != known[node.id]])
        if not self.facts.qualifying_net:
            # An order that qualifies nobody leaves nothing to remember.
            return Change(nodes, events=tuple(self.events))
        mark = replace(
            self.before,
            paid_at=self.paid_at,
            settled_at=self.settled_at,
            stopped_at=self.stopped_at,
            held=self.held,
            began=self.began,
            ended=self.ended,
            events=(*self.before.events, *[event.id for event in self.events]),
        )
        return Change(nodes, mark if mark != self.before else None, tuple(self.events))

    def run(self) -> None:
        paid_at = self.paid_at
        if paid_at is None or not self.facts.net:
            return
        if self.facts.qualifying_net and not self.before.paid_at:
            self._hold(paid_at)
        else:
            self._close_binding()
        if not self.facts.qualifying_net:
            return
        settled_at, stopped_at = self.settled_at, self.stopped_at
        if settled_at is not None and stopped_at is not None and stopped_at <= settled_at:
            settled_at = None  # The after-sale for which it waited has given it back.
        counts_at = paid_at if self.plan.promote_on == "paid" else settled_at
        if counts_at is not None and (stopped_at is None or counts_at <= stopped_at) and not self.began:
            self._begin(counts_at)
        if stopped_at is None:
            return
        # What had settled before the refund keeps the role where the plan keeps roles.
        kept = self.plan.on_refund == "keep" and settled_at is not None
        if self.held and not kept:
            self._let_go(stopped_at)
        elif kept and not self.held:
            self._hold(paid_at)
        if self.began and not self.ended:
            self._end(stopped_at)

    def _node(self, member_id: str) -> Node:
        return self.changed[member_id] if member_id in self.changed else _of(self.known, member_id)

    def _put(self, node: Node) -> Node:
        self.changed[node.id] = node
        return node

    def _belongs(self, buyer: Node) -> bool:
        """The order was placed under the binding that holds: one placed before it stays without."""
        referrer = self.facts.snapshot.referrer
        return (referrer.id if referrer else None) == buyer.referrer

    def _tells_owner(self, buyer: Node) -> bool:
        """It tells whose team its buyer is in. Placed as a partner it does not: he may have his owner back by now."""
        return self._belongs(buyer) and self.facts.snapshot.buyer_role != "partner"

    def _close_binding(self) -> None:
        buyer = self._node(self.facts.buyer_id)
        owner = self.facts.snapshot.owner
        owner_id = owner.id if owner else None
        # Not at the same moment: then this order has told its owner already.
        newer = buyer.owner_at is None or self.facts.placed_at > buyer.owner_at
        if self._tells_owner(buyer) and newer and not buyer.fixed and not buyer.partner and owner_id != buyer.owner:
            self._put(replace(buyer, has_paid=True, owner=owner_id, owner_at=self.facts.placed_at))
            self._moved(buyer, owner_id)
        elif not buyer.has_paid:
            self._put(replace(buyer, has_paid=True))

    def _hold(self, at: datetime) -> None:
        """The order makes its buyer a distributor, fixes his owner, and closes the binding as every paid one does."""
        buyer = self._node(self.facts.buyer_id)
        rises, holding = not buyer.holding, buyer.holding + 1
        self.held = True
        if not self._belongs(buyer) or buyer.fixed:
            buyer = self._put(replace(buyer, holding=holding, has_paid=True))
        elif buyer.partner or not self._tells_owner(buyer):
            buyer = self._put(replace(buyer, holding=holding, has_paid=True, fixed=True))
        else:
            owner = self.facts.snapshot.owner
            owner_id = owner.id if owner else None
            if owner_id != buyer.owner:
                self._moved(buyer, owner_id)
            owner_at = max(self.facts.placed_at, buyer.owner_at or self.facts.placed_at)
            after = replace(buyer, holding=holding, has_paid=True, fixed=True, owner=owner_id, owner_at=owner_at)
            buyer = self._put(after)
        if rises:
            self._promote(buyer, at)
            self._grant(buyer.id, at)

    def _moved(self, buyer: Node, owner_id: str | None) -> None:
        """The order puts its buyer into another team. It does so twice where its own return was heard of too early."""
        event_id = f"owner.{self.facts.order_id}"
        again = event_id in self.before.events
        details = {"owner": owner_id, "before": buyer.owner}
        self._happen("owner", f"{event_id}.2" if again else event_id, buyer, self.facts.placed_at, details)

    def _let_go(self, at: datetime) -> None:
        """The order makes its buyer a distributor no more."""
        buyer = self._node(self.facts.buyer_id)
        self.held = False
        holding = buyer.holding - 1
        buyer = self._put(replace(buyer, holding=holding, fixed=buyer.fixed and holding > 0))
        if not buyer.holding and self.plan.on_refund == "demote":
            self._demote(buyer, at)
        self._undo_grant(buyer.id, at)

    def _begin(self, at: datetime) -> None:
        """The order begins to count for the referrer, and its plan decides whether that makes him a partner."""
        buyer = self._node(self.facts.buyer_id)
        if buyer.referrer is None or not self._belongs(buyer) or not _here(buyer, at):
            return
        referrer = self._node(buyer.referrer)
        self.began = True
        if not buyer.counting:
            first = referrer.first if len(referrer.first) >= MAX_PROMOTE_N else (*referrer.first, buyer.id)
            referrer = self._put(replace(referrer, counted=referrer.counted + 1, first=first))
        self._put(replace(buyer, counting=buyer.counting + 1))
        self._promote(referrer, at)
        self._grant(referrer.id, at)

    def _end(self, at: datetime) -> None:
        """The order stops counting for the referrer, and its plan decides whether that costs him his role."""
        buyer = self._node(self.facts.buyer_id)
        self.ended = True
        buyer = self._put(replace(buyer, counting=buyer.counting - 1))
        if buyer.counting or buyer.referrer is None:
            return
        referrer = self._node(buyer.referrer)
        first = tuple(member_id for member_id in referrer.first if member_id != buyer.id)
        referrer = self._put(replace(referrer, counted=referrer.counted - 1, first=first))
        if self.plan.on_refund == "demote" and referrer.counted < referrer.needed:
            self._demote(referrer, at)
        self._undo_grant(referrer.id, at)

    def _promote(self, node: Node, at: datetime) -> None:
        enough = 0 < self.plan.promote_n <= node.counted
        if node.partner or not node.holding or not enough or not _here(node, at):
            return
        after = self._put(replace(_raised(node, self.plan), ascents=node.ascents + 1, needed=self.plan.promote_n))
        moved = {}
        if self.plan.leave_mode == "keep_recruits":
            for member_id in node.first[: self.plan.promote_n]:
                recruit = self._node(member_id)
                if not recruit.partner and not recruit.erased and recruit.owner != node.id:
                    moved[member_id] = recruit.owner
                    # Never back: an order that told his owner later than `at` has told it.
                    self._put(replace(recruit, owner=node.id, owner_at=max(at, recruit.owner_at or at)))
        details = {"owner": node.owner, "peer": after.peer, "role": node.role, "moved": moved, "plan": self.plan.ref}
        self._happen("promote", f"promote.{node.id}.{after.ascents}", node, at, details)

    def _demote(self, node: Node, at: datetime) -> None:
        if not node.partner or node.appointed or not _here(node, at):
            return
        if node.keeps_owner:
            after = self._put(replace(node, partner=False, keeps_owner=False))
        else:
            after = self._put(replace(node, partner=False, owner=node.peer, peer=None))
        details = {"owner": after.owner, "role": after.role, "counted": node.counted, "plan": self.plan.ref}
        self._happen("demote", f"demote.{node.id}.{node.ascents}", node, at, details)

    def _grant(self, member_id: str, at: datetime) -> None:
        node = self._node(member_id)
        if self.plan.benefit == "free_order" and node.holding and node.counted >= self.plan.benefit_n:
            self._apply(_granted(node, self.plan, at, self.facts.order_id))

    def _undo_grant(self, member_id: str, at: datetime) -> None:
        """A free order is undone here; whether it is owed instead, having shipped, is for those who ship to say."""
        node = self._node(member_id)
        enough = node.holding and node.counted >= self.plan.benefit_n
        if self.plan.benefit == "free_order" and node.benefit_held and not enough:
            self._put(replace(node, benefit_held=False))
            details = {"benefit": self.plan.benefit, "counted": node.counted, "plan": self.plan.ref}
            self._happen("benefit_undone", undoing_of(node.benefit_id), node, at, details)

    def _apply(self, change: Change) -> None:
        for node in change.nodes:
            self._put(node)
        self.events.extend(change.events)

    def _happen(self, kind: EventKind, event_id: str, node: Node, at: datetime, details: Mapping[str, object]) -> None:
        self.events.append(Event(event_id, kind, node.id, at, self.facts.order_id, details))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return other if one is None else one if other is None else min(one, other)


def _raised(node: Node, plan: Plan) -> Node:
    if plan.leave_mode == "none":
        return replace(node, partner=True, keeps_owner=True)
    return replace(node, partner=True, keeps_owner=False, owner=None, peer=node.owner)


def _granted(node: Node, plan: Plan, at: datetime, cause: str) -> Change:
    """The benefit of a plan without cash: once per member, unless it was undone."""
    if node.benefit_held or not plan.benefit_n or not _here(node, at):
        return Change()
    after = replace(node, benefit_held=True, benefits=node.benefits + 1)
    details = {"benefit": plan.benefit, "plan": plan.ref}
    return Change((after,), events=(Event(after.benefit_id, "benefit", node.id, at, cause, details),))


def _here(node: Node, at: datetime) -> bool:
    return node.erased_at is None or at < node.erased_at


def _of(known: Mapping[str, Node], member_id: str) -> Node:
    node = known.get(member_id)
    if node is None:
        raise UnreadError(member_id)
    return node


def _taken_owner(referrer: Node, known: Mapping[str, Node]) -> Node | None:
    if referrer.partner:
        return referrer
    return None if referrer.owner is None else _partner_or_next(_of(known, referrer.owner), known)


def _partner_or_next(owner: Node, known: Mapping[str, Node]) -> Node | None:
    """A stored owner who was demoted since is replaced by his own owner: one step, never a second."""
    if owner.partner:
        return owner
    following = None if owner.owner is None else _of(known, owner.owner)
    return following if following is not None and following.partner else None


def _person(node: Node | None, buyer: Node) -> Person | None:
    return None if node is None or node.id == buyer.id else Person(node.id, node.role, node.erased)
