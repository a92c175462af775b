"""HTTP for staff: commission plans."""

from cardstock.aws.requests import DynamoAnswers
from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request, nobody
from cardstock.errors import NOT_FOUND
from cardstock.flows import callers_wiring
from cardstock.network import plan_schemas as schemas
from cardstock.network import wiring as network_wiring
from cardstock.staff import wiring as staff_wiring

api = Api("commissions", callers=callers_wiring.callers, staff=callers_wiring.staff_record, answers=DynamoAnswers)


@api.post(
    "/v1/commission-plans", body=schemas.PublishPlan, answer=schemas.ShownPlan, status=201, auth="key", concerns=nobody,
    scope="plans:publish", idempotent=True, first_answer="stored", codes=schemas.PLAN_CODES,
)  # fmt: skip
def publish_plan(request: Request[schemas.PublishPlan, Nothing]) -> Answer:
    """Publish a plan and put it in force.

    It becomes the next version of its id; orders placed before keep theirs. A plan that fails the compliance check is
    refused with each failed check, its clause and what would pass. Some checks another person can approve
    (`POST /v1/commission-plans/approvals`): an approval counts for exactly these rules and while it has not expired,
    unless the person has been deactivated. Publishing the plan in force changes nothing.
    """
    from cardstock.network import presets, publishing  # only for this route: saves the others the import

    published = publishing.publish_approved_plan(
        request.body.draft(presets.PRESETS[request.body.preset]),
        request.caller.actor,
        plans=network_wiring.plans(),
        request=request.key,
        can_approve=lambda approver: staff_wiring.can_approve(approver, request.caller.actor),
    )
    return Answer(schemas.ShownPlan.of(published.made), replayed=published.replayed)


@api.post(
    "/v1/commission-plans/approvals", body=schemas.ApprovePlan, answer=schemas.ShownStoredApproval,
    auth="key", concerns=nobody,
    scope="plans:approve", codes=schemas.APPROVING_CODES,
)  # fmt: skip
def approve_plan(request: Request[schemas.ApprovePlan, Nothing]) -> schemas.ShownStoredApproval:
    """Approve one check that a plan fails, so that another person can publish it.

    The approval is the key's person's own. It holds for exactly these rules under this id, for 30 days; what is
    published with it keeps who approved, when and why. A repeat changes nothing. Whether its person may approve what
    the publisher publishes is asked at publishing.
    """
    from cardstock.network import presets, publishing  # only for this route, as above

    plan = request.body.plan
    draft = plan.draft(presets.PRESETS[plan.preset])
    approval = publishing.approve_plan(
        draft, request.body.check, request.body.reason, request.caller.person_id, plans=network_wiring.plans()
    )
    return schemas.ShownStoredApproval.of(approval)


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
