"""HTTP for staff: commission plans."""

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.network import schemas as models
from cardstock.network import wiring as network_wiring
from cardstock.partners import wiring as partners_wiring

api = Api("commissions", callers=partners_wiring.callers)


@api.post(
    "/v1/commission-plans", body=models.PublishPlan, answer=models.ShownPlan, status=201, auth="key",
    scope="plans:publish", idempotent=True, codes=models.PLAN_CODES,
)  # fmt: skip
def publish_plan(request: Request[models.PublishPlan, Nothing]) -> Answer:
    """Publish a plan and put it in force.

    It becomes the next version of its id; orders that were placed before keep theirs. A plan that does not pass the
    compliance guard is refused with each failed check, its clause and what would pass. What is in force already is
    answered as it is.
    """
    from cardstock.network import service as network  # for staff only: members' calls do not pay for its import
    from cardstock.network.presets import PRESETS

    plans = network_wiring.plans()
    earlier = plans.find_plan_of_request(request.key) or plans.plan_in_force()
    record = network.publish_plan(
        models.draft_of(request.body, PRESETS[request.body.preset]),
        models.approvals_of(request.body, process_clock().now()),
        request.caller.id,
        plans=plans,
        clock=process_clock(),
        request=request.key,
    )
    return Answer(models.plan_told(record), replayed=record == earlier)


@api.get("/v1/commission-plans", query=PageQuery, answer=models.PlanPage, auth="key", scope="plans:publish")
def list_plans(request: Request[Nothing, PageQuery]) -> models.PlanPage:
    """List published plans, every version, and which is in force."""
    plans = network_wiring.plans()
    records, following = read_page(edge_wiring.signer(), "plans", request.query, plans.list_plans)
    shown = [models.plan_told(record) for record in records]
    return models.PlanPage(shown, following, models.in_force_told(plans.plan_in_force()))


@api.get(
    "/v1/commission-plans/{plan_id}", answer=models.ShownPlan, auth="key", scope="plans:publish", codes=(NOT_FOUND,)
)
def get_plan(request: Request[Nothing, Nothing]) -> models.ShownPlan:
    """Read one version (`chain21@3`), or the newest one of a plan (`chain21`)."""
    plan_id, _, version = request.path["plan_id"].partition("@")
    if version.isascii() and version.isdigit() and len(version) <= 8:
        record = network_wiring.plans().find_plan(plan_id, int(version))
    else:
        record = None if version else network_wiring.plans().newest_version(plan_id)
    if record is None:
        raise NOT_FOUND()
    return models.plan_told(record)


handler = api.handler
connect()
