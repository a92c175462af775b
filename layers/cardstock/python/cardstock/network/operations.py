"""How the API document names and introduces the routes of the network area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, PathValue

FAMILIES: Final = (
    Family(
        "plans",
        "Commission plans",
        "佣金方案",
        "Reward plans: published versions, and what a plan would cost.",
        {
            "POST /v1/commission-plans": "publishPlan",
            "GET /v1/commission-plans": "listPlans",
            "GET /v1/commission-plans/{plan_id}": "getPlan",
            "POST /v1/commission-plans/simulations": "simulatePlans",
        },
    ),
)
PATH_VALUES: Final = {
    "plan_id": PathValue("chain21", "Plan (`chain21`), or one version of it (`chain21@3`)."),
}
