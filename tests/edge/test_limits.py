"""How often one caller may call a route."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cardstock.aws.counters import DynamoCounts
from cardstock.edge.callers import Callers
from cardstock.edge.http import Answer, Api, Nothing, Request, refusals_of
from cardstock.edge.tokens import Signer
from cardstock.errors import STORE_UNAVAILABLE, TOO_MANY
from cardstock.limits import Counts, Limit, Use
from cardstock.signing import ACCESS
from tests.house import faults
from tests.house.cloud import Cloud, Context, http_event
from tests.people.clock import TestClock
from tests.people.memory_counts import MemoryCounts

NOW = datetime(2026, 12, 1, 9, 20, tzinfo=UTC)
SIGNER = Signer(keys=lambda: ["key"])
TURNS = Limit("turns", most=3, window=timedelta(hours=1))


@pytest.fixture(params=["memory", "dynamodb"])
def counts(request: pytest.FixtureRequest) -> Counts:
    if request.param == "memory":
        return MemoryCounts()
    request.getfixturevalue("cloud")
    return DynamoCounts()


def test_a_limit_is_reached_and_comes_anew_with_its_window(counts: Counts) -> None:
    anna, bert = Use(TURNS, "mem_a"), Use(TURNS, "mem_b")
    other = Use(Limit("looks", most=3, window=timedelta(hours=1)), "mem_a")

    assert [counts.count(anna, NOW) for _ in range(5)] == [True, True, True, False, False]
    assert counts.count(bert, NOW)
    assert counts.count(other, NOW)
    assert counts.count(anna, NOW + timedelta(minutes=39, seconds=59)) is False
    assert counts.count(anna, NOW + timedelta(minutes=40))


def test_a_refusal_says_when_the_window_ends() -> None:
    assert TURNS.ends(NOW) == datetime(2026, 12, 1, 10, tzinfo=UTC)
    assert TURNS.refusal(NOW).facts == {"retry_after": 2400}
    assert TURNS.refusal(TURNS.ends(NOW) - timedelta(milliseconds=1)).facts == {"retry_after": 1}


def test_a_counter_goes_when_its_window_is_over(cloud: Cloud) -> None:
    DynamoCounts().count(Use(TURNS, "mem_a"), NOW)
    [item] = cloud.items("requests")

    assert item["expires_at"]["N"] == str(int(TURNS.ends(NOW).timestamp()))


def test_a_count_whose_answer_is_lost_counts_twice_at_most(cloud: Cloud) -> None:
    """Counting too much refuses a call early, and moves nothing."""
    with faults.at(0, "lose_answer"):
        assert DynamoCounts().count(Use(TURNS, "mem_a"), NOW)

    assert [item["n"]["N"] for item in cloud.items("requests")] == ["2"]


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (1, "1 second", "1 秒"), (119, "119 seconds", "119 秒"), (120, "2 minutes", "2 分钟"),
        (121, "3 minutes", "3 分钟"), (7199, "120 minutes", "120 分钟"), (7200, "2 hours", "2 小时"),
        (16132, "5 hours", "5 小时"),
    ],
)  # fmt: skip
def test_people_read_how_long_they_wait_and_not_seconds(seconds: int, english: str, chinese: str) -> None:
    facts: dict[str, object] = {"retry_after": seconds}

    assert TOO_MANY.text(facts, "en") == f"Too often; try again in {english}."
    assert TOO_MANY.text(facts, "zh") == f"操作过于频繁，请在 {chinese}后重试。".replace(chinese, f"{chinese} ")


class Broken:
    """Counters that give no answer."""

    def count(self, use: Use, now: datetime) -> bool:
        raise STORE_UNAVAILABLE()


def chatting(counts: Counts | None) -> Api:
    callers = Callers(signer=SIGNER, find_key=lambda _: None, admin_key=str)
    api = Api("chat", callers=lambda: callers, counts=None if counts is None else lambda: counts)

    @api.post("/v1/turns", status=202, auth="member", limit=TURNS)
    def turn(request: Request[Nothing, Nothing]) -> Answer:
        """Say something."""
        if request.headers.get("x-silent") is None:
            request.count()
        return Answer("", status=202)

    return api


def say(api: Api, member_id: str, **more: Any) -> dict[str, Any]:
    token = SIGNER.sign(ACCESS, {"sub": member_id}, lifetime=timedelta(hours=1))
    return api.handler(http_event("POST", "/v1/turns", {}, token=token, **more), Context())


def test_a_route_with_a_limit_refuses_one_member_and_takes_the_next(cloud: Cloud, clock: TestClock) -> None:
    api = chatting(MemoryCounts())
    statuses = [say(api, "mem_a")["statusCode"] for _ in range(3)]
    refused = say(api, "mem_a", headers={"Accept-Language": "en"})
    problem = json.loads(refused["body"])
    [route] = api.routes

    assert statuses == [202] * 3
    assert (refused["statusCode"], problem["code"], problem["retryable"]) == (429, "TOO_MANY", True)
    assert refused["headers"]["Retry-After"] == str(problem["facts"]["retry_after"])
    minutes = -(-problem["facts"]["retry_after"] // 60)
    assert problem["detail"] == f"Too often; try again in {minutes} minutes."
    assert say(api, "mem_b")["statusCode"] == 202
    assert TOO_MANY in refusals_of(route)


def test_a_call_is_counted_where_the_verb_does_it_and_only_there(cloud: Cloud, clock: TestClock) -> None:
    counts = MemoryCounts()
    api = chatting(counts)
    silent = [say(api, "mem_a", headers={"X-Silent": "yes"})["statusCode"] for _ in range(5)]
    nothing = dict(counts.counted)
    say(api, "mem_a")

    assert (silent, nothing, list(counts.counted.values())) == ([202] * 5, {}, [1])


def test_a_route_without_a_limit_has_nothing_to_count() -> None:
    request = Request(Nothing(), Nothing(), {}, {}, "en", b"", False, None, None)
    with pytest.raises(LookupError, match="no limit"):
        request.count()


def test_counters_without_an_answer_lock_nobody_out(
    cloud: Cloud, clock: TestClock, capsys: pytest.CaptureFixture[str]
) -> None:
    api = chatting(Broken())
    statuses = {say(api, "mem_a")["statusCode"] for _ in range(5)}

    assert statuses == {202}
    assert "CallsUncounted" in capsys.readouterr().out


def test_a_route_with_a_limit_needs_counters(cloud: Cloud, clock: TestClock) -> None:
    api = chatting(None)
    with pytest.raises(LookupError, match="counters"):
        say(api, "mem_a")
