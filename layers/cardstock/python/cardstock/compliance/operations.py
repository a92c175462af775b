"""How the API document names and introduces the routes of the compliance area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, PathValue

FAMILIES: Final = (
    Family(
        "compliance",
        "Compliance",
        "合规",
        "Held rewards, compliance alarms and the share of sales outside the network.",
        {
            "GET /v1/reward-holds": "listRewardHolds",
            "POST /v1/reward-holds/{order_id}/lifts": "liftRewardHold",
            "GET /v1/compliance-alarms": "listComplianceAlarms",
            "POST /v1/compliance-alarms/{alarm_id}/lifts": "liftComplianceAlarm",
            "GET /v1/compliance-sales": "getComplianceSales",
        },
    ),
)
PATH_VALUES: Final = {
    "alarm_id": PathValue("mem_01kbdxdh50fcazdjhcnqh2rzv5.1", "Compliance alarm that is meant."),
}
