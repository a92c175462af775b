"""What was sent for orders that were paid by WeChat Pay is told to WeChat, once; what it refuses people see."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cardstock import environment
from cardstock.edge import secrets
from cardstock.open_items.store import every_item
from cardstock.orders import fulfilment
from cardstock.orders import wiring as orders_wiring
from cardstock.platforms.wechat_shipping import delivery_id
from functions.orders.on_shipped import app as on_shipped
from tests.house.cloud import ROOT, Cloud, Context, queue_event
from tests.orders.test_platform_payments import Counter, kinds
from tests.people.buyers import RECEIVER
from tests.people.login_servers import transport_to
from tests.people.payment_parties import WechatParty, opened
from tests.people.shop import Shop


class Desk(Counter):
    """A shop that takes payments by WeChat Pay in an app that must report what it sends."""

    def __init__(self, shop: Shop, party: WechatParty) -> None:
        super().__init__(shop, party)
        self.people = party.people
        self.people.shipping.trades = lambda: party.company.trades
        self.people.shipping.managed.add(party.app_id)

    def shipped(self, *parcels: tuple[str, str], units: int = 1) -> str:
        """A paid order, all of which has left in these parcels: its id."""
        order_id = self.paid(units)
        for number, (carrier, tracking_no) in enumerate(parcels):
            fulfilment.report_shipment(
                "sup_lights", order_id, carrier, tracking_no, f"evt-{number}", orders=orders_wiring.orders()
            )
        return order_id

    def report(self, order_id: str) -> int:
        """The message arrives: how many messages come again."""
        return self.receive(queue_event("orders-shipped", {"order_id": order_id}))

    def receive(self, event: dict[str, Any]) -> int:
        """Messages arrive: how many come again."""
        return len(on_shipped.handler(event, Context())["batchItemFailures"])

    @property
    def reports(self) -> list[dict[str, Any]]:
        return [report for each in self.people.shipping.reports.values() for report in each]


@pytest.fixture
def desk(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    party = WechatParty(shop.clock)
    with opened(party, shop.cloud, monkeypatch):
        put_apps(shop.cloud, {"wechat": {"apps": {party.app_id: {"secret": "s"}}}})
        transports = {"wechat": party.transport, "wechat-login": transport_to(party.people)}
        orders_wiring.set_payment_transports(transports)
        yield Desk(shop, party)


def put_apps(cloud: Cloud, apps: Any) -> None:
    cloud.secrets.put_secret_value(SecretId=environment.text("PLATFORMS_SECRET_ID"), SecretString=json.dumps(apps))
    secrets.forget_values()


def test_a_parcel_is_told_with_its_carrier_number_payer_and_time(desk: Desk) -> None:
    order_id = desk.shipped(("顺丰速运", "SF1234567890"))
    again = [desk.report(order_id) for _ in range(3)]

    (report,) = desk.reports
    assert again == [0, 0, 0]
    assert report["shipping_list"] == [
        {
            "tracking_no": "SF1234567890", "express_company": "SF", "item_desc": "WHITE METAL LANTERN",
            "contact": {"receiver_contact": "138****8000"},
        }
    ]  # fmt: skip
    assert (report["delivery_mode"], report["upload_time"]) == (1, "2026-12-01T16:00:00.000+08:00")
    assert report["payer"]["openid"] == desk.party.payer.rpartition(":")[2]
    assert kinds() == []


@pytest.mark.parametrize(("name", "again", "reports"), [
    ("shipped", 0, 1), ("bad_not_json", 1, 0), ("bad_unknown_order", 1, 0),
])  # fmt: skip
def test_a_message_is_followed_or_comes_again(name: str, again: int, reports: int, desk: Desk) -> None:
    order_id = desk.shipped(("SF", "SF1"))
    text = (ROOT / "events" / "orders" / "on_shipped" / f"{name}.json").read_text("utf-8")

    assert desk.receive(json.loads(text.replace("ORDER_ID", order_id))) == again
    assert (len(desk.reports), kinds()) == (reports, [])


@pytest.mark.parametrize(("phone", "shown"), [
    ("+86 138 0013 8000", "138****8000"), ("13800138000转1234", "138****8000"), ("021-62881234", "****1234"),
    ("+852 9123 4567", "****4567"),
])  # fmt: skip
def test_sf_is_shown_the_end_of_the_number_and_no_extension_or_country(phone: str, shown: str, desk: Desk) -> None:
    desk.receiver = RECEIVER | {"phone": phone}
    desk.report(desk.shipped(("SF", "SF1")))

    assert [each["contact"]["receiver_contact"] for each in desk.reports[0]["shipping_list"]] == [shown]
    assert kinds() == []


def test_an_order_that_was_placed_in_no_app_is_told_to_the_app_that_it_was_paid_in(desk: Desk) -> None:
    order_id = desk.order(account="")
    desk.pay(order_id)
    desk.deliver()
    fulfilment.report_shipment("sup_lights", order_id, "SF", "SF1", "evt-1", orders=orders_wiring.orders())

    assert (desk.report(order_id), len(desk.reports), kinds()) == (0, 1, [])


def test_several_parcels_are_told_together(desk: Desk) -> None:
    order_id = desk.shipped(("ZTO", "75312345678"), ("圆通", "YT123"))
    desk.report(order_id)

    (report,) = desk.reports
    assert (report["delivery_mode"], report["is_all_delivered"]) == (2, True)
    assert [(each["express_company"], each["tracking_no"]) for each in report["shipping_list"]] == [
        ("ZTO", "75312345678"), ("YTO", "YT123"),
    ]  # fmt: skip


def test_an_order_that_has_not_left_is_not_reported(desk: Desk) -> None:
    assert desk.report(desk.paid()) == 0
    assert (desk.people.calls, desk.reports) == ([], [])


def test_a_carrier_that_only_wechat_s_list_knows_is_found_there(desk: Desk) -> None:
    order_id = desk.shipped(("跨越", "KY1"))
    desk.report(order_id)

    assert [each["express_company"] for each in desk.reports[0]["shipping_list"]] == ["KYE"]


def test_a_carrier_that_nobody_knows_is_an_open_item_once(desk: Desk) -> None:
    order_id = desk.shipped(("鸿雁", "1"))
    again = [desk.report(order_id) for _ in range(2)]
    (item,) = every_item()

    assert (again, desk.reports) == ([0, 0], [])
    assert (item.kind, item.subject, item.facts["channel_reason"]) == ("shipping_refused", order_id, "carrier 鸿雁")


def test_an_app_that_need_not_report_reports_nothing(desk: Desk) -> None:
    desk.people.shipping.managed.clear()
    order_id = desk.shipped(("SF", "SF1"))

    assert (desk.report(order_id), desk.reports, kinds()) == (0, [], [])


def test_a_payment_that_wechat_does_not_know_yet_is_told_again_later(desk: Desk) -> None:
    desk.people.shipping.visible_after = timedelta(seconds=30)
    order_id = desk.shipped(("SF", "SF1"))
    first = desk.report(order_id)
    desk.shop.clock.move(seconds=31)

    assert (first, desk.report(order_id), len(desk.reports)) == (1, 0, 1)


def test_an_order_of_which_everything_went_back_is_refused_and_seen(desk: Desk) -> None:
    order_id = desk.shipped(("SF", "SF1"))
    desk.party.end_refunds("succeeded")
    desk.party.refund_by_hand(order_id, 33_900)
    desk.report(order_id)

    assert kinds() == [("shipping_refused", order_id)]


@pytest.mark.parametrize("mode", ["busy", "server_error", "not_json", "stall", "half", "answer_lost"])
def test_without_a_usable_answer_the_message_comes_again_and_nothing_is_told_twice(mode: str, desk: Desk) -> None:
    order_id = desk.shipped(("SF", "SF1"))
    failed = []
    for call in range(3):  # the token, whether it is needed, the report
        desk.people.fail_next(["fine"] * call + [mode] * 2)
        failed.append(desk.report(order_id))
        desk.people.fail_next([])
    desk.report(order_id)

    assert failed[0] == 1
    assert len(desk.reports) == 1
    assert kinds() == []


def test_a_token_that_somebody_else_has_renewed_is_asked_for_again(desk: Desk) -> None:
    desk.report(desk.shipped(("SF", "SF1")))
    desk.people.refuse_tokens(desk.party.app_id)

    assert desk.report(desk.shipped(("SF", "SF2"))) == 0
    assert len(desk.reports) == 2


def test_an_app_without_a_secret_is_to_be_repaired_and_the_message_waits(desk: Desk) -> None:
    order_id = desk.shipped(("SF", "SF1"))
    put_apps(desk.shop.cloud, {})
    first = desk.report(order_id)
    put_apps(desk.shop.cloud, {"wechat": {"apps": {desk.party.app_id: {"secret": "s"}}}})

    assert (first, desk.report(order_id), len(desk.reports)) == (1, 0, 1)


def test_an_order_of_wechat_pay_is_queued_once_it_is_shipped(desk: Desk) -> None:
    trade = desk.shop.trade
    desk.paid()
    trade.settle_down()
    before = queued(desk)
    desk.shipped(("SF", "SF1"))
    trade.settle_down()

    assert (before, queued(desk)) == ("0", "1")


def queued(desk: Desk) -> str:
    """How many messages wait for the time after which WeChat knows a payment."""
    asked = {"QueueUrl": environment.text("ORDERS_SHIPPED_QUEUE_URL")}
    name = "ApproximateNumberOfMessagesDelayed"
    return str(desk.shop.cloud.sqs.get_queue_attributes(**asked, AttributeNames=[name])["Attributes"][name])


@pytest.mark.parametrize(("carrier", "known"), [
    ("SF", "SF"), ("顺丰", "SF"), (" 顺丰 速运 ", "SF"), ("SF Express", "SF"), ("中通快递", "ZTO"), ("yunda", "YD"),
    ("极兔速递", "JTSD"), ("EMS", "EMS"), ("中国邮政", "YZPY"), ("邮政快递包裹", "YZPY"), ("京东物流", "JD"),
    ("快递", None), ("", None), ("同城", None),
])  # fmt: skip
def test_carriers_are_known_as_people_write_them(carrier: str, known: str | None) -> None:
    assert delivery_id(carrier) == known
