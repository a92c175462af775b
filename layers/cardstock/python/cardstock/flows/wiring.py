"""Factories that several flows share, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import environment
from cardstock.compliance import wiring as compliance_wiring
from cardstock.ledger import wiring as ledger_wiring
from cardstock.network import wiring as network_wiring

if TYPE_CHECKING:
    from cardstock.flows.announcing import EventPublisher
    from cardstock.flows.compliance_checks import PurchaseChecks
    from cardstock.flows.dividends import Dividends
    from cardstock.flows.nightly_compliance import NightlyCheckNeeds
    from cardstock.flows.rewarding import PlanRules


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


@cache
def announcements() -> "EventPublisher":
    """Publishes events to partners, through the webhooks queue."""
    from cardstock.aws.queues import Queue
    from cardstock.flows.announcing import EventPublisher

    return EventPublisher(Queue(environment.text("WEBHOOKS_QUEUE_URL")))


def dividends() -> "Dividends":
    """Counts the sales for the team dividend, and pays its shares."""
    from cardstock.flows.dividends import Dividends

    return Dividends(network_wiring.team_sales(), network_wiring.plans(), ledger_wiring.books())
