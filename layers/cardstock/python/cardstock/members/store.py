"""Members in DynamoDB.

Table `members`, partition key `pk`. A member is found by id, account or telephone number, never searched. Index
`by_day` (`day_key`, `pk`), keys only: members by the day of their registration (`aws.days`). Index `by_member`
(`member_id`, `pk`), keys only: every item about a member beside the member's own, which carries `member_id`. Items with
`expires_at` go some time after it.

| Access pattern | Key | Cost |
|---|---|---|
| member by id | `mem_...` | 1 read |
| log-in: whose account, union id and invite are | `identity#...`, `union#...`; `network`, `cards` | 1 read |
| log-in: member, whose the number is, inviter | `mem_...`, `phone#...`; `network`, `sessions` | 1 read, or none |
| log-in: what is new of account, union id, number, member, inviter; the session | all of them | 1 transaction |
| log-in with consents: also a record of each | `consent#mem_...#<milliseconds>#<purpose>` | in that transaction |
| a consent given or withdrawn: member and record | both | 1 transaction |
| log-in that takes a number from another member | also both members, `phone-move#...` | in that transaction |
| a change of the number: the member, both numbers, `phone-move#...`, the counter | all of them | 1 transaction |
| member by telephone number | `phone#+86...`, then the member | 2 reads |
| members who are one person (verification, tax) | `person#prs_...`; each carries the others' ids too | 1 read |
| the brand's salt for identity numbers | `salt#person` | 1 read |
| members who registered on a day, newest first | 4 queries of `by_day`, then one read | 12 RCU for a page of 20 |
| a closing is asked for | the member, `closing#mem_...` | 1 transaction, 4 WCU and the index |
| what is kept about a member | query of `by_member` | 0.5 RCU for 40 keys |
| members of a list (visitors, consents, payees) | many `mem_...` | 1 read per 100 |
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from typing import Final

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from cardstock import clock
from cardstock.aws.counters import CountStep, once_more
from cardstock.aws.days import day_key, newest_ids
from cardstock.aws.items import fields_of
from cardstock.aws.tables import (
    ConditionFailedError,
    Table,
    Transaction,
    get_together,
)
from cardstock.cards.store import owner_in, owner_key
from cardstock.clock import to_epoch_ms
from cardstock.errors import STORE_BUSY, STORE_UNAVAILABLE, UnavailableError
from cardstock.limits import Use
from cardstock.members import errors
from cardstock.members.closing_model import ClosingRequest
from cardstock.members.consent_model import Consent, ConsentRecord, Purpose, changed, known_purpose
from cardstock.members.erasure_model import FORMER_KEPT, first_erasure
from cardstock.members.item_store import (
    NOT_ERASED,
    NOT_STAFF,
    ByDay,
    ClosingRequestItem,
    ConsentItem,
    ErasureItem,
    MemberItem,
    PersonItem,
    PointerItem,
    SaltItem,
    account_version,
    closing_key,
    erasure_key,
    member_in,
    member_item,
    members_of,
)
from cardstock.members.model import MEMBER_ID, MOST_MEMBERS, Member, Person, new_salt, phone_key
from cardstock.members.phone_store import MovedPhone, add_phone_change, move_phone
from cardstock.members.session_model import Arrival, Closer, Invited, Known, Leads, PhoneChange
from cardstock.members.session_store import COUNTER, PLACES, LogInCounter, PlacesItem, SessionItem, start_session
from cardstock.network.store import BindingStep, NetworkItem, position_keys, read_position

_ATTEMPTS = 5


class DynamoMembers:
    """`members.ports.Members`."""

    def find_member(self, member_id: str) -> Member | None:
        item = MemberItem.find(member_id)
        return None if item is None else member_in(item)

    def find_with_session(self, member_id: str, session_id: str) -> tuple[Member | None, bool]:
        wanted: dict[type[Table], list[tuple[str, ...]]] = {MemberItem: [(member_id,)]}
        if session_id:
            wanted[SessionItem] = [(member_id, session_id)]
        found = list(get_together(wanted))
        member = next((member_in(item) for item in found if isinstance(item, MemberItem)), None)
        ends = [item.expires_at for item in found if isinstance(item, SessionItem)]
        return member, not session_id or any(clock.now() < at for at in ends)

    def find_member_by_phone(self, phone: str) -> Member | None:
        pointer = PointerItem.find(phone_key(phone))
        return None if pointer is None else self.find_member(pointer.member_id)

    def look_up(self, keys: Collection[str], invite: str | None = None, uses: Collection[Use] = ()) -> Leads:
        now = clock.now()
        counters = {use.limit.key(use.who, now): use for use in uses}
        wanted: dict[type[Table], list[tuple[str, ...]]] = {
            PointerItem: [(key,) for key in keys],
            LogInCounter: [(key, COUNTER) for key in counters],
        }
        invited = Invited(invite) if invite and MEMBER_ID.fullmatch(invite) else None
        if invited:
            wanted |= _inviter_keys(invited.inviter_id)
        elif invite:
            shape, key = owner_key(invite)
            wanted[shape] = [key]
        found = list(get_together(wanted))
        owners = _owners_in(found)
        counted = [(counters[item.pk], item.n) for item in found if isinstance(item, LogInCounter)]
        over = tuple(use for use, n in counted if n >= use.limit.most)
        if invited:
            return Leads(owners, _inviter_in(found, invited), over)
        owner_id = next(filter(None, map(owner_in, found)), None)
        return Leads(owners, Invited(owner_id) if owner_id else None, over)

    def look_closer(
        self, member_id: str | None, phone: str = "", invited: Invited | None = None, *, former: str = ""
    ) -> Closer:
        wanted: dict[type[Table], list[tuple[str, ...]]] = {MemberItem: [], NetworkItem: []}
        if invited and invited.place is None:
            wanted |= _inviter_keys(invited.inviter_id)
        if member_id:
            wanted[MemberItem] += [(member_id,)]
            wanted[NetworkItem] += position_keys(member_id, plan=invited is not None)
            wanted[PlacesItem] = [(member_id, PLACES)]
        if phone:
            wanted[PointerItem] = [(key,) for key in (phone_key(phone), former) if key]
        found = list(get_together(wanted))
        if invited and invited.place is None:
            invited = _inviter_in(found, invited)
        owners = _owners_in(found)
        return Closer(_known_in(found, member_id), owners.get(phone_key(phone)), invited, former=owners.get(former))

    def enter(self, arrival: Arrival) -> bool:
        step, now = _binding_of(arrival), arrival.session.made_at
        while True:
            checks = ended = 0
            counters: list[CountStep] = []
            try:
                with Transaction() as transaction:
                    ended = _add_arrival(transaction, arrival)
                    checks = step.add_to(transaction) if step else 0
                    for use in arrival.uses:
                        counter = LogInCounter(use.limit.key(use.who, now))
                        counters.append(CountStep(transaction, counter, use.limit, now))
            except ConditionFailedError as error:
                if step and step.learn(error.failed):
                    continue
                # Nobody else knows the id of this session: this very call has written it, before its answer got lost.
                if checks + ended in error.failed:
                    return True
                for each in counters:
                    if each.was_over(error):
                        raise each.limit.refusal(now) from error
                return False
            return True

    def change_phone(self, change: PhoneChange) -> bool:
        counters: list[CountStep] = []
        try:
            with Transaction() as transaction:
                add_phone_change(transaction, change)
                for use in change.uses:
                    counter = LogInCounter(use.limit.key(use.who, change.at))
                    counters.append(CountStep(transaction, counter, use.limit, change.at))
        except ConditionFailedError as error:
            for each in counters:
                if each.was_over(error):
                    raise each.limit.refusal(change.at) from error
            return False
        return True

    def open_joining(self, member_id: str, until: datetime) -> bool:
        there = MemberItem.id.exists() & NOT_ERASED & NOT_STAFF & MemberItem.phone.exists()
        return MemberItem(id=member_id).update_if([MemberItem.joining_until.set(until)], there)

    def count_refused(self, uses: Collection[Use], now: datetime) -> None:
        for use in uses:
            actions, free = once_more(LogInCounter, use.limit, now)
            with suppress(UnavailableError):
                LogInCounter(use.limit.key(use.who, now)).update_if(actions, free)

    def keys_of(self, member_id: str) -> Iterator[str]:
        return (item.id for item in MemberItem.by_member.query(member_id))

    def members_of_day(self, day: date, limit: int, after: str | None) -> tuple[Sequence[Member], str | None]:
        ids, last = newest_ids(_newest_of, day, limit, after)
        found = members_of(ids)
        return [found[member_id] for member_id in ids if member_id in found], last

    def change_profile(self, member_id: str, nickname: str, birth_year: int | None) -> Member | None:
        item = MemberItem(id=member_id)
        year = MemberItem.birth_year.remove() if birth_year is None else MemberItem.birth_year.set(birth_year)
        there = MemberItem.id.exists() & NOT_ERASED
        return member_in(item) if item.update_if([MemberItem.nickname.set(nickname), year], there) else None

    def change_consents(
        self, member: Member, consents: Mapping[Purpose, Consent], app: str, *steps: Callable[[Transaction], None]
    ) -> bool:
        try:
            with Transaction() as transaction:
                if consents is member.consents:
                    self.unchanged_consents(member)(transaction)
                else:
                    actions = _add_consents(transaction, member, consents, app)
                    there = MemberItem.id.exists() & NOT_ERASED & _said(member.consents)
                    transaction.update(MemberItem(id=member.id), actions, condition=there)
                for step in steps:
                    step(transaction)
        except ConditionFailedError:
            return False
        return True

    def unchanged_consents(self, member: Member) -> Callable[[Transaction], None]:
        there = MemberItem.id.exists() & NOT_ERASED & _said(member.consents) & _as_taken(member)
        return lambda transaction: transaction.condition_check(MemberItem, member.id, condition=there)

    def find_members(self, member_ids: Collection[str]) -> Mapping[str, Member]:
        return members_of(member_ids)

    def begin_closing(self, request: ClosingRequest) -> bool:
        member_id = request.member_id
        kept = ClosingRequestItem(closing_key(member_id), **fields_of(request, ClosingRequestItem))
        first = MemberItem.closing_at.set(MemberItem.closing_at | request.asked_at)
        free = MemberItem.id.exists() & NOT_ERASED & NOT_STAFF
        try:
            with Transaction() as transaction:
                transaction.save(kept)
                transaction.update(MemberItem(id=member_id), [first], condition=free)
        except ConditionFailedError:
            return False
        return True

    def closing_step(
        self, member: Member, now: datetime, former: str = "", request: ClosingRequest | None = None
    ) -> Callable[[Transaction], None]:
        return partial(_close, member, now, former, request)

    def identity_salt(self) -> bytes:
        for _ in range(2):
            item = SaltItem.find("salt#person")
            if item is not None:
                return bytes.fromhex(item.salt)
            SaltItem(salt=new_salt().hex()).put_if(SaltItem.pk.does_not_exist())
        raise STORE_UNAVAILABLE()

    def add_person(self, member_id: str, person: Person, consents: Mapping[Purpose, Consent] | None = None) -> bool:
        there = MemberItem.id.exists() & MemberItem.person.does_not_exist() & NOT_ERASED
        if consents is not None:
            there &= _said(consents)
        key = f"person#{person.id}"
        for _ in range(_ATTEMPTS):
            known = PersonItem.find(key)
            others: list[str] = [] if known is None else known.members
            if member_id in others:
                return False
            if len(others) >= MOST_MEMBERS:
                raise errors.IDENTITY_IN_USE()
            try:
                self._connect_siblings(member_id, person, there, others)
            except ConditionFailedError as error:
                if 1 in error.failed:  # verified before, erased, or other consents; at 0 another member came between
                    return False
            else:
                return True
        raise STORE_BUSY()

    def identity_taken(self, member: Member) -> Callable[[Transaction], None]:
        assert member.person is not None
        key = f"person#{member.person.id}"
        known = PersonItem.find(key)
        return partial(_take_identity, member, member.person, None if known is None else list(known.members))

    def _connect_siblings(self, member_id: str, person: Person, there: Condition, others: list[str]) -> None:
        key, everybody = f"person#{person.id}", [*others, member_id]
        with Transaction() as transaction:
            transaction.save(
                PersonItem(pk=key, members=everybody),
                condition=(PersonItem.members == others) if others else PersonItem.pk.does_not_exist(),
            )
            transaction.update(
                MemberItem(id=member_id),
                actions=[
                    MemberItem.person.set(person),
                    MemberItem.state.set("verified"),
                    *([MemberItem.siblings.set(tuple(others))] if others else []),
                ],
                condition=there,
            )
            for other in others:
                transaction.update(
                    MemberItem(id=other),
                    actions=[MemberItem.siblings.set(tuple(one for one in everybody if one != other))],
                    condition=MemberItem.id.exists(),
                )


def part_siblings(transaction: Transaction, key: str, member_id: str, before: list[str] | None, *more: Action) -> None:
    """Add that the member is not one of the `before`, who are the person under `key`: the others are siblings of each
    other alone. `more` is stored with each of them."""
    others = [other for other in before or () if other != member_id]
    if before is not None and others:
        transaction.update(PersonItem(key), [PersonItem.members.set(others)], PersonItem.members == before)
    elif before is not None:
        transaction.delete(PersonItem(key), condition=PersonItem.members == before)
    for other in others:
        siblings = tuple(one for one in others if one != other)
        rest = MemberItem.siblings.set(siblings) if siblings else MemberItem.siblings.remove()
        transaction.update(MemberItem(id=other), [rest, *more], condition=MemberItem.id.exists())


def _take_identity(member: Member, person: Person, before: list[str] | None, transaction: Transaction) -> None:
    erased = member.state == "erased"
    there = MemberItem.person.exists() & (MemberItem.erased_at.exists() if erased else NOT_ERASED)
    taken = MemberItem.taken_identities.set((*member.taken_identities, person.id))
    registered = () if erased else (MemberItem.state.set("registered"),)
    transaction.update(
        MemberItem(id=member.id),
        actions=[MemberItem.person.remove(), MemberItem.siblings.remove(), taken, *registered],
        condition=there,
    )
    part_siblings(transaction, f"person#{person.id}", member.id, before)


def _as_taken(member: Member) -> Condition:
    """The condition that no identity was taken from the member since the member was read."""
    taken = MemberItem.taken_identities
    return (taken == member.taken_identities) if member.taken_identities else taken.does_not_exist()


def _said(consents: Mapping[Purpose, Consent]) -> Condition:
    """The condition that these are the member's consents."""
    return (MemberItem.consents == dict(consents)) if consents else MemberItem.consents.does_not_exist()


def _add_consents(
    transaction: Transaction, member: Member, consents: Mapping[Purpose, Consent], app: str
) -> list[Action]:
    """Add a record of each consent that differs from the member's; the actions that store them on the member."""
    for purpose, said in changed(member.consents, consents).items():
        record = ConsentItem(f"consent#{member.id}#{to_epoch_ms(said.at):013}#{purpose}", member_id=member.id)
        record.version, record.granted, record.at = said.version, said.granted, said.at
        record.account = app
        transaction.save(record, condition=ConsentItem.pk.does_not_exist())
    agreed = account_version(consents)
    version = MemberItem.account_consent.set(agreed) if agreed else MemberItem.account_consent.remove()
    return [MemberItem.consents.set(dict(consents)), version]


def _add_arrival(transaction: Transaction, arrival: Arrival) -> int:
    """Add what a log-in writes beside the binding; returns the number of deletes."""
    member, phone, now = arrival.known.member, arrival.phone, arrival.session.made_at
    ended = start_session(transaction, arrival.session, arrival.known.session_ids)
    there = MemberItem.id.exists() & NOT_ERASED
    actions: list[Action] = []
    if arrival.consents is not None:
        actions = _add_consents(transaction, member, arrival.consents, arrival.session.app)
        there &= _said(member.consents)
    for key in arrival.accounts:
        transaction.save(PointerItem(pk=key, member_id=member.id), condition=PointerItem.pk.does_not_exist())
    if arrival.phone_from is not None:
        moved = phone or member.phone
        record = MovedPhone(arrival.session.id, arrival.phone_from, member.id, arrival.lost, arrival.session.app)
        move_phone(transaction, moved, record)
    if arrival.is_new:
        transaction.save(member_item(arrival.member), condition=MemberItem.id.does_not_exist())
        return ended
    if phone:
        there &= MemberItem.phone.does_not_exist()
        claimed = MemberItem.phone_claimed.set(True) if arrival.claimed else MemberItem.phone_claimed.remove()
        actions += [MemberItem.phone.set(phone), MemberItem.phone_at.set(now), claimed, MemberItem.phone_lost.remove()]
    elif arrival.join is not None:
        empty = MemberItem.person.does_not_exist() & MemberItem.group.does_not_exist()
        allowed = MemberItem.joining_until > now if arrival.join == "confirmed" else empty
        there &= NOT_STAFF & (MemberItem.phone == member.phone) & allowed
        actions += [MemberItem.joining_until.remove(), *(() if arrival.claimed else (MemberItem.phone_at.set(now),))]
    if arrival.former:
        actions.append(MemberItem.former.add(set(arrival.former)))
    if actions:
        transaction.update(MemberItem(id=member.id), actions, condition=there)
    return ended


_FORGOTTEN: Final = (
    MemberItem.nickname, MemberItem.birth_year, MemberItem.scene, MemberItem.phone, MemberItem.phone_at,
    MemberItem.phone_claimed, MemberItem.phone_lost, MemberItem.joining_until,
)  # fmt: skip
"""What nobody needs of a member whose account is closed. Who was verified stays: tax was withheld from that person."""


def _close(
    member: Member, now: datetime, former: str, request: ClosingRequest | None, transaction: Transaction
) -> None:
    """Add that the member is erased, if the number is still the one that was read and leads nowhere any more, if the
    request is still the one that was read, and what the erasure begins with."""
    number = (MemberItem.phone == member.phone) if member.phone else MemberItem.phone.does_not_exist()
    transaction.update(
        MemberItem(id=member.id),
        [MemberItem.state.set("erased"), MemberItem.erased_at.set(now), *(name.remove() for name in _FORGOTTEN)],
        condition=MemberItem.id.exists() & NOT_ERASED & NOT_STAFF & number,
    )
    if member.phone:
        own = PointerItem.member_id == member.id
        transaction.delete(PointerItem(pk=phone_key(member.phone)), condition=own)
        if former:
            transaction.save(PointerItem(former, member_id=member.id, expires_at=now + FORMER_KEPT))
    transaction.delete(ClosingRequestItem(closing_key(member.id)), condition=None if request is None else _is(request))
    erasure = first_erasure(member.id, now)
    transaction.save(ErasureItem(erasure_key(member.id), **fields_of(erasure, ErasureItem)))


def _is(request: ClosingRequest) -> Condition:
    """The condition that the member's last word is this one."""
    said = ClosingRequestItem.give_up
    same: Condition = said.does_not_exist() if request.give_up is None else said == request.give_up
    condition: Condition = ClosingRequestItem.pk.exists() & same
    return condition


def link_to_staff(transaction: Transaction, member_id: str, person_id: str) -> None:
    """Add the update that links the member with a person of the staff; its condition: the member exists, was not
    erased, does not close the account, and is linked with nobody."""
    transaction.update(
        MemberItem(id=member_id),
        [MemberItem.staff_link.set(person_id), MemberItem.was_staff.set(True)],
        condition=MemberItem.id.exists() & NOT_ERASED & MemberItem.closing_at.does_not_exist() & NOT_STAFF,
        return_values="ALL_OLD",
    )


def release_from_staff(transaction: Transaction, member_id: str, person_id: str) -> None:
    """Add the update that ends the member's link with the person; its condition: there is this link."""
    transaction.update(
        MemberItem(id=member_id), [MemberItem.staff_link.remove()], condition=MemberItem.staff_link == person_id
    )


def _inviter_keys(inviter_id: str) -> dict[type[Table], list[tuple[str, ...]]]:
    return {MemberItem: [(inviter_id,)], NetworkItem: [*position_keys(inviter_id)]}


def _inviter_in(found: Sequence[Table], invited: Invited) -> Invited | None:
    """The inviter with the place that was read; None if that is no member, or an erased one."""
    inviter_id = invited.inviter_id
    member = next((item for item in found if isinstance(item, MemberItem) and item.id == inviter_id), None)
    if member is None or member.erased_at is not None:
        return None
    return Invited(inviter_id, read_position(inviter_id, _positions_in(found)))


def _known_in(found: Sequence[Table], member_id: str | None) -> Known | None:
    item = next((item for item in found if isinstance(item, MemberItem) and item.id == member_id), None)
    if item is None or member_id is None:
        return None
    place = read_position(member_id, _positions_in(found))
    ids = next((item.ids for item in found if isinstance(item, PlacesItem)), None)
    return Known(member_in(item), place.referrer, frozenset(ids or ()), place)


def _owners_in(found: Sequence[Table]) -> Mapping[str, str]:
    """To whom the pointers lead; of closed accounts as long as that is kept."""
    pointers = [item for item in found if isinstance(item, PointerItem)]
    return {item.pk: item.member_id for item in pointers if item.expires_at is None or item.expires_at > clock.now()}


def _positions_in(found: Sequence[Table]) -> Mapping[str, NetworkItem]:
    return {item.pk: item for item in found if isinstance(item, NetworkItem)}


def _binding_of(arrival: Arrival) -> BindingStep | None:
    """The step that binds the member of a log-in to the inviter, whose place was read before."""
    if arrival.invited is None:
        return None
    member_id = arrival.known.member.id
    own = arrival.known.place or read_position(member_id, {})
    return BindingStep(own, arrival.invited.place, arrival.session.made_at)


def consent_records(keys: Sequence[str]) -> list[ConsentRecord]:
    """The records of consents with these keys, oldest first. Consistent; one read per hundred."""
    found = ConsentItem.batch_get(keys, consistent_read=True) if keys else ()
    return [_record(item) for item in sorted(found, key=lambda item: str(item.pk))]


def _record(item: ConsentItem) -> ConsentRecord:
    said = Consent(item.version, item.granted, item.at)
    return ConsentRecord(known_purpose(item.pk.rpartition("#")[2]), said, item.account)


def index_members() -> int:
    """Give each member that has none the key of its day; their number. Release v0.2.0 stored none.

    A scan, once after an update. Safe to repeat and to interrupt.
    """
    count = 0
    members = MemberItem.id.startswith("mem_") & MemberItem.day_key.does_not_exist()
    for item in MemberItem.scan(members, consistent_read=True):
        key = MemberItem.day_key.set(day_key(item.created_at, item.id))
        count += MemberItem(item.id).update_if([key], MemberItem.id.exists())
    return count


def _newest_of(key: str, after: str | None, most: int) -> Iterator[str]:
    below = None if after is None else ByDay.id < after
    for item in MemberItem.by_day.query(key, below, scan_index_forward=False, limit=most, page_size=most):
        yield item.id
