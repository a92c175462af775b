"""WeChat's client against WeChat on this machine."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cardstock.platforms import wechat
from cardstock.platforms.calls import (
    BadCodeError,
    BlockedError,
    BusyError,
    MisconfiguredError,
    NotGrantedError,
    PlatformError,
    TooOftenError,
    UnansweredError,
)
from infra.local.platforms.people import Asked
from infra.local.platforms.wechat import Wechat
from tests.people.clock import TestClock
from tests.people.login_servers import transport_to

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
APP, BOUND, FOREIGN = "wx0000000000000001", "wx0000000000000002", "wx0000000000000003"
APPS = {
    APP: {"secret": "s1"},
    BOUND: {"secret": "s2", "developer": "brand"},
    FOREIGN: {"secret": "s3", "developer": "brand"},
}
SECRET = wechat.App(secret="s1")


@pytest.fixture
def server(clock: TestClock) -> Wechat:
    clock.set(NOW)
    return Wechat(APPS, clock.now)


@pytest.fixture
def client(server: Wechat) -> wechat.Wechat:
    return wechat.Wechat(transport=transport_to(server), pause=lambda _seconds: None)


def log_in(client: wechat.Wechat, server: Wechat, person: str = "anna") -> Any:
    return client.account_of(APP, SECRET, server.login_code(APP, person))


def phone(client: wechat.Wechat, server: Wechat, person: str = "anna") -> str:
    proof = server.phone_proof(APP, person, "13800138000")
    return client.phone_of(APP, SECRET, proof, server.openid(APP, person))


def test_a_person_has_one_openid_in_an_app_and_one_union_id_in_all_apps_of_a_developer(
    client: wechat.Wechat, server: Wechat
) -> None:
    alone = log_in(client, server)
    bound = client.account_of(BOUND, wechat.App(secret="s2"), server.login_code(BOUND, "anna"))
    foreign = client.account_of(FOREIGN, wechat.App(secret="s3"), server.login_code(FOREIGN, "anna"))

    assert alone == log_in(client, server)
    assert alone.union_id == ""
    assert bound.union_id == foreign.union_id != ""
    assert len({alone.openid, bound.openid, foreign.openid}) == 3


def test_a_code_is_good_once_for_five_minutes_in_its_app_and_for_its_purpose(
    client: wechat.Wechat, server: Wechat, clock: TestClock
) -> None:
    used = server.login_code(APP, "anna")
    client.account_of(APP, SECRET, used)
    late = server.login_code(APP, "anna")
    clock.set(NOW + timedelta(minutes=5))

    for code in (used, late, server.login_code(BOUND, "anna"), server.phone_proof(APP, "anna", "13800138000"), "x"):
        with pytest.raises(BadCodeError, match="40029"):
            client.account_of(APP, SECRET, code)
    for code in (server.login_code(APP, "anna"), server.phone_proof(BOUND, "anna", "13800138000")):
        with pytest.raises(BadCodeError, match="40029"):
            client.phone_of(APP, SECRET, code, server.openid(APP, "anna"))


@pytest.mark.parametrize(
    ("mode", "error", "cause"),
    [
        ("blocked", BlockedError, "40226"),
        ("too_often", TooOftenError, "45011"),
        ("address", MisconfiguredError, "40164"),
        ("server_error", UnansweredError, "http_502"),
        ("not_json", UnansweredError, "malformed"),
        ("stall", UnansweredError, "timeout"),
        ("answer_lost", UnansweredError, "timeout"),
        ("half", UnansweredError, "unreachable"),
    ],
)
def test_every_failure_has_its_error_and_is_asked_once(
    client: wechat.Wechat, server: Wechat, mode: str, error: type[PlatformError], cause: str
) -> None:
    server.fail_next([mode])
    with pytest.raises(error) as raised:
        log_in(client, server)

    assert raised.value.cause == cause
    assert len(server.calls) <= 1
    assert log_in(client, server).openid == server.openid(APP, "anna")


def test_a_busy_wechat_is_asked_once_more(client: wechat.Wechat, server: Wechat) -> None:
    server.fail_next(["busy"])
    log_in(client, server)
    server.fail_next(["busy", "busy"])
    with pytest.raises(BusyError):
        log_in(client, server)

    assert server.calls == ["jscode2session"] * 4


def test_the_hundred_and_first_log_in_of_a_minute_waits_for_the_next(
    client: wechat.Wechat, server: Wechat, clock: TestClock
) -> None:
    for _ in range(100):
        log_in(client, server)
    with pytest.raises(TooOftenError) as raised:
        log_in(client, server)
    log_in(client, server, "bert")
    clock.set(NOW + timedelta(seconds=raised.value.retry_after))

    assert log_in(client, server).openid == server.openid(APP, "anna")


@pytest.mark.parametrize(("app_id", "secret", "cause"), [("wxother", "s1", "40013"), (APP, "other", "40125")])
def test_an_app_that_wechat_does_not_know_is_the_shops_own_fault(
    client: wechat.Wechat, server: Wechat, app_id: str, secret: str, cause: str
) -> None:
    with pytest.raises(MisconfiguredError, match=cause):
        client.account_of(app_id, wechat.App(secret=secret), server.login_code(APP, "anna"))
    with pytest.raises(MisconfiguredError, match=cause):
        client.phone_of(app_id, wechat.App(secret=secret), "p", "o")


@pytest.mark.parametrize("mode", ["fine", "text_country"])
def test_a_number_is_e164_whether_the_country_is_a_number_or_a_text(
    client: wechat.Wechat, server: Wechat, mode: str
) -> None:
    server.fail_next(["fine", mode])

    assert phone(client, server) == "+8613800138000"


def test_a_phone_code_is_the_persons_own(client: wechat.Wechat, server: Wechat) -> None:
    proof = server.phone_proof(APP, "anna", "13800138000")
    with pytest.raises(BadCodeError, match="40003"):
        client.phone_of(APP, SECRET, proof, server.openid(APP, "bert"))

    assert client.phone_of(APP, SECRET, proof, server.openid(APP, "anna")) == "+8613800138000"


def test_an_app_without_the_ability_is_told_so(client: wechat.Wechat, server: Wechat) -> None:
    server.without_phone.add(APP)
    with pytest.raises(NotGrantedError, match="48001"):
        phone(client, server)


def test_a_number_for_another_app_is_not_believed(client: wechat.Wechat, server: Wechat) -> None:
    server.fail_next(["fine", "other_app"])
    with pytest.raises(UnansweredError, match="malformed"):
        phone(client, server)


def test_a_token_serves_until_five_minutes_before_its_end(
    client: wechat.Wechat, server: Wechat, clock: TestClock
) -> None:
    phone(client, server)
    clock.set(NOW + timedelta(seconds=7200 - 301))
    phone(client, server)
    clock.set(NOW + timedelta(seconds=7200 - 300))
    phone(client, server)

    assert server.calls == [
        "stable_token", "getuserphonenumber", "getuserphonenumber", "stable_token", "getuserphonenumber",
    ]  # fmt: skip


def test_another_systems_forced_refresh_costs_one_more_token(client: wechat.Wechat, server: Wechat) -> None:
    phone(client, server)
    server.refuse_tokens(APP)

    assert phone(client, server) == "+8613800138000"
    assert server.calls[2:] == ["getuserphonenumber", "stable_token", "getuserphonenumber"]


def test_a_token_that_is_refused_twice_is_no_answer(client: wechat.Wechat, server: Wechat) -> None:
    server.fail_next(["fine", "token_refused", "fine", "token_refused"])
    with pytest.raises(UnansweredError, match="40001"):
        phone(client, server)

    assert server.calls == ["stable_token", "getuserphonenumber"] * 2


def test_the_token_of_others_is_never_ended(server: Wechat) -> None:
    sent: list[httpx.Request] = []
    carried = transport_to(server)

    def note(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return carried.handle_request(request)

    client = wechat.Wechat(transport=httpx.MockTransport(note))
    server.fail_next(["fine", "token_refused"])
    phone(client, server)
    bodies = [json.loads(request.content) for request in sent if request.url.path == "/cgi-bin/stable_token"]

    assert bodies == [{"grant_type": "client_credential", "appid": APP, "secret": "s1"}] * 2


def test_nothing_secret_is_written_down(
    client: wechat.Wechat, server: Wechat, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = wechat.App(secret="very-secret")
    caplog.set_level(logging.DEBUG)
    with pytest.raises(MisconfiguredError) as refused:
        client.account_of(APP, secret, "the-code")
    server.fail_next(["stall"])
    with pytest.raises(UnansweredError) as stalled:
        client.account_of(APP, secret, "the-code")
    said = caplog.text + "".join(capfd.readouterr())

    assert "very-secret" not in said + repr(refused.value) + repr(stalled.value)
    assert stalled.value.__suppress_context__


@pytest.mark.parametrize(
    "answer",
    [
        b"[]", b"{", b'{"openid": ""}', b'{"openid": 1}', b'{"openid": null}', b'{"errcode": "0"}', b"\xff",
        b'{"openid": "' + b"o" * 129 + b'"}', b'{"openid": "a\\nb"}', b"{}" + b" " * 70_000, b"[" * 60_000,
    ],
)  # fmt: skip
def test_whatever_comes_is_an_account_or_no_answer(answer: bytes) -> None:
    client = wechat.Wechat(transport=httpx.MockTransport(lambda _request: httpx.Response(200, content=answer)))
    with pytest.raises(UnansweredError):
        client.account_of(APP, SECRET, "code")


GOOD = {"appid": APP, "secret": "s1", "js_code": "CODE", "grant_type": "authorization_code"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (GOOD, None),
        (GOOD | {"extra": "1"}, 47001),
        *(({name: value for name, value in GOOD.items() if name != missing}, code) for missing, code in (
            ("appid", 41002), ("secret", 41004), ("js_code", 41008), ("grant_type", 40002),
        )),
        (GOOD | {"grant_type": "client_credential"}, 40002),
    ],
)  # fmt: skip
def test_the_local_wechat_refuses_what_is_missing_or_unknown(
    server: Wechat, query: dict[str, str], code: int | None
) -> None:
    sent = str(httpx.QueryParams(query | ({"js_code": server.login_code(APP, "anna")} if "js_code" in query else {})))
    said = json.loads(server.answer(Asked("GET", "/sns/jscode2session", sent)).body)

    assert said.get("errcode") == code
    assert ("session_key" in said) == (code is None)


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ("access_token=TOKEN&code=CODE", b"", 47001),
        ("access_token=TOKEN", b'{"code": 1}', 47001),
        ("access_token=TOKEN", b'{"code": "x", "appid": "wx"}', 47001),
        ("access_token=other", b'{"code": "x"}', 40001),
        ("", b'{"code": "x"}', 41001),
    ],
)
def test_the_local_wechat_takes_a_phone_code_in_the_body_alone(
    server: Wechat, query: str, body: bytes, code: int
) -> None:
    wanted = json.dumps({"grant_type": "client_credential", "appid": APP, "secret": "s1"}).encode()
    json_type = {"content-type": "application/json"}
    token = json.loads(server.answer(Asked("POST", "/cgi-bin/stable_token", "", json_type, wanted)).body)
    sent = Asked(
        "POST", "/wxa/business/getuserphonenumber", query.replace("TOKEN", token["access_token"]), json_type, body
    )

    assert len(token["access_token"]) == 512
    assert json.loads(server.answer(sent).body)["errcode"] == code
