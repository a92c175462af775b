"""Whom a request of the staff concerns: the member that it names, or whose thing it names.

Each function takes a request and a person's own members, and says whether the request is about one of them. What does
not exist concerns nobody: the route itself refuses it.
"""

from typing import Any, TypeAlias

from cardstock.edge.http import Request

Own: TypeAlias = frozenset[str]


def member_in_path(request: Request[Any, Any], own: Own) -> bool:
    """`{member_id}`."""
    return request.path["member_id"] in own


def member_in_body(request: Request[Any, Any], own: Own) -> bool:
    """The body's `member_id`."""
    return request.body.member_id in own


def buyer_of_order(request: Request[Any, Any], own: Own) -> bool:
    """Who placed `{order_id}`."""
    from cardstock.orders.wiring import orders

    order = orders().find_order(request.path["order_id"])
    return order is not None and order.member_id in own


def member_of_item(request: Request[Any, Any], own: Own) -> bool:
    """Whose money the open item is about, or whose order."""
    from cardstock.open_items.wiring import open_items
    from cardstock.orders.wiring import orders

    item = open_items().find_item(request.path["item_id"])
    if item is None:
        return False
    if item.member_id:
        return item.member_id in own
    order = orders().find_order(item.facts.get("order_id", item.subject))
    return order is not None and order.member_id in own


def members_of_hold(request: Request[Any, Any], own: Own) -> bool:
    """Who placed the order whose rewards are held, who earns on it, and who shares a mark with it."""
    from cardstock.compliance.wiring import holds
    from cardstock.ledger.wiring import books

    if buyer_of_order(request, own):
        return True
    order_id = request.path["order_id"]
    hold, rewards = holds().find_hold(order_id), books().find_rewards(order_id)
    earners = frozenset(credit.member_id for credit in rewards.credits) if rewards else frozenset()
    return bool(own & (earners | frozenset(hold.members if hold else ())))


def members_of_alarm(request: Request[Any, Any], own: Own) -> bool:
    """The head of the alarm's subtree, and everybody in it whose payouts it stops."""
    from cardstock.compliance.wiring import alarms

    alarm = alarms().find_alarm(request.path["alarm_id"])
    return alarm is not None and (alarm.head in own or alarm.id in alarms().alarms_of(own).values())


def debtor_of_write_off(request: Request[Any, Any], own: Own) -> bool:
    """Whose debt is written off."""
    from cardstock.ledger.wiring import write_offs

    asked = write_offs().find_write_off(request.path["write_off_id"])
    return asked is not None and asked.member_id in own


def payee_of_line(request: Request[Any, Any], own: Own) -> bool:
    """Whom the transfer pays."""
    from cardstock.payouts.wiring import payouts

    number = request.path["number"]
    line = payouts().find_lines(request.path["payout_id"], [number]).get(number)
    return line is not None and line.member in own
