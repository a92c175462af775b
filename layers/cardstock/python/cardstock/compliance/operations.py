"""How the API document names and introduces the routes of the compliance area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "compliance",
        "Compliance",
        "合规",
        "Held rewards, compliance alarms and the share of sales outside the network. Keys need the scopes "
        "`payouts:read` and `payouts:approve`: a hold and an alarm decide who is paid, so those who approve payouts "
        "lift them.",
        "被冻结的奖励、合规警报，以及推荐网络之外的销售占比。"
        "需要 `payouts:read` 和 `payouts:approve` 权限："
        "冻结检查和警报决定能否向会员付款，所以由负责发放佣金的人解除。",
        {
            "GET /v1/reward-holds": Operation("listRewardHolds", "List reward holds", "列出冻结检查"),
            "POST /v1/reward-holds/{order_id}/lifts": Operation("liftRewardHold", "Lift a hold", "解除冻结检查"),
            "GET /v1/compliance-alarms": Operation("listComplianceAlarms", "List compliance alarms", "列出合规警报"),
            "POST /v1/compliance-alarms/{alarm_id}/lifts": Operation(
                "liftComplianceAlarm", "Lift an alarm", "解除合规警报"
            ),
            "GET /v1/compliance-sales": Operation(
                "getComplianceSales", "Get sales to non-promoters", "查看非推广者的销售占比"
            ),
        },
    ),
)
PATH_VALUES: Final = {
    "alarm_id": PathValue("mem_01kbdxdh50fcazdjhcnqh2rzv5.1", "Compliance alarm that is meant."),
}
