"""What compliance needs from outside."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from cardstock.compliance.model import Alarm, Hold, Identity, Purchase, Sale, SalesDay


class PurchaseLog(Protocol):
    """What paid orders leave behind."""

    def log_purchase(self, purchase: Purchase) -> None:
        """Keep who bought, with whose money, on what device, and how much; a repeat changes nothing. One call."""

    def buyers_with_mark(self, mark: str) -> Mapping[str, Sequence[str]]:
        """Members on whose orders a mark was seen, the first few, each with those who earned on the last one."""

    def units_bought(self, buyer_id: str, since: datetime, until: datetime) -> int:
        """Units that a member bought, both ends included."""

    def sales_of_day(self, day: date) -> Iterator[Sale]:
        """Every order paid on a day of the brand."""


class Identities(Protocol):
    """Who members are."""

    def identities_of(self, member_ids: Iterable[str]) -> Mapping[str, Identity]:
        """Those of the members that exist. One call for up to a hundred."""


class Holds(Protocol):
    """Holds, by order."""

    def find_hold(self, order_id: str) -> Hold | None:
        """The hold of an order, open or lifted."""

    def save_new_hold(self, hold: Hold) -> None:
        """Store a new hold; one that the order has already stays as it is."""

    def save_lifted_hold(self, hold: Hold) -> bool:
        """Store that a hold was lifted; False if it had been lifted before."""

    def list_holds(self, limit: int, after: str | None) -> tuple[Sequence[Hold], str | None]:
        """Holds by order id, so by time, and where the next page starts (None: nowhere)."""


class Alarms(Protocol):
    """Alarms, the members whom each stops, and the sales of closed days."""

    def find_alarm(self, alarm_id: str) -> Alarm | None:
        """One alarm."""

    def newest_alarm_of(self, head: str) -> Alarm | None:
        """The newest alarm about a subtree."""

    def save_alarm(self, alarm: Alarm) -> bool:
        """Store a new alarm, or replace the one whose `version` is lower by one; False if there is another."""

    def list_alarms(self, limit: int, after: str | None) -> tuple[Sequence[Alarm], str | None]:
        """Alarms by id, and where the next page starts (None: nowhere)."""

    def stop_payouts(self, alarm_id: str, member_ids: Iterable[str]) -> None:
        """Store that these members belong to the alarm's subtree; a repeat changes nothing."""

    def save_sales_day(self, day: SalesDay) -> None:
        """Store the sales of a day; a repeat changes nothing."""

    def closed_days(self, since: date, until: date) -> Sequence[SalesDay]:
        """The stored days, both ends included, in their order."""
