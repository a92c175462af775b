"""The ports of the compliance area in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from msgspec.structs import replace

from cardstock.approving import UseOnce
from cardstock.clock import brand_day
from cardstock.compliance.model import Alarm, Hold, Identity, Purchase, Sale, SalesDay


class MemoryPurchaseLog:
    """`compliance.ports.PurchaseLog` in a dictionary."""

    def __init__(self) -> None:
        self.purchases: dict[str, Purchase] = {}

    def log_purchase(self, purchase: Purchase) -> None:
        self.purchases[purchase.order_id] = purchase

    def buyers_with_mark(self, mark: str) -> Mapping[str, Sequence[str]]:
        return {p.buyer_id: p.earners for p in self.purchases.values() if mark in (p.payer, p.device)}

    def forget_mark(self, mark: str, buyer_id: str) -> None:
        for order_id, p in self.purchases.items():
            if p.buyer_id == buyer_id:
                payer, device = (each if each != mark else "" for each in (p.payer, p.device))
                self.purchases[order_id] = replace(p, payer=payer, device=device)

    def units_bought(self, buyer_id: str, since: datetime, until: datetime) -> int:
        bought = (p for p in self.purchases.values() if p.buyer_id == buyer_id and since <= p.paid_at <= until)
        return sum(p.units for p in bought if p.net)

    def sales_of_day(self, day: date) -> Iterator[Sale]:
        for p in self.purchases.values():
            if p.net and brand_day(p.paid_at) == day:
                yield Sale(p.buyer_id, p.net, p.promoter)


class MemoryIdentities:
    """`compliance.ports.Identities` in a dictionary."""

    def __init__(self) -> None:
        self.people: dict[str, Identity] = {}

    def identities_of(self, member_ids: Iterable[str]) -> Mapping[str, Identity]:
        return {member_id: self.people[member_id] for member_id in member_ids if member_id in self.people}


class MemoryHolds:
    """`compliance.ports.Holds` in a dictionary."""

    def __init__(self) -> None:
        self.holds: dict[str, Hold] = {}

    def find_hold(self, order_id: str) -> Hold | None:
        return self.holds.get(order_id)

    def save_new_hold(self, hold: Hold) -> None:
        self.holds.setdefault(hold.order_id, hold)

    def save_lifted_hold(self, hold: Hold, use: UseOnce) -> bool:
        if self.holds[hold.order_id].state == "lifted":
            return False
        self.holds[hold.order_id] = hold
        return True

    def list_holds(self, limit: int, after: str | None) -> tuple[Sequence[Hold], str | None]:
        rest = [self.holds[order_id] for order_id in sorted(self.holds) if order_id > (after or "")]
        return rest[:limit], rest[limit - 1].order_id if len(rest) > limit else None


class MemoryAlarms:
    """`compliance.ports.Alarms` in dictionaries. `stopped`: member -> the alarm that stops the payouts."""

    def __init__(self) -> None:
        self.alarms: dict[str, Alarm] = {}
        self.stopped: dict[str, str] = {}
        self.closed: dict[date, SalesDay] = {}

    def find_alarm(self, alarm_id: str) -> Alarm | None:
        return self.alarms.get(alarm_id)

    def newest_alarm_of(self, head: str) -> Alarm | None:
        found = [alarm for alarm in self.alarms.values() if alarm.head == head]
        return max(found, key=lambda alarm: alarm.number, default=None)

    def save_alarm(self, alarm: Alarm, use: UseOnce | None = None) -> bool:
        known = self.alarms.get(alarm.id)
        if (known.version if known else 0) != alarm.version - 1:
            return False
        self.alarms[alarm.id] = alarm
        return True

    def list_alarms(self, limit: int, after: str | None) -> tuple[Sequence[Alarm], str | None]:
        rest = [self.alarms[alarm_id] for alarm_id in sorted(self.alarms) if alarm_id > (after or "")]
        return rest[:limit], rest[limit - 1].id if len(rest) > limit else None

    def stop_payouts(self, alarm_id: str, member_ids: Iterable[str]) -> None:
        self.stopped |= dict.fromkeys(member_ids, alarm_id)

    def alarms_of(self, member_ids: Iterable[str]) -> Mapping[str, str]:
        return {each: self.stopped[each] for each in member_ids if each in self.stopped}

    def save_sales_day(self, day: SalesDay) -> None:
        self.closed[day.day] = day

    def closed_days(self, since: date, until: date) -> Sequence[SalesDay]:
        return [self.closed[day] for day in sorted(self.closed) if since <= day <= until]
