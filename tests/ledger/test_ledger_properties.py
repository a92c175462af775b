"""A random life of the ledger: whatever happens in whatever order and however often, the books are right."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from cardstock.clock import SystemClock, set_clock
from cardstock.ledger.accrual import accrue
from cardstock.ledger.audit import audit
from cardstock.ledger.audit_model import OrderTruth, TransferTruth
from cardstock.ledger.claw_back import claw_back
from cardstock.ledger.model import Accrual, Balance, Credit, RewardKind
from cardstock.ledger.payout_steps import claimed, paid, returned
from cardstock.ledger.release import release
from cardstock.money import half_up
from tests.people.clock import TestClock
from tests.people.memory_ledger import MemoryBooks

MEMBERS = ("mem_a", "mem_b", "mem_c", "mem_d")
KINDS: tuple[RewardKind, ...] = ("direct", "team", "peer")


class Sold:
    """An order as the shop knows it: what it pays, and what was refunded of it, request by request."""

    def __init__(self, order_id: str, credits_: tuple[Credit, ...], net: int) -> None:
        self.accrual = Accrual(order_id, "plan@1", credits_)
        self.net = net
        self.refunds: dict[str, tuple[int, int]] = {}
        """Refund id -> refunded in all before and after it."""
        self.heard: set[str] = set()
        self.told_paid = False
        self.received = False

    @property
    def refunded(self) -> int:
        return max((after for _, after in self.refunds.values()), default=0)

    def taken(self, refund_id: str) -> dict[RewardKind, int]:
        before, after = self.refunds[refund_id]
        return {
            credit.reward: half_up(credit.amount * after, self.net) - half_up(credit.amount * before, self.net)
            for credit in self.accrual.credits
        }


class Life(RuleBasedStateMachine):
    """Payments, refunds, receipts, releases and payouts, heard of in any order and any number of times."""

    orders = Bundle("orders")

    @initialize()
    def open(self) -> None:
        self.books = MemoryBooks()
        self.clock = TestClock()
        set_clock(self.clock)
        self.sold: dict[str, Sold] = {}
        self.transfers: dict[str, TransferTruth] = {}

    @rule(
        target=orders,
        net=st.integers(1, 100_000),
        shares=st.lists(st.tuples(st.sampled_from(MEMBERS), st.integers(0, 5_000)), min_size=1, max_size=3),
    )
    def place(self, net: int, shares: list[tuple[str, int]]) -> Sold:
        credits_ = tuple(
            Credit(kind, member_id, "partner", "team", bps, "bps", net, part, part, part)
            for kind, (member_id, bps) in zip(KINDS, shares, strict=False)
            for part in (net * bps // 20_000,)
        )
        order = Sold(f"ord_{len(self.sold)}", credits_, net)
        self.sold[order.accrual.order_id] = order
        return order

    @rule(order=orders)
    def hear_of_the_payment(self, order: Sold) -> None:
        accrue(order.accrual, books=self.books)
        order.told_paid = True

    @rule(order=orders, part=st.integers(1, 100))
    def request_refund(self, order: Sold, part: int) -> None:
        rest = order.net - order.refunded
        amount = max(1, rest * part // 100)
        if rest:
            refund_id = f"rfd_{order.accrual.order_id}_{len(order.refunds)}"
            order.refunds[refund_id] = (order.refunded, order.refunded + amount)

    @rule(order=orders, data=st.data())
    def hear_of_a_refund(self, order: Sold, data: Any) -> None:
        if order.refunds:
            refund_id = data.draw(st.sampled_from(sorted(order.refunds)))
            claw_back(refund_id, order.taken(refund_id), order.accrual, books=self.books)
            order.heard.add(refund_id)
            order.told_paid = True

    @rule(order=orders)
    def release(self, order: Sold) -> None:
        order.received = order.told_paid = True
        release(order.accrual, books=self.books)

    @rule(member_id=st.sampled_from(MEMBERS), part=st.integers(1, 100), end=st.sampled_from(("no", "paid", "returned")))
    def pay_out(self, member_id: str, part: int, end: Any) -> None:
        gross = self.books.balance_of(member_id).available * part // 100
        if not gross:
            return
        number = f"n{len(self.transfers)}"
        tax = gross // 5
        self.books.book_transaction(claimed(number, member_id, gross, self.clock.now()))
        if end == "paid":
            self.books.book_transaction(paid(number, member_id, gross - tax, tax, self.clock.now()))
        elif end == "returned":
            self.books.book_transaction(returned(number, member_id, gross, self.clock.now()))
        self.transfers[number] = TransferTruth(number, member_id, True, end, gross, gross - tax, tax)

    @invariant()
    def all_postings_add_up_to_zero(self) -> None:
        if hasattr(self, "books"):
            assert sum(transaction.total for transaction in self.books.transactions.values()) == 0

    @invariant()
    def frozen_paying_and_paid_are_never_below_zero(self) -> None:
        if hasattr(self, "books"):
            for balance in self.books.balances.values():
                assert min(balance.frozen, balance.paying, balance.paid, balance.withheld) >= 0

    @invariant()
    def everything_is_explained_both_ways(self) -> None:
        if hasattr(self, "books"):
            report = self.audited()
            assert report.findings == ()
            assert report.totals["debt"] == sum(balance.debt for balance in self.books.balances.values())

    @invariant()
    def after_every_refund_the_sum_taken_is_the_share_of_all_that_was_refunded(self) -> None:
        for order in getattr(self, "sold", {}).values():
            row = self.books.find_rewards(order.accrual.order_id)
            if row is not None and order.heard == set(order.refunds):
                for credit in row.credits:
                    assert row.clawed(credit.reward) == half_up(credit.amount * order.refunded, order.net)

    def audited(self) -> Any:
        return audit(
            self.books.transactions.values(),
            self.books.balances.values(),
            self.books.rows.values(),
            [
                OrderTruth(
                    order_id,
                    order.told_paid,
                    order.received,
                    order.accrual,
                    {refund_id: order.taken(refund_id) for refund_id in order.heard},
                )
                for order_id, order in self.sold.items()
            ],
            self.transfers.values(),
        )

    def teardown(self) -> None:
        """In the end everything is refunded: members keep nothing but what was paid out, and owe that."""
        for order in getattr(self, "sold", {}).values():
            if order.refunded < order.net:
                self.request_refund(order, 100)
            for refund_id in order.refunds:
                claw_back(refund_id, order.taken(refund_id), order.accrual, books=self.books)
        set_clock(SystemClock())
        for member_id in MEMBERS if hasattr(self, "books") else ():
            balance = self.books.balance_of(member_id)
            assert balance == Balance(
                member_id,
                free=-(balance.paying + balance.paid + balance.withheld),
                paying=balance.paying,
                paid=balance.paid,
                withheld=balance.withheld,
            )


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
