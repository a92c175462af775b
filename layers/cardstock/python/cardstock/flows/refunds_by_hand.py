"""Paying a refused refund by hand: to an account in the payer's own verified name, and to no other."""

from collections.abc import Callable

import msgspec

from cardstock.bank_accounts.errors import HOLDER_DIFFERS
from cardstock.bank_accounts.model import mask
from cardstock.bank_accounts.numbers import checked_number
from cardstock.bank_accounts.setting import plain_name
from cardstock.errors import Pointer
from cardstock.members.model import Member, Person, mask_name
from cardstock.open_items import errors
from cardstock.open_items.model import OpenItem, Outcome, PaidTo


class NamedAccount(msgspec.Struct, frozen=True):
    """The account that a person of the staff names."""

    holder: str
    number: str
    bank: str


def paid_to(
    item: OpenItem,
    outcome: Outcome,
    account: NamedAccount | None,
    actor: str,
    find_member: Callable[[str], Member | None],
) -> PaidTo | None:
    """Where the money of an item goes, masked; None where its outcome pays none.

    The first person names the account, and may name another one until a second person has cleared the item. Who comes
    second sees it, and may leave it out. The person of the account on record is compared again: the payer may be
    verified as somebody else since. Raises `RefusedError` (ACCOUNT_NEEDED, ACCOUNT_NOT_NEEDED, PAYEE_UNVERIFIED,
    HOLDER_DIFFERS), `InvalidError` (ACCOUNT_NUMBER_INVALID) and `ConflictError` (ACCOUNT_DIFFERS).
    """
    if (item.kind, outcome) != ("refund_refused", "paid_another_way"):
        if account is not None:
            raise errors.ACCOUNT_NOT_NEEDED(pointers=(Pointer("/account", "ACCOUNT_NOT_NEEDED"),))
        return None
    requested = item.requested
    if requested is not None and requested.by != actor and requested.outcome != outcome:
        return None  # refused for that
    on_record = None if requested is None else requested.paid_to
    if account is None:
        if on_record is None:
            raise errors.ACCOUNT_NEEDED(pointers=(Pointer("/account", "ACCOUNT_NEEDED"),))
        _require_same(on_record, _verified(item, find_member))
        return on_record
    person = _verified(item, find_member)
    name = person.name
    number = checked_number(account.number, "/account/number")
    if plain_name(account.holder) != plain_name(name):
        raise HOLDER_DIFFERS(pointers=(Pointer("/account/holder", "HOLDER_DIFFERS"),))
    named = PaidTo(mask_name(name), mask(number), account.bank.strip(), person.id)
    if requested is not None and requested.by != actor and requested.outcome == outcome and named != on_record:
        if on_record is None:
            raise errors.ACCOUNT_NEEDED(pointers=(Pointer("/account", "ACCOUNT_NEEDED"),))
        _require_same(on_record, person)
        raise errors.ACCOUNT_DIFFERS(number=on_record.number, pointers=(Pointer("/account", "ACCOUNT_DIFFERS"),))
    return named


def _require_same(on_record: PaidTo, person: Person) -> None:
    if on_record.person != person.id:
        raise HOLDER_DIFFERS(pointers=(Pointer("/account/holder", "HOLDER_DIFFERS"),))


def _verified(item: OpenItem, find_member: Callable[[str], Member | None]) -> Person:
    member = find_member(item.member_id) if item.member_id else None
    if member is None or member.person is None:
        raise errors.PAYEE_UNVERIFIED()
    return member.person
