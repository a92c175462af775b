"""Fills a brand's tables with members who can be paid, and prints the key of somebody in finance.

Run as a process of its own, on the tables that the environment names. What is booked is what the ledger's own service
books: everybody has brought two buyers and earned from two more, a tenth of the orders was refunded in part before
its release, a twentieth after it. One in fifty has money and was never verified: nobody may pay that member.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta

from cardstock.bank_accounts import wiring
from cardstock.bank_accounts.model import BankAccount, mask
from cardstock.bank_accounts.setting import context
from cardstock.bank_accounts.store import HoldingItem
from cardstock.clock import set_clock
from cardstock.ids import derived_id
from cardstock.ledger.accrual import accrue
from cardstock.ledger.claw_back import claw_back
from cardstock.ledger.model import Accrual, Balance, Credit, LedgerTransaction, OrderRewards, RewardKind, changes
from cardstock.ledger.ports import Booked
from cardstock.ledger.release import release
from cardstock.ledger.statements import statement_lines
from cardstock.ledger.statements_store import StatementItem, statement_item
from cardstock.ledger.store import (
    BalanceItem,
    LedgerItem,
    RewardsItem,
    rewards_item,
    transaction_item,
)
from cardstock.members.item_store import MemberItem, member_item
from cardstock.members.model import Member, Person
from cardstock.money import Fen
from tests.people.clock import TestClock
from tests.people.staff import Phone, staff_key
from tests.people.tokens import access_token

ORDERS_EACH = 2
UNVERIFIED_ONE_IN = 50
_FIRST_ORDER = datetime(2026, 10, 20, 1, tzinfo=UTC)
_UNITS = (1, 1, 2, 1, 1, 3, 1, 1, 5, 1, 1, 2, 40)
"""What the buyers of one member take at a time: most little, a few so much that tax is withheld."""
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = ("伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇", "军", "杰", "娟", "涛", "明", "超")


class _Books:
    """`ledger.ports.Books` of one order after the other: keeps what is booked instead of writing it step by step."""

    def __init__(self) -> None:
        self.booked: list[LedgerTransaction] = []
        self.row: OrderRewards | None = None

    def book_accrual(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        self.booked, self.row = [transaction], rewards
        return "booked"

    def book_change(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        self.booked.append(transaction)
        self.row = rewards
        return "booked"

    def book_transaction(self, transaction: LedgerTransaction) -> Booked:
        raise NotImplementedError(transaction.id)

    def find_transaction(self, transaction_id: str) -> LedgerTransaction | None:
        raise NotImplementedError(transaction_id)

    def find_rewards(self, order_id: str) -> OrderRewards | None:
        return self.row if self.row is not None and self.row.order_id == order_id else None

    def balance_of(self, member_id: str) -> Balance:
        raise NotImplementedError(member_id)


def _member_id(index: int) -> str:
    return derived_id("mem", str(index))


def _member(index: int, *, verified: bool) -> Member:
    name = _SURNAMES[index % len(_SURNAMES)] + _GIVEN[index // len(_SURNAMES) % len(_GIVEN)]
    number = f"1***{index % 10}"
    person = Person(name, number, f"{index:064x}", date(1970 + index % 35, 5, 5), "dev", _FIRST_ORDER)
    joined = _FIRST_ORDER - timedelta(days=90)
    return Member(
        _member_id(index),
        f"wechat:app:{derived_id('o', str(index))}",
        joined,
        name,
        person=person if verified else None,
        state="verified" if verified else "registered",
    )


def _account(member: Member) -> BankAccount:
    """A bank account that is in force."""
    number = f"1001{member.id[-12:].encode().hex()}"[:16]
    digits = "".join(str(int(digit, 16) % 10) for digit in number)
    key_id, sealed = wiring.vault().seal(digits, context(member.id, "bac_1"))
    name = "" if member.person is None else member.person.name
    return BankAccount("bac_1", name, mask(digits), "示例银行", "杭州支行", sealed, key_id, member.created_at)


def _credit(kind: RewardKind, index: int, role: str, price: Fen, fen: Fen) -> Credit:
    return Credit(kind, _member_id(index), role, f"{kind}_{role}", fen, "fen", price, fen, fen, fen)


def _orders(people: int) -> Iterator[_Books]:
    """Each order's books, from its payment to its release and what was refunded of it."""
    clock, books = TestClock(_FIRST_ORDER), _Books()
    set_clock(clock)
    for number in range(people * ORDERS_EACH):
        order_id = derived_id("ord", str(number))
        referrer, owner = number % people, (number * 7 + 3) % people
        units = _UNITS[referrer % len(_UNITS)]
        earned = [_credit("direct", referrer, "distributor", 49_900 * units, 10_000 * units)]
        if owner != referrer:
            earned.append(_credit("team", owner, "partner", 49_900 * units, 2_000 * units))
        accrual = Accrual(order_id, "chain21@1", tuple(earned))
        half = {credit.reward: credit.amount // 2 for credit in earned}
        clock.set(_FIRST_ORDER + timedelta(minutes=number % 20_000))
        accrue(accrual, books=books)
        if number % 10 == 1:
            clock.move(days=3)
            claw_back(derived_id("rfd", order_id), half, accrual, books=books)
        clock.move(days=14)
        release(accrual, books=books)
        if number % 20 == 2:
            clock.move(days=1)
            claw_back(derived_id("rfd", order_id), half, accrual, books=books)
        yield books


def fill(payees: int) -> None:
    """Write so many payees, their orders' rewards, ledger and statements, and balances that are the fold of them."""
    people = payees + payees // UNVERIFIED_ONE_IN + 1
    pockets: dict[str, Counter[str]] = defaultdict(Counter)
    with ExitStack() as stack:
        members, ledger, rewards, statements, balances, accounts = (
            stack.enter_context(model.batch_write())
            for model in (MemberItem, LedgerItem, RewardsItem, StatementItem, BalanceItem, HoldingItem)
        )
        for books in _orders(people):
            assert books.row is not None
            rewards.save(rewards_item(books.row))
            for transaction in books.booked:
                ledger.save(transaction_item(transaction))
                for line in statement_lines(transaction):
                    statements.save(statement_item(line))
                for member_id, change in changes(transaction.postings).items():
                    pockets[member_id].update(change)
        for index in range(people):
            member = _member(index, verified=index < payees)
            members.save(member_item(member))
            if member.person is not None:
                accounts.save(HoldingItem(pk=member.id, current=_account(member), version=1))
            held = pockets[_member_id(index)]
            balances.save(BalanceItem(pk=_member_id(index), frozen=held["frozen"], available=held["available"]))


def main() -> None:
    """`payees.py 10000`"""
    fill(int(sys.argv[1]))
    approver = staff_key("Li Na", "payouts:read", "payouts:approve")
    phone = Phone(staff_key("Owner", "staff:write")).member_of(approver)
    # The orders are of months before the payout, at which the token is used.
    print(approver, staff_key("Wang Fang", "payouts:settle"), access_token(phone, hours=10_000))


if __name__ == "__main__":
    main()
