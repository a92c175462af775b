"""What the compliance guard needs from a store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from cardstock.compliance.model import Alarm, Hold, Identity, Purchase, SoldDay


class Traces(Protocol):
    """What paid orders leave behind."""

    def note(self, purchase: Purchase) -> None:
        """Keep who bought, with whose money, on what device, and how much; the same again changes nothing. One call."""

    def users(self, mark: str) -> Mapping[str, Sequence[str]]:
        """Members on whose orders a mark was seen, the first few, each with those who earned on his last one."""

    def units(self, buyer_id: str, since: datetime, until: datetime) -> int:
        """Units that a member bought, both ends included."""

    def sold(self, day: date) -> Iterator[tuple[str, int, bool]]:
        """Buyer, fen and whether he was a promoter, of every order paid on a day of the brand."""


class Identities(Protocol):
    """Who members are."""

    def __call__(self, member_ids: Iterable[str], /) -> Mapping[str, Identity]:
        """Those of them that exist. One call for up to a hundred."""


class Holds(Protocol):
    """Holds, by order."""

    def find(self, order_id: str) -> Hold | None:
        """The hold of an order, open or lifted."""

    def put(self, hold: Hold) -> None:
        """Keep a new one; the one that an order has stays as it is."""

    def lift(self, hold: Hold) -> bool:
        """Keep that it was lifted; False if it had been lifted before."""

    def page(self, limit: int, after: str | None) -> tuple[Sequence[Hold], str | None]:
        """Holds by order id, so by time, and where the next page starts (None: nowhere)."""


class Alarms(Protocol):
    """Alarms, who is stopped by which, and the days' sales."""

    def find(self, alarm_id: str) -> Alarm | None:
        """One alarm."""

    def of_head(self, head: str) -> Alarm | None:
        """The newest alarm about a subtree."""

    def put(self, alarm: Alarm) -> bool:
        """Keep a new alarm, or replace the one whose `version` is lower by one; False if there is another."""

    def page(self, limit: int, after: str | None) -> tuple[Sequence[Alarm], str | None]:
        """Alarms by id, and where the next page starts (None: nowhere)."""

    def stop(self, alarm_id: str, member_ids: Iterable[str]) -> None:
        """Note that these members belong to the alarm's subtree; the same again changes nothing."""

    def keep_day(self, day: SoldDay) -> None:
        """Keep the sales of a day; the same again changes nothing."""

    def days(self, since: date, until: date) -> Sequence[SoldDay]:
        """The days kept, both ends included, in their order."""
