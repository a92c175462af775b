"""Baidu's client against Baidu on this machine, and against the example that Baidu publishes."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cardstock.errors import UnauthorizedError
from cardstock.members.login_platforms.baidu import KEPT_FOR, BaiduLogin
from cardstock.platforms import baidu
from cardstock.platforms.calls import (
    BadCodeError,
    BusyError,
    MisconfiguredError,
    NotGrantedError,
    PlatformError,
    UnansweredError,
)
from cardstock.platforms.keys import EnvelopeKey
from infra.local.platforms import keys
from infra.local.platforms.baidu import Baidu
from infra.local.platforms.people import Asked
from tests.people.clock import TestClock
from tests.people.login_servers import transport_to

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
APP, OTHER = "bd000000000000000000000000000001", "bd000000000000000000000000000002"
APPS = {APP: {"secret": "s1", "developer": "brand"}, OTHER: {"secret": "s2", "developer": "brand"}}
PHONE = "13800138000"
TOKEN, SESSION, UNION = "token", "getsessionkey", "getunionid"


def own(app_id: str = APP) -> baidu.App:
    return baidu.App(APPS[app_id]["secret"])


@pytest.fixture
def server(clock: TestClock) -> Baidu:
    clock.set(NOW)
    return Baidu(APPS, clock.now)


@pytest.fixture
def client(server: Baidu) -> baidu.Baidu:
    return baidu.Baidu(transport=transport_to(server), pause=lambda _seconds: None)


def log_in(client: baidu.Baidu, server: Baidu, app_id: str = APP, person: str = "anna") -> baidu.BaiduAccount:
    return client.account_of(app_id, own(app_id), server.login_code(app_id, person))


def read(client: baidu.Baidu, server: Baidu, proof: str) -> str:
    return client.phone_of(APP, proof, log_in(client, server).session_key)


def test_the_example_that_baidu_publishes_is_read() -> None:
    sealed = (
        "OpCoJgs7RrVgaMNDixIvaCIyV2SFDBNLivgkVqtzq2GC10egsn+PKmQ/+5q+chT8xzldLUog2haTItyIkKyvzvmXonBQLIMeq54axAu9c3KG8"
        "IhpFD6+ymHocmx07ZKi7eED3t0KyIxJgRNSDkFk5RV1ZP2mSWa7ZgCXXcAbP0RsiUcvhcJfrSwlpsm0E1YJzKpYy429xrEEGvK+gfL+Cw=="
    )
    key = EnvelopeKey(base64.b64decode("1df09d0a1677dd72b8325aec59576e0c"))
    message, receiver = key.open(sealed, base64.b64decode("1df09d0a1677dd72b8325Q=="))

    assert message == b'{"openid":"open_id","nickname":"baidu_user","headimgurl":"url of image","sex":1}'
    assert receiver == "y2dTfnWfkx2OXttMEMWlGHoB1KzMogm7"


def test_a_person_has_one_union_id_in_all_apps_of_a_developer(client: baidu.Baidu, server: Baidu) -> None:
    here, there = log_in(client, server), log_in(client, server, OTHER)

    assert here.account.union_id == there.account.union_id == server.union_id(APP, "anna") != ""
    assert here.account.openid != there.account.openid
    assert here.session_key != there.session_key
    assert repr(here) == f"BaiduAccount({here.account!r})"


def test_a_code_is_good_once_for_ten_minutes_in_its_app(client: baidu.Baidu, server: Baidu, clock: TestClock) -> None:
    used, late = server.login_code(APP, "anna"), server.login_code(APP, "anna")
    client.account_of(APP, own(), used)
    clock.set(NOW + timedelta(minutes=10))

    for code in (used, late, server.login_code(OTHER, "anna"), "x"):
        with pytest.raises(BadCodeError, match="10010101"):
            client.account_of(APP, own(), code)


@pytest.mark.parametrize("padding", [16, 32])
def test_a_number_is_read_with_the_key_of_the_same_log_in(client: baidu.Baidu, server: Baidu, padding: int) -> None:
    server.padding = padding
    proof = server.phone_proof(APP, "anna", PHONE)

    assert read(client, server, proof) == f"+86{PHONE}"
    assert server.calls == [TOKEN, SESSION, UNION]
    for key in (None, b"", log_in(client, server, person="bert").session_key, log_in(client, server).session_key[:16]):
        with pytest.raises(BadCodeError, match="unreadable"):
            client.phone_of(APP, proof, key)


def test_a_number_from_before_the_key_was_renewed_is_asked_for_again(client: baidu.Baidu, server: Baidu) -> None:
    before = server.phone_proof(APP, "anna", PHONE)
    server.fail_next(["fine", "key_renewed"])
    renewed = log_in(client, server)
    with pytest.raises(BadCodeError, match="unreadable"):
        client.phone_of(APP, before, renewed.session_key)

    assert client.phone_of(APP, server.phone_proof(APP, "anna", PHONE), renewed.session_key) == f"+86{PHONE}"


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "1", '{"mobile": 13800138000}', '{"mobile": "23800138000"}', '{"mobile": "1380013800"}',
     '{"mobile": "138001380000"}', '{"mobile": "13800138000\\n"}', '{"mobile": null}', '{"Mobile": "13800138000"}',
     '{"mobile": "13800138000", "headimgurl": "x"}', '{"mobile": "1３８00138000"}'],
)  # fmt: skip
def test_what_is_no_number_alone_is_not_believed(client: baidu.Baidu, server: Baidu, text: str) -> None:
    with pytest.raises(BadCodeError, match="unreadable"):
        read(client, server, server.sealed(APP, "anna", text))


def test_a_nickname_of_digits_does_not_become_a_number(client: baidu.Baidu, server: Baidu) -> None:
    """Whoever chooses the nickname can join its blocks to a head of their own: nothing proves the whole."""
    account = log_in(client, server)
    plain = '{"openid":"123","nickname":"3900139000","headimgurl":"x"}'
    detail = json.loads(server.sealed(APP, "anna", plain))
    sealed = base64.b64decode(detail["encryptedData"])
    blocks = [sealed[at : at + 16] for at in range(0, len(sealed), 16)]
    at = plain.index("3900139000") + 20  # where the digits stand, after the random bytes and the length
    assert at % 16 == 0
    head = (len('{"mobile":"1') + len(plain) - plain.index("3900139000")).to_bytes(4, "big") + b'{"mobile":"1'
    key = account.session_key
    before = keys.open_block(key, blocks[at // 16 - 1])
    forged = bytes(one ^ other for one, other in zip(before, head, strict=True)) + b"".join(blocks[at // 16 - 1 :])
    made = {"encryptedData": base64.b64encode(forged).decode(), "iv": base64.b64encode(bytes(16)).decode()}
    message, receiver = EnvelopeKey(key).open(made["encryptedData"], bytes(16))

    assert (message, receiver) == (b'{"mobile":"13900139000","headimgurl":"x"}', APP)  # the forgery itself works
    with pytest.raises(BadCodeError, match="unreadable"):
        client.phone_of(APP, json.dumps(made), key)


def test_what_is_for_another_app_or_altered_is_not_believed(client: baidu.Baidu, server: Baidu) -> None:
    with pytest.raises(BadCodeError, match="other_app"):
        read(client, server, server.sealed(APP, "anna", json.dumps({"mobile": PHONE}), receiver=OTHER))
    with pytest.raises(BadCodeError, match="unreadable"):
        read(client, server, server.phone_proof(OTHER, "anna", PHONE))
    detail = json.loads(server.phone_proof(APP, "anna", PHONE))
    wrong: list[Any] = [
        detail | {"iv": ""}, detail | {"iv": "AAAA"}, detail | {"iv": 1}, detail | {"iv": "\u00e9"},
        detail | {"encryptedData": ""}, detail | {"encryptedData": "AAAA"}, detail | {"encryptedData": "!"},
        detail | {"encryptedData": detail["encryptedData"][:-24]}, {"iv": detail["iv"]}, {}, [], "x", None, 1,
    ]  # fmt: skip
    for each in wrong:
        with pytest.raises(BadCodeError):
            read(client, server, json.dumps(each))
    for text in ("", "{", "[" * 8000, "\ud800"):
        with pytest.raises(BadCodeError):
            read(client, server, text)


def test_a_length_beyond_the_text_and_wrong_padding_are_no_envelope() -> None:
    key, iv = bytes(24), bytes(16)
    for plain in (
        bytes(16) + (5).to_bytes(4, "big") + b"four" + bytes([8]) * 8,
        bytes(16) + (0).to_bytes(4, "big") + b"app" + bytes([9]) * 8 + b"\x08",
        bytes(16) + (0).to_bytes(4, "big") + bytes([0]) * 12,
        bytes(15) + bytes([1]),
        bytes([33]) * 48,
        bytes(16) + (0).to_bytes(4, "big") + b"application" + bytes([33]) * 33,
    ):
        with pytest.raises(ValueError, match="no envelope"):
            EnvelopeKey(key).open(keys.encrypt_blocks(key, iv, plain), iv)


def test_an_app_without_the_ability_is_told_so(client: baidu.Baidu, server: Baidu) -> None:
    server.without_phone.add(APP)
    with pytest.raises(NotGrantedError, match="denied"):
        read(client, server, server.phone_proof(APP, "anna", PHONE))


@pytest.mark.parametrize("mode", ["fine", "error_as_200"])
def test_what_baidu_refuses_of_the_app_is_the_shops_own_fault(client: baidu.Baidu, server: Baidu, mode: str) -> None:
    code = server.login_code(APP, "anna")
    for app_id, app in (("bdother", own()), (APP, baidu.App("wrong"))):
        server.fail_next([mode])
        with pytest.raises(MisconfiguredError, match="invalid_client"):
            client.account_of(app_id, app, code)

    assert client.account_of(APP, own(), code).account.openid == server.openid(APP, "anna")


@pytest.mark.parametrize(
    ("modes", "calls"),
    [
        (["fine", "fine"], [SESSION, UNION]),
        (["token_refused"], [SESSION, TOKEN, SESSION, UNION]),
        (["token_expired"], [SESSION, TOKEN, SESSION, UNION]),
        (["fine", "token_refused"], [SESSION, UNION, TOKEN, UNION]),
    ],
)
def test_a_token_serves_until_it_is_refused(
    client: baidu.Baidu, server: Baidu, modes: list[str], calls: list[str]
) -> None:
    log_in(client, server)
    server.calls.clear()
    server.fail_next(modes)
    log_in(client, server)

    assert server.calls == calls
    server.fail_next(["token_refused", "fine", "token_refused"])
    with pytest.raises(UnansweredError, match="110"):
        log_in(client, server)


def test_a_token_is_replaced_five_minutes_before_its_end_or_when_baidu_ends_it(
    client: baidu.Baidu, server: Baidu, clock: TestClock
) -> None:
    log_in(client, server)
    clock.set(NOW + timedelta(days=30, minutes=-5))
    log_in(client, server)
    server.refuse_tokens()
    log_in(client, server)

    assert server.calls == [TOKEN, SESSION, UNION, TOKEN, SESSION, UNION, SESSION, TOKEN, SESSION, UNION]


@pytest.mark.parametrize(
    ("modes", "error", "cause"),
    [
        (["fine", "no_union"], UnansweredError, "1"),
        (["short_key"], UnansweredError, "malformed"),
        (["busy", "busy"], BusyError, "2"),
        (["fine", "busy", "busy"], UnansweredError, "2"),
        (["server_error"], UnansweredError, "http_502"),
        (["not_json"], UnansweredError, "malformed"),
        (["fine", "answer_lost"], UnansweredError, "timeout"),
        (["half"], UnansweredError, "unreachable"),
    ],
)
def test_every_failure_has_its_error(
    client: baidu.Baidu, server: Baidu, modes: list[str], error: type[PlatformError], cause: str
) -> None:
    log_in(client, server)
    server.fail_next(modes)
    with pytest.raises(error) as raised:
        log_in(client, server)

    assert (type(raised.value), raised.value.cause) == (error, cause)
    assert log_in(client, server).account.openid == server.openid(APP, "anna")


@pytest.mark.parametrize(
    ("code", "error"), [(6, MisconfiguredError), (18, BusyError), (4, UnansweredError), (17, UnansweredError)]
)
def test_what_the_gateway_says_is_told_apart(code: int, error: type[PlatformError]) -> None:
    def said(request: httpx.Request) -> httpx.Response:
        token = request.url.path.endswith("token")
        return httpx.Response(200, json={"access_token": "t", "expires_in": 9000} if token else {"error_code": code})

    client = baidu.Baidu(transport=httpx.MockTransport(said), pause=lambda _seconds: None)
    with pytest.raises(error) as raised:
        client.account_of(APP, own(), "code")

    assert type(raised.value) is error


@pytest.mark.parametrize("answer", [b"[]", b"{", b"{}", b'{"data": null}', b'{"data": {"open_id": "x"}}', b"\xff"])
def test_whatever_comes_is_an_account_or_no_answer(answer: bytes) -> None:
    def said(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("token"):
            return httpx.Response(200, json={"access_token": "t", "expires_in": 9000})
        return httpx.Response(200, content=answer)

    client = baidu.Baidu(transport=httpx.MockTransport(said))
    with pytest.raises(UnansweredError):
        client.account_of(APP, own(), "code")
    bare = baidu.Baidu(transport=httpx.MockTransport(lambda _request: httpx.Response(200, content=answer)))
    with pytest.raises(UnansweredError):
        bare.account_of(APP, own(), "code")


def test_a_session_key_is_forgotten_with_the_number_and_after_a_minute(
    client: baidu.Baidu, server: Baidu, clock: TestClock
) -> None:
    config = {"apps": {app_id: {"secret": app["secret"]} for app_id, app in APPS.items()}}
    port = BaiduLogin(config, client=client, report=print)
    openid = server.openid(APP, "anna")

    def refused() -> bool:
        try:
            port.phone_of(APP, server.phone_proof(APP, "anna", PHONE), openid)
        except UnauthorizedError as error:
            return error.code == "LOGIN_CODE_INVALID"
        return False

    port.identify(APP, server.login_code(APP, "anna"))
    read_once, again = refused(), refused()
    port.identify(APP, server.login_code(APP, "anna"))
    clock.set(NOW + KEPT_FOR)
    late = refused()
    port.identify(APP, server.login_code(APP, "anna"))
    clock.set(NOW + KEPT_FOR * 2 - timedelta(seconds=1))
    port.identify(APP, server.login_code(APP, "bert"))
    in_time = refused()

    assert (read_once, again, late, in_time) == (False, True, True, False)
    assert len(vars(port)["_keys"]) == 1
    clock.set(NOW + KEPT_FOR * 9)
    port.identify(OTHER, server.login_code(OTHER, "cara"))
    assert list(vars(port)["_keys"]) == [(OTHER, server.openid(OTHER, "cara"))]


@pytest.mark.parametrize(
    ("path", "query", "body", "said"),
    [
        ("/oauth/2.0/token", "", b"", {"error": "invalid_request"}),
        (
            "/oauth/2.0/token", "grant_type=x&client_id=x&client_secret=x&scope=x", b"",
            {"error": "unsupported_grant_type"},
        ),
        (
            "/oauth/2.0/token", "grant_type=client_credentials&client_id=x&client_secret=x&scope=x", b"",
            {"error": "invalid_scope"},
        ),
        ("/rest/2.0/smartapp/getsessionkey", "code=x", b"", {"error_code": 110}),
        ("/rest/2.0/smartapp/getunionid", "", b"openid=x", {"error_code": 110}),
    ],
)  # fmt: skip
def test_the_local_baidu_refuses_what_is_missing(
    server: Baidu, path: str, query: str, body: bytes, said: dict[str, Any]
) -> None:
    answer = json.loads(server.answer(Asked("POST", path, query, {}, body)).body)

    assert said.items() <= answer.items()
    assert server.answer(Asked("GET", path, query)).status == 404


def test_the_local_baidu_refuses_other_shapes_with_a_good_token(client: baidu.Baidu, server: Baidu) -> None:
    log_in(client, server)
    token = next(iter(vars(server)["_tokens"]))
    form = {"content-type": "application/x-www-form-urlencoded"}
    base = "/rest/2.0/smartapp/"
    for path, query, body, errno in (
        ("getsessionkey", f"access_token={token}", b"", 10010100),
        ("getsessionkey", f"access_token={token}&code=x&more=1", b"", 10010100),
        ("getsessionkey", f"access_token={token}&code=x", b"more=1", 10010100),
        ("getunionid", f"access_token={token}", b"openid=x", 1),
        ("getunionid", f"access_token={token}", b"", 1),
        ("getunionid", f"access_token={token}&openid=x", b"openid=x", 1),
    ):
        assert json.loads(server.answer(Asked("POST", base + path, query, form, body)).body)["errno"] == errno
