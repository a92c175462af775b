"""Whatever happens to a key, a report or a delivery, the same step again ends where one undisturbed run does."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import PynamoDBException

from cardstock.edge.signatures import sign
from cardstock.errors import CardstockError
from cardstock.partners import attempts
from cardstock.partners import wiring as partners_wiring
from cardstock.partners.model import DueAttempt
from cardstock.partners.ports import AttemptNeeds
from cardstock.partners.post import CallOutcome
from functions.partners.api import app as partners_api
from functions.partners.inbox import app as partner_inbox
from functions.partners.suppliers_api import app as suppliers_api
from functions.partners.webhooks_api import app as webhooks_api
from tests.house import faults
from tests.house.cloud import ROOT_KEY, Context, http_event
from tests.people.memory_partners import Receiver
from tests.people.replies import reply
from tests.people.shop import Shop
from tests.people.staff import person
from tests.people.suppliers import LIGHTS

Step = Callable[[], Any]
EVENT = {
    "id": "evt_1",
    "type": "fulfilment.requested",
    "subject": "ord_1",
    "time": "2026-12-01T08:00:00Z",
    "data": {"supplier_id": LIGHTS, "order_id": "ord_1"},
}


def create_key(shop: Shop) -> Step:
    body = {"name": "Li Na", "owner": person("Li Na"), "scopes": ["payouts:read"]}
    return lambda: shop.send(partners_api, "POST", "/v1/partners/keys", body, token=ROOT_KEY, key="k")


def revoke_key(shop: Shop) -> Step:
    key_id = "key_" + shop.staff.key("payouts:read").split("_")[1]
    return lambda: shop.send(partners_api, "DELETE", f"/v1/partners/keys/{key_id}", token=ROOT_KEY)


def put_supplier(shop: Shop) -> Step:
    staff = shop.staff.key("suppliers:write")
    return lambda: shop.send(suppliers_api, "PUT", f"/v1/suppliers/{LIGHTS}", {"name": "a"}, token=staff)


def rotate_inbox_secret(shop: Shop) -> Step:
    shop.supplier.register()
    staff = shop.staff.key("suppliers:write")
    return lambda: shop.send(suppliers_api, "POST", f"/v1/suppliers/{LIGHTS}/secrets", token=staff, key="r")


def create_endpoint(shop: Shop) -> Step:
    supplier = shop.supplier.key(LIGHTS, "webhooks:write")
    body = {"events": ["*"], "url": "https://erp.example.com/hook"}
    return lambda: shop.send(webhooks_api, "POST", "/v1/webhook-endpoints", body, token=supplier, key="e")


def create_brand_endpoint(shop: Shop) -> Step:
    key = shop.staff.key("webhooks:write")
    body = {"events": ["*"], "url": "https://erp.example.com/hook"}
    return lambda: shop.send(webhooks_api, "POST", "/v1/webhook-endpoints", body, token=key, key="e")


def rotate_secret(shop: Shop) -> Step:
    supplier = shop.supplier.key(LIGHTS, "webhooks:write")
    path = f"/v1/webhook-endpoints/{shop.webhooks.endpoint(supplier, None, '*')['endpoint_id']}/secrets"
    return lambda: shop.send(webhooks_api, "POST", path, token=supplier, key="r")


def report_shipment(shop: Shop) -> Step:
    secret, order_id = shop.supplier.register(), shop.buyer.paid_order()
    return signed(shop, secret, {
        "type": "shipment.created", "order_id": order_id, "carrier": "SF", "tracking_no": "SF1",
    })  # fmt: skip


def count_stock(shop: Shop) -> Step:
    secret = shop.supplier.register()
    shop.stock_up()
    return signed(shop, secret, {"type": "inventory.updated", "sku": "85123A", "stock": 7, "version": 3})


def signed(shop: Shop, secret: str, report: dict[str, Any]) -> Step:
    body = json.dumps(report)
    headers = sign(secret, "msg_1", shop.clock.now(), body.encode())
    event = http_event("POST", f"/v1/inbox/{LIGHTS}", body, headers=headers)
    return lambda: reply(partner_inbox.handler(event, Context()))


def publish(shop: Shop) -> Step:
    supplier = shop.supplier.key(LIGHTS, "webhooks:write")
    shop.webhooks.endpoint(supplier, None, "*")
    shop.webhooks.endpoint(shop.staff.key("webhooks:write"), "https://erp.example.com/hook", "fulfilment.requested")
    shop.webhooks.waiting()

    def announce() -> None:
        partners_wiring.endpoints.cache_clear()
        assert shop.webhooks.consume(EVENT) == []

    return announce


STEPS = [
    create_key, revoke_key, put_supplier, rotate_inbox_secret, create_endpoint, create_brand_endpoint, rotate_secret,
    report_shipment, count_stock, publish,
]  # fmt: skip


def shape(shop: Shop) -> Any:
    """All that must not differ after faults: every table without ids, times and what is random by design."""
    drop = {"secret_sha256", "secrets", "inbox_secrets", "order_id", "pk", "sk", "body", "result", "fingerprint"}

    def plain(table: str, item: dict[str, Any]) -> str:
        kind = item["sk"]["S"].partition("#")[0] if "sk" in item and table == "partners" else ""
        kept = {name: value for name, value in item.items() if name not in drop}
        counts = {name: len(json.loads(item[name]["S"])) for name in ("secrets", "inbox_secrets") if name in item}
        return repr((kind, sorted(kept.items(), key=repr), counts))

    tables = {
        name: sorted(plain(name, item) for item in shop.cloud.items(name))
        for name in ("partners", "deliveries", "requests")
    }
    return tables, shop.order_books()


def attempt(step: Step) -> None:
    """One try, however it ends: refused, killed, or dead of what the SDK raises."""
    with contextlib.suppress(CardstockError, PynamoDBException, ClientError, AssertionError):
        faults.survive(step)


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", STEPS)
def test_a_disturbed_step_and_its_repeat_end_as_one_undisturbed_step(
    make: Callable[[Shop], Step], mode: faults.Mode, shop: Shop
) -> None:
    make(shop)()  # secrets are fetched once
    reset(shop)
    step = make(shop)
    with faults.watch() as calls:
        step()
    expected = shape(shop)

    assert calls
    for index in range(len(calls)):
        reset(shop)
        step = make(shop)
        with faults.at(index, mode) as seen:
            attempt(step)
        again = step()

        assert len(seen) > index
        assert again is None or 200 <= again.status < 300, f"{mode} at call {index} ({calls[index]}): {again}"
        assert shape(shop) == expected, f"{mode} at call {index} ({calls[index]})"


def test_a_key_whose_store_lost_its_answer_is_shown_with_its_credential(shop: Shop) -> None:
    step = create_key(shop)
    with faults.watch() as calls:
        step()
    reset(shop)
    with faults.at(calls.index("dynamodb.TransactWriteItems"), "lose_answer"):
        answer = step()
    works = shop.send(partners_api, "GET", "/v1/partners/keys", token=answer.body["key"])

    assert answer.status == 201
    assert works.body["code"] == "SCOPE_MISSING"  # known, and without this right


def test_a_supplier_whose_store_lost_its_answer_is_shown_with_its_secret(shop: Shop) -> None:
    step = put_supplier(shop)
    with faults.watch() as calls:
        step()
    reset(shop)
    step = put_supplier(shop)
    with faults.at(calls.index("dynamodb.PutItem"), "lose_answer"):
        answer = step()
    found = partners_wiring.suppliers().find(LIGHTS)

    assert found is not None
    assert answer.body["inbox_secret"] == found.inbox_secrets[0]


# --- attempts ---


class Attempts:
    """One delivery on its way to an endpoint that answers `status`."""

    def __init__(self, shop: Shop, status: int) -> None:
        self.shop = shop
        self.receiver = Receiver()
        self.receiver.answer = CallOutcome(status, None)
        key = shop.staff.key("webhooks:write")
        self.endpoint = shop.webhooks.endpoint(key, "https://erp.example.com/hook", "*")["endpoint_id"]
        (self.challenge,) = [DueAttempt(**{**body, "not_before": shop.clock.now()}) for body in shop.webhooks.waiting()]

    def run(self) -> None:
        needs = AttemptNeeds(
            partners_wiring.endpoints(), partners_wiring.deliveries(), partners_wiring.due_queue(), self.receiver, sign
        )
        attempts.attempt(self.challenge, needs=needs)

    def state(self) -> tuple[str, bool, str, int, list[int | None]]:
        endpoint = partners_wiring.endpoints().find("staff", self.endpoint)
        delivery = partners_wiring.deliveries().find(self.endpoint, self.challenge.delivery_id)
        assert endpoint is not None
        assert delivery is not None
        statuses = [made.status for made in delivery.attempts]
        return endpoint.status, endpoint.failing_since is not None, delivery.status, delivery.tries, statuses

    def planned(self) -> int:
        """How many attempts wait in the queue."""
        url = self.shop.cloud.sqs.get_queue_url(QueueName="webhooks")["QueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        found = self.shop.cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, ("active", False, "delivered", 1, [200])), (500, ("pending", True, "waiting", 1, [500]))],
)
def test_a_disturbed_attempt_and_its_repeat_are_noted_as_one(
    shop: Shop, mode: faults.Mode, status: int, expected: tuple[Any, ...]
) -> None:
    undisturbed = Attempts(shop, status)
    with faults.watch() as calls:
        undisturbed.run()
    assert undisturbed.state() == expected
    assert len(calls) == 4 if status == 200 else 5

    for index in range(len(calls)):
        reset(shop)
        attempts = Attempts(shop, status)
        with faults.at(index, mode):
            attempt(attempts.run)
        attempts.run()

        assert attempts.state() == expected, f"{mode} at call {index} ({calls[index]})"
        assert {headers["webhook-id"] for _, headers, _ in attempts.receiver.got} == {
            attempts.challenge.delivery_id.partition(".")[2]
        }
        # A failed attempt is always followed: no fault ends the chain.
        assert (attempts.planned() > 0) == (status == 500)


def reset(shop: Shop) -> None:
    """An empty shop, whose requests count from one again."""
    shop.reopen()
    for table in ("partners", "deliveries", "requests", "orders", "supplier-orders", "products", "product-pages"):
        for item in shop.cloud.items(table):
            key = {name: item[name] for name in ("pk", "sk") if name in item}
            shop.cloud.dynamodb.delete_item(TableName=table, Key=key)
    url = shop.cloud.sqs.get_queue_url(QueueName="webhooks")["QueueUrl"]
    shop.cloud.sqs.delete_queue(QueueUrl=url)  # it may be purged once a minute only
    shop.cloud.sqs.create_queue(QueueName="webhooks")
    partners_wiring.endpoints.cache_clear()
    shop.stock_up()
