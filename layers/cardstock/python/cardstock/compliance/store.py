"""Compliance in DynamoDB: logged purchases, holds, alarms and daily sales.

Table `compliance`, partition key `pk`, sort key `sk`; no index. Nothing is ever deleted but marks of closed accounts:
holds and alarms, and who lifted them and why, are records.

| Access pattern | pk / sk | Cost |
|---|---|---|
| log a paid order | the next three, put in one batch | 1 WCU each, 1 call |
| members whose orders had a mark, and who earned on them | `mark#payer_..` / member id | 1 read |
| forget that an erased member's orders had a mark | the same | 1 WCU |
| units that a member bought in a period | `bought#mem_..` / milliseconds and order id | 1 read |
| sales of a day | `sold#2026-11-22` / order id | 1 RCU per 40 orders |
| the hold of an order; all holds by page | `hold` / order id | 1 read |
| an alarm; all alarms by page; the newest of a head | `alarm` / `mem_...1` | 1 read |
| stopped members, and their alarms | `stop#mem_..` / `stop` | 1 read per hundred members |
| whether any member was ever stopped | `stop` / `any` | part of another read |
| sums of daily sales | `day` / `2026-11-22` | 1 read for a month |
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.models import BatchWrite

from cardstock.approving import UseOnce
from cardstock.aws.pages import read_page
from cardstock.aws.tables import ConditionFailedError, IntegerAttribute, JsonAttribute, Table, Transaction, get_together
from cardstock.clock import brand_day, to_epoch_ms
from cardstock.compliance.model import Alarm, Hold, Identity, Purchase, Sale, SalesDay
from cardstock.marks import Marker
from cardstock.members.item_store import MemberItem, member_in, members_of

if TYPE_CHECKING:
    from cardstock.members.model import Member

_MOST_BUYERS: Final = 20
"""Most members read for one mark."""
_STOP: Final = "stop"
ANY_STOP: Final = (_STOP, "any")
"""Key of a record that exists once any member was stopped: without it payouts need not ask for each member."""


class SeenMarkItem(Table):
    """A payer's or device's mark on one member's orders."""

    class Meta:
        variable = "COMPLIANCE_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    earners = JsonAttribute(attr_name="e")


class BoughtItem(Table):
    """Units that a member bought with one order."""

    class Meta:
        variable = "COMPLIANCE_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    units = IntegerAttribute(attr_name="u")


class SoldItem(Table):
    """One order among the sales of a day. `promoter`: 1 or 0."""

    class Meta:
        variable = "COMPLIANCE_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    buyer = UnicodeAttribute(attr_name="m")
    net = IntegerAttribute(attr_name="n")
    promoter = IntegerAttribute(attr_name="p")


class RecordItem(Table):
    """A hold, an alarm, the stop of a member's payouts or a day: `body` is the record as JSON."""

    class Meta:
        variable = "COMPLIANCE_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    version = IntegerAttribute(attr_name="v", default=1)
    body = JsonAttribute(attr_name="b")


_LoggedItem: TypeAlias = SeenMarkItem | BoughtItem | SoldItem


class DynamoPurchaseLog:
    """`compliance.ports.PurchaseLog`."""

    def log_purchase(self, purchase: Purchase) -> None:
        items = list(_logged_items(purchase))
        if items:
            batch: BatchWrite[Any]  # one call for the three shapes of item
            with SoldItem.batch_write() as batch:
                for item in items:
                    batch.save(item)

    def buyers_with_mark(self, mark: str) -> Mapping[str, Sequence[str]]:
        found = SeenMarkItem.query(f"mark#{mark}", limit=_MOST_BUYERS, consistent_read=True)
        return {item.sk: item.earners for item in found}

    def forget_mark(self, mark: str, buyer_id: str) -> None:
        SeenMarkItem(f"mark#{mark}", buyer_id).delete()

    def units_bought(self, buyer_id: str, since: datetime, until: datetime) -> int:
        # `~` sorts after the `#` that ends the moment.
        between = BoughtItem.sk.between(_milliseconds(since), f"{_milliseconds(until)}~")
        return sum(item.units for item in BoughtItem.query(f"bought#{buyer_id}", between, consistent_read=True))

    def sales_of_day(self, day: date) -> Iterator[Sale]:
        for item in SoldItem.query(f"sold#{day.isoformat()}", consistent_read=True):
            yield Sale(item.buyer, item.net, bool(item.promoter))


def _logged_items(purchase: Purchase) -> Iterator[_LoggedItem]:
    buyer = purchase.buyer_id
    for mark in (purchase.payer, purchase.device):
        if mark:
            yield SeenMarkItem(f"mark#{mark}", buyer, earners=list(purchase.earners))
    if purchase.net:
        moment, day = _milliseconds(purchase.paid_at), brand_day(purchase.paid_at).isoformat()
        yield BoughtItem(f"bought#{buyer}", f"{moment}#{purchase.order_id}", units=purchase.units)
        yield SoldItem(f"sold#{day}", purchase.order_id, buyer=buyer, net=purchase.net, promoter=int(purchase.promoter))


class MemberIdentities:
    """`compliance.ports.Identities` by stored members."""

    def __init__(self, marker: Marker) -> None:
        self._marker = marker

    def identities_of(self, member_ids: Iterable[str]) -> Mapping[str, Identity]:
        return {found.id: self._identity(found) for found in members_of(member_ids).values()}

    def _identity(self, member: "Member") -> Identity:
        person = member.person.id if member.person else ""
        return Identity(member.id, self._marker.of("payer", member.account), person, member.same_person)


def renew_marks(marker: Marker) -> int:
    """Store each mark that release v0.3.0 stored without a key under its keyed form; their number.

    A scan, once after an update. Safe to repeat and to interrupt.
    """
    count = 0
    old = SeenMarkItem.pk.startswith("mark#payer_") | SeenMarkItem.pk.startswith("mark#device_")
    for item in SeenMarkItem.scan(old, consistent_read=True):
        mark = marker.renew(item.pk.removeprefix("mark#"))
        SeenMarkItem(f"mark#{mark}", item.sk, earners=item.earners).put_if(SeenMarkItem.pk.does_not_exist())
        item.delete()
        count += 1
    return count


class DynamoHolds:
    """`compliance.ports.Holds`."""

    def find_hold(self, order_id: str) -> Hold | None:
        item = RecordItem.find("hold", order_id)
        return None if item is None else _hold(item)

    def save_new_hold(self, hold: Hold) -> None:
        RecordItem("hold", hold.order_id, body=msgspec.to_builtins(hold)).put_if(RecordItem.pk.does_not_exist())

    def save_lifted_hold(self, hold: Hold, use: UseOnce) -> bool:
        item = RecordItem("hold", hold.order_id, version=2, body=msgspec.to_builtins(hold))
        return _saved_with(use, item, RecordItem.version == 1)

    def list_holds(self, limit: int, after: str | None) -> tuple[Sequence[Hold], str | None]:
        items, last = _page("hold", limit, after)
        return [_hold(item) for item in items], last


class DynamoAlarms:
    """`compliance.ports.Alarms`."""

    def find_alarm(self, alarm_id: str) -> Alarm | None:
        item = RecordItem.find("alarm", alarm_id)
        return None if item is None else _alarm(item)

    def newest_alarm_of(self, head: str) -> Alarm | None:
        items = RecordItem.query("alarm", RecordItem.sk.startswith(f"{head}."), consistent_read=True)
        # By number, not by text: the tenth alarm of a head comes after the ninth.
        return max((_alarm(item) for item in items), key=lambda alarm: alarm.number, default=None)

    def save_alarm(self, alarm: Alarm, use: UseOnce | None = None) -> bool:
        before = RecordItem.version == alarm.version - 1 if alarm.version > 1 else RecordItem.pk.does_not_exist()
        item = RecordItem("alarm", alarm.id, version=alarm.version, body=msgspec.to_builtins(alarm))
        return item.put_if(before) if use is None else _saved_with(use, item, before)

    def list_alarms(self, limit: int, after: str | None) -> tuple[Sequence[Alarm], str | None]:
        items, last = _page("alarm", limit, after)
        return [_alarm(item) for item in items], last

    def stop_payouts(self, alarm_id: str, member_ids: Iterable[str]) -> None:
        wanted = list(member_ids)
        known = _stops(wanted)  # reading costs less than rewriting equal items every night
        new = [member_id for member_id in wanted if known.get(member_id) != alarm_id]
        if not new:
            return
        RecordItem(*ANY_STOP, body="").save()  # First, because stops are only read if this record exists.
        with RecordItem.batch_write() as batch:
            for member_id in new:
                batch.save(RecordItem(f"stop#{member_id}", _STOP, body=alarm_id))

    def alarms_of(self, member_ids: Iterable[str]) -> Mapping[str, str]:
        return _stops(member_ids)

    def save_sales_day(self, day: SalesDay) -> None:
        RecordItem("day", day.day.isoformat(), body=msgspec.to_builtins(day)).save()

    def closed_days(self, since: date, until: date) -> Sequence[SalesDay]:
        between = RecordItem.sk.between(since.isoformat(), until.isoformat())
        found = RecordItem.query("day", between, consistent_read=True)
        return [msgspec.convert(item.body, SalesDay) for item in found]


def holds_of(order_ids: Sequence[str]) -> Mapping[str, Hold]:
    """The holds of these orders, by order, open or lifted; one read per hundred."""
    keys = [("hold", order_id) for order_id in order_ids]
    found = map(_hold, RecordItem.batch_get(keys, consistent_read=True)) if keys else ()
    return {hold.order_id: hold for hold in found}


def stopped(member_ids: Sequence[str]) -> frozenset[str]:
    """The members whose payouts an alarm stops. One read per hundred, and one per alarm."""
    stops = _stops(member_ids)
    alarms = {alarm_id: RecordItem.find("alarm", alarm_id) for alarm_id in sorted(set(stops.values()))}
    stopping = {alarm_id for alarm_id, item in alarms.items() if item is not None and _alarm(item).stops_payouts}
    return frozenset(member_id for member_id, alarm_id in stops.items() if alarm_id in stopping)


def members_and_stopped(member_ids: Sequence[str]) -> "tuple[list[Member], frozenset[str]]":
    """The members, and the ids of those whose payouts an alarm stops. At most 99 members.

    One read until the first member is stopped; afterwards two, and one per alarm.
    """
    found = list(get_together({MemberItem: {(member_id,) for member_id in member_ids}, RecordItem: [ANY_STOP]}))
    members = [member_in(item) for item in found if isinstance(item, MemberItem)]
    return members, stopped(member_ids) if len(found) > len(members) else frozenset()


def _stops(member_ids: Iterable[str]) -> dict[str, str]:
    keys = [(f"stop#{member_id}", _STOP) for member_id in sorted(set(member_ids))]
    if not keys:
        return {}
    return {item.pk.removeprefix("stop#"): item.body for item in RecordItem.batch_get(keys, consistent_read=True)}


def _page(pk: str, limit: int, after: str | None) -> tuple[list[RecordItem], str | None]:
    start = None if after is None else {"pk": pk, "sk": after}
    items, last = read_page(RecordItem.query, pk, limit=limit, start=start, consistent_read=True)
    return items, last.sk if last else None


def _milliseconds(at: datetime) -> str:
    return f"{to_epoch_ms(at):013d}"


def _saved_with(use: UseOnce, item: RecordItem, condition: Condition) -> bool:
    """Put the item and use up a confirmation in one transaction; False if the condition does not hold."""
    try:
        with Transaction() as write:
            write.save(item, condition=condition)
            use(write)
    except ConditionFailedError:
        return False
    return True


def _hold(item: RecordItem) -> Hold:
    return msgspec.convert(item.body, Hold)


def _alarm(item: RecordItem) -> Alarm:
    return msgspec.convert(item.body, Alarm)
