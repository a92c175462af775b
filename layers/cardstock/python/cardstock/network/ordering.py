"""A member's position for an order: the snapshot that the order keeps, and the hint that saves reads."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from cardstock import clock
from cardstock.network.binding import owner_through, partner_at
from cardstock.network.deciding import ReadPositions, above, plan_in
from cardstock.network.model import Person, Position, Snapshot
from cardstock.network.plan import Plan
from cardstock.network.ports import KnownPositions, Network

Hint: TypeAlias = tuple[str, ...]
"""The members whose positions an order of this member needs. A stale hint costs more reads, never correctness."""

MAX_HINT: Final = 8


class Placed(NamedTuple):
    """The buyer of an order placed now, its snapshot, and the right hint."""

    buyer: Position
    snapshot: Snapshot
    hint: Hint


def position_for_order(member_id: str, hint: Sequence[str], *, network: Network) -> Placed:
    """The buyer's place for an order placed now. The caller decides whether an erased member may place one.

    One read if `hint` is right, at most four otherwise. Until a plan is published the default plan applies.
    """
    reading = network.read_positions({member_id, *hint[:MAX_HINT]}, plan=True)
    buyer = reading.positions.get(member_id) or Position(member_id)
    known = ReadPositions(network, {**reading.positions, member_id: buyer}, above)
    snapshot = snapshot_of(buyer, known, plan_in(reading), clock.now())
    return Placed(buyer, snapshot, tuple(known.asked))


def snapshot_of(buyer: Position, known: KnownPositions, plan: Plan, at: datetime) -> Snapshot:
    """The snapshot of an order that `buyer` places `at`."""
    referrer = None if buyer.referrer is None else known[buyer.referrer]
    if buyer.owner_edge == "fixed" or buyer.is_partner:
        owner = None if buyer.owner is None else partner_at(buyer.owner, known)
    else:
        owner = None if referrer is None else owner_through(referrer, known)
    earner = referrer if referrer is not None and referrer.is_partner else owner
    peer = None if earner is None or earner.peer is None else known[earner.peer]
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


def _person(position: Position | None, buyer: Position) -> Person | None:
    """A member above the buyer for the snapshot; None if there is none or it is the buyer."""
    if position is None or position.id == buyer.id:
        return None
    return Person(position.id, position.role, position.erased)
