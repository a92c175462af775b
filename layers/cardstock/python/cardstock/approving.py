"""Steps that approve money: what the phone of a person of the staff must confirm before such a step is done."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from cardstock.money import Fen

Action: TypeAlias = Literal[
    "approve_payout",
    "approve_write_off",
    "grant_goodwill",
    "pay_refund_another_way",
    "give_up_refund",
    "correct_as_paid",
    "correct_as_not_paid",
    "confirm_bank_account",
    "lift_hold",
    "lift_alarm",
    "take_identity",
]

WORDS: Final[Mapping[Action, tuple[str, str]]] = {
    "approve_payout": ("批准佣金发放", "Approve a payout"),
    "approve_write_off": ("批准核销欠款", "Approve a write-off of debt"),
    "grant_goodwill": ("批准补偿退款", "Grant a goodwill refund"),
    "pay_refund_another_way": ("确认退款已另行支付", "Confirm that a refund was paid another way"),
    "give_up_refund": ("确认放弃退款", "Confirm that a refund is given up"),
    "correct_as_paid": ("确认转账已到账", "Confirm that a transfer was paid"),
    "correct_as_not_paid": ("确认转账未到账", "Confirm that a transfer was not paid"),
    "confirm_bank_account": ("确认收款账户变更", "Confirm a changed bank account"),
    "lift_hold": ("解除奖励冻结", "Lift the hold of rewards"),
    "lift_alarm": ("解除合规警报", "Lift a compliance alarm"),
    "take_identity": ("撤下账户的实名身份", "Take a verified identity from an account"),
}
"""What a person reads of an action: in Chinese, in English."""


class MoneyStep(msgspec.Struct, frozen=True):
    """One step that approves money, exactly as it is to be confirmed: another sum, count or version is another step."""

    action: Action
    subject: str
    """Id of what is approved: a payout, a write-off, an open item, an order, an alarm, or an account."""
    version: str
    """Changes with every change of the subject."""
    amount: Fen | None = None
    """The sum; None where the step has none of its own."""
    count: int | None = None
    """How many transfers, orders or members it is about; None where that is not known."""


UseOnce: TypeAlias = Callable[[Any], None]
"""Adds the use of a confirmation to the transaction of its step. That transaction fails if it was used before; then the
step is done too, and has changed the version that the transaction depends on."""

Confirm: TypeAlias = Callable[[MoneyStep], UseOnce]
"""The confirmation of a step by the phone of the person who calls; raises CONFIRMATION_NEEDED while there is none."""
