"""What every store of members guarantees: the one in DynamoDB and the one in memory."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.cards.model import Card, Face
from cardstock.cards.store import DynamoCards
from cardstock.errors import RefusedError
from cardstock.flows.joining import JoiningNeeds, NetworkInviters
from cardstock.ids import RequestKey, new_id
from cardstock.members.consent_model import FIRST, Consent
from cardstock.members.item_store import MemberItem, PhoneMoveItem
from cardstock.members.merge_store import DynamoMerges
from cardstock.members.model import MOST_MEMBERS, Account, Member, Person, phone_key, union_key
from cardstock.members.ports import Inviters, Members
from cardstock.members.session_model import Arrival, Closer, Known
from cardstock.members.store import DynamoMembers
from cardstock.network.store import DynamoNetwork
from tests.people.arrivals import register, session_of
from tests.people.clock import TestClock
from tests.people.consents import EVERY
from tests.people.memory_members import MemoryInviters, MemoryMembers
from tests.people.memory_orders import MemoryCoupons

CONTRACT = {Members: (MemoryMembers, DynamoMembers), Inviters: (MemoryInviters, NetworkInviters)}

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
PHONE = "+8613800138000"
PERSON = Person("王小明", "1****************X", "00ff$00ff", date(1949, 12, 31), "dev", NOW)


@pytest.fixture(params=["memory", "dynamodb"])
def members(request: pytest.FixtureRequest) -> Members:
    if request.param == "memory":
        return MemoryMembers()
    request.getfixturevalue("cloud")
    return DynamoMembers()


NO_VISITS = dict(sorted({**EVERY, "card_visits": Consent(1, granted=False, at=NOW)}.items()))


def account(openid: str) -> Account:
    return Account("dev", "wx1", openid)


def registered(members: Members, openid: str, *, phone: str = "", erased: bool = False) -> Member:
    newcomer = Member(new_id("mem", NOW), account(openid).name, NOW, phone=phone, scene="1011")
    if erased:
        newcomer = replace(newcomer, erased_at=NOW, state="erased")
    return register(members, newcomer, account(openid))


def found(members: Members, member: Member) -> Member:
    stored = members.find_member(member.id)
    assert stored is not None
    return stored


def test_a_registered_member_is_found_by_id_account_and_phone(members: Members) -> None:
    anna = registered(members, "anna", phone=PHONE)

    assert members.find_member(anna.id) == anna
    assert members.look_up([account("anna").key, phone_key(PHONE)]).owners == dict.fromkeys(
        [account("anna").key, phone_key(PHONE)], anna.id
    )
    assert members.find_member_by_phone(PHONE) == anna


def test_nobody_is_found_where_nobody_is(members: Members) -> None:
    assert members.find_member("mem_unknown") is None
    assert members.look_closer("mem_unknown") == Closer()
    assert members.look_up([account("anna").key]).owners == {}
    assert members.find_member_by_phone(PHONE) is None


def entered(members: Members, member: Member, *keys: str, is_new: bool = False, phone: str = "") -> bool:
    known = Known(member) if is_new else members.look_closer(member.id).known
    assert known is not None
    session = session_of(member.id, NOW)
    return members.enter(Arrival(known, session, is_new=is_new, accounts=keys, phone=phone))


def test_an_account_registers_one_member_however_often(members: Members) -> None:
    anna = registered(members, "anna")
    other = Member(new_id("mem", NOW), account("anna").name, NOW)

    assert entered(members, other, account("anna").key, is_new=True) is False
    assert members.find_member(other.id) is None
    assert members.look_up([account("anna").key]).owners == {account("anna").key: anna.id}


def test_a_phone_that_is_taken_registers_nobody(members: Members) -> None:
    registered(members, "anna", phone=PHONE)
    bert = Member(new_id("mem", NOW), account("bert").name, NOW, phone=PHONE)

    assert entered(members, bert, account("bert").key, phone_key(PHONE), is_new=True) is False
    assert members.look_up([account("bert").key]).owners == {}
    assert members.find_member(bert.id) is None


def test_a_further_account_leads_to_its_first_owner(members: Members) -> None:
    anna, bert = registered(members, "anna"), registered(members, "bert")
    elsewhere, union = account("anna-elsewhere").key, union_key("dev", "one")

    assert entered(members, anna, elsewhere, union) is True
    assert entered(members, bert, elsewhere) is False
    assert entered(members, bert, union) is False
    assert members.look_up([elsewhere, union]).owners == {elsewhere: anna.id, union: anna.id}


def test_a_phone_belongs_to_one_member_and_is_added_once(members: Members) -> None:
    anna, bert = registered(members, "anna"), registered(members, "bert")

    assert entered(members, anna, phone_key(PHONE), phone=PHONE) is True
    assert members.find_member_by_phone(PHONE) == replace(anna, phone=PHONE, phone_at=NOW)
    assert entered(members, bert, phone_key(PHONE), phone=PHONE) is False
    assert entered(members, anna, phone_key("+8613900139000"), phone="+8613900139000") is False
    assert found(members, anna).phone == PHONE


def test_a_log_in_knows_member_inviter_and_the_sessions_that_take_a_place(members: Members) -> None:
    anna = registered(members, "anna")
    bert = Member(new_id("mem", NOW), account("bert").name, NOW)
    first = session_of(bert.id, NOW)
    invited = members.look_up((), anna.id).invited
    members.enter(Arrival(Known(bert), first, is_new=True, accounts=(account("bert").key,), invited=invited))
    known = members.look_closer(bert.id).known

    assert known is not None
    assert (known.member, known.inviter_id, known.session_ids) == (bert, anna.id, frozenset({first.id}))


def test_a_member_is_found_with_a_session_while_that_goes_on(members: Members, clock: TestClock) -> None:
    bert = Member(new_id("mem", NOW), account("bert").name, NOW)
    first = session_of(bert.id, clock.now())
    members.enter(Arrival(Known(bert), first, is_new=True, accounts=(account("bert").key,)))

    assert members.find_with_session(bert.id, first.id) == (bert, True)
    assert members.find_with_session(bert.id, "ses_of_another") == (bert, False)
    assert members.find_with_session(bert.id, "") == (bert, True)
    assert members.find_with_session("mem_unknown", first.id) == (None, False)
    clock.move(days=30)
    assert members.find_with_session(bert.id, first.id) == (bert, False)


def test_a_profile_is_replaced_whole(members: Members) -> None:
    anna = registered(members, "anna")

    assert members.change_profile(anna.id, "小林", 1990) == replace(anna, nickname="小林", birth_year=1990)
    assert members.change_profile(anna.id, "小林", None) == replace(anna, nickname="小林")
    assert members.change_profile("mem_unknown", "小林", None) is None


def test_an_erased_member_stays_as_it_is(members: Members) -> None:
    gone = registered(members, "gone", erased=True)

    assert members.change_profile(gone.id, "小林", None) is None
    assert members.add_person(gone.id, PERSON) is False
    assert members.find_member(gone.id) == gone


def test_the_salt_is_always_the_same(members: Members) -> None:
    assert members.identity_salt() == members.identity_salt()


def test_a_person_is_kept_once(members: Members) -> None:
    anna = registered(members, "anna")

    assert members.add_person(anna.id, PERSON) is True
    assert members.add_person(anna.id, PERSON) is False
    assert members.add_person(anna.id, replace(PERSON, number_hash="00ff$11")) is False
    assert members.find_member(anna.id) == replace(anna, person=PERSON, state="verified")


def test_a_person_is_kept_while_the_consents_are_those_that_were_read(members: Members) -> None:
    anna, bert = registered(members, "anna"), registered(members, "bert")
    assert members.change_consents(bert, NO_VISITS, "dev:wx1")

    assert members.add_person(anna.id, PERSON, anna.consents) is True
    assert members.add_person(bert.id, PERSON, bert.consents) is False
    assert found(members, bert) == replace(bert, consents=NO_VISITS)


def test_consents_are_replaced_with_the_steps_if_they_are_those_that_were_read(members: Members) -> None:
    anna, gone = registered(members, "anna"), registered(members, "gone", erased=True)
    ran: list[str] = []

    def step(_transaction: object) -> None:
        ran.append("step")

    assert members.change_consents(anna, NO_VISITS, "dev:wx1", step) is True
    assert members.change_consents(anna, EVERY, "dev:wx1") is False
    assert members.change_consents(gone, NO_VISITS, "dev:wx1") is False
    assert members.change_consents(found(members, anna), found(members, anna).consents, "dev:wx1", step) is True
    assert ran == ["step", "step"]
    assert members.find_members([anna.id, gone.id, "mem_nobody"]) == {
        anna.id: replace(anna, consents=NO_VISITS), gone.id: gone,
    }  # fmt: skip


def test_members_who_are_one_person_are_siblings(members: Members) -> None:
    anna, elsewhere, ben = (registered(members, openid) for openid in ("anna", "anna-elsewhere", "ben"))
    for member in (anna, elsewhere):
        members.add_person(member.id, PERSON)
    members.add_person(ben.id, replace(PERSON, number_hash="00ff$11"))

    assert found(members, anna).siblings == (elsewhere.id,)
    assert found(members, elsewhere).siblings == (anna.id,)
    assert found(members, ben).siblings == ()


def test_a_person_may_be_ten_members_and_no_more(members: Members) -> None:
    for number in range(MOST_MEMBERS):
        assert members.add_person(registered(members, f"anna-{number}").id, PERSON) is True
    one_more = registered(members, "anna-again")
    with pytest.raises(RefusedError, match="IDENTITY_IN_USE"):
        members.add_person(one_more.id, PERSON)

    assert found(members, one_more).person is None


class Joining:
    """The port of inviters, and members with cards."""

    def __init__(self, inviters: Inviters, members: Members, give_card: Callable[[str, str], object]) -> None:
        self.inviters, self.members, self.give_card = inviters, members, give_card

    def register(self, openid: str, *, erased: bool = False) -> str:
        return registered(self.members, openid, erased=erased).id

    def inviter_of(self, member_id: str) -> str | None:
        known = self.members.look_closer(member_id).known
        assert known is not None
        return known.inviter_id

    def brought(self, invite: str) -> str | None:
        """The member behind an invite, as a log-in finds it in two reads."""
        invited = self.members.look_closer(None, invited=self.members.look_up((), invite).invited).invited
        return invited.inviter_id if invited else None


@pytest.fixture(params=["memory", "dynamodb"])
def joining(request: pytest.FixtureRequest, clock: TestClock) -> Joining:
    if request.param == "memory":
        memory = MemoryMembers()
        inviters = memory.inviters = MemoryInviters(memory)
        return Joining(inviters, memory, inviters.cards.__setitem__)
    request.getfixturevalue("cloud")
    stored, cards = DynamoMembers(), DynamoCards()
    needs = JoiningNeeds(
        stored, lambda: None, lambda: FIRST, DynamoNetwork(), cards, DynamoMerges(), coupons=MemoryCoupons
    )

    def give_card(key: str, owner_id: str) -> None:
        cards.add_card(Card(key, owner_id, {"default": Face("Lin")}, 1, NOW, NOW), RequestKey(f"req_{key}", "f"))

    return Joining(NetworkInviters(needs), stored, give_card)


def test_an_invite_is_a_member_id_or_the_key_of_a_card(joining: Joining) -> None:
    guide, gone = joining.register("guide"), joining.register("gone", erased=True)
    joining.give_card("k7m2p9xw4tab", guide)
    joining.give_card("k7m2p9xw4tac", gone)

    for behind in (joining.inviters.member_behind, joining.brought):
        assert [behind(invite) for invite in (guide, "k7m2p9xw4tab")] == [guide, guide]
        assert [behind(invite) for invite in (gone, "k7m2p9xw4tac", "k7m2p9xw4tzz", new_id("mem", NOW))] == [None] * 4


def test_a_log_in_binds_a_known_member_as_the_network_allows(joining: Joining) -> None:
    guide, anna, bert = (joining.register(openid) for openid in ("guide", "anna", "bert"))

    def enter(member_id: str, invite: str) -> bool:
        invited = joining.members.look_up((), invite).invited
        closer = joining.members.look_closer(member_id, invited=invited)
        assert closer.known is not None
        session = session_of(member_id, NOW)
        return joining.members.enter(Arrival(closer.known, session, invited=closer.invited))

    assert enter(anna, guide)
    for member, invite, code in ((bert, bert, "SELF"), (anna, bert, "BOUND"), (guide, bert, "HAS_REFERRED")):
        with pytest.raises(RefusedError, match=f"INVITER_{code}"):
            enter(member, invite)
    assert [joining.inviter_of(member) for member in (guide, anna, bert)] == [None, guide, None]


def test_a_member_is_bound_once_and_the_same_binding_again_changes_nothing(joining: Joining) -> None:
    guide, rival, anna = (joining.register(openid) for openid in ("guide", "rival", "anna"))
    before = joining.inviter_of(anna)
    joining.inviters.bind_inviter(anna, guide)
    joining.inviters.bind_inviter(anna, guide)
    with pytest.raises(RefusedError, match="INVITER_BOUND"):
        joining.inviters.bind_inviter(anna, rival)

    assert (before, joining.inviter_of(anna), joining.inviter_of(guide)) == (None, guide, None)


def test_nobody_is_bound_to_themselves_nor_after_bringing_somebody(joining: Joining) -> None:
    guide, anna, bert = (joining.register(openid) for openid in ("guide", "anna", "bert"))
    joining.inviters.bind_inviter(bert, anna)
    for member, inviter, code in ((guide, guide, "INVITER_SELF"), (anna, guide, "INVITER_HAS_REFERRED")):
        with pytest.raises(RefusedError, match=code):
            joining.inviters.bind_inviter(member, inviter)

    assert [joining.inviter_of(member) for member in (guide, anna, bert)] == [None, None, anna]


@pytest.mark.parametrize(
    ("stored", "state"),
    [({}, "registered"), ({"person": PERSON}, "verified"), ({"person": PERSON, "erased_at": NOW}, "erased")],
    ids=("registered", "verified", "erased"),
)
def test_an_item_without_a_state_has_the_one_that_its_release_meant(
    cloud: Any, stored: dict[str, Any], state: str
) -> None:
    MemberItem(id="mem_old", account="dev:wx1:o", created_at=NOW, **stored).save()
    member = DynamoMembers().find_member("mem_old")

    assert member is not None
    assert member.state == state
    assert DynamoMembers().add_person("mem_old", PERSON) is (state == "registered")


def test_the_state_of_a_member_is_stored(cloud: Any) -> None:
    members = DynamoMembers()
    anna = registered(members, "o1")
    first = MemberItem.find(anna.id)
    members.add_person(anna.id, PERSON)
    second = MemberItem.find(anna.id)

    assert first is not None
    assert second is not None
    assert [first.state, second.state] == [None, "verified"]


def test_members_are_listed_by_the_day_of_their_registration_newest_first(members: Members) -> None:
    moments = [datetime(2026, 12, 1, 15, 59, second, tzinfo=UTC) for second in (57, 58, 59)]
    moments.append(datetime(2026, 12, 1, 16, tzinfo=UTC))
    ids = []
    for at in moments:
        made = Member(new_id("mem", at), account(str(at)).name, at)
        ids.append(register(members, made, account(str(at))).id)
    members.change_profile(ids[0], "Anna", None)
    first, after = members.members_of_day(date(2026, 12, 1), 2, None)
    rest, end = members.members_of_day(date(2026, 12, 1), 2, after)

    assert ([each.id for each in (*first, *rest)], end) == ([ids[2], ids[1], ids[0]], None)
    assert rest[0].nickname == "Anna"
    assert [each.id for each in members.members_of_day(date(2026, 12, 2), 5, None)[0]] == [ids[3]]
    assert members.members_of_day(date(2026, 11, 30), 5, None) == ([], None)


def test_every_item_about_a_member_is_found_by_the_member(members: Members) -> None:
    anna, bert = registered(members, "anna", phone=PHONE), registered(members, "bert")
    elsewhere, union = account("anna-elsewhere").key, union_key("dev", "one")
    entered(members, anna, elsewhere, union)
    known = members.look_closer(bert.id).known
    assert known is not None
    session = session_of(bert.id, NOW)
    taken = members.enter(Arrival(known, session, phone=PHONE, phone_from=anna.id))

    assert taken
    move = f"phone-move#{session.id}"
    assert sorted(members.keys_of(anna.id)) == sorted([account("anna").key, elsewhere, union, move])
    assert sorted(members.keys_of(bert.id)) == sorted([account("bert").key, phone_key(PHONE)])
    assert list(members.keys_of("mem_unknown")) == []


def test_a_moved_number_is_kept_masked_for_three_years(cloud: Any) -> None:
    members = DynamoMembers()
    anna, bert = registered(members, "anna", phone=PHONE), registered(members, "bert")
    known = members.look_closer(bert.id).known
    assert known is not None
    session = session_of(bert.id, NOW)
    members.enter(Arrival(known, session, phone=PHONE, phone_from=anna.id))
    moved = PhoneMoveItem.find(f"phone-move#{session.id}")

    assert moved is not None
    assert (moved.masked, moved.account) == ("+86138****8000", "dev:wx1")
    assert (moved.member_id, moved.from_member, moved.to_member) == (anna.id, anna.id, bert.id)
    assert moved.expires_at == NOW + timedelta(days=1098)
