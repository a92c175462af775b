"""Every release that was tagged is read by today's code: its data, its files, its messages and its requests.

`RECORD=v0.3.0 .venv/bin/pytest -n 0 tests/releases -k record` writes the recording of a release that is about to be
tagged. A life in which something did not happen is refused: take another `SEED`.
"""

import importlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice, product
from typing import Any

import pytest

from cardstock.aws.requests import RequestItem
from cardstock.aws.tables import Table
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.http import Api, Route
from cardstock.members.session_store import LogInCounter
from cardstock.partners.model import SCOPES, SUPPLIER_SCOPES
from cardstock.partners.store import EventItem
from cardstock.recommendations.store import RowItem
from cardstock.signing import ACCESS
from cardstock.staff.store import CountItem
from functions.compliance.nightly_check import app as nightly_check
from functions.network.monthly_dividends import app as monthly_dividends
from tests.house.cloud import Cloud, Context, http_event, queue_event, serve, template
from tests.house.proof import proven
from tests.people.audits import audit_now
from tests.people.clock import TestClock
from tests.people.consents import login_body
from tests.people.partner_server import PartnerServer
from tests.people.replies import reply
from tests.people.shop import Shop
from tests.people.staff import staff_key, supplier_key
from tests.releases import recording
from tests.releases.full_life import FullLife, resume
from tests.releases.item_classes import items_by_class
from tests.releases.recording import Recording

STEPS = 400
"""Steps of a recorded life."""
AFTER = 30
"""Steps of a life that goes on."""
NEVER_READ = {RowItem, RequestItem, EventItem, CountItem}
"""Read as raw values (served rows, and what a failed condition shows), or only ever added to."""
KEYED_ANEW = {LogInCounter}
"""Their keys named accounts, and do no more: those of a release expire unread."""
ADDED_ROUTES = {
    "/v1/products/{product_id}/draft", "/v1/open-items/{item_id}", "/v1/me/staff/confirmations",
    "/v1/me/exports/{export_id}", "/v1/uploads/{upload_id}", "/v1/headquarters/uploads/{upload_id}",
}  # fmt: skip
"""GET routes that answer nobody: what they show was added after the newest release."""
KINDS = {"accrued", "released", "clawed", "claimed", "paid", "returned", "shared", "written_off"}
"""What the ledger of a recording tells of."""
TABLES = {name for name in template().environment() if name.endswith("_TABLE")}
CONSUMERS = {
    source.queue.rpartition(":")[2].removeprefix("cardstock-"): function.module
    for function in template().functions
    for source in function.queues
}
"""Queue -> module of the function that reads it."""
READS = [
    route
    for function in template().functions
    for served in vars(importlib.import_module(function.module)).values()
    if isinstance(served, Api)
    for route in served.routes
    if route.method == "GET"
    and route.auth != "session"  # no session outlives an upgrade by a day
    and not route.path.startswith("/v1/payments/")  # a platform asks, and nothing stored is read
]


@pytest.fixture(params=recording.versions())
def release(request: pytest.FixtureRequest, cloud: Cloud, clock: TestClock) -> Recording:
    """A release's recording, in the tables."""
    found = recording.read(request.param)
    clock.set(found.at)
    recording.restore(found, cloud)
    return found


def gaps(made: Recording) -> list[str]:
    """What today's code can leave behind, and a recording does not have."""
    kinds = {item["kind"]["S"] for item in made.tables.get("ledger", ())}
    tables = {os.environ[name] for name in TABLES}
    queues = {queue for queue, bodies in made.messages.items() if bodies}
    return sorted((tables - made.tables.keys()) | (CONSUMERS.keys() - queues) | (KINDS - kinds))


@pytest.mark.engine
@pytest.mark.skipif("RECORD" not in os.environ, reason="a release is recorded on demand, with RECORD=<its tag>")
def test_record_a_release(shop: Shop, partner_server: PartnerServer) -> None:
    life = FullLife(shop, partner_server, os.environ.get("SEED", "d"))
    life.live(STEPS)
    made = recording.record(os.environ["RECORD"], shop.clock.now(), shop.cloud, life.messages(), life.requests)

    assert gaps(made) == []
    assert audit_now().findings == ()
    recording.write(made)


@pytest.mark.engine
@pytest.mark.timeout(600)  # 13 s of work; a loaded machine needs many times that
def test_an_upgrade_reads_everything_and_the_shop_goes_on(
    release: Recording, shop: Shop, partner_server: PartnerServer
) -> None:
    """The drill of an upgrade: audit, every GET route, every message once more, and then life goes on."""
    with kinds_read() as kinds:
        report = audit_now()
        silent = [route.path for route in READS if not answers(route, release)]
        failed = [queue for queue, bodies in release.messages.items() if not taken(queue, bodies)]
        books = audit_now()
        with proven() as proof:
            repeat(release, shop)
            after = FullLife(shop, partner_server, "after", resume(shop, "after"))
            after.live(AFTER)
            after.life.finish()  # its last order is paid, and nobody has heard of it
            proof.everything()

    assert report.findings == books.findings == audit_now().findings == ()
    assert report.transactions == len(release.tables["ledger"])
    assert set(silent) <= ADDED_ROUTES
    assert failed == []
    assert items_by_class(release).keys() - kinds == NEVER_READ | (KEYED_ANEW & items_by_class(release).keys())


@contextmanager
def kinds_read() -> Iterator[set[type[Table]]]:
    """The kinds of items that are read inside."""
    kinds: set[type[Table]] = set()
    read, refresh = Table.from_raw_data.__func__, Table.deserialize  # type: ignore[attr-defined]  # a class method

    def noted(kind: type[Table], data: Any) -> Table:
        kinds.add(kind)
        found: Table = read(kind, data)
        return found

    def noted_again(item: Table, values: Any) -> None:
        kinds.add(type(item))
        refresh(item, values)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Table, "from_raw_data", classmethod(noted))
        patched.setattr(Table, "deserialize", noted_again)
        yield kinds


def repeat(release: Recording, shop: Shop) -> None:
    """Whoever did something under the release does it again: nothing changes, and what was kept of it is read."""
    before = shop.cloud.state()
    for month in keys(release, r"^dividend#(\d{4}-\d\d)$"):
        following = date.fromisoformat(f"{month}-28") + timedelta(days=7)
        tick = {"scheduled_at": f"{following:%Y-%m}-01T02:00:00+08:00"}
        monthly_dividends.handler(tick, Context(remaining_ms=900_000))
    for body in release.messages["card-views"]:
        assert taken("card-views", [body])

    assert shop.cloud.state() == before

    sold = date.fromisoformat(keys(release, r"^sold#(\S{10})$")[-1])
    nightly_check.handler({"scheduled_at": f"{sold + timedelta(days=1)}T01:00:00+08:00"}, Context(remaining_ms=900_000))
    for sent in release.requests:
        repeats = [http_event("POST", sent["path"], sent["body"], token=sent["token"], key=sent["key"]) for _ in "12"]
        first, second = (reply(serve(repeat)) for repeat in repeats)
        assert (first.status, first.replayed) == (sent["status"], True), (sent, first)
        assert second == first
    for name in keys(release, r"^identity#dev#app#(.*)")[:3]:
        body = login_body(name, app_id="app")
        session = serve(http_event("POST", "/v1/auth/sessions", body))
        assert json.loads(session["body"])["is_new"] is False
    [endpoint, *_] = keys(release, IDS["endpoint_id"])
    [delivery, *_] = [item["sk"]["S"] for item in release.tables["deliveries"] if item["pk"]["S"] == endpoint]
    path = f"/v1/webhook-endpoints/{endpoint}/deliveries/{delivery}/redeliveries"
    redelivered = serve(http_event("POST", path, {}, token=staff_key("Li Na", "webhooks:write"), key="again"))
    assert redelivered["statusCode"] == 202, redelivered


def taken(queue: str, bodies: list[Any]) -> bool:
    """Whether the consumer of a queue takes all of these messages."""
    handler = importlib.import_module(CONSUMERS[queue]).handler
    failures: list[Any] = handler(queue_event(queue, *bodies), Context())["batchItemFailures"]
    return failures == []


def answers(route: Route, release: Recording) -> bool:
    """Whether a GET route answers anybody at all. Raises AssertionError if it fails for anybody."""
    statuses = {serve(call, Context())["statusCode"] for call in islice(calls(route, release), 200)}
    assert statuses <= {200, 302, 403, 404, 409}, (route.path, statuses)
    return bool(statuses & {200, 302})


def calls(route: Route, release: Recording) -> Iterator[dict[str, Any]]:
    """Requests of a route with every id of the recording that could be meant, by those whom its items name."""
    names = re.findall(r"{(\w+)}", route.path)
    keys_held = [staff_key("Li Na", *SCOPES), supplier_key("sup_lights", *SUPPLIER_SCOPES)]
    for ids in product(*(named(name, release) for name in names)):
        path = route.path
        for name, value in zip(names, ids, strict=True):
            path = path.replace(f"{{{name}}}", value)
        members = [token_of(member) for member in members_beside(ids, release)]
        query = query_of(route, release)
        for token in {"member": members, "key": keys_held, "any": members + keys_held}.get(route.auth or "", [None]):
            yield http_event("GET", path, token=token, query=query)


def query_of(route: Route, release: Recording) -> dict[str, str] | None:
    """The query that a route requires, or that has it read what is recorded."""
    if route.path == "/v1/headquarters/sales" and (stored := release.tables.get("sales")):
        return {"until": max(item["sk"]["S"] for item in stored if item["pk"]["S"] == "total")}
    if route.path == "/v1/payment-channels":
        return {"amount_fen": "100"}
    return {"owner": "sup_lights"} if route.path == "/v1/partners/keys" else None


def members_beside(ids: tuple[str, ...], release: Recording) -> list[str]:
    """The members that are named in an item together with these ids; all of them if there are no ids."""
    texts = (text for text in release.texts if all(one in text for one in ids))
    found = dict.fromkeys(member for text in texts for member in re.findall(r"mem_[0-9a-z]{26}", text))
    return list(found)[: 6 if ids else None]


def token_of(member: str) -> str:
    return edge_wiring.signer().sign(ACCESS, {"sub": member}, lifetime=timedelta(hours=2))


IDS = {
    "key": r"^([a-z0-9]{10,12})$", "order_id": "^(ord_.*)", "payout_id": "^(pay_.*)", "member_id": "^(mem_.*)",
    "product_id": "^(cup|jar)$", "plan_id": "^([a-z]+)#", "endpoint_id": "^endpoint#(.*)", "year": "^pay_(....)",
    "transaction_id": "^sealed#(.*)", "item_id": "^(oit_.*)", "source": "^(sup_.*)", "supplier_id": "^(sup_.*)",
    "export_id": "^export#(.*)", "upload_id": "^(upl_.*)",
}  # fmt: skip
"""Name in a path -> what of a key of an item is such an id."""


def named(name: str, release: Recording) -> list[str]:
    """Ids of a recording that fit the name in a path."""
    return keys(release, IDS[name])


def keys(release: Recording, pattern: str) -> list[str]:
    """What `pattern` finds in the keys of the recorded items."""
    items = [item for found in release.tables.values() for item in found]
    parts = (item[part].get("S", "") for item in items for part in ("pk", "sk") if part in item)
    return sorted({found[1] for part in parts if (found := re.search(pattern, part))})
