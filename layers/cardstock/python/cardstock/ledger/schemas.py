"""Balances and statements as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from cardstock.clock import BRAND_ZONE, rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import EntryId, Moment, NextCursor, OrderId
from cardstock.edge.http import Model
from cardstock.ledger.model import Balance, Debt, Kind, RewardKind, StatementLine

if TYPE_CHECKING:
    pass

# (zh-CN, en)
_KIND_TEXTS: Final[dict[Kind, tuple[str, str]]] = {
    "accrued": ("订单已付款，奖励待结算", "Order paid; the reward waits to settle"),
    "released": ("退货期已过，奖励可提现", "Return window over; the reward is available"),
    "clawed": ("订单退款，奖励相应扣回", "Order refunded; the reward is taken back in proportion"),
    "claimed": ("已进入打款批次", "In a payout on its way"),
    "paid": ("打款成功", "Paid out"),
    "returned": ("打款未成功，金额退回余额", "The transfer failed; the money is back in the balance"),
    "corrected": ("打款结果经两人核实后更正", "Two persons have corrected the result of a transfer"),
    "owed": ("免单已发货，好友退款后按价补扣", "A friend's refund came after the free order had shipped; it is owed"),
    "shared": ("团队分红", "Team dividend"),
    "written_off": ("欠款已核销", "Debt written off"),
    "given_up": ("注销账号时放弃的余额", "Given up when the account was closed"),
    "set_aside": ("注销账号时无法支付，转为待认领", "Could not be paid when the account was closed; unclaimed"),
    "offset": ("抵扣本人已注销账号的欠款", "Repays what the same person's closed account owed"),
}


class OwedFor(Model):
    """The rest of the debt that one step made; older steps are repaid first."""

    amount_fen: Annotated[int, Meta(description="Fen of the debt not repaid yet.", examples=[3_825])]
    entry_id: Annotated[
        str,
        Meta(
            description="Ledger entry that made the debt; its proof has the same id.",
            examples=["claw.rfd_01kbf2c7d8e9fagbhcjdkemfn0"],
        ),
    ]
    kind: Annotated[Kind, Meta(description="Kind of the step that made the debt.", examples=["clawed"])]
    text: Annotated[
        str,
        Meta(description="The step as text, in the language of the request.", examples=["订单退款，奖励相应扣回"]),
    ]
    cause: Annotated[
        str,
        Meta(
            description="Refund, coupon or transfer number behind the step. From a transfer's second "
            "correction on, a count follows its number: `<number>.2`.",
            examples=["rfd_01kbf2c7d8e9fagbhcjdkemfn0"],
        ),
    ]
    order_id: Annotated[OrderId | None, Meta(description="Order that the step belongs to; null if there is none.")]
    at: Annotated[Moment, Meta(description="When the debt was made.")]

    @classmethod
    def of(cls, debt: Debt, language: str) -> OwedFor:
        """One step's debt."""
        return cls(
            amount_fen=debt.amount,
            entry_id=debt.transaction_id,
            kind=debt.kind,
            text=_KIND_TEXTS[debt.kind][language == "en"],
            cause=debt.cause,
            order_id=debt.order_id or None,
            at=rfc3339(debt.at),
        )


class BalanceView(Model):
    """A member's balance, in fen."""

    frozen_fen: Annotated[
        int, Meta(description="Credited fen that wait for the end of return windows.", examples=[22_950])
    ]
    available_fen: Annotated[int, Meta(description="Fen that the next payout can take.", examples=[76_500])]
    debt_fen: Annotated[
        int,
        Meta(
            description="Debt in fen; repaid first by what becomes available, and blocks payouts until then.",
            examples=[3_825],
        ),
    ]
    debts: Annotated[
        list[OwedFor], Meta(description="Causes of the debt, oldest first; a step appears within seconds.")
    ]
    paying_fen: Annotated[int, Meta(description="Fen in a payout that has not ended.", examples=[0])]
    paid_fen: Annotated[int, Meta(description="Fen paid out so far, after tax.", examples=[120_000])]
    withheld_fen: Annotated[int, Meta(description="Tax withheld so far, in fen.", examples=[0])]

    @classmethod
    def of(cls, balance: Balance, debts: Sequence[Debt], language: str) -> BalanceView:
        """A member's balance, and the cause of each debt in it."""
        return cls(
            frozen_fen=balance.frozen,
            available_fen=balance.available,
            debt_fen=balance.debt,
            debts=[OwedFor.of(debt, language) for debt in debts],
            paying_fen=balance.paying,
            paid_fen=balance.paid,
            withheld_fen=balance.withheld,
        )


class StatementQuery(PageQuery):
    """Which lines, by pages."""

    period: (
        Annotated[
            str,
            Meta(
                pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])\Z",
                description="Month in Asia/Shanghai; absent: all months.",
                examples=["2026-12"],
            ),
        ]
        | None
    ) = None


def month_of(period: str | None) -> tuple[datetime | None, datetime | None]:
    """The first moment of one of the brand's months, and the first moment after it."""
    if period is None:
        return None, None
    year, month = int(period[:4]), int(period[5:])
    starts = datetime(year, month, 1, tzinfo=BRAND_ZONE)
    ends = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=BRAND_ZONE)
    return starts.astimezone(UTC), ends.astimezone(UTC)


class StatementEntry(Model):
    """One step's change of the member's money."""

    entry_id: EntryId
    at: Annotated[Moment, Meta(description="When the step was booked.")]
    kind: Annotated[Kind, Meta(description="Kind of the step.", examples=["accrued"])]
    text: Annotated[
        str,
        Meta(description="The step as text, in the language of the request.", examples=["订单已付款，奖励待结算"]),
    ]
    rewards: Annotated[
        list[RewardKind],
        Meta(description="Kinds of the rewards in it; empty if there are none.", examples=[["direct"]]),
    ]
    order_id: Annotated[OrderId | None, Meta(description="Order that the step belongs to; null if there is none.")]
    cause: Annotated[
        str,
        Meta(
            description="Order, refund or transfer number behind the step. From a transfer's second correction "
            "on, a count follows its number: `<number>.2`.",
            examples=["ord_01kbdxdh50fcazdjhcnqh2rzv5"],
        ),
    ]
    change_fen: Annotated[
        dict[str, int],
        Meta(
            description="Change of each pocket in fen: `frozen`, `available`, `paying`, `paid`, `withheld`.",
            examples=[{"frozen": 22950}],
        ),
    ]

    @classmethod
    def of(cls, line: StatementLine, language: str) -> StatementEntry:
        """One line of a statement."""
        return cls(
            entry_id=line.transaction_id,
            at=rfc3339(line.at),
            kind=line.kind,
            text=_KIND_TEXTS[line.kind][language == "en"],
            rewards=list(line.rewards),
            order_id=line.order_id or None,
            cause=line.cause,
            change_fen={str(pocket): amount for pocket, amount in line.change.items()},
        )


class StatementPage(Model):
    """Some entries, newest first."""

    items: Annotated[list[StatementEntry], Meta(description="Entries, newest first.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, lines: Sequence[StatementLine], next_cursor: str | None, language: str) -> StatementPage:
        """A page of statement lines."""
        return cls([StatementEntry.of(line, language) for line in lines], next_cursor)
