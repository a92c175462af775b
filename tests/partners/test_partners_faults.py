"""Whatever happens to a key, a report or a delivery, the same step again ends where one undisturbed run does."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import PynamoDBException

from cardstock.catalog import wiring as catalog_wiring
from cardstock.edge.signatures import sign
from cardstock.errors import CardstockError
from cardstock.partners import attempts
from cardstock.partners import wiring as partners_wiring
from cardstock.partners.model import DueAttempt
from cardstock.partners.ports import AttemptNeeds
from cardstock.partners.post import CallOutcome
from functions.partners.api import app as partners_api
from functions.partners.inbox import app as partner_inbox
from functions.partners.webhooks_api import app as webhooks_api
from tests.house import faults
from tests.house.cloud import ROOT_KEY, Context, http_event
from tests.people.memory_partners import Receiver
from tests.people.partner_brand import LIGHTS, Brand, brand
from tests.people.selling import GOODS, reply
from tests.people.staff import person

__all__ = ["brand"]

Step = Callable[[], Any]
EVENT = {
    "id": "evt_1",
    "type": "fulfilment.requested",
    "subject": "ord_1",
    "time": "2026-12-01T08:00:00Z",
    "data": {"supplier_id": LIGHTS, "order_id": "ord_1"},
}


def create_key(brand: Brand) -> Step:
    body = {"name": "Li Na", "owner": person("Li Na"), "scopes": ["payouts:read"]}
    return lambda: brand.send(partners_api, "POST", "/v1/partners/keys", body, token=ROOT_KEY, key="k")


def revoke_key(brand: Brand) -> Step:
    key_id = "key_" + brand.key("staff", "payouts:read").split("_")[1]
    return lambda: brand.send(partners_api, "DELETE", f"/v1/partners/keys/{key_id}", token=ROOT_KEY)


def put_supplier(brand: Brand) -> Step:
    staff = brand.key("staff", "suppliers:write")
    return lambda: brand.send(partners_api, "PUT", f"/v1/suppliers/{LIGHTS}", {"name": "a"}, token=staff)


def rotate_inbox_secret(brand: Brand) -> Step:
    brand.supplier()
    staff = brand.key("staff", "suppliers:write")
    return lambda: brand.send(partners_api, "POST", f"/v1/suppliers/{LIGHTS}/secrets", token=staff, key="r")


def create_endpoint(brand: Brand) -> Step:
    supplier = brand.key(LIGHTS, "webhooks:write")
    body = {"events": ["*"], "url": "https://erp.example.com/hook"}
    return lambda: brand.send(webhooks_api, "POST", "/v1/webhook-endpoints", body, token=supplier, key="e")


def rotate_secret(brand: Brand) -> Step:
    supplier = brand.key(LIGHTS, "webhooks:write")
    path = f"/v1/webhook-endpoints/{brand.endpoint(supplier, None, '*')['endpoint_id']}/secrets"
    return lambda: brand.send(webhooks_api, "POST", path, token=supplier, key="r")


def report_shipment(brand: Brand) -> Step:
    secret, order_id = brand.supplier(), brand.paid_order()
    return signed(brand, secret, {
        "type": "shipment.created", "order_id": order_id, "carrier": "SF", "tracking_no": "SF1",
    })  # fmt: skip


def count_stock(brand: Brand) -> Step:
    secret = brand.supplier()
    return signed(brand, secret, {"type": "inventory.updated", "sku": "85123A", "stock": 7, "version": 3})


def signed(brand: Brand, secret: str, report: dict[str, Any]) -> Step:
    body = json.dumps(report)
    headers = sign(secret, "msg_1", brand.clock.now(), body.encode())
    event = http_event("POST", f"/v1/inbox/{LIGHTS}", body, headers=headers)
    return lambda: reply(partner_inbox.handler(event, Context()))


def publish(brand: Brand) -> Step:
    supplier = brand.key(LIGHTS, "webhooks:write")
    brand.endpoint(supplier, None, "*")
    brand.endpoint(brand.key("staff", "webhooks:write"), "https://erp.example.com/hook", "fulfilment.requested")
    brand.waiting()

    def announce() -> None:
        partners_wiring.endpoints.cache_clear()
        assert brand.consume(EVENT) == []

    return announce


STEPS = [
    create_key, revoke_key, put_supplier, rotate_inbox_secret, create_endpoint, rotate_secret, report_shipment,
    count_stock, publish,
]  # fmt: skip


def shape(brand: Brand) -> Any:
    """All that must not differ after faults: every table without ids, times and what is random by design."""
    drop = {"secret_sha256", "secrets", "inbox_secrets", "order_id", "pk", "sk", "body", "result", "fingerprint"}

    def plain(table: str, item: dict[str, Any]) -> str:
        kind = item["sk"]["S"].partition("#")[0] if "sk" in item and table == "partners" else ""
        kept = {name: value for name, value in item.items() if name not in drop}
        counts = {name: len(json.loads(item[name]["S"])) for name in ("secrets", "inbox_secrets") if name in item}
        return repr((kind, sorted(kept.items(), key=repr), counts))

    tables = {
        name: sorted(plain(name, item) for item in brand.cloud.items(name))
        for name in ("partners", "deliveries", "requests")
    }
    return tables, brand.shop.books()


def attempt(step: Step) -> None:
    """One try, however it ends: refused, killed, or dead of what the SDK raises."""
    with contextlib.suppress(CardstockError, PynamoDBException, ClientError, AssertionError):
        faults.survive(step)


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", STEPS)
def test_a_disturbed_step_and_its_repeat_end_as_one_undisturbed_step(
    make: Callable[[Brand], Step], mode: faults.Mode, brand: Brand
) -> None:
    make(brand)()  # secrets are fetched once
    reset(brand)
    step = make(brand)
    with faults.watch() as calls:
        step()
    expected = shape(brand)

    assert calls
    for index in range(len(calls)):
        reset(brand)
        step = make(brand)
        with faults.at(index, mode) as seen:
            attempt(step)
        again = step()

        assert len(seen) > index
        assert again is None or 200 <= again.status < 300, f"{mode} at call {index} ({calls[index]}): {again}"
        assert shape(brand) == expected, f"{mode} at call {index} ({calls[index]})"


def test_a_key_whose_store_lost_its_answer_is_shown_with_its_credential(brand: Brand) -> None:
    step = create_key(brand)
    with faults.watch() as calls:
        step()
    reset(brand)
    with faults.at(calls.index("dynamodb.TransactWriteItems"), "lose_answer"):
        answer = step()
    works = brand.send(partners_api, "GET", "/v1/partners/keys", token=answer.body["key"])

    assert answer.status == 201
    assert works.body["code"] == "SCOPE_MISSING"  # known, and without this right


def test_a_supplier_whose_store_lost_its_answer_is_shown_with_its_secret(brand: Brand) -> None:
    step = put_supplier(brand)
    with faults.watch() as calls:
        step()
    reset(brand)
    step = put_supplier(brand)
    with faults.at(calls.index("dynamodb.PutItem"), "lose_answer"):
        answer = step()
    found = partners_wiring.suppliers().find(LIGHTS)

    assert found is not None
    assert answer.body["inbox_secret"] == found.inbox_secrets[0]


# --- attempts ---


class Attempts:
    """One delivery on its way to an endpoint that answers `status`."""

    def __init__(self, brand: Brand, status: int) -> None:
        self.brand = brand
        self.receiver = Receiver()
        self.receiver.answer = CallOutcome(status, None)
        key = brand.key("staff", "webhooks:write")
        self.endpoint = brand.endpoint(key, "https://erp.example.com/hook", "*")["endpoint_id"]
        (self.challenge,) = [DueAttempt(**{**body, "not_before": brand.clock.now()}) for body in brand.waiting()]

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
        url = self.brand.cloud.sqs.get_queue_url(QueueName="webhooks")["QueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        found = self.brand.cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, ("active", False, "delivered", 1, [200])), (500, ("pending", True, "waiting", 1, [500]))],
)
def test_a_disturbed_attempt_and_its_repeat_are_noted_as_one(
    brand: Brand, mode: faults.Mode, status: int, expected: tuple[Any, ...]
) -> None:
    undisturbed = Attempts(brand, status)
    with faults.watch() as calls:
        undisturbed.run()
    assert undisturbed.state() == expected
    assert len(calls) == 4 if status == 200 else 5

    for index in range(len(calls)):
        reset(brand)
        attempts = Attempts(brand, status)
        with faults.at(index, mode):
            attempt(attempts.run)
        attempts.run()

        assert attempts.state() == expected, f"{mode} at call {index} ({calls[index]})"
        assert {headers["webhook-id"] for _, headers, _ in attempts.receiver.got} == {
            attempts.challenge.delivery_id.partition(".")[2]
        }
        # A failed attempt is always followed: no fault ends the chain.
        assert (attempts.planned() > 0) == (status == 500)


def reset(brand: Brand) -> None:
    """An empty brand, whose requests count from one again."""
    brand._count = 0
    for table in ("partners", "deliveries", "requests", "orders", "supplier-orders", "products"):
        for item in brand.cloud.items(table):
            key = {name: item[name] for name in ("pk", "sk") if name in item}
            brand.cloud.dynamodb.delete_item(TableName=table, Key=key)
    url = brand.cloud.sqs.get_queue_url(QueueName="webhooks")["QueueUrl"]
    brand.cloud.sqs.delete_queue(QueueUrl=url)  # it may be purged once a minute only
    brand.cloud.sqs.create_queue(QueueName="webhooks")
    partners_wiring.endpoints.cache_clear()
    catalog_wiring.products().publish_listings(GOODS, brand.clock.now())
