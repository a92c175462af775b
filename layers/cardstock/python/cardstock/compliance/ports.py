"""What compliance needs from outside."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from cardstock.approving import UseOnce
from cardstock.compliance.model import Alarm, Hold, Identity, Purchase, Sale, SalesDay


class PurchaseLog(Protocol):
    """The log of paid orders."""

    def log_purchase(self, purchase: Purchase) -> None:
        """Log buyer, payer, device and units; a repeat changes nothing. One call."""

    def buyers_with_mark(self, mark: str) -> Mapping[str, Sequence[str]]:
        """Members whose orders had this mark, the first few, each with those who earned on the last of these orders."""

    def forget_mark(self, mark: str, buyer_id: str) -> None:
        """Forget that the member's orders had the mark. A repeat changes nothing."""

    def units_bought(self, buyer_id: str, since: datetime, until: datetime) -> int:
        """Units that a member bought from `since` until `until`, both included."""

    def sales_of_day(self, day: date) -> Iterator[Sale]:
        """Every order paid on one of the brand's days."""


class Identities(Protocol):
    """Identities of members."""

    def identities_of(self, member_ids: Iterable[str]) -> Mapping[str, Identity]:
        """The identities of those members that exist. One call for up to a hundred."""


class Holds(Protocol):
    """Holds, by order."""

    def find_hold(self, order_id: str) -> Hold | None:
        """The hold of an order, open or lifted; None without one."""

    def save_new_hold(self, hold: Hold) -> None:
        """Store a new hold, unless the order has one."""

    def save_lifted_hold(self, hold: Hold, use: UseOnce) -> bool:
        """Store that a hold was lifted, with the use of the phone's yes; False if it had been lifted before."""

    def list_holds(self, limit: int, after: str | None) -> tuple[Sequence[Hold], str | None]:
        """Holds by order id, so by time, and the start of the next page (None after the last)."""


class Alarms(Protocol):
    """Alarms, the members whom each stops, and the sales of closed days."""

    def find_alarm(self, alarm_id: str) -> Alarm | None:
        """The alarm of an id; None if there is none."""

    def newest_alarm_of(self, head: str) -> Alarm | None:
        """The newest alarm about a head's subtree; None without one."""

    def save_alarm(self, alarm: Alarm, use: UseOnce | None = None) -> bool:
        """Store a new alarm, or replace the one whose `version` is lower by one, with the use of the phone's
        confirmation if there is one; False if another was stored."""

    def list_alarms(self, limit: int, after: str | None) -> tuple[Sequence[Alarm], str | None]:
        """Alarms by id, and the start of the next page (None after the last)."""

    def stop_payouts(self, alarm_id: str, member_ids: Iterable[str]) -> None:
        """Store that these members belong to the alarm's subtree; a repeat changes nothing."""

    def alarms_of(self, member_ids: Iterable[str]) -> Mapping[str, str]:
        """The alarms to whose subtrees these members belong, by member; a lifted alarm too. One call for a hundred."""

    def save_sales_day(self, day: SalesDay) -> None:
        """Store the sales of a day; a repeat changes nothing."""

    def closed_days(self, since: date, until: date) -> Sequence[SalesDay]:
        """The stored days from `since` until `until`, both included, sorted."""
