"""Members in DynamoDB.

Table `members`, partition key `pk`; no index. A member is found by what identifies him, never searched.

| Access pattern | Key | Cost |
|---|---|---|
| member by id | `mem_...` | 1 read |
| member by platform account (login) | `identity#platform#app#openid`, then the member | 2 reads |
| member by telephone number | `phone#+86...`, then the member | 2 reads |
| members who are one person (verification, tax) | `person#prs_...`; each carries the others' ids too | 1 read |
| the brand's salt for ID numbers | `salt#person` | 1 read |
| register: account, member, number, inviter | all of them and the network's nodes | 1 transaction |
| nicknames, payees | many `mem_...` | 1 read per 100 |
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    IntegerAttribute,
    JsonAttribute,
    Table,
    Transaction,
)
from cardstock.clock import Clock, from_epoch_ms, to_epoch_ms
from cardstock.errors import STORE_BUSY, STORE_UNAVAILABLE
from cardstock.members import errors
from cardstock.members.model import MEMBER_ID, MOST_MEMBERS, Account, Member, Person, new_salt
from cardstock.members.ports import Members
from cardstock.network import service as positions
from cardstock.network.ports import Network
from cardstock.network.store import bind_into

_ATTEMPTS = 5


class MemberItem(Table):
    """A member."""

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    account = UnicodeAttribute()
    created_at = EpochAttribute()
    nickname = UnicodeAttribute(null=True)
    birth_year = IntegerAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    scene = UnicodeAttribute(null=True)
    person = JsonAttribute(null=True)
    erased_at = EpochAttribute(null=True)
    siblings = JsonAttribute(null=True)


class PointerItem(Table):
    """What leads to a member: a platform account, or a telephone number."""

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    member_id = UnicodeAttribute()


class PersonItem(Table):
    """Which members have been verified as one person."""

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    members = JsonAttribute()


class SaltItem(Table):
    """The brand's salt for ID numbers, in hex. Written once: another one would make strangers of known people."""

    class Meta:
        variable = "MEMBERS_TABLE"

    pk = UnicodeAttribute(hash_key=True, default="salt#person")
    salt = UnicodeAttribute()


class DynamoMembers:
    """`members.ports.Members`."""

    def find(self, member_id: str) -> Member | None:
        item = MemberItem.find(member_id)
        return None if item is None else member_in(item)

    def find_by_account(self, account: Account) -> Member | None:
        return self._behind(account.key)

    def find_by_phone(self, phone: str) -> Member | None:
        return self._behind(_phone_key(phone))

    def _behind(self, key: str) -> Member | None:
        pointer = PointerItem.find(key)
        return None if pointer is None else self.find(pointer.member_id)

    def join(self, member: Member, account: Account, inviter_id: str | None) -> Member:
        for _ in range(_ATTEMPTS):
            try:
                with Transaction() as transaction:
                    _point(transaction, account.key, member.id)
                    transaction.save(_item(member), condition=MemberItem.pk.does_not_exist())
                    if member.phone:
                        _point(transaction, _phone_key(member.phone), member.id)
                    if inviter_id is not None:
                        bind_into(transaction, member.id, inviter_id, member.created_at)
                return member
            except ConditionFailedError as error:
                # Somebody, perhaps this very call before its answer got lost, was first with the account.
                first = self.find_by_account(account) if 0 in error.failed else None
                if first is not None:
                    return first
                if member.phone and 2 in error.failed:
                    raise errors.PHONE_TAKEN() from error
                # What is left is the inviter's position, which moved meanwhile: decide again.
        raise STORE_BUSY()

    def add_account(self, member: Member, account: Account) -> Member:
        if PointerItem(pk=account.key, member_id=member.id).put_if(PointerItem.pk.does_not_exist()):
            return member
        first = self.find_by_account(account)
        if first is None:
            raise STORE_UNAVAILABLE()
        return first

    def add_phone(self, member: Member, phone: str) -> Member:
        try:
            with Transaction() as transaction:
                _point(transaction, _phone_key(phone), member.id)
                transaction.update(
                    MemberItem(pk=member.id),
                    actions=[MemberItem.phone.set(phone)],
                    condition=MemberItem.pk.exists() & MemberItem.phone.does_not_exist(),
                )
        except ConditionFailedError as error:
            stored = self.find(member.id)
            if stored is None or stored.phone != phone:
                raise errors.PHONE_TAKEN() from error
        return self.find(member.id) or member

    def set_profile(self, member_id: str, nickname: str, birth_year: int | None) -> Member | None:
        item = MemberItem(pk=member_id)
        year = MemberItem.birth_year.remove() if birth_year is None else MemberItem.birth_year.set(birth_year)
        there = MemberItem.pk.exists() & MemberItem.erased_at.does_not_exist()
        return member_in(item) if item.update_if([MemberItem.nickname.set(nickname), year], there) else None

    def salt(self) -> bytes:
        for _ in range(2):
            item = SaltItem.find("salt#person")
            if item is not None:
                return bytes.fromhex(item.salt)
            SaltItem(salt=new_salt().hex()).put_if(SaltItem.pk.does_not_exist())
        raise STORE_UNAVAILABLE()

    def set_person(self, member_id: str, person: Person) -> bool:
        key = f"person#{person.id}"
        for _ in range(_ATTEMPTS):
            known = PersonItem.find(key)
            others: list[str] = [] if known is None else known.members
            if member_id in others:
                return False
            if len(others) >= MOST_MEMBERS:
                raise errors.IDENTITY_IN_USE()
            try:
                self._join_person(member_id, person, key, others)
            except ConditionFailedError as error:
                if 1 in error.failed:  # verified before, or erased; who is at 0 has come between
                    return False
            else:
                return True
        raise STORE_BUSY()

    def _join_person(self, member_id: str, person: Person, key: str, others: list[str]) -> None:
        everybody = [*others, member_id]
        with Transaction() as transaction:
            transaction.save(
                PersonItem(pk=key, members=everybody),
                condition=(PersonItem.members == others) if others else PersonItem.pk.does_not_exist(),
            )
            transaction.update(
                MemberItem(pk=member_id),
                actions=[
                    MemberItem.person.set(_person_data(person)),
                    *([MemberItem.siblings.set(others)] if others else []),
                ],
                condition=MemberItem.pk.exists()
                & MemberItem.person.does_not_exist()
                & MemberItem.erased_at.does_not_exist(),
            )
            for other in others:
                transaction.update(
                    MemberItem(pk=other),
                    actions=[MemberItem.siblings.set([one for one in everybody if one != other])],
                    condition=MemberItem.pk.exists(),
                )

    def nicknames_of(self, member_ids: Iterable[str]) -> Mapping[str, str]:
        """`cards.ports.Nicknames`: a member who has no nickname or was erased is absent."""
        found = members_of(member_ids)
        return {key: one.nickname for key, one in found.items() if one.nickname and one.erased_at is None}


class NetworkInviters:
    """`members.ports.Inviters` on the referral network and the keys of cards."""

    def __init__(
        self, *, members: Members, network: Network, owner_of: Callable[[str], str | None], clock: Callable[[], Clock]
    ) -> None:
        self._members = members
        self._network = network
        self._owner_of = owner_of
        self._clock = clock

    def resolve(self, invite: str) -> str | None:
        member_id = invite if MEMBER_ID.fullmatch(invite) else self._owner_of(invite)
        # The network takes every id for a member's: whether there is such a member is asked here.
        member = self._members.find(member_id) if member_id else None
        return member.id if member and member.erased_at is None else None

    def of(self, member_id: str) -> str | None:
        return positions.position(member_id, network=self._network).referrer

    def bind(self, member_id: str, inviter_id: str) -> None:
        positions.bind_inviter(member_id, inviter_id, network=self._network, clock=self._clock())


def members_of(member_ids: Iterable[str]) -> Mapping[str, Member]:
    """Those of the members that exist, erased ones too; one read per hundred, consistent."""
    keys = sorted(set(member_ids))
    return {item.pk: member_in(item) for item in MemberItem.batch_get(keys, consistent_read=True)} if keys else {}


def _point(transaction: Transaction, key: str, member_id: str) -> None:
    transaction.save(PointerItem(pk=key, member_id=member_id), condition=PointerItem.pk.does_not_exist())


def _phone_key(phone: str) -> str:
    return f"phone#{phone}"


def _item(member: Member) -> MemberItem:
    return MemberItem(
        pk=member.id,
        account=member.account,
        created_at=member.created_at,
        nickname=member.nickname or None,
        birth_year=member.birth_year,
        phone=member.phone or None,
        scene=member.scene or None,
        person=None if member.person is None else _person_data(member.person),
        erased_at=member.erased_at,
        siblings=list(member.siblings) or None,
    )


def member_in(item: MemberItem) -> Member:
    """The member that an item holds."""
    return Member(
        id=item.pk,
        account=item.account,
        created_at=item.created_at,
        nickname=item.nickname or "",
        birth_year=item.birth_year,
        phone=item.phone or "",
        scene=item.scene or "",
        person=None if item.person is None else _person(item.person),
        erased_at=item.erased_at,
        siblings=tuple(item.siblings or ()),
    )


def _person_data(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "masked": person.number_masked,
        "hash": person.number_hash,
        "born": person.born.isoformat(),
        "method": person.method,
        "at": to_epoch_ms(person.verified_at),
    }


def _person(data: dict[str, Any]) -> Person:
    return Person(
        name=data["name"],
        number_masked=data["masked"],
        number_hash=data["hash"],
        born=date.fromisoformat(data["born"]),
        method=data["method"],
        verified_at=from_epoch_ms(data["at"]),
    )
