"""Whose money a payout looks at, in the table of balances."""

from cardstock.ledger import payout_store
from cardstock.ledger.store import BalanceItem
from tests.house.cloud import Cloud


def test_frozen_money_alone_is_no_open_balance(cloud: Cloud) -> None:
    """Crediting a reward writes no available money at all: such an item lacks the attribute."""
    BalanceItem(pk="mem_frozen").update([BalanceItem.frozen.set(24_000)])
    BalanceItem(pk="mem_nothing").update([BalanceItem.available.set(0)])
    BalanceItem(pk="mem_some").update([BalanceItem.available.set(450)])
    BalanceItem(pk="mem_debt").update([BalanceItem.available.set(-1)])

    assert sorted(payout_store.open_balances()) == [("mem_debt", -1), ("mem_some", 450)]
