"""Puts what release 0.2.0 stored into the lists that headquarters reads."""

from typing import Any

from infra.commands import operators, terminal
from infra.commands.language import say


def reindex() -> dict[str, Any]:
    """Give the items that lack them their keys of lists, then sum the days that are over again, from the first order
    on. Numbers of what was done; a repeat finds nothing more to index, and sums the same.

    Run it once after the update to the release that brings the lists, while the shop is open or not. If it is
    interrupted, run it again. It reads every order twice, and writes 2 units for each that lacks its key.
    """
    operators.need_tables()
    from cardstock import clock
    from cardstock.members.store import index_members
    from cardstock.orders import sales, wiring
    from cardstock.orders.days_store import index_orders
    from cardstock.partners.store import index_suppliers

    indexed, first = index_orders()
    days = 0
    if first is not None:
        days = sales.store_again(first, clock.now(), sales=wiring.stored_sales(), orders=wiring.order_days())
    return {"orders": indexed, "members": index_members(), "suppliers": index_suppliers(), "days": days}


def show(done: dict[str, Any], *, as_json: bool) -> None:
    """Print what was done."""
    if as_json:
        terminal.write_json(done)
        return
    terminal.write(
        say(
            f"已编入列表：订单和退款 {done['orders']}，会员 {done['members']}，供应商 {done['suppliers']}；"
            f"已汇总 {done['days']} 天的销售",
            f"indexed: {done['orders']} orders and refunds, {done['members']} members, {done['suppliers']} suppliers; "
            f"summed: the sales of {done['days']} days",
        )
    )
