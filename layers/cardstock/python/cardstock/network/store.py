"""The referral network in DynamoDB.

Table `network`: partition key `pk`; no index. Four kinds of item, told apart by their key:

| Item | pk | Written |
|---|---|---|
| position of a member | `mem_..` | put, if `rev` is what was read |
| what was drawn from an order | `count.ord_..` | put, if `rev` is what was read |
| event | its id: `bind.mem_..`, `promote.mem_...1` ... | put if absent; never again |
| the plan in force | `plan` | put by publishing, if it replaces the one that was read |

| Access pattern | Cost |
|---|---|
| positions for an order, with the plan in force | 1 BatchGetItem, 1 RCU per item |
| a decision | 1 BatchGetItem, then 1 transaction (one item alone: 1 plain put) |

Positions stay below 1 KB; what they hold is stored under short names, nothing for what is empty.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition

from cardstock.aws.tables import ConditionFailedError, IntegerAttribute, JsonAttribute, Table, Transaction
from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.errors import STORE_UNAVAILABLE
from cardstock.network import service
from cardstock.network.model import Change, Event, Mark, Node, Plan
from cardstock.network.ports import Reading

PLAN_KEY: Final = "plan"
_MARK: Final = "count."


class NetworkItem(Table):
    """Any item of the table: `rev` counts its writes, `body` is what it says."""

    class Meta:
        variable = "NETWORK_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    rev = IntegerAttribute(attr_name="r")
    body = JsonAttribute(attr_name="b")


class PlanInForce(Table):
    """The plan in force, whole, so that the read of an order's positions brings it along."""

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

    def read(self, member_ids: Collection[str], *, order_id: str | None = None, plan: bool = False) -> Reading:
        keys = set(member_ids)
        if order_id is not None:
            keys.add(_MARK + order_id)
        if plan:
            keys.add(PLAN_KEY)
        nodes: dict[str, Node] = {}
        mark = current = None
        for item in NetworkItem.batch_get(keys, consistent_read=True):
            if item.pk == PLAN_KEY:
                current = self._plan(item.body)
            elif item.pk.startswith(_MARK):
                mark = _mark(item)
            else:
                nodes[item.pk] = _node(item)
        return Reading(nodes, mark, current)

    def events(self, event_ids: Collection[str]) -> tuple[Event, ...]:
        found = {item.pk: _event(item) for item in NetworkItem.batch_get(event_ids, consistent_read=True)}
        return tuple(found[event_id] for event_id in event_ids if event_id in found)

    def commit(self, change: Change) -> bool:
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
        """Checked once per version and process: a version never changes."""
        ref = f"{body['id']}@{body['version']}"
        if ref not in self._plans:
            self._plans[ref] = Plan.from_dict(body)
        return self._plans[ref]


def write(transaction: Transaction, change: Change) -> None:
    """Add `change` to somebody else's transaction, as puts. A failed condition means: read and decide again."""
    for item, condition in _items(change):
        transaction.save(item, condition=condition)


def bind_into(transaction: Transaction, member_id: str, inviter_id: str, at: datetime) -> None:
    """Add to `transaction`, which creates the member, what binds him to his inviter.

    Raises `RefusedError` by the rules of the network.
    """
    write(transaction, service.registration(member_id, inviter_id, at, network=DynamoNetwork()))


def _items(change: Change) -> list[tuple[NetworkItem, Condition]]:
    items: list[tuple[NetworkItem, Condition]] = [
        (NetworkItem(pk=event.id, rev=1, body=_event_body(event)), NetworkItem.pk.does_not_exist())
        for event in change.events
    ]
    items += [(_node_item(node), _unchanged(node.rev)) for node in change.nodes]
    if change.mark is not None:
        items.append((_mark_item(change.mark), _unchanged(change.mark.rev)))
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


# Field of a node -> its short name. Times are stored as epoch milliseconds, tuples as lists.
_NODE_NAMES: Final = {
    "referrer": "f",
    "bound_at": "ft",
    "owner": "o",
    "owner_at": "ot",
    "fixed": "x",
    "peer": "e",
    "has_referred": "h",
    "has_paid": "p",
    "partner": "P",
    "appointed": "A",
    "keeps_owner": "k",
    "ascents": "n",
    "needed": "d",
    "holding": "q",
    "counting": "c",
    "counted": "C",
    "first": "F",
    "verified": "v",
    "verified_referrals": "V",
    "benefits": "b",
    "benefit_held": "B",
    "erased_at": "z",
}
_MARK_NAMES: Final = {
    "paid_at": "p",
    "settled_at": "s",
    "stopped_at": "x",
    "held": "h",
    "began": "b",
    "ended": "e",
    "events": "E",
}
_NODE_FIELDS: Final = {short: name for name, short in _NODE_NAMES.items()}
_MARK_FIELDS: Final = {short: name for name, short in _MARK_NAMES.items()}
_TIMES: Final = frozenset({"bound_at", "owner_at", "erased_at", "paid_at", "settled_at", "stopped_at"})
_FLAGS: Final = frozenset(
    {
        "fixed",
        "has_referred",
        "has_paid",
        "partner",
        "appointed",
        "keeps_owner",
        "verified",
        "benefit_held",
        "held",
        "began",
        "ended",
    }
)
_LISTS: Final = frozenset({"first", "events"})


def _packed(thing: Node | Mark, names: Mapping[str, str]) -> dict[str, Any]:
    packed = {}
    for name, short in names.items():
        value = getattr(thing, name)
        if value:
            packed[short] = to_epoch_ms(value) if name in _TIMES else int(value) if name in _FLAGS else value
    return packed


def _unpacked(body: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    unpacked: dict[str, Any] = {}
    for short, value in body.items():
        name = fields[short]
        if name in _TIMES:
            unpacked[name] = from_epoch_ms(value)
        elif name in _FLAGS:
            unpacked[name] = bool(value)
        else:
            unpacked[name] = tuple(value) if name in _LISTS else value
    return unpacked


def _node_item(node: Node) -> NetworkItem:
    return NetworkItem(pk=node.id, rev=node.rev + 1, body=_packed(node, _NODE_NAMES))


def _node(item: NetworkItem) -> Node:
    return Node(item.pk, item.rev, **_unpacked(item.body, _NODE_FIELDS))


def _mark_item(mark: Mark) -> NetworkItem:
    return NetworkItem(pk=_MARK + mark.order_id, rev=mark.rev + 1, body=_packed(mark, _MARK_NAMES))


def _mark(item: NetworkItem) -> Mark:
    return Mark(item.pk.removeprefix(_MARK), item.rev, **_unpacked(item.body, _MARK_FIELDS))


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
