"""How the API document names and introduces the routes of the delivery area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "delivery",
        "Delivery",
        "配送",
        "Regions, and freight templates: what sending costs, by region.",
        "行政区划，以及按地区计算运费的模板。",
        {
            "GET /v1/regions": Operation("listRegions", "List regions", "列出行政区划"),
            "GET /v1/freight-templates": Operation("getFreightTemplates", "Get freight templates", "查询运费模板"),
            "PUT /v1/freight-templates": Operation("putFreightTemplates", "Replace freight templates", "更新运费模板"),
        },
    ),
)
PATH_VALUES: Final[dict[str, PathValue]] = {}
