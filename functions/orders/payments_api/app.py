"""HTTP: the payment channels of an app, and what they offer."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Api, Nothing, Request
from cardstock.orders import wiring
from cardstock.orders.payment_schemas import ChannelList, ChannelQuery
from cardstock.orders.steps import channels_in
from cardstock.partners.wiring import callers

api = Api("payments", callers=callers)


@api.get("/v1/payment-channels", query=ChannelQuery, answer=ChannelList, auth="member")
def list_channels(request: Request[Nothing, ChannelQuery]) -> ChannelList:
    """List the payment channels of the caller's app, and what they offer for an amount."""
    names = channels_in(request.caller.app, wiring.payment_channels())
    return ChannelList.of(names, wiring.instalment_channels(), request.query.amount_fen)


handler = api.handler
connect()
