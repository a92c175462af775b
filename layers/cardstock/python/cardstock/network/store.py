"""The referral network in DynamoDB.

Table `network`: partition key `pk`; no index. The key tells the item's kind:

| Item | pk | Written |
|---|---|---|
| position of a member | `mem_..` | put, if `rev` is what was read |
| a counted order | `count.ord_..` | put, if `rev` is what was read |
| event | its id: `bind.mem_..`, `promote.mem_...1` ... | put if absent; never again |
| the plan in force | `plan` | put by publishing, if it replaces the one that was read |
| use of a coupon | `use.` and the id of the event that granted it | only by `orders.coupon_store` |

| Access pattern | Cost |
|---|---|
| positions for an order, with the plan in force | 1 BatchGetItem, 1 RCU per item |
| a decision | 1 BatchGetItem, then 1 transaction (one item alone: 1 plain put) |
| the binding of a log-in | in its reads and its transaction |

Positions stay below 1 KB: fields have short stored names, and defaults are not stored. A datetime, known by its type,
is stored in epoch milliseconds.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar, get_args

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition

from cardstock.aws.tables import ConditionFailedError, IntegerAttribute, JsonAttribute, Table, Transaction
from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.errors import STORE_UNAVAILABLE
from cardstock.network.binding import bind_supposing
from cardstock.network.model import Change, CountedOrder, Event, Position
from cardstock.network.plan import Plan
from cardstock.network.ports import Reading
from cardstock.network.presets import DEFAULT_PLAN

Record = TypeVar("Record", bound=msgspec.Struct)

PLAN_KEY: Final = "plan"
_MEMBER: Final = "mem_"
_COUNTED: Final = "count."


class NetworkItem(Table):
    """Any item of the table: `rev` counts its writes, `body` is its content."""

    class Meta:
        variable = "NETWORK_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    rev = IntegerAttribute(attr_name="r")
    body = JsonAttribute(attr_name="b")


class PlanInForce(Table):
    """The whole plan in force, so that the read of an order's positions includes it."""

    class Meta:
        variable = "NETWORK_TABLE"

    pk = UnicodeAttribute(hash_key=True, default=PLAN_KEY)
    rev = IntegerAttribute(attr_name="r", default=1)
    ref = UnicodeAttribute()
    body = JsonAttribute(attr_name="b")


class DynamoNetwork:
    """`network.ports.Network`."""

    def __init__(self) -> None:
        self._plans: dict[str, Plan] = {}

    def read_positions(
        self, member_ids: Collection[str], *, order_id: str | None = None, plan: bool = False
    ) -> Reading:
        keys = set(member_ids)
        if order_id is not None:
            keys.add(_COUNTED + order_id)
        if plan:
            keys.add(PLAN_KEY)
        positions: dict[str, Position] = {}
        counted = in_force = None
        for item in NetworkItem.batch_get(keys, consistent_read=True):
            if item.pk == PLAN_KEY:
                in_force = self._plan(item.body)
            elif item.pk.startswith(_COUNTED):
                counted = _counted(item)
            else:
                positions[item.pk] = _position(item)
        return Reading(positions, counted, in_force)

    def find_events(self, event_ids: Collection[str]) -> tuple[Event, ...]:
        found = {item.pk: _event(item) for item in NetworkItem.batch_get(event_ids, consistent_read=True)}
        return tuple(found[event_id] for event_id in event_ids if event_id in found)

    def commit_change(self, change: Change) -> bool:
        items = _items(change)
        if len(items) == 1:
            return _put(*items[0])
        try:
            with Transaction() as transaction:
                for item, condition in items:
                    transaction.save(item, condition=condition)
        except ConditionFailedError:
            return False
        return True

    def _plan(self, body: Mapping[str, Any]) -> Plan:
        """The plan, checked once per version and process, since a version never changes."""
        ref = f"{body['id']}@{body['version']}"
        if ref not in self._plans:
            self._plans[ref] = Plan.from_dict(body)
        return self._plans[ref]


def write(transaction: Transaction, change: Change) -> None:
    """Add `change` as puts to another area's transaction. A failed condition means: read and decide again."""
    for item, condition in _items(change):
        transaction.save(item, condition=condition)


class ReadPosition(NamedTuple):
    """A member's position as another area's store has read it with the items of `position_keys`."""

    position: Position
    plan: Mapping[str, Any] | None = None

    @property
    def referrer(self) -> str | None:
        """Who brought the member."""
        return self.position.referrer


def position_keys(member_id: str, *, plan: bool = False) -> list[tuple[str]]:
    """The keys of the items that `read_position` takes, with those of the plan in force if it is wanted."""
    return [(member_id,), (PLAN_KEY,)] if plan else [(member_id,)]


def read_position(member_id: str, items: Mapping[str, NetworkItem]) -> ReadPosition:
    """The member's position among items that were read, by their keys."""
    item, plan = items.get(member_id), items.get(PLAN_KEY)
    return ReadPosition(_position(item) if item else Position(member_id), plan.body if plan else None)


class BindingStep:
    """The binding of a member to an inviter in another area's transaction: a condition check, if any, and puts.

    No position above the inviter is read. The team owner must be a partner when the transaction is written; if that
    fails, `learn` has the owner as stored, and the next transaction supposes otherwise: two of three at most.
    """

    def __init__(self, member: ReadPosition, inviter: ReadPosition, at: datetime) -> None:
        self._member, self._inviter, self._at = member, inviter.position, at
        self._known = _Known({each.position.id: each.position for each in (member, inviter)})
        self._supposed: str | None = None

    def add_to(self, transaction: Transaction) -> int:
        """Add the step, and return the number of its condition checks. Raises `RefusedError` (see `binding`)."""
        member, plan = self._member.position, None
        if member.verified:
            plan = DEFAULT_PLAN if self._member.plan is None else Plan.from_dict(self._member.plan)
        change, self._supposed = bind_supposing(member, self._inviter, self._known, self._at, plan)
        write(transaction, change)
        if self._supposed is None:
            return 0
        transaction.condition_check(_Standing, self._supposed, condition=_IS_PARTNER, return_values="ALL_OLD")
        return 1

    def learn(self, failed: Mapping[int, Mapping[str, Any]]) -> bool:
        """Whether only the supposed owner was in the transaction's way, which then can be written once more."""
        if self._supposed is None or failed.keys() != {0}:
            return False
        stored = failed[0]
        owner = _position(NetworkItem.from_raw_data(dict(stored))) if stored else Position(self._supposed)
        self._known[self._supposed] = owner
        return True


class _Known(dict[str, Position]):
    """Positions that were read. One more is read when a rule asks for it: that of another member who is the same
    person as one of them."""

    def __missing__(self, member_id: str) -> Position:
        found = DynamoNetwork().read_positions((member_id,)).positions.get(member_id)
        self[member_id] = position = found or Position(member_id)
        return position


class _Standing(Table):
    """A position whose content stays text."""

    class Meta:
        variable = "NETWORK_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    body = UnicodeAttribute(attr_name="b")


# `_packed` and `JsonAttribute` write a standing in this form, and nothing else in it.
_IS_PARTNER: Final = _Standing.body.contains('"s":"partner"') | _Standing.body.contains('"s":"appointed_partner"')


def all_referrers() -> Iterator[tuple[str, str]]:
    """Every member with a referrer, and the referrer. A full scan: only for the nightly check."""
    short = _POSITION_NAMES["referrer"]
    for item in NetworkItem.scan(filter_condition=NetworkItem.pk.startswith(_MEMBER)):
        referrer = item.body.get(short)
        if referrer:
            yield item.pk, referrer


def _items(change: Change) -> list[tuple[NetworkItem, Condition]]:
    items: list[tuple[NetworkItem, Condition]] = [
        (NetworkItem(pk=event.id, rev=1, body=_event_body(event)), NetworkItem.pk.does_not_exist())
        for event in change.events
    ]
    items += [(_position_item(position), _unchanged(position.rev)) for position in change.positions]
    if change.counted is not None:
        items.append((_counted_item(change.counted), _unchanged(change.counted.rev)))
    return items


def _unchanged(rev: int) -> Condition:
    return NetworkItem.rev == rev if rev else NetworkItem.pk.does_not_exist()


def _put(item: NetworkItem, condition: Condition) -> bool:
    try:
        item.save(condition=condition)
    except PutError as error:
        if error.cause_response_code in ("ConditionalCheckFailedException", "TransactionConflictException"):
            return False
        raise STORE_UNAVAILABLE() from error
    return True


# Field -> its short name. `id` and `rev` are the item's own.
_POSITION_NAMES: Final = {
    "standing": "s",
    "owner_edge": "x",
    "membership": "t",
    "coupon": "B",
    "referrer": "f",
    "bound_at": "ft",
    "owner": "o",
    "owner_at": "ot",
    "peer": "e",
    "has_referred": "h",
    "has_paid": "p",
    "ascents": "n",
    "needed": "d",
    "qualifying": "q",
    "counting": "c",
    "counted": "C",
    "first": "F",
    "verified": "v",
    "verified_referrals": "V",
    "coupons": "b",
    "erased_at": "z",
    "same_person": "P",
    "coupon_elsewhere": "E",
}
_COUNTED_NAMES: Final = {
    "qualifying": "h",
    "counting": "c",
    "paid_at": "p",
    "settled_at": "s",
    "stopped_at": "x",
    "events": "E",
}
_STORED_QUALIFYING: Final = {"qualifies": "holds", "ended": "released"}
"""State -> the word that is stored for it."""
_READ_QUALIFYING: Final = {stored: state for state, stored in _STORED_QUALIFYING.items()}


def _require_names(kind: type[msgspec.Struct], own: str, names: Mapping[str, str]) -> None:
    """Raise ValueError unless each field of `kind`, but `own` and `rev`, has a short name of its own.

    A field without one would be lost without an error when the record is stored.
    """
    if {*names, own, "rev"} != set(kind.__struct_fields__) or len(set(names.values())) != len(names):
        raise ValueError(f"the short names are not those of the fields of {kind.__name__}")


_require_names(Position, "id", _POSITION_NAMES)
_require_names(CountedOrder, "order_id", _COUNTED_NAMES)


@cache
def _moments(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of type datetime."""
    return frozenset(
        field.name
        for field in msgspec.structs.fields(kind)
        if field.type is datetime or datetime in get_args(field.type)
    )


def _packed(record: msgspec.Struct, names: Mapping[str, str]) -> dict[str, Any]:
    """The fields that differ from their default, under their short names."""
    kind = type(record)
    moments, packed = _moments(kind), {}
    for field in msgspec.structs.fields(kind):
        value = getattr(record, field.name)
        if field.name in names and value != field.default:
            packed[names[field.name]] = to_epoch_ms(value) if field.name in moments else value
    return packed


def _unpacked(
    kind: type[Record], own: Mapping[str, object], names: Mapping[str, str], body: Mapping[str, Any]
) -> Record:
    """The inverse of `_packed`, with the item's `own` fields. What the types do not admit is not read."""
    moments, data = _moments(kind), dict(own)
    for name, short in names.items():
        if short in body:
            data[name] = from_epoch_ms(body[short]) if name in moments else body[short]
    return msgspec.convert(data, kind)


def _position_item(position: Position) -> NetworkItem:
    return NetworkItem(pk=position.id, rev=position.rev + 1, body=_packed(position, _POSITION_NAMES))


def _position(item: NetworkItem) -> Position:
    return _unpacked(Position, {"id": item.pk, "rev": item.rev}, _POSITION_NAMES, item.body)


def _counted_item(counted: CountedOrder) -> NetworkItem:
    body = _packed(counted, _COUNTED_NAMES)
    return NetworkItem(pk=_COUNTED + counted.order_id, rev=counted.rev + 1, body=_worded(body, _STORED_QUALIFYING))


def _counted(item: NetworkItem) -> CountedOrder:
    own = {"order_id": item.pk.removeprefix(_COUNTED), "rev": item.rev}
    return _unpacked(CountedOrder, own, _COUNTED_NAMES, _worded(item.body, _READ_QUALIFYING))


def _worded(body: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    """A counted order's fields with the other word for whether it qualifies its buyer."""
    short = _COUNTED_NAMES["qualifying"]
    return {name: words[value] if name == short else value for name, value in body.items()}


def _event_body(event: Event) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "member": event.member_id,
        "at": to_epoch_ms(event.at),
        "cause": event.cause,
        "details": dict(event.details),
    }


def _event(item: NetworkItem) -> Event:
    body = item.body
    return Event(item.pk, body["kind"], body["member"], from_epoch_ms(body["at"]), body["cause"], body["details"])
