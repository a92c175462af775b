"""Logging in and verifying persons with fakes, and the rules of Chinese identity numbers."""

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from cardstock import members as area
from cardstock.errors import INVITER_SELF, INVITER_TOO_LATE, InvalidError, RefusedError, UnauthorizedError
from cardstock.members.closing import close_account
from cardstock.members.consent_model import FIRST
from cardstock.members.identity import take_identity, verify_person
from cardstock.members.inviting import follow_invite
from cardstock.members.login import LoginNeeds, LoginRequest, LoginResult, log_in
from cardstock.members.login_platforms.development import DevelopmentPlatform, SelfAssertedIdentity
from cardstock.members.model import (
    TRANSITIONS,
    Member,
    NameKind,
    Person,
    PlatformIdentity,
    born_on,
    hash_number,
    mask_name,
    mask_number,
    mask_phone,
    new_salt,
)
from cardstock.members.profile import find_caller
from tests.house.charts import steps_in, steps_of
from tests.people.clock import TestClock
from tests.people.consents import AGREED
from tests.people.marks import MARKER
from tests.people.memory_counts import uncounted
from tests.people.memory_members import MemoryHoldings, MemoryMembers

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
TODAY = date(2026, 12, 1)
GENUINE = "11010519491231002X"


@pytest.fixture(autouse=True)
def nine_o_clock(clock: TestClock) -> None:
    clock.move(hours=1)


def enter(members: MemoryMembers, openid: str, *, invite: str | None = None, phone: str | None = None) -> LoginResult:
    return log_in(
        LoginRequest("dev", "wx1", f"dev:{openid}", f"dev:{phone}" if phone else None, invite, consents=AGREED),
        LoginNeeds({"dev": DevelopmentPlatform()}, members, MemoryHoldings(), FIRST, MARKER),
    )


def verify(members: MemoryMembers, member_id: str, name: str = "王小明", number: str = GENUINE) -> Member:
    verifier = SelfAssertedIdentity()
    return verify_person(member_id, name, number, uncounted, members=members, verifier=verifier, versions=FIRST)


def test_one_openid_in_two_apps_is_two_accounts() -> None:
    members = MemoryMembers()
    one = enter(members, "anna")
    other = log_in(
        LoginRequest("dev", "wx2", "dev:anna", consents=AGREED),
        LoginNeeds({"dev": DevelopmentPlatform()}, members, MemoryHoldings(), FIRST, MARKER),
    )

    assert one.member.id != other.member.id


class OfTwoKinds(DevelopmentPlatform):
    """A platform with two kinds of names. Its number belongs to the person who asks."""

    def __init__(self) -> None:
        self.kind: NameKind = "open"

    def identify(self, app_id: str, login_code: str) -> PlatformIdentity:
        return replace(super().identify(app_id, login_code), kind=self.kind)

    def phone_of(self, app_id: str, phone_proof: str, openid: str) -> str:
        return super().phone_of(app_id, phone_proof, openid) + openid


def test_one_name_of_two_kinds_is_two_accounts_and_a_number_is_asked_for_its_person() -> None:
    members, platform = MemoryMembers(), OfTwoKinds()
    ask = LoginRequest("dev", "wx1", "dev:1", "dev:+8613800138000", consents=AGREED)
    first = log_in(ask, LoginNeeds({"dev": platform}, members, MemoryHoldings(), FIRST, MARKER))
    platform.kind = "user"
    again = LoginRequest("dev", "wx1", "dev:1", consents=AGREED)
    other = log_in(again, LoginNeeds({"dev": platform}, members, MemoryHoldings(), FIRST, MARKER))

    assert first.member.id != other.member.id
    assert first.member.phone == "+86138001380001"
    assert set(members.accounts) == {"identity#dev#wx1#1", "identity-user#dev#wx1#1", "phone#+86138001380001"}


def test_the_development_platform_gives_a_union_id_if_asked() -> None:
    platform = DevelopmentPlatform()

    assert platform.identify("wx1", "dev:anna") == PlatformIdentity("anna")
    assert platform.identify("wx1", "dev:anna/u:one") == PlatformIdentity("anna", "one")


def test_a_newcomer_whom_the_network_refuses_is_not_registered() -> None:
    members = MemoryMembers()
    guide = enter(members, "guide").member.id
    members.inviters.refusal = INVITER_SELF
    with pytest.raises(RefusedError, match="INVITER_SELF"):
        enter(members, "anna", invite=guide)

    assert set(members.members) == {guide}


def test_a_known_member_whom_the_network_refuses_logs_in_without_inviter() -> None:
    members = MemoryMembers()
    guide = enter(members, "guide").member.id
    enter(members, "anna")
    members.inviters.refusal = INVITER_TOO_LATE
    session = enter(members, "anna", invite=guide)

    assert (session.is_new, session.inviter_id) == (False, None)


def test_an_erased_member_cannot_log_in() -> None:
    members = MemoryMembers()
    anna = enter(members, "anna").member
    members.members[anna.id] = replace(anna, erased_at=NOW, state="erased")

    with pytest.raises(UnauthorizedError, match="MEMBER_ERASED"):
        enter(members, "anna")
    with pytest.raises(UnauthorizedError, match="MEMBER_ERASED"):
        find_caller(anna.id, members=members)


def test_a_second_account_with_a_known_number_gets_no_number_of_its_own() -> None:
    members = MemoryMembers()
    first = enter(members, "anna", phone="+8613800138000")
    second = enter(members, "anna2", phone="+8613800138000")

    assert second.member.id == first.member.id
    assert len(members.members) == 1


def test_an_unknown_invite_is_refused_when_it_is_all_that_is_asked() -> None:
    members = MemoryMembers()
    anna = enter(members, "anna").member.id
    with pytest.raises(RefusedError, match="INVITER_UNKNOWN"):
        follow_invite(anna, "nobody", inviters=members.inviters)


def test_without_a_verifier_nobody_is_verified() -> None:
    members = MemoryMembers()
    anna = enter(members, "anna").member.id
    with pytest.raises(RefusedError, match="VERIFICATION_MISSING"):
        verify_person(anna, "王小明", GENUINE, uncounted, members=members, verifier=None, versions=FIRST)

    assert members.members[anna].person is None


def test_the_same_person_may_verify_again_and_another_may_not() -> None:
    members = MemoryMembers()
    anna = enter(members, "anna").member.id
    first = verify(members, anna)

    assert verify(members, anna) == first
    assert verify(members, anna, number=GENUINE.lower()) == first
    with pytest.raises(RefusedError, match="IDENTITY_FIXED"):
        verify(members, anna, name="李小明")
    with pytest.raises(RefusedError, match="IDENTITY_FIXED"):
        verify(members, anna, number="110101199003070011")


@pytest.mark.parametrize(
    ("number", "born"),
    [(GENUINE, date(1949, 12, 31)), ("440524188001010014", None), ("110101199003070011", date(1990, 3, 7))],
)
def test_a_birth_date_is_read_from_a_genuine_number(number: str, born: date | None) -> None:
    if born is None:
        with pytest.raises(InvalidError, match="ID_NUMBER_INVALID"):  # a genuine number of somebody born in 1880
            born_on(number, TODAY)
    else:
        assert born_on(number, TODAY) == born


@pytest.mark.parametrize(
    "number",
    [
        "110105194912310021",  # check digit
        "11010519491331002X",  # thirteenth month
        "00010519491231002X",  # no such province
        "99010519491231002X",
        "11010519491231002",
        "11010519491231002x",
        "１1010519491231002X",
        "",
    ],
)
def test_an_impossible_number_is_refused(number: str) -> None:
    with pytest.raises(InvalidError, match="ID_NUMBER_INVALID"):
        born_on(number, TODAY)


def test_any_single_wrong_digit_is_noticed() -> None:
    for place in range(6, 17):
        for digit in "0123456789":
            if digit != GENUINE[place]:
                with pytest.raises(InvalidError):
                    born_on(GENUINE[:place] + digit + GENUINE[place + 1 :], TODAY)


def test_nobody_is_born_tomorrow() -> None:
    assert born_on("110101199003070011", date(1990, 3, 7)) == date(1990, 3, 7)
    with pytest.raises(InvalidError):
        born_on("110101199003070011", date(1990, 3, 6))


@pytest.mark.parametrize(
    ("born", "now", "of_age"),
    [
        (date(2008, 12, 1), datetime(2026, 11, 30, 15, 59, tzinfo=UTC), False),
        (date(2008, 12, 1), datetime(2026, 11, 30, 16, 0, tzinfo=UTC), True),  # midnight in China
        (date(2008, 2, 29), datetime(2026, 2, 28, 15, 59, tzinfo=UTC), False),
        (date(2008, 2, 29), datetime(2026, 2, 28, 16, 0, tzinfo=UTC), True),
        (date(1949, 12, 31), NOW, True),
    ],
)
def test_people_come_of_age_at_midnight_in_china(born: date, now: datetime, of_age: bool) -> None:
    assert Person("n", "m", "h", born, "dev", NOW).of_age(now) is of_age


def test_the_kept_hash_knows_its_number_and_gives_no_other_away() -> None:
    one, other = hash_number(GENUINE, new_salt()), hash_number(GENUINE, new_salt())
    person = Person("n", "m", one, TODAY, "dev", NOW)

    assert one != other
    assert GENUINE not in one
    assert person.is_number(GENUINE)
    assert not person.is_number("110101199003070011")


def test_masks_leave_enough_to_recognise_oneself() -> None:
    assert mask_name("王小明") == "王**"
    assert mask_number(GENUINE) == "1****************X"
    assert mask_phone("+8613800138000") == "+86138****8000"
    assert mask_phone("") == ""


def test_members_who_are_one_person_have_one_person_s_id() -> None:
    members = MemoryMembers()
    persons = [verify(members, enter(members, openid).member.id).person for openid in ("anna", "anna-elsewhere")]
    stranger = verify(members, enter(members, "ben").member.id, "李明", "110101199003070097").person

    assert persons[0] is not None
    assert persons[1] is not None
    assert stranger is not None
    assert persons[0].id == persons[1].id != stranger.id
    assert persons[0].id.startswith("prs_")


def test_the_chart_of_a_member_is_what_the_verbs_do() -> None:
    members = MemoryMembers()
    anna = enter(members, "anna").member
    verified = verify(members, anna.id)
    ended = []
    for name, state in (("gone", anna), ("gone-verified", verified)):
        members.members[name] = replace(state, id=name)
        assert close_account(members.members[name], NOW, members=members, marker=MARKER)()
        ended.append((state.state, "close_account", members.members[name].state))
    with pytest.raises(UnauthorizedError, match="MEMBER_ERASED"):
        verify(members, "gone")

    drawn = {step for step in steps_in(area.__doc__) if step.before in TRANSITIONS}

    assert verify(members, anna.id).state == "verified"
    take_identity(members.members[anna.id], members=members)(None)
    taken = (verified.state, "take_identity", members.members[anna.id].state)

    assert drawn == {(anna.state, "verify_person", verified.state), taken, *ended}
    assert steps_of(TRANSITIONS) == {(before, after) for before, _, after in drawn}
    assert members.members["gone"].state == "erased"
