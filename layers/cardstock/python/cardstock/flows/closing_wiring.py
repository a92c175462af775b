"""Factories of closing a member's account, each lazy."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import clock
from cardstock.edge.wiring import marker
from cardstock.flows import paying_out_wiring
from cardstock.ledger import wiring as ledger_wiring
from cardstock.members import wiring as members_wiring
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring

if TYPE_CHECKING:
    from cardstock.flows.closing import ClosingNeeds
    from cardstock.money import Fen


@cache
def closing_needs() -> "ClosingNeeds":
    """The ports of closing an account."""
    from cardstock.flows.closing import ClosingNeeds

    return ClosingNeeds(
        members=members_wiring.members(),
        requests=members_wiring.closing_requests(),
        sessions=members_wiring.member_sessions(),
        orders=orders_wiring.orders(),
        books=ledger_wiring.books(),
        closings=ledger_wiring.closings(),
        network=network_wiring.network(),
        unpayable=unpayable,
        remove_cards=remove_cards,
        marker=marker(),
        end_agreements=end_agreements,
    )


def remove_cards(member_id: str) -> None:
    """Remove the member's cards."""
    from cardstock.cards.store import remove_cards_of

    remove_cards_of(member_id)


def end_agreements(member_id: str) -> None:
    """End the member's payment agreements, also at their channels."""
    from cardstock.orders.agreements import end_all

    end_all(member_id, orders_wiring.agreement_needs(), orders=orders_wiring.orders())


def unpayable(member_id: str, available: "Fen") -> str | None:
    """Why a payout of this month would not pay the member that much, by its rules as of now; None if it would."""
    from cardstock.payouts.payees import Balance
    from cardstock.payouts.periods import Period
    from cardstock.payouts.previewing import reason_now

    now = clock.now()
    period = Period.of(now)
    rules = paying_out_wiring.payout_rules(period)
    return reason_now(Balance(member_id, available), period, rules, now, paying_out_wiring.preview())
