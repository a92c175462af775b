"""What the audit finds where books were changed with care: postings that still add up, balances that still fit them."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from cardstock.ledger.accrual import accrue
from cardstock.ledger.audit import audit
from cardstock.ledger.audit_model import (
    ClearingTruth,
    CorrectionTruth,
    OrderTruth,
    Report,
    SingleTruth,
    TransferTruth,
)
from cardstock.ledger.claw_back import claw_back
from cardstock.ledger.model import (
    Balance,
    LedgerTransaction,
    OrderClawBack,
    Posting,
    RewardKind,
    account,
    changes,
)
from cardstock.ledger.payout_steps import claimed, corrected, paid, returned
from cardstock.ledger.release import release
from tests.people.clock import START
from tests.people.memory_ledger import MemoryBooks, accrual

TAKEN: dict[RewardKind, int] = {"direct": 300, "team": 200, "peer": 20}
TRANSFER = TransferTruth("n1", "mem_r", claimed=True, ended="paid", gross=29_000, net=28_000, tax=1_000)
CORRECTED = TransferTruth(
    "n2", "mem_t", claimed=True, ended="returned", gross=1_000, net=900, tax=100,
    corrections=(CorrectionTruth("n2", "oit_1", arrived=True), CorrectionTruth("n2.2", "oit_2", arrived=False)),
)  # fmt: skip
CLEARINGS = (
    ClearingTruth("oit_1", "n2", arrived=True, corrects=True, persons=("prs_1", "prs_2")),
    ClearingTruth("oit_2", "n2", arrived=False, corrects=True, persons=("prs_3", "prs_2")),
    ClearingTruth("oit_3", "n1", arrived=True, corrects=False, persons=("prs_1", "prs_2")),
)
SINGLE = SingleTruth("written_off", "wro_1", "mem_w", 500, ("key_1", "key_2"))


class Written:
    """Books of two orders, a refund, a release, two transfers with two corrections, and a write-off."""

    def __init__(self) -> None:
        self.books = MemoryBooks()
        claw_back("rfd_1", TAKEN, accrual("ord_1"), books=self.books)
        release(accrual("ord_1"), books=self.books)
        accrue(accrual("ord_2"), books=self.books)
        claw_back("rfd_2", TAKEN, accrual("ord_2"), books=self.books)
        self.books.book_transaction(claimed("n1", "mem_r", 29_000, START))
        self.books.book_transaction(paid("n1", "mem_r", 28_000, 1_000, START))
        self.books.book_transaction(claimed("n2", "mem_t", 1_000, START))
        self.books.book_transaction(returned("n2", "mem_t", 1_000, START))
        for one, clearing in zip(CORRECTED.corrections, CLEARINGS, strict=False):
            approved_by = (clearing.persons[0], clearing.persons[1])
            self.books.book_transaction(
                corrected(one.cause, "mem_t", 900, 100, START, arrived=one.arrived, approved_by=approved_by)
            )
        self.transfers = [TRANSFER, CORRECTED]
        self.clearings = list(CLEARINGS)
        ends = Posting(account("mem_w", "available"), 500), Posting("brand:write-offs", -500)
        self.books.book_transaction(
            LedgerTransaction("write-off.wro_1", "written_off", "wro_1", START, ends, approved_by=("key_1", "key_2"))
        )
        self.orders = {
            order_id: OrderTruth(order_id, True, received, accrual(order_id), {refund_id: TAKEN})
            for order_id, received, refund_id in (("ord_1", True, "rfd_1"), ("ord_2", False, "rfd_2"))
        }

    def change(self, transaction_id: str, account_name: str, by: int) -> None:
        """Take `by` fen from one of a transaction's postings and give it to the brand's, or to the last one."""
        before = self.books.transactions[transaction_id]
        other = next(
            (p.account for p in before.postings if p.account.startswith("brand:")), before.postings[-1].account
        )
        moves = {account_name: -by, other: by}
        self.put(
            replace(
                before, postings=tuple(replace(p, amount=p.amount + moves.get(p.account, 0)) for p in before.postings)
            )
        )

    def put(self, transaction: LedgerTransaction) -> None:
        self.books.transactions[transaction.id] = transaction

    def report(self) -> Report:
        """An audit of them, with balances that are the fold of whatever the transactions say."""
        folded: dict[str, dict[str, int]] = {}
        for transaction in self.books.transactions.values():
            for member_id, pockets in changes(transaction.postings).items():
                held = folded.setdefault(member_id, {})
                for pocket, amount in pockets.items():
                    name = {"available": "free"}.get(pocket, pocket)
                    held[name] = held.get(name, 0) + amount
        balances = [Balance(member_id, **held) for member_id, held in folded.items()]
        return audit(
            self.books.transactions.values(), balances, self.books.rows.values(), self.orders.values(), self.transfers,
            clearings=self.clearings, singles=[SINGLE],
        )  # fmt: skip

    def found(self) -> set[tuple[str, str]]:
        return {(finding.item, finding.check) for finding in self.report().findings}


def row(written: Written, order_id: str, **changed: object) -> None:
    written.books.rows[order_id] = replace(written.books.rows[order_id], **changed)


def truth(written: Written, order_id: str, **changed: object) -> None:
    written.orders[order_id] = replace(written.orders[order_id], **changed)


def test_books_that_nobody_changed_are_right() -> None:
    report = Written().report()

    assert (report.verified, report.transactions, report.orders) == (True, 12, 2)
    assert (report.totals["accrued"], report.totals["clawed"], report.totals["paid"]) == (104_000, 1_040, 28_000)


def release_more(written: Written) -> None:
    before = written.books.transactions["release.ord_1"]
    moves = {account("mem_t", "frozen"): -7, account("mem_t", "available"): 7}
    written.put(
        replace(before, postings=tuple(replace(p, amount=p.amount + moves.get(p.account, 0)) for p in before.postings))
    )


def release_to_somebody_else(written: Written) -> None:
    before = written.books.transactions["release.ord_1"]
    own, other = account("mem_t", "available"), account("mem_x", "available")
    written.put(
        replace(
            before,
            postings=tuple(
                replace(p, account=other, reward="peer") if p.account == own else p for p in before.postings
            ),
        )
    )


def other_rate(written: Written) -> None:
    before = written.books.transactions["accrue.ord_2"]
    others = tuple(replace(credit, rate=credit.rate + 1) for credit in before.credits)
    written.put(replace(before, credits=others))
    row(written, "ord_2", credits=others)


def unknown_account(written: Written) -> None:
    before = written.books.transactions["write-off.wro_1"]
    written.put(replace(before, postings=(before.postings[0], Posting("brand:cash", -500))))


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (lambda w: w.change("accrue.ord_2", account("mem_t", "frozen"), 5), {("ledger/accrue.ord_2", "wrong_amounts")}),
        (
            lambda w: w.change("claw.rfd_2", account("mem_t", "frozen"), 5),
            {("ledger/claw.rfd_2", "wrong_amounts"), ("rewards/ord_2", "wrong_row")},
        ),
        (release_more, {("ledger/release.ord_1", "wrong_amounts")}),
        (release_to_somebody_else, {("ledger/release.ord_1", "wrong_amounts")}),
        (lambda w: truth(w, "ord_1", received=False), {("ledger/release.ord_1", "unexplained")}),
        (other_rate, {("ledger/accrue.ord_2", "wrong_amounts")}),
        (unknown_account, {("ledger/write-off.wro_1", "wrong_account")}),
        (lambda w: w.change("claim.n1", account("mem_r", "available"), 5), {("ledger/claim.n1", "wrong_amounts")}),
        (lambda w: w.change("payout.n1", account("mem_r", "paid"), 5), {("ledger/payout.n1", "wrong_amounts")}),
        (
            lambda w: w.change("write-off.wro_1", account("mem_w", "available"), 5),
            {("ledger/write-off.wro_1", "wrong_amounts")},
        ),
        (
            lambda w: w.put(replace(w.books.transactions["write-off.wro_1"], approved_by=("key_1", "key_1"))),
            {("ledger/write-off.wro_1", "wrong_amounts")},
        ),
        (lambda w: row(w, "ord_1", state="frozen"), {("rewards/ord_1", "wrong_row")}),
        (lambda w: row(w, "ord_2", claws=()), {("rewards/ord_2", "wrong_row")}),
        (
            lambda w: row(w, "ord_2", claws=(OrderClawBack("rfd_2", (("direct", 301), ("team", 200), ("peer", 20))),)),
            {("rewards/ord_2", "wrong_row")},
        ),
        (lambda w: row(w, "ord_2", plan="chain21@9"), {("rewards/ord_2", "wrong_row")}),
        (lambda w: w.books.rows.pop("ord_2"), {("rewards/ord_2", "missing")}),
        (
            lambda w: w.orders.pop("ord_2"),
            {("ledger/accrue.ord_2", "unexplained"), ("ledger/claw.rfd_2", "unexplained")},
        ),
        (
            lambda w: w.change("correct.n2", account("mem_t", "available"), 5),
            {("ledger/correct.n2", "wrong_amounts")},
        ),
        (
            lambda w: w.put(replace(w.books.transactions["correct.n2.2"], approved_by=("prs_3", "prs_3"))),
            {("ledger/correct.n2.2", "wrong_amounts")},
        ),
        (lambda w: w.books.transactions.pop("correct.n2.2"), {("ledger/correct.n2.2", "missing")}),
        (lambda w: w.clearings.pop(0), {("lines/n2", "unexplained")}),
        (
            lambda w: w.clearings.__setitem__(0, replace(CLEARINGS[0], arrived=False)),
            {("ledger/correct.n2", "wrong_amounts")},
        ),
        (
            lambda w: w.clearings.__setitem__(2, replace(CLEARINGS[2], corrects=True)),
            {("open-items/oit_3", "missing")},
        ),
        (
            lambda w: w.clearings.__setitem__(1, replace(CLEARINGS[1], corrects=False)),
            {("lines/n2", "unexplained")},
        ),
        (
            lambda w: w.clearings.__setitem__(1, replace(CLEARINGS[1], number="n1")),
            {("lines/n2", "unexplained")},
        ),
        (
            lambda w: w.transfers.__setitem__(1, replace(CORRECTED, corrections=CORRECTED.corrections[:1])),
            {("ledger/correct.n2.2", "unexplained"), ("open-items/oit_2", "missing")},
        ),
        (lambda w: truth(w, "ord_2", taken={"rfd_2": TAKEN, "rfd_3": TAKEN}), {("ledger/claw.rfd_3", "missing")}),
    ],
)  # fmt: skip
def test_what_was_changed_with_care_is_named_and_nothing_else(
    tamper: Callable[[Written], object], named: set[tuple[str, str]]
) -> None:
    written = Written()
    tamper(written)

    assert written.found() == named
