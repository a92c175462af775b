"""What follows from changes of orders: credits, claw-backs, counts, announcements, through the queue's handler."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cardstock import bootstrap
from cardstock.network import service as network
from cardstock.network.model import Amount
from cardstock.settings import settings
from tests.functions.ledger_shop import DEMO_PLAN, Shop, ShopClock, channel_open, line, shop

__all__ = ["shop"]


@pytest.fixture
def team(shop: Shop) -> Shop:
    """The worked example before its first sale: R is an appointed partner, A came by R, B, C and D by A."""
    shop.appoint("mem_r")
    shop.member("mem_a", "mem_r")
    for member_id in ("mem_b", "mem_c", "mem_d"):
        shop.member(member_id, "mem_a")
    return shop


def told(shop: Shop) -> list[dict[str, Any]]:
    return shop.cloud.messages(settings().webhooks_queue_url)


def role(member_id: str) -> str:
    return network.position(member_id, network=bootstrap.network()).role


def test_the_worked_example_pays_fen_by_fen(team: Shop) -> None:
    balances = []
    for member_id in ("mem_a", "mem_b", "mem_c", "mem_d"):
        order_id = team.buy(member_id)
        if member_id == "mem_c":
            third = order_id
        team.settle_down()
        balances.append(team.balances())
    roles = (role("mem_a"), role("mem_d"))
    team.refund_fen(third, 19_900)
    team.settle_down()

    assert balances == [
        {"mem_r": (30_000, 0)},
        {"mem_r": (50_000, 0), "mem_a": (10_000, 0)},
        {"mem_r": (70_000, 0), "mem_a": (20_000, 0)},
        {"mem_r": (73_000, 0), "mem_a": (50_000, 0)},
    ]
    assert roles == ("partner", "distributor")
    assert team.balances() == {"mem_r": (73_000 - 7_976, 0), "mem_a": (50_000 - 3_988, 0)}
    assert role("mem_a") == "partner"


def test_refunds_in_any_split_take_back_exactly_everything(team: Shop) -> None:
    team.buy("mem_a")
    team.settle_down()
    order_id = team.buy("mem_b", line(1, units=7, price=16_633))
    team.settle_down()
    before = team.balances()
    taken = []
    for _ in range(7):
        team.refund(order_id, sku1=1)
        team.settle_down()
        now = team.balances()
        taken.append(before["mem_a"][0] - now.get("mem_a", (0, 0))[0])

    assert taken[-1] == before["mem_a"][0]
    assert taken == [(before["mem_a"][0] * part * 2 + 7) // 14 for part in range(1, 8)]
    assert team.balances() == {"mem_r": (30_000, 0)}


def test_an_order_that_pays_nobody_writes_no_entry_and_still_counts(shop: Shop) -> None:
    shop.member("mem_x")

    shop.buy("mem_x")
    shop.settle_down()

    assert shop.cloud.items("ledger") == []
    assert role("mem_x") == "distributor"


def test_a_message_that_cannot_be_read_fails_alone(team: Shop) -> None:
    team.buy("mem_a")
    good = team.order_records()
    poison = {**good[0], "dynamodb": {"Keys": {}, "NewImage": {"pk": {"S": "ord_x"}, "sk": {"S": "order"}}}}

    failed = team.consume([good[0], poison, {"hello": "world"}, *good[1:]])

    assert failed == ["m1", "m2"]
    assert team.balances() == {"mem_r": (30_000, 0)}


def test_the_same_messages_again_change_no_item(team: Shop) -> None:
    order_id = team.buy("mem_a")
    team.receive(order_id)
    team.refund(team.buy("mem_b", line(1, units=2)), sku1=1)
    records = team.order_records()
    team.consume(records)
    assert team.order_records() == []
    before = team.cloud.state()

    assert team.consume(records) == []
    assert team.cloud.state() == before


def tell(records: list[dict[str, Any]], seed: int, shop: Shop) -> None:
    """Every message three times, in random order, across batches of up to ten; what fails comes again."""
    chance = random.Random(seed)
    messages = [record for record in records for _ in range(3)]
    chance.shuffle(messages)
    for _ in range(20):
        if not messages:
            return
        batch, messages = messages[: chance.randint(1, 10)], messages[len(messages[:10]) and 0 :]
        messages = messages[len(batch) :]
        failed = shop.consume(batch)
        messages += [batch[int(message_id[1:])] for message_id in failed]
    while messages:
        shop.consume(messages[:10])
        messages = messages[10:]


def life(shop: Shop) -> list[dict[str, Any]]:
    """Orders that pay three people, are refunded in parts and are received; the records that tell of it."""
    shop.appoint("mem_p")
    shop.member("mem_r", "mem_p")
    shop.appoint("mem_r")
    shop.member("mem_a", "mem_r")
    shop.member("mem_b", "mem_a")
    first = shop.buy("mem_a")
    shop.settle_down()
    second = shop.buy("mem_b", line(1, units=3, price=33_333), line(2, units=5, price=777, qualifying=False))
    third = shop.buy("mem_b", line(1, units=2))
    asked = [shop.ask_back(second, sku1=1), shop.ask_back(second, sku1=1, sku2=2), shop.ask_back(third, sku1=2)]
    # They go through in another order than they were asked for.
    for refund_id, order_id in ((asked[1], second), (asked[2], third), (asked[0], second)):
        shop.give_back(order_id, refund_id)
    shop.receive(first)
    return shop.order_records()


@pytest.mark.parametrize("seed", range(12))
def test_messages_in_any_order_and_number_end_in_the_same_books(seed: int, shop: Shop, cloud: Any) -> None:
    records = life(shop)
    before = shop.cloud.state()
    assert shop.consume(records) == []
    undisturbed = shop.books()
    for name in ("ledger", "balances", "rewards", "network"):
        restore(shop, name, before[name])

    tell(records, seed, shop)

    assert shop.books() == undisturbed


def restore(shop: Shop, table: str, items: list[dict[str, Any]]) -> None:
    for item in shop.cloud.items(table):
        shop.cloud.dynamodb.delete_item(
            TableName=table, Key={name: item[name] for name in ("pk", "sk") if name in item}
        )
    for item in items:
        shop.cloud.dynamodb.put_item(TableName=table, Item=item)
    for factory in (bootstrap.calendar,):
        factory.cache_clear()
