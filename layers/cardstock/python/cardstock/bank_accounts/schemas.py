"""Bank accounts as JSON. Numbers are masked, except in `RevealedNumber`."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from cardstock.bank_accounts import errors
from cardstock.bank_accounts.model import BankAccount, Change, Holding, Notice
from cardstock.bank_accounts.setting import WantedAccount
from cardstock.clock import rfc3339
from cardstock.edge.fields import MemberId, Moment, NextCursor, PersonId
from cardstock.edge.http import LINE, Model
from cardstock.errors import CONSENT_MISSING, MEMBER_ERASED, NOT_FOUND, REASON_MISSING

SETTING_CODES = (
    CONSENT_MISSING,
    MEMBER_ERASED,
    errors.ACCOUNT_NUMBER_INVALID,
    errors.HOLDER_UNVERIFIED,
    errors.HOLDER_DIFFERS,
    errors.BANK_ACCOUNT_CHANGED,
)
DECISION_CODES = (
    NOT_FOUND,
    errors.PERSON_NEEDED_TO_CONFIRM,
    REASON_MISSING,
    errors.HOLDER_DIFFERS,
    errors.NO_OPEN_CHANGE,
    errors.BANK_ACCOUNT_CHANGED,
)
REVEAL_CODES = (NOT_FOUND, REASON_MISSING)

_MASKED = "Number of the account, masked: its last four digits."
AccountId = Annotated[
    str,
    Meta(description="Opaque id of an account; starts with `bac_`.", examples=["bac_01kbdxdh50fcazdjhcnqh2rzv5"]),
]


class PutBankAccount(Model):
    """Where the member wants to be paid."""

    holder: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            pattern=LINE,
            description="Holder of the account: the member's verified name.",
            examples=["张伟"],
        ),
    ]
    number: Annotated[
        str,
        Meta(
            min_length=8,
            max_length=64,
            description="Number of the account; groups, hyphens and full-width digits are understood.",
            examples=["6222 0212 3456 7894"],
        ),
    ]
    bank: Annotated[
        str,
        Meta(min_length=2, max_length=64, pattern=LINE, description="Name of the bank.", examples=["中国工商银行"]),
    ]
    branch: Annotated[
        str,
        Meta(
            min_length=2,
            max_length=64,
            pattern=LINE,
            description="Name of the branch that keeps the account.",
            examples=["杭州西湖支行"],
        ),
    ]

    def wanted(self) -> WantedAccount:
        """What the member wants, for `set_account`."""
        return WantedAccount(self.holder.strip(), self.number, self.bank.strip(), self.branch.strip())


class DecideChange(Model):
    """A decision about a change."""

    account_id: AccountId
    decision: Annotated[
        Literal["confirm", "refuse"], Meta(description="Whether money may go there once the wait is over.")
    ]
    reason: (
        Annotated[
            str,
            Meta(
                max_length=200,
                description="Why; needed to refuse.",
                examples=["Confirmed with the member by telephone"],
            ),
        ]
        | None
    ) = None


class RevealNumber(Model):
    """Why somebody needs the whole number."""

    reason: Annotated[
        str, Meta(min_length=1, max_length=200, description="Why; kept for ever.", examples=["The bank asks about it"])
    ]


class BankAccountView(Model):
    """A bank account, masked."""

    account_id: AccountId
    holder: Annotated[str, Meta(description="Holder of the account.", examples=["张伟"])]
    number_masked: Annotated[str, Meta(description=_MASKED, examples=["**** 7894"])]
    bank: Annotated[str, Meta(description="Name of the bank.", examples=["中国工商银行"])]
    branch: Annotated[str, Meta(description="Name of the branch.", examples=["杭州西湖支行"])]
    set_at: Annotated[Moment, Meta(description="When the member set it.")]

    @classmethod
    def of(cls, account: BankAccount) -> BankAccountView:
        return cls(
            account.account_id, account.holder, account.masked, account.bank, account.branch, rfc3339(account.set_at)
        )


class BankAccountChange(Model):
    """An account that is not in force yet, or was refused."""

    account: Annotated[BankAccountView, Meta(description="Account that shall take the place of the one in force.")]
    state: Annotated[
        str,
        Meta(
            description="`waiting` for a person of the staff, `confirmed`, or `refused`.",
            examples=["waiting"],
        ),
    ]
    effective_at: Annotated[Moment, Meta(description="No money goes there before; then only if it is confirmed.")]
    decided_by: Annotated[PersonId | None, Meta(description="Person who decided; null for a first account.")]
    decided_at: Annotated[Moment | None, Meta(description="When; null before.")]
    reason: Annotated[
        str | None, Meta(description="Why it was refused; null otherwise.", examples=["The member did not ask for it"])
    ]

    @classmethod
    def of(cls, change: Change) -> BankAccountChange:
        decided = None if change.decided_at is None else rfc3339(change.decided_at)
        return cls(
            BankAccountView.of(change.account), change.state, rfc3339(change.effective_at), change.decided_by, decided,
            change.reason,
        )  # fmt: skip


class BankAccountNotice(Model):
    """Notices about the account, and to whom."""

    what: Annotated[
        str,
        Meta(description="`set` (a first account), `changed`, `confirmed` or `refused`.", examples=["changed"]),
    ]
    at: Annotated[Moment, Meta(description="When.")]
    contact: Annotated[str, Meta(description="Contact that was known then, masked.", examples=["+86138****8000"])]
    number_masked: Annotated[str, Meta(description=_MASKED, examples=["**** 7894"])]

    @classmethod
    def of(cls, notice: Notice) -> BankAccountNotice:
        return cls(notice.kind, rfc3339(notice.at), notice.contact, notice.masked)


class BankAccounts(Model):
    """A member's bank accounts."""

    member_id: MemberId
    in_force: Annotated[
        BankAccountView | None, Meta(description="The account that money goes to now; null if there is none.")
    ]
    change: Annotated[
        BankAccountChange | None, Meta(description="The last change, unless it is in force; null if there is none.")
    ]
    notices: Annotated[list[BankAccountNotice], Meta(description="Notices about it, newest first.")]

    @classmethod
    def of(cls, holding: Holding, now: datetime) -> BankAccounts:
        in_force, change = holding.in_force(now), holding.change
        shown = change if change is not None and (in_force is None or change.account != in_force) else None
        return cls(
            holding.member_id,
            None if in_force is None else BankAccountView.of(in_force),
            None if shown is None else BankAccountChange.of(shown),
            [BankAccountNotice.of(notice) for notice in reversed(holding.notices)],
        )


class WaitingChanges(Model):
    """Members whose change waits for a person of the staff."""

    items: Annotated[list[BankAccounts], Meta(description="Accounts with a change that waits, by member.")]
    next_cursor: NextCursor


class RevealedNumber(Model):
    """A whole number; who asked, when and why is on record."""

    member_id: MemberId
    number: Annotated[str, Meta(description="Number of the account in force, whole.", examples=["6222021234567894"])]
