"""Sessions through the real function: refreshing once, lost answers, tokens that are used again, and logging out."""

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from cardstock.edge import wiring as edge_wiring
from cardstock.errors import UnauthorizedError
from cardstock.members import sessions
from cardstock.members.consent_model import FIRST
from cardstock.members.item_store import MemberItem
from cardstock.members.login import LoginNeeds, LoginRequest, log_in
from cardstock.members.login_platforms.development import DevelopmentPlatform
from cardstock.signing import ACCESS
from tests.house import faults
from tests.house.cloud import Cloud, Context, http_event, serve
from tests.people.clock import TestClock
from tests.people.consents import AGREED, login_body
from tests.people.marks import MARKER
from tests.people.memory_members import MemoryHoldings, MemoryMembers
from tests.people.tokens import access_token, old_refresh_token


def call(method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    resource = "/v1/me/sessions/{session_id}" if path.startswith("/v1/me/sessions/") else path
    answer = serve(http_event(method, path, body, resource=resource, **options), Context())
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


def entered(openid: str = "anna", app_id: str = "wx1") -> Any:
    status, session = call("POST", "/v1/auth/sessions", login_body(openid, app_id=app_id))
    assert status == 200, session
    return session


def refreshed(token: str) -> tuple[int, Any]:
    return call("POST", "/v1/auth/refreshes", {"refresh_token": token})


def outcome(token: str) -> str:
    """`good`, or why the token was refused."""
    status, answer = refreshed(token)
    return "good" if status == 200 else str(answer["code"])


def listed(token: str) -> list[Any]:
    status, answer = call("GET", "/v1/me/sessions", token=token)
    assert status == 200, answer
    found: list[Any] = answer["items"]
    return found


def number_in(refresh_token: str) -> int:
    found: int = edge_wiring.signer().open("refresh", refresh_token)["n"]
    return found


def test_an_access_token_names_member_session_and_account(cloud: Cloud) -> None:
    session = entered()
    claims = edge_wiring.signer().open(ACCESS, session["access_token"])
    (shown,) = listed(session["access_token"])

    assert claims == {"sub": session["member"]["member_id"], "sid": shown["session_id"], "acc": "dev:wx1:anna"}
    assert session["expires_in"] == 900


def test_each_refresh_uses_its_token_up_and_keeps_the_account(cloud: Cloud, clock: TestClock) -> None:
    tokens = entered()
    for _ in range(3):
        clock.move(minutes=14)
        status, tokens = refreshed(tokens["refresh_token"])
        assert status == 200, tokens

    assert number_in(tokens["refresh_token"]) == 4
    assert edge_wiring.signer().open(ACCESS, tokens["access_token"])["acc"] == "dev:wx1:anna"
    assert len(listed(tokens["access_token"])) == 1


def test_a_lost_answer_is_given_again_for_thirty_seconds(cloud: Cloud, clock: TestClock) -> None:
    first = entered()["refresh_token"]
    _, lost = refreshed(first)
    clock.move(seconds=30)
    status, again = refreshed(first)

    assert status == 200
    assert number_in(again["refresh_token"]) == number_in(lost["refresh_token"]) == 2
    assert outcome(again["refresh_token"]) == "good"


def test_a_token_that_is_used_again_later_ends_the_session_and_is_told(
    cloud: Cloud, clock: TestClock, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    session = entered()
    elsewhere = entered()
    _, stolen = refreshed(session["refresh_token"])
    clock.move(seconds=31)
    capsys.readouterr()

    assert outcome(session["refresh_token"]) == "SESSION_ENDED"
    assert '"RefreshTokensReused":[1.0]' in capsys.readouterr().out.replace(" ", "")
    told = [vars(record) for record in caplog.records if record.message == "refresh token used again"]
    assert [each["member_id"] for each in told] == [session["member"]["member_id"]]
    assert outcome(stolen["refresh_token"]) == "SESSION_ENDED"
    assert outcome(elsewhere["refresh_token"]) == "good"


def test_an_older_token_than_the_last_one_ends_the_session_at_once(cloud: Cloud, clock: TestClock) -> None:
    first = entered()["refresh_token"]
    _, second = refreshed(first)
    _, third = refreshed(second["refresh_token"])

    assert outcome(first) == "SESSION_ENDED"
    assert outcome(third["refresh_token"]) == "SESSION_ENDED"


def test_logging_out_here_ends_this_session_alone(cloud: Cloud, clock: TestClock) -> None:
    here, elsewhere = entered(), entered(app_id="wx1")
    status, nothing = call("DELETE", "/v1/auth/sessions/current", token=here["access_token"])
    again, _ = call("DELETE", "/v1/auth/sessions/current", token=here["access_token"])

    assert (status, nothing, again) == (204, None, 204)
    assert outcome(here["refresh_token"]) == "SESSION_ENDED"
    assert outcome(elsewhere["refresh_token"]) == "good"
    assert call("GET", "/v1/me", token=here["access_token"])[0] == 200  # for fifteen minutes at most


def test_logging_out_everywhere_ends_all_sessions_of_the_member(cloud: Cloud, clock: TestClock) -> None:
    here, elsewhere, bert = entered(), entered(), entered("bert")
    status, _ = call("DELETE", "/v1/me/sessions", token=here["access_token"])

    assert status == 204
    assert {outcome(each["refresh_token"]) for each in (here, elsewhere)} == {"SESSION_ENDED"}
    assert outcome(bert["refresh_token"]) == "good"
    assert outcome(entered()["refresh_token"]) == "good"


def test_sessions_are_listed_with_place_and_time_and_ended_one_by_one(cloud: Cloud, clock: TestClock) -> None:
    first = entered()
    clock.move(minutes=3)
    second = entered()
    newest, oldest = listed(second["access_token"])
    status, _ = call("DELETE", f"/v1/me/sessions/{oldest['session_id']}", token=second["access_token"])
    again, problem = call("DELETE", f"/v1/me/sessions/{oldest['session_id']}", token=second["access_token"])

    assert [newest["current"], oldest["current"]] == [True, False]
    assert (oldest["platform"], oldest["app_id"]) == ("dev", "wx1")
    assert [oldest["made_at"], newest["made_at"]] == ["2026-12-01T08:00:00.000Z", "2026-12-01T08:03:00.000Z"]
    assert oldest["expires_at"] == "2026-12-31T08:00:00.000Z"
    assert (status, again, problem["code"]) == (204, 404, "NOT_FOUND")
    assert outcome(first["refresh_token"]) == "SESSION_ENDED"
    assert listed(second["access_token"]) == [newest]


def test_a_session_that_was_not_used_for_thirty_days_is_not_listed(cloud: Cloud, clock: TestClock) -> None:
    entered()
    clock.move(days=30)

    assert len(listed(entered()["access_token"])) == 1


def test_nobody_ends_the_session_of_another_member(cloud: Cloud) -> None:
    anna, bert = entered(), entered("bert")
    (own,) = listed(anna["access_token"])
    for session_id in (own["session_id"], "places", "refused", "x"):
        assert call("DELETE", f"/v1/me/sessions/{session_id}", token=bert["access_token"])[0] == 404

    assert outcome(anna["refresh_token"]) == "good"


def test_an_erased_member_refreshes_nothing(cloud: Cloud, clock: TestClock) -> None:
    session = entered()
    member_id = session["member"]["member_id"]
    old = old_refresh_token(member_id)
    MemberItem(member_id).update([MemberItem.erased_at.set(clock.now())])

    assert outcome(session["refresh_token"]) == "MEMBER_ERASED"
    assert outcome(old) == "MEMBER_ERASED"


def test_a_refresh_token_of_v0_2_0_is_exchanged_once_for_a_session(cloud: Cloud, clock: TestClock) -> None:
    member_id = entered()["member"]["member_id"]
    old = old_refresh_token(member_id)
    _, lost = refreshed(old)
    status, tokens = refreshed(old)
    clock.move(minutes=1)

    assert (status, number_in(tokens["refresh_token"]), number_in(lost["refresh_token"])) == (200, 1, 1)
    assert len(listed(tokens["access_token"])) == 2
    assert outcome(old) == "SESSION_ENDED"
    assert outcome(tokens["refresh_token"]) == "SESSION_ENDED"  # whoever came first is not known
    assert outcome(old) == "SESSION_ENDED"


def test_tokens_of_v0_2_0_end_with_logging_out(cloud: Cloud) -> None:
    anna, bert = entered()["member"]["member_id"], entered("bert")["member"]["member_id"]
    here, everywhere = old_refresh_token(anna), old_refresh_token(bert)
    assert call("GET", "/v1/me", token=access_token(anna))[0] == 200
    call("DELETE", "/v1/auth/sessions/current", token=access_token(anna))
    call("DELETE", "/v1/me/sessions", token=access_token(bert))

    assert (outcome(here), outcome(everywhere)) == ("SESSION_ENDED", "SESSION_ENDED")


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("step", ["log_in", "refresh", "adopt", "log_out", "everywhere"])
def test_whatever_happens_to_a_call_its_repeat_ends_as_one_undisturbed(
    step: str, mode: faults.Mode, cloud: Cloud, clock: TestClock
) -> None:
    guide = entered()
    member_id = guide["member"]["member_id"]

    def go(session: Any) -> tuple[int, Any]:
        if step == "log_in":
            return 200, entered()
        if step == "refresh":
            return refreshed(session["refresh_token"])
        if step == "adopt":
            return refreshed(session["old"])
        path = "/v1/auth/sessions/current" if step == "log_out" else "/v1/me/sessions"
        return call("DELETE", path, token=session["access_token"])

    def fresh() -> Any:
        clock.move(seconds=1)
        return {**entered(), "old": old_refresh_token(member_id)}

    ready = fresh()
    with faults.watch() as calls:
        go(ready)
    for index, name in enumerate(calls):
        if mode == "conflict" and not name.endswith("TransactWriteItems"):
            continue  # nothing else meets one
        session = fresh()
        with faults.at(index, mode):
            faults.survive(partial(go, session))
        status, answer = go(session)

        assert status in (200, 204), answer
        if step in ("refresh", "adopt"):
            assert outcome(answer["refresh_token"]) == "good"
        if step in ("log_out", "everywhere"):
            assert outcome(session["refresh_token"]) == "SESSION_ENDED"


class Sessions(RuleBasedStateMachine):
    """One member's log-ins, refreshes, repeats and log-outs in any order, against the rules read plainly."""

    def __init__(self) -> None:
        super().__init__()
        self.members = MemoryMembers()
        self.clock = ACTIVE[-1]
        self.tokens: list[tuple[str, str, int]] = []  # token, session, number
        self.numbers: dict[str, int] = {}  # the live sessions
        self.used: dict[str, Any] = {}
        self.told: list[tuple[str, str]] = []

    def keep(self, tokens: sessions.SessionTokens) -> tuple[str, int]:
        claims = edge_wiring.signer().open("refresh", tokens.refresh_token)
        self.tokens.append((tokens.refresh_token, claims["sid"], claims["n"]))
        return claims["sid"], claims["n"]

    def send(self, token: str) -> sessions.SessionTokens:
        used = self.members.sessions
        needs = sessions.RefreshNeeds(edge_wiring.signer(), used, lambda *which: self.told.append(which), FIRST)
        return sessions.refresh(token, needs)

    @rule()
    def log_in(self) -> None:
        self.clock.move(seconds=1)
        ask = LoginRequest("dev", "wx1", "dev:anna", consents=AGREED)
        platforms = {"dev": DevelopmentPlatform()}
        found = log_in(ask, LoginNeeds(platforms, self.members, MemoryHoldings(), FIRST, MARKER))
        session_id, number = self.keep(sessions.tokens_of(edge_wiring.signer(), found.session))
        self.numbers[session_id] = number
        if len(self.numbers) > 20:
            del self.numbers[min(self.numbers)]

    @rule(seconds=st.sampled_from([1, 29, 30, 31, 600]))
    def wait(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)

    @rule(data=st.data(), answer_is_lost=st.booleans())
    def refresh(self, data: st.DataObject, answer_is_lost: bool) -> None:
        if not self.tokens:
            return
        token, session_id, number = data.draw(st.sampled_from(self.tokens[-6:]))
        now, told = self.clock.now(), len(self.told)
        stands = self.numbers.get(session_id)
        moment_ago = session_id in self.used and (now - self.used[session_id]).total_seconds() <= 30
        good = stands == number or (stands == number + 1 and moment_ago)
        if not good:
            with pytest.raises(UnauthorizedError, match="SESSION_ENDED"):
                self.send(token)
            assert len(self.told) == told + (stands is not None)
            self.numbers.pop(session_id, None)
            return
        tokens = self.send(token)
        assert len(self.told) == told
        if stands == number:
            self.used[session_id] = now
        self.numbers[session_id] = number + 1
        if not answer_is_lost:
            assert self.keep(tokens) == (session_id, number + 1)

    @rule(data=st.data())
    def log_out(self, data: st.DataObject) -> None:
        if self.tokens:
            _, session_id, _ = data.draw(st.sampled_from(self.tokens[-6:]))
            sessions.log_out(self.member_id, session_id, sessions=self.members.sessions)
            self.numbers.pop(session_id, None)

    @rule()
    def log_out_everywhere(self) -> None:
        if self.tokens:
            sessions.end_all(self.member_id, sessions=self.members.sessions)
            self.numbers.clear()

    @property
    def member_id(self) -> str:
        (found,) = self.members.members
        return found

    @invariant()
    def the_live_sessions_are_those_expected(self) -> None:
        stored = self.members.sessions.sessions
        assert {each.id: each.number for each in stored.values()} == self.numbers


ACTIVE: list[TestClock] = []


def test_a_members_sessions_go_on_as_the_rules_say(cloud: Cloud, clock: TestClock) -> None:
    ACTIVE.append(clock)
    try:
        run_state_machine_as_test(Sessions, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
    finally:
        ACTIVE.clear()
