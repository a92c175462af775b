"""A member's balance, the cause of each debt, and the state of a member's rewards on one order."""

from cardstock.ledger.model import Balance, Debt, MemberReward
from cardstock.ledger.ports import Books, StatementPages

_LINES_AT_ONCE = 100


def standing(member_id: str, *, books: Books, statements: StatementPages) -> tuple[Balance, tuple[Debt, ...]]:
    """A member's balance, and the steps that made the debt in it."""
    balance = books.balance_of(member_id)
    return balance, debts(balance, statements=statements)


def debts(balance: Balance, *, statements: StatementPages) -> tuple[Debt, ...]:
    """A member's debts by the steps that made them, oldest first, which is the order of repayment.

    Computed backwards from the balance, so that the debts add up to it once the statement has its last line.
    """
    found: list[Debt] = []
    left, free, after = balance.debt, balance.free, None
    while left:
        lines, after = statements.lines_of_member(
            balance.member_id, since=None, until=None, after=after, limit=_LINES_AT_ONCE
        )
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


def rewards_of_member(order_id: str, member_id: str, *, books: Books) -> tuple[tuple[MemberReward, ...], bool]:
    """A member's rewards on one order, and whether any rewards of it are booked."""
    rewards = books.find_rewards(order_id)
    if rewards is None:
        return (), False
    own = (credit for credit in rewards.credits if credit.member_id == member_id)
    return tuple(
        MemberReward(
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
    ), True
