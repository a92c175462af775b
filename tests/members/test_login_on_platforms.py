"""Logging in on real platforms, from the events of the function to the tables and back."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from cardstock import environment
from cardstock.edge import secrets
from cardstock.members import wiring
from tests.house.cloud import Cloud, Context, http_event, serve
from tests.people.clock import TestClock
from tests.people.consents import login_body
from tests.people.login_parties import PHONE, REAL, Real
from tests.people.login_servers import transport_to


@pytest.fixture(params=[*REAL])
def real(request: pytest.FixtureRequest, cloud: Cloud, clock: TestClock) -> Iterator[Real]:
    """A platform whose apps stand in the secret."""
    made = REAL[request.param](clock)
    configure(cloud, {made.name: made.config})
    wiring.set_login_transports({made.name: transport_to(made.server)})
    yield made
    wiring.set_login_transports({})


def configure(cloud: Cloud, platforms: Any) -> None:
    text = json.dumps(platforms)
    cloud.secrets.put_secret_value(SecretId=environment.text("PLATFORMS_SECRET_ID"), SecretString=text)
    secrets.forget_values()


def log_in(real: Real, person: str = "anna", **more: Any) -> tuple[int, Any, dict[str, str]]:
    own = {"platform": real.name, "app_id": real.app_id, "login_code": real.login_code(person)}
    body = login_body(person, **(own | more))
    answer = serve(http_event("POST", "/v1/auth/sessions", body), Context())
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def test_a_person_is_registered_with_the_number_and_found_again(real: Real) -> None:
    status, first, _ = log_in(real, phone_code=real.phone_proof("anna"))
    again_status, again, _ = log_in(real)

    assert (status, again_status) == (200, 200)
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert first["member"]["phone"] == f"+86{PHONE[:3]}****{PHONE[-4:]}"
    assert again["member"] == first["member"]


def test_a_wrong_code_is_pointed_at(real: Real) -> None:
    status, problem, _ = log_in(real, login_code="x")
    phone_status, phone_problem, _ = log_in(real, phone_code="x")

    assert (status, problem["code"], phone_status, phone_problem["code"]) == (
        401, "LOGIN_CODE_INVALID", 401, "LOGIN_CODE_INVALID",
    )  # fmt: skip
    assert [wrong["pointer"] for wrong in problem["errors"]] == ["/login_code"]
    assert [wrong["pointer"] for wrong in phone_problem["errors"]] == ["/phone_code"]


def test_an_unknown_app_is_pointed_at(real: Real) -> None:
    status, problem, _ = log_in(real, app_id="wxunknown")

    assert (status, problem["code"]) == (400, "APP_UNKNOWN")
    assert [wrong["pointer"] for wrong in problem["errors"]] == ["/app_id"]


def test_a_platform_without_an_answer_keeps_nothing_and_new_codes_are_needed(
    real: Real, cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    before = cloud.state()
    real.server.fail_next(["stall"])
    status, problem, _ = log_in(real)

    assert (status, problem["code"], problem["retryable"]) == (401, "LOGIN_CODES_USED", False)
    assert cloud.state() == before
    assert '"LoginsUnanswered":[1.0]' in capsys.readouterr().out
    assert log_in(real)[0] == 200


def test_an_app_without_the_ability_registers_nobody(real: Real, cloud: Cloud) -> None:
    before = cloud.state()
    real.server.without_phone.add(real.app_id)
    status, problem, _ = log_in(real, phone_code=real.phone_proof("anna"))

    assert (status, problem["code"]) == (403, "PHONE_NOT_GRANTED")
    assert cloud.state() == before


def test_a_secret_that_cannot_work_is_counted_and_heals_when_it_is_corrected(
    real: Real, cloud: Cloud, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    configure(cloud, {real.name: {"apps": {real.app_id: {}}}})
    status, problem, _ = log_in(real)
    counted = capsys.readouterr().out
    (logged,) = [vars(record)["cause"] for record in caplog.records if record.levelname == "ERROR"]
    configure(cloud, {real.name: real.config})

    assert (status, problem["code"]) == (503, "PLATFORM_MISCONFIGURED")
    assert '"PlatformMisconfigured":[1.0]' in counted
    assert logged.startswith(f"{real.name}: Object missing required field")
    assert log_in(real)[0] == 200


def test_a_platform_without_apps_is_unknown(real: Real, cloud: Cloud) -> None:
    configure(cloud, {})
    status, problem, _ = log_in(real)

    assert (status, problem["code"]) == (400, "PLATFORM_UNKNOWN")
    assert list(wiring.login_platforms()) == ["dev"]
    assert len(wiring.login_platforms()) == 1


def test_nothing_secret_is_written_down(
    real: Real, cloud: Cloud, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, "httpx")
    caplog.set_level(logging.DEBUG, "httpcore")
    codes = []
    for mode in ("fine", "stall", "not_json"):
        real.server.fail_next([mode])
        codes.append(real.login_code("anna"))
        log_in(real, login_code=codes[-1])
    said = "".join(capfd.readouterr()) + "".join(str(vars(record)) for record in caplog.records)
    hidden = [*codes, *(value for app in real.config["apps"].values() for value in app.values() if len(value) > 8)]

    assert [value for value in hidden if value in said] == []


def test_a_person_whom_wechat_blocks_gets_403_and_one_who_asks_too_often_a_time(cloud: Cloud, clock: TestClock) -> None:
    real = REAL["wechat"](clock)
    configure(cloud, {"wechat": real.config})
    wiring.set_login_transports({"wechat": transport_to(real.server)})
    real.server.fail_next(["blocked", "too_often"])
    blocked, often = log_in(real), log_in(real)
    wiring.set_login_transports({})

    assert (blocked[0], blocked[1]["code"], blocked[1]["retryable"]) == (403, "LOGIN_BLOCKED", False)
    assert (often[0], often[1]["code"], often[2]["Retry-After"]) == (429, "LOGIN_TOO_OFTEN", "60")
