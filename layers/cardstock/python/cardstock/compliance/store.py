"""What the compliance guard notes and stops, in DynamoDB.

Table `compliance`, partition key `pk`, sort key `sk`; no index. Nothing is ever deleted: what was stopped, by whom it
was lifted and why is a record.

| Access pattern | pk / sk | Cost |
|---|---|---|
| note a paid order | the three next, put in one batch | 1 WCU each, 1 call |
| on whose orders a mark was seen, and who earned on them | `mark#payer_..` / member id | 1 read |
| units that a member bought in a time | `bought#mem_..` / milliseconds and order id | 1 read |
| sales of a day | `sold#2026-11-22` / order id | 1 RCU per 40 orders |
| the hold of an order; all holds by page | `hold` / order id | 1 read |
| an alarm; all alarms by page; the newest of a head | `alarm` / `mem_...1` | 1 read |
| who is stopped, and by which alarm | `stop#mem_..` / `stop` | 1 read per hundred members |
| whether anybody ever was | `stop` / `any` | part of another read |
| sales of days, added up | `day` / `2026-11-22` | 1 read for a month |
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.pages import read_page
from cardstock.aws.tables import IntegerAttribute, JsonAttribute, Table, get_together
from cardstock.clock import brand_day, from_epoch_ms, to_epoch_ms
from cardstock.compliance.model import Alarm, Hold, Identity, Purchase, SoldDay, mark
from cardstock.members.store import MemberItem, member_in, members_of
from cardstock.network.store import NetworkItem

if TYPE_CHECKING:
    from cardstock.members.model import Member

_USERS_LOOKED_AT: Final = 20
_STOP: Final = "stop"
ANY_STOP: Final = (_STOP, "any")
"""The key of the record that is there once anybody was ever stopped: who pays need not ask for each one before."""


class TraceItem(Table):
    """What a paid order leaves behind. Which attributes there are depends on the key."""

    class Meta:
        variable = "COMPLIANCE_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    earners = JsonAttribute(attr_name="e", null=True)
    units = IntegerAttribute(attr_name="u", null=True)
    buyer = UnicodeAttribute(attr_name="m", null=True)
    net = IntegerAttribute(attr_name="n", null=True)
    promoter = IntegerAttribute(attr_name="p", null=True)


class RecordItem(Table):
    """A hold, an alarm, a stopped member or a day: `body` is what it says."""

    class Meta:
        variable = "COMPLIANCE_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    version = IntegerAttribute(attr_name="v", default=1)
    body = JsonAttribute(attr_name="b")


class DynamoTraces:
    """`compliance.ports.Traces`."""

    def note(self, purchase: Purchase) -> None:
        day = brand_day(purchase.paid_at)
        buyer = purchase.buyer_id
        rows = [
            TraceItem(f"mark#{seen}", buyer, earners=list(purchase.earners))
            for seen in (purchase.payer, purchase.device)
            if seen
        ]
        if purchase.net:
            moment = _milliseconds(purchase.paid_at)
            rows += [
                TraceItem(f"bought#{buyer}", f"{moment}#{purchase.order_id}", units=purchase.units),
                TraceItem(
                    _sold(day), purchase.order_id, buyer=buyer, net=purchase.net, promoter=int(purchase.promoter)
                ),
            ]
        if rows:
            with TraceItem.batch_write() as batch:
                for row in rows:
                    batch.save(row)

    def users(self, mark: str) -> Mapping[str, Sequence[str]]:
        found = TraceItem.query(f"mark#{mark}", limit=_USERS_LOOKED_AT, consistent_read=True)
        return {item.sk: item.earners or () for item in found}

    def units(self, buyer_id: str, since: datetime, until: datetime) -> int:
        # `~` sorts after the `#` that ends the moment.
        between = TraceItem.sk.between(_milliseconds(since), f"{_milliseconds(until)}~")
        return sum(item.units or 0 for item in TraceItem.query(f"bought#{buyer_id}", between, consistent_read=True))

    def sold(self, day: date) -> Iterator[tuple[str, int, bool]]:
        for item in TraceItem.query(_sold(day), consistent_read=True):
            yield item.buyer or "", item.net or 0, bool(item.promoter)


def identities(member_ids: Iterable[str]) -> Mapping[str, Identity]:
    """`compliance.ports.Identities`: the account that a member came with, and whom he was verified as."""
    return {
        found.id: Identity(found.id, mark("payer", found.account), found.person.id if found.person else "")
        for found in members_of(member_ids).values()
    }


class DynamoHolds:
    """`compliance.ports.Holds`."""

    def find(self, order_id: str) -> Hold | None:
        item = RecordItem.find("hold", order_id)
        return None if item is None else _hold(item)

    def put(self, hold: Hold) -> None:
        RecordItem("hold", hold.order_id, body=_hold_body(hold)).put_if(RecordItem.pk.does_not_exist())

    def lift(self, hold: Hold) -> bool:
        return RecordItem("hold", hold.order_id, version=2, body=_hold_body(hold)).put_if(RecordItem.version == 1)

    def page(self, limit: int, after: str | None) -> tuple[Sequence[Hold], str | None]:
        items, last = _page("hold", limit, after)
        return [_hold(item) for item in items], last


class DynamoAlarms:
    """`compliance.ports.Alarms`."""

    def find(self, alarm_id: str) -> Alarm | None:
        item = RecordItem.find("alarm", alarm_id)
        return None if item is None else _alarm(item)

    def of_head(self, head: str) -> Alarm | None:
        # Numbers, not texts: the tenth alarm of a head comes after the ninth.
        items = RecordItem.query("alarm", RecordItem.sk.startswith(f"{head}."), consistent_read=True)
        newest = max(items, key=lambda item: int(item.sk.rpartition(".")[2]), default=None)
        return None if newest is None else _alarm(newest)

    def put(self, alarm: Alarm) -> bool:
        before = RecordItem.version == alarm.version - 1 if alarm.version > 1 else RecordItem.pk.does_not_exist()
        return RecordItem("alarm", alarm.id, version=alarm.version, body=_alarm_body(alarm)).put_if(before)

    def page(self, limit: int, after: str | None) -> tuple[Sequence[Alarm], str | None]:
        items, last = _page("alarm", limit, after)
        return [_alarm(item) for item in items], last

    def stop(self, alarm_id: str, member_ids: Iterable[str]) -> None:
        wanted = list(member_ids)
        known = _stops(wanted)  # a read costs less than writing again what stays the same every night
        new = [member_id for member_id in wanted if known.get(member_id) != alarm_id]
        if not new:
            return
        RecordItem(*ANY_STOP, body="").save()  # First: a stop that nobody asks for stops nothing.
        with RecordItem.batch_write() as batch:
            for member_id in new:
                batch.save(RecordItem(f"stop#{member_id}", _STOP, body=alarm_id))

    def keep_day(self, day: SoldDay) -> None:
        RecordItem("day", day.day.isoformat(), body=[day.sales, day.outside]).save()

    def days(self, since: date, until: date) -> Sequence[SoldDay]:
        between = RecordItem.sk.between(since.isoformat(), until.isoformat())
        found = RecordItem.query("day", between, consistent_read=True)
        return [SoldDay(date.fromisoformat(item.sk), *item.body) for item in found]


def stopped(member_ids: Sequence[str]) -> frozenset[str]:
    """Those of the members whose payouts an open alarm stops. One read per hundred, and one per alarm."""
    stops = _stops(member_ids)
    alarms = {alarm_id: RecordItem.find("alarm", alarm_id) for alarm_id in sorted(set(stops.values()))}
    open_now = {alarm_id for alarm_id, item in alarms.items() if item is not None and _alarm(item).open}
    return frozenset(member_id for member_id, alarm_id in stops.items() if alarm_id in open_now)


def members_and_stopped(member_ids: Sequence[str]) -> "tuple[list[Member], frozenset[str]]":
    """The members, and the ids of those whose payouts an open alarm stops. At most 99 members.

    One read, as long as no member was ever stopped; afterwards two, and one per alarm.
    """
    found = list(get_together({MemberItem: {(member_id,) for member_id in member_ids}, RecordItem: [ANY_STOP]}))
    members = [member_in(item) for item in found if isinstance(item, MemberItem)]
    return members, stopped(member_ids) if len(found) > len(members) else frozenset()


def referrers() -> Iterator[tuple[str, str]]:
    """Every member whom somebody brought, and who did. A scan: for the nightly look alone."""
    for item in NetworkItem.scan(filter_condition=NetworkItem.pk.startswith("mem_")):
        referrer = item.body.get("f")
        if referrer:
            yield item.pk, referrer


def _stops(member_ids: Iterable[str]) -> dict[str, str]:
    keys = [(f"stop#{member_id}", _STOP) for member_id in sorted(set(member_ids))]
    if not keys:
        return {}
    return {item.pk.removeprefix("stop#"): item.body for item in RecordItem.batch_get(keys, consistent_read=True)}


def _page(pk: str, limit: int, after: str | None) -> tuple[list[RecordItem], str | None]:
    start = None if after is None else {"pk": pk, "sk": after}
    items, last = read_page(RecordItem.query, pk, limit=limit, start=start, consistent_read=True)
    return items, last.sk if last else None


def _sold(day: date) -> str:
    return f"sold#{day.isoformat()}"


def _milliseconds(at: datetime) -> str:
    return f"{to_epoch_ms(at):013d}"


def _hold_body(hold: Hold) -> dict[str, Any]:
    body: dict[str, Any] = {"reasons": list(hold.reasons), "members": list(hold.members), "at": to_epoch_ms(hold.at)}
    if hold.lifted_at is not None:
        body["lifted"] = [hold.lifted_by, to_epoch_ms(hold.lifted_at), hold.lifted_why]
    return body


def _hold(item: RecordItem) -> Hold:
    body = item.body
    by, at, why = body.get("lifted") or ("", None, "")
    return Hold(
        order_id=item.sk,
        reasons=tuple(body["reasons"]),
        members=tuple(body["members"]),
        at=from_epoch_ms(body["at"]),
        lifted_by=by,
        lifted_at=None if at is None else from_epoch_ms(at),
        lifted_why=why,
    )


def _alarm_body(alarm: Alarm) -> dict[str, Any]:
    body: dict[str, Any] = {
        "head": alarm.head,
        "figures": [alarm.people, alarm.levels, alarm.earning],
        "at": to_epoch_ms(alarm.at),
    }
    if alarm.asked_at is not None:
        body["asked"] = [alarm.asked_by, to_epoch_ms(alarm.asked_at), alarm.asked_why]
    if alarm.lifted_at is not None:
        body["lifted"] = [alarm.lifted_by, to_epoch_ms(alarm.lifted_at), alarm.lifted_why]
    return body


def _alarm(item: RecordItem) -> Alarm:
    body = item.body
    asked_by, asked_at, asked_why = body.get("asked") or ("", None, "")
    lifted_by, lifted_at, lifted_why = body.get("lifted") or ("", None, "")
    people, levels, earning = body["figures"]
    return Alarm(
        id=item.sk,
        head=body["head"],
        people=people,
        levels=levels,
        earning=earning,
        at=from_epoch_ms(body["at"]),
        asked_by=asked_by,
        asked_at=None if asked_at is None else from_epoch_ms(asked_at),
        asked_why=asked_why,
        lifted_by=lifted_by,
        lifted_at=None if lifted_at is None else from_epoch_ms(lifted_at),
        lifted_why=lifted_why,
        version=item.version,
    )
