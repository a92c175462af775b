"""Factories of what reads the books, each lazy: a function loads only what it uses."""

from typing import TYPE_CHECKING

from cardstock.compliance import wiring as compliance_wiring
from cardstock.flows.wiring import announcements, rules
from cardstock.ledger import wiring as ledger_wiring
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring

if TYPE_CHECKING:
    from cardstock.flows.auditing import AuditNeeds
    from cardstock.flows.explaining import ExplainingNeeds
    from cardstock.flows.ledger_entries import EntryNeeds


def auditing() -> "AuditNeeds":
    """The reads of an audit of the books, all by scans."""
    from cardstock.flows.auditing import AuditNeeds
    from cardstock.ledger import closings_store, seals_store, store
    from cardstock.network.team_sales_store import all_team_sales
    from cardstock.open_items.store import every_item
    from cardstock.orders.coupon_store import every_charge
    from cardstock.orders.store import every_order, every_refund
    from cardstock.payouts.line_store import every_line

    return AuditNeeds(
        every_transaction=store.every_transaction,
        every_balance=store.every_balance,
        every_rewards_row=store.every_rewards_row,
        every_write_off=store.every_write_off,
        every_closing=closings_store.every_closing,
        every_seal=seals_store.every_seal,
        every_order=every_order,
        every_refund=every_refund,
        every_coupon_charge=every_charge,
        every_payout_line=every_line,
        every_open_item=every_item,
        every_team_sale=all_team_sales,
        orders=orders_wiring.orders(),
        plans=network_wiring.plans(),
        rules=rules(),
        archive=ledger_wiring.seal_archive(),
    )


def explaining() -> "ExplainingNeeds":
    """The reads of an explanation of a member's rewards."""
    from cardstock.flows.explaining import ExplainingNeeds

    return ExplainingNeeds(ledger_wiring.books(), orders_wiring.orders(), rules(), compliance_wiring.holds())


def ledger_entries() -> "EntryNeeds":
    """The ports of the steps after a new ledger transaction."""
    from cardstock.flows.ledger_entries import EntryNeeds

    return EntryNeeds(ledger_wiring.statements(), ledger_wiring.seals(), announcements())
