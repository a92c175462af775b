"""Every message three times, in random order, across batches: payments, what follows from them, refunds, and nights.

Two hundred seeds end in the books of the undisturbed run, to the fen and to the entry's id.
"""

import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from cardstock.clock import rfc3339
from cardstock.flows import wiring as flows_wiring
from cardstock.ledger import wiring as ledger_wiring
from functions.ledger.nightly_release import app as nightly_release
from functions.orders.on_change import app as on_order_event
from tests.house.cloud import Context, Snapshot, queue_event
from tests.house.quick import ACCOUNT, items_of, told_by
from tests.people.buyers import RECEIVER
from tests.people.goods import publish_goods
from tests.people.shop import Shop
from tests.people.whole_life import GOODS

SEEDS = 200
AT_ONCE = 50
REGION = "ap-east-1"
STREAMS = ("orders", "supplier-orders")
PARTNER, PEER, FRIEND, BUYER = (f"mem_{letter * 26}" for letter in "rpab")
BOUGHT = {"first": (FRIEND, {"cup": 1}), "second": (BUYER, {"jar": 3, "tea": 5})}
GIVEN_BACK = (("second", {"jar": 1}), ("second", {"jar": 1, "tea": 2}), ("first", {"cup": 1}))
NIGHT = "night"


class Unheard:
    """A queue for announcements that nobody listens to: who does is not of this test."""

    def send(self, body: str, *, delay_seconds: int = 0) -> None:
        """Forget it."""

    def send_all(self, bodies: Sequence[str], *, delay_seconds: int = 0) -> None:
        """Forget them."""


class World:
    """A partner with a peer, the partner's recruit and the recruit's recruit; two orders, refunded in parts, sent and
    received."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        publish_goods(GOODS, shop.clock.now())
        people = shop.trade
        people.appoint(people.member(PEER))
        people.appoint(people.member(PARTNER, PEER))
        people.member(FRIEND, PARTNER)
        people.member(BUYER, FRIEND)
        secrets = {source: shop.supplier.register(source) for source in ("sup_lights", "sup_hangers")}
        self.orders = {key: self._place(key, *bought) for key, bought in BOUGHT.items()}
        self.notices = [shop.channel.notice(order_id) for order_id in self.orders.values()]
        self.unpaid = self._snapshot()
        self.unpaid_at = shop.clock.now()
        for notice in self.notices:
            self._pay(notice)
        self.paid_books = self.tables(*STREAMS)
        for number, (key, units) in enumerate(GIVEN_BACK):
            member = BOUGHT[key][0]
            asked = shop.buyer.refund(self.orders[key], units, key=f"refund-{number}", member=member)
            assert asked.status == 202, asked
        for order_id in self.orders.values():
            for source, secret in secrets.items():
                body = {"type": "shipment.created", "order_id": order_id, "carrier": "SF", "tracking_no": "1"}
                shop.supplier.report(secret, body, source=source, message_id=f"{source}-{order_id}")
        received = shop.buyer.send("POST", f"/v1/orders/{self.orders['second']}/receipts", member=BUYER)
        assert received.status == 200, received
        vars(flows_wiring.announcements())["_queue"] = Unheard()
        shop.clock.move(days=30)
        self.records = [record for table in STREAMS for record in told_by(table, REGION, 0)]
        self.unheard = self._snapshot()
        self.unheard_at = shop.clock.now()

    def _place(self, key: str, member: str, units: dict[str, int]) -> str:
        quote = self.shop.buyer.quote(units, member=member).body["quote"]
        body = {"quote": quote, "receiver": RECEIVER}
        return str(self.shop.buyer.send("POST", "/v1/orders", body, member=member, key=key).body["order_id"])

    def _snapshot(self) -> Snapshot:
        for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
            if table.stream_shard is not None:
                table.stream_shard.items.clear()
        return Snapshot()

    def _pay(self, notice: dict[str, Any]) -> None:
        assert self.shop.channel.notify(notice).status == 200

    def tables(self, *names: str) -> dict[str, list[dict[str, Any]]]:
        return {name: items_of(name, REGION) for name in names}

    def go_back(self, to: Snapshot) -> None:
        to.restore()
        ledger_wiring.calendar.cache_clear()  # it remembers the days that it has written
        self.shop.clock.set(self.unpaid_at if to is self.unpaid else self.unheard_at)

    def pay_anyhow(self, chance: random.Random) -> None:
        notices = self.notices * 3
        chance.shuffle(notices)
        for notice in notices:
            self._pay(notice)

    def hear(self, messages: list[Any], chance: random.Random | None = None, times: int = 1) -> int:
        """Handle messages, in their order or in any; those that handling them sends, too. How many were handled."""
        waiting = [message for message in messages for _ in range(times)]
        heard = read = 0
        while waiting:
            if chance is not None:
                chance.shuffle(waiting)
            size = 10 if chance is None else chance.randint(1, 10)
            batch, waiting = waiting[:size], waiting[size:]
            for _ in range(batch.count(NIGHT)):
                self.night()
            records = [message for message in batch if message != NIGHT]
            if records:
                answer = on_order_event.handler(queue_event("order-events", *records), Context())
                waiting += [records[int(entry["itemIdentifier"][1:])] for entry in answer["batchItemFailures"]]
            heard += len(batch)
            told = told_by("orders", REGION, read)
            read += len(told)
            waiting += [record for record in told for _ in range(times)]
        return heard

    def night(self) -> None:
        self.shop.clock.move(days=1)
        nightly_release.handler({"scheduled_at": rfc3339(self.shop.clock.now())}, Context(remaining_ms=900_000))

    def books(self) -> dict[str, Any]:
        """Balances, rows and the network to the last attribute but moments; each entry with what it did to whom.

        Which of an order's refunds succeeds first is the channel's decision: their places are compared as a set.

        A release before a claw-back moves what the claw-back then takes from the other pocket: whose frozen and
        available money is taken together."""
        kept = self.tables("balances", "rewards", "network", "orders", "supplier-orders", "products")
        rows = [row for row in kept.pop("rewards") if row["sk"]["S"] == "rewards"]
        for row in rows:
            del row["accrued_at"]
            row.pop("released_at", None)
        moments = {"succeeded_at", "ts", "updated_at", "t", "day_key"}
        plain: dict[str, Any] = {
            name: [{key: value for key, value in item.items() if key not in moments} for item in items]
            for name, items in kept.items()
            if name != "network"
        }
        places = [(item["pk"]["S"], item.pop("p")["N"]) for item in plain["orders"] if "p" in item]
        return {
            **plain,
            "places": sorted(places),
            "rows": rows,
            "entries": [_effect(item) for item in items_of("ledger", REGION)],
        }


def _effect(item: dict[str, Any]) -> tuple[str, str, dict[str, int]]:
    moved: Counter[str] = Counter()
    for name, amount, *reward in json.loads(item["postings"]["S"]):
        moved[f"{name.removesuffix(':frozen').removesuffix(':available')} {reward}"] += amount
    fixed = {name: value for name, value in item.items() if name not in ("at", "postings")}
    return (
        item["pk"]["S"],
        json.dumps(fixed, sort_keys=True),
        {name: amount for name, amount in moved.items() if amount},
    )


@pytest.fixture
def world(shop: Shop) -> World:
    return World(shop)


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_messages_in_any_order_and_number_end_in_the_same_books(first: int, world: World) -> None:
    world.go_back(world.unheard)
    heard = world.hear(world.records)
    world.night()
    undisturbed = world.books()

    handled = 0
    for seed in range(first, first + AT_ONCE):
        chance = random.Random(seed)
        world.go_back(world.unpaid)
        world.pay_anyhow(chance)

        assert world.tables(*STREAMS) == world.paid_books, seed

        world.go_back(world.unheard)
        handled += world.hear([*world.records, NIGHT], chance, times=3)
        world.night()

        assert world.books() == undisturbed, seed

    assert [entry[0].partition(".")[0] for entry in undisturbed["entries"]] == ["accrue"] * 2 + ["claw"] * 3 + [
        "release"
    ]
    assert handled == AT_ONCE * 3 * (heard + 1)
