"""The event about bank accounts as the brand's subscribers get it."""

from msgspec import UNSET, UnsetType

from cardstock.events import EventData


class BankAccountChanged(EventData, frozen=True):
    """`bank_account.changed`: tell the member at `contact`, the one that was known before.

    Numbers and contact are masked. `what` is `set` (a first account), `changed`, `confirmed` or `refused`.
    """

    member_id: str
    account_id: str
    what: str
    bank: str
    number_masked: str
    contact: str
    effective_at: str
    old_number_masked: str | UnsetType = UNSET
