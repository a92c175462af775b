"""A refund and what it can meet: the credit, the release, the night. Whichever comes first, the member ends with the
same money; what differs is only from which pocket it was taken."""

import json
from collections import Counter

import pytest

from tests.people.audits import audit_now
from tests.people.shop import Shop
from tests.people.trade import line


@pytest.fixture
def team(shop: Shop) -> Shop:
    """A partner with a peer, and a recruit of the partner, who has bought three units."""
    shop.trade.appoint("mem_p")
    shop.trade.member("mem_r", "mem_p")
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    shop.orders["one"] = shop.trade.buy("mem_a", line(1, units=3, price=33_333))
    return shop


def moved(shop: Shop, kind: str) -> Counter[str]:
    """What entries of a kind did to each pocket, of everybody."""
    pockets: Counter[str] = Counter()
    for item in shop.cloud.items("ledger"):
        if item["kind"]["S"] == kind:
            for name, amount, *_ in json.loads(item["postings"]["S"]):
                pockets[name.rpartition(":")[2]] += amount
    return pockets


def the_days_pass(shop: Shop, days: int = 9) -> None:
    shop.clock.move(days=days)


@pytest.mark.parametrize("first", ["payment", "refund"])
def test_a_refund_heard_of_before_or_after_the_credit(first: str, team: Shop) -> None:
    paid = team.trade.order_records()
    refunded = [*team.trade.order_records()]
    team.trade.refund(team.orders["one"], sku1=1)
    refunded += team.trade.order_records()

    for records in (paid, refunded) if first == "payment" else (refunded, paid):
        assert team.trade.consume(records) == []

    # Of 900 yuan for three units (300 direct each) a third is taken back; the credit itself is written in full.
    assert moved(team, "accrued")["frozen"] == 90_000 + 9_000
    assert team.trade.balances() == {"mem_r": (60_000, 0), "mem_p": (6_000, 0)}
    assert audit_now().findings == ()


@pytest.mark.parametrize("first", ["release", "claw"])
def test_a_refund_that_went_through_and_a_release_meet(first: str, team: Shop) -> None:
    order_id = team.orders["one"]
    team.trade.receive(order_id)
    team.trade.settle_down()
    team.trade.refund(order_id, sku1=1)
    refunded = team.trade.order_records()
    the_days_pass(team)

    if first == "claw":
        team.trade.consume(refunded)
    assert team.trade.night()["settled"] == 1
    if first == "release":
        team.trade.consume(refunded)

    assert moved(team, "clawed")["frozen" if first == "claw" else "available"] == -33_000
    assert team.trade.balances() == {"mem_r": (0, 60_000), "mem_p": (0, 6_000)}
    assert audit_now().findings == ()


@pytest.mark.parametrize("opened", ["before_the_night", "after_the_night"])
def test_an_after_sale_opened_before_or_after_the_night_of_the_release(opened: str, team: Shop) -> None:
    order_id = team.orders["one"]
    team.trade.receive(order_id)
    team.trade.settle_down()
    if opened == "before_the_night":
        refund_id = team.trade.ask_back(order_id, sku1=1)
        team.trade.order_records()
    the_days_pass(team)
    night = team.trade.night()
    if opened == "after_the_night":
        refund_id = team.trade.ask_back(order_id, sku1=1)
        team.trade.order_records()
    between = team.trade.balances()
    team.trade.give_back(order_id, refund_id)
    team.trade.settle_down()
    the_days_pass(team, days=1)
    team.trade.night()

    if opened == "before_the_night":
        assert (night["settled"], night["waiting"]) == (0, 1)
        assert between == {"mem_r": (90_000, 0), "mem_p": (9_000, 0)}
    else:
        assert (night["settled"], night["waiting"]) == (1, 0)
        assert between == {"mem_r": (0, 90_000), "mem_p": (0, 9_000)}
    assert team.trade.balances() == {"mem_r": (0, 60_000), "mem_p": (0, 6_000)}
    assert audit_now().findings == ()
