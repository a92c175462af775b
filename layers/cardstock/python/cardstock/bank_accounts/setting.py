"""What a member does with a bank account: set it, and see it masked."""

import unicodedata

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.approving import UseOnce
from cardstock.bank_accounts import errors
from cardstock.bank_accounts.model import (
    NOTICES_KEPT,
    WAIT,
    BankAccount,
    Change,
    ChangeState,
    Holding,
    Notice,
    NoticeKind,
    mask,
)
from cardstock.bank_accounts.numbers import checked_number
from cardstock.bank_accounts.ports import Accounts, Tell, Vault
from cardstock.errors import Pointer
from cardstock.ids import derived_id


class Owner(msgspec.Struct, frozen=True):
    """The member whose account it is. `person` is the verified name, None before; `contact` is masked."""

    member_id: str
    person: str | None
    contact: str


class WantedAccount(msgspec.Struct, frozen=True):
    """What a member says."""

    holder: str
    number: str
    bank: str
    branch: str


class AccountNeeds(msgspec.Struct, frozen=True):
    """The ports of the verbs."""

    accounts: Accounts
    vault: Vault
    tell: Tell


def set_account(owner: Owner, wanted: WantedAccount, needs: AccountNeeds, use: UseOnce | None = None) -> Holding:
    """The member's accounts with the wanted one as change. The same account again changes nothing.

    `use` becomes part of the transaction. It is announced before it is stored: a member whose contact could not be
    notified keeps the old account. After a removal the next account waits for a person, as a change does. Raises
    `InvalidError` (ACCOUNT_NUMBER_INVALID), `RefusedError` (HOLDER_UNVERIFIED, HOLDER_DIFFERS), `ConflictError`
    (BANK_ACCOUNT_CHANGED).
    """
    number = checked_number(wanted.number)
    if owner.person is None:
        raise errors.HOLDER_UNVERIFIED()
    if plain_name(wanted.holder) != plain_name(owner.person):
        raise errors.HOLDER_DIFFERS(pointers=(Pointer("/holder", "HOLDER_DIFFERS"),))
    now = clock.now()
    holding = needs.accounts.find_holding(owner.member_id)
    in_force, change = holding.in_force(now), holding.open_change(now)
    wanted = replace(wanted, holder=owner.person)
    if _is_same(change.account if change is not None else in_force, wanted, number, needs.vault, owner.member_id):
        return holding
    account_id = derived_id("bac", owner.member_id, str(holding.version))
    key_id, sealed = needs.vault.seal(number, context(owner.member_id, account_id))
    account = BankAccount(account_id, owner.person, mask(number), wanted.bank, wanted.branch, sealed, key_id, now)
    is_first = in_force is None and holding.removed_at is None
    kind: NoticeKind = "set" if is_first else "changed"
    state: ChangeState = "confirmed" if is_first else "waiting"
    changed = replace(holding, current=in_force, change=Change(account, state, now + WAIT))
    return needs.accounts.replace(with_notice(changed, kind, account, owner.contact, needs.tell), use)


def with_notice(holding: Holding, kind: NoticeKind, account: BankAccount, contact: str, tell: Tell) -> Holding:
    """The accounts with a notice of what is announced now."""
    event_id = tell(kind, holding, account, contact)
    notice = Notice(event_id, kind, clock.now(), contact, account.masked)
    return replace(holding, notices=(*holding.notices, notice)[-NOTICES_KEPT:])


def context(member_id: str, account_id: str) -> str:
    """What an encrypted number is bound to."""
    return f"{member_id}/{account_id}"


def plain_name(name: str) -> str:
    """A name for comparing: without blanks, narrow, in one case."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def _is_same(known: BankAccount | None, wanted: WantedAccount, number: str, vault: Vault, member_id: str) -> bool:
    if known is None or (known.holder, known.bank, known.branch) != (wanted.holder, wanted.bank, wanted.branch):
        return False
    return vault.open(known.sealed, known.key_id, context(member_id, known.account_id)) == number
