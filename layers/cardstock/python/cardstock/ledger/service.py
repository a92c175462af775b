"""The life of a reward: credited frozen, released when its order has settled, taken back as its order is refunded.

Every step is one transaction under an id made from its cause. Asked for again it changes nothing; asked for in another
order it ends in the same books: a refund that is heard of before its payment writes the whole credit and takes back at
once, and a release takes what refunds have left.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from cardstock.clock import Clock, brand_day, to_epoch_ms
from cardstock.errors import NOT_FOUND, REASON_MISSING, STORE_BUSY
from cardstock.ids import RequestKey, derived_id
from cardstock.ledger import errors
from cardstock.ledger.model import (
    BRAND_COMMISSION,
    BRAND_WRITE_OFFS,
    Balance,
    Claw,
    Credit,
    Debt,
    Kind,
    LedgerTransaction,
    OrderRewards,
    Pocket,
    Posting,
    RewardKind,
    StatementLine,
    WriteOff,
    account,
    changes,
    transaction_id,
)
from cardstock.ledger.ports import Booked, Books, Calendar, Statements, WriteOffs
from cardstock.money import Fen

_ATTEMPTS = 5
"""Somebody else changed the row each time: more than refunds of one order ever meet."""
_LINES_AT_ONCE = 100
_REMEMBERED_EVERY = 25
"""Orders: what an interrupted sweep repeats at most, against a write for each."""
_DAY_IS_DONE = "~"
"""Sorts after every `due_key`."""


_Step: TypeAlias = tuple[LedgerTransaction, OrderRewards]
"""A step, and the row after it."""


class Accrual(msgspec.Struct, frozen=True):
    """What the plan gives on one paid order."""

    order_id: str
    plan: str
    credits: tuple[Credit, ...]


def accrue(accrual: Accrual, *, books: Books, clock: Clock) -> Booked:
    """Credit the rewards of an order, frozen. An order that pays nobody leaves no trace in the books.

    One call, 10 WCU for three people. Raises `UnavailableError` when the outcome is unknown: repeat it.
    """
    if not accrual.credits:
        return "nothing"
    now = clock.now()
    cost = -sum(credit.amount for credit in accrual.credits)
    postings = [
        Posting(account(credit.member_id, "frozen"), credit.amount, credit.reward) for credit in accrual.credits
    ]
    transaction = LedgerTransaction(
        id=transaction_id("accrued", accrual.order_id),
        kind="accrued",
        cause=accrual.order_id,
        order_id=accrual.order_id,
        at=now,
        postings=_without_zeros(*postings, Posting(BRAND_COMMISSION, cost)),
        plan=accrual.plan,
        credits=accrual.credits,
    )
    return books.accrue(transaction, OrderRewards(accrual.order_id, accrual.plan, accrual.credits, accrued_at=now))


def claw(refund_id: str, taken: Mapping[RewardKind, Fen], accrual: Accrual, *, books: Books, clock: Clock) -> Booked:
    """Take back what a refund takes of each reward of its order (`accrual`), wherever its money is now.

    Its own frozen money while it is frozen; after the release available money, below zero if need be: that is debt,
    which later releases repay. Other orders' frozen money and what is being paid or was paid stay as they are. Credits
    the order first if nobody has yet. Raises ValueError when more would be taken than was credited, and
    `UnavailableError` when the outcome is unknown: repeat it.
    """

    def back(rewards: OrderRewards) -> _Step | None:
        if any(earlier.refund_id == refund_id for earlier in rewards.claws):
            return None
        return _clawing(refund_id, taken, rewards, clock.now())

    return _change(accrual, back, books, clock)


def _clawing(refund_id: str, taken: Mapping[RewardKind, Fen], rewards: OrderRewards, now: datetime) -> _Step:
    postings = []
    for credit in rewards.credits:
        amount = taken.get(credit.reward, 0)
        if not 0 <= amount <= rewards.rest(credit):
            raise ValueError(f"{refund_id} takes {amount} of {rewards.rest(credit)} {credit.reward}")
        postings.append(Posting(account(credit.member_id, rewards.state), -amount, credit.reward))
    back = -sum(posting.amount for posting in postings)
    transaction = LedgerTransaction(
        id=transaction_id("clawed", refund_id),
        kind="clawed",
        cause=refund_id,
        order_id=rewards.order_id,
        at=now,
        postings=_without_zeros(*postings, Posting(BRAND_COMMISSION, back)),
        plan=rewards.plan,
    )
    # In an order that does not tell which refund went through first: so the row is the same however they came.
    claws = tuple(sorted((*rewards.claws, Claw(refund_id, tuple(taken.items()))), key=lambda claw: claw.refund_id))
    return transaction, replace(rewards, claws=claws, version=rewards.version + 1)


def release(accrual: Accrual, *, books: Books, clock: Clock) -> Booked:
    """Make what refunds have left of an order's rewards available. Whether the order has settled is the caller's word.

    Credits the order first if nobody has yet. One call after the read, 10 WCU for three people. Raises
    `UnavailableError` when the outcome is unknown: repeat it.
    """

    def free(rewards: OrderRewards) -> _Step | None:
        return None if rewards.state == "available" else _releasing(rewards, clock.now())

    return _change(accrual, free, books, clock)


def _change(accrual: Accrual, decide: Callable[[OrderRewards], _Step | None], books: Books, clock: Clock) -> Booked:
    """Book what `decide` makes of an order's rewards as they are; None: it is done already. Credits them if nobody has
    yet, and looks again when somebody else was faster."""
    if not accrual.credits:
        return "nothing"
    for _ in range(_ATTEMPTS):
        rewards = books.rewards(accrual.order_id)
        if rewards is None:
            accrue(accrual, books=books, clock=clock)
            continue
        change = decide(rewards)
        booked = "repeated" if change is None else books.change(*change)
        if booked != "outdated":
            return booked
    raise STORE_BUSY()


def _releasing(rewards: OrderRewards, now: datetime) -> _Step:
    postings = []
    for credit in rewards.credits:
        rest = rewards.rest(credit)
        postings.append(Posting(account(credit.member_id, "frozen"), -rest, credit.reward))
        postings.append(Posting(account(credit.member_id, "available"), rest, credit.reward))
    transaction = LedgerTransaction(
        id=transaction_id("released", rewards.order_id),
        kind="released",
        cause=rewards.order_id,
        order_id=rewards.order_id,
        at=now,
        postings=_without_zeros(*postings),
        plan=rewards.plan,
    )
    return transaction, replace(rewards, state="available", released_at=now, version=rewards.version + 1)


def _without_zeros(*postings: Posting) -> tuple[Posting, ...]:
    return tuple(posting for posting in postings if posting.amount)


def share_dividend(plan: str, month: str, member_id: str, fen: Fen, *, books: Books, clock: Clock) -> Booked:
    """Credit a member's share of the team dividend of one plan and month, available at once: its sales have settled."""
    cause = dividend_cause(plan, month, member_id)
    return books.book(_given("shared", cause, member_id, fen, clock.now(), plan=plan))


def dividend_cause(plan: str, month: str, member_id: str) -> str:
    """`team_dividend@1.2026-11.mem_..`."""
    return f"{plan}.{month}.{member_id}"


def owe(benefit_id: str, member_id: str, order_id: str, fen: Fen, *, books: Books, clock: Clock) -> Booked:
    """Charge a member for a benefit that was undone after it had shipped: from his available money, else it is debt."""
    return books.book(_given("owed", benefit_id, member_id, -fen, clock.now(), order_id=order_id))


def owe_less(
    benefit_id: str, refund_id: str, member_id: str, order_id: str, fen: Fen, *, books: Books, clock: Clock
) -> Booked:
    """Take off what was charged for a benefit the part of it that the member has given back by a refund."""
    cause = owed_cause(benefit_id, refund_id)
    return books.book(_given("owed", cause, member_id, fen, clock.now(), order_id=order_id))


def owed_cause(benefit_id: str, refund_id: str) -> str:
    """`benefit.mem_...1.ref_..`."""
    return f"{benefit_id}.{refund_id}"


def _given(
    kind: Kind, cause: str, member_id: str, fen: Fen, at: datetime, *, order_id: str = "", plan: str = ""
) -> LedgerTransaction:
    """From the brand to a member's available money, or below zero back from it."""
    return LedgerTransaction(
        id=transaction_id(kind, cause),
        kind=kind,
        cause=cause,
        order_id=order_id,
        at=at,
        postings=_without_zeros(Posting(account(member_id, "available"), fen), Posting(BRAND_COMMISSION, -fen)),
        plan=plan,
    )


def debts(balance: Balance, *, statements: Statements) -> tuple[Debt, ...]:
    """What a member owes, by the steps that made it, oldest first: that is the order in which it is repaid.

    Read backwards from his balance, so what is told adds up to his debt as soon as the statement has its last line.
    """
    found: list[Debt] = []
    left, free, after = balance.debt, balance.free, None
    while left:
        lines, after = statements.read(balance.member_id, since=None, until=None, after=after, limit=_LINES_AT_ONCE)
        for line in lines:
            before = free - line.change.get("available", 0)
            made = min(left, max(-free, 0) - max(-before, 0))
            if made > 0:
                found.append(Debt(line.transaction_id, line.kind, line.cause, line.order_id, line.at, made))
                left -= made
            free = before
        if after is None:
            break
    return tuple(reversed(found))


def standing(member_id: str, *, books: Books, statements: Statements) -> tuple[Balance, tuple[Debt, ...]]:
    """What a member has, and where what he owes comes from."""
    balance = books.balance(member_id)
    return balance, debts(balance, statements=statements)


def ask_write_off(
    member_id: str,
    amount: Fen,
    reason: str,
    actor: str,
    request: RequestKey,
    *,
    books: Books,
    write_offs: WriteOffs,
    clock: Clock,
) -> tuple[WriteOff, bool]:
    """Ask to forgive part of a member's debt, and whether this was asked before. Nothing is booked yet.

    Raises `RefusedError`: REASON_MISSING, DEBT_SMALLER, IDEMPOTENCY_KEY_REUSED.
    """
    if not reason.strip():
        raise REASON_MISSING()
    asked = WriteOff(derived_id("wro", request.id), member_id, amount, actor, clock.now(), reason)
    known = write_offs.find(asked.id)
    debt = books.balance(member_id).debt if known is None else amount
    if not 0 < amount <= debt:
        raise errors.DEBT_SMALLER(debt_fen=debt)
    return write_offs.ask(asked, request)


def approve_write_off(
    write_off_id: str,
    note: str,
    actor: str,
    *,
    same_person: Callable[[str], bool],
    write_offs: WriteOffs,
    clock: Clock,
) -> WriteOff:
    """Book a write-off: the second person's word. A repeat, whoever makes it, changes nothing.

    `same_person`: whether who asked is the one who approves.
    Raises `NotFoundError`, and `RefusedError`: SECOND_PERSON_NEEDED, DEBT_SMALLER when he owes less by now.
    """
    found = write_offs.find(write_off_id)
    if found is None:
        raise NOT_FOUND()
    if found.approved_by:
        return found
    if same_person(found.asked_by):
        raise errors.SECOND_PERSON_NEEDED()
    approved = replace(found, approved_by=actor, approved_at=clock.now(), note=note)
    transaction = LedgerTransaction(
        id=transaction_id("written_off", found.id),
        kind="written_off",
        cause=found.id,
        at=clock.now(),
        postings=(
            Posting(account(found.member_id, "available"), found.amount),
            Posting(BRAND_WRITE_OFFS, -found.amount),
        ),
        approved_by=(found.asked_by, actor),
    )
    booked = write_offs.book(transaction, approved)
    if booked == "outdated":
        raise errors.DEBT_SMALLER()
    return approved if booked == "booked" else write_offs.find(write_off_id) or approved


def claimed(number: str, member_id: str, gross: Fen, at: datetime) -> LedgerTransaction:
    """The step that takes a payout's money: available -> paying. Book it with `covered`, so that nobody pays twice."""
    return _payout("claimed", number, member_id, at, {"available": -gross, "paying": gross})


def paid(number: str, member_id: str, net: Fen, tax: Fen, at: datetime) -> LedgerTransaction:
    """The step that ends a payout: paying -> paid, and what is withheld for the tax office."""
    return _payout("paid", number, member_id, at, {"paying": -net - tax, "paid": net, "withheld": tax})


def returned(number: str, member_id: str, gross: Fen, at: datetime) -> LedgerTransaction:
    """The step that undoes a claim whose transfer failed: paying -> available, where it repays debt first."""
    return _payout("returned", number, member_id, at, {"paying": -gross, "available": gross})


def _payout(kind: Kind, number: str, member_id: str, at: datetime, moved: Mapping[Pocket, Fen]) -> LedgerTransaction:
    return LedgerTransaction(
        id=transaction_id(kind, number),
        kind=kind,
        cause=number,
        at=at,
        postings=_without_zeros(*(Posting(account(member_id, pocket), amount) for pocket, amount in moved.items())),
    )


def release_day(received_at: datetime, days: int) -> date:
    """The brand's day at whose end an order received then is released, `days` after its receipt."""
    return brand_day(received_at + timedelta(days=days))


def due_key(order_id: str, received_at: datetime, paid_at: datetime) -> str:
    """An order's place among those of its day: by receipt, then payment."""
    return f"{_milliseconds(received_at)}#{_milliseconds(paid_at)}#{order_id}"


def await_release(
    order_id: str, received_at: datetime, paid_at: datetime, days: int, *, calendar: Calendar, clock: Clock
) -> None:
    """Put an order into the day at whose end it is released, `days` after its receipt; again changes nothing."""
    schedule(due_key(order_id, received_at, paid_at), release_day(received_at, days), calendar=calendar, clock=clock)


def schedule(key: str, day: date, *, calendar: Calendar, clock: Clock) -> None:
    """Put an order (its `due_key`) into its day; into today if that day is over, since the sweep does not come back.

    The sweep of a day starts half an hour after its end, later than anything that began on that day still runs.
    """
    calendar.schedule(max(day, brand_day(clock.now())), key)


class Swept(msgspec.Struct, frozen=True):
    """What a sweep did. `waiting`: put into the next day. Not `finished`: its time was over, the next one goes on."""

    settled: int
    waiting: int
    finished: bool


def sweep(
    until: datetime,
    settle: Callable[[str], bool],
    *,
    calendar: Calendar,
    clock: Clock,
    time_left: Callable[[], bool],
) -> Swept:
    """Settle the orders of all days that were over at `until` (never later than now), from where the last sweep ended,
    each day's by receipt, then payment.

    `settle` settles one order, or says that it has to wait: then it comes again the next night. An interrupted sweep
    repeats at most the last few orders, so `settle` must be safe to repeat.
    """
    now = clock.now()
    end = brand_day(min(until, now))
    reached, last = calendar.progress() or (None, "")
    settled = waiting = 0
    for day in calendar.days(since=reached, before=end):
        done = last if day == reached else ""
        for key in calendar.due(day, done):
            if not time_left():
                calendar.save_progress(day, done)
                return Swept(settled, waiting, finished=False)
            if settle(key.rpartition("#")[2]):
                settled += 1
            else:
                waiting += 1
                schedule(key, end, calendar=calendar, clock=clock)
            done = key
            if (settled + waiting) % _REMEMBERED_EVERY == 0:
                calendar.save_progress(day, done)
        calendar.save_progress(day, _DAY_IS_DONE)
    return Swept(settled, waiting, finished=True)


class Explained(msgspec.Struct, frozen=True):
    """One of a member's rewards on an order: the credit with its rule and rate, and what became of it."""

    credit: Credit
    plan: str
    state: str
    accrued_at: datetime
    released_at: datetime | None
    claws: tuple[tuple[str, Fen], ...]
    """Refund id and what it took."""

    @property
    def rest(self) -> Fen:
        """Fen that refunds have left of it."""
        return self.credit.amount - sum(amount for _, amount in self.claws)


def explain(order_id: str, member_id: str, *, books: Books) -> tuple[Explained, ...]:
    """A member's rewards on one order. Raises `NotFoundError` when there are none of his, whoever else's there are."""
    rewards = books.rewards(order_id)
    own = () if rewards is None else tuple(c for c in rewards.credits if c.member_id == member_id)
    if rewards is None or not own:
        raise NOT_FOUND()
    return tuple(
        Explained(
            credit=credit,
            plan=rewards.plan,
            state=rewards.state,
            accrued_at=rewards.accrued_at,
            released_at=rewards.released_at,
            claws=tuple(
                (claw.refund_id, amount)
                for claw in rewards.claws
                for kind, amount in claw.taken
                if kind == credit.reward and amount
            ),
        )
        for credit in own
    )


def statement_lines(transaction: LedgerTransaction) -> tuple[StatementLine, ...]:
    """What a transaction means to each member in it: one line a member, the same lines every time."""
    lines = []
    for member_id, change in changes(transaction.postings).items():
        own = f"member:{member_id}:"
        rewards = dict.fromkeys(
            posting.reward for posting in transaction.postings if posting.reward and posting.account.startswith(own)
        )
        lines.append(
            StatementLine(
                member_id=member_id,
                key=statement_key(transaction.at, transaction.id),
                transaction_id=transaction.id,
                kind=transaction.kind,
                cause=transaction.cause,
                order_id=transaction.order_id,
                at=transaction.at,
                rewards=tuple(rewards),
                change=change,
            )
        )
    return tuple(lines)


def statement_key(at: datetime, transaction: str = "") -> str:
    """Sorts a member's lines by time: 13 digits of milliseconds, then the transaction."""
    return f"{_milliseconds(at)}#{transaction}"


def _milliseconds(at: datetime) -> str:
    return f"{to_epoch_ms(at):013d}"


def project(transaction: LedgerTransaction, *, statements: Statements) -> None:
    """Write a transaction into the statements of its members. Safe to repeat."""
    statements.put(statement_lines(transaction))
