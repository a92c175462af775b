"""Members as payees: whether they can be paid, and where their money goes."""

from typing import Literal, TypeAlias

import msgspec

from cardstock.money import Fen

DropReason: TypeAlias = Literal[
    "under_minimum",  # there is money, but less than is paid out
    "nothing_left",
    "debt",
    "former_debt",  # a closed account of the same person owes
    "hold",
    "unverified",
    "unverifiable",  # not verified, and nothing here verifies anybody
    "under_age",
    "consent_withdrawn",  # to the identity check, which payouts need
    "erased",
    "under_channel_minimum",
    "over_channel_maximum",
    "account_unsuitable",  # the channel cannot pay to the payee's account
    "no_bank_account",  # the channel pays to bank accounts, and none of the payee's is in force
    "holder_differs",  # the bank account is in the name of somebody who the payee is not any more
    "disputed",  # a transfer of the person has contradicting results that nobody has cleared
    "attempt_open",  # an earlier attempt was paid late, or is not final
]


class BankTarget(msgspec.Struct, frozen=True):
    """The bank account that a line goes to. `sealed` is its number, encrypted under `key_id`: what it was when the line
    was sent stays, whatever the payee changes later."""

    account_id: str
    holder: str
    masked: str
    bank: str
    branch: str
    sealed: str
    key_id: str


class Payee(msgspec.Struct, frozen=True):
    """A member as a payee."""

    member: str
    name: str
    account: str
    verified: bool
    of_age: bool
    hold: bool = False
    erased: bool = False
    person: str = ""
    """Id of the verified person: the same for all members of one person."""
    id_number: str = ""
    """Masked."""
    siblings: tuple[str, ...] = ()
    """The other members of the same person."""
    group: str = ""
    """The group of members who said of each other that they are one person; empty without one."""
    consent_withdrawn: bool = False
    """Whether the member has withdrawn the consent to the identity check."""
    verifiable: bool = True
    """Whether anything here verifies identities."""
    former_debt: bool = False
    """Whether a closed account of the same person owes."""
    bank: BankTarget | None = None
    """The bank account in force; read only where the channel pays to bank accounts."""


class Balance(msgspec.Struct, frozen=True):
    """A member's available balance. Below zero it is a debt, which blocks payout."""

    member: str
    available: Fen


def refusal(payee: Payee | None, balance: Balance) -> DropReason | None:
    """Why this member cannot be paid now; None if they can. Checked when a batch is listed and when a line is sent."""
    if payee is None or payee.erased:
        return "erased"
    if payee.hold:
        return "hold"
    if not payee.verified:
        return "unverified" if payee.verifiable else "unverifiable"
    if not payee.of_age:
        return "under_age"
    if payee.consent_withdrawn:
        return "consent_withdrawn"
    former: DropReason | None = "former_debt" if payee.former_debt else None
    return "debt" if balance.available < 0 else former
