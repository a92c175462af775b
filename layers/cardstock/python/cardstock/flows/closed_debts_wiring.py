"""Factories of closed accounts' debts, each lazy."""

from typing import TYPE_CHECKING

from cardstock.ledger import wiring as ledger_wiring
from cardstock.members import wiring as members_wiring
from cardstock.open_items import wiring as open_items_wiring

if TYPE_CHECKING:
    from cardstock.flows.closed_debts import DebtNeeds


def debt_needs() -> "DebtNeeds":
    """The ports of closed accounts' debts."""
    from cardstock.flows.closed_debts import DebtNeeds

    return DebtNeeds(ledger_wiring.debts(), members_wiring.members(), open_items_wiring.open_items())
