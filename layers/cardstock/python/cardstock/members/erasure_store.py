"""Erasures of closed accounts in DynamoDB, beside the members (`store`).

| Access pattern | Key | Cost |
|---|---|---|
| erasures that may go on | `by_day`: `erasing`, this year's, the last year's | 3 queries, and 1 RCU for each |
| erasure | `erasing#mem_...`; put by the closing | 2 WCU |
| an account, union id or number that leads nowhere any more | its pointer, `former#...` | 1 transaction, 6 WCU |
| a verified name and the link between siblings | `person#...`, the member, each sibling | 1 transaction |

Each step may be repeated. What it has changed it does not find again.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.update import Action

from cardstock.aws.items import fields_of, record_of
from cardstock.aws.tables import ConditionFailedError, ExpiryAttribute, Table, Transaction
from cardstock.clock import brand_day
from cardstock.errors import STORE_BUSY
from cardstock.members.erasure_model import NEAR, Erasure
from cardstock.members.item_store import ErasureItem, MemberItem, PersonItem, PointerItem, erasure_key
from cardstock.members.store import part_siblings

_ATTEMPTS: Final = 5


class _Expiring(Table):
    """Any item about a member that goes at a moment."""

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    expires_at = ExpiryAttribute(null=True)


class DynamoErasures:
    """`members.ports.Erasures`."""

    def due_erasures(self, now: datetime) -> Iterator[Erasure]:
        year = brand_day(now).year
        for day_key in (_SOON, _of_year(year - 1), _of_year(year)):
            for key in [item.id for item in MemberItem.by_day.query(day_key)]:
                item = ErasureItem.find(key)
                if item is not None and item.next_at <= now:
                    yield record_of(Erasure, item)

    def go_on_at(self, erasure: Erasure, now: datetime) -> None:
        far = erasure.next_at - now > NEAR
        day_key = _of_year(brand_day(erasure.next_at).year) if far else _SOON
        ErasureItem(erasure_key(erasure.member_id), day_key=day_key, **fields_of(erasure, ErasureItem)).save()

    def finish(self, member_id: str) -> None:
        ErasureItem(erasure_key(member_id)).delete()

    def forget_pointer(self, key: str, member_id: str, former: str, until: datetime) -> None:
        with suppress(ConditionFailedError), Transaction() as transaction:
            transaction.delete(PointerItem(key), condition=PointerItem.member_id == member_id)
            transaction.save(PointerItem(former, member_id=member_id, expires_at=until))

    def expire(self, key: str, at: datetime) -> None:
        _Expiring(key).update_if([_Expiring.expires_at.set(at)], _Expiring.pk.exists())

    def forget_account(self, member_id: str) -> None:
        gone: list[Action] = [
            MemberItem.account.set(""),
            MemberItem.consents.remove(),
            MemberItem.account_consent.remove(),
        ]
        MemberItem(member_id).update_if(gone, MemberItem.erased_at.exists())

    def forget_person(self, member_id: str) -> None:
        for _ in range(_ATTEMPTS):
            member = MemberItem.find(member_id)
            if member is None or member.person is None:
                return
            key = f"person#{member.person.id}"
            known = PersonItem.find(key)
            if _part(key, member_id, known.members if known else None):
                return
        raise STORE_BUSY()


_SOON: Final = "erasing"


def _of_year(year: int) -> str:
    return f"erasing.{year}"


def _part(key: str, member_id: str, before: list[str] | None) -> bool:
    """Whether the member is nobody now, and the others stay the same person without being siblings of the member."""
    try:
        with Transaction() as transaction:
            transaction.update(
                MemberItem(member_id),
                [MemberItem.person.remove(), MemberItem.siblings.remove()],
                condition=MemberItem.erased_at.exists(),
            )
            part_siblings(transaction, key, member_id, before, MemberItem.former.add({member_id}))
    except ConditionFailedError:
        return False
    return True
