"""The ports of the members area in memory."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from msgspec.structs import replace

from cardstock import clock
from cardstock.bank_accounts.errors import BANK_ACCOUNT_CHANGED
from cardstock.clock import brand_day
from cardstock.errors import INVITER_BOUND, INVITER_HAS_REFERRED, INVITER_SELF, Refusal
from cardstock.limits import Use
from cardstock.members.closing_model import ClosingRequest
from cardstock.members.consent_model import Consent, Purpose, changed
from cardstock.members.errors import IDENTITY_IN_USE
from cardstock.members.merge_model import Group, MergeCode
from cardstock.members.model import MOST_MEMBERS, Member, Person, phone_key
from cardstock.members.ports import MergeStep
from cardstock.members.session_model import (
    MOST_SESSIONS,
    REFRESH_LIFETIME,
    Arrival,
    Closer,
    Invited,
    Known,
    Leads,
    Outcome,
    PhoneChange,
    Session,
    Turn,
)
from tests.people.memory_network import MemoryNetwork


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


class MemorySessions:
    """`members.ports.Sessions`."""

    def __init__(self, members: "MemoryMembers") -> None:
        self._members = members
        self.sessions: dict[str, Session] = {}
        self.exchanged: set[str] = set()
        self.refused: set[str] = set()

    def start(self, session: Session) -> None:
        """A log-in's session; the oldest ends if there is no place."""
        own = sorted(each.id for each in self.sessions_of(session.member_id))
        for ended in own[: max(0, len(own) + 1 - MOST_SESSIONS)]:
            del self.sessions[ended]
        self.sessions[session.id] = session

    def sessions_of(self, member_id: str) -> Sequence[Session]:
        return [each for each in self.sessions.values() if each.member_id == member_id]

    def use_number(self, member_id: str, session_id: str, number: int, now: datetime, agreed: int) -> Outcome:
        if self._gone(member_id):
            return "erased"
        if not self._agreed(member_id, agreed):
            return "lapsed"
        found = self._own(member_id, session_id)
        if found is None:
            return None
        if found.number == number:
            found = replace(found, number=number + 1, used_at=now, expires_at=now + REFRESH_LIFETIME)
            self.sessions[session_id] = found
        return Turn(found.number, found.used_at)

    def adopt(self, session: Session, agreed: int) -> Outcome:
        if self._gone(session.member_id):
            return "erased"
        if not self._agreed(session.member_id, agreed):
            return "lapsed"
        found = self._own(session.member_id, session.id)
        if found is None:
            if session.id in self.exchanged or session.member_id in self.refused:
                return None
            self.exchanged.add(session.id)
            self.start(session)
            found = session
        return Turn(found.number, found.used_at)

    def refuse_earlier(self, member_id: str, now: datetime) -> None:
        self.refused.add(member_id)

    def end(self, member_id: str, session_id: str) -> bool:
        return self._own(member_id, session_id) is not None and self.sessions.pop(session_id) is not None

    def end_all(self, member_id: str, now: datetime) -> None:
        for each in self.sessions_of(member_id):
            del self.sessions[each.id]
        self.refuse_earlier(member_id, now)

    def _own(self, member_id: str, session_id: str) -> Session | None:
        found = self.sessions.get(session_id)
        return found if found is not None and found.member_id == member_id else None

    def _agreed(self, member_id: str, version: int) -> bool:
        said = self._members.members[member_id].consents.get("account")
        return said is not None and said.granted and said.version >= version

    def _gone(self, member_id: str) -> bool:
        member = self._members.find_member(member_id)
        return member is None or member.state == "erased"


class MemoryMembers:
    """`members.ports.Members`. What a registration binds, it binds in `inviters`."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.accounts: dict[str, str] = {}
        self.persons: dict[str, list[str]] = {}
        self.phone_moves: dict[str, str] = {}
        self.counters = Counter[str]()
        self.records: list[tuple[str, Purpose, Consent, str]] = []
        self.closing_requests: dict[str, ClosingRequest] = {}
        self.inviters = MemoryInviters(self)
        self.sessions = MemorySessions(self)

    def find_member(self, member_id: str) -> Member | None:
        return self.members.get(member_id)

    def find_with_session(self, member_id: str, session_id: str) -> tuple[Member | None, bool]:
        known = [each.id for each in self.sessions.sessions_of(member_id) if clock.now() < each.expires_at]
        return self.members.get(member_id), not session_id or session_id in known

    def find_member_by_phone(self, phone: str) -> Member | None:
        return self.members.get(self.accounts.get(phone_key(phone), ""))

    def look_up(self, keys: Collection[str], invite: str | None = None, uses: Collection[Use] = ()) -> Leads:
        inviter_id = self.inviters.member_behind(invite) if invite else None
        owners = {key: self.accounts[key] for key in keys if key in self.accounts}
        over = tuple(use for use in uses if self._is_over(use, clock.now()))
        return Leads(owners, Invited(inviter_id) if inviter_id else None, over)

    def look_closer(
        self, member_id: str | None, phone: str = "", invited: Invited | None = None, *, former: str = ""
    ) -> Closer:
        member = self.members.get(member_id or "")
        places = frozenset(each.id for each in self.sessions.sessions_of(member_id or ""))
        known = Known(member, self.inviters.inviters.get(member.id), places) if member else None
        return Closer(known, self.accounts.get(phone_key(phone)), invited, former=self.accounts.get(former))

    def enter(self, arrival: Arrival) -> bool:
        member = arrival.known.member
        if not arrival.is_new and arrival.consents is not None:
            kept = self.members[member.id]
            if kept.state == "erased" or kept.consents != member.consents:
                return False
        if any(key in self.accounts for key in arrival.accounts):
            return False
        if arrival.phone and self.members[member.id].phone:
            return False
        if not self._still(arrival):
            return False
        now = arrival.session.made_at
        for use in arrival.uses:
            if self._is_over(use, now):
                raise use.limit.refusal(now)
        if arrival.invited is not None:
            self.inviters.bind_inviter(member.id, arrival.invited.inviter_id)
        if arrival.phone_from is not None:
            loser = replace(
                self.members[arrival.phone_from], phone="", phone_at=None, phone_claimed=False, joining_until=None
            )
            self.members[loser.id] = replace(loser, phone_lost=arrival.lost)
            self.accounts[phone_key(arrival.member.phone)] = member.id
            self.phone_moves[f"phone-move#{arrival.session.id}"] = loser.id
        if arrival.is_new or arrival.phone or arrival.join or arrival.former or arrival.consents is not None:
            self.members[member.id] = arrival.member
        self.accounts |= dict.fromkeys(arrival.accounts, member.id)
        self.sessions.start(arrival.session)
        self.count_refused(arrival.uses, now)
        return True

    def _still(self, arrival: Arrival) -> bool:
        """Whether the number is where the log-in has found it, and may be used as it wants to."""
        phone, loser = arrival.member.phone, arrival.phone_from
        if loser is not None and (self.accounts.get(phone_key(phone)) != loser or self.members[loser].phone != phone):
            return False
        if loser is not None and self.members[loser].staff_link:
            return False
        if arrival.join is None:
            return True
        now = self.members[arrival.known.member.id]
        empty = now.person is None and not now.group
        allowed = now.lets_join(arrival.session.made_at) if arrival.join == "confirmed" else empty
        return now.state != "erased" and not now.staff_link and now.phone == phone and allowed

    def change_phone(self, change: PhoneChange) -> bool:
        member, loser = self.members[change.member.id], self.members.get(change.phone_from or "")
        if member.state == "erased" or member.staff_link or member.phone != change.member.phone:
            return False
        if self.accounts.get(phone_key(change.phone)) != change.phone_from:
            return False
        if loser is not None and (loser.phone != change.phone or loser.staff_link):
            return False
        for use in change.uses:
            if self._is_over(use, change.at):
                raise use.limit.refusal(change.at)
        if loser is not None:
            self.members[loser.id] = replace(
                loser, phone="", phone_at=None, phone_claimed=False, joining_until=None,
                phone_lost=change.lost(change.phone),
            )  # fmt: skip
            self.phone_moves[f"phone-move#{change.id}"] = loser.id
        if member.phone:
            del self.accounts[phone_key(member.phone)]
            self.phone_moves[f"phone-move#{change.id}-own"] = member.id
        self.accounts[phone_key(change.phone)] = member.id
        self.members[member.id] = change.after
        self.count_refused(change.uses, change.at)
        return True

    def open_joining(self, member_id: str, until: datetime) -> bool:
        member = self.members.get(member_id)
        if member is None or member.state == "erased" or member.staff_link or not member.phone:
            return False
        self.members[member_id] = replace(member, joining_until=until)
        return True

    def count_refused(self, uses: Collection[Use], now: datetime) -> None:
        for use in uses:
            if not self._is_over(use, now):
                self.counters[use.limit.key(use.who, now)] += 1

    def _is_over(self, use: Use, now: datetime) -> bool:
        return self.counters[use.limit.key(use.who, now)] >= use.limit.most

    def keys_of(self, member_id: str) -> Iterator[str]:
        moves = (key for key, loser in self.phone_moves.items() if loser == member_id)
        return iter(sorted([*(key for key, owner in self.accounts.items() if owner == member_id), *moves]))

    def members_of_day(self, day: date, limit: int, after: str | None) -> tuple[Sequence[Member], str | None]:
        ids = sorted((key for key, one in self.members.items() if brand_day(one.created_at) == day), reverse=True)
        rest = [each for each in ids if after is None or each < after]
        return [self.members[each] for each in rest[:limit]], rest[limit - 1] if len(rest) > limit else None

    def change_profile(self, member_id: str, nickname: str, birth_year: int | None) -> Member | None:
        stored = self.members.get(member_id)
        if stored is None or stored.state == "erased":
            return None
        self.members[member_id] = replace(stored, nickname=nickname, birth_year=birth_year)
        return self.members[member_id]

    def change_consents(
        self, member: Member, consents: Mapping[Purpose, Consent], app: str, *steps: Callable[[None], None]
    ) -> bool:
        kept = self.members.get(member.id)
        if kept is None or kept.state == "erased" or kept.consents != member.consents:
            return False
        for purpose, said in changed(member.consents, consents).items():
            self.records.append((member.id, purpose, said, app))
        self.members[member.id] = replace(kept, consents=consents)
        for step in steps:
            step(None)
        return True

    def unchanged_consents(self, member: Member) -> Callable[[None], None]:
        def check(_transaction: None) -> None:
            kept = self.members[member.id]
            if (kept.consents, kept.taken_identities) != (member.consents, member.taken_identities):
                raise BANK_ACCOUNT_CHANGED()

        return check

    def find_members(self, member_ids: Collection[str]) -> Mapping[str, Member]:
        return {key: self.members[key] for key in member_ids if key in self.members}

    def begin_closing(self, request: ClosingRequest) -> bool:
        member = self.members.get(request.member_id)
        if member is None or member.state == "erased" or member.staff_link:
            return False
        self.members[member.id] = replace(member, closing_at=member.closing_at or request.asked_at)
        self.closing_requests[member.id] = request
        return True

    def closing_step(
        self, member: Member, now: datetime, former: str = "", request: ClosingRequest | None = None
    ) -> Callable[[], bool]:
        def close() -> bool:
            kept = self.members[member.id]
            if kept.state == "erased" or kept.staff_link or kept.phone != member.phone:
                return False
            asked = self.closing_requests.get(member.id)
            if request is not None and (asked is None or asked.give_up != request.give_up):
                return False
            self.closing_requests.pop(member.id, None)
            self.members[member.id] = replace(
                kept, state="erased", erased_at=now, nickname="", birth_year=None, scene="", phone="", phone_at=None,
                phone_claimed=False, phone_lost=None, joining_until=None,
            )  # fmt: skip
            if self.accounts.pop(phone_key(member.phone), None) and former:
                self.accounts[former] = member.id
            return True

        return close

    def identity_salt(self) -> bytes:
        return b"the brand's own"

    def add_person(self, member_id: str, person: Person, consents: Mapping[Purpose, Consent] | None = None) -> bool:
        if consents is not None and self.members[member_id].consents != consents:
            return False
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

    def identity_taken(self, member: Member) -> Callable[[None], None]:
        def take(_transaction: None) -> None:
            assert member.person is not None
            others = self.persons[member.person.id]
            others.remove(member.id)
            taken = (*member.taken_identities, member.person.id)
            self.members[member.id] = replace(
                self.members[member.id], person=None, siblings=(), state="registered", taken_identities=taken
            )
            for one in others:
                siblings = tuple(other for other in others if other != one)
                self.members[one] = replace(self.members[one], siblings=siblings)

        return take


class MemoryClosingRequests:
    """`members.ports.ClosingRequests`, beside the members of the same memory."""

    def __init__(self, members: MemoryMembers) -> None:
        self._requests = members.closing_requests

    def waiting_members(self) -> Sequence[str]:
        return list(self._requests)

    def find_request(self, member_id: str) -> ClosingRequest | None:
        return self._requests.get(member_id)


class MemoryHoldings:
    """`members.ports.Holdings`. `since`: when each member who has something got it."""

    def __init__(self) -> None:
        self.since: dict[str, datetime] = {}
        self.asked = 0

    def has_holdings(self, member_id: str, since: datetime) -> bool:
        self.asked += 1
        return self.since.get(member_id, datetime.min.replace(tzinfo=UTC)) >= since


class MemoryMerges:
    """`members.ports.Merges`, beside the members and the network of the same memory."""

    def __init__(self, members: "MemoryMembers", network: MemoryNetwork) -> None:
        self._members, self._network = members.members, network
        self.codes: dict[str, MergeCode] = {}
        self.newest: dict[str, str] = {}
        self.groups: dict[str, Group] = {}

    def put_code(self, code: MergeCode) -> None:
        self.codes[code.digest] = code
        self.newest[code.member_id] = code.digest

    def find_code(self, digest: str) -> MergeCode | None:
        code = self.codes.get(digest)
        return code if code is not None and (code.used_by or self.newest[code.member_id] == digest) else None

    def find_group(self, group_id: str) -> Group | None:
        return self.groups.get(group_id)

    def find_members(self, member_ids: Collection[str]) -> Mapping[str, Member]:
        return {member_id: self._members[member_id] for member_id in member_ids if member_id in self._members}

    def commit(self, step: MergeStep) -> bool:
        code, group = step.code, step.group
        if code is not None and self.codes.get(code.digest) != replace(code, used_by=""):
            return False
        if code is not None and self.newest[code.member_id] != code.digest:
            return False
        if group is not None and (self.groups.get(group.id) or Group(group.id, ())).version != group.version:
            return False
        for member_id, before in step.before.items():
            now = self._members[member_id]
            if now.group != before.group:
                return False
            gone = now.state == "erased" and before.state != "erased"
            if code is not None and not now.group and (now.staff_link or gone):
                return False
        if not self._network.commit_change(step.change):
            return False
        if code is not None:
            self.codes[code.digest] = code
        if group is not None and len(group.members) > 1:
            self.groups[group.id] = replace(group, version=group.version + 1)
        elif group is not None:
            self.groups.pop(group.id, None)
        for member_id, after in step.after.items():
            now = self._members[member_id]
            self._members[member_id] = replace(now, group=after.group, same_person=after.same_person)
        return True
