"""Headquarters lists, reads and finds members, suppliers and products over HTTP."""

import json

import pytest

from cardstock.members.listing import full_number
from cardstock.members.model import Account, Member, Person
from cardstock.members.store import DynamoMembers
from tests.house.cloud import http_event, serve
from tests.people.arrivals import register
from tests.people.clock import START
from tests.people.goods import Goods, old_item, publish_goods
from tests.people.replies import Reply, reply
from tests.people.shop import Shop

ANNA = Member(
    "mem_" + "a" * 26, "wechat:wx1:oAnna-secret", START, nickname="安娜", phone="+8613800138000", scene="1011",
    person=Person("王小明", "1****************X", "00ff$00ff", START.date(), "dev", START), state="verified",
)  # fmt: skip
GONE = Member("mem_" + "g" * 26, "alipay:a1:o2", START, nickname="走了", erased_at=START, state="erased")


def get(shop: Shop, path: str, scope: str, **query: str) -> Reply:
    event = http_event("GET", f"/v1/headquarters/{path}", token=shop.staff.key(scope), query=query or None)
    return reply(serve(event))


@pytest.fixture
def known(shop: Shop) -> Shop:
    for member in (ANNA, GONE):
        platform, app, openid = member.account.split(":")
        register(DynamoMembers(), member, Account(platform, app, openid))
    return shop


def test_members_are_listed_by_day_and_read_by_id(known: Shop) -> None:
    page = get(known, "members", "members:read", day="2026-12-01", limit="1").body
    rest = get(known, "members", "members:read", day="2026-12-01", cursor=page["next_cursor"]).body

    assert [each["member_id"] for each in (*page["items"], *rest["items"])] == [GONE.id, ANNA.id]
    assert get(known, "members", "members:read", day="2026-11-30").body == {"items": [], "next_cursor": None}
    assert get(known, f"members/{ANNA.id}", "members:read").body == rest["items"][0]
    assert get(known, "members/mem_nobody", "members:read").status == 404
    stranger = get(known, "members", "members:read", day="2026-11-30", cursor=page["next_cursor"])
    assert stranger.body["code"] == "CURSOR_INVALID"


def test_what_is_personal_is_masked_or_absent(known: Shop) -> None:
    anna, gone = (get(known, f"members/{one.id}", "members:read").body for one in (ANNA, GONE))
    texts = json.dumps([anna, gone], ensure_ascii=False)

    assert (anna["phone"], anna["name"], anna["platform"]) == ("+86138****8000", "王**", "wechat")
    assert (gone["state"], gone["nickname"], gone["phone"], gone["name"]) == ("erased", "", "", None)
    for secret in ("oAnna-secret", "wx1", "13800138000", "小明", "****X", "00ff", "走了"):
        assert secret not in texts


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13800138000", "+8613800138000"),
        ("138 0013-8000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("0086 13800138000", "+8613800138000"),
        ("8613800138000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("+442079460000", "+442079460000"),
        ("138001380", None),
        ("13800138000转802", None),
        ("phone#+8613800138000", None),
        ("*", None),
    ],
)
def test_a_number_is_searched_as_it_is_bound(text: str, number: str | None) -> None:
    assert full_number(text) == number


def test_a_member_is_found_by_the_whole_number_and_who_searched_is_logged(
    known: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    found = get(known, "members", "members:read", phone="138 0013 8000").body
    nobody = [get(known, "members", "members:read", phone=text).body for text in ("1380013800", "8000", "138*")]
    logged = [vars(record) for record in caplog.records if record.message == "member searched"]

    assert [each["member_id"] for each in found["items"]] == [ANNA.id]
    assert nobody == [{"items": [], "next_cursor": None}] * 3
    assert [(each["by"][:4], each["key_id"][:4], each["found"]) for each in logged] == [
        ("stf_", "key_", [ANNA.id]), *[("stf_", "key_", [])] * 3
    ]  # fmt: skip


def test_suppliers_are_listed_and_read_without_their_secrets(shop: Shop) -> None:
    for name in ("sup_lights", "sup_hangers"):
        shop.supplier.register(name)
    page = get(shop, "suppliers", "suppliers:read", limit="1").body
    rest = get(shop, "suppliers", "suppliers:read", cursor=page["next_cursor"]).body
    one = get(shop, "suppliers/sup_lights", "suppliers:read").body

    assert [each["supplier_id"] for each in (*page["items"], *rest["items"])] == ["sup_hangers", "sup_lights"]
    assert (one, rest["next_cursor"]) == (rest["items"][0], None)
    assert "whsec_" not in json.dumps([page, rest, one])


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ({}, ["bowl", "cup", "lamp"]),
        ({"state": "draft"}, ["bowl"]),
        ({"state": "active"}, ["lamp"]),
        ({"state": "inactive", "supplier_id": "sup_b"}, ["cup"]),
        ({"state": "inactive", "supplier_id": "sup_a"}, []),
        ({"supplier_id": "sup_a"}, ["bowl", "lamp"]),
    ],
)
def test_skus_are_listed_with_drafts_and_those_not_for_sale(query: dict[str, str], skus: list[str], shop: Shop) -> None:
    lamp = Goods("lamp", "LAMP", "sup_a", 900, True, False, True, 10)
    publish_goods([lamp, Goods("cup", "CUP", "sup_b", 100, False, True, False, 5)], START)
    shop.cloud.dynamodb.put_item(TableName="products", Item=old_item("bowl", "BOWL", "sup_a", 0, START))
    for limit in ("1", "100"):
        found, cursor = [], ""
        while cursor is not None:
            more = {"cursor": cursor} if cursor else {}
            page = get(shop, "skus", "catalog:read", limit=limit, **query, **more).body
            found += page["items"]
            cursor = page["next_cursor"]

        assert sorted(each["sku"] for each in found) == skus
    assert {each["price_fen"] for each in found if each["state"] == "draft"} <= {None}


def test_suppliers_keys_cannot_have_the_scopes_that_read_everything(shop: Shop) -> None:
    maker = shop.staff.key("keys:write", "orders:read")
    for scope in ("orders:read", "members:read", "suppliers:read", "catalog:read", "sales:read"):
        body = {"name": "n", "owner": "sup_lights", "scopes": [scope]}
        shop.supplier.register("sup_lights")
        made = reply(serve(http_event("POST", "/v1/partners/keys", body, token=maker, key=scope)))

        assert (made.status, made.body["code"]) == (422, "SCOPE_FOR_STAFF")
