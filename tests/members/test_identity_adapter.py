"""Identity checks by the merchant's service, which answers on this machine as it must, and in every other way."""

import base64
import json
import logging
import re
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cardstock import environment
from cardstock.edge import secrets
from cardstock.edge.signatures import sign, verify
from cardstock.errors import CardstockError, RefusedError
from cardstock.members import wiring
from cardstock.members.login_platforms.identity_adapter import MAX_ANSWER_BYTES, AdapterIdentity
from infra.local.platforms.identity import IdentityService
from infra.local.platforms.people import Asked
from infra.local.server import HttpAnswer
from infra.local.template import ROOT
from tests.house.cloud import Cloud, http_event, serve
from tests.members.test_members_function import log_in
from tests.payouts.test_payout_drafts import draft, listed
from tests.payouts.test_payout_previews import page
from tests.payouts.test_payouts_left_out import told
from tests.people.clock import TestClock
from tests.people.finance import Finance
from tests.people.login_servers import transport_to
from tests.people.replies import Reply, reply

KEY = base64.b64encode(b"a key of thirty-two bytes for us").decode()
OTHER_KEY = base64.b64encode(b"another key of thirty-two bytes!").decode()
NAME, NUMBER = "王小明", "11010519491231002X"
CAUSES = {
    "busy": "http_503", "server_error": "http_502", "not_json": "SIGNATURE_MISSING", "stall": "timeout",
    "answer_lost": "timeout", "half": "unreachable", "wrong_signature": "SIGNATURE_INVALID",
    "unsigned": "SIGNATURE_MISSING", "old_signature": "SIGNATURE_STALE", "other_check": "other_check",
    "other_message": "other_check", "no_result": "malformed",
}  # fmt: skip


class Asking:
    """The client, its service, and what was reported."""

    def __init__(self, clock: TestClock, key: str = KEY) -> None:
        self.service = IdentityService(clock.now, KEY)
        self.reported: list[tuple[str, str]] = []
        self.client = AdapterIdentity(
            "http://identity.test/", {"key": key}, sign=sign, verify=verify, transport=transport_to(self.service),
            report=lambda check_id, cause: self.reported.append((check_id, cause)),
        )  # fmt: skip

    def ask(self, name: str = NAME, number: str = NUMBER) -> str:
        """The method, or the code of the refusal."""
        try:
            return self.client.verify(name, number)
        except CardstockError as error:
            shown = "".join(traceback.format_exception(error))
            assert name not in shown
            assert number not in shown
            return error.code


@pytest.fixture
def asking(clock: TestClock) -> Asking:
    return Asking(clock)


def test_a_name_and_a_number_that_belong_together_are_verified_and_others_are_not(asking: Asking) -> None:
    asked = [asking.ask(), asking.ask(), asking.ask("李明"), asking.ask(number="110105194912310003")]

    assert asked == ["adapter", "adapter", "IDENTITY_MISMATCH", "IDENTITY_MISMATCH"]
    assert len(asking.service.calls) == 4
    assert len(set(asking.service.calls)) == 3
    assert asking.reported == []


@pytest.mark.parametrize("mode", ["mismatch", "unknown"])
def test_what_the_source_refuses_is_a_refusal(mode: str, asking: Asking) -> None:
    asking.service.fail_next([mode])

    with pytest.raises(RefusedError):
        asking.client.verify(NAME, NUMBER)
    assert asking.reported == []


@pytest.mark.parametrize("mode", CAUSES)
def test_an_answer_that_does_not_count_says_nothing_of_the_person_and_the_same_check_is_asked_again(
    mode: str, asking: Asking
) -> None:
    asking.service.fail_next([mode])

    assert asking.ask() == "IDENTITY_UNAVAILABLE"
    ((check_id, cause),) = asking.reported
    assert cause == CAUSES[mode]
    assert asking.ask() == "adapter"
    assert {*asking.service.calls} == {check_id}


def test_every_way_in_which_the_service_fails_is_tried_here() -> None:
    tried = {*CAUSES, "fine", "mismatch", "unknown", "refuses"}

    assert tried >= {*IdentityService.modes_known, "busy", "server_error", "not_json", "stall", "answer_lost", "half"}


def test_a_service_that_does_not_take_our_key_is_to_be_repaired(asking: Asking, clock: TestClock) -> None:
    asking.service.fail_next(["refuses"])
    stranger = Asking(clock, OTHER_KEY)

    assert (asking.ask(), stranger.ask()) == ("IDENTITY_MISCONFIGURED", "IDENTITY_MISCONFIGURED")
    assert [cause for _, cause in (*asking.reported, *stranger.reported)] == ["http_401"] * 2
    assert stranger.service.calls == []


@pytest.mark.parametrize(
    ("status", "change", "code"),
    [
        (200, lambda body: body + b" " * MAX_ANSWER_BYTES, "IDENTITY_UNAVAILABLE"),
        (200, lambda body: body.replace(b'"match"', b'"MATCH"'), "IDENTITY_UNAVAILABLE"),
        (200, lambda body: body.replace(b'"match"', b"true"), "IDENTITY_UNAVAILABLE"),
        (200, lambda body: b"[" * 9_000, "IDENTITY_UNAVAILABLE"),
        (200, lambda body: body + b"}", "IDENTITY_UNAVAILABLE"),
        (201, bytes, "IDENTITY_UNAVAILABLE"),
        (302, bytes, "IDENTITY_UNAVAILABLE"),
        (400, bytes, "IDENTITY_UNAVAILABLE"),
        (429, bytes, "IDENTITY_UNAVAILABLE"),
        (403, bytes, "IDENTITY_MISCONFIGURED"),
        (404, bytes, "IDENTITY_MISCONFIGURED"),
        (200, bytes, "adapter"),
    ],
)
def test_what_is_signed_but_no_answer_does_not_count(
    status: int, change: Callable[[bytes], bytes], code: str, asking: Asking, clock: TestClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    answer = asking.service.respond

    def respond(asked: Asked, mode: str) -> HttpAnswer:
        given = answer(asked, mode)
        body = change(given.body)
        return HttpAnswer(status, sign(KEY, asked.headers["webhook-id"], clock.now(), body), body)

    monkeypatch.setattr(asking.service, "respond", respond)

    assert asking.ask() == code


@pytest.mark.parametrize("key", ["", "short", "c2hvcnQ=", "*" * 40])
def test_a_key_that_cannot_work_is_refused(key: str, clock: TestClock) -> None:
    with pytest.raises(ValueError, match=r"."):
        Asking(clock, key)


def test_the_number_of_a_check_tells_nothing_without_the_key(asking: Asking, clock: TestClock) -> None:
    other = Asking(clock)
    other.client = AdapterIdentity(
        "http://identity.test", {"key": f"whsec_{KEY}"}, sign=sign, verify=verify,
        transport=transport_to(other.service), report=lambda *_: None,
    )  # fmt: skip
    third = Asking(clock, OTHER_KEY)
    third.service.key = OTHER_KEY
    for each in (asking, other, third):
        assert each.ask() == "adapter"

    assert asking.service.calls == other.service.calls
    assert asking.service.calls != third.service.calls


def test_the_example_of_the_protocol_is_what_the_two_sides_say(asking: Asking, clock: TestClock) -> None:
    protocol = (ROOT / "infra/README.md").read_text(encoding="utf-8").partition("## Identity service")[2]
    asked, answered = re.findall(r"```http\n(.+?)```", protocol, re.DOTALL)[:2]
    (key,) = re.findall(r"signed with `(.+?)`", protocol)
    clock.set(datetime(2026, 12, 1, 8, tzinfo=UTC))
    seen: list[httpx.Request] = []
    said: list[HttpAnswer] = []
    asking.service.key = key

    def carry(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        parts = Asked(request.method, request.url.path, "", dict(request.headers), request.read())
        said.append(asking.service.answer(parts))
        return httpx.Response(200, headers=_headers(answered), content=_body(answered))

    asking.client = AdapterIdentity(
        "http://identity.test", {"key": key}, sign=sign, verify=verify, transport=httpx.MockTransport(carry),
        report=lambda *_: None,
    )  # fmt: skip
    given = _headers(asked)

    assert asking.ask() == "adapter"
    assert {name: seen[0].headers[name] for name in given} == given
    assert seen[0].read() == _body(asked)
    assert json.loads(said[0].body) == json.loads(_body(answered))
    assert verify([key], _headers(answered), _body(answered), clock.now()) == given["webhook-id"]


def _headers(example: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z-]+): (.+)$", example.partition("\n\n")[0], re.MULTILINE))


def _body(example: str) -> bytes:
    return example.partition("\n\n")[2].strip().encode()


# --- through the functions ---


class Counter:
    """Members who are verified by the service."""

    def __init__(self, cloud: Cloud, clock: TestClock, secret: Any) -> None:
        self.service = IdentityService(clock.now, KEY)
        secret_id = environment.text("IDENTITY_SECRET_ID")
        cloud.secrets.put_secret_value(SecretId=secret_id, SecretString=json.dumps(secret))
        secrets.forget_values()
        wiring.set_login_transports({"identity": transport_to(self.service)})
        self.token = log_in("anna")[1]["access_token"]

    def put_identity(self, name: str = NAME, number: str = NUMBER) -> Reply:
        return reply(serve(http_event("PUT", "/v1/me/identity", {"name": name, "id_number": number}, token=self.token)))


@pytest.fixture
def service_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("IDENTITY_URL", "http://identity.test")
    yield
    wiring.set_login_transports({})
    secrets.forget_values()


def test_a_member_is_verified_by_the_service_and_nothing_of_the_person_is_logged(
    cloud: Cloud, clock: TestClock, service_address: None, capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    for loud in ("httpx", "httpcore", "cardstock"):
        caplog.set_level(logging.DEBUG, loud)
    counter = Counter(cloud, clock, {"key": KEY})
    said = []
    for mode in ("stall", "half", "not_json", "wrong_signature", "refuses", "mismatch", "fine"):
        counter.service.fail_next([mode])
        said.append(counter.put_identity())
    shown = capsys.readouterr()
    logged = shown.out + shown.err + caplog.text

    assert [each.body.get("code") for each in said] == [
        *["IDENTITY_UNAVAILABLE"] * 4, "IDENTITY_MISCONFIGURED", "IDENTITY_MISMATCH", None,
    ]  # fmt: skip
    assert [each.status for each in said] == [503] * 5 + [422, 200]
    assert (said[-1].body["verified"], said[-1].body["verification"]) == (True, "adapter")
    assert "identity service unanswered" in logged
    assert '"IdentityUnanswered"' in logged
    assert '"PlatformMisconfigured"' in logged
    for part in (NAME, json.dumps(NAME)[1:-1], NUMBER, NUMBER[6:14]):
        assert part not in logged


@pytest.mark.parametrize("secret", [{}, {"key": "short"}, {"key": 1}, {"key": "*" * 40}])
def test_a_secret_that_cannot_work_verifies_nobody_and_is_to_be_repaired(
    secret: Any, cloud: Cloud, clock: TestClock, service_address: None, capsys: pytest.CaptureFixture[str]
) -> None:
    counter = Counter(cloud, clock, secret)
    said = counter.put_identity()

    assert (said.status, said.body["code"]) == (503, "IDENTITY_MISCONFIGURED")
    assert counter.service.calls == []
    assert '"PlatformMisconfigured"' in capsys.readouterr().out


def test_a_changed_key_is_used_when_the_secret_is_read_again(
    cloud: Cloud, clock: TestClock, service_address: None
) -> None:
    counter = Counter(cloud, clock, {"key": base64.b64encode(b"the key of yesterday, which is old").decode()})
    before = counter.put_identity()
    counter = Counter(cloud, clock, {"key": KEY})
    after = counter.put_identity()

    assert (before.body["code"], after.status) == ("IDENTITY_MISCONFIGURED", 200)


def test_where_there_is_no_service_nobody_is_verified_and_it_says_so(
    cloud: Cloud, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Counter(cloud, clock, {"key": KEY})
    monkeypatch.setenv("ENVIRONMENT", "prod")
    said = counter.put_identity()

    assert (said.status, said.body["code"]) == (422, "VERIFICATION_MISSING")
    assert not wiring.can_verify()


# --- payouts where nobody can be verified ---


def test_the_preview_and_the_draft_say_that_nobody_can_be_verified_and_the_members_read_why(
    finance: Finance, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified, other = finance.member(1, 50_000), finance.member(2, 60_000, verified=False)
    before = page(finance)
    monkeypatch.setenv("ENVIRONMENT", "prod")
    preview = page(finance)
    shown = listed(finance)
    made = draft()

    assert (before["identities"], preview["identities"]) == ("verifiable", "unverifiable")
    assert before["left_out"].keys() == {"unverified"}
    assert preview["left_out"] == {"unverifiable": {"members": 1, "available_fen": 60_000}}
    assert shown["left_out"] == preview["left_out"]
    assert [row.members for row in made.rows] == [(verified,)]
    assert [(one.member, one.reason, one.available) for one in made.left_out] == [(other, "unverifiable", 60_000)]
    assert told(other)["left_out"]["text"] == "未实名：本商城尚未接入实名认证"
    assert told(other, "en-GB")["left_out"]["reason"] == "unverifiable"


def test_with_a_service_the_members_are_asked_to_be_verified(
    finance: Finance, service_address: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    finance.member(2, 60_000, verified=False)
    monkeypatch.setenv("ENVIRONMENT", "prod")
    found = page(finance)

    assert (found["identities"], found["left_out"].keys()) == ("verifiable", {"unverified"})
