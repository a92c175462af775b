"""How often one account may log in, and give a telephone number."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cardstock.errors import RefusedError, ThrottledError
from cardstock.members import errors
from cardstock.members import wiring as members_wiring
from cardstock.members.consent_model import FIRST
from cardstock.members.identity import IDENTITY_CHECKS
from cardstock.members.login import LoginNeeds, LoginRequest, LoginResult, log_in
from cardstock.members.login_platforms.development import DevelopmentPlatform, SelfAssertedIdentity
from cardstock.members.ports import Members
from cardstock.members.session_model import LOG_INS, PHONE_CODES
from cardstock.members.store import DynamoMembers
from functions.members.api.app import handler
from tests.house import faults
from tests.house.cloud import Cloud, Context, http_event, serve
from tests.people.clock import TestClock
from tests.people.consents import AGREED, login_body, sent
from tests.people.marks import MARKER
from tests.people.memory_members import MemoryHoldings, MemoryMembers

GENUINE, OTHER = "11010519491231002X", "110101199003074514"


class Platform(DevelopmentPlatform):
    """The development platform, which counts the numbers that it is asked for."""

    asked = 0

    def phone_of(self, app_id: str, phone_proof: str, openid: str) -> str:
        self.asked += 1
        return super().phone_of(app_id, phone_proof, openid)


@pytest.fixture(params=["memory", "dynamodb"])
def members(request: pytest.FixtureRequest, clock: TestClock) -> Members:
    if request.param == "memory":
        return MemoryMembers()
    request.getfixturevalue("cloud")
    return DynamoMembers()


@pytest.fixture
def platform() -> Platform:
    return Platform()


def enter(members: Members, platform: Platform, openid: str, **more: Any) -> LoginResult:
    request = LoginRequest("dev", "wx1", f"dev:{openid}", consents=AGREED, **more)
    return log_in(request, LoginNeeds({"dev": platform}, members, MemoryHoldings(), FIRST, MARKER))


def test_an_account_logs_in_so_often_in_an_hour_and_again_in_the_next(
    members: Members, platform: Platform, clock: TestClock
) -> None:
    found = [enter(members, platform, "anna") for _ in range(LOG_INS.most)]
    with pytest.raises(ThrottledError, match="TOO_MANY") as refused:
        enter(members, platform, "anna")
    bert = enter(members, platform, "bert")
    clock.move(hours=1)
    again = enter(members, platform, "anna")

    assert len({each.session.id for each in found}) == LOG_INS.most
    assert 0 < refused.value.facts["retry_after"] <= 3600  # type: ignore[operator]
    assert bert.is_new
    assert again.member.id == found[0].member.id


def test_a_counter_names_no_account(cloud: Cloud, platform: Platform) -> None:
    enter(DynamoMembers(), platform, "oAnna", phone_code="dev:+8613800138000")
    keys = [
        item["pk"]["S"]
        for table in ("members", "sessions", "requests")
        for item in cloud.items(table)
        if item["pk"]["S"].startswith("count#")
    ]
    mark = MARKER.of("account", "dev:wx1:oAnna")

    assert sorted(key.rpartition("#")[0] for key in keys) == [f"count#log-ins#{mark}", f"count#phone-codes#{mark}"]


def test_a_number_that_is_not_taken_is_counted_and_then_not_asked_for(members: Members, platform: Platform) -> None:
    for _ in range(PHONE_CODES.most):
        with pytest.raises(RefusedError, match="INVITER_UNKNOWN"):
            enter(members, platform, "anna", phone_code="dev:+8613800138000", invite="nobodys-card")
    with pytest.raises(ThrottledError, match="TOO_MANY"):
        enter(members, platform, "anna", phone_code="dev:+8613800138000")

    assert platform.asked == PHONE_CODES.most
    assert enter(members, platform, "anna").is_new


def test_numbers_are_counted_whether_they_are_new_or_known(members: Members, platform: Platform) -> None:
    for _ in range(PHONE_CODES.most):
        enter(members, platform, "anna", phone_code="dev:+8613800138000")
    with pytest.raises(ThrottledError, match="TOO_MANY"):
        enter(members, platform, "anna", phone_code="dev:+8613800138000")

    assert platform.asked == PHONE_CODES.most


def log_in_over_http(**more: Any) -> dict[str, Any]:
    return handler(http_event("POST", "/v1/auth/sessions", login_body("anna", **more)), Context())


def test_the_refusal_says_when_to_come_again(cloud: Cloud, clock: TestClock) -> None:
    for _ in range(LOG_INS.most):
        assert log_in_over_http()["statusCode"] == 200
    answer = log_in_over_http()
    problem = json.loads(answer["body"])

    assert (answer["statusCode"], problem["code"]) == (429, "TOO_MANY")
    assert answer["headers"]["Retry-After"] == str(problem["facts"]["retry_after"])


@pytest.mark.parametrize("mode", faults.MODES)
def test_the_last_log_in_of_a_window_succeeds_whatever_happens_to_its_transaction(
    mode: faults.Mode, cloud: Cloud, clock: TestClock
) -> None:
    """Killed after it was written, it has counted; else the answer is a session, never that it was one too many."""
    for _ in range(LOG_INS.most - 1):
        log_in_over_http()
    before = {item["sk"]["S"] for item in cloud.items("sessions")}
    with faults.at(2, mode) as seen:
        answer = faults.survive(log_in_over_http)
    after = {item["sk"]["S"] for item in cloud.items("sessions")}

    assert seen[2] == "dynamodb.TransactWriteItems"
    assert (answer or {}).get("statusCode") == (None if mode.startswith("kill") else 200)
    assert (before != after) is (mode != "kill_before")


def test_two_log_ins_that_read_the_same_count_are_not_both_let_in(
    cloud: Cloud, clock: TestClock, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = DynamoMembers()
    for _ in range(LOG_INS.most - 1):
        enter(members, platform, "anna")
    look = members.look_up

    def look_up_and_lose(*asked: Any) -> Any:
        leads = look(*asked)
        monkeypatch.undo()
        enter(members, platform, "anna")
        return leads

    monkeypatch.setattr(members, "look_up", look_up_and_lose)
    with pytest.raises(ThrottledError, match="TOO_MANY"):
        enter(members, platform, "anna")


def test_only_numbers_that_the_identity_service_is_asked_about_are_counted(
    cloud: Cloud, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = json.loads(log_in_over_http(consents=sent("account"))["body"])["access_token"]
    asked: list[str] = []

    def verify(_self: Any, _name: str, number: str) -> str:
        asked.append(number)
        if number != GENUINE:
            raise errors.IDENTITY_MISMATCH()
        return "dev"

    monkeypatch.setattr(SelfAssertedIdentity, "verify", verify)

    def send(path: str, body: Any) -> tuple[int, str]:
        answer = handler(http_event("PUT", path, body, token=token), Context())
        return answer["statusCode"], json.loads(answer["body"]).get("code", "")

    def check(number: str) -> tuple[int, str]:
        return send("/v1/me/identity", {"name": "王小明", "id_number": number})

    many = IDENTITY_CHECKS.most + 1
    refused = {check(GENUINE) for _ in range(many)}
    assert (
        serve(
            http_event("PUT", "/v1/me/consents/identity_check", {"granted": True, "version": 1}, token=token), Context()
        )["statusCode"]
        == 200
    )
    refused |= {check("110105194912310021") for _ in range(many)}
    monkeypatch.setattr(members_wiring, "can_verify", lambda: False)
    refused |= {check(GENUINE) for _ in range(many)}
    monkeypatch.undo()
    monkeypatch.setattr(SelfAssertedIdentity, "verify", verify)
    nothing = list(asked)
    tried = [check(OTHER) for _ in range(many)]
    before = len(asked)
    clock.move(days=1)
    token = json.loads(log_in_over_http(consents=None)["body"])["access_token"]
    found = {check(GENUINE) for _ in range(many)}

    assert refused == {(422, "CONSENT_MISSING"), (400, "ID_NUMBER_INVALID"), (422, "VERIFICATION_MISSING")}
    assert nothing == []
    assert tried == [(422, "IDENTITY_MISMATCH")] * IDENTITY_CHECKS.most + [(429, "TOO_MANY")]
    assert (before, found, asked[before:]) == (IDENTITY_CHECKS.most, {(200, "")}, [GENUINE])


def test_counters_go_with_their_windows(cloud: Cloud, clock: TestClock, platform: Platform) -> None:
    enter(DynamoMembers(), platform, "anna", phone_code="dev:+8613800138000")
    ends = {item["pk"]["S"].split("#")[1]: item["expires_at"]["N"] for item in cloud.items("sessions") if "n" in item}
    now = clock.now()

    assert ends == {limit.name: str(int(limit.ends(now).timestamp())) for limit in (LOG_INS, PHONE_CODES)}
    assert LOG_INS.ends(now) - now <= timedelta(hours=1)
