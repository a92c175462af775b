"""What the staff does: confirm or refuse a change, and see a whole number with a reason on record."""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.approving import Confirm, MoneyStep
from cardstock.bank_accounts import errors
from cardstock.bank_accounts.model import TRANSITIONS, ChangeState, Holding, NoticeKind, Reveal
from cardstock.bank_accounts.ports import Accounts, Vault
from cardstock.bank_accounts.setting import AccountNeeds, Owner, context, with_notice
from cardstock.errors import NOT_FOUND, REASON_MISSING


class Decider(msgspec.Struct, frozen=True):
    """A person of the staff. `person_id` is None for the root key and for suppliers, who decide nothing."""

    person_id: str | None
    is_active: Callable[[str], bool]
    """Whether this is a person who may decide."""
    confirm: Confirm
    """Asks the phone of the person."""


def decide_change(  # noqa: PLR0917 - the address of a change has two parts
    owner: Owner, account_id: str, state: ChangeState, reason: str | None, decider: Decider, needs: AccountNeeds
) -> Holding:
    """Confirm or refuse the change to `account_id`. The same decision again changes nothing.

    A confirmed change can be refused until it is in force: the contact that was notified may object within the wait.
    The person's phone confirms what is confirmed, and nothing that is refused. Raises `RefusedError`
    (PERSON_NEEDED_TO_CONFIRM, REASON_MISSING for a refusal without one, HOLDER_DIFFERS for a confirmation when the
    holder is not whom the owner is verified as today), `NotFoundError`, `ConflictError` (NO_OPEN_CHANGE,
    BANK_ACCOUNT_CHANGED), and what `confirm` raises.
    """
    if decider.person_id is None or not decider.is_active(decider.person_id):
        raise errors.PERSON_NEEDED_TO_CONFIRM()
    if state == "refused" and not (reason or "").strip():
        raise REASON_MISSING()
    now, holding = clock.now(), needs.accounts.find_holding(owner.member_id)
    change = holding.change
    if change is None or change.account.account_id != account_id:
        raise NOT_FOUND() if change is None else errors.NO_OPEN_CHANGE()
    if change.state == state:
        return holding
    if state not in TRANSITIONS[change.state] or holding.open_change(now) is None:
        raise errors.NO_OPEN_CHANGE()
    use = None
    if state == "confirmed":
        if change.account.holder != owner.person:
            raise errors.HOLDER_DIFFERS()
        use = decider.confirm(MoneyStep("confirm_bank_account", account_id, str(holding.version), count=1))
    decided = replace(change, state=state, decided_by=decider.person_id, decided_at=now, reason=reason)
    kind: NoticeKind = "confirmed" if state == "confirmed" else "refused"
    changed = with_notice(replace(holding, change=decided), kind, change.account, owner.contact, needs.tell)
    return needs.accounts.replace(changed, use)


def reveal_number(member_id: str, actor: str, reason: str, accounts: Accounts, vault: Vault) -> str:
    """The whole number of the account in force. Who saw it and why is stored first. Raises `NotFoundError`,
    `RefusedError` (REASON_MISSING)."""
    if not reason.strip():
        raise REASON_MISSING()
    now = clock.now()
    account = accounts.find_holding(member_id).in_force(now)
    if account is None:
        raise NOT_FOUND()
    accounts.add_reveal(Reveal(member_id, account.account_id, actor, now, reason))
    return vault.open(account.sealed, account.key_id, context(member_id, account.account_id))
