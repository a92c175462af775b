"""The nightly release through its handler: what is due, what has to wait, what fails, what it costs in time."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from cardstock import environment
from cardstock.network import wiring
from cardstock.network.deciding import position_of
from functions.ledger.nightly_release import app
from tests.house.cloud import Context, forget_factories
from tests.people.shop import Shop
from tests.people.trade import DEMO_PLAN, line

EIGHTH_NIGHT = datetime(2026, 12, 8, 16, 30, tzinfo=UTC)
"""Half past midnight in Shanghai after the day on which an order received at the start is due."""


@pytest.fixture
def team(shop: Shop) -> Shop:
    """R is a partner, A came by R."""
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    return shop


def received(shop: Shop, *units: int) -> str:
    order_id = shop.trade.buy("mem_a", *(line(number, count) for number, count in enumerate(units or (1,), 1)))
    shop.trade.receive(order_id)
    shop.trade.settle_down()
    return order_id


def test_a_reward_becomes_available_when_its_days_are_over_and_not_before(team: Shop) -> None:
    received(team)
    team.clock.set(EIGHTH_NIGHT - timedelta(days=1))
    early = team.trade.night()
    before = team.trade.balances()
    team.clock.set(EIGHTH_NIGHT)

    answer = team.trade.night()

    assert early == {"settled": 0, "held": 0, "waiting": 0, "finished": True}
    assert before == {"mem_r": (30_000, 0)}
    assert answer == {"settled": 1, "held": 0, "waiting": 0, "finished": True}
    assert team.trade.balances() == {"mem_r": (0, 30_000)}


def test_a_night_in_a_process_of_its_own_releases_too(team: Shop) -> None:
    received(team)
    team.clock.set(EIGHTH_NIGHT)
    forget_factories()  # what the other functions of this test have made

    assert team.trade.night()["settled"] == 1
    assert team.trade.balances() == {"mem_r": (0, 30_000)}


def test_the_same_night_again_changes_nothing(team: Shop) -> None:
    received(team)
    team.clock.set(EIGHTH_NIGHT)
    team.trade.night()
    before = team.cloud.state()

    for _ in range(2):
        assert team.trade.night()["settled"] == 0
    assert team.cloud.state() == before


def test_an_order_never_received_never_settles(team: Shop) -> None:
    team.trade.buy("mem_a")
    team.trade.settle_down()
    team.clock.set(EIGHTH_NIGHT + timedelta(days=300))

    assert team.trade.night()["settled"] == 0
    assert team.trade.balances() == {"mem_r": (30_000, 0)}


def test_an_open_after_sale_makes_an_order_wait_until_it_is_closed(team: Shop) -> None:
    order_id = received(team, 2)
    refund_id = team.trade.ask_back(order_id, sku1=1)
    team.trade.order_records()
    team.clock.set(EIGHTH_NIGHT)
    waiting = [team.trade.night()]
    team.clock.move(days=1)
    waiting.append(team.trade.night())
    frozen = team.trade.balances()
    team.trade.give_back(order_id, refund_id)
    team.trade.settle_down()
    team.clock.move(days=1)

    settled = team.trade.night()

    assert waiting == [{"settled": 0, "held": 0, "waiting": 1, "finished": True}] * 2
    assert frozen == {"mem_r": (60_000, 0)}
    assert settled["settled"] == 1
    assert team.trade.balances() == {"mem_r": (0, 30_000)}


def test_a_refund_that_is_heard_of_after_the_release_becomes_debt_or_less_available(team: Shop) -> None:
    order_id = received(team, 2)
    refund_id = team.trade.ask_back(order_id, sku1=2)
    team.trade.give_back(order_id, refund_id)
    late = team.trade.order_records()
    team.clock.set(EIGHTH_NIGHT)
    team.trade.night()
    between = team.trade.balances()

    team.trade.consume(late)

    assert between == {"mem_r": (0, 60_000)}
    assert team.trade.balances() == {}


def test_an_order_whose_payment_was_never_heard_of_is_credited_and_released(team: Shop) -> None:
    order_id = team.trade.buy("mem_a")
    lost = team.trade.order_records()
    team.trade.receive(order_id)
    team.trade.consume(team.trade.order_records())
    team.clock.set(EIGHTH_NIGHT)

    assert team.trade.night()["settled"] == 1
    assert team.trade.balances() == {"mem_r": (0, 30_000)}
    team.trade.consume(lost)
    assert team.trade.balances() == {"mem_r": (0, 30_000)}


def test_without_time_left_the_next_run_goes_on(team: Shop) -> None:
    for _ in range(3):
        received(team)
    team.clock.set(EIGHTH_NIGHT)

    first = team.trade.night(Context(remaining_ms=5_000))
    second = team.trade.night()

    assert first == {"settled": 0, "held": 0, "waiting": 0, "finished": False}
    assert second["settled"] == 3
    assert team.trade.balances() == {"mem_r": (0, 90_000)}


def test_one_bad_order_does_not_keep_the_others_waiting_and_is_reported(team: Shop) -> None:
    for _ in range(2):
        received(team)
    bad = received(team)
    team.cloud.dynamodb.update_item(
        TableName="orders",
        Key={"pk": {"S": bad}, "sk": {"S": "order"}},
        UpdateExpression="SET l = :x",
        ExpressionAttributeValues={":x": {"S": "[]"}},
    )
    team.clock.set(EIGHTH_NIGHT)

    with pytest.raises(app.UnsettledError, match=bad):
        team.trade.night()
    again = team.trade.night()

    assert team.trade.balances() == {"mem_r": (30_000, 60_000)}
    assert again["finished"]


def test_referrals_count_once_settled(shop: Shop) -> None:
    shop.trade.publish(replace(DEMO_PLAN, promote_on="settled", on_refund="keep"))
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    for member_id in ("mem_b", "mem_c"):
        shop.trade.member(member_id, "mem_a")
    for member_id in ("mem_a", "mem_b", "mem_c"):
        shop.trade.receive(shop.trade.buy(member_id))
        shop.trade.settle_down()
    before = position_of("mem_a", network=wiring.network()).role
    shop.clock.set(EIGHTH_NIGHT)
    shop.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))

    shop.trade.night()

    assert before == "distributor"
    assert position_of("mem_a", network=wiring.network()).role == "partner"
    assert [event["type"] for event in shop.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))] == [
        "member.promoted"
    ]


def test_what_was_asked_back_in_time_counts_for_nobody_however_late_the_money_goes_back(shop: Shop) -> None:
    shop.trade.publish(replace(DEMO_PLAN, promote_on="settled", on_refund="keep"))
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    shop.trade.buy("mem_a")
    asked = {}
    for member_id in ("mem_b", "mem_c"):
        shop.trade.member(member_id, "mem_a")
        order_id = shop.trade.buy(member_id)
        shop.trade.receive(order_id)
        shop.trade.settle_down()
        asked[order_id] = shop.trade.ask_back(order_id, sku1=1)
        shop.trade.order_records()  # the channel has not answered yet
    shop.clock.set(EIGHTH_NIGHT)
    shop.trade.night()
    for order_id, refund_id in asked.items():
        shop.trade.give_back(order_id, refund_id)
    shop.trade.settle_down()
    shop.clock.move(days=1)

    assert shop.trade.night()["settled"] == 2
    roles = {name: position_of(f"mem_{name}", network=wiring.network()).role for name in "abc"}
    assert roles == {"a": "distributor", "b": "member", "c": "member"}


def test_what_is_asked_back_after_the_window_has_settled_before_it_whenever_the_night_comes(shop: Shop) -> None:
    shop.trade.publish(replace(DEMO_PLAN, promote_on="settled", on_refund="keep"))
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    order_id = shop.trade.buy("mem_a")
    shop.trade.receive(order_id)
    shop.trade.settle_down()
    shop.clock.move(days=7, seconds=1)
    shop.trade.refund(order_id, sku1=1)
    shop.trade.settle_down()
    shop.clock.set(EIGHTH_NIGHT)

    assert shop.trade.night()["settled"] == 1
    assert position_of("mem_a", network=wiring.network()).role == "distributor"
    assert shop.trade.balances() == {}


def test_a_tick_that_says_no_time_raises(team: Shop) -> None:
    for wrong in ({}, {"scheduled_at": "yesterday"}, {"scheduled_at": "2026-12-08T16:30:00"}, {"at": 1}):
        with pytest.raises(ValueError, match=r".+"):
            app.handler(wrong, Context())
