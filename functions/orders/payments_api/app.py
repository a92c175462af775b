"""HTTP: the payment channels of an app; agreements to pay without their pay pages, and charges under them."""

from functools import partial

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.orders import agreements, errors, wiring
from cardstock.orders.agreement_model import Bounds
from cardstock.orders.agreement_schemas import (
    AgreementList,
    AgreementToSign,
    AgreementView,
    AskAgreement,
    ChargeOrder,
    ChargeView,
)
from cardstock.orders.payment_schemas import ChannelList, ChannelQuery
from cardstock.orders.steps import channels_in
from cardstock.partners.wiring import callers

api = Api("payments", callers=callers)
post, get = partial(api.post, auth="member"), partial(api.get, auth="member")
AGREEMENTS = "/v1/me/payment-agreements"


@get("/v1/payment-channels", query=ChannelQuery, answer=ChannelList)
def list_channels(request: Request[Nothing, ChannelQuery]) -> ChannelList:
    """List the payment channels of the caller's app, and what they offer for an amount."""
    names = channels_in(request.caller.app, wiring.payment_channels())
    offers, agreeing = wiring.instalment_channels(), wiring.agreement_channels()
    return ChannelList.of(names, offers, agreeing, request.query.amount_fen)


@post("/v1/orders/{order_id}/charges", body=ChargeOrder, answer=ChargeView, codes=errors.CHARGING)
def charge_order(request: Request[ChargeOrder, Nothing]) -> ChargeView:
    """Pay an order under a payment agreement, now.

    Only the member who signed it, in the app of order and agreement. An order is charged once, whatever was started
    before; after a refusal it can be paid in another way."""
    caller, order_id, agreement_id = request.caller, request.path["order_id"], request.body.agreement_id
    return ChargeView.of(agreements.charge_order(caller.id, caller.app, order_id, agreement_id, wiring.charge_needs()))


@post(AGREEMENTS, body=AskAgreement, answer=AgreementToSign, status=201, codes=errors.ASKING_AGREEMENT)
def ask_agreement(request: Request[AskAgreement, Nothing]) -> Answer:
    """Ask for a payment agreement, to be signed with the channel.

    Within the bounds of the deployment. It ends after a year. A repeat answers the same until it is signed. Nothing is
    charged under it without a request of the member."""
    caller, asked, needs = request.caller, request.body, wiring.agreement_needs()
    most = Bounds(asked.charge_fen, asked.day_fen)
    made, signing = agreements.ask_agreement(caller.id, caller.app, asked.channel, most, needs)
    return Answer(AgreementToSign.of(made, signing, clock.now()))


@get(AGREEMENTS, answer=AgreementList)
def list_agreements(request: Request[Nothing, Nothing]) -> AgreementList:
    """List the caller's payment agreements, oldest first."""
    return AgreementList.of(wiring.agreements().agreements_of(request.caller.id), clock.now())


@post(AGREEMENTS + "/{agreement_id}/checks", answer=AgreementView, codes=errors.CHECKING_AGREEMENT)
def check_agreement(request: Request[Nothing, Nothing]) -> AgreementView:
    """Ask the channel how an agreement stands.

    It becomes active by the channel's notice too, so this is for a client that does not want to wait."""
    agreement_id = request.path["agreement_id"]
    found = agreements.check_agreement(request.caller.id, agreement_id, wiring.agreement_needs())
    return AgreementView.of(found, clock.now())


@api.delete(AGREEMENTS + "/{agreement_id}", answer=AgreementView, auth="member", codes=errors.CHECKING_AGREEMENT)
def end_agreement(request: Request[Nothing, Nothing]) -> AgreementView:
    """End a payment agreement.

    Nothing is charged under it from now on. If the channel gives no answer, the agreement is `ending`: call again."""
    agreement_id = request.path["agreement_id"]
    found = agreements.end_agreement(request.caller.id, agreement_id, wiring.agreement_needs())
    return AgreementView.of(found, clock.now())


handler = api.handler
connect()
