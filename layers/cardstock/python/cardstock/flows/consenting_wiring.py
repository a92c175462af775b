"""Factories of consents, each lazy."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock.bank_accounts import wiring as bank_accounts_wiring
from cardstock.members import wiring as members_wiring
from cardstock.recommendations import wiring as recommendations_wiring

if TYPE_CHECKING:
    from cardstock.flows.consenting import ConsentNeeds


@cache
def consent_needs() -> "ConsentNeeds":
    """The ports of consents."""
    from cardstock.flows.consenting import ConsentNeeds

    return ConsentNeeds(
        members=members_wiring.members(),
        versions=members_wiring.consent_versions(),
        removals={
            "recommendations": recommendations_wiring.learnt_rows().removal_step,
            "bank_account": bank_accounts_wiring.accounts().removal_step,
        },
    )
