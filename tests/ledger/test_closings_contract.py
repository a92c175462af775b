"""What every store of closed accounts guarantees, with the members' part of it: in DynamoDB and in memory."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from cardstock.ledger.closings import close_account
from cardstock.ledger.closings_store import DynamoClosings
from cardstock.ledger.model import (
    BRAND_COMMISSION,
    AccountClosing,
    Balance,
    LedgerTransaction,
    Pocket,
    Posting,
    account,
    transaction_id,
)
from cardstock.ledger.ports import Booked, Books, Closings
from cardstock.ledger.store import DynamoBooks
from cardstock.members.model import Account, Member
from cardstock.members.ports import Members
from cardstock.members.store import DynamoMembers, MemberItem
from tests.people.arrivals import register
from tests.people.clock import TestClock
from tests.people.memory_ledger import MemoryBooks, MemoryClosings
from tests.people.memory_members import MemoryMembers

CONTRACT = {Closings: (MemoryClosings, DynamoClosings)}

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


class World:
    """A member with a telephone number."""

    def __init__(self, members: Members, books: Books, closings: Closings) -> None:
        self.members, self.books, self.closings = members, books, closings
        account_ = Account("dev", "wx1", "anna")
        made = Member(f"mem_{'anna':0>26}", account_.name, NOW, phone="+8613800138000", nickname="小安")
        self.anna = register(members, made, account_)

    def credit(self, **pockets: int) -> None:
        """Money in some pockets."""
        for number, (pocket, fen) in enumerate(pockets.items()):
            name: Pocket = pocket  # type: ignore[assignment]
            cause = f"ord_{number}"
            postings = (Posting(account(self.anna.id, name), fen), Posting(BRAND_COMMISSION, -fen))
            self.books.book_transaction(LedgerTransaction(f"accrue.{cause}", "accrued", cause, NOW, postings))

    def close(self, amount: int = 0, member: Member | None = None) -> Booked:
        closing = AccountClosing(self.anna.id, NOW, "set_aside", amount, "unverified")
        step = self.members.closing_step(member or self.anna, NOW)
        return close_account(closing, step, closings=self.closings)

    def link_to_staff(self) -> None:
        if isinstance(self.members, MemoryMembers):
            self.members.members[self.anna.id] = replace(self.anna, staff_link="stf_1")
        else:
            MemberItem(id=self.anna.id).update([MemberItem.staff_link.set("stf_1")])

    @property
    def state(self) -> str:
        found = self.members.find_member(self.anna.id)
        assert found is not None
        return found.state


@pytest.fixture(params=["memory", "dynamodb"])
def world(request: pytest.FixtureRequest, clock: TestClock) -> World:
    if request.param == "memory":
        books = MemoryBooks()
        return World(MemoryMembers(), books, MemoryClosings(books))
    request.getfixturevalue("cloud")
    return World(DynamoMembers(), DynamoBooks(), DynamoClosings())


def test_an_account_without_money_is_closed_once(world: World) -> None:
    assert (world.close(), world.state) == ("booked", "erased")
    assert world.close() == "repeated"
    assert world.closings.find_closing(world.anna.id) == AccountClosing(
        world.anna.id, NOW, "set_aside", 0, "unverified"
    )
    assert world.members.find_member_by_phone("+8613800138000") is None


def test_available_money_leaves_the_account_with_its_closing(world: World) -> None:
    world.credit(available=700)

    assert (world.close(700), world.close(700)) == ("booked", "repeated")
    assert world.books.balance_of(world.anna.id) == Balance(world.anna.id)
    assert world.books.find_transaction(transaction_id("set_aside", world.anna.id)) is not None


@pytest.mark.parametrize("pockets", [
    {"available": 700}, {"available": -1}, {"frozen": 1}, {"paying": 1}, {"available": 699, "frozen": 1},
])  # fmt: skip
@pytest.mark.parametrize("amount", [0, 699])
def test_other_money_keeps_the_account(amount: int, pockets: dict[str, int], world: World) -> None:
    world.credit(**pockets)

    assert (world.close(amount), world.state) == ("outdated", "registered")
    assert world.closings.find_closing(world.anna.id) is None
    assert world.books.find_transaction(transaction_id("set_aside", world.anna.id)) is None


def test_money_that_was_paid_out_does_not_keep_it(world: World) -> None:
    world.credit(paid=500, withheld=20)

    assert world.close() == "booked"


def test_a_member_who_has_changed_keeps_the_account_and_its_money(world: World) -> None:
    world.credit(available=700)

    assert world.close(700, replace(world.anna, phone="")) == "outdated"
    world.link_to_staff()
    assert world.close(700) == "outdated"
    assert world.books.balance_of(world.anna.id).available == 700
    assert world.state == "registered"
