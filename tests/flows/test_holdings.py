"""What a member has in other areas, so that no account joins it by a number alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from cardstock.bank_accounts.wiring import accounts
from cardstock.flows.holdings import MemberHoldings
from cardstock.flows.joining_wiring import member_holdings
from cardstock.ledger.wiring import books
from cardstock.members.ports import Holdings
from cardstock.network.wiring import network
from cardstock.orders.wiring import orders
from tests.house import faults
from tests.people.buyers import BUYER
from tests.people.memory_members import MemoryHoldings
from tests.people.shop import Shop

CONTRACT = {Holdings: (MemoryHoldings, MemberHoldings)}
AGES = timedelta(days=180)


@pytest.fixture(params=["memory", "dynamodb"])
def holdings(request: pytest.FixtureRequest, shop: Shop) -> Holdings:
    """The shop's buyer has placed an order now."""
    shop.buyer.order()
    if request.param == "dynamodb":
        return MemberHoldings(network, books, accounts, orders)
    memory = MemoryHoldings()
    memory.since[BUYER] = shop.clock.now()
    return memory


def test_an_order_counts_for_its_time_and_nothing_for_who_has_none(holdings: Holdings, shop: Shop) -> None:
    now = shop.clock.now()

    assert holdings.has_holdings(BUYER, now - AGES)
    assert not holdings.has_holdings(BUYER, now + timedelta(seconds=1))
    assert not holdings.has_holdings("mem_" + "x" * 26, now - AGES)


def money(shop: Shop) -> str:
    return shop.finance.member(1, 50_000, verified=False, bank=False)


def bank_account(shop: Shop) -> str:
    return shop.finance.member(1, verified=False)


def partner(shop: Shop) -> str:
    return shop.trade.appoint("mem_" + "p" * 26)


def referrer(shop: Shop) -> str:
    inviter_id = "mem_" + "r" * 26
    shop.trade.member("mem_" + "n" * 26, inviter_id)
    return inviter_id


@pytest.mark.parametrize("give", [money, bank_account, partner, referrer])
def test_whatever_can_be_had_counts_for_ever(give: Callable[[Shop], str], shop: Shop) -> None:
    member_id = give(shop)

    assert member_holdings().has_holdings(member_id, shop.clock.now() + AGES)


def test_a_member_with_nothing_costs_four_reads(shop: Shop) -> None:
    with faults.watch() as calls:
        member_holdings().has_holdings("mem_" + "x" * 26, shop.clock.now())

    assert calls == ["dynamodb.BatchGetItem", "dynamodb.GetItem", "dynamodb.GetItem", "dynamodb.Query"]
