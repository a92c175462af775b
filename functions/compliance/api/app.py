"""HTTP: what the compliance guard has stopped, and letting it go on."""

from datetime import timedelta
from functools import partial

from cardstock.aws.tables import connect
from cardstock.clock import brand_day, process_clock
from cardstock.compliance import schemas as models
from cardstock.compliance import service
from cardstock.compliance import wiring as compliance_wiring
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import QUERY_INVALID, Pointer
from cardstock.flows import wiring as flows_wiring
from cardstock.law import OUTSIDE_FLOOR_BPS
from cardstock.partners import wiring as partners_wiring
from cardstock.staff import wiring as staff_wiring

api = Api("guard", callers=partners_wiring.callers)


@api.get("/v1/reward-holds", query=PageQuery, answer=models.HeldRewards, auth="key", scope="payouts:read")
def list_holds(request: Request[Nothing, PageQuery]) -> models.HeldRewards:
    """List orders whose rewards are or were held, oldest order first.

    A related-party purchase (same payer, device or verified person) or stocking up: credited, and not released.
    """
    found, following = read_page(edge_wiring.signer(), "holds", request.query, compliance_wiring.holds().page)
    return models.HeldRewards([models.hold_told(hold, request.language) for hold in found], following)


@api.post(
    "/v1/reward-holds/{order_id}/lifts", body=models.Lift, answer=models.HeldReward, auth="key",
    scope="payouts:approve", codes=models.LIFT_CODES,
)  # fmt: skip
def lift_hold(request: Request[models.Lift, Nothing]) -> models.HeldReward:
    """Let the rewards of an order go on.

    They are released in the night after their windows are over. Who did it and why is kept; a repeat changes nothing.
    """
    hold = service.lift_hold(
        request.path["order_id"],
        request.caller.actor,
        request.body.reason,
        holds=compliance_wiring.holds(),
        resume=resume,
        clock=process_clock(),
    )
    return models.hold_told(hold, request.language)


def resume(order_id: str) -> None:
    """Schedule the release of an order's rewards again."""
    from cardstock.flows import settling  # for lifts alone, not at the start

    settling.schedule_release_again(order_id, flows_wiring.release())


@api.get("/v1/compliance-alarms", query=PageQuery, answer=models.ComplianceAlarms, auth="key", scope="payouts:read")
def list_alarms(request: Request[Nothing, PageQuery]) -> models.ComplianceAlarms:
    """List subtrees that the law would look at, open or lifted. Every night looks for them."""
    found, following = read_page(edge_wiring.signer(), "alarms", request.query, compliance_wiring.alarms().page)
    return models.ComplianceAlarms([models.alarm_told(alarm) for alarm in found], following)


@api.post(
    "/v1/compliance-alarms/{alarm_id}/lifts", body=models.Lift, answer=models.ComplianceAlarm, auth="key",
    scope="payouts:approve", codes=models.ALARM_CODES,
)  # fmt: skip
def lift_alarm(request: Request[models.Lift, Nothing]) -> models.ComplianceAlarm:
    """Say that an alarm may be lifted.

    The first person asks, a second one lifts: then payouts of the subtree go on until it has twice the people.
    """
    alarm = service.lift_alarm(
        request.path["alarm_id"],
        request.caller.actor,
        request.body.reason,
        can_approve=partial(staff_wiring.can_approve, request.caller.person_id),
        alarms=compliance_wiring.alarms(),
        clock=process_clock(),
    )
    return models.alarm_told(alarm)


@api.get("/v1/compliance-sales", query=models.SalesQuery, answer=models.OutsideSales, auth="key", scope="payouts:read")
def read_sales(request: Request[Nothing, models.SalesQuery]) -> models.OutsideSales:
    """Read what share of sales went to people who promote nothing."""
    until = brand_day(process_clock().now()) - timedelta(days=1)
    if request.query.until is not None:
        given = models.day_of(request.query.until)
        if given is None:
            raise QUERY_INVALID(pointers=(Pointer("/until", "NO_DAY"),))
        until = given
    return models.sales_told(service.share(until, alarms=compliance_wiring.alarms()), OUTSIDE_FLOOR_BPS)


handler = api.handler
connect()
