"""The ports of the members area in memory."""

from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from cardstock.clock import brand_day
from cardstock.errors import INVITER_BOUND, INVITER_HAS_REFERRED, INVITER_SELF, Refusal
from cardstock.members.errors import IDENTITY_IN_USE, PHONE_TAKEN
from cardstock.members.model import MOST_MEMBERS, Account, Member, Person


class MemoryInviters:
    """`members.ports.Inviters`. `cards`: members by the key of their card. `refusal` is what the network says to every
    binding."""

    def __init__(self, members: "MemoryMembers", refusal: Refusal | None = None) -> None:
        self.members = members
        self.cards: dict[str, str] = {}
        self.inviters: dict[str, str] = {}
        self.refusal = refusal

    def member_behind(self, invite: str) -> str | None:
        member = self.members.find_member(self.cards.get(invite, invite))
        return member.id if member and member.state != "erased" else None

    def inviter_of(self, member_id: str) -> str | None:
        return self.inviters.get(member_id)

    def bind_inviter(self, member_id: str, inviter_id: str) -> None:
        if self.refusal is not None:
            raise self.refusal()
        if inviter_id == member_id:
            raise INVITER_SELF()
        bound = self.inviters.get(member_id)
        if bound not in (None, inviter_id):
            raise INVITER_BOUND()
        if bound is None and member_id in self.inviters.values():
            raise INVITER_HAS_REFERRED()
        self.inviters[member_id] = inviter_id


class MemoryMembers:
    """`members.ports.Members`. What a registration binds, it binds in `inviters`."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.accounts: dict[str, str] = {}
        self.phones: dict[str, str] = {}
        self.persons: dict[str, list[str]] = {}
        self.inviters = MemoryInviters(self)

    def find_member(self, member_id: str) -> Member | None:
        return self.members.get(member_id)

    def find_member_by_account(self, account: Account) -> Member | None:
        return self.members.get(self.accounts.get(account.key, ""))

    def find_member_by_phone(self, phone: str) -> Member | None:
        return self.members.get(self.phones.get(phone, ""))

    def register_member(self, member: Member, account: Account, inviter_id: str | None) -> Member:
        if account.key in self.accounts:
            return self.members[self.accounts[account.key]]
        if member.phone in self.phones:
            raise PHONE_TAKEN()
        if inviter_id is not None:
            self.inviters.bind_inviter(member.id, inviter_id)
        self.members[member.id] = member
        self.accounts[account.key] = member.id
        if member.phone:
            self.phones[member.phone] = member.id
        return member

    def members_of_day(self, day: date, limit: int, after: str | None) -> tuple[Sequence[Member], str | None]:
        ids = sorted((key for key, one in self.members.items() if brand_day(one.created_at) == day), reverse=True)
        rest = [each for each in ids if after is None or each < after]
        return [self.members[each] for each in rest[:limit]], rest[limit - 1] if len(rest) > limit else None

    def add_account(self, member: Member, account: Account) -> Member:
        return self.members[self.accounts.setdefault(account.key, member.id)]

    def add_phone(self, member: Member, phone: str) -> Member:
        stored = self.members[member.id]
        if stored.phone != phone:
            if phone in self.phones or stored.phone:
                raise PHONE_TAKEN()
            self.phones[phone] = member.id
            self.members[member.id] = replace(stored, phone=phone)
        return self.members[member.id]

    def change_profile(self, member_id: str, nickname: str, birth_year: int | None) -> Member | None:
        stored = self.members.get(member_id)
        if stored is None or stored.state == "erased":
            return None
        self.members[member_id] = replace(stored, nickname=nickname, birth_year=birth_year)
        return self.members[member_id]

    def identity_salt(self) -> bytes:
        return b"the brand's own"

    def add_person(self, member_id: str, person: Person) -> bool:
        others = self.persons.setdefault(person.id, [])
        if member_id in others:
            return False
        if len(others) >= MOST_MEMBERS:
            raise IDENTITY_IN_USE()
        if self.members[member_id].state != "registered":
            return False
        self.members[member_id] = replace(self.members[member_id], person=person, state="verified")
        others.append(member_id)
        for one in others:
            siblings = tuple(other for other in others if other != one)
            self.members[one] = replace(self.members[one], siblings=siblings)
        return True
