"""The ledger's steps of a transfer for the transactions of payouts, and reads for whole batches.

| Access pattern | Key | Cost |
|---|---|---|
| members with money or debt | scan of balances | consistent |
| balances by page | scan of balances, after a member | 1 call |
| balances of members | member id | 1 read per 100 |
| bookings of transfer numbers | the ids of their three steps, and of their corrections | 1 read per 33 |
| changes of members in a period | member id / time | 1 query each, six at once |
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from cardstock.aws.pages import read_page
from cardstock.aws.tables import Transaction
from cardstock.ledger.model import Kind, pocket_of, transaction_id
from cardstock.ledger.payout_steps import TransferPosting, claimed, corrected, paid, returned
from cardstock.ledger.statements_store import changes
from cardstock.ledger.store import BalanceItem, LedgerItem, post
from cardstock.money import Fen

_STEP_KINDS: Final[tuple[Kind, ...]] = ("claimed", "paid", "returned")
_KEYS_AT_ONCE: Final = 100
_ALONE: Final = 100
"""Up to this many members are read one after the other: for them threads cost more than they save."""
_SIDE_BY_SIDE: Final = 6


def post_claim(write: Transaction, number: str, member_id: str, gross: Fen, at: datetime) -> None:
    """Add the claim of a transfer: one put, one update. Refused if the member has less, or if it is booked."""
    post(write, claimed(number, member_id, gross, at), covered=True)


def post_paid(write: Transaction, number: str, member_id: str, at: datetime, *, net: Fen, tax: Fen) -> None:
    """Add the end of a paid transfer: one put, one update. Refused if it is booked."""
    post(write, paid(number, member_id, net, tax, at), covered=True)


def post_returned(write: Transaction, number: str, member_id: str, gross: Fen, at: datetime) -> None:
    """Add the end of a transfer whose money is returned: one put, one update. Refused if it is booked."""
    post(write, returned(number, member_id, gross, at), covered=True)


def post_correction(
    write: Transaction, cause: str, member_id: str, at: datetime, *,
    net: Fen, tax: Fen, arrived: bool, approved_by: tuple[str, str],
) -> None:  # fmt: skip
    """Add the correction of a transfer's end (`payout_steps.corrected`): one put, one update. Refused if it is booked.
    Available money may go below zero; what was paid and withheld may not."""
    booked = corrected(cause, member_id, net, tax, at, arrived=arrived, approved_by=approved_by)
    post(write, booked, covered=not arrived)


def open_balances() -> Iterator[tuple[str, Fen]]:
    """Every member whose available money is not zero, and the amount; in no order."""
    # Not `!= 0`: that holds for an item without the attribute too, as one with frozen money alone is.
    some = (BalanceItem.available > 0) | (BalanceItem.available < 0)
    for found in BalanceItem.scan(filter_condition=some, consistent_read=True):
        yield found.pk, found.available


def balance_page(limit: int, after: str | None) -> tuple[list[tuple[str, Fen]], str | None]:
    """Up to `limit` balances after a member, in the order of the table, and after which member there are more."""
    start = None if after is None else {"pk": after}
    found, last = read_page(BalanceItem.scan, limit=limit, start=start, consistent_read=True)
    return [(item.pk, item.available) for item in found], None if last is None else last.pk


def paid_before(member_ids: Sequence[str]) -> frozenset[str]:
    """Those of the members who were ever paid out."""
    found = BalanceItem.batch_get(sorted(set(member_ids)), consistent_read=True)
    return frozenset(item.pk for item in found if item.paid or item.withheld)


def available_of(member_ids: Sequence[str]) -> Mapping[str, Fen]:
    """The available fen of each of the members that has a balance."""
    found = BalanceItem.batch_get(sorted(set(member_ids)), consistent_read=True)
    return {item.pk: item.available for item in found}


def postings_of_transfers(numbers: Sequence[str], corrections: Sequence[str]) -> Iterator[TransferPosting]:
    """All postings of the transfer numbers, and of the causes of `corrections`."""
    keys = [transaction_id(kind, number) for number in numbers for kind in _STEP_KINDS]
    keys += [transaction_id("corrected", cause) for cause in corrections]
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        for item in LedgerItem.batch_get(keys[start : start + _KEYS_AT_ONCE], consistent_read=True):
            for posting in item.postings:
                member_id, pocket = pocket_of(posting.account) or ("", "")
                yield TransferPosting(member_id, item.at, item.id, item.kind, item.cause, pocket, posting.amount)


def changes_of_members(member_ids: Sequence[str], since: datetime | None, until: datetime) -> Iterator[TransferPosting]:
    """Changes of the members' money from `since` until `until` except transfers, in the order of the members."""

    def read(member_id: str) -> list[TransferPosting]:
        return [
            TransferPosting(member_id, at, entry, kind, cause, pocket, amount)
            for at, entry, kind, cause, change in changes(member_id, since, until)
            for pocket, amount in change.items()
        ]

    if len(member_ids) <= _ALONE:
        for member_id in member_ids:
            yield from read(member_id)
        return
    # One query for each member, which mostly waits for the network: several run at once.
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for found in pool.map(read, member_ids):
            yield from found
