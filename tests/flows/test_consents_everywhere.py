"""Nothing personal is stored or sent without the consent to its purpose: every purpose, and every route that needs it.

Each act of a person with markers goes through the real functions; afterwards every table, queue and outside service of
this deployment is searched for them.
"""

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from cardstock import environment
from cardstock.cards.events import CardViewed
from cardstock.cards.radar import count_views
from cardstock.cards.store import DynamoRadars
from cardstock.errors import CONSENT_MISSING
from cardstock.flows import consenting
from cardstock.flows.consenting_wiring import consent_needs
from cardstock.members import wiring as members_wiring
from cardstock.members.consent_model import PURPOSES, Purpose
from cardstock.members.item_store import MemberItem
from cardstock.members.login_platforms.development import SelfAssertedIdentity
from cardstock.platforms.chat_completions import ChatCompletions
from cardstock.recommendations import wiring as recommendations_wiring
from cardstock.recommendations.learning import learn_from
from cardstock.recommendations.model import Entry, Purchase, Row, member_key
from cardstock.recommendations.model_gateway import BUDGET, record_usage
from cardstock.recommendations.wording import TASK
from functions.cards.on_view import app as on_view
from functions.recommendations.api import app as recommendations_api
from functions.recommendations.nightly_learning import app as learning
from infra.contract.routes import apis
from tests.house.cloud import Context, http_event, queue_event, serve
from tests.house.interleave import every_way
from tests.people.buyers import BUYER
from tests.people.clock import TestClock
from tests.people.consents import login_body, sent
from tests.people.memory_counts import uncounted
from tests.people.memory_recommendations import MemoryPurchases, MemoryRows
from tests.people.model_server import ModelServer
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.tokens import access_token

NICKNAME, OPENID, PHONE = "鹦鹉螺号", "o-marker-7f3a", "+8613977712345"
NAME, NUMBER = "司马懿", "11010519491231002X"
BANK = {"holder": NAME, "number": "6217 0012 1002 4455 220", "bank": "中国建设银行", "branch": "白驼山支行"}
SKUS = ("85123A", "71053", "84406B")


def text(found: Any) -> str:
    return json.dumps(found, default=bytes.hex, ensure_ascii=False)


class Watched:
    """A shop, a person with markers, and everything that is sent to outside services."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop, self.cloud = shop, shop.cloud
        self.model, self.checked = ModelServer(), list[str]()

        def verify(_self: Any, name: str, number: str) -> str:
            self.checked.append(f"{name} {number}")
            return "dev"

        monkeypatch.setattr(SelfAssertedIdentity, "verify", verify)
        owner = reply(serve(http_event("POST", "/v1/auth/sessions", login_body("owner"))))
        self.owner = str(owner.body["member"]["member_id"])
        self.card = self.send(
            self.owner, "POST", "/v1/cards", {"versions": {"default": {"name": "林晓雨"}}}, key="card"
        ).body["card"]

    def enter(self, *purposes: str, **more: Any) -> Reply:
        body = login_body(OPENID, consents=sent(*purposes) if purposes else None, **more)
        return reply(serve(http_event("POST", "/v1/auth/sessions", body)))

    def send(self, member_id: str, method: str, path: str, body: Any = None, **more: Any) -> Reply:
        return reply(serve(http_event(method, path, body, token=access_token(member_id), **more)))

    def person(self, *purposes: str) -> str:
        entered = self.enter("account", *purposes)
        assert entered.status == 200, entered
        member_id = str(entered.body["member"]["member_id"])
        assert self.send(member_id, "PUT", "/v1/me", {"nickname": NICKNAME}).status == 200
        return member_id

    def everything(self) -> str:
        """All that is stored, waits, or was sent."""
        queues = [
            self.cloud.messages(environment.text(name)) for name in ("CARD_VIEWS_QUEUE_URL", "WEBHOOKS_QUEUE_URL")
        ]
        heard = [[message.content for message in one.messages] for one in self.model.heard]
        return text([self.cloud.state(), queues, heard, self.checked])

    def view(self, member_id: str) -> None:
        ticket = self.send(self.owner, "GET", f"/v1/cards/{self.card}").body["view_ticket"]
        assert self.send(member_id, "POST", "/v1/card-views", {"ticket": ticket, "seconds": 9}).status == 202

    def count(self) -> None:
        messages = self.cloud.messages(environment.text("CARD_VIEWS_QUEUE_URL"))
        if messages:
            assert on_view.handler(queue_event("card-views", *messages), Context()) == {"batchItemFailures": []}

    def visitors(self) -> Any:
        return self.send(self.owner, "GET", f"/v1/cards/{self.card}/visitors").body

    def learn(self) -> None:
        learning.handler({"scheduled_at": self.shop.clock.now().isoformat()}, Context(remaining_ms=600_000))

    def withdraw(self, member_id: str, purpose: Purpose) -> Any:
        return consenting.say(member_id, purpose, None, "dev:wx1", consent_needs(), granted=False, count=uncounted)


@pytest.fixture
def watched(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(shop, monkeypatch)


def buys(watched: Watched, member_id: str) -> None:
    """Two orders, so that there is something to learn."""
    buyer = watched.shop.buyer
    for number in range(2):
        quote = buyer.quote({"85123A": 1, "71053": 1}, member=member_id, attribution=buyer.attribution())
        placed = buyer.place(quote.body["quote"], key=f"bought-{number}", member=member_id)
        assert buyer.pay(str(placed.body["order_id"])).status == 200
    watched.shop.clock.move(days=1)


def set_identity(watched: Watched, member_id: str) -> int:
    return watched.send(member_id, "PUT", "/v1/me/identity", {"name": NAME, "id_number": NUMBER}).status


def set_bank_account(watched: Watched, member_id: str) -> int:
    return watched.send(member_id, "PUT", "/v1/me/bank-account", BANK).status


def look_at_the_card(watched: Watched, member_id: str) -> int:
    watched.view(member_id)
    watched.count()
    return 200 if watched.visitors()["visitors"] else 422


def be_recommended(watched: Watched, member_id: str) -> int:
    buys(watched, member_id)
    watched.learn()
    shown = watched.send(member_id, "GET", "/v1/recommendations").body["items"]
    return 200 if any(item["reason"] == "OWN_HISTORY" for item in shown) else 422


ACTS: dict[Purpose, tuple[Callable[[Watched, str], int], tuple[str, ...], str]] = {
    "identity_check": (set_identity, (NAME, NUMBER), "PUT /v1/me/identity"),
    "bank_account": (set_bank_account, ("白驼山支行", "**** 5220"), "PUT /v1/me/bank-account"),
    "card_visits": (look_at_the_card, (), "POST /v1/card-views"),
    "recommendations": (be_recommended, (), "GET /v1/recommendations"),
}
"""Purpose -> what needs it, the markers that it would leave, and its route."""


def test_every_purpose_is_tried_at_a_route_that_names_it() -> None:
    routes = {f"{route.method} {route.path}": route for _, api in apis() for route in api.routes}

    assert {"account", *ACTS} == set(PURPOSES)
    for purpose, (_, _, named) in ACTS.items():
        route = routes[named]
        assert CONSENT_MISSING in route.codes or f"`{purpose}`" in f"{route.summary} {route.description}"


def test_every_route_that_refuses_for_a_consent_is_tried() -> None:
    routes = [route for _, api in apis() for route in api.routes]
    refusing = {f"{route.method} {route.path}" for route in routes if CONSENT_MISSING in route.codes}
    of_account = {"POST /v1/auth/sessions", "POST /v1/auth/refreshes"}

    assert refusing == of_account | {named for _, _, named in ACTS.values() if named.startswith("PUT ")}


def test_without_the_account_s_consent_nothing_of_the_person_is_kept(watched: Watched) -> None:
    before = watched.everything()
    for purposes in ((), tuple(purpose for purpose in PURPOSES if purpose != "account")):
        assert watched.enter(*purposes, phone_code=f"dev:{PHONE}", scene="1011").status == 422
    after = watched.everything()

    assert after == before
    assert not any(marker in after for marker in (OPENID, PHONE))


@pytest.mark.parametrize("purpose", ACTS)
def test_nothing_is_stored_or_sent_for_a_purpose_without_its_consent(watched: Watched, purpose: Purpose) -> None:
    """With all other consents; then with it, to see that the search would have found it."""
    act, markers, _ = ACTS[purpose]
    member_id = watched.person(*(one for one in PURPOSES if one not in (purpose, "account")))
    if purpose == "bank_account":
        assert set_identity(watched, member_id) == 200
    act(watched, member_id)
    found = watched.everything()
    cards, rows = text(watched.cloud.items("cards")), text(watched.cloud.items("recommendations"))

    assert not any(marker in found for marker in markers)
    assert member_id not in cards
    assert member_id not in rows
    assert NICKNAME not in json.dumps(watched.visitors(), ensure_ascii=False)

    watched.send(member_id, "PUT", f"/v1/me/consents/{purpose}", {"granted": True, "version": 1})
    if purpose == "recommendations":  # nothing is learnt anew while nobody buys
        watched.cloud.dynamodb.delete_item(TableName="recommendations", Key={"pk": {"S": "popular"}})
        watched.learn()
        assert member_key(member_id) in text(watched.cloud.items("recommendations"))
        return

    assert act(watched, member_id) == 200
    assert all(marker in watched.everything() for marker in markers)


@pytest.mark.parametrize("consent", [True, False])
def test_the_model_sees_something_of_the_member_with_the_consent_alone(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, consent: bool
) -> None:
    member_id = watched.person("recommendations")
    buys(watched, member_id)
    watched.learn()
    rows = recommendations_wiring.learnt_rows().read_rows([member_key(member_id)])
    if not consent:
        watched.withdraw(member_id, "recommendations")
        recommendations_wiring.learnt_rows().write_rows(rows.values())  # as if it had been left
    model = ChatCompletions(
        base_url="http://model.test/v1", model="m", api_key="k", budgets={TASK: BUDGET}, record=record_usage,
        transport=watched.model.transport,
    )  # fmt: skip
    monkeypatch.setattr(recommendations_api, "language_model", lambda: model)
    watched.send(member_id, "GET", "/v1/recommendations")
    heard = json.dumps([[m.content for m in one.messages] for one in watched.model.heard], ensure_ascii=False)

    assert watched.model.heard
    assert member_id not in heard
    assert ("OWN_HISTORY" in heard) is consent


def test_a_withdrawal_hides_the_visitor_at_once_and_agreeing_shows_what_is_left(watched: Watched) -> None:
    member_id = watched.person("card_visits")
    look_at_the_card(watched, member_id)
    seen = watched.visitors()["visitors"]
    watched.withdraw(member_id, "card_visits")
    hidden = watched.visitors()
    look_at_the_card(watched, member_id)
    watched.send(member_id, "PUT", "/v1/me/consents/card_visits", {"granted": True, "version": 1})
    again = watched.visitors()

    assert [(one["member_id"], one["nickname"], one["views"]) for one in seen] == [(member_id, NICKNAME, 1)]
    assert (hidden["visitors"], hidden["views"]) == ([], 1)
    assert (again["views"], [one["views"] for one in again["visitors"]]) == (2, [1])  # the second one was anonymous


def test_an_erased_visitor_is_hidden(watched: Watched) -> None:
    member_id = watched.person("card_visits")
    look_at_the_card(watched, member_id)
    MemberItem(id=member_id).update(
        [MemberItem.erased_at.set(watched.shop.clock.now()), MemberItem.state.set("erased")]
    )

    assert watched.visitors()["visitors"] == []


def test_a_view_that_waits_is_anonymous_once_the_consent_is_withdrawn(watched: Watched) -> None:
    member_id = watched.person("card_visits")
    watched.view(member_id)
    watched.withdraw(member_id, "card_visits")
    watched.count()
    found = watched.visitors()

    assert (found["views"], found["by_members"], found["visitors"]) == (1, 0, [])
    assert member_id not in text(watched.cloud.items("cards"))


def test_a_withdrawal_while_views_are_counted_hides_the_visitor_in_every_order(watched: Watched) -> None:
    member_id = watched.person("card_visits")
    watched.view(member_id)
    (message,) = watched.cloud.messages(environment.text("CARD_VIEWS_QUEUE_URL"))
    views = [CardViewed(**message).to_view(watched.shop.clock.now())]
    before = watched.cloud.snapshot()
    for run in every_way(
        lambda: [
            lambda: count_views(views, radars=DynamoRadars(), visitors=members_wiring.card_visitors()),
            lambda: watched.withdraw(member_id, "card_visits"),
        ],
        before.restore,
    ):
        assert run.ends[0] == set(), run
        assert watched.visitors()["visitors"] == [], run


def test_a_withdrawal_while_a_night_learns_leaves_no_row_in_every_order(watched: Watched, clock: TestClock) -> None:
    member_id = watched.person("recommendations")
    bought = clock.now() - timedelta(days=1)
    purchases = MemoryPurchases(*(Purchase(member_id, sku, sku, 1, bought, f"b{sku}") for sku in SKUS))
    rows = recommendations_wiring.learnt_rows()
    before, left = watched.cloud.snapshot(), set()

    def night() -> int:
        def agreeing(member_ids: Any) -> frozenset[str]:
            return members_wiring.agreeing(member_ids, "recommendations")

        return learn_from(purchases, at=clock.now(), rows=rows, agreeing=agreeing)

    for run in every_way(lambda: [night, lambda: watched.withdraw(member_id, "recommendations")], before.restore):
        found = {item["pk"]["S"] for item in watched.cloud.items("recommendations")}
        left |= found

        assert isinstance(run.ends[0], int), run
        assert member_key(member_id) not in found, run

    assert "popular" in left


def test_a_row_of_a_member_who_does_not_agree_is_never_written(clock: TestClock) -> None:
    written: list[str] = []

    class Noted(MemoryRows):
        def write_rows(self, rows: Iterable[Row]) -> int:
            found = list(rows)
            written.extend(row.key for row in found)
            return super().write_rows(found)

    bought = clock.now() - timedelta(days=1)
    purchases = MemoryPurchases(*(Purchase(name, "cup", "Cup", 1, bought, name) for name in ("mem_a", "mem_b")))
    learn_from(purchases, at=clock.now(), rows=Noted(), agreeing=lambda asked: [one for one in asked if one == "mem_a"])

    assert sorted(written) == [member_key("mem_a"), "popular"]


def test_a_night_deletes_what_an_earlier_release_learnt_of_members_who_do_not_agree(
    watched: Watched, clock: TestClock
) -> None:
    member_id = watched.person()
    old = Row(member_key(member_id), clock.now(), (Entry("tent", "Tent", own=1000),))
    recommendations_wiring.learnt_rows().write_rows([old])
    buys(watched, member_id)
    watched.learn()
    keys = {item["pk"]["S"] for item in watched.cloud.items("recommendations")}

    assert "popular" in keys
    assert member_key(member_id) not in keys
    assert BUYER not in json.dumps(sorted(keys))
