"""A refund claws back its part of each reward of its order."""

from collections.abc import Mapping

from msgspec.structs import replace

from cardstock import clock
from cardstock.ledger.accrual import Step, change_rewards
from cardstock.ledger.model import (
    BRAND_COMMISSION,
    Accrual,
    LedgerTransaction,
    OrderClawBack,
    OrderRewards,
    Posting,
    RewardKind,
    account,
    nonzero,
    transaction_id,
)
from cardstock.ledger.ports import Booked, Books
from cardstock.money import Fen


def claw_back(refund_id: str, taken: Mapping[RewardKind, Fen], accrual: Accrual, *, books: Books) -> Booked:
    """Claw back `taken` fen of each reward of the refund's order (`accrual`).

    A frozen reward is reduced itself; after the release available money is taken, if need be below zero: that is debt,
    which later credits repay. Other orders' frozen money, and money in payouts, stay as they are. Credits the order
    first if that is missing. Raises ValueError if more would be taken than was credited, and `UnavailableError` if the
    outcome is unknown: repeat it.
    """

    def decide(rewards: OrderRewards) -> Step | None:
        if any(earlier.refund_id == refund_id for earlier in rewards.claws):
            return None
        return claw_back_step(refund_id, taken, rewards)

    return change_rewards(accrual, decide, books)


def claw_back_step(refund_id: str, taken: Mapping[RewardKind, Fen], rewards: OrderRewards) -> Step:
    """The claw-back's transaction, and the row after it. Raises ValueError if `taken` is more than is left."""
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
        at=clock.now(),
        postings=nonzero(*postings, Posting(BRAND_COMMISSION, back)),
        plan=rewards.plan,
    )
    # Sorted by refund, not by time, so that the row does not depend on the order of the refunds.
    claws = tuple(
        sorted((*rewards.claws, OrderClawBack(refund_id, tuple(taken.items()))), key=lambda claw: claw.refund_id)
    )
    return transaction, replace(rewards, claws=claws, version=rewards.version + 1)
