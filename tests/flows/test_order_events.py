"""What follows from changes of orders: credits, claw-backs, counts, announcements, through the queue's handler."""

from typing import Any

import pytest

from cardstock import environment
from cardstock.clock import rfc3339
from cardstock.network import wiring as network_wiring
from cardstock.network.deciding import position_of
from cardstock.orders import payment
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.payment_model import PaymentNotice
from tests.house.cloud import Context
from tests.people.shop import Shop
from tests.people.trade import line


@pytest.fixture
def team(shop: Shop) -> Shop:
    """The worked example before its first sale: R is an appointed partner, A came by R, B, C and D by A."""
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    for member_id in ("mem_b", "mem_c", "mem_d"):
        shop.trade.member(member_id, "mem_a")
    return shop


def told(shop: Shop) -> list[dict[str, Any]]:
    return shop.cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))


def role(member_id: str) -> str:
    return position_of(member_id, network=network_wiring.network()).role


def test_the_worked_example_pays_fen_by_fen(team: Shop) -> None:
    balances = []
    for member_id in ("mem_a", "mem_b", "mem_c", "mem_d"):
        order_id = team.trade.buy(member_id)
        if member_id == "mem_c":
            third = order_id
        team.trade.settle_down()
        balances.append(team.trade.balances())
    roles = (role("mem_a"), role("mem_d"))
    team.trade.refund_fen(third, 19_900)
    team.trade.settle_down()

    assert balances == [
        {"mem_r": (30_000, 0)},
        {"mem_r": (50_000, 0), "mem_a": (10_000, 0)},
        {"mem_r": (70_000, 0), "mem_a": (20_000, 0)},
        {"mem_r": (73_000, 0), "mem_a": (50_000, 0)},
    ]
    assert roles == ("partner", "distributor")
    assert team.trade.balances() == {"mem_r": (73_000 - 7_976, 0), "mem_a": (50_000 - 3_988, 0)}
    assert role("mem_a") == "partner"


def test_a_second_payment_that_goes_back_touches_no_reward(team: Shop) -> None:
    order_id = team.trade.buy("mem_a")
    order = orders_wiring.orders().find_order(order_id)
    assert order is not None
    notice = PaymentNotice("sandbox", order_id, "t_again", order.amount_fen, "CNY", team.clock.now())
    payment.record_payment(notice, orders=orders_wiring.orders())
    (stray,) = orders_wiring.orders().refunds_of_order(order_id)
    team.trade.give_back(order_id, stray.refund_id)
    team.trade.settle_down()

    assert (stray.kind, role("mem_a"), team.trade.balances()) == ("stray", "distributor", {"mem_r": (30_000, 0)})
    assert {item["kind"]["S"] for item in team.cloud.items("ledger")} == {"accrued"}


def test_refunds_in_any_split_take_back_exactly_everything(team: Shop) -> None:
    team.trade.buy("mem_a")
    team.trade.settle_down()
    order_id = team.trade.buy("mem_b", line(1, units=7, price=16_633))
    team.trade.settle_down()
    before = team.trade.balances()
    taken = []
    for _ in range(7):
        team.trade.refund(order_id, sku1=1)
        team.trade.settle_down()
        now = team.trade.balances()
        taken.append(before["mem_a"][0] - now.get("mem_a", (0, 0))[0])

    assert taken[-1] == before["mem_a"][0]
    assert taken == [(before["mem_a"][0] * part * 2 + 7) // 14 for part in range(1, 8)]
    assert team.trade.balances() == {"mem_r": (30_000, 0)}


def test_an_order_that_pays_nobody_writes_no_entry_and_still_counts(shop: Shop) -> None:
    shop.trade.member("mem_x")

    shop.trade.buy("mem_x")
    shop.trade.settle_down()

    assert shop.cloud.items("ledger") == []
    assert role("mem_x") == "distributor"


def test_a_message_that_cannot_be_read_fails_alone(team: Shop) -> None:
    team.trade.buy("mem_a")
    good = team.trade.order_records()
    poison = {**good[0], "dynamodb": {"Keys": {}, "NewImage": {"pk": {"S": "ord_x"}, "sk": {"S": "order"}}}}

    failed = team.trade.consume([good[0], poison, {"hello": "world"}, *good[1:]])

    assert failed == ["m1", "m2"]
    assert team.trade.balances() == {"mem_r": (30_000, 0)}


def test_the_same_messages_again_change_no_item(team: Shop) -> None:
    order_id = team.trade.buy("mem_a")
    team.trade.receive(order_id)
    team.trade.refund(team.trade.buy("mem_b", line(1, units=2)), sku1=1)
    records = team.trade.order_records()
    team.trade.consume(records)
    assert team.trade.order_records() == []
    before = team.cloud.state()

    assert team.trade.consume(records) == []
    assert team.cloud.state() == before


# Announcements


def test_every_change_is_announced_in_the_words_of_the_catalogue(team: Shop) -> None:
    order_id = team.trade.buy("mem_a", line(1, units=2), line(2))
    team.trade.receive(order_id)
    team.trade.refund(order_id, sku1=1)
    team.trade.place("mem_b")
    records = team.trade.order_records()
    team.trade.consume(records)
    first = told(team)
    team.trade.consume(records)
    again = told(team)

    kinds = [event["type"] for event in first]
    assert set(kinds) == {
        "order.placed", "order.paid", "fulfilment.requested", "shipment.created", "receipt.confirmed",
        "order.completed", "refund.requested", "refund.succeeded",
    }  # fmt: skip
    assert (kinds.count("fulfilment.requested"), kinds.count("order.placed")) == (2, 2)
    assert {event["id"] for event in first} == {event["id"] for event in again}
    [request] = [e for e in first if e["type"] == "fulfilment.requested" and e["data"]["supplier_id"] == "sup_2"]
    assert request["subject"] == order_id
    assert request["data"]["lines"] == [{"sku": "sku1", "name": "Ware 1", "units": 2}]
    assert request["data"]["receiver"]["name"] == "王小明"


def test_a_promotion_is_announced_once(team: Shop) -> None:
    for member_id in ("mem_a", "mem_b", "mem_c"):
        team.trade.buy(member_id)
        records = team.trade.order_records()
        team.trade.consume(records)
    team.trade.consume(records)

    promoted = {event["id"]: event["subject"] for event in told(team) if event["type"] == "member.promoted"}
    assert list(promoted.values()) == ["mem_a"]


# Money on its way back


def tick(team: Shop) -> Any:
    """The sweep that looks after what channels have not finished."""
    from functions.orders.sweep import app

    return app.handler({"scheduled_at": rfc3339(team.clock.now())}, Context(remaining_ms=60_000))


def test_a_requested_refund_is_sent_once_and_then_taken_back(team: Shop) -> None:
    order_id, channel = team.trade.buy("mem_a", line(1, units=2)), team.channel
    team.trade.settle_down()
    refund_id = team.trade.ask_back(order_id, sku1=1)
    asked = team.trade.order_records()
    assert team.trade.consume(asked) == []
    assert team.trade.consume(asked) == []
    team.trade.settle_down()

    assert [(call["refund_no"], call["amount_fen"]) for call in channel.calls] == [(refund_id, 49_900)]
    assert team.trade.balances() == {"mem_r": (30_000, 0)}


def test_a_refund_that_the_channel_works_on_is_left_to_the_sweep(team: Shop) -> None:
    order_id, channel = team.trade.buy("mem_a", line(1, units=2)), team.channel
    team.trade.settle_down()
    channel.refund_status = "processing"
    refund_id = team.trade.ask_back(order_id, sku1=1)
    asked = [record for record in team.trade.order_records() if "refund#" in str(record["dynamodb"]["Keys"])]
    assert team.trade.consume(asked) == []
    assert team.trade.balances() == {"mem_r": (60_000, 0)}
    assert tick(team)["refunds_left"] == 1
    channel.refunds[refund_id]["status"] = "succeeded"
    assert tick(team)["refunded"] == 1
    team.trade.settle_down()

    assert team.trade.balances() == {"mem_r": (30_000, 0)}
