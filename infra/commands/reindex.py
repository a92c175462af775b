"""Puts what earlier releases stored into the form of this one: lists of headquarters, marks of payers and devices,
deliveries without receivers."""

from typing import Any

from infra.commands import operators, terminal
from infra.commands.language import say


def reindex() -> dict[str, Any]:
    """Give the items that lack them their keys of lists and their marks, take receivers out of what the brand's webhook
    endpoints have, then sum the days that are over again, from the first order on. Numbers of what was done; a repeat
    finds nothing more to index, and sums the same.

    Run it once after an update from 0.2.0 or 0.3.0, while the shop is open or not. If it is interrupted, run it again.
    It reads every order twice, and writes 2 units for each that lacks its key or its marks.
    """
    operators.need_tables()
    from cardstock import clock
    from cardstock.compliance.store import renew_marks
    from cardstock.edge.wiring import marker
    from cardstock.members.store import index_members
    from cardstock.orders import sales, wiring
    from cardstock.orders.days_store import index_orders
    from cardstock.partners.store import forget_receivers, index_suppliers

    indexed, first = index_orders(marker())
    days = 0
    if first is not None:
        days = sales.store_again(first, clock.now(), sales=wiring.stored_sales(), orders=wiring.order_days())
    members, suppliers, marks = index_members(), index_suppliers(), renew_marks(marker())
    return {
        "orders": indexed, "members": members, "suppliers": suppliers, "days": days, "marks": marks,
        "receivers": forget_receivers(),
    }  # fmt: skip


def show(done: dict[str, Any], *, as_json: bool) -> None:
    """Print what was done."""
    if as_json:
        terminal.write_json(done)
        return
    terminal.write(
        say(
            f"已编入列表：订单和退款 {done['orders']}，会员 {done['members']}，供应商 {done['suppliers']}；"
            f"已汇总 {done['days']} 天的销售；已更新 {done['marks']} 个标记；"
            f"已从投递中删去 {done['receivers']} 个收件人",
            f"indexed: {done['orders']} orders and refunds, {done['members']} members, {done['suppliers']} suppliers; "
            f"summed: the sales of {done['days']} days; renewed: {done['marks']} marks; "
            f"taken out of deliveries: {done['receivers']} receivers",
        )
    )
