"""Factories of erasing closed accounts, each lazy."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from cardstock.compliance import wiring as compliance_wiring
from cardstock.edge.wiring import marker
from cardstock.flows.closing_wiring import remove_cards
from cardstock.flows.exporting_wiring import delete_exports_of
from cardstock.flows.uploading_wiring import remove_uploads_of
from cardstock.flows.wiring import rules
from cardstock.ledger import wiring as ledger_wiring
from cardstock.members import wiring as members_wiring
from cardstock.orders import wiring as orders_wiring

if TYPE_CHECKING:
    from cardstock.flows.erasing import ErasingNeeds
    from cardstock.orders.model import Order
    from cardstock.orders.refund_model import Refund


def erasing_needs() -> "ErasingNeeds":
    """The ports of erasing closed accounts."""
    from cardstock.bank_accounts.store import remove_accounts_of
    from cardstock.flows.erasing import ErasingNeeds
    from cardstock.recommendations.store import remove_row_of

    return ErasingNeeds(
        erasures=members_wiring.erasures(),
        members=members_wiring.members(),
        sessions=members_wiring.member_sessions(),
        orders=orders_wiring.orders(),
        log=compliance_wiring.purchase_log(),
        books=ledger_wiring.books(),
        settles_at=settles_at,
        marker=marker(),
        removals=(delete_exports_of, remove_uploads_of, remove_cards, remove_accounts_of, remove_row_of),
    )


def settles_at(order: "Order", refunds: "Sequence[Refund]") -> "datetime | None":
    """When a completed order settles; None while that is open."""
    return rules().settles_at(order, refunds)
