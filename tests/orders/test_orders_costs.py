"""What selling costs: AWS calls in order, capacity by item sizes and rules, a warm handler's Python calls."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cardstock.aws import tables as base
from cardstock.edge.secrets import forget_provider
from functions.orders.api import app as orders_api
from infra.local.costs import Shape, shape_of, size_of, write_units
from tests.house import faults
from tests.house.cloud import Context, http_event, names_here, template
from tests.house.python_calls import python_calls
from tests.house.wire import wire
from tests.people.buyers import RECEIVER
from tests.people.shop import Shop
from tests.people.tokens import access_token

MAX_WCU = 14
MAX_PYTHON_CALLS = 12_300


def shapes() -> dict[str, Shape]:
    return {names_here()[table.name]: shape_of(table.definition) for table in template().tables}


def written(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Write units of the one transaction that led from one state to the other."""
    units = 0.0
    for table, shape in shapes().items():
        old, new = ({tuple(str(i[k]) for k in shape.key): i for i in state[table]} for state in (before, after))
        units += sum(
            write_units(old.get(key), new.get(key), shape, transactional=True)
            for key in old | new
            if old.get(key) != new.get(key)
        )
    return units


def test_placing_three_lines_of_two_suppliers_is_one_read_and_one_transaction_of_thirteen_units(shop: Shop) -> None:
    shop.buyer.order()
    quote = shop.buyer.quote(attribution=shop.buyer.attribution()).body["quote"]
    before = shop.cloud.state()
    with faults.watch() as calls:
        assert shop.buyer.place(quote, key="order-2").status == 201
    units = written(before, shop.cloud.state())

    assert calls == ["dynamodb.BatchGetItem", "dynamodb.TransactWriteItems"]
    assert units == 13 <= MAX_WCU


def test_an_order_of_three_lines_stays_below_a_kilobyte(shop: Shop) -> None:
    order_id = shop.buyer.order()
    (item,) = (item for item in shop.cloud.items("orders") if item["pk"]["S"] == order_id)
    # The longest snapshot names three people; the shop's buyer has nobody above.
    longest = {
        "p": "chain21@12",
        "b": "d",
        "r": "p:mem_" + "r" * 26,
        "o": "p:mem_" + "o" * 26,
        "e": "p:mem_" + "e" * 26,
    }
    item["n"] = {"S": json.dumps(longest, separators=(",", ":"))}

    assert size_of(item) < 1024


def test_a_payment_is_one_read_and_one_transaction_and_its_repeat_one_read(shop: Shop) -> None:
    shop.buyer.pay(shop.buyer.order({"71053": 1}, key="warm"))
    order_id = shop.buyer.order()
    before = shop.cloud.state()
    with faults.watch() as first:
        shop.buyer.pay(order_id)
    units = written(before, shop.cloud.state())
    with faults.watch() as again:
        shop.buyer.pay(order_id)

    # Without the test's own look at the amount.
    assert first[1:] == ["dynamodb.GetItem", "dynamodb.TransactWriteItems"]
    assert again[1:] == ["dynamodb.GetItem"]
    assert units == 7


def test_an_order_that_is_not_paid_ends_by_one_call_of_its_channel_and_one_transaction(shop: Shop) -> None:
    cancel, first = "/v1/orders/{}/cancellations", shop.buyer.order({"71053": 1}, key="warm")
    shop.buyer.send("POST", cancel.format(first))
    cancelled, expired = shop.buyer.order(key="cancelled"), shop.buyer.order(key="expired")
    with faults.watch() as calls, shop.channel.at(-1, "kill_before") as asked:
        assert shop.buyer.send("POST", cancel.format(cancelled)).status == 200
    shop.clock.move(minutes=31)
    with faults.watch() as swept, shop.channel.at(-1, "kill_before") as closed:
        assert shop.sweep()["expired"] == 1
    order = next(item for item in shop.cloud.items("orders") if item["pk"]["S"] == expired)

    assert calls == ["dynamodb.GetItem", "dynamodb.TransactWriteItems"]
    assert swept == ["dynamodb.Query"] * 4 + calls + ["dynamodb.Query"]
    assert asked == closed == ["/v1/closings"]
    assert order["st"]["S"] == "expired"


def test_a_quote_costs_no_write(shop: Shop) -> None:
    shop.buyer.quote()
    with faults.watch() as calls:
        shop.buyer.quote()

    assert calls == ["dynamodb.BatchGetItem", "dynamodb.BatchGetItem"]


def node(member_id: str, **body: Any) -> dict[str, Any]:
    return {"pk": {"S": member_id}, "r": {"N": "3"}, "b": {"S": json.dumps(body)}}


BUYER, REFERRER, OWNER, PEER = (f"mem_{letter * 26}" for letter in "bfop")
NETWORK = {
    BUYER: node(BUYER, f=REFERRER, o=OWNER, ft=1764547200000, ot=1764547200000),
    REFERRER: node(REFERRER, f=OWNER, o=OWNER, q=1),
    OWNER: node(OWNER, s="partner", q=1, e=PEER),
    PEER: node(PEER, s="partner", q=1),
}
GOODS = {
    sku: {
        "pk": {"S": sku},
        "supplier_id": {"S": supplier},
        "name": {"S": "WHITE HANGING HEART T-LIGHT HOLDER"},
        "price_fen": {"N": "25500"},
        "qualifying": {"BOOL": True},
        "earns": {"BOOL": True},
        "active": {"BOOL": True},
        "stock": {"N": "100"},
        "held": {"N": "0"},
        "inventory_version": {"N": "-1"},
        "updated_at": {"N": "1764547200000"},
    }
    for sku, supplier in (("85123A", "sup_lights"), ("71053", "sup_lights"), ("84406B", "sup_hangers"))
}


def canned(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    if operation == "GetSecretValue":
        return {"SecretString": json.dumps({"key": "a-signing-key-for-tests-only", "previous": []})}
    if operation == "BatchGetItem":
        answers: dict[str, Any] = {}
        for table, wanted in request["RequestItems"].items():
            stored: dict[str, Any] = {"network": NETWORK, "delivery": {}}.get(table, GOODS)
            answers[table] = [stored[key["pk"]["S"]] for key in wanted["Keys"] if key["pk"]["S"] in stored]
        return {"Responses": answers, "UnprocessedKeys": {}}
    return {}


@pytest.fixture
def on_the_wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with wire(canned) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        base.disconnect()
        forget_provider()
        yield
        forget_provider()
        base.connection().client.close()
        base.disconnect()


@pytest.mark.engine
def test_a_warm_order_takes_no_more_python_calls_than_its_budget(on_the_wire: None) -> None:
    token = access_token(BUYER)
    lines = [{"sku": sku, "units": 2} for sku in GOODS]
    asked = orders_api.handler(http_event("POST", "/v1/quotes", {"lines": lines}, token=token), Context())
    body = {"quote": json.loads(asked["body"])["quote"], "receiver": RECEIVER}

    def place(key: str) -> int:
        event = http_event("POST", "/v1/orders", body, token=token, key=key)
        return int(orders_api.handler(event, Context())["statusCode"])

    statuses = [place(f"warm-{number}") for number in range(3)]
    calls = python_calls(lambda: statuses.append(place("counted")))

    assert statuses == [201] * 4
    assert 3_000 < calls <= MAX_PYTHON_CALLS
