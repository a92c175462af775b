"""Payees with the bank accounts that their money goes to, where the channel pays to bank accounts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from cardstock.payouts.model import Batch
from cardstock.payouts.payees import Balance, DropReason, Payee, refusal
from cardstock.payouts.ports import BankTargets, Payees

BY_BANK: Final = frozenset({"bank_file"})
"""Channels that pay to bank accounts; the others pay to the account of the payee's login platform."""


def find_payees(
    batch: Batch, members: Sequence[str], now: datetime, *, payees: Payees, bank_targets: BankTargets
) -> Mapping[str, Payee]:
    """The members (at most 99) as payees of a batch. One call more where the channel pays to bank accounts."""
    known = payees(members, now)
    if batch.rules.channel not in BY_BANK or not known:
        return known
    targets = bank_targets(list(known), now)
    return {member: replace(payee, bank=targets.get(member)) for member, payee in known.items()}


def payee_refusal(batch: Batch, payee: Payee | None, balance: Balance) -> DropReason | None:
    """Why a batch cannot pay this member now; None if it can."""
    reason = refusal(payee, balance)
    if reason is not None or payee is None or batch.rules.channel not in BY_BANK:
        return reason
    if payee.bank is None:
        return "no_bank_account"
    # An account is set in the verified name as it is written there; that identity may have been taken since.
    return None if payee.bank.holder == payee.name else "holder_differs"
