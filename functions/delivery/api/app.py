"""HTTP: regions, for pickers of addresses."""

from cardstock.delivery.answers import regions_answer
from cardstock.delivery.region_schemas import RegionQuery, Regions
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.errors import REGION_UNKNOWN
from cardstock.partners import wiring as partners_wiring

api = Api("delivery", callers=partners_wiring.callers)


@api.get("/v1/regions", query=RegionQuery, answer=Regions, codes=(REGION_UNKNOWN,))
def list_regions(request: Request[Nothing, RegionQuery]) -> Answer:
    """List the parts of a region, or the provinces.

    The answer has an ETag, the same for all regions of an edition.
    """
    return regions_answer(request.query.parent or "", request.headers)


handler = api.handler
