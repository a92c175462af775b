"""A member's life with values that occur nowhere else, its end, and what is left of it in tables and logs."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pynamodb.exceptions import PynamoDBException

from cardstock.cards.model import Card, Face, Share
from cardstock.cards.store import DynamoCards
from cardstock.compliance import wiring as compliance_wiring
from cardstock.errors import CardstockError
from cardstock.flows.wiring import rules
from cardstock.ids import RequestKey
from cardstock.ledger.store import BalanceItem
from cardstock.members.erasure_store import DynamoErasures
from cardstock.members.item_store import ErasureItem, PersonItem, members_of
from cardstock.members.session_store import SessionItem
from cardstock.members.store import DynamoMembers
from cardstock.network import wiring as network_wiring
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.model import NOBODY
from cardstock.recommendations.model import Row
from cardstock.recommendations.store import DynamoRows
from cardstock.retention import TEN_YEARS, THREE_YEARS
from functions.members.nightly_erasure import app as nightly_erasure
from functions.members.on_export import app as on_export
from tests.house import faults
from tests.house.cloud import ROOT, Cloud, Context, http_event, queue_event, serve
from tests.people.audits import audit_now
from tests.people.consents import login_body
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.suppliers import HANGERS, LIGHTS
from tests.people.tokens import access_token

MARKERS = {
    "openid": "openid-q7z",
    "elsewhere": "elsewhere-q7z",
    "union id": "union-q7z",
    "number": "+8613977770001",
    "nickname": "紫砂壶",
    "birth year": '{"N": "1957"}',  # as stored: four digits alone are in random ids too
    "card": "鹿鸣",
    "receiver": "欧阳锋",
    "receiver's number": "13977770002",
    "address": "白驼山庄7号",
    "holder": "司马懿",
    "bank": "鹦鹉洲支行",
    "masked number": "1****************X",
}
PERSON = {"name": "司马懿", "id_number": "11010519491231002X"}
EVENTS = ROOT / "events/members/nightly_erasure"


class Customer:
    """A member on the development platform."""

    def __init__(self, openid: str, **more: Any) -> None:
        self.openid = openid
        code = f"dev:{openid}" + (f"/u:{more.pop('union')}" if "union" in more else "")
        body = login_body(openid, app_id=more.pop("app", "wx1"), login_code=code, **more)
        self.login = reply(serve(http_event("POST", "/v1/auth/sessions", body)))
        self.id = str(self.login.body["member"]["member_id"]) if self.login.status == 200 else ""

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        return reply(serve(http_event(method, path, body, token=access_token(self.id), **more)))


def a_marked_customer() -> Customer:
    """The member of the markers, on two accounts."""
    anna = Customer(MARKERS["openid"], union=MARKERS["union id"], phone_code=f"dev:{MARKERS['number']}")
    Customer(MARKERS["elsewhere"], union=MARKERS["union id"], app="wx2")
    anna.send("PUT", "/v1/me", {"nickname": MARKERS["nickname"], "birth_year": 1957})
    return anna


def a_card(anna: Customer) -> str:
    """A card with a share, which a visitor has opened."""
    face = {"versions": {"default": {"name": MARKERS["card"], "phone": MARKERS["number"]}}}
    key = str(anna.send("POST", "/v1/cards", face, key="card").body["card"])
    anna.send("POST", f"/v1/cards/{key}/shares", {}, key="share")
    return key


def an_order(shop: Shop, anna: Customer, *, key: str = "o1", units: int = 2) -> str:
    """A paid order to the receiver of the markers."""
    receiver = {
        "name": MARKERS["receiver"], "phone": MARKERS["receiver's number"], "address": MARKERS["address"],
    }  # fmt: skip
    lines = [{"sku": "85123A", "units": units}, {"sku": "84406B", "units": 1}]
    quote = shop.buyer.send("POST", "/v1/quotes", {"lines": lines}, member=anna.id).body["quote"]
    body = {"quote": quote, "receiver": receiver}
    order_id = str(shop.buyer.send("POST", "/v1/orders", body, member=anna.id, key=key).body["order_id"])
    assert shop.buyer.pay(order_id, payer="payer-q7z", device="device-q7z").status == 200
    shop.trade.settle_down()
    return order_id


def received(shop: Shop, anna: Customer, order_id: str) -> None:
    """Sent by both suppliers, and received."""
    for source in (LIGHTS, HANGERS):
        secret = shop.supplier.register(source)
        body = {"type": "shipment.created", "order_id": order_id, "carrier": "SF", "tracking_no": f"SF{source[-3:]}"}
        assert shop.supplier.report(secret, body, source=source, message_id=f"m-{order_id[-8:]}").status == 200
    assert anna.send("POST", f"/v1/orders/{order_id}/receipts").status == 200
    shop.trade.settle_down()


def an_export(shop: Shop, anna: Customer) -> None:
    """An export with its file."""
    asked = anna.send("POST", "/v1/me/exports", key="export")
    assert asked.status == 202
    shop.clock.move(minutes=1)
    message = {"export_id": asked.body["export_id"], "member_id": anna.id}
    failed = on_export.handler(queue_event("exports", message), Context(remaining_ms=900_000))["batchItemFailures"]
    assert failed == []


def exported(cloud: Cloud) -> list[str]:
    """The files of exports."""
    bucket = os.environ["EXPORT_FILES_BUCKET"]
    keys = [each["Key"] for each in cloud.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return [cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys]


def closed(shop: Shop, anna: Customer) -> Reply:
    """Closed, a minute after asking."""
    assert anna.send("PUT", "/v1/me/closing", {}).body["state"] == "waiting"
    shop.clock.move(minutes=1)
    done = anna.send("PUT", "/v1/me/closing", {})
    assert done.body["state"] == "closed", done
    return done


def night(shop: Shop, *, remaining_ms: int = 900_000) -> Any:
    """The nightly erasure, now, in a process of its own, which has read no plan yet."""
    network_wiring.plans.cache_clear()
    rules.cache_clear()
    tick = {"scheduled_at": shop.clock.now().isoformat().replace("+00:00", "Z")}
    return nightly_erasure.handler(tick, Context(remaining_ms=remaining_ms))


def left(cloud: Cloud, now: Any) -> Iterator[tuple[str, str]]:
    """Marker and table of everything that still holds a marker and has not expired."""
    for table, items in cloud.state().items():
        for item in items:
            if int(item.get("expires_at", {"N": str(2**60)})["N"]) <= now.timestamp():
                continue
            text = json.dumps(item, ensure_ascii=False, default=lambda value: bytes(value).decode("utf-8", "replace"))
            yield from ((name, table) for name, marker in MARKERS.items() if marker in text)


def test_nothing_that_names_a_member_is_left_after_the_erasure(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.publish_plan()
    anna = a_marked_customer()
    a_card(anna)
    order_id = an_order(shop, anna)
    back = an_order(shop, anna, key="o2", units=1)
    shop.buyer.refund(back, {"85123A": 1, "84406B": 1}, key="r2", member=anna.id)
    shop.trade.settle_down()
    received(shop, anna, order_id)
    assert anna.send("PUT", "/v1/me/identity", PERSON).status == 200
    account = {"holder": MARKERS["holder"], "number": "1001000000000090", "bank": "示例银行", "branch": MARKERS["bank"]}
    assert anna.send("PUT", "/v1/me/bank-account", account).status == 200
    an_export(shop, anna)
    before = {name for name, _ in left(shop.cloud, shop.clock.now())}
    files = exported(shop.cloud)
    assert any(MARKERS["receiver"] in each for each in files)
    assert before == set(MARKERS), "a marker is stored nowhere: the life is too short"
    closed(shop, anna)
    shop.clock.move(hours=2)
    first = night(shop)
    waiting = {name for name, table in left(shop.cloud, shop.clock.now()) if table in ("orders", "supplier-orders")}
    shop.clock.move(days=40)
    second, third = night(shop), night(shop)
    orders = [orders_wiring.orders().find_order(each) for each in (order_id, back)]

    assert (first["erased"], first["waiting"]) == (0, 1)
    assert waiting == {"receiver", "receiver's number", "address"}
    assert (second["erased"], third["erased"] + third["waiting"]) == (1, 0)
    assert sorted(set(left(shop.cloud, shop.clock.now()))) == []
    assert exported(shop.cloud) == []
    assert [(order.receiver, order.payer, order.device) for order in orders if order] == [(NOBODY, "", "")] * 2
    assert [item for item in shop.cloud.items("compliance") if item["pk"]["S"].startswith("mark#")] == []
    assert audit_now().findings == ()
    logged = capsys.readouterr()
    found = [name for name, marker in MARKERS.items() if marker in logged.out + logged.err]
    assert found == []


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_tick_erases_and_what_is_no_tick_raises(shop: Shop, path: Path) -> None:
    anna = a_marked_customer()
    closed(shop, anna)
    shop.clock.move(hours=20)
    event = json.loads(path.read_text("utf-8"))
    before = shop.cloud.state()
    if path.stem.startswith("bad_"):
        with pytest.raises((ValueError, msgspec.ValidationError)):
            nightly_erasure.handler(event, Context())

        assert shop.cloud.state() == before
    else:
        done = [nightly_erasure.handler(event, Context(remaining_ms=900_000)) for _ in "12"]

        assert [each["erased"] for each in done] == [1, 0]
        assert DynamoMembers().look_up([f"identity#dev#wx1#{MARKERS['openid']}"]).owners == {}


def test_a_verified_name_is_kept_ten_years_if_anything_was_paid_out(shop: Shop) -> None:
    anna = a_marked_customer()
    anna.send("PUT", "/v1/me/identity", PERSON)
    BalanceItem(anna.id, paid=100).save()
    answer = closed(shop, anna)
    closed_at = shop.clock.now()
    shop.clock.move(hours=2)
    first = night(shop)
    kept = members_of([anna.id])[anna.id].person
    item = ErasureItem.find(f"erasing#{anna.id}")
    shop.clock.set(closed_at + TEN_YEARS - timedelta(seconds=1))
    early = night(shop)
    shop.clock.move(seconds=1)
    last = night(shop)

    assert {each["kind"]: each["until"] for each in answer.body["kept"]}["identity"] == "2036-12-08"
    assert (first["waiting"], early["waiting"] + early["erased"], last["erased"]) == (1, 0, 1)
    assert kept is not None
    assert kept.name == PERSON["name"]
    assert item is not None
    assert (item.next_at, item.day_key) == (closed_at + TEN_YEARS, "erasing.2036")
    assert sorted(set(left(shop.cloud, shop.clock.now()))) == []


def test_an_erasure_that_was_due_in_the_old_year_is_found_in_the_new_one(shop: Shop) -> None:
    anna = a_marked_customer()
    anna.send("PUT", "/v1/me/identity", PERSON)
    BalanceItem(anna.id, paid=100).save()
    closed(shop, anna)
    shop.clock.move(hours=2)
    night(shop)
    shop.clock.set(datetime(2037, 1, 2, tzinfo=UTC))

    assert night(shop)["erased"] == 1
    assert members_of([anna.id])[anna.id].person is None


def test_an_answer_to_a_closing_says_what_stays_until_when_and_why(shop: Shop) -> None:
    anna = a_marked_customer()
    before = anna.send("GET", "/v1/me/closing").body["kept"]
    kept = {each["kind"]: each for each in closed(shop, anna).body["kept"]}

    assert [each["kind"] for each in before] == list(kept)
    assert kept.keys().isdisjoint({"identity", "payouts", "account", "bank_accounts"})
    assert (kept["consents"]["until"], kept["consents"]["clause"]) == ("2029-12-03", "《民法典》第一百八十八条")
    assert kept["books"]["until"] is None


def test_siblings_of_an_erased_account_are_siblings_of_each_other_and_stay_the_same_person(shop: Shop) -> None:
    anna, again, third = Customer("anna"), Customer("again"), Customer("third")
    for each in (anna, again, third):
        assert each.send("PUT", "/v1/me/identity", PERSON).status == 200
    person = members_of([anna.id])[anna.id].person
    assert person is not None
    closed(shop, anna)
    shop.clock.move(hours=2)
    night(shop)
    found = members_of([anna.id, again.id, third.id])
    others = PersonItem.find(f"person#{person.id}")

    assert others is not None
    assert sorted(others.members) == sorted([again.id, third.id])
    assert found[anna.id].person is None
    assert found[anna.id].siblings == ()
    assert found[again.id].siblings == (third.id,)
    assert found[again.id].former == found[third.id].former == (anna.id,)
    assert found[again.id].same_person == tuple(sorted([anna.id, third.id]))


def test_a_person_who_stays_alone_is_forgotten_with_the_account(shop: Shop) -> None:
    anna = Customer("anna")
    anna.send("PUT", "/v1/me/identity", PERSON)
    closed(shop, anna)
    shop.clock.move(hours=2)
    night(shop)

    assert [item["pk"]["S"] for item in shop.cloud.items("members") if item["pk"]["S"].startswith("person#")] == []


def test_a_mark_is_kept_while_one_order_with_it_can_still_be_checked(shop: Shop) -> None:
    shop.publish_plan()
    anna = a_marked_customer()
    first = an_order(shop, anna, key="o1")
    received(shop, anna, first)
    shop.clock.move(days=12)
    second = an_order(shop, anna, key="o2")
    received(shop, anna, second)
    closed(shop, anna)
    shop.clock.move(hours=2)
    night(shop)
    orders = {each: orders_wiring.orders().find_order(each) for each in (first, second)}
    shop.clock.move(days=7)
    night(shop)
    early = compliance_wiring.purchase_log().buyers_with_mark(orders[second].payer)  # type: ignore[union-attr]
    half = orders_wiring.orders().find_order(first)
    shop.clock.move(days=30)
    night(shop)

    assert half is not None
    assert half.receiver == NOBODY
    assert list(early) == [anna.id]
    assert compliance_wiring.purchase_log().buyers_with_mark(orders[second].payer) == {}  # type: ignore[union-attr]


def test_an_erasure_goes_on_the_day_after_its_next_order_has_settled(shop: Shop) -> None:
    shop.publish_plan()
    anna = a_marked_customer()
    first = an_order(shop, anna, key="o1")
    received(shop, anna, first)
    shop.clock.move(days=2)
    second = an_order(shop, anna, key="o2")
    received(shop, anna, second)
    orders = {each: orders_wiring.orders().find_order(each) for each in (first, second)}
    ends = {each: order_settles_at(order, ()) for each, order in orders.items() if order}
    closed(shop, anna)
    shop.clock.move(hours=2)
    night(shop)
    item = ErasureItem.find(f"erasing#{anna.id}")
    shop.clock.set(ends[first] + timedelta(days=1, seconds=-1))
    early = night(shop)
    shop.clock.move(seconds=1)
    due = night(shop)
    left_over = {each: orders_wiring.orders().find_order(each) for each in (first, second)}
    after = ErasureItem.find(f"erasing#{anna.id}")

    assert item is not None
    assert after is not None
    assert item.next_at == ends[first] + timedelta(days=1)
    assert after.next_at == ends[second] + timedelta(days=1)
    assert (early["waiting"], due["waiting"]) == (0, 1)
    assert [order.receiver == NOBODY for order in left_over.values() if order] == [True, False]


def order_settles_at(order: Any, refunds: Any) -> Any:
    """When an order settles, by the plan's own rules."""
    found = rules().settles_at(order, refunds)
    assert found is not None
    return found


def test_what_a_killed_closing_left_goes_too(shop: Shop) -> None:
    """Sessions, cards and recommendations that were stored after the closing looked for them."""
    anna = Customer("anna")
    closed(shop, anna)
    at = shop.clock.now()
    SessionItem(anna.id, "ses_1", account="a", made_at=at, used_at=at, expires_at=at + THREE_YEARS, number=1).save()
    DynamoRows().write_rows([Row(f"member#{anna.id}", at, ())])
    DynamoCards().add_card(Card("card00000001", anna.id, {"default": Face("安")}, 1, at, at), RequestKey("req_1", "1"))
    DynamoCards().add_share(Share("share00001", "card00000001", anna.id, "default", "", at), RequestKey("req_2", "2"))
    shop.clock.move(hours=2)
    night(shop)

    assert [item for item in shop.cloud.items("sessions") if item["sk"]["S"].startswith("ses_")] == []
    assert shop.cloud.items("recommendations") == []
    assert shop.cloud.items("cards") == []


def test_records_of_consents_stay_three_years_after_the_closing_and_no_longer(shop: Shop) -> None:
    anna = Customer("anna")
    closed(shop, anna)
    closed_at = shop.clock.now()
    shop.clock.move(hours=2)
    night(shop)
    items = [item for item in shop.cloud.items("members") if item["pk"]["S"].startswith(f"consent#{anna.id}")]

    assert len(items) > 1
    assert {int(item["expires_at"]["N"]) for item in items} == {int((closed_at + THREE_YEARS).timestamp())}
    assert members_of([anna.id])[anna.id].consents == {}


def test_an_erasure_for_which_there_is_no_time_is_late_after_three_days(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(shop, Customer("anna"))
    counted: dict[str, int] = {}
    monkeypatch.setattr(nightly_erasure, "count", counted.__setitem__)
    shop.clock.move(hours=1, days=3)
    night(shop, remaining_ms=0)
    in_time = dict(counted)
    shop.clock.move(seconds=1)
    night(shop, remaining_ms=0)

    assert (in_time, counted) == ({"ErasuresLate": 0}, {"ErasuresLate": 1})


def test_a_number_that_another_member_has_by_now_stays_that_member_s(shop: Shop) -> None:
    anna = a_marked_customer()
    closed(shop, anna)
    bert = Customer("bert", phone_code=f"dev:{MARKERS['number']}")
    DynamoErasures().forget_pointer(f"phone#{MARKERS['number']}", anna.id, "former#phone.x", shop.clock.now())

    assert bert.send("GET", "/v1/me").body["phone"] == "+86139****0001"
    assert DynamoMembers().look_up([f"phone#{MARKERS['number']}"]).owners == {f"phone#{MARKERS['number']}": bert.id}


def test_an_account_that_cannot_be_erased_stops_no_other_and_is_late_after_three_days(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert = Customer("anna"), Customer("bert")
    for each in (anna, bert):
        closed(shop, each)
    shop.cloud.dynamodb.put_item(TableName="members", Item={"pk": {"S": "new-kind#1"}, "member_id": {"S": anna.id}})
    counted: dict[str, int] = {}
    monkeypatch.setattr(nightly_erasure, "count", counted.__setitem__)
    shop.clock.move(hours=2)
    with pytest.raises(nightly_erasure.NotErasedError, match=anna.id):
        night(shop)
    soon, left_over = dict(counted), {item.member_id for item in ErasureItem.scan(ErasureItem.closed_at.exists())}
    shop.clock.move(days=3)
    with pytest.raises(nightly_erasure.NotErasedError):
        night(shop)

    assert left_over == {anna.id}
    assert (soon, counted) == ({"ErasuresLate": 0}, {"ErasuresLate": 1})


def test_a_night_without_time_leaves_the_rest_to_the_next(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    closed(shop, Customer("anna"))
    shop.clock.move(hours=2)
    short, full = night(shop, remaining_ms=59_999), night(shop, remaining_ms=60_000)

    assert (short["erased"], short["finished"], full["erased"], full["finished"]) == (0, False, 1, True)


def test_an_erasure_begins_an_hour_after_the_closing(shop: Shop) -> None:
    closed(shop, Customer("anna"))
    shop.clock.move(minutes=59)
    early = night(shop)
    shop.clock.move(minutes=1)

    assert (early["erased"], night(shop)["erased"]) == (0, 1)


def picture(cloud: Cloud) -> Any:
    """Everything stored, but until when tokens of v0.2.0 are refused."""
    return {
        table: [item for item in items if item.get("sk") != {"S": "refused"}] for table, items in cloud.state().items()
    }


def a_life(shop: Shop) -> Callable[[], Any]:
    """The night after a closing with all that can be erased in it."""
    shop.publish_plan()
    anna, again = a_marked_customer(), Customer("again")
    a_card(anna)
    an_export(shop, anna)
    back = an_order(shop, anna, units=1)
    shop.buyer.refund(back, {"85123A": 1, "84406B": 1}, key="r2", member=anna.id)
    shop.trade.settle_down()
    for each in (anna, again):
        each.send("PUT", "/v1/me/identity", PERSON)
    account = {"holder": MARKERS["holder"], "number": "1001000000000090", "bank": "示例银行", "branch": MARKERS["bank"]}
    anna.send("PUT", "/v1/me/bank-account", account)
    closed(shop, anna)
    shop.clock.move(days=8)
    return lambda: night(shop)


@pytest.mark.parametrize("mode", faults.MODES)
def test_a_disturbed_night_and_the_next_end_where_one_undisturbed_night_does(shop: Shop, mode: faults.Mode) -> None:
    step = a_life(shop)
    start = shop.cloud.snapshot()
    with faults.watch() as calls:
        step()
    expected = picture(shop.cloud)

    assert len(calls) > 20
    assert set(left(shop.cloud, shop.clock.now())) == {
        ("holder", "members"),
        ("masked number", "members"),
    }  # a sibling's
    for index, call in enumerate(calls):
        if mode == "conflict" and not call.endswith("TransactWriteItems"):
            continue  # nothing else meets one
        start.restore()
        with (
            faults.at(index, mode),
            contextlib.suppress(nightly_erasure.NotErasedError, CardstockError, PynamoDBException),
        ):
            faults.survive(step)
        shop.clock.move(days=1)
        step()
        shop.clock.move(days=-1)

        assert picture(shop.cloud) == expected, f"{mode} at call {index} ({call})"


def registered_again(shop: Shop, anna: Customer, **more: Any) -> Customer:
    """Closed, erased, and back with the same account."""
    closed(shop, anna)
    shop.clock.move(hours=2)
    night(shop)
    return Customer(MARKERS["openid"], union=MARKERS["union id"], **more)


def test_the_same_account_registers_again_as_a_new_member_who_is_the_same_person(shop: Shop) -> None:
    anna = a_marked_customer()
    again = registered_again(shop, anna)
    found = members_of([anna.id, again.id])
    positions = network_wiring.network().read_positions([anna.id, again.id]).positions

    assert again.login.body["is_new"] is True
    assert again.id != anna.id
    assert (found[again.id].former, found[again.id].same_person) == ((anna.id,), (anna.id,))
    assert positions[again.id].same_person == (anna.id,)
    assert positions[anna.id].same_person == (again.id,)


@pytest.mark.parametrize("how", [
    {"openid": "elsewhere", "union": MARKERS["union id"]},
    {"openid": "another", "phone_code": f"dev:{MARKERS['number']}"},
    {"openid": MARKERS["elsewhere"], "app": "wx2"},
])  # fmt: skip
def test_a_union_id_a_number_and_a_further_account_are_recognised_too(shop: Shop, how: dict[str, Any]) -> None:
    anna = a_marked_customer()
    closed(shop, anna)
    shop.clock.move(hours=2)
    night(shop)
    back = Customer(**how)

    assert members_of([back.id])[back.id].same_person == (anna.id,)


def test_a_number_is_recognised_before_the_erasure_too(shop: Shop) -> None:
    anna = a_marked_customer()
    closed(shop, anna)
    back = Customer("another", phone_code=f"dev:{MARKERS['number']}")

    assert members_of([back.id])[back.id].former == (anna.id,)


def test_a_number_that_another_member_has_by_now_says_nothing_of_the_next_one(shop: Shop) -> None:
    anna = a_marked_customer()
    closed(shop, anna)
    bert = Customer("bert", phone_code=f"dev:{MARKERS['number']}")
    bert.send("PUT", "/v1/me/identity", PERSON)
    carl = Customer("carl", phone_code=f"dev:{MARKERS['number']}")

    assert carl.id not in (anna.id, bert.id)
    assert members_of([carl.id])[carl.id].former == ()


def test_nobody_is_recognised_after_three_years(shop: Shop) -> None:
    anna = a_marked_customer()
    closed(shop, anna)
    closed_at = shop.clock.now()
    shop.clock.move(hours=2)
    night(shop)
    shop.clock.set(closed_at + THREE_YEARS)
    back = Customer(MARKERS["openid"], union=MARKERS["union id"], phone_code=f"dev:{MARKERS['number']}")

    assert members_of([back.id])[back.id].former == ()


def test_who_comes_back_is_brought_by_nobody_and_qualifies_nobody(shop: Shop) -> None:
    shop.publish_plan()
    guide, rival = Customer("guide"), Customer("rival")
    shop.trade.appoint(guide.id)
    anna = Customer(MARKERS["openid"], union=MARKERS["union id"], invite=guide.id)
    order_id = an_order(shop, anna)
    received(shop, anna, order_id)
    before = network_wiring.network().read_positions([guide.id]).positions[guide.id]
    again = registered_again(shop, anna, invite=rival.id)
    late = again.send("POST", "/v1/me/inviter", {"inviter": rival.id})
    known = Customer(MARKERS["openid"], union=MARKERS["union id"], invite=rival.id)
    an_order(shop, again, key="o9")
    positions = network_wiring.network().read_positions([guide.id, rival.id, again.id]).positions

    assert again.login.body["bound_inviter"] is None
    assert (late.status, late.body["code"]) == (422, "INVITER_TOO_LATE")
    assert (known.id, known.login.body["bound_inviter"]) == (again.id, None)
    assert before.counted == positions[guide.id].counted == 1
    assert rival.id not in positions or positions[rival.id].counted == 0
    assert positions[again.id].referrer is None


def test_an_unknown_invite_keeps_nobody_out_who_comes_back(shop: Shop) -> None:
    anna = a_marked_customer()
    again = registered_again(shop, anna, invite="mem_" + "0" * 26)

    assert again.login.status == 200


def test_a_known_member_who_adds_a_closed_account_is_the_same_person(shop: Shop) -> None:
    anna, bert = a_marked_customer(), Customer("bert", union="bert")
    closed(shop, anna)
    shop.clock.move(hours=2)
    night(shop)
    added = Customer(MARKERS["elsewhere"], union="bert", app="wx2")

    assert added.id == bert.id
    assert members_of([bert.id])[bert.id].former == members_of([bert.id])[bert.id].same_person == (anna.id,)


def test_a_person_closes_an_account_again_and_again_and_stays_one(shop: Shop) -> None:
    anna = a_marked_customer()
    first = registered_again(shop, anna)
    second = registered_again(shop, first)
    found = members_of([second.id])[second.id]

    assert found.former == (first.id,)
    assert found.same_person == tuple(sorted([anna.id, first.id]))


@pytest.mark.parametrize("mode", faults.MODES)
def test_a_disturbed_return_and_its_repeat_are_one_member_who_is_the_same_person(shop: Shop, mode: faults.Mode) -> None:
    anna = a_marked_customer()
    closed(shop, anna)
    shop.clock.move(hours=2)
    night(shop)
    start = shop.cloud.snapshot()

    def come_back() -> Customer:
        return Customer(MARKERS["openid"], union=MARKERS["union id"])

    with faults.watch() as calls:
        come_back()
    for index, call in faults.hit_each(calls, mode, start.restore, come_back):
        again = come_back()
        ids = {item["pk"]["S"] for item in shop.cloud.items("members") if item["pk"]["S"].startswith("mem_")}

        assert ids == {anna.id, again.id}, f"{mode} at call {index} ({call})"
        assert members_of([again.id])[again.id].same_person == (anna.id,), f"{mode} at call {index} ({call})"


def test_a_log_in_of_somebody_who_never_closed_an_account_takes_the_calls_it_took(shop: Shop) -> None:
    with faults.watch() as calls:
        Customer("anna", union="u", phone_code="dev:+8613800138000")

    assert len([call for call in calls if call.startswith("dynamodb.")]) <= 3
