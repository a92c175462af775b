"""How the API document names and introduces the routes of the network area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "plans",
        "Commission plans",
        "佣金方案",
        "Reward plans: published versions, and what a plan would cost.",
        "佣金方案：已发布的版本，以及一个方案的成本。",
        {
            "POST /v1/commission-plans": Operation("publishPlan", "Publish a plan", "发布佣金方案"),
            "POST /v1/commission-plans/approvals": Operation("approvePlan", "Approve a plan", "审批佣金方案"),
            "GET /v1/commission-plans": Operation("listPlans", "List plans", "列出佣金方案"),
            "GET /v1/commission-plans/{plan_id}": Operation("getPlan", "Get a plan", "查看佣金方案"),
            "POST /v1/commission-plans/simulations": Operation("simulatePlans", "Simulate plans", "模拟佣金方案"),
        },
    ),
)
PATH_VALUES: Final = {
    "plan_id": PathValue("chain21", "Plan (`chain21`), or one version of it (`chain21@3`)."),
}
