"""Bank accounts and other areas: whose account it is, telling about a change, and where a payout goes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from cardstock import clock
from cardstock.bank_accounts.deciding import Decider, decide_change
from cardstock.bank_accounts.events import BankAccountChanged
from cardstock.bank_accounts.model import BankAccount, ChangeState, Holding, NoticeKind
from cardstock.bank_accounts.ports import Accounts, Vault
from cardstock.bank_accounts.setting import AccountNeeds, Owner, WantedAccount, context, set_account
from cardstock.clock import rfc3339
from cardstock.errors import NOT_FOUND
from cardstock.flows.announcing import EventPublisher, event
from cardstock.members import profile
from cardstock.members.consent_model import Versions
from cardstock.members.consents import require_consent
from cardstock.members.model import Member, mask_phone
from cardstock.members.ports import Members
from cardstock.payouts.payees import BankTarget

CHANGED = "bank_account.changed"


class BankAccountNeeds(msgspec.Struct, frozen=True):
    """The ports of these flows."""

    members: Members
    versions: Versions
    accounts: Accounts
    vault: Vault
    publisher: Callable[[], EventPublisher]
    """Asked for only when something is announced."""


def set_bank_account(member_id: str, wanted: WantedAccount, needs: BankAccountNeeds) -> Holding:
    """`set_account` for the caller, who agrees to it now and when it is stored. Raises `UnauthorizedError`
    (MEMBER_ERASED), `RefusedError` (CONSENT_MISSING), and what it raises."""
    member = profile.find_caller(member_id, members=needs.members)
    require_consent(member, "bank_account", needs.versions)
    return set_account(_owner(member), wanted, _account_needs(needs), needs.members.unchanged_consents(member))


def decide_bank_account(  # noqa: PLR0917 - the address of a change has two parts
    member_id: str, account_id: str, state: ChangeState, reason: str | None, decider: Decider, needs: BankAccountNeeds
) -> Holding:
    """`decide_change`, with a notice to the member's contact. Raises `NotFoundError`, and what it raises."""
    member = needs.members.find_member(member_id)
    if member is None:
        raise NOT_FOUND()
    return decide_change(_owner(member), account_id, state, reason, decider, _account_needs(needs))


def contact_of(member: Member) -> str:
    """How the member can be reached, masked: the telephone, or the platform of the first login."""
    return mask_phone(member.phone) or member.account.partition(":")[0]


def _owner(member: Member) -> Owner:
    return Owner(member.id, None if member.person is None else member.person.name, contact_of(member))


def _account_needs(needs: BankAccountNeeds) -> AccountNeeds:
    def tell(kind: NoticeKind, holding: Holding, account: BankAccount, contact: str) -> str:
        old = holding.in_force(clock.now())
        data = BankAccountChanged(
            holding.member_id,
            account.account_id,
            kind,
            account.bank,
            account.masked,
            contact,
            rfc3339(holding.change.effective_at if holding.change is not None else account.set_at),
            msgspec.UNSET if old is None else old.masked,
        )
        message = event(CHANGED, holding.member_id, clock.now(), data, cause=f"{account.account_id} {kind}")
        needs.publisher().send([message])
        return message.id

    return AccountNeeds(needs.accounts, needs.vault, tell)


class BankTargets:
    """`payouts.ports.BankTargets`."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def __call__(self, members: Sequence[str], now: datetime) -> Mapping[str, BankTarget]:
        found = self._accounts.find_holdings(members)
        in_force = {member: holding.in_force(now) for member, holding in found.items()}
        return {member: _target(account) for member, account in in_force.items() if account is not None}


class OpenChanges:
    """`payouts.ports.OpenChanges`."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def __call__(self, members: Sequence[str], now: datetime) -> Mapping[str, datetime]:
        found = self._accounts.find_holdings(members)
        changes = {member: holding.open_change(now) for member, holding in found.items()}
        return {member: change.effective_at for member, change in changes.items() if change is not None}


def opened_number(member: str, target: BankTarget, vault: Vault) -> str:
    """The whole number, for the bank file."""
    return vault.open(target.sealed, target.key_id, context(member, target.account_id))


def _target(account: BankAccount) -> BankTarget:
    return BankTarget(
        account.account_id, account.holder, account.masked, account.bank, account.branch, account.sealed, account.key_id
    )
