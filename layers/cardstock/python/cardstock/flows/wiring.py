"""Factories of the flows, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment
from cardstock.cards import wiring as cards_wiring
from cardstock.catalog import wiring as catalog_wiring
from cardstock.compliance import wiring as compliance_wiring
from cardstock.ledger import wiring as ledger_wiring
from cardstock.members import wiring as members_wiring
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring
from cardstock.partners import wiring as partners_wiring
from cardstock.staff import wiring as staff_wiring

if TYPE_CHECKING:
    from cardstock.flows.announcing import EventPublisher
    from cardstock.flows.auditing import AuditNeeds
    from cardstock.flows.buying import BuyerNetwork
    from cardstock.flows.compliance_checks import PurchaseChecks
    from cardstock.flows.coupons import CouponRevocation, GrantedCoupons
    from cardstock.flows.dividends import Dividends
    from cardstock.flows.explaining import ExplainingNeeds
    from cardstock.flows.joining import JoiningNeeds
    from cardstock.flows.ledger_entries import EntryNeeds
    from cardstock.flows.nightly_compliance import NightlyCheckNeeds
    from cardstock.flows.order_changes import Needs as OrderChangeNeeds
    from cardstock.flows.rewarding import PlanRules
    from cardstock.flows.settling import ReleaseNeeds, SettlingNeeds
    from cardstock.flows.staff_keys import KeyNeeds
    from cardstock.orders.placement import QuoteNeeds
    from cardstock.recommendations.ports import Purchases


@cache
def key_needs() -> "KeyNeeds":
    """The ports of creating an API key."""
    from cardstock.flows.staff_keys import KeyNeeds

    return KeyNeeds(
        keys=partners_wiring.partner_keys(), persons=staff_wiring.persons(), suppliers=partners_wiring.suppliers()
    )


@cache
def rules() -> "PlanRules":
    """The rules of published plans for orders."""
    from cardstock.flows.rewarding import PlanRules

    return PlanRules(network_wiring.plans())


@cache
def purchase_checks() -> "PurchaseChecks":
    """Compliance checks of orders."""
    from cardstock.flows.compliance_checks import PurchaseChecks

    return PurchaseChecks(compliance_wiring.check_needs())


def nightly_check() -> "NightlyCheckNeeds":
    """The ports of the nightly compliance check. Only this check may scan."""
    from cardstock.flows.nightly_compliance import NightlyCheckNeeds
    from cardstock.ledger.store import every_balance
    from cardstock.network.store import all_referrers

    return NightlyCheckNeeds(
        log=compliance_wiring.purchase_log(),
        alarms=compliance_wiring.alarms(),
        all_referrers=all_referrers,
        all_earners=lambda: (found.member_id for found in every_balance() if found.ever),
    )


def auditing() -> "AuditNeeds":
    """The reads of an audit of the books, all by scans."""
    from cardstock.flows.auditing import AuditNeeds
    from cardstock.ledger import seals_store, store
    from cardstock.network.team_sales_store import all_team_sales
    from cardstock.open_items.store import every_item
    from cardstock.orders.coupon_store import every_charge
    from cardstock.orders.store import every_order, every_refund
    from cardstock.payouts.store import every_line

    return AuditNeeds(
        every_transaction=store.every_transaction,
        every_balance=store.every_balance,
        every_rewards_row=store.every_rewards_row,
        every_write_off=store.every_write_off,
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


@cache
def announcements() -> "EventPublisher":
    """Publishes events to partners, through the webhooks queue."""
    from cardstock.aws.queues import Queue
    from cardstock.flows.announcing import EventPublisher

    return EventPublisher(Queue(environment.text("WEBHOOKS_QUEUE_URL")))


@cache
def purchases() -> "Purchases":
    """Paid orders for recommendations."""
    from cardstock.flows.learning import OrderPurchases

    return OrderPurchases(orders_wiring.paid_orders())


@cache
def joining_needs() -> "JoiningNeeds":
    """The ports of joining the network."""
    from cardstock.flows.joining import JoiningNeeds

    return JoiningNeeds(
        members=members_wiring.members(),
        verifier=members_wiring.identity_verifier(),
        network=network_wiring.network(),
        cards=cards_wiring.cards(),
        coupons=coupons,
    )


@cache
def buyer_network() -> "BuyerNetwork":
    """The buyer's position in the referral network."""
    from cardstock.flows.buying import BuyerNetwork

    return BuyerNetwork(network_wiring.network())


def quoting() -> "QuoteNeeds":
    """The ports of a quote."""
    from cardstock.orders.placement import QuoteNeeds

    return QuoteNeeds(catalog_wiring.products(), buyer_network(), orders_wiring.freight(), coupons)


def coupons() -> "GrantedCoupons":
    """Members' unused coupons."""
    from cardstock.flows.coupons import GrantedCoupons

    return GrantedCoupons(network_wiring.network(), network_wiring.plans(), orders_wiring.coupon_uses())


def coupon_revocation() -> "CouponRevocation":
    """Revokes coupons whose referrals no longer count."""
    from cardstock.flows.coupons import CouponRevocation

    return CouponRevocation(orders_wiring.orders(), orders_wiring.coupon_uses(), ledger_wiring.books())


def dividends() -> "Dividends":
    """Counts the sales for the team dividend, and pays its shares."""
    from cardstock.flows.dividends import Dividends

    return Dividends(network_wiring.team_sales(), network_wiring.plans(), ledger_wiring.books())


def order_changes() -> "OrderChangeNeeds":
    """The ports of the followers of changed orders."""
    from cardstock.edge.observability import count, logger
    from cardstock.flows.order_changes import Needs

    def alarm(refund_id: str) -> None:
        logger.error("refund refused by its channel", refund_id=refund_id)
        count("OpenItemsOpened")

    return Needs(
        orders=orders_wiring.orders(),
        channels=orders_wiring.payment_channels(),
        rules=rules(),
        purchase_checks=purchase_checks(),
        books=ledger_wiring.books(),
        calendar=ledger_wiring.calendar(),
        network=network_wiring.network(),
        plans=network_wiring.plans(),
        dividends=dividends(),
        coupons=coupon_revocation(),
        events=announcements(),
        alarm=alarm,
    )


def explaining() -> "ExplainingNeeds":
    """The reads of an explanation of a member's rewards."""
    from cardstock.compliance import wiring as compliance_wiring
    from cardstock.flows.explaining import ExplainingNeeds

    return ExplainingNeeds(ledger_wiring.books(), orders_wiring.orders(), rules(), compliance_wiring.holds())


def ledger_entries() -> "EntryNeeds":
    """The ports of the steps after a new ledger transaction."""
    from cardstock.flows.ledger_entries import EntryNeeds

    return EntryNeeds(ledger_wiring.statements(), ledger_wiring.seals(), announcements())


def release() -> "ReleaseNeeds":
    """The ports of scheduling an order's release."""
    from cardstock.flows.settling import ReleaseNeeds

    return ReleaseNeeds(orders_wiring.orders(), rules(), ledger_wiring.calendar())


def settling() -> "SettlingNeeds":
    """The ports of settling an order."""
    from cardstock.flows.settling import SettlingNeeds

    return SettlingNeeds(
        orders=orders_wiring.orders(),
        rules=rules(),
        purchase_checks=purchase_checks(),
        dividends=dividends(),
        books=ledger_wiring.books(),
        calendar=ledger_wiring.calendar(),
        network=network_wiring.network(),
        plans=network_wiring.plans(),
        events=announcements(),
    )
