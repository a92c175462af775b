"""Factories of joining the network and of keys, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock.bank_accounts import wiring as bank_accounts_wiring
from cardstock.cards import wiring as cards_wiring
from cardstock.edge.wiring import marker
from cardstock.flows.buying_wiring import coupons
from cardstock.ledger import wiring as ledger_wiring
from cardstock.members import wiring as members_wiring
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring
from cardstock.partners import wiring as partners_wiring
from cardstock.staff import wiring as staff_wiring

if TYPE_CHECKING:
    from cardstock.flows.holdings import MemberHoldings
    from cardstock.flows.joining import JoiningNeeds
    from cardstock.flows.merging import MergeNeeds
    from cardstock.flows.parting import PartingNeeds
    from cardstock.flows.staff_keys import KeyNeeds
    from cardstock.members.login import LoginNeeds


@cache
def key_needs() -> "KeyNeeds":
    """The ports of creating an API key."""
    from cardstock.flows.staff_keys import KeyNeeds

    return KeyNeeds(
        keys=partners_wiring.partner_keys(), persons=staff_wiring.persons(), suppliers=partners_wiring.suppliers()
    )


@cache
def member_holdings() -> "MemberHoldings":
    """What members have in other areas."""
    from cardstock.flows.holdings import MemberHoldings

    return MemberHoldings(
        network_wiring.network, ledger_wiring.books, bank_accounts_wiring.accounts, orders_wiring.orders
    )


@cache
def login_needs() -> "LoginNeeds":
    """The ports of logging in."""
    from cardstock.members.login import LoginNeeds

    return LoginNeeds(
        members_wiring.login_platforms(),
        members_wiring.members(),
        member_holdings(),
        members_wiring.consent_versions(),
        marker(),
    )


@cache
def joining_needs() -> "JoiningNeeds":
    """The ports of joining the network."""
    from cardstock.flows.joining import JoiningNeeds

    return JoiningNeeds(
        members=members_wiring.members(),
        verifier=members_wiring.identity_verifier,
        versions=members_wiring.consent_versions,
        network=network_wiring.network(),
        cards=cards_wiring.cards(),
        merges=members_wiring.merges(),
        coupons=coupons,
    )


@cache
def merge_needs() -> "MergeNeeds":
    """The ports of merging members."""
    from cardstock.flows.merging import MergeNeeds

    return MergeNeeds(merges=members_wiring.merges(), network=network_wiring.network())


@cache
def parting_needs() -> "PartingNeeds":
    """The ports of parting merged accounts."""
    from cardstock.flows.parting import PartingNeeds

    return PartingNeeds(
        merging=merge_needs(),
        members=members_wiring.members(),
        merges=members_wiring.merges(),
        exports=members_wiring.exports(),
        files=members_wiring.export_files(),
    )
