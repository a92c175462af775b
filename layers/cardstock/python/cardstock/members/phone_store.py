"""Telephone numbers in the table `members`: which member each leads to, and the record of each move."""

from collections.abc import Sequence
from typing import NamedTuple

from pynamodb.expressions.update import Action

from cardstock.aws.tables import Transaction
from cardstock.members.item_store import NOT_ERASED, NOT_STAFF, MemberItem, PhoneMoveItem, PointerItem
from cardstock.members.model import LostPhone, phone_key
from cardstock.members.session_model import PhoneChange
from cardstock.retention import THREE_YEARS


class MovedPhone(NamedTuple):
    """That a number moved: `to_id` is `from_id` where the member took another number."""

    id: str
    from_id: str
    to_id: str
    lost: LostPhone
    app: str


def _record_of_move(moved: MovedPhone) -> PhoneMoveItem:
    # No number and no openid: the item outlives both accounts.
    item = PhoneMoveItem(f"phone-move#{moved.id}", masked=moved.lost.masked, at=moved.lost.at)
    item.from_member, item.to_member, item.account = moved.from_id, moved.to_id, moved.app
    item.member_id, item.expires_at = moved.from_id, moved.lost.at + THREE_YEARS
    return item


def move_phone(transaction: Transaction, phone: str, moved: MovedPhone) -> None:
    """Add that the number leads to another member, and that the one who loses it is notified."""
    transaction.save(_record_of_move(moved))
    transaction.update(
        PointerItem(pk=phone_key(phone)),
        [PointerItem.member_id.set(moved.to_id)],
        condition=PointerItem.member_id == moved.from_id,
    )
    losing: list[Action] = [
        MemberItem.phone.remove(),
        MemberItem.phone_at.remove(),
        MemberItem.phone_claimed.remove(),
        MemberItem.joining_until.remove(),
        MemberItem.phone_lost.set(moved.lost),
    ]
    transaction.update(MemberItem(id=moved.from_id), losing, condition=(MemberItem.phone == phone) & NOT_STAFF)


def add_phone_change(transaction: Transaction, change: PhoneChange) -> None:
    """Add what a change of the number writes: the old one leads nowhere any more, the new one to the member."""
    member, after = change.member, change.after
    if change.phone_from is None:
        pointer = PointerItem(pk=phone_key(change.phone), member_id=member.id)
        transaction.save(pointer, condition=PointerItem.pk.does_not_exist())
    else:
        lost = change.lost(change.phone)
        moved = MovedPhone(change.id, change.phone_from, member.id, lost, change.app)
        move_phone(transaction, change.phone, moved)
    if member.phone:
        own = PointerItem.member_id == member.id
        transaction.delete(PointerItem(pk=phone_key(member.phone)), condition=own)
        given_up = MovedPhone(f"{change.id}-own", member.id, member.id, change.lost(member.phone), change.app)
        transaction.save(_record_of_move(given_up))
    same = (MemberItem.phone == member.phone) if member.phone else MemberItem.phone.does_not_exist()
    claimed = MemberItem.phone_claimed.set(True) if after.phone_claimed else MemberItem.phone_claimed.remove()
    actions: list[Action] = [
        MemberItem.phone.set(change.phone), MemberItem.phone_at.set(change.at), claimed,
        MemberItem.phone_lost.remove(), MemberItem.joining_until.remove(),
    ]  # fmt: skip
    if change.former is not None:
        actions.append(MemberItem.former.add({change.former}))
    there = MemberItem.id.exists() & NOT_ERASED & NOT_STAFF & same
    transaction.update(MemberItem(id=member.id), actions, condition=there)


def lost_phones(keys: Sequence[str]) -> list[LostPhone]:
    """What the moves of telephone numbers with these keys say to who lost them. Consistent; one read per hundred."""
    found = PhoneMoveItem.batch_get(keys, consistent_read=True) if keys else ()
    return sorted(
        (LostPhone(item.masked or "", item.account.partition(":")[0], item.at) for item in found),
        key=lambda one: one.at,
    )
