"""Read positions, apply a pure rule, and write its change in one transaction.

Concurrent writers need no locks: a write succeeds only if nothing it read has changed; otherwise the rule runs again.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

import msgspec

from cardstock.errors import STORE_BUSY
from cardstock.network.model import Change, Event, EventKind, Position
from cardstock.network.plan import Plan
from cardstock.network.ports import KnownPositions, Network, Reading
from cardstock.network.presets import DEFAULT_PLAN

_ATTEMPTS: Final = 12

Neighbours: TypeAlias = Callable[[Position], Iterable[str | None]]
"""The members next to a position whom a rule may ask for."""


def above(position: Position) -> Iterable[str | None]:
    """The members to whose teams a position belongs or belonged."""
    return position.owner, position.peer


def below(position: Position) -> Iterable[str | None]:
    """The first referrals that count."""
    return position.first


class ReadPositions:
    """Positions by member id for one decision. A missing one is read when the rule asks for it, in one call with the
    `neighbours` of all known ones. A member without a stored position is a plain member without referrer.
    """

    def __init__(self, network: Network, known: Mapping[str, Position], neighbours: Neighbours) -> None:
        self._network = network
        self._known = dict(known)
        self._neighbours = neighbours
        self.asked: dict[str, Position] = {}
        """The positions that the rule asked for, in that order."""

    def __getitem__(self, member_id: str) -> Position:
        if member_id not in self._known:
            self._read(member_id)
        position = self.asked[member_id] = self._known[member_id]
        return position

    def _read(self, member_id: str) -> None:
        near = {other for position in self._known.values() for other in self._neighbours(position) if other}
        near.update(*(position.same_person for position in self._known.values()))
        missing = (near | {member_id}) - self._known.keys()
        stored = self._network.read_positions(missing).positions
        self._known |= {each: stored.get(each) or Position(each) for each in missing}


class Draft:
    """The positions of one decision as they change, and the events caused. `cause` is the order behind it."""

    __slots__ = ("cause", "changed", "events", "held", "known")

    def __init__(self, known: KnownPositions, cause: str) -> None:
        self.known = known
        self.cause = cause
        self.changed: dict[str, Position] = {}
        self.events: list[Event] = []
        self.held: set[str] = set()

    def __getitem__(self, member_id: str) -> Position:
        return self.changed[member_id] if member_id in self.changed else self.known[member_id]

    def put(self, position: Position) -> Position:
        """Replace a member's position."""
        self.changed[position.id] = position
        return position

    def hold(self, member_id: str) -> None:
        """Have the change written only if this member's position is as it was read, also if it does not change."""
        self.put(self[member_id])
        self.held.add(member_id)

    def add_event(
        self, kind: EventKind, event_id: str, member_id: str, at: datetime, details: Mapping[str, object]
    ) -> None:
        """Record an event of a member."""
        self.events.append(Event(event_id, kind, member_id, at, self.cause, details))

    def positions(self) -> tuple[Position, ...]:
        """The positions to be written."""
        known, held = self.known, self.held
        return tuple([each for each in self.changed.values() if each.id in held or each != known[each.id]])


class Decision(msgspec.Struct, frozen=True):
    """A written (or empty) change, and the reading on which it was based. `known` are the positions that the rule saw,
    some of which were read after the reading."""

    change: Change
    reading: Reading
    known: Mapping[str, Position]

    def position_of(self, member_id: str) -> Position:
        """A member's position after the decision."""
        for position in self.change.positions:
            if position.id == member_id:
                return position
        return self.known.get(member_id) or self.reading.positions.get(member_id) or Position(member_id)


Rule: TypeAlias = Callable[[ReadPositions, Reading], Change]


def decide_and_commit(
    network: Network,
    member_ids: Collection[str],
    rule: Rule,
    *,
    neighbours: Neighbours = above,
    order_id: str | None = None,
    plan: bool = True,
) -> Decision:
    """Read `member_ids` (with the counted order and the plan in force, if asked for), apply `rule`, and write.

    One read and one write without concurrent writers. Raises `UnavailableError` STORE_BUSY if they win every time.
    """
    for _ in range(_ATTEMPTS):
        reading = network.read_positions(member_ids, order_id=order_id, plan=plan)
        known = ReadPositions(network, reading.positions, neighbours)
        change = rule(known, reading)
        if not change or network.commit_change(change):
            return Decision(change, reading, known.asked)
    raise STORE_BUSY()


def plan_in(reading: Reading) -> Plan:
    """The plan in force; the default plan until one is published."""
    return reading.plan or DEFAULT_PLAN


def position_of(member_id: str, *, network: Network) -> Position:
    """A member's position now."""
    return network.read_positions((member_id,)).positions.get(member_id) or Position(member_id)
