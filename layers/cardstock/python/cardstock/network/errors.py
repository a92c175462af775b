"""Refusals of the network area."""

from typing import Final

from cardstock.errors import invalid, refused

PLAN_INVALID: Final = invalid("PLAN_INVALID", zh="方案参数不正确。", en="Parameters of the plan are not valid.")
PLAN_REFUSED: Final = refused(
    "PLAN_REFUSED", zh="方案未通过合规检查：{checks}。", en="The plan does not pass the compliance check: {checks}."
)
MARKET_INVALID: Final = invalid(
    "MARKET_INVALID", zh="模拟参数不正确。", en="Parameters of the simulated shop are not valid."
)
ORDERS_UNSORTED: Final = invalid(
    "ORDERS_UNSORTED",
    zh="历史订单须按下单时间排列：{order_id}。",
    en="Recorded orders must be sorted by the time of placing: {order_id} is not.",
)
ORDER_INVALID: Final = invalid(
    "ORDER_INVALID",
    zh="历史订单 {order_id} 自相矛盾，或编号重复。",
    en="The recorded order {order_id} is inconsistent, or its id is repeated.",
    about=("orders",),
)
SIMULATION_TOO_LARGE: Final = refused(
    "SIMULATION_TOO_LARGE",
    zh="在线模拟的规模过大，会员数最多 {limit}；更大规模请使用命令行。",
    en="Too large for one call, which takes at most {limit} members; use the command for more.",
)
APPROVAL_INVALID: Final = invalid(
    "APPROVAL_INVALID", zh="审批须写明审批人与理由。", en="An approval needs a name and a reason."
)
APPROVAL_NOT_NEEDED: Final = refused(
    "APPROVAL_NOT_NEEDED",
    zh="该方案的检查项 {check} 无需审批，或任何人都不能批准。",
    en="The check {check} of this plan needs no approval, or nobody can approve it.",
    about=("check",),
)
