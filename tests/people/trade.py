"""Members who refer each other and trade, through the verbs and without HTTP: what the ledger and the network live on.

`Trade` carries out what people do. `Trade.records` holds what the streams have told of it and nobody has consumed.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cardstock.clock import to_epoch_ms
from cardstock.errors import ConflictError
from cardstock.flows import buying_wiring
from cardstock.flows import wiring as flows_wiring
from cardstock.ids import RequestKey, derived_id
from cardstock.network import wiring as network_wiring
from cardstock.network.binding import bind_inviter
from cardstock.network.plan import Approval, Check, Plan
from cardstock.network.presets import CHAIN21
from cardstock.network.promotion import appoint_partner
from cardstock.network.publishing import publish_plan
from cardstock.orders import fulfilment, payment, placement, refund_ends, refunds
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.errors import UNITS_SENT
from cardstock.orders.model import OrderLine, Quote, Receiver, RequestedUnits
from cardstock.orders.payment_model import PaymentNotice
from tests.house.cloud import Cloud, Context, queue_event
from tests.people.clock import TestClock

DEMO_PLAN = replace(CHAIN21, promote_on="paid", on_refund="demote")
"""The plan of the worked example: 499.00, 100 / 300 direct, 200 team, 10 % peer, two make a partner."""


def line(number: int, units: int = 1, price: int = 49_900, *, qualifying: bool = True) -> OrderLine:
    """Line `number` of an order."""
    supplier = f"sup_{1 + number % 2}"
    return OrderLine(number, f"sku{number}", f"Ware {number}", units, price, units * price, supplier, qualifying, True)


def product_item(each: OrderLine, at: datetime) -> dict[str, Any]:
    """The product of an order's line, as it is stored: on sale, in any number."""
    return {
        "pk": {"S": each.sku}, "supplier_id": {"S": each.supplier_id}, "name": {"S": each.name},
        "price_fen": {"N": str(each.price_fen)}, "qualifying": {"BOOL": each.qualifying},
        "earns": {"BOOL": each.earns}, "active": {"BOOL": True}, "stock": {"N": "100000"}, "held": {"N": "0"},
        "inventory_version": {"N": "-1"}, "updated_at": {"N": str(to_epoch_ms(at))},
    }  # fmt: skip


def publish_approved(plan: Plan, at: datetime) -> None:
    """Put a plan in force, with the approvals that a plan of two levels needs."""
    checks: tuple[Check, ...] = ("levels", "peer", "fee", "cap", "head_count", "dividend")
    approvals = [Approval(check, "Ms Zhao", at, "demonstration") for check in checks]
    publish_plan(plan, approvals, "test", plans=network_wiring.plans())


class Trade:
    """What members do under the demonstration plan, unless `publish` has put another one in force."""

    def __init__(self, cloud: Cloud, clock: TestClock) -> None:
        self.cloud = cloud
        self.clock = clock
        self.records: list[dict[str, Any]] = []
        self._seen: dict[str, dict[str, dict[str, Any]]] = {"orders": {}, "supplier-orders": {}, "ledger": {}}
        self._told = 0

    def publish(self, plan: Plan) -> None:
        """Put another plan in force, with the approvals that a plan of two levels needs."""
        publish_approved(plan, self.clock.now())

    def member(self, member_id: str, inviter: str | None = None) -> str:
        """A member, brought by `inviter` if one is given: the member's id."""
        if inviter is not None:
            bind_inviter(member_id, inviter, network=network_wiring.network())
        return member_id

    def appoint(self, member_id: str) -> str:
        """Make a member a partner: the member's id."""
        appoint_partner(member_id, "first partner", "test", network=network_wiring.network())
        return member_id

    def place(self, member_id: str, *lines: OrderLine) -> str:
        """Place an order of these lines, whose products are put on sale before: its id."""
        self.clock.move(seconds=1)
        for each in lines:
            self.cloud.dynamodb.put_item(TableName="products", Item=product_item(each, self.clock.now()))
        hint = buying_wiring.buyer_network().position_hint(member_id)
        placed = placement.place_order(
            member_id,
            Quote(member_id, lines, None, hint),
            Receiver("王小明", "13800000000", "上海"),
            RequestKey(derived_id("req", member_id, str(self.clock.now())), "f"),
            orders=orders_wiring.orders(),
            network=buying_wiring.buyer_network(),
        )
        self.watch()
        return placed.order.order_id

    def pay(self, order_id: str) -> None:
        """Record the payment of an order."""
        self.clock.move(seconds=1)
        order = orders_wiring.orders().find_order(order_id)
        assert order is not None
        notice = PaymentNotice("sandbox", order_id, f"t_{order_id}", order.amount_fen, "CNY", self.clock.now())
        payment.record_payment(notice, orders=orders_wiring.orders())
        self.watch()

    def buy(self, member_id: str, *lines: OrderLine) -> str:
        """Place and pay: by default one unit of the qualifying product."""
        order_id = self.place(member_id, *(lines or (line(1),)))
        self.pay(order_id)
        return order_id

    def receive(self, order_id: str) -> None:
        """Have every supplier ship its part, and the buyer confirm the receipt."""
        order = orders_wiring.orders().find_order(order_id)
        assert order is not None
        for supplier_id in order.supplier_ids:
            self.clock.move(seconds=1)
            fulfilment.report_shipment(
                supplier_id, order_id, "SF", "1", f"s{supplier_id}{order_id}", orders=orders_wiring.orders(),
            )  # fmt: skip
            self.watch()
        fulfilment.confirm_receipt(order.member_id, order_id, orders=orders_wiring.orders())
        self.watch()

    def ask_back(self, order_id: str, **units: int) -> str:
        """Request a refund, by staff if units were sent; what follows is the consumer's work."""
        self.clock.move(seconds=1)
        order = orders_wiring.orders().find_order(order_id)
        assert order is not None
        wanted = [RequestedUnits(sku, count) for sku, count in units.items()]
        request = RequestKey(derived_id("req", order_id, str(self.clock.now())), "f")
        orders = orders_wiring.orders()
        try:
            asked = refunds.request_refund(order.member_id, order_id, wanted, "不想要了", request, orders=orders)
        except ConflictError as refusal:
            if refusal.refusal != UNITS_SENT:
                raise
            asked = refunds.accept_return("stf_1", order_id, wanted, "came back", request, orders=orders)
        self.watch()
        return asked.refund.refund_id

    def give_back(self, order_id: str, refund_id: str) -> None:
        """Record that the channel has sent the money."""
        self.clock.move(seconds=1)
        refund_ends.complete_refund(order_id, refund_id, orders=orders_wiring.orders())
        self.watch()

    def refund(self, order_id: str, **units: int) -> str:
        """Request a refund of units by SKU, and have the channel send the money: the refund's id."""
        refund_id = self.ask_back(order_id, **units)
        self.give_back(order_id, refund_id)
        return refund_id

    def refund_fen(self, order_id: str, amount: int) -> str:
        """Give `amount` fen back as goodwill: no units return."""
        self.clock.move(seconds=1)
        request = RequestKey(derived_id("req", order_id, str(self.clock.now())), "f")
        asked = refunds.grant_goodwill("key_1", order_id, amount, "goodwill", request, orders=orders_wiring.orders())
        self.watch()
        self.give_back(order_id, asked.refund.refund_id)
        return asked.refund.refund_id

    def watch(self) -> None:
        """Append a record for every item that changed since the last look."""
        for table, before in self._seen.items():
            for item in self.cloud.items(table):
                key = json.dumps([item["pk"], item.get("sk")])
                if before.get(key) != item:
                    self._told += 1
                    self.records.append(
                        {
                            "eventID": f"{self._told:032x}",
                            "eventName": "MODIFY" if key in before else "INSERT",
                            "eventVersion": "1.1",
                            "eventSource": "aws:dynamodb",
                            "awsRegion": "ap-east-1",
                            "dynamodb": {
                                "ApproximateCreationDateTime": 1_764_547_200,
                                "Keys": {name: item[name] for name in ("pk", "sk") if name in item},
                                "NewImage": item,
                                **({"OldImage": before[key]} if key in before else {}),
                                "SequenceNumber": str(self._told),
                                "SizeBytes": 700,
                                "StreamViewType": "NEW_AND_OLD_IMAGES",
                            },
                            "eventSourceARN": f"arn:aws:dynamodb:ap-east-1:123456789012:table/{table}/stream/1",
                        }
                    )
                    before[key] = item

    def retell(self, table: str) -> None:
        """Have the stream of a table tell of every item again, as if none had been seen."""
        self._seen[table].clear()

    def take(self, table: str) -> list[dict[str, Any]]:
        """The records of a table that nobody has consumed, oldest first."""
        self.watch()
        taken = [record for record in self.records if f":table/{table}/" in record["eventSourceARN"]]
        self.records = [record for record in self.records if record not in taken]
        return taken

    def order_records(self) -> list[dict[str, Any]]:
        """What is on its way to the queue of order events."""
        return self.take("orders") + self.take("supplier-orders")

    def consume(self, records: Sequence[dict[str, Any]] | None = None) -> list[str]:
        """Hand records (all that wait, if none are given) to the consumer of order events: the failed ones' ids."""
        from functions.orders.on_change import app

        chosen = self.order_records() if records is None else list(records)
        answer = app.handler(queue_event("order-events", *chosen), Context())
        self.watch()
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def settle_down(self) -> None:
        """Consume until nothing is left to consume."""
        while waiting := self.order_records():
            assert self.consume(waiting) == []

    def night(self, context: Context | None = None) -> dict[str, Any]:
        """The nightly tick, now, to a function that has just started: it knows no plan yet."""
        from functions.ledger.nightly_release import app

        flows_wiring.rules.cache_clear()
        network_wiring.plans.cache_clear()

        tick = {"scheduled_at": self.clock.now().isoformat().replace("+00:00", "Z")}
        return app.handler(tick, context or Context(remaining_ms=900_000))

    def balances(self) -> dict[str, tuple[int, int]]:
        """Member -> frozen and available (below zero: debt), of everybody who has or owes anything."""
        found = {
            item["pk"]["S"]: (int(item.get("frozen", {"N": "0"})["N"]), int(item.get("available", {"N": "0"})["N"]))
            for item in self.cloud.items("balances")
        }
        return {member_id: pockets for member_id, pockets in found.items() if pockets != (0, 0)}

    def books(self) -> dict[str, list[str]]:
        """Every item of the ledger's and the network's tables without the moments of booking: what two runs that
        differ only in how messages came must agree on."""
        moments = {"at", "accrued_at", "released_at"}
        books = {}
        for table in ("ledger", "balances", "rewards"):
            items = (
                {name: value for name, value in item.items() if name not in moments} for item in self.cloud.items(table)
            )
            books[table] = sorted(json.dumps(item, sort_keys=True) for item in items)
        return books
