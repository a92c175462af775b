"""The cards function and the one that counts views, from their events to the table and back."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities import parameters

from cardstock.attribution import open_attribution
from cardstock.edge import wiring
from cardstock.ids import new_id
from cardstock.members.model import Account, Member
from cardstock.members.store import DynamoMembers
from cardstock.orders.tokens import attribution_of
from cardstock.signing import ACCESS
from functions.cards.api.app import handler
from functions.cards.on_view.app import handler as count_views
from functions.members.api.app import handler as members
from tests.house import faults
from tests.house.cloud import ROOT_KEY, Cloud, Context, http_event, queue_event
from tests.people.arrivals import register
from tests.people.clock import TestClock
from tests.people.consents import login_body

START = datetime(2026, 12, 1, 9, tzinfo=UTC)
QUEUE = "https://sqs.ap-east-1.amazonaws.com/123456789012/card-views"
FACE = {
    "name": "林晓雨",
    "title": "高级导购",
    "company": "山野露营",
    "intro": "十二年经验，\n帮你安排第一次露营。",
    "phone": "+86 138 0013 8000",
    "email": "lin@example.com",
    "wechat": "linxiaoyu_camp",
    "address": "杭州市上城区湖滨路 18 号",
    "website": "https://example.com/lin",
    "tags": ["露营", "亲子"],
    "shelf": ["22423", "85123A"],
}


@pytest.fixture(autouse=True)
def nine_o_clock(clock: TestClock) -> None:
    clock.move(hours=1)


def raw(method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
    return handler(http_event(method, path, body, **options), Context())


def call(method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    answer = raw(method, path, body, **options)
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


def token_of(member_id: str) -> str:
    return wiring.signer().sign(ACCESS, {"sub": member_id}, lifetime=timedelta(days=1))


OWNER = new_id("mem", START)
VISITOR = new_id("mem", START)


def a_card(key: str = "k1", **versions: Any) -> str:
    body = {"versions": {"default": FACE, **versions}}
    status, card = call("POST", "/v1/cards", body, token=token_of(OWNER), key=key)
    assert status == 201, card
    return str(card["card"])


def a_ticket(key: str) -> str:
    return str(call("GET", f"/v1/cards/{key}")[1]["view_ticket"])


def count_all(cloud: Cloud) -> dict[str, Any]:
    return count_views(queue_event("card-views", *cloud.messages(QUEUE)), Context())


def visitors(card: str) -> Any:
    return call("GET", f"/v1/cards/{card}/visitors", token=token_of(OWNER))[1]


def test_a_card_is_made_once_and_shown_as_it_was_written(cloud: Cloud) -> None:
    card = a_card()
    repeat = raw("POST", "/v1/cards", {"versions": {"default": FACE}}, token=token_of(OWNER), key="k1")
    other, problem = call(
        "POST", "/v1/cards", {"versions": {"default": {"name": "x"}}}, token=token_of(OWNER), key="k1"
    )
    status, shown = call("GET", f"/v1/cards/{card}")

    assert len(card) == 12
    assert json.loads(repeat["body"])["card"] == card
    assert repeat["headers"]["Idempotent-Replayed"] == "true"
    assert (other, problem["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert (status, shown["version"], shown["owner"], shown["share"]) == (200, FACE, OWNER, None)


@pytest.mark.parametrize(
    "versions",
    [
        {},
        {"vip": {"name": "x"}},
        {"default": {"name": ""}},
        {"default": {"name": "  "}},
        {"default": {"name": "x", "website": "http://example.com"}},
        {"default": {"name": "x", "website": 'https://example.com/"><script>'}},
        {"default": {"name": "x", "email": "x@"}},
        {"default": {"name": "x", "phone": "call me"}},
        {"default": {"name": "x", "tags": ["t"] * 9}},
        {"default": {"name": "x", "colour": "red"}},
        {"default": {"name": "x"}, "VIP!": {"name": "x"}},
        {f"a{number}": {"name": "x"} for number in range(6)},
        {"default": {"name": "x\x00y"}},
    ],
)
def test_a_card_that_says_something_wrong_is_refused(cloud: Cloud, versions: dict[str, Any]) -> None:
    status, problem = call("POST", "/v1/cards", {"versions": versions}, token=token_of(OWNER), key="k1")

    assert (status, problem["code"]) == (400, "BODY_INVALID")
    assert cloud.items("cards") == []


def test_an_unchanged_card_is_not_sent_again_but_its_ticket_is_fresh(cloud: Cloud) -> None:
    card = a_card()
    first = raw("GET", f"/v1/cards/{card}")
    tag = {"If-None-Match": f'"another", {first["headers"]["ETag"].removeprefix("W/")}'}
    same = raw("GET", f"/v1/cards/{card}", headers=tag)
    call("PUT", f"/v1/cards/{card}", {"versions": {"default": {"name": "Lin"}}}, token=token_of(OWNER))
    changed = raw("GET", f"/v1/cards/{card}", headers=tag)
    viewed, _ = call("POST", "/v1/card-views", {"ticket": same["headers"]["View-Ticket"]})

    assert (same["statusCode"], same["body"]) == (304, "")
    assert same["headers"]["View-Ticket"] != first["headers"]["View-Ticket"]
    assert changed["statusCode"] == 200
    assert viewed == 202


def test_a_share_key_chooses_the_audience_until_that_version_is_gone(cloud: Cloud) -> None:
    card = a_card(vip={"name": "Lin for VIPs"})
    path, token = f"/v1/cards/{card}/shares", token_of(OWNER)
    status, share = call("POST", path, {"audience": "vip", "label": "门店海报"}, token=token, key="s1")
    again = raw("POST", path, {"audience": "vip", "label": "门店海报"}, token=token, key="s1")
    _, for_vip = call("GET", f"/v1/cards/{share['share']}")
    call("PUT", f"/v1/cards/{card}", {"versions": {"default": FACE}}, token=token)
    _, later = call("GET", f"/v1/cards/{share['share']}")

    assert (status, len(share["share"]), share["path"]) == (201, 10, f"/c/{share['share']}")
    assert json.loads(again["body"]) == share
    assert (for_vip["version"]["name"], for_vip["share"], for_vip["card"]) == ("Lin for VIPs", share["share"], card)
    assert later["version"]["name"] == "林晓雨"


def test_only_the_owner_changes_shares_and_watches_a_card(cloud: Cloud) -> None:
    card, other = a_card(), token_of(VISITOR)
    face = {"versions": {"default": FACE}}
    answers = [
        call("PUT", f"/v1/cards/{card}", face, token=other)[0],
        call("POST", f"/v1/cards/{card}/shares", {}, token=other, key="s1")[0],
        call("GET", f"/v1/cards/{card}/visitors", token=other)[0],
        call("PUT", "/v1/cards/k7m2p9xw4tab", face, token=other)[0],
    ]
    unnamed = call("PUT", f"/v1/cards/{card}", face)[0]
    audience, problem = call("POST", f"/v1/cards/{card}/shares", {"audience": "vip"}, token=token_of(OWNER), key="s")

    assert answers == [404, 404, 404, 404]
    assert unnamed == 401
    assert (audience, problem["code"]) == (400, "AUDIENCE_UNKNOWN")


def test_a_change_against_an_older_revision_is_refused(cloud: Cloud) -> None:
    card, token = a_card(), token_of(OWNER)
    mine = {"versions": {"default": {"name": "Mine"}}, "revision": 1}
    theirs = {"versions": {"default": {"name": "Theirs"}}, "revision": 1}
    first, changed = call("PUT", f"/v1/cards/{card}", mine, token=token)
    again, same = call("PUT", f"/v1/cards/{card}", mine, token=token)
    second, problem = call("PUT", f"/v1/cards/{card}", theirs, token=token)

    assert (first, changed["revision"]) == (200, 2)
    assert (again, same) == (200, changed)
    assert (second, problem["code"]) == (409, "CARD_CHANGED")


def test_own_cards_come_in_pages_that_nobody_else_can_turn(cloud: Cloud) -> None:
    made = {a_card(f"k{number}") for number in range(5)}
    token, seen, cursor = token_of(OWNER), [], None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        _, page = call("GET", "/v1/me/cards", token=token, query=query)
        seen += [item["card"] for item in page["items"]]
        first_cursor = cursor or page["next_cursor"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    stolen, problem = call("GET", "/v1/me/cards", token=token_of(VISITOR), query={"cursor": first_cursor})
    made_up, _ = call("GET", "/v1/me/cards", token=token, query={"cursor": "x"})
    too_many, _ = call("GET", "/v1/me/cards", token=token, query={"limit": "101"})
    _, none = call("GET", "/v1/me/cards", token=token_of(VISITOR))

    assert (len(seen), set(seen)) == (5, made)
    assert (stolen, problem["code"]) == (400, "CURSOR_INVALID")
    assert (made_up, too_many) == (400, 400)
    assert none == {"items": [], "next_cursor": None}


def test_a_view_earns_an_attribution_and_is_counted_once_however_often_it_is_reported(cloud: Cloud) -> None:
    card = a_card()
    _, share = call("POST", f"/v1/cards/{card}/shares", {}, token=token_of(OWNER), key="s1")
    ticket = a_ticket(share["share"])
    account = Account("dev", "wx1", "visitor")
    register(DynamoMembers(), Member(VISITOR, account.name, START), account)
    status, taken = call("POST", "/v1/card-views", {"ticket": ticket, "scene": "group"}, token=token_of(VISITOR))
    call("POST", "/v1/card-views", {"ticket": ticket, "scene": "group", "seconds": 30}, token=token_of(VISITOR))
    messages = cloud.messages(QUEUE)
    event = queue_event("card-views", *messages, *messages)
    answers = [count_views(event, Context()), count_views(event, Context())]
    viewed = open_attribution(wiring.signer(), taken["attribution"])
    quoted = attribution_of(wiring.signer(), taken["attribution"])
    radar = visitors(card)

    assert status == 202
    assert (viewed.card, viewed.share, viewed.guide) == (card, share["share"], OWNER)
    assert quoted == viewed
    assert answers == [{"batchItemFailures": []}] * 2
    assert (radar["views"], radar["by_members"], radar["seconds"]) == (1, 1, 30)
    assert radar["scenes"] == {"group": 1}
    assert radar["visitors"] == [
        {
            "member_id": VISITOR,
            "nickname": None,
            "views": 1,
            "seconds": 30,
            "last_at": "2026-12-01T09:00:00.000Z",
            "heat": 15,
            "hot": False,
        }
    ]


def test_visitors_are_called_by_their_nicknames(cloud: Cloud) -> None:
    card = a_card()
    session = json.loads(members(http_event("POST", "/v1/auth/sessions", login_body("anna")), Context())["body"])
    members(http_event("PUT", "/v1/me", {"nickname": "安娜"}, token=session["access_token"]), Context())
    call("POST", "/v1/card-views", {"ticket": a_ticket(card)}, token=session["access_token"])
    count_all(cloud)

    assert visitors(card)["visitors"][0]["nickname"] == "安娜"


def test_the_owners_own_looks_and_strangers_are_no_visitors(cloud: Cloud) -> None:
    card = a_card()
    own, _ = call("POST", "/v1/card-views", {"ticket": a_ticket(card)}, token=token_of(OWNER))
    by_key, _ = call("POST", "/v1/card-views", {"ticket": a_ticket(card)}, token=ROOT_KEY)
    call("POST", "/v1/card-views", {"ticket": a_ticket(card)})
    count_all(cloud)
    radar = visitors(card)

    assert (own, by_key) == (202, 202)
    assert (radar["views"], radar["by_members"], radar["visitors"]) == (2, 0, [])


def test_a_card_nobody_looked_at_has_an_empty_radar(cloud: Cloud) -> None:
    assert visitors(a_card()) == {
        "views": 0,
        "by_members": 0,
        "seconds": 0,
        "last_at": None,
        "scenes": {},
        "visitors": [],
    }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"ticket": "forged"}, 400, "TICKET_INVALID"),
        ({}, 400, "BODY_INVALID"),
        ({"ticket": "t", "seconds": -1}, 400, "BODY_INVALID"),
        ({"ticket": "t", "seconds": 1.5}, 400, "BODY_INVALID"),
        ({"ticket": "t", "scene": "Ä"}, 400, "BODY_INVALID"),
    ],
)
def test_a_view_without_a_genuine_ticket_is_refused(cloud: Cloud, body: Any, status: int, code: str) -> None:
    got, problem = call("POST", "/v1/card-views", body)

    assert (got, problem["code"]) == (status, code)
    assert cloud.messages(QUEUE) == []


def test_a_made_up_key_reports_no_view(cloud: Cloud) -> None:
    status, problem = call("POST", "/v1/card-views", {"ticket": a_ticket(a_card())}, token="csk_made_up")

    assert (status, problem["code"]) == (401, "KEY_INVALID")


def test_a_cold_function_fetches_its_secrets_itself(cloud: Cloud) -> None:
    parameters.clear_caches()  # type: ignore[no-untyped-call]  # Powertools leaves it so
    made_up, problem = call("POST", "/v1/card-views", {"ticket": "bm90.genuine"})
    parameters.clear_caches()  # type: ignore[no-untyped-call]  # Powertools leaves it so
    by_root, refusal = call("GET", "/v1/me/cards", token=ROOT_KEY)

    assert (made_up, problem["code"]) == (400, "TICKET_INVALID")
    assert (by_root, refusal["code"]) == (403, "NOT_A_MEMBER")


def test_tickets_expire_and_other_tokens_are_no_tickets(cloud: Cloud, clock: TestClock) -> None:
    card = a_card()
    ticket = a_ticket(card)
    access, problem = call("POST", "/v1/card-views", {"ticket": token_of(OWNER)})
    clock.move(hours=2)
    late, late_problem = call("POST", "/v1/card-views", {"ticket": ticket})

    assert (access, problem["code"]) == (400, "TICKET_INVALID")
    assert (late, late_problem["code"]) == (400, "TICKET_EXPIRED")


def message(**change: Any) -> dict[str, Any]:
    return {
        "view": "k7m2p9xw4t",
        "card": "k7m2p9xw4tab",
        "share": "",
        "visitor": "",
        "scene": "",
        "seconds": None,
        "at": 1_796_115_600_000,
        **change,
    }


@pytest.mark.parametrize(
    "poison",
    [
        "not json",
        "[]",
        "\ud800",
        message(card="../x"),
        message(visitor="mem_x"),
        message(seconds=-1),
        message(seconds=True),
        message(at=10**30),
        message(more=1),
        {"view": "k7m2p9xw4t"},
    ],
)
def test_a_poison_message_fails_alone(cloud: Cloud, poison: Any) -> None:
    card = a_card()
    if poison == "\ud800":
        poison = '{"view": "\\ud800"}'
    event = queue_event("card-views", message(card=card), poison, message(card=card, view="k7m2p9xw4u"))
    answer = count_views(event, Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert visitors(card)["views"] == 2


def test_a_view_from_the_future_happened_now(cloud: Cloud) -> None:
    card = a_card()
    count_views(queue_event("card-views", message(card=card, at=4_102_444_800_000)), Context())

    assert visitors(card)["last_at"] == "2026-12-01T09:00:00.000Z"


def test_documents_of_a_card_are_a_page_a_vcard_and_a_qr_code(cloud: Cloud) -> None:
    card = a_card()
    page = raw("GET", f"/c/{card}", headers={"Accept-Language": "en-GB,en"})
    vcf = raw("GET", f"/v1/cards/{card}/vcf")
    code = raw("GET", f"/v1/cards/{card}/qr")

    assert page["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert "Save to contacts" in page["body"]
    assert vcf["headers"]["Content-Type"] == "text/vcard; charset=utf-8"
    assert f"SOURCE:https://api.example.com/c/{card}\r\n" in vcf["body"]
    assert vcf["headers"]["Content-Disposition"] == (
        f"attachment; filename=\"{card}.vcf\"; filename*=UTF-8''%E6%9E%97%E6%99%93%E9%9B%A8.vcf"
    )
    assert code["headers"]["Content-Type"] == "image/svg+xml"
    assert code["body"].startswith("<svg")


def test_the_ticket_in_the_page_reports_its_view(cloud: Cloud) -> None:
    card = a_card()
    ticket = raw("GET", f"/c/{card}")["body"].partition('data-ticket="')[2].partition('"')[0]
    status, _ = call("POST", "/v1/card-views", {"ticket": ticket, "scene": "h5"})

    assert status == 202


def test_a_key_that_leads_nowhere_is_a_page_for_people_and_a_problem_for_programs(cloud: Cloud) -> None:
    page = raw("GET", "/c/k7m2p9xw4t")
    keys = ("k7m2p9xw4t", "k7m2p9xw4tab", "x")
    problems = [call("GET", f"/v1/cards/{key}{what}")[0] for key in keys for what in ("", "/vcf", "/qr")]

    assert (page["statusCode"], "名片不存在" in page["body"]) == (404, True)
    assert problems == [404] * 9


@pytest.mark.parametrize("key", ["x", "K7M2P9XW4T", "k" * 3000, "名" * 12, "k7m2p9xw4t%0a"])
def test_what_is_no_key_is_not_looked_up(cloud: Cloud, key: str) -> None:
    face = {"versions": {"default": FACE}}
    with faults.watch() as calls:
        answers = [
            call("GET", f"/v1/cards/{key}")[0],
            raw("GET", f"/c/{key}")["statusCode"],
            call("PUT", f"/v1/cards/{key}", face, token=token_of(OWNER))[0],
        ]

    assert answers == [404, 404, 404]
    assert [name for name in calls if name.startswith("dynamodb")] == []


def test_a_host_that_is_none_gets_no_qr_code(cloud: Cloud) -> None:
    card = a_card()
    status, problem = call("GET", f"/v1/cards/{card}/qr", headers={"Host": 'x"><script>'})

    assert (status, problem["code"]) == (400, "HEADER_INVALID")
