"""Douyin's client against Douyin on this machine."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import pytest

from cardstock.platforms import douyin
from cardstock.platforms.calls import (
    BadCodeError,
    BusyError,
    MisconfiguredError,
    NotGrantedError,
    UnansweredError,
)
from infra.local.platforms.douyin import Douyin, new_app
from infra.local.platforms.people import Asked
from tests.people.clock import TestClock
from tests.people.login_servers import transport_to

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
APP, OTHER = "tt00000001", "tt00000002"


@cache
def apps() -> dict[str, dict[str, str]]:
    return {APP: new_app("brand"), OTHER: new_app("brand")}


def own(app_id: str = APP, **changed: str) -> douyin.App:
    kept = apps()[app_id]
    return douyin.App(**({"secret": kept["secret"], "private_key": kept["own_private_key"]} | changed))


@pytest.fixture
def server(clock: TestClock) -> Douyin:
    clock.set(NOW)
    return Douyin(apps(), clock.now)


@pytest.fixture
def client(server: Douyin) -> douyin.Douyin:
    return douyin.Douyin(transport=transport_to(server), pause=lambda _seconds: None)


def phone(client: douyin.Douyin, server: Douyin, **changed: str) -> str:
    return client.phone_of(APP, own(**changed), server.phone_proof(APP, "anna", "13800138000"))


def test_a_person_has_one_union_id_in_all_apps_of_a_developer(client: douyin.Douyin, server: Douyin) -> None:
    here = client.account_of(APP, own(), server.login_code(APP, "anna"))
    there = client.account_of(OTHER, own(OTHER), server.login_code(OTHER, "anna"))

    assert here.union_id == there.union_id != ""
    assert here.openid != there.openid


def test_a_code_is_good_once_for_five_minutes_in_its_app_and_for_its_purpose(
    client: douyin.Douyin, server: Douyin, clock: TestClock
) -> None:
    used, late = server.login_code(APP, "anna"), server.login_code(APP, "anna")
    client.account_of(APP, own(), used)
    clock.set(NOW + timedelta(minutes=5))

    for code in (used, late, server.login_code(OTHER, "anna"), server.phone_proof(APP, "anna", "13800138000"), "x"):
        with pytest.raises(BadCodeError, match="40018"):
            client.account_of(APP, own(), code)
    for code in (server.login_code(APP, "anna"), server.phone_proof(OTHER, "anna", "13800138000"), "x"):
        with pytest.raises(BadCodeError, match="28001007"):
            client.phone_of(APP, own(), code)


@pytest.mark.parametrize("mode", ["fine", "number_country"])
def test_a_number_is_read_with_the_apps_key(client: douyin.Douyin, server: Douyin, mode: str) -> None:
    server.fail_next(["fine", mode])

    assert phone(client, server) == "+8613800138000"
    assert server.calls == ["client_token", "get_phonenumber_info"]


def test_what_douyin_refuses_of_the_app_is_the_shops_own_fault(client: douyin.Douyin, server: Douyin) -> None:
    for app_id, secret, login, token in (("ttother", "s", "40015", "10003"), (APP, "wrong", "40017", "10013")):
        with pytest.raises(MisconfiguredError, match=login):
            client.account_of(app_id, own(secret=secret), server.login_code(APP, "anna"))
        with pytest.raises(MisconfiguredError, match=token):
            client.phone_of(app_id, own(secret=secret), "x")
    with pytest.raises(MisconfiguredError, match="private_key"):
        phone(client, server, private_key="no key")
    with pytest.raises(MisconfiguredError, match="private_key"):
        phone(client, server, private_key=apps()[OTHER]["own_private_key"])


def test_a_number_that_is_not_this_apps_is_not_believed(client: douyin.Douyin, server: Douyin) -> None:
    server.fail_next(["fine", "other_mini_program", "other_key"])
    with pytest.raises(UnansweredError, match="malformed"):
        phone(client, server)
    with pytest.raises(MisconfiguredError, match="private_key"):
        phone(client, server)


def test_an_app_without_the_ability_or_without_a_key_is_told_so(client: douyin.Douyin, server: Douyin) -> None:
    with pytest.raises(NotGrantedError, match="no_private_key"):
        phone(client, server, private_key="")
    server.without_phone.add(APP)
    with pytest.raises(NotGrantedError, match="28001018"):
        phone(client, server)


def test_a_token_serves_until_it_is_refused_once_or_ends(
    client: douyin.Douyin, server: Douyin, clock: TestClock
) -> None:
    phone(client, server)
    phone(client, server)
    server.refuse_tokens()
    phone(client, server)
    clock.set(NOW + timedelta(seconds=7200 - 300))
    phone(client, server)

    number, token = "get_phonenumber_info", "client_token"
    assert server.calls == [token, number, number, number, token, number, token, number]
    server.fail_next(["token_refused", "fine", "token_refused"])
    with pytest.raises(UnansweredError, match="28001008"):
        phone(client, server)


def test_a_busy_douyin_is_asked_once_more(client: douyin.Douyin, server: Douyin) -> None:
    server.fail_next(["busy", "fine", "busy", "fine"])
    phone(client, server)
    server.fail_next(["busy", "busy"])
    with pytest.raises(BusyError):
        client.account_of(APP, own(), server.login_code(APP, "anna"))


@pytest.mark.parametrize("answer", [b"[]", b"{", b"{}", b'{"data": null}', b'{"data": 1}', b'{"data": {"openid": 1}}'])
def test_whatever_comes_is_an_account_or_no_answer(answer: bytes) -> None:
    client = douyin.Douyin(transport=httpx.MockTransport(lambda _request: httpx.Response(200, content=answer)))
    with pytest.raises(UnansweredError):
        client.account_of(APP, own(), "code")
    with pytest.raises(UnansweredError):
        client.phone_of(APP, own(), "code")


@pytest.mark.parametrize("body", [{}, {"appid": APP}, {"appid": APP, "secret": "s", "code": "c", "more": ""}, [], "x"])
def test_the_local_douyin_refuses_what_is_missing_or_unknown(server: Douyin, body: Any) -> None:
    sent = Asked(
        "POST", "/api/apps/v2/jscode2session", "", {"content-type": "application/json"}, json.dumps(body).encode()
    )

    assert json.loads(server.answer(sent).body)["err_no"] == 10002
    assert server.answer(Asked("POST", "/oauth/client_token/")).status == 200
    assert server.answer(Asked("POST", "/oauth/client_token")).status == 404
