"""What WeChat pushes about the trade that it manages: genuine events are recorded once, and nothing else is."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pynamodb.exceptions import PynamoDBException

from cardstock.clock import rfc3339
from cardstock.errors import CardstockError, UnauthorizedError
from cardstock.flows import open_items as open_items_flow
from cardstock.open_items.store import DynamoOpenItems, every_item
from cardstock.orders import fulfilment
from cardstock.orders import wiring as orders_wiring
from cardstock.platforms.wechat_push import PushApp, PushQuery, check_address, open_push
from functions.orders.push_inbox import app as push_inbox
from infra.local.platforms.people import WrongCallError
from infra.local.platforms.wechat_push import EVENTS, WAYS, PushDesk, new_push
from infra.local.server import HttpAnswer
from tests.house import faults
from tests.house.cloud import ROOT, Context, http_event, serve
from tests.orders.test_platform_payments import Counter, kinds
from tests.people.clock import TestClock
from tests.people.payment_parties import WechatParty, opened, put_account
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import staff_key

APP, OTHER = "wx0000000000000001", "wx0000000000000002"
SETTLED, REMINDED, MANAGED = EVENTS
FORGERIES = tuple(way for way in WAYS if way not in ("fine", "broken", "other_key", "duplicate", "mixed"))


def ask(method: str, target: str, headers: Any = None, body: bytes = b"") -> Reply:
    """What the function answers, as API Gateway carries it."""
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    app_id = parts.path.rpartition("/")[2]
    event = http_event(
        method, parts.path, body.decode(), query=query, headers=headers, path_parameters={"app_id": app_id},
        resource="/v1/payments/wechat/pushes/{app_id}",
    )  # fmt: skip
    answer = push_inbox.handler(event, Context())
    text = answer["body"]
    return Reply(answer["statusCode"], json.loads(text) if text[:1] == "{" else text, answer["headers"])


class Inbox(Counter):
    """A shop that takes payments by WeChat Pay, and gets what WeChat pushes."""

    def __init__(self, shop: Shop, party: WechatParty) -> None:
        super().__init__(shop, party)
        self.apps = {APP: {"push": new_push()}, OTHER: {"push": new_push()}}
        self.answers: list[Reply] = []
        self.desk = PushDesk(self.apps, mch_id="1900000109", now=shop.clock.now, tell=self._tell)
        self.desk.urls = {app_id: f"/v1/payments/wechat/pushes/{app_id}" for app_id in self.apps}
        self.configure()

    def configure(self, **changed: str) -> None:
        """Change the app's push at WeChat and in the secret."""
        self.apps[APP]["push"].update(changed)
        pushes = {app_id: {name: app["push"][name] for name in ("token", "key")} for app_id, app in self.apps.items()}
        put_account(self.party, self.shop.cloud, self.party.account | {"pushes": pushes})

    def push(self, event: str, order_id: str = "", way: str = "fine", app_id: str = APP, **fields: Any) -> list[Reply]:
        """WeChat pushes an event: the answers."""
        self.answers.clear()
        trade = self.party.company.trades.get(order_id)
        self.desk.send(app_id, self.desk.event(event, trade, **fields), way)
        self.desk.settle()
        return [*self.answers]

    def order_of(self, order_id: str) -> Any:
        return orders_wiring.orders().find_order(order_id)

    def _tell(self, url: str, headers: Any, body: bytes) -> HttpAnswer:
        said = ask("POST", url, headers, body)
        self.answers.append(said)
        text = said.body if isinstance(said.body, str) else json.dumps(said.body)
        return HttpAnswer(said.status, said.headers, text.encode())


@pytest.fixture
def inbox(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    party = WechatParty(shop.clock)
    with opened(party, shop.cloud, monkeypatch):
        yield Inbox(shop, party)


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def taken(replies: list[Reply]) -> list[tuple[int, Any]]:
    return [(each.status, each.body) for each in replies]


GOOD = [(200, "success")]


def review() -> None:
    """The hourly review of open items."""
    open_items_flow.review_items(items=DynamoOpenItems(), orders=orders_wiring.orders(), time_left=lambda: True)


# The address


def test_the_example_that_wechat_publishes_is_genuine(clock: TestClock) -> None:
    clock.set(datetime.fromtimestamp(1714036504, UTC))
    query = PushQuery(
        signature="f464b24fc39322e44b38aa78f5edd27bd1441696", timestamp="1714036504", nonce="1514711492",
        echostr="4375120948345356249",
    )  # fmt: skip

    assert check_address(PushApp("AAAAA"), query) == "4375120948345356249"
    with pytest.raises(UnauthorizedError, match="SIGNATURE_INVALID"):
        check_address(PushApp("AAAAB"), query)


def test_an_address_is_taken_by_its_check_alone(inbox: Inbox) -> None:
    def fetch(url: str) -> HttpAnswer:
        said = ask("GET", url)
        return HttpAnswer(said.status, said.headers, said.body.encode() if isinstance(said.body, str) else b"")

    inbox.desk.urls.clear()
    with pytest.raises(WrongCallError):
        inbox.push(MANAGED)
    address = f"/v1/payments/wechat/pushes/{APP}"
    wrong = [inbox.desk.check(APP, address, fetch, way) for way in ("forged", "old", "future", "unsigned")]
    elsewhere = inbox.desk.check(APP, f"/v1/payments/wechat/pushes/{OTHER}", fetch)

    assert (wrong, elsewhere) == ([False] * 4, False)
    assert inbox.desk.check(APP, address, fetch)
    assert taken(inbox.push(MANAGED)) == GOOD


def test_an_app_that_is_not_configured_and_a_closed_channel_are_not_found(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = ask("GET", "/v1/payments/wechat/pushes/wxother?signature=a&timestamp=1&nonce=1&echostr=1")
    monkeypatch.setenv("PAYMENT_CHANNELS", "")
    closed = ask("GET", f"/v1/payments/wechat/pushes/{APP}?signature=a&timestamp=1&nonce=1&echostr=1")

    assert (unknown.status, closed.status) == (404, 404)


# Money that WeChat frees


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("key", ["", "kept"])
def test_when_money_is_expected_and_since_when_it_is_free_stands_with_the_order(
    inbox: Inbox, form: str, key: str
) -> None:
    inbox.configure(format=form, **({} if key else {"key": ""}))
    order_id, now = inbox.paid(), inbox.shop.clock.now()
    before = inbox.order_of(order_id)
    due, freed = now + timedelta(days=10), now + timedelta(days=9)
    shipped, again = [
        inbox.push(
            SETTLED, order_id, shipped_time=seconds(now), estimated_settlement_time=seconds(due), settlement_time=""
        )
        for _ in "12"
    ]  # fmt: skip
    expected = inbox.order_of(order_id)
    settled = inbox.push(
        SETTLED, order_id, shipped_time=seconds(now), confirm_receive_method=2, confirm_receive_time=seconds(freed),
        settlement_time=seconds(freed),
    )  # fmt: skip
    after = inbox.order_of(order_id)

    assert taken(shipped) == taken(again) == taken(settled) == GOOD
    assert (expected.funds_expected_at, expected.funds_freed_at) == (due, None)
    assert (after.funds_expected_at, after.funds_freed_at) == (due, freed)
    # Nothing else of the order follows from it, and no receipt of the goods.
    assert (after.status, after.received_at, after.version) == ("paid", None, before.version + 2)
    shown = reply(
        serve(http_event("GET", f"/v1/headquarters/orders/{order_id}", token=staff_key("Li Na", "orders:read")))
    ).body["payment"]
    assert (shown["funds_expected_at"], shown["funds_freed_at"]) == (rfc3339(due), rfc3339(freed))


@pytest.mark.parametrize("method", [1, 2])
def test_no_receipt_follows_from_what_wechat_says_of_one(inbox: Inbox, method: int) -> None:
    order_id = inbox.paid()
    fulfilment.report_shipment("sup_lights", order_id, "SF", "1", "evt-1", orders=orders_wiring.orders())
    at = seconds(inbox.shop.clock.now())
    inbox.push(
        SETTLED, order_id, confirm_receive_method=method, confirm_receive_time=at, settlement_time=at
    )  # fmt: skip
    order = inbox.order_of(order_id)

    assert (order.status, order.received_at) == ("shipped", None)
    assert order.funds_freed_at is not None


def test_repeats_and_what_comes_late_change_nothing(inbox: Inbox, capsys: pytest.CaptureFixture[str]) -> None:
    order_id, now = inbox.paid(), inbox.shop.clock.now()
    freed: dict[str, Any] = {"settlement_time": seconds(now)}
    assert taken(inbox.push(SETTLED, order_id, "duplicate", **freed)) == GOOD * 2
    first = inbox.order_of(order_id)
    inbox.push(SETTLED, order_id, estimated_settlement_time=seconds(now) + 99)  # its turn was before
    inbox.push(SETTLED, order_id, settlement_time=seconds(now) + 5)
    inbox.push(SETTLED, order_id)

    assert inbox.order_of(order_id) == first
    assert (first.funds_freed_at, first.funds_expected_at) == (now.replace(microsecond=0), None)
    assert capsys.readouterr().out.count('"PushesRepeated":[1.0]') == 4


def test_a_recorded_push_is_refused_when_it_is_replayed_later(inbox: Inbox) -> None:
    order_id = inbox.paid()
    query, headers, body = inbox.desk.message(APP, inbox.desk.event(SETTLED, inbox.party.company.trades[order_id]))
    target = f"/v1/payments/wechat/pushes/{APP}?" + "&".join(f"{name}={value}" for name, value in query.items())
    inbox.shop.clock.move(minutes=5)
    in_time = ask("POST", target, headers, body)
    inbox.shop.clock.move(seconds=1)
    late = ask("POST", target, headers, body)
    elsewhere = ask("POST", target.replace(APP, OTHER), headers, body)

    assert taken([in_time]) == GOOD
    assert [(each.status, each.body["code"]) for each in (late, elsewhere)] == [
        (401, "SIGNATURE_STALE"), (401, "SIGNATURE_INVALID"),
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("way", FORGERIES)
def test_what_is_not_genuine_is_refused_and_changes_nothing(inbox: Inbox, way: str, form: str) -> None:
    inbox.configure(format=form)
    order_id = inbox.paid()
    before = inbox.shop.cloud.state()
    (said,) = inbox.push(SETTLED, order_id, way, settlement_time=seconds(inbox.shop.clock.now()))

    assert said.status == 401
    assert said.body["code"] in ("SIGNATURE_INVALID", "SIGNATURE_STALE", "SIGNATURE_MISSING")
    assert inbox.shop.cloud.state() == before
    assert [each.sent for each in inbox.desk.notices.waiting()] == [1]  # WeChat comes again


def test_what_stands_beside_the_encrypted_event_is_not_read(inbox: Inbox) -> None:
    order_id = inbox.paid()

    assert taken(inbox.push(SETTLED, order_id, "mixed", settlement_time=seconds(inbox.shop.clock.now()))) == GOOD
    assert inbox.order_of(order_id).funds_freed_at is not None


def test_something_genuine_that_cannot_be_read_is_taken_and_alarmed(
    inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = inbox.paid()
    broken = [*inbox.push(SETTLED, order_id, "broken"), *inbox.push(SETTLED, order_id, "other_key")]
    shapes = [
        inbox.push(SETTLED, order_id, settlement_time="soon"),
        inbox.push(SETTLED, order_id, settlement_time=-1),
        inbox.push(SETTLED, order_id, settlement_time=10**30),
        inbox.push(SETTLED, order_id, transaction_id=""),
        inbox.push(SETTLED),
    ]

    assert [taken([each]) for each in broken] == [GOOD] * 2
    assert [taken(each) for each in shapes] == [GOOD] * 5
    assert capsys.readouterr().out.count('"PushesUnreadable":[1.0]') == 7
    assert inbox.order_of(order_id).funds_freed_at is None


def test_money_of_a_payment_that_paid_no_order_is_an_open_item_once(inbox: Inbox) -> None:
    paid, unpaid = inbox.paid(), inbox.order()
    now = seconds(inbox.shop.clock.now())
    trade = inbox.party.company.trades[paid]
    inbox.push(SETTLED, paid, transaction_id="4200009", settlement_time=now)
    inbox.push(SETTLED, paid, transaction_id="4200009", settlement_time=now)
    inbox.push(SETTLED, paid, transaction_id="4200009", merchant_trade_no=unpaid, settlement_time=now)

    assert sorted(kinds()) == sorted([("funds_mismatch", paid), ("funds_mismatch", unpaid)])
    assert inbox.order_of(paid).funds_freed_at is None
    facts = next(each.facts for each in every_item() if each.subject == paid)
    assert (facts["transaction_no"], facts["order_transaction_no"]) == ("4200009", trade["transaction_id"])


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (SETTLED, {"merchant_trade_no": "another-system-1"}),
        (SETTLED, {"merchant_trade_no": "ord_" + "0" * 26}),
        (SETTLED, {"merchant_id": "1900000999"}),
        (REMINDED, {"merchant_trade_no": "another-system-1"}),
        ("wxa_media_check", {"detail": [{"strategy": "content_model"}]}),
        ("trade_manage_tomorrow", {}),
        (SETTLED, {"MsgType": "text"}),
    ],
)
def test_what_is_not_of_this_shop_is_answered_and_counted(
    inbox: Inbox, event: str, fields: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = inbox.paid()
    before = inbox.shop.cloud.state()

    assert taken(inbox.push(event, order_id, settlement_time=1, **fields)) == GOOD
    assert '"PushesNotNeeded":[1.0]' in capsys.readouterr().out
    assert inbox.shop.cloud.state() == before


def test_a_number_that_is_none_of_this_shops_costs_no_read(inbox: Inbox) -> None:
    order_id = inbox.paid()
    inbox.push(MANAGED)  # the secret is fetched once
    with faults.watch() as calls:
        inbox.push(SETTLED, order_id, merchant_trade_no="another-system-1", settlement_time=1)

    assert calls == []


@pytest.mark.parametrize("stamp", ["soon", "-1", "1" * 12, "１７９６１１２０００", "1e9"])
def test_a_signed_time_that_is_none_is_a_forgery(stamp: str) -> None:
    signature = hashlib.sha1("".join(sorted(("AAAAA", stamp, "1"))).encode()).hexdigest()
    with pytest.raises(UnauthorizedError, match="SIGNATURE_INVALID"):
        check_address(PushApp("AAAAA"), PushQuery(signature, stamp, "1"))


def test_money_of_a_merchant_below_a_service_provider_is_the_merchants(inbox: Inbox) -> None:
    order_id = inbox.paid()
    inbox.push(SETTLED, order_id, merchant_id="1900000999", sub_merchant_id="1900000109", settlement_time=1)

    assert inbox.order_of(order_id).funds_freed_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


# Reminders


def test_a_reminder_of_an_order_that_has_not_left_ends_when_it_leaves(inbox: Inbox) -> None:
    order_id = inbox.paid()
    assert taken(inbox.push(REMINDED, order_id, msg="请尽快发货")) == taken(inbox.push(REMINDED, order_id)) == GOOD
    (item,) = every_item()
    review()
    (still,) = every_item()
    fulfilment.report_shipment("sup_lights", order_id, "SF", "1", "evt-1", orders=orders_wiring.orders())
    review()
    (ended,) = every_item()

    assert (item.kind, item.subject, item.facts["channel_reason"]) == ("shipping_reminded", order_id, "请尽快发货")
    assert (still.state, ended.state) == ("open", "cleared")
    assert ended.cleared is not None
    assert (ended.cleared.by, ended.cleared.reason) == ("cardstock", "the order is shipped")


def test_a_reminder_of_an_order_that_had_left_waits_for_a_person(inbox: Inbox) -> None:
    order_id = inbox.paid()
    fulfilment.report_shipment("sup_lights", order_id, "SF", "1", "evt-1", orders=orders_wiring.orders())
    inbox.push(REMINDED, order_id)
    review()
    (item,) = every_item()

    assert (item.state, item.facts["order_status"]) == ("open", "shipped")


def test_that_nothing_is_reported_at_all_is_an_alarm(inbox: Inbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert taken(inbox.push(MANAGED, msg="请接入发货信息管理服务")) == GOOD
    out = capsys.readouterr().out

    assert '"ShippingNotReported":[1.0]' in out
    assert kinds() == []
    template = (ROOT / "infra" / "orders.yaml").read_text("utf-8")
    assert all(f"MetricName: {metric}" in template for metric in ("ShippingNotReported", "PushesUnreadable"))


# XML, and what WeChat adds to an address


def test_xml_is_read_without_its_document_type_and_no_deeper_than_a_message(clock: TestClock) -> None:
    clock.set(datetime.fromtimestamp(1714036504, UTC))
    query = PushQuery("f464b24fc39322e44b38aa78f5edd27bd1441696", "1714036504", "1514711492")

    def fields(raw: bytes) -> Any:
        return open_push(APP, PushApp("AAAAA"), query, raw)

    assert fields(b"<xml><A>1</A><B><![CDATA[<2>]]></B><C><D>3</D><E>4</E></C></xml>") == {
        "A": "1",
        "B": "<2>",
        "C": "34",
    }
    for raw in (
        b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><A>&a;</A></xml>', b"<xml>", b"<html><A>1</A></html>", b"<", b"", b"[]",
        b"<xml>" + b"<a>" * 20 + b"</a>" * 20 + b"</xml>", b"\xff", b"1", b"[" * 100_000,
    ):  # fmt: skip
        with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
            fields(raw)


def test_parameters_that_are_not_known_do_not_matter(inbox: Inbox) -> None:
    order_id = inbox.paid()
    query, headers, body = inbox.desk.message(APP, inbox.desk.event(SETTLED, inbox.party.company.trades[order_id]))
    target = f"/v1/payments/wechat/pushes/{APP}?more=1&" + "&".join(f"{name}={value}" for name, value in query.items())

    assert taken([ask("POST", target, headers, body)]) == GOOD


@pytest.mark.parametrize(
    "pushes",
    [{APP: {}}, {APP: {"token": "AAAAA", "key": "short"}}, {APP: {"token": "x"}}, {APP: {"token": "AAAAA", "x": 1}}],
)
def test_a_configuration_that_cannot_work_is_to_be_repaired(inbox: Inbox, pushes: Any) -> None:
    put_account(inbox.party, inbox.shop.cloud, inbox.party.account | {"pushes": pushes})
    said = ask("GET", f"/v1/payments/wechat/pushes/{APP}?signature=a&timestamp=1&nonce=1&echostr=1")

    assert (said.status, said.body["code"]) == (503, "CHANNEL_MISCONFIGURED")


# Whatever happens to a step


def attempt(inbox: Inbox, step: Any) -> None:
    with contextlib.suppress(CardstockError, PynamoDBException):
        faults.survive(step)
    inbox.desk.notices.wait_for([])


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("event", [SETTLED, REMINDED, "mismatch"])
def test_a_push_that_is_disturbed_and_its_repeat_end_as_an_undisturbed_one(
    inbox: Inbox, event: str, mode: faults.Mode
) -> None:
    order_id = inbox.paid()
    more = {"transaction_id": "4200009"} if event == "mismatch" else {}
    name = SETTLED if event == "mismatch" else event

    def step() -> Any:
        return inbox.push(name, order_id, settlement_time=seconds(inbox.shop.clock.now()), **more)

    def books() -> Any:
        items = [(each.kind, each.subject, each.facts) for each in every_item()]
        return inbox.order_of(order_id), items

    before = inbox.shop.cloud.snapshot()
    with faults.watch() as calls:
        step()
    expected = books()
    assert calls
    assert len(calls) <= 4
    for index, call in enumerate(calls):
        if mode == "conflict" and "Get" in call:
            continue
        before.restore()
        with faults.at(index, mode):
            attempt(inbox, step)
        assert taken(step()) == GOOD
        assert books() == expected, f"{mode} at call {index} ({call})"


# The events of the function


@pytest.mark.parametrize(
    "path", sorted((ROOT / "events" / "orders" / "push_inbox").glob("*.json")), ids=lambda path: path.stem
)
def test_every_event_of_the_function_is_answered(path: Path, inbox: Inbox) -> None:
    inbox.configure(token="AAAAA", key="")
    event = json.loads(path.read_text("utf-8"))
    answer = push_inbox.handler(event, Context())
    refused = json.loads(answer["body"]) if path.stem.startswith("bad_") else {}

    assert answer["statusCode"] == (401 if path.stem.startswith("bad_") else 200)
    assert refused.get("code", "") == {
        "bad_signature": "SIGNATURE_INVALID", "bad_check_of_address": "SIGNATURE_INVALID",
        "bad_unsigned": "SIGNATURE_MISSING", "bad_too_old": "SIGNATURE_STALE", "bad_from_the_future": "SIGNATURE_STALE",
    }.get(path.stem, "")  # fmt: skip
    if not refused:
        assert answer["body"] == ("4375120948345356249" if path.stem == "check_address" else "success")
