"""Whom refused refunds are paid to by hand: the payer, in the verified name."""

from datetime import date
from typing import Any

from cardstock.members.item_store import member_item
from cardstock.members.model import Member, Person
from tests.people.buyers import BUYER
from tests.people.clock import START

NAME = "张伟"
ACCOUNT = {"holder": NAME, "number": "6222 0212 3456 7894", "bank": "中国工商银行"}
MASKED = {"holder": "张*", "number": "**** 7894", "bank": "中国工商银行"}


def verify(member_id: str = BUYER, name: str = NAME) -> Member:
    """The member exists, and was verified under the name."""
    made = member_of(member_id, name)
    member_item(made).save()
    return made


def member_of(member_id: str = BUYER, name: str = NAME) -> Member:
    """A member who was verified under the name."""
    person = Person(name, "1***2", "00", date(1990, 5, 5), "dev", START)
    return Member(member_id, f"dev:app:{member_id}", START, person=person, state="verified")


def ending(outcome: str, reason: str = "letter") -> dict[str, Any]:
    """The body of a clearing of a refused refund; the account is named where money goes to one."""
    return {"outcome": outcome, "reason": reason} | ({"account": ACCOUNT} if outcome == "paid_another_way" else {})
