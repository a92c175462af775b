"""What every login platform guarantees: the development platform, and the real ones as they are on this machine."""

from collections.abc import Callable
from typing import Any

import pytest

from cardstock.errors import (
    CardstockError,
    ForbiddenError,
    InvalidError,
    Pointer,
    ThrottledError,
    UnauthorizedError,
    UnavailableError,
)
from cardstock.members.login_platforms.alipay import AlipayLogin
from cardstock.members.login_platforms.baidu import BaiduLogin
from cardstock.members.login_platforms.development import DevelopmentPlatform
from cardstock.members.login_platforms.douyin import DouyinLogin
from cardstock.members.login_platforms.wechat import WechatLogin
from cardstock.members.ports import LoginPlatform
from tests.people.clock import TestClock
from tests.people.login_parties import PHONE, REAL, Development, Party, Real

CONTRACT = {LoginPlatform: (DevelopmentPlatform, WechatLogin, AlipayLogin, DouyinLogin, BaiduLogin)}
ADAPTERS: dict[str, type[LoginPlatform]] = {
    "dev": DevelopmentPlatform,
    "wechat": WechatLogin,
    "alipay": AlipayLogin,
    "douyin": DouyinLogin,
    "baidu": BaiduLogin,
}


@pytest.fixture(params=["dev", *REAL])
def party(request: pytest.FixtureRequest, clock: TestClock) -> Party:
    made: Party = Development() if request.param == "dev" else REAL[request.param](clock)
    assert type(made.port) is ADAPTERS[request.param]
    return made


@pytest.fixture(params=[*REAL])
def real(request: pytest.FixtureRequest, clock: TestClock) -> Real:
    return REAL[request.param](clock)


def identify(party: Party, person: str = "anna") -> Any:
    return party.port.identify(party.app_id, party.login_code(person))


def phone(party: Party, person: str = "anna") -> str:
    return party.port.phone_of(party.app_id, party.phone_proof(person), identify(party, person).openid)


def refusal(asked: Callable[[], object]) -> CardstockError:
    with pytest.raises(CardstockError) as refused:
        asked()
    return refused.value


def test_a_person_is_the_same_at_every_log_in_and_nobody_else(party: Party) -> None:
    anna, again, bert = identify(party), identify(party), identify(party, "bert")

    assert anna == again
    assert anna.openid != bert.openid
    assert anna.union_id != bert.union_id
    assert anna.kind == "open"


def test_a_telephone_number_is_e164(party: Party) -> None:
    assert phone(party) == f"+86{PHONE}"


@pytest.mark.parametrize("code", ["x", "dev:", "登录", "a" * 512])
def test_a_code_that_the_platform_does_not_know_lets_nobody_in(party: Party, code: str) -> None:
    login = refusal(lambda: party.port.identify(party.app_id, code))
    number = refusal(lambda: party.port.phone_of(party.app_id, code, "openid"))

    assert (type(login), login.code) == (type(number), number.code) == (UnauthorizedError, "LOGIN_CODE_INVALID")


def test_a_login_code_proves_no_number_and_a_proof_of_a_number_no_login(party: Party) -> None:
    login = refusal(lambda: party.port.identify(party.app_id, party.phone_proof("anna")))
    number = refusal(lambda: party.port.phone_of(party.app_id, party.login_code("anna"), "openid"))

    assert login.code == number.code == "LOGIN_CODE_INVALID"


def test_a_code_is_good_once_for_five_minutes_on_baidu_for_ten(real: Real, clock: TestClock) -> None:
    used, late, in_time = [real.login_code("anna") for _ in range(3)]
    real.port.identify(real.app_id, used)
    again = refusal(lambda: real.port.identify(real.app_id, used))
    clock.move(minutes=10 if real.name == "baidu" else 5, seconds=-1)
    real.port.identify(real.app_id, in_time)
    clock.move(seconds=1)
    after = refusal(lambda: real.port.identify(real.app_id, late))

    assert (again.code, again.pointers) == ("LOGIN_CODE_INVALID", (Pointer("/login_code", "INVALID"),))
    assert after.code == "LOGIN_CODE_INVALID"
    assert real.told == []


def test_a_wrong_proof_of_a_number_is_pointed_at(real: Real) -> None:
    wrong = refusal(lambda: real.port.phone_of(real.app_id, "x", "openid"))

    assert wrong.pointers == (Pointer("/phone_code", "INVALID"),)


def test_an_app_that_is_not_configured_is_named(real: Real) -> None:
    for asked in (
        lambda: real.port.identify("wxunknown", real.login_code("anna")),
        lambda: real.port.phone_of("wxunknown", real.phone_proof("anna"), "openid"),
    ):
        refused = refusal(asked)

        assert (type(refused), refused.code) == (InvalidError, "APP_UNKNOWN")
        assert refused.pointers == (Pointer("/app_id", "UNKNOWN"),)
    assert real.server.calls == []


@pytest.mark.parametrize("mode", ["server_error", "not_json", "stall", "answer_lost", "half"])
def test_without_an_answer_the_codes_may_be_used_up_and_the_cause_is_reported(real: Real, mode: str) -> None:
    real.server.fail_next([mode])
    refused = refusal(lambda: identify(real))
    ((platform, app_id, cause),) = real.told

    assert (type(refused), refused.code) == (UnauthorizedError, "LOGIN_CODES_USED")
    assert (platform, app_id) == (real.name, real.app_id)
    assert cause in ("http_502", "malformed", "signature", "timeout", "unreachable")


def test_a_busy_platform_is_asked_twice_and_then_unavailable(real: Real, clock: TestClock) -> None:
    alone = REAL[real.name](clock)
    identify(alone)
    real.server.fail_next(["busy"])
    identify(real)
    first = len(real.server.calls)
    real.server.fail_next(["busy", "busy"])
    refused = refusal(lambda: identify(real))

    assert refused.code == "PLATFORM_UNAVAILABLE"
    assert len(alone.server.calls) == (3 if real.name == "baidu" else 1)
    assert first == len(alone.server.calls) + 1
    assert len(real.server.calls) == first + 2


def test_where_the_app_may_not_ask_for_numbers_the_number_is_not_granted(real: Real) -> None:
    real.server.without_phone.add(real.app_id)
    refused = refusal(lambda: phone(real))

    assert (type(refused), refused.code) == (ForbiddenError, "PHONE_NOT_GRANTED")


def test_what_the_platform_refuses_of_us_is_to_be_repaired(clock: TestClock) -> None:
    """An app that the platform does not know. The log says which, and nothing secret."""
    for made in REAL.values():
        real = made(clock)
        code = real.login_code("anna")
        real.server.apps = {}
        refused = refusal(lambda real=real, code=code: real.port.identify(real.app_id, code))  # type: ignore[misc]

        assert (type(refused), refused.code) == (UnavailableError, "PLATFORM_MISCONFIGURED")
        assert refused.refusal.alarm == "PlatformMisconfigured"
        assert str(refused.__cause__).startswith(f"{real.name} {real.app_id} ")


def test_a_person_whom_wechat_blocks_is_told_not_to_try_again(clock: TestClock) -> None:
    wechat = REAL["wechat"](clock)
    wechat.server.blocked.add("anna")
    refused = refusal(lambda: identify(wechat))

    assert (type(refused), refused.code) == (ForbiddenError, "LOGIN_BLOCKED")
    assert identify(wechat, "bert")


def test_a_person_who_asks_too_often_is_told_when_to_come_again(clock: TestClock) -> None:
    wechat = REAL["wechat"](clock)
    wechat.server.fail_next(["too_often"])
    refused = refusal(lambda: identify(wechat))
    clock.move(seconds=int(str(refused.facts["retry_after"])))

    assert (type(refused), refused.code, refused.facts) == (ThrottledError, "LOGIN_TOO_OFTEN", {"retry_after": 60})
    assert identify(wechat)


def test_alipays_older_apps_name_a_person_in_another_way(clock: TestClock) -> None:
    alipay = REAL["alipay"](clock)
    new = identify(alipay)
    alipay.server.fail_next(["user_id"])
    old = identify(alipay)

    assert (new.kind, old.kind) == ("open", "user")
    assert new.openid != old.openid
    assert new.union_id == old.union_id


@pytest.mark.parametrize(
    "config",
    [[], "x", 1, {}, {"apps": {}, "more": 1}, {"apps": []}, {"apps": {"wx1": {}}}, {"apps": {"wx1": {"secret": 1}}},
     {"apps": {"wx1": {"secret": "very-secret", "very-secret": "x"}}}],
)  # fmt: skip
def test_a_configuration_that_cannot_work_is_refused_without_its_values(config: Any, clock: TestClock) -> None:
    adapters: tuple[Any, ...] = CONTRACT[LoginPlatform][1:]
    for adapter in adapters:
        with pytest.raises(ValueError, match=r"apps|Expected|missing|unknown") as refused:
            adapter(config, client=None, report=print)

        assert "'very-secret'" not in str(refused.value)
