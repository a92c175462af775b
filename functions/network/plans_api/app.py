"""HTTP for staff: commission plans."""

from cardstock import clock
from cardstock.aws.requests import DynamoAnswers
from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.network import plan_schemas as schemas
from cardstock.network import wiring as network_wiring
from cardstock.partners import wiring as partners_wiring
from cardstock.staff import wiring as staff_wiring

api = Api("commissions", callers=partners_wiring.callers, answers=DynamoAnswers)


@api.post(
    "/v1/commission-plans", body=schemas.PublishPlan, answer=schemas.ShownPlan, status=201, auth="key",
    scope="plans:publish", idempotent=True, first_answer="stored", codes=schemas.PLAN_CODES,
)  # fmt: skip
def publish_plan(request: Request[schemas.PublishPlan, Nothing]) -> Answer:
    """Publish a plan and put it in force.

    It becomes the next version of its id; orders placed before keep theirs. A plan that fails the compliance check is
    refused with each failed check, its clause and what would pass. Publishing the plan in force changes nothing.
    """
    from cardstock.network import presets, publishing  # only for this route: saves the others the import

    published = publishing.publish_plan(
        request.body.draft(presets.PRESETS[request.body.preset]),
        request.body.approvals_at(clock.now()),
        request.caller.actor,
        plans=network_wiring.plans(),
        request=request.key,
        can_approve=lambda approver: staff_wiring.can_approve(approver, request.caller.actor),
    )
    return Answer(schemas.ShownPlan.of(published.made), replayed=published.replayed)


@api.get("/v1/commission-plans", query=PageQuery, answer=schemas.PlanPage, auth="key", scope="plans:publish")
def list_plans(request: Request[Nothing, PageQuery]) -> schemas.PlanPage:
    """List every version of published plans, and the one in force."""
    plans = network_wiring.plans()
    records, following = read_page(edge_wiring.signer(), "plans", request.query, plans.list_plans)
    return schemas.PlanPage.of(records, following, plans.plan_in_force())


@api.get(
    "/v1/commission-plans/{plan_id}", answer=schemas.ShownPlan, auth="key", scope="plans:publish", codes=(NOT_FOUND,)
)
def get_plan(request: Request[Nothing, Nothing]) -> schemas.ShownPlan:
    """Read one version (`chain21@3`), or the newest one of a plan (`chain21`)."""
    plan_id, _, version = request.path["plan_id"].partition("@")
    if version.isascii() and version.isdigit() and len(version) <= 8:
        record = network_wiring.plans().find_plan(plan_id, int(version))
    else:
        record = None if version else network_wiring.plans().newest_version(plan_id)
    if record is None:
        raise NOT_FOUND()
    return schemas.ShownPlan.of(record)


handler = api.handler
connect()
