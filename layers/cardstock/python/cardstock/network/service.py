"""The referral network's services: read, let a pure rule decide, write what it decided in one transaction.

Writers compete without locks: each write holds only if what was read has not changed, else it is decided anew.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias, TypeVar

from msgspec.structs import replace

from cardstock.clock import Clock
from cardstock.errors import NOT_FOUND, STORE_BUSY, Pointer
from cardstock.ids import RequestKey
from cardstock.money import Fen
from cardstock.network import errors, positions
from cardstock.network import plan_check as guard
from cardstock.network.model import (
    Approval,
    Change,
    Event,
    Node,
    OrderFacts,
    Plan,
    PublishedPlan,
    Snapshot,
)
from cardstock.network.ports import Network, Plans
from cardstock.network.positions import UnreadError
from cardstock.network.presets import DEFAULT_PLAN

Hint: TypeAlias = tuple[str, ...]
"""Whose positions an order of this member will need. A stale one costs round trips, never correctness."""

MAX_HINT: Final = 8
_ATTEMPTS: Final = 12

Decision = TypeVar("Decision")


def registration(member_id: str, inviter_id: str, at: datetime, *, network: Network) -> Change:
    """The position of a new member bound to `inviter_id`, to be written in the transaction that creates him.

    Raises `RefusedError` (see `positions.binding`).
    """
    nodes = network.read((inviter_id,)).nodes
    inviter = nodes.get(inviter_id) or Node(inviter_id)
    return _decide(
        lambda known: positions.binding(Node(member_id), inviter, known, at),
        {},
        {**nodes, inviter_id: inviter},
        network=network,
        near=_upwards,
    )


def bind_inviter(member_id: str, inviter_id: str, *, network: Network, clock: Clock) -> Node:
    """Bind a member to the one who brought him, once. The same inviter again changes nothing.

    Both ids are members': whoever read the invite has looked. Raises `RefusedError` (see `positions.binding`).
    """
    return _write(
        member_id,
        lambda plan, known: positions.binding(_of(known, member_id), _of(known, inviter_id), known, clock.now(), plan),
        {member_id, inviter_id},
        network=network,
    )


def position(member_id: str, *, network: Network) -> Node:
    """A member's position now."""
    return _of(network.read((member_id,)).nodes, member_id)


def hint_for(member_id: str, *, network: Network, clock: Clock) -> Hint:
    """Whose positions an order of this member would need now; for the signed quote."""
    return position_for_order(member_id, (), network=network, clock=clock)[1]


def position_for_order(member_id: str, hint: Sequence[str], *, network: Network, clock: Clock) -> tuple[Snapshot, Hint]:
    """What an order placed now keeps of plan and network, and the hint that would have been right.

    One read when `hint` is right, at most four otherwise. While no plan is published the default one is in force.
    """
    reading = network.read({member_id, *hint[:MAX_HINT]}, plan=True)
    buyer = _of(reading.nodes, member_id)
    plan, now = reading.plan or DEFAULT_PLAN, clock.now()
    needed: dict[str, Node] = {}
    snapshot = _decide(
        lambda known: positions.snapshot_of(buyer, known, plan, now),
        needed,
        {**reading.nodes, member_id: buyer},
        network=network,
        near=_upwards,
    )
    return snapshot, tuple(needed)


def count_order(facts: OrderFacts, *, network: Network, plans: Plans) -> tuple[Event, ...]:
    """Draw from an order what it means for roles and edges: call it whenever it is paid, settled or refunded.

    Facts may come in any order and more than once. Answers the promotions and demotions that this call caused; to an
    exact repeat, those that the order has caused so far, so that a caller who died before announcing them still can.
    """
    plan = get_plan(facts.snapshot.plan_id, facts.snapshot.plan_version, plans=plans)
    referrer = facts.snapshot.referrer
    ids = {facts.buyer_id} if referrer is None else {facts.buyer_id, referrer.id}
    order_id = facts.order_id if facts.qualifying_net else None
    for _ in range(_ATTEMPTS):
        reading = network.read(ids, order_id=order_id)
        mark, nodes = reading.mark, reading.nodes
        decide = partial(positions.count, facts, mark, plan=plan)
        change = _decide(decide, dict(nodes), nodes, network=network, near=_downwards)
        if not change:
            return network.events(mark.events) if mark is not None and mark.events else ()
        if network.commit(change):
            return change.events
    raise STORE_BUSY()


def count_verified(member_id: str, *, network: Network, clock: Clock) -> tuple[Event, ...]:
    """A member has proved who he is: he counts as a verified referral, which may give his referrer a benefit."""
    for _ in range(_ATTEMPTS):
        reading = network.read((member_id,), plan=True)
        plan = reading.plan or DEFAULT_PLAN
        member = _of(reading.nodes, member_id)
        decide = partial(positions.verification, member, plan=plan, at=clock.now())
        change = _decide(decide, dict(reading.nodes), reading.nodes, network=network, near=_upwards)
        if not change or network.commit(change):
            return change.events
    raise STORE_BUSY()


def benefit_of(member_id: str, benefit_id: str, *, network: Network, plans: Plans) -> Fen | None:
    """What the benefit of that id takes off one order of this member; None if he has no such benefit now.

    A free order takes off the price that its plan names, an unlocked entitlement the coupon of its plan.
    """
    node = position(member_id, network=network)
    if not node.benefit_held or benefit_id != node.benefit_id:
        return None
    for event in network.events((benefit_id,)):
        plan_id, _, version = str(event.details["plan"]).rpartition("@")
        plan = get_plan(plan_id, int(version), plans=plans)
        return plan.price if plan.benefit == "free_order" else plan.benefit_coupon or None
    return None


def appoint_partner(member_id: str, reason: str, actor: str, *, network: Network, clock: Clock) -> Node:
    """Make a member a partner whom no rule demotes; `actor` and `reason` are kept. A repeat changes nothing.

    The id is a member's: the caller has looked. Raises `RefusedError` without a reason or for an erased member.
    """
    return _write(
        member_id,
        lambda plan, known: positions.appointment(_of(known, member_id), reason, actor, plan, clock.now()),
        {member_id},
        network=network,
    )


def erase_member(member_id: str, *, network: Network, clock: Clock) -> Node:
    """From now on the member earns nothing and counts nothing; his place stays so that nobody moves up."""
    return _write(
        member_id, lambda _, known: positions.erasure(_of(known, member_id), clock.now()), {member_id}, network=network
    )


def publish_plan(
    draft: Plan,
    approvals: Sequence[Approval],
    actor: str,
    *,
    plans: Plans,
    clock: Clock,
    request: RequestKey | None = None,
) -> PublishedPlan:
    """Publish `draft` as the next version of its id and put it in force; orders placed before keep theirs.

    Publishing what is in force already changes nothing, and neither does a repeat of `request`, even if another plan
    is in force by then. Raises `RefusedError` PLAN_REFUSED, whose fact `findings` lists each failed check with its
    clause and what would pass.
    """
    earlier = None if request is None else plans.published_by(request)
    if earlier is not None:
        return earlier
    for number, approval in enumerate(approvals):
        if not approval.by.strip() or not approval.reason.strip():
            raise errors.APPROVAL_INVALID(pointers=(Pointer(f"/approvals/{number}", "by_and_reason"),))
    findings = guard.check(draft, approvals)
    blocking = guard.blocks(findings)
    if blocking:
        raise errors.PLAN_REFUSED(
            checks=", ".join(finding.check for finding in blocking),
            findings=[finding.to_dict() for finding in blocking],
        )
    for _ in range(_ATTEMPTS):
        before = plans.current()
        if before is not None and before.plan == replace(draft, version=before.plan.version):
            return before
        newest = plans.latest(draft.id)
        version = newest.plan.version + 1 if newest else 1
        record = PublishedPlan(replace(draft, version=version), clock.now(), actor, tuple(approvals), findings)
        if plans.publish(record, instead_of=before, request=request):
            return record
    raise STORE_BUSY()


def get_plan(plan_id: str, version: int, *, plans: Plans) -> Plan:
    """One version, which never changes. Raises `NotFoundError`."""
    if (plan_id, version) == (DEFAULT_PLAN.id, DEFAULT_PLAN.version):
        return DEFAULT_PLAN
    record = plans.get(plan_id, version)
    if record is None:
        raise NOT_FOUND()
    return record.plan


def _decide(
    decide: Callable[[Mapping[str, Node]], Decision],
    given: dict[str, Node],
    pool: Mapping[str, Node],
    *,
    network: Network,
    near: Callable[[Node], Iterable[str | None]],
) -> Decision:
    """Ask for a decision until it has all it needs: `given` grows by what it asks for, out of `pool` or storage.

    `near` names the neighbours worth reading together with what is missing.
    """
    known = dict(pool)
    while True:
        try:
            return decide(given)
        except UnreadError as error:
            if error.member_id not in known:
                wanted = {member_id for node in known.values() for member_id in near(node) if member_id}
                wanted = (wanted | {error.member_id}) - known.keys()
                stored = network.read(wanted).nodes
                known |= {member_id: stored.get(member_id) or Node(member_id) for member_id in wanted}
            given[error.member_id] = known[error.member_id]


def _of(known: Mapping[str, Node], member_id: str) -> Node:
    """A member of whom nothing is stored is a plain member whom nobody brought."""
    return known.get(member_id) or Node(member_id)


def _upwards(node: Node) -> tuple[str | None, ...]:
    return node.owner, node.peer


def _downwards(node: Node) -> tuple[str, ...]:
    return node.first


def _write(
    member_id: str, decide: Callable[[Plan, Mapping[str, Node]], Change], ids: set[str], *, network: Network
) -> Node:
    for _ in range(_ATTEMPTS):
        reading = network.read(ids, plan=True)
        nodes, plan = reading.nodes, reading.plan or DEFAULT_PLAN
        change = _decide(partial(decide, plan), dict(nodes), nodes, network=network, near=_upwards)
        if not change or network.commit(change):
            return next(
                (node for node in change.nodes if node.id == member_id), nodes.get(member_id) or Node(member_id)
            )
    raise STORE_BUSY()
