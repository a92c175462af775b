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
from cardstock.members.closing_model import ClosingRequest, GiveUp
from cardstock.members.closing_store import DynamoClosingRequests
from cardstock.members.item_store import MemberItem
from cardstock.members.model import Account, Member
from cardstock.members.ports import ClosingRequests, Members
from cardstock.members.store import DynamoMembers
from tests.people.arrivals import register
from tests.people.clock import TestClock
from tests.people.memory_ledger import MemoryBooks, MemoryClosings
from tests.people.memory_members import MemoryClosingRequests, MemoryMembers

CONTRACT = {
    Closings: (MemoryClosings, DynamoClosings),
    ClosingRequests: (MemoryClosingRequests, DynamoClosingRequests),
}

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


class World:
    """A member with a telephone number."""

    def __init__(self, members: Members, requests: ClosingRequests, books: Books, closings: Closings) -> None:
        self.members, self.requests, self.books, self.closings = members, requests, books, closings
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

    def ask(self, give_up: GiveUp | None = None, at: datetime = NOW) -> ClosingRequest:
        request = ClosingRequest(self.anna.id, at, give_up)
        assert self.members.begin_closing(request)
        return request

    def close(self, amount: int = 0, member: Member | None = None, request: ClosingRequest | None = None) -> Booked:
        closing = AccountClosing(self.anna.id, NOW, "set_aside", amount, "unverified")
        step = self.members.closing_step(member or self.anna, NOW, request=request)
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
        books, members = MemoryBooks(), MemoryMembers()
        return World(members, MemoryClosingRequests(members), books, MemoryClosings(books))
    request.getfixturevalue("cloud")
    return World(DynamoMembers(), DynamoClosingRequests(), DynamoBooks(), DynamoClosings())


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


GIVEN_UP = GiveUp(700, "我放弃这笔余额")


def test_a_request_waits_with_the_last_word_until_the_account_is_closed(world: World) -> None:
    before = (world.requests.waiting_members(), world.requests.find_request(world.anna.id))
    world.ask()
    first = world.requests.find_request(world.anna.id)
    last = world.ask(GIVEN_UP)
    found = world.requests.find_request(world.anna.id)
    member = world.members.find_member(world.anna.id)

    assert before == ([], None)
    assert first == ClosingRequest(world.anna.id, NOW)
    assert found == last == ClosingRequest(world.anna.id, NOW, GIVEN_UP)
    assert member is not None
    assert member.closing_at == NOW
    assert list(world.requests.waiting_members()) == [world.anna.id]
    assert world.close() == "booked"
    assert (list(world.requests.waiting_members()), world.requests.find_request(world.anna.id)) == ([], None)


@pytest.mark.parametrize(("read", "said"), [(None, GIVEN_UP), (GIVEN_UP, None), (GIVEN_UP, GiveUp(700, "不要了"))])
def test_a_closing_on_a_word_that_was_taken_back_fails(read: GiveUp | None, said: GiveUp | None, world: World) -> None:
    old = world.ask(read)
    new = world.ask(said)

    assert (world.close(request=old), world.state) == ("outdated", "registered")
    assert world.close(request=new) == "booked"


def test_a_closing_without_the_request_that_it_was_decided_on_fails(world: World) -> None:
    assert world.close(request=ClosingRequest(world.anna.id, NOW)) == "outdated"


def test_nobody_who_is_staff_or_was_erased_asks_for_a_closing(world: World) -> None:
    world.link_to_staff()

    assert not world.members.begin_closing(ClosingRequest(world.anna.id, NOW))
    assert not world.members.begin_closing(ClosingRequest("mem_nobody", NOW))
    assert world.requests.find_request(world.anna.id) is None


def test_an_erased_member_asks_for_no_closing(world: World) -> None:
    world.close()

    assert not world.members.begin_closing(ClosingRequest(world.anna.id, NOW))
    assert world.requests.find_request(world.anna.id) is None
