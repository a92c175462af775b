"""Alipay's client against Alipay on this machine."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import pytest

from cardstock.platforms import alipay, alipay_gateway
from cardstock.platforms.calls import (
    BadCodeError,
    BusyError,
    MisconfiguredError,
    NotGrantedError,
    PlatformError,
    UnansweredError,
)
from infra.local.platforms.alipay import Alipay, new_app
from infra.local.platforms.people import Asked
from tests.people.clock import TestClock
from tests.people.login_servers import transport_to

NOW = datetime(2026, 12, 1, 19, tzinfo=UTC)
"""In Beijing it is the second already."""
APP, OLD = "2021000000000001", "2021000000000002"


@cache
def apps() -> dict[str, dict[str, str]]:
    return {APP: new_app("brand"), OLD: new_app("brand", names="user_id")}


def own(app_id: str = APP, **changed: str) -> alipay.App:
    kept = apps()[app_id]
    keys = {
        "private_key": kept["own_private_key"], "public_key": kept["own_alipay_public_key"], "aes_key": kept["aes_key"],
    }  # fmt: skip
    return alipay.App(**(keys | changed))


@pytest.fixture
def server(clock: TestClock) -> Alipay:
    clock.set(NOW)
    return Alipay(apps(), clock.now)


def client_of(server: Alipay, gateway: str = alipay_gateway.URL) -> alipay.Alipay:
    return alipay.Alipay(gateway, transport=transport_to(server), pause=lambda _seconds: None)


@pytest.fixture
def client(server: Alipay) -> alipay.Alipay:
    return client_of(server)


def log_in(client: alipay.Alipay, server: Alipay, app_id: str = APP) -> alipay.AlipayAccount:
    return client.account_of(app_id, own(app_id), server.login_code(app_id, "anna"))


def test_a_new_app_gets_open_ids_an_old_one_user_ids_and_both_the_union_id(
    client: alipay.Alipay, server: Alipay
) -> None:
    new, old = log_in(client, server), log_in(client, server, OLD)

    assert (new.kind, new.account.openid) == ("open", server.openid(APP, "anna"))
    assert (old.kind, old.account.openid) == ("user", server.user_id("anna"))
    assert len(old.account.openid) == 16
    assert new.account.union_id == old.account.union_id != ""


def test_where_both_names_come_members_stay_who_they_were(client: alipay.Alipay, server: Alipay) -> None:
    server.fail_next(["both_names"])

    assert log_in(client, server).kind == "user"


def test_a_code_is_good_once_for_five_minutes_in_its_app(
    client: alipay.Alipay, server: Alipay, clock: TestClock
) -> None:
    used = server.login_code(APP, "anna")
    client.account_of(APP, own(), used)
    late = server.login_code(APP, "anna")
    clock.set(NOW + timedelta(minutes=5))

    for code in (used, late, server.login_code(OLD, "anna"), "x", "登录"):
        with pytest.raises(BadCodeError, match=r"40002 isv\.code-invalid"):
            client.account_of(APP, own(), code)


@pytest.mark.parametrize(
    ("mode", "error", "cause"),
    [
        ("forged", UnansweredError, "signature"),
        ("unsigned", UnansweredError, "signature"),
        ("other_call", UnansweredError, "signature"),
        ("server_error", UnansweredError, "http_502"),
        ("not_json", UnansweredError, "signature"),
        ("stall", UnansweredError, "timeout"),
        ("answer_lost", UnansweredError, "timeout"),
        ("half", UnansweredError, "unreachable"),
    ],
)
def test_every_failure_has_its_error_and_is_asked_once(
    client: alipay.Alipay, server: Alipay, mode: str, error: type[PlatformError], cause: str
) -> None:
    server.fail_next([mode])
    with pytest.raises(error) as raised:
        log_in(client, server)

    assert raised.value.cause == cause
    assert len(server.calls) <= 1
    assert log_in(client, server).account.openid == server.openid(APP, "anna")


@pytest.mark.parametrize("mode", ["busy", "call_limited"])
def test_a_busy_alipay_is_asked_once_more(client: alipay.Alipay, server: Alipay, mode: str) -> None:
    server.fail_next([mode])
    log_in(client, server)
    server.fail_next([mode, mode])
    with pytest.raises(BusyError):
        log_in(client, server)

    assert server.calls == ["token"] * 4


def test_what_alipay_refuses_of_the_app_is_the_shops_own_fault(client: alipay.Alipay, server: Alipay) -> None:
    code = server.login_code(APP, "anna")
    for app_id, app, cause in (
        ("2021000000000009", own(), "40002 isv.invalid-app-id"),
        (APP, own(private_key=apps()[OLD]["own_private_key"]), "40002 isv.invalid-signature"),
        (APP, own(private_key="no key"), "keys"),
        (APP, own(public_key="no key"), "keys"),
    ):
        with pytest.raises(MisconfiguredError, match=cause):
            client.account_of(app_id, app, code)

    assert client.account_of(APP, own(), code).account.openid == server.openid(APP, "anna")


def test_the_gateway_is_told_the_charset_wherever_it_stands(server: Alipay) -> None:
    sent: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return transport_to(server).handle_request(request)

    with pytest.raises(BadCodeError):
        alipay.Alipay(transport=httpx.MockTransport(note)).account_of(APP, own(), "登录")
    (request,) = sent
    headers = {name.lower(): value for name, value in request.headers.items()}
    bare = server.answer(Asked("POST", "/gateway.do", "", headers, request.content))

    assert request.url.query == b"charset=utf-8"
    assert json.loads(bare.body)["error_response"]["sub_code"] == "isv.invalid-signature"


def test_a_number_is_read_from_what_the_button_gave(client: alipay.Alipay, server: Alipay) -> None:
    proof = server.phone_proof(APP, "anna", "13800138000")
    slashes = proof.replace("/", "\\/")

    assert client.phone_of(own(), proof) == client.phone_of(own(), slashes) == "+8613800138000"
    assert client.phone_of(own(), server.phone_proof(APP, "anna", "852-91234567")) == "+85291234567"
    assert server.calls == []


def test_a_number_that_alipay_did_not_sign_for_this_app_is_not_believed(client: alipay.Alipay, server: Alipay) -> None:
    proof = json.loads(server.phone_proof(APP, "anna", "13800138000"))
    other = json.loads(server.phone_proof(OLD, "anna", "13800138000"))
    changed = ("A" if proof["response"][0] != "A" else "B") + proof["response"][1:]
    wrong: list[Any] = [
        other,
        proof | {"sign": other["sign"]}, proof | {"response": changed}, proof | {"sign": ""}, proof | {"sign": 1},
        {"response": proof["response"]}, {"sign": proof["sign"]}, [], "x", None, 1, {"response": 1}, {"response": None},
        {"response": {}}, {"response": {"code": 1}}, {"response": {"code": "10000", "mobile": "13800138000"}},
    ]  # fmt: skip

    for each in wrong:
        with pytest.raises(BadCodeError):
            client.phone_of(own(), json.dumps(each))
    for text in ("", "{", "[" * 8000, "\ud800"):
        with pytest.raises(BadCodeError):
            client.phone_of(own(), text)


def test_an_app_without_the_ability_is_told_so(client: alipay.Alipay, server: Alipay) -> None:
    server.without_phone.add(APP)
    with pytest.raises(NotGrantedError, match=r"40003 isv\.invalid-auth-relations"):
        client.phone_of(own(), server.phone_proof(APP, "anna", "13800138000"))
    with pytest.raises(NotGrantedError, match="no_aes_key"):
        client.phone_of(own(aes_key=""), server.phone_proof(OLD, "anna", "13800138000"))


@pytest.mark.parametrize("aes_key", ["AAAAAAAAAAAAAAAAAAAAAA==", "AAAA", "no key"])
def test_a_wrong_content_key_is_the_shops_own_fault(client: alipay.Alipay, server: Alipay, aes_key: str) -> None:
    with pytest.raises(MisconfiguredError, match="aes_key"):
        client.phone_of(own(aes_key=aes_key), server.phone_proof(APP, "anna", "13800138000"))


@pytest.mark.parametrize(
    "answer",
    [b"[]", b"{", b"{}", b"\xff", b'{"error_response": 1}', b'{"error_response": {"code": 1}}', b"[" * 60_000],
)
def test_whatever_comes_is_an_account_or_no_answer(server: Alipay, answer: bytes) -> None:
    client = alipay.Alipay(transport=httpx.MockTransport(lambda _request: httpx.Response(200, content=answer)))
    with pytest.raises(UnansweredError):
        log_in(client, server)


@pytest.mark.parametrize(
    ("changed", "sub_code"),
    [
        ({"extra": "1"}, "isv.invalid-parameter"),
        ({"biz_content": "{}"}, "isv.invalid-parameter"),
        ({"grant_type": "refresh_token"}, "isv.grant-type-invalid"),
        ({"grant_type": ""}, "isv.missing-grant-type"),
        ({"code": ""}, "isv.missing-code"),
        ({"method": "alipay.trade.pay"}, "isv.invalid-method"),
        ({"timestamp": "2026-12-02 03:10:01"}, "isv.invalid-timestamp"),
        ({"timestamp": "now"}, "isv.invalid-timestamp"),
        ({"sign_type": "RSA"}, "isv.invalid-signature-type"),
        *(({name: ""}, f"isv.missing-{shown}") for name, shown in (
            ("app_id", "app-id"), ("method", "method"), ("charset", "charset"), ("timestamp", "timestamp"),
            ("version", "version"),
        )),
    ],
)  # fmt: skip
def test_the_local_alipay_refuses_what_is_missing_or_unknown(
    server: Alipay, changed: dict[str, str], sub_code: str
) -> None:
    from infra.local.platforms import keys

    given = {
        "app_id": APP, "method": "alipay.system.oauth.token", "format": "JSON", "charset": "utf-8", "sign_type": "RSA2",
        "timestamp": "2026-12-02 03:00:00", "version": "1.0", "grant_type": "authorization_code",
        "code": server.login_code(APP, "anna"),
    } | changed  # fmt: skip
    message = "&".join(f"{name}={given[name]}" for name in sorted(given) if given[name])
    given["sign"] = keys.sign(apps()[APP]["own_private_key"], message.encode())
    body = str(httpx.QueryParams(given)).encode()
    form = {"content-type": "application/x-www-form-urlencoded"}
    said = json.loads(server.answer(Asked("POST", "/gateway.do", "charset=utf-8", form, body)).body)

    assert said["error_response"]["sub_code"] == sub_code
