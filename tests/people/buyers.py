"""Buyers of the shop: every step from the quote to the refund, as members' requests to the real handlers."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cardstock.attribution import Attribution, sign_attribution
from cardstock.edge import wiring as edge_wiring
from cardstock.signing import ACCESS
from tests.house.cloud import http_event, serve
from tests.people.payment_channel import PaymentChannel
from tests.people.replies import Reply, reply

BUYER = "mem_" + "b" * 26
STRANGER = "mem_" + "s" * 26
RECEIVER = {"name": "王小明", "phone": "13800138000", "address": "上海市静安区南京西路1266号恒隆广场2座1801室"}
CART = {"85123A": 6, "71053": 2, "84406B": 3}
"""Units by SKU of the shop's goods, of both suppliers."""


class Buyers:
    """Members who buy. Each request is `BUYER`'s unless `member` says otherwise."""

    def __init__(self, channel: PaymentChannel) -> None:
        self.channel = channel

    def token(self, member: str = BUYER) -> str:
        """A member's access token."""
        return edge_wiring.signer().sign(ACCESS, {"sub": member}, lifetime=timedelta(hours=2))

    def attribution(self) -> str:
        """What a card view answers."""
        viewed = Attribution("crd_" + "c" * 26, "k7m2p9xw4t", "viw_" + "v" * 26, "mem_" + "g" * 26)
        return sign_attribution(edge_wiring.signer(), viewed)

    def send(self, method: str, path: str, body: Any = None, *, member: str = BUYER, **more: Any) -> Reply:
        """A member's request to the function whose route it is."""
        return reply(serve(http_event(method, path, body, token=self.token(member), **more)))

    def quote(self, units: Mapping[str, int] = CART, *, member: str = BUYER, **more: Any) -> Reply:
        """Ask for a quote."""
        lines = [{"sku": sku, "units": count} for sku, count in units.items()]
        return self.send("POST", "/v1/quotes", {"lines": lines, **more}, member=member)

    def place(self, quote: str, *, key: str = "order-1", member: str = BUYER) -> Reply:
        """Place an order."""
        return self.send("POST", "/v1/orders", {"quote": quote, "receiver": RECEIVER}, member=member, key=key)

    def order(self, units: Mapping[str, int] = CART, *, key: str = "order-1") -> str:
        """Quote and place: the order's id."""
        placed = self.place(self.quote(units, attribution=self.attribution()).body["quote"], key=key)
        assert placed.status == 201, placed
        return str(placed.body["order_id"])

    def pay(self, order_id: str, **other: Any) -> Reply:
        """Pay an order: what the inbox answers to the channel's notice."""
        return self.channel.notify(self.channel.notice(order_id, **other))

    def paid_order(self, key: str = "order-1") -> str:
        """A paid order of goods of both suppliers: its id."""
        order_id = self.order(key=key)
        assert self.pay(order_id).status == 200
        return order_id

    def refund(self, order_id: str, units: Mapping[str, int], *, key: str = "refund-1", member: str = BUYER) -> Reply:
        """Ask for a refund."""
        lines = [{"sku": sku, "units": count} for sku, count in units.items()]
        body = {"reason": "broken", "lines": lines}
        return self.send("POST", f"/v1/orders/{order_id}/refunds", body, key=key, member=member)
