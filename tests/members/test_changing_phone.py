"""A member changes the telephone number: whose it may have been, and what becomes of the old one."""

import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.aws.tables import Transaction
from cardstock.errors import CardstockError, RefusedError, ThrottledError, UnauthorizedError
from cardstock.members.changing_phone import PhoneRequest, change_phone
from cardstock.members.consent_model import FIRST
from cardstock.members.item_store import PhoneMoveItem
from cardstock.members.login import LoginNeeds, LoginRequest, LoginResult, log_in
from cardstock.members.login_platforms.development import DevelopmentPlatform
from cardstock.members.model import LostPhone, Member, phone_key
from cardstock.members.phones import open_joining
from cardstock.members.ports import Members
from cardstock.members.session_model import PHONE_CODES
from cardstock.members.store import DynamoMembers, link_to_staff
from tests.house.cloud import Cloud, Context, http_event, serve
from tests.people.clock import TestClock
from tests.people.consents import AGREED, login_body
from tests.people.marks import MARKER
from tests.people.memory_members import MemoryHoldings, MemoryMembers

OLD, NEW = "+8613800138000", "+8613900139000"


class Repeatable(DevelopmentPlatform):
    """A platform whose proof of a number anybody can repeat who has seen it, as Alipay's."""

    proves_holder = False  # type: ignore[misc]  # the other platforms' is final


class Phones:
    """Members with telephone numbers, in one store."""

    def __init__(self, members: Members) -> None:
        self.members = members

    def needs(self, *, repeatable: bool = False) -> LoginNeeds:
        platforms = {"dev": Repeatable() if repeatable else DevelopmentPlatform()}
        return LoginNeeds(platforms, self.members, MemoryHoldings(), FIRST, MARKER)

    def enter(self, openid: str, phone: str = "", *, repeatable: bool = False) -> LoginResult:
        code = f"dev:{phone}" if phone else None
        request = LoginRequest("dev", "wx1", f"dev:{openid}", code, consents=AGREED)
        return log_in(request, self.needs(repeatable=repeatable))

    def change(self, login: LoginResult, phone: str, *, repeatable: bool = False, login_code: str = "") -> Member:
        session = login.session
        asked = PhoneRequest(login.member.id, session.id, session.account, f"dev:{phone}", login_code or None)
        return change_phone(asked, self.needs(repeatable=repeatable))

    def member(self, login: LoginResult) -> Member:
        found = self.members.find_member(login.member.id)
        assert found is not None
        return found

    def holder(self, phone: str) -> str | None:
        return self.members.look_up([phone_key(phone)]).owners.get(phone_key(phone))

    def link(self, login: LoginResult) -> None:
        if isinstance(self.members, MemoryMembers):
            self.members.members[login.member.id] = replace(self.member(login), staff_link="stf_1")
            return
        with Transaction() as transaction:
            link_to_staff(transaction, login.member.id, "stf_1")


@pytest.fixture(params=["memory", "dynamodb"])
def phones(request: pytest.FixtureRequest, clock: TestClock) -> Phones:
    if request.param == "memory":
        return Phones(MemoryMembers())
    request.getfixturevalue("cloud")
    return Phones(DynamoMembers())


def test_a_proved_number_becomes_the_member_s_and_the_old_one_is_free(phones: Phones, clock: TestClock) -> None:
    anna = phones.enter("anna", OLD)
    open_joining(anna.member.id, members=phones.members)
    clock.move(hours=1)
    changed = phones.change(anna, NEW)

    assert changed == phones.member(anna)
    assert (changed.phone, changed.phone_at, changed.joining_until) == (NEW, clock.now(), None)
    assert (phones.holder(NEW), phones.holder(OLD)) == (anna.member.id, None)
    assert phones.enter("bert", OLD).member.phone == OLD


def test_a_member_without_a_number_gets_one(phones: Phones) -> None:
    anna = phones.enter("anna")

    assert phones.change(anna, NEW).phone == phones.member(anna).phone == NEW
    assert phones.holder(NEW) == anna.member.id


def test_the_same_number_again_changes_nothing(phones: Phones, clock: TestClock) -> None:
    anna = phones.enter("anna", OLD)
    first = phones.change(anna, NEW)
    clock.move(hours=1)

    assert phones.change(anna, NEW) == first == phones.member(anna)


def test_another_member_s_number_moves_here_and_the_other_is_notified(phones: Phones, clock: TestClock) -> None:
    anna, bert = phones.enter("anna", OLD), phones.enter("bert", NEW)
    open_joining(bert.member.id, members=phones.members)
    clock.move(minutes=1)
    phones.change(anna, NEW)
    loser = phones.member(bert)

    assert (phones.holder(NEW), phones.holder(OLD)) == (anna.member.id, None)
    assert (loser.phone, loser.phone_at, loser.joining_until) == ("", None, None)
    assert loser.phone_lost == LostPhone("+86139****9000", "dev", clock.now())
    assert phones.member(anna).phone_lost is None


def test_whoever_lost_a_number_is_not_notified_any_more_after_a_change(phones: Phones) -> None:
    anna, bert = phones.enter("anna", OLD), phones.enter("bert")
    phones.change(bert, OLD)
    lost = phones.member(anna).phone_lost
    phones.change(anna, NEW)

    assert lost is not None
    assert phones.member(anna).phone_lost is None


def test_a_number_of_a_person_of_the_staff_stays_there(phones: Phones) -> None:
    anna, bert = phones.enter("anna", OLD), phones.enter("bert", NEW)
    phones.link(bert)
    with pytest.raises(RefusedError, match="PHONE_HELD"):
        phones.change(anna, NEW)

    assert (phones.holder(NEW), phones.holder(OLD)) == (bert.member.id, anna.member.id)


def test_a_member_who_is_staff_changes_no_number(phones: Phones) -> None:
    anna = phones.enter("anna", OLD)
    phones.link(anna)
    with pytest.raises(RefusedError, match="LINKED_TO_STAFF"):
        phones.change(anna, NEW)

    assert (phones.holder(NEW), phones.holder(OLD)) == (None, anna.member.id)


def test_a_proof_that_anybody_can_repeat_takes_no_number_and_claims_a_free_one(phones: Phones) -> None:
    anna, bert = phones.enter("anna", OLD), phones.enter("bert", NEW)
    with pytest.raises(RefusedError, match="PHONE_HELD"):
        phones.change(anna, NEW, repeatable=True)
    claimed = phones.change(anna, "+8613700137000", repeatable=True)

    assert phones.holder(NEW) == bert.member.id
    assert claimed.phone_claimed is True is phones.member(anna).phone_claimed


def test_a_log_in_code_must_be_of_the_same_account(phones: Phones) -> None:
    anna = phones.enter("anna", OLD)
    with pytest.raises(UnauthorizedError, match="LOGIN_CODE_INVALID") as refused:
        phones.change(anna, NEW, login_code="dev:bert")

    assert [each.pointer for each in refused.value.pointers] == ["/login_code"]
    assert phones.member(anna).phone == OLD
    assert phones.change(anna, NEW, login_code="dev:anna").phone == NEW


def test_a_session_that_has_ended_changes_no_number(phones: Phones, clock: TestClock) -> None:
    anna = phones.enter("anna", OLD)
    clock.move(days=31)
    with pytest.raises(UnauthorizedError, match="SESSION_ENDED"):
        phones.change(anna, NEW)

    assert phones.holder(NEW) is None


def test_changes_count_with_the_codes_of_log_ins(phones: Phones, clock: TestClock) -> None:
    anna = phones.enter("anna", OLD)
    for number in range(PHONE_CODES.most - 2):
        phones.change(anna, (NEW, OLD)[number % 2])
    phones.change(anna, phones.member(anna).phone)  # changes nothing, and cost a code
    with pytest.raises(ThrottledError, match="TOO_MANY"):
        phones.change(anna, "+8613700137000")

    assert phones.holder("+8613700137000") is None
    clock.move(days=1)
    assert phones.change(anna, "+8613700137000").phone == "+8613700137000"


def test_a_refused_change_counts_too(phones: Phones) -> None:
    anna, bert = phones.enter("anna"), phones.enter("bert", NEW)
    phones.link(bert)
    codes = []
    for _ in range(PHONE_CODES.most + 1):
        with pytest.raises(CardstockError) as refused:
            phones.change(anna, NEW)
        codes.append(refused.value.code)

    assert codes == ["PHONE_HELD"] * PHONE_CODES.most + ["TOO_MANY"]


@pytest.mark.parametrize("at", ["lost", "own"])
def test_both_moves_are_kept_masked_for_three_years(cloud: Cloud, clock: TestClock, at: str) -> None:
    phones = Phones(DynamoMembers())
    anna, bert = phones.enter("anna", OLD), phones.enter("bert", NEW)
    phones.change(anna, NEW)
    whose = anna if at == "own" else bert
    [key] = [key for key in phones.members.keys_of(whose.member.id) if key.startswith("phone-move#")]
    kept = PhoneMoveItem.find(key)

    assert kept is not None
    assert kept.masked == ("+86138****8000" if at == "own" else "+86139****9000")
    assert (kept.from_member, kept.to_member, kept.account) == (whose.member.id, anna.member.id, "dev:wx1")
    assert kept.expires_at == clock.now() + timedelta(days=1098)


def call(method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    answer = serve(http_event(method, path, body, **options), Context())
    return answer["statusCode"], json.loads(answer["body"])


def test_a_log_in_with_another_number_says_that_it_is_not_bound_and_a_change_binds_it(cloud: Cloud) -> None:
    def log_in_with(phone: str) -> Any:
        return call("POST", "/v1/auth/sessions", login_body("anna", phone_code=f"dev:{phone}"))[1]

    first, other = log_in_with(OLD), log_in_with(NEW)
    status, profile = call("PUT", "/v1/me/phone", {"phone_code": f"dev:{NEW}"}, token=other["access_token"])

    assert (first["phone_not_bound"], other["phone_not_bound"]) == (None, "kept")
    assert other["member"]["phone"] == "+86138****8000"
    assert (status, profile["phone"]) == (200, "+86139****9000")
    assert log_in_with(NEW)["phone_not_bound"] is None
    assert log_in_with(OLD)["phone_not_bound"] == "kept"


@pytest.mark.parametrize("known", [True, False])
def test_a_log_in_says_that_the_number_stays_with_another_member(phones: Phones, known: bool) -> None:
    phones.enter("anna", OLD)
    if known:
        phones.enter("bert")
    entered = phones.enter("bert", OLD, repeatable=True)

    assert (entered.member.phone, entered.phone_not_bound) == ("", "held")


def test_the_owner_of_a_closed_account_s_number_is_the_same_person(phones: Phones, clock: TestClock) -> None:
    gone, anna = phones.enter("gone", NEW), phones.enter("anna", OLD)
    members, former = phones.members, f"former#{MARKER.of('phone', phone_key(NEW))}"
    step = members.closing_step(phones.member(gone), clock.now(), former)
    if isinstance(members, MemoryMembers):
        step()
    else:
        with Transaction() as transaction:
            step(transaction)
    changed = phones.change(anna, NEW)

    assert changed.former == phones.member(anna).former == (gone.member.id,)
