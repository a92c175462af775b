"""HTTP for staff: held rewards, compliance alarms and who lifts them, and the share of sales to non-promoters."""

from datetime import timedelta

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.clock import brand_day
from cardstock.compliance import alarms, purchases, sales, schemas
from cardstock.compliance import wiring as compliance_wiring
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Api, Nothing, Request
from cardstock.flows import callers_wiring, settling_wiring
from cardstock.flows.concerned_wiring import members_of_alarm, members_of_hold
from cardstock.staff import wiring as staff_wiring
from cardstock.staff.errors import CONFIRMING

api = Api("compliance", callers=callers_wiring.callers, staff=callers_wiring.staff_record)


@api.get("/v1/reward-holds", query=PageQuery, answer=schemas.HeldRewards, auth="key", scope="payouts:read")
def list_holds(request: Request[Nothing, PageQuery]) -> schemas.HeldRewards:
    """List orders whose rewards are or were held, oldest order first.

    Reasons are a related-party purchase (same payer, device or verified person) or stocking up.
    """
    found, following = read_page(edge_wiring.signer(), "holds", request.query, compliance_wiring.holds().list_holds)
    return schemas.HeldRewards([schemas.HeldReward.of(hold, request.language) for hold in found], following)


@api.post(
    "/v1/reward-holds/{order_id}/lifts", body=schemas.Lift, answer=schemas.HeldReward,
    auth="key", concerns=members_of_hold,
    scope="payouts:approve", codes=schemas.LIFT_CODES + CONFIRMING,
)  # fmt: skip
def lift_hold(request: Request[schemas.Lift, Nothing]) -> schemas.HeldReward:
    """Lift the hold of an order's rewards.

    The phone confirms it first. They are released in the night after their windows are over. Who lifted it and why is
    stored; a repeat changes nothing.
    """
    from cardstock.flows import settling  # only for lifts, not at the start

    hold = purchases.lift_hold(
        request.path["order_id"],
        request.caller.actor,
        request.body.reason,
        confirm=staff_wiring.approving(request.caller).confirm,
        holds=compliance_wiring.holds(),
        resume=lambda order_id: settling.schedule_release_again(order_id, settling_wiring.release()),
    )
    return schemas.HeldReward.of(hold, request.language)


@api.get("/v1/compliance-alarms", query=PageQuery, answer=schemas.ComplianceAlarms, auth="key", scope="payouts:read")
def list_alarms(request: Request[Nothing, PageQuery]) -> schemas.ComplianceAlarms:
    """List alarms about subtrees that reach the law's size, open or lifted. They are raised every night."""
    found, following = read_page(edge_wiring.signer(), "alarms", request.query, compliance_wiring.alarms().list_alarms)
    return schemas.ComplianceAlarms([schemas.ComplianceAlarm.of(alarm) for alarm in found], following)


@api.post(
    "/v1/compliance-alarms/{alarm_id}/lifts", body=schemas.Lift, answer=schemas.ComplianceAlarm,
    auth="key", concerns=members_of_alarm,
    scope="payouts:approve", codes=schemas.ALARM_CODES + CONFIRMING,
)  # fmt: skip
def lift_alarm(request: Request[schemas.Lift, Nothing]) -> schemas.ComplianceAlarm:
    """Lift an alarm, which takes two people.

    The first person requests it, a second one, whose phone confirms it, lifts it: then payouts of the subtree go on
    until it has twice the people.
    """
    two = staff_wiring.approving(request.caller)
    alarm = alarms.lift_alarm(
        request.path["alarm_id"],
        request.caller.actor,
        request.body.reason,
        can_approve=two.can_approve,
        confirm=two.confirm,
        alarms=compliance_wiring.alarms(),
    )
    return schemas.ComplianceAlarm.of(alarm)


@api.get(
    "/v1/compliance-sales", query=schemas.SalesQuery, answer=schemas.OutsideSales, auth="key", scope="payouts:read"
)
def read_sales(request: Request[Nothing, schemas.SalesQuery]) -> schemas.OutsideSales:
    """Read the share of sales to people who promote nothing."""
    until = request.query.day() or brand_day(clock.now()) - timedelta(days=1)
    return schemas.OutsideSales.of(sales.outside_share(until, alarms=compliance_wiring.alarms()))


handler = api.handler
connect()
