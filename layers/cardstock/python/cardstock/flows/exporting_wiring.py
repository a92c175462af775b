"""Factories of exports, each lazy."""

from functools import cache
from typing import TYPE_CHECKING, Any

from cardstock.bank_accounts import wiring as bank_accounts_wiring
from cardstock.cards import wiring as cards_wiring
from cardstock.flows import books_wiring
from cardstock.flows.buying_wiring import coupons
from cardstock.ledger import wiring as ledger_wiring
from cardstock.members import wiring as members_wiring
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring
from cardstock.payouts import wiring as payouts_wiring
from cardstock.recommendations import wiring as recommendations_wiring
from cardstock.uploads import wiring as uploads_wiring

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardstock.flows.explaining import RewardsExplained
    from cardstock.flows.exporting import ExportNeeds
    from cardstock.network.model import Place


@cache
def exporting_needs(explanation: "Callable[[RewardsExplained, str], Any]") -> "ExportNeeds":
    """The ports of writing an export. `explanation` writes a member's rewards on an order as JSON."""
    from cardstock.compliance.store import holds_of
    from cardstock.flows.exporting import ExportNeeds
    from cardstock.flows.exporting_views_wiring import views
    from cardstock.members.phone_store import lost_phones
    from cardstock.members.store import consent_records
    from cardstock.orders.store import supplier_orders_of

    return ExportNeeds(
        members=members_wiring.members(),
        exports=members_wiring.exports(),
        files=members_wiring.export_files(),
        sessions=members_wiring.member_sessions(),
        merges=members_wiring.merges(),
        lost_phones=lost_phones,
        consent_records=consent_records,
        accounts=bank_accounts_wiring.accounts(),
        cards=cards_wiring.cards(),
        radars=cards_wiring.radars(),
        orders=orders_wiring.orders(),
        agreements=orders_wiring.agreements(),
        parts_of=supplier_orders_of,
        holds_of=holds_of,
        coupon_uses=orders_wiring.coupon_uses(),
        network=network_wiring.network(),
        place_of=place_of,
        books=ledger_wiring.books(),
        statements=ledger_wiring.statements(),
        explaining=books_wiring.explaining(),
        payouts=payouts_wiring.payouts(),
        rows=recommendations_wiring.learnt_rows(),
        uploads=uploads_wiring.uploads(),
        view=views(explanation),
    )


def place_of(member_id: str) -> "Place":
    """A member's place in the network, with the coupon usable now."""
    from cardstock.flows.joining import place_at
    from cardstock.network.deciding import position_of

    return place_at(position_of(member_id, network=network_wiring.network()), coupons)


def delete_exports_of(member_id: str) -> int:
    """Delete every export of the member, with its file; their number. Safe to repeat and to interrupt."""
    from cardstock.members import exports

    return exports.delete_exports_of(member_id, exports=members_wiring.exports(), files=members_wiring.export_files())
