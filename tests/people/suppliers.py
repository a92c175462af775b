"""Suppliers of the shop: their registration, their keys and their signed reports."""

import json
from datetime import datetime
from typing import Any

from cardstock.edge.signatures import sign
from tests.house.cloud import Context, http_event, serve
from tests.people.clock import TestClock
from tests.people.replies import Reply, reply
from tests.people.staff import Staff, supplier_key

LIGHTS, HANGERS = "sup_lights", "sup_hangers"
"""The suppliers of the shop's goods."""


class Suppliers:
    """Suppliers whom the staff registers."""

    def __init__(self, clock: TestClock, staff: Staff) -> None:
        self.clock = clock
        self.staff = staff
        self._keys = 0

    def register(self, supplier_id: str = LIGHTS) -> str:
        """The inbox secret of a supplier: the first one, or a further one if the supplier is registered already."""
        token, path = self.staff.key("suppliers:write"), f"/v1/suppliers/{supplier_id}"
        made = reply(serve(http_event("PUT", path, {"name": "宁波织物"}, token=token)))
        if made.body["inbox_secret"] is None:
            made = reply(serve(http_event("POST", f"{path}/secrets", token=token, key=token[-16:])))
        assert made.status in {200, 201}, made
        return str(made.body["inbox_secret"])

    def key(self, supplier_id: str, *scopes: str) -> str:
        """The credential of a new key of a supplier, which need not be registered."""
        self._keys += 1
        return supplier_key(supplier_id, *scopes, request=f"supplier key {self._keys}")

    def report(
        self,
        secret: str,
        body: Any,
        *,
        source: str = LIGHTS,
        message_id: str = "msg_1",
        at: datetime | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """A supplier's signed message to the inbox."""
        from functions.partners.inbox import app as partner_inbox

        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        signed = sign(secret, message_id, at or self.clock.now(), text.encode()) | (headers or {})
        event = http_event("POST", f"/v1/inbox/{source}", text, headers=signed)
        return reply(partner_inbox.handler(event, Context()))
