"""Closing an account, from the member's requests to the books and back."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.clock import rfc3339
from cardstock.flows import closing
from cardstock.ledger import wiring as ledger_wiring
from cardstock.ledger.model import Balance
from cardstock.members.item_store import members_of
from cardstock.network import wiring as network_wiring
from cardstock.network.deciding import position_of
from cardstock.open_items.wiring import open_items
from cardstock.orders import fulfilment, listing
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.agreement_model import AgreementStatus
from tests.house.cloud import Cloud, http_event, serve
from tests.people.agreements import AgreementHolder
from tests.people.audits import audit_now
from tests.people.buyers import RECEIVER
from tests.people.clock import TestClock
from tests.people.consents import login_body
from tests.people.leavers import Person, earned
from tests.people.replies import reply
from tests.people.shop import Shop
from tests.people.tokens import access_token
from tests.people.trade import DEMO_PLAN, Trade, line, product_item


@pytest.fixture(autouse=True)
def people_have_time(clock: TestClock) -> None:
    Person.clock = clock


@pytest.fixture
def trade(cloud: Cloud, clock: TestClock) -> Trade:
    made = Trade(cloud, clock)
    made.publish(DEMO_PLAN)
    return made


def test_an_account_without_anything_is_closed_at_once(cloud: Cloud) -> None:
    anna = Person("anna", phone_code="dev:+8613800138000")
    anna.send("PUT", "/v1/me", {"nickname": "小安", "birth_year": 1990})
    before = anna.closing()
    closed = anna.close()
    member = members_of([anna.id])[anna.id]

    assert (before["state"], before["asked_at"], before["open_orders"]) == ("open", None, [])
    assert (closed.status, closed.body["state"]) == (200, "closed")
    assert (member.state, member.nickname, member.phone, member.birth_year) == ("erased", "", "", None)
    assert position_of(anna.id, network=network_wiring.network()).erased
    assert Person("bert", phone_code="dev:+8613800138000").send("GET", "/v1/me").body["phone"] == "+86138****8000"


def test_a_closed_account_is_refused_everywhere_and_its_sessions_have_ended(cloud: Cloud) -> None:
    anna = Person("anna")
    anna.close()
    again = reply(serve(http_event("POST", "/v1/auth/refreshes", {"refresh_token": anna.refresh})))
    body = login_body("anna")

    card = {"versions": {"default": {"name": "安"}}}
    made = reply(serve(http_event("POST", "/v1/cards", card, token=access_token(anna.id), key="after-the-end")))

    assert made.body["code"] == anna.send("GET", "/v1/me").body["code"] == "MEMBER_ERASED"
    assert again.status == 401
    assert reply(serve(http_event("POST", "/v1/auth/sessions", body))).body["code"] == "MEMBER_ERASED"


def test_a_repeat_after_the_end_gets_the_answer_that_was_lost(trade: Trade) -> None:
    guide = Person("guide")
    earned(trade, guide)
    sums = guide.closing()
    closed = guide.close(sums["available_fen"])
    trade.clock.move(minutes=10)
    again, read = guide.close(), guide.closing()

    assert (closed.body["state"], closed.body["given_up_fen"]) == ("closed", sums["available_fen"])
    assert (again.status, again.body) == (200, closed.body)
    assert read == closed.body


def test_a_closing_says_from_when_on_the_same_call_ends_it(cloud: Cloud, clock: TestClock) -> None:
    anna = Person("anna")
    asked = anna.send("PUT", "/v1/me/closing", {}).body
    clock.move(seconds=59)
    early = anna.send("PUT", "/v1/me/closing", {}).body
    read = anna.closing()
    clock.move(seconds=1)
    done = anna.send("PUT", "/v1/me/closing", {}).body

    assert {each["state"] for each in (asked, early, read)} == {"waiting"}
    assert {each["again_at"] for each in (asked, early, read)} == {rfc3339(clock.now())}
    assert (done["state"], done["again_at"]) == ("closed", None)


def test_an_open_order_keeps_the_account(trade: Trade) -> None:
    anna = Person("anna")
    order_id = trade.place(anna.id, line(1))
    unpaid = anna.close()
    trade.pay(order_id)
    paid = anna.close()
    trade.receive(order_id)
    done = anna.close()

    assert [(each.status, each.body["code"]) for each in (unpaid, paid)] == [(422, "ORDERS_OPEN")] * 2
    assert order_id in unpaid.body["detail"]
    assert done.body["state"] == "closed"


def test_a_refund_that_has_not_ended_keeps_the_account(trade: Trade) -> None:
    anna = Person("anna")
    order_id = trade.buy(anna.id, line(1, 2))
    refund_id = trade.ask_back(order_id, sku1=1)
    trade.receive(order_id)
    waiting = anna.close()

    assert (waiting.status, waiting.body["code"]) == (422, "REFUNDS_OPEN")
    trade.give_back(order_id, refund_id)
    assert anna.close().body["state"] == "closed"


def test_payment_agreements_are_ended_at_their_channel_first(shop: Shop) -> None:
    anna = Person("anna")
    holder = AgreementHolder(shop, member=anna.id)
    agreements = [holder.signed(), holder.asked(charge_fen=1_000)]
    anna.ask_to_close()
    anna.clock.move(minutes=1)
    shop.channel.answers = False
    unanswered = anna.ask_to_close()
    between = members_of([anna.id])[anna.id].state
    shop.channel.answers = True
    closed = anna.ask_to_close()

    assert (unanswered.status, unanswered.body["code"], between) == (503, "CHANNEL_UNAVAILABLE", "registered")
    assert (closed.status, closed.body["state"]) == (200, "closed")
    assert [holder.stored(each).status for each in agreements] == ["ended"] * 2
    assert [shop.channel.company.agreement_state(each)["status"] for each in agreements] == ["ended"] * 2


@pytest.mark.parametrize("status", ["asked", "active", "ending"])
def test_an_agreement_of_a_channel_that_is_gone_keeps_no_account_and_asks_people(
    shop: Shop, status: AgreementStatus
) -> None:
    anna = Person("anna")
    holder = AgreementHolder(shop, member=anna.id)
    here = holder.signed()
    gone = replace(
        holder.stored(here), agreement_id=f"agr_{'gone':0>26}", channel="gone", status=status, contract_no="c7",
        version=1,
    )  # fmt: skip
    assert orders_wiring.agreements().store_agreement(gone)
    alone = anna.send("DELETE", f"/v1/me/payment-agreements/{gone.agreement_id}")
    before = list(open_items().items_of_kind("agreement_not_ended"))
    closed = anna.close()
    [item] = open_items().items_of_kind("agreement_not_ended")
    after = holder.stored(gone.agreement_id)

    assert (alone.body["code"], before) == ("CHANNEL_MISSING", [])
    assert closed.body["state"] == "closed"
    assert (after.status, after.ended_by, after.ended_at) == ("ended", "member", shop.clock.now())
    assert holder.stored(here).status == "ended"
    assert (item.state, item.subject, item.member_id, item.amount_fen) == ("open", gone.agreement_id, anna.id, 5_000)
    assert item.facts == {"channel": "gone", "app": gone.app, "contract_no": "c7"}


def test_a_debt_keeps_the_account(trade: Trade) -> None:
    guide = Person("guide")
    earned(trade, guide)
    change = str(-guide.balance.available - 100)
    trade.cloud.dynamodb.update_item(
        TableName="balances", Key={"pk": {"S": guide.id}}, UpdateExpression="ADD available :x",
        ExpressionAttributeValues={":x": {"N": change}},
    )  # fmt: skip
    refused = guide.close()

    assert (refused.status, refused.body["code"], guide.closing()["debt_fen"]) == (422, "DEBT_OPEN", 100)


def test_frozen_money_is_waited_for_and_new_orders_earn_nothing(trade: Trade) -> None:
    guide = Person("guide")
    order_id, friend = earned(trade, guide, until="frozen"), Person("late-friend", invite=guide.id)
    asked = guide.close()
    frozen = guide.balance.frozen
    trade.buy(friend.id)
    trade.settle_down()

    assert (asked.status, asked.body["state"], asked.body["frozen_fen"]) == (200, "waiting", frozen)
    assert guide.balance.frozen == frozen > 0
    trade.receive(order_id)
    trade.settle_down()
    trade.clock.move(days=20)
    trade.night()
    assert guide.close(guide.balance.available).body["state"] == "closed"
    assert audit_now().findings == ()


def test_what_cannot_be_paid_is_set_aside_as_unclaimed(trade: Trade) -> None:
    guide = Person("guide")
    earned(trade, guide)
    fen = guide.balance.available
    standing = guide.closing()
    closed = guide.close()
    entry = ledger_wiring.books().find_transaction(f"set-aside.{guide.id}")

    assert (standing["available_fen"], standing["unpayable"]) == (fen, "未实名")
    assert (closed.body["state"], closed.body["available_fen"]) == ("closed", 0)
    assert guide.balance.available == 0
    assert entry is not None
    assert [(one.account, one.amount) for one in entry.postings] == [
        (f"member:{guide.id}:available", -fen), ("brand:unclaimed", fen),
    ]  # fmt: skip
    assert audit_now().findings == ()
    assert audit_now().totals["set_aside"] == fen


def test_what_can_be_paid_is_paid_first_or_given_up_to_the_fen(trade: Trade) -> None:
    guide = Person("guide")
    earned(trade, guide)
    person = {"name": "王小明", "id_number": "11010519491231002X"}
    assert guide.send("PUT", "/v1/me/identity", person).status == 200
    account = {"holder": "王小明", "number": "1001000000000090", "bank": "示例银行", "branch": "杭州支行"}
    assert guide.send("PUT", "/v1/me/bank-account", account).status == 200
    trade.clock.move(days=4)
    fen = guide.balance.available
    waiting, wrong = guide.close(), guide.close(fen - 1)
    kept = guide.balance.available
    closed = guide.close(fen)
    entry = ledger_wiring.books().find_transaction(f"give-up.{guide.id}")
    found = ledger_wiring.closings().find_closing(guide.id)

    assert (waiting.body["state"], waiting.body["unpayable"]) == ("waiting", None)
    assert (wrong.status, wrong.body["code"], kept) == (422, "GIVE_UP_DIFFERS", fen)
    assert closed.body["state"] == "closed"
    assert entry is not None
    assert entry.postings[1].account == "brand:given-up"
    assert found is not None
    assert (found.kind, found.amount, found.words) == ("given_up", fen, "我放弃这笔余额")
    assert audit_now().findings == ()


def test_money_that_arrives_in_between_is_never_lost(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reward is released after the balance was read, and before the account is closed."""
    guide = Person("guide")
    earned(trade, guide)
    fen = guide.balance.available
    closings = ledger_wiring.closings()
    close = closings.close_account

    def late(*arguments: Any) -> Any:
        monkeypatch.undo()
        trade.cloud.dynamodb.update_item(
            TableName="balances", Key={"pk": {"S": guide.id}}, UpdateExpression="ADD available :x",
            ExpressionAttributeValues={":x": {"N": "7"}},
        )  # fmt: skip
        return close(*arguments)

    monkeypatch.setattr(closings, "close_account", late)
    refused = guide.close(fen)

    assert (refused.status, refused.body["code"]) == (422, "GIVE_UP_DIFFERS")
    assert guide.balance.available == fen + 7


def test_giving_up_what_is_available_gives_up_nothing_that_is_frozen(trade: Trade) -> None:
    guide = Person("guide")
    earned(trade, guide)
    fen = guide.balance.available
    earned(trade, guide, until="frozen")
    first = guide.close(fen)
    trade.clock.move(hours=1)
    second = guide.close(fen)

    assert (first.body["state"], first.body["available_fen"]) == ("waiting", fen)
    assert second.body["asked_at"] == first.body["asked_at"] == guide.closing()["asked_at"]
    assert guide.balance.available == fen


def test_an_order_that_was_sent_and_not_received_keeps_the_account(trade: Trade) -> None:
    anna = Person("anna")
    order_id = trade.buy(anna.id, line(1))
    fulfilment.report_shipment("sup_2", order_id, "SF", "1", "s1", orders=orders_wiring.orders())

    assert anna.close().body["code"] == "ORDERS_OPEN"


def test_an_old_open_order_is_found_behind_a_page_of_newer_ones(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MEMBER_PAGE", 1)
    anna = Person("anna")
    old = trade.place(anna.id, line(1))
    for _ in range(2):
        trade.receive(trade.buy(anna.id, line(1)))

    assert anna.closing()["open_orders"] == [old]


def test_a_closed_account_keeps_no_session(cloud: Cloud) -> None:
    anna = Person("anna")
    anna.close()

    assert [item for item in cloud.items("sessions") if item["sk"]["S"].startswith("ses_")] == []


@pytest.mark.parametrize(("reason", "waits"), [
    (None, True), ("hold", True), ("disputed", True), ("attempt_open", True), ("unverified", False),
    ("under_minimum", False), ("no_bank_account", False),
])  # fmt: skip
def test_money_waits_for_what_will_be_paid_or_decided_and_for_nothing_else(reason: str | None, waits: bool) -> None:
    standing = closing.Standing("open", None, (), (), Balance("mem_a", free=5), reason)

    assert standing.waits is waits
    assert not closing.Standing("open", None, (), (), Balance("mem_a"), None).waits


def test_an_account_that_is_being_closed_places_no_order_and_closes_after_a_minute(trade: Trade) -> None:
    publish_goods(trade)
    anna = Person("anna")
    quote = anna.send("POST", "/v1/quotes", {"lines": [{"sku": "sku1", "units": 1}]}).body["quote"]
    asked = anna.ask_to_close()
    trade.clock.move(seconds=59)
    early = anna.ask_to_close()
    placed = reply(
        serve(
            http_event(
                "POST", "/v1/orders", {"quote": quote, "receiver": RECEIVER}, token=access_token(anna.id), key="late"
            )
        )
    )
    quoted = anna.send("POST", "/v1/quotes", {"lines": [{"sku": "sku1", "units": 1}]})
    trade.clock.move(seconds=1)

    assert (asked.body["state"], early.body["state"]) == ("waiting", "waiting")
    assert (placed.status, placed.body["code"]) == (quoted.status, quoted.body["code"]) == (422, "MEMBER_CLOSING")
    assert anna.ask_to_close().body["state"] == "closed"


def test_a_log_in_with_an_invite_goes_on_while_the_account_is_being_closed(cloud: Cloud) -> None:
    guide, anna = Person("guide"), Person("anna")
    anna.ask_to_close()
    again = reply(serve(http_event("POST", "/v1/auth/sessions", login_body("anna", invite=guide.id))))
    bound = anna.send("POST", "/v1/me/inviter", {"inviter": guide.id})

    assert (again.status, again.body["bound_inviter"]) == (200, None)
    assert (bound.status, bound.body["code"]) == (422, "MEMBER_CLOSING")


def test_an_order_of_which_everything_was_given_back_does_not_keep_the_account(trade: Trade) -> None:
    anna = Person("anna")
    order_id = trade.buy(anna.id, line(1, 2))
    trade.give_back(order_id, trade.ask_back(order_id, sku1=1))
    half = anna.close()
    trade.give_back(order_id, trade.ask_back(order_id, sku1=1))

    assert half.body["code"] == "ORDERS_OPEN"
    assert anna.close().body["state"] == "closed"


def test_the_cards_of_a_closed_account_are_gone_with_all_their_shares(trade: Trade) -> None:
    anna = Person("anna")
    face = {"versions": {"default": {"name": "Lin", "phone": "+8613800138000"}}}
    made = serve(http_event("POST", "/v1/cards", face, token=access_token(anna.id), key="card"))
    key = json.loads(made["body"])["card"]
    given = serve(http_event("POST", f"/v1/cards/{key}/shares", {}, token=access_token(anna.id), key="share"))
    share = json.loads(given["body"])["share"]
    closed = anna.close()

    assert (closed.body["state"], closed.body["available_fen"]) == ("closed", 0)
    assert {serve(http_event("GET", f"/v1/cards/{name}"))["statusCode"] for name in (key, share)} == {404}
    assert trade.cloud.items("cards") == []


def publish_goods(trade: Trade) -> None:
    trade.cloud.dynamodb.put_item(TableName="products", Item=product_item(line(1), trade.clock.now()))


def test_the_token_of_a_session_that_was_ended_closes_no_account(trade: Trade) -> None:
    login = reply(serve(http_event("POST", "/v1/auth/sessions", login_body("anna")))).body
    token = login["access_token"]
    ended = reply(serve(http_event("DELETE", "/v1/me/sessions", token=token)))
    refused = reply(serve(http_event("PUT", "/v1/me/closing", {}, token=token)))
    again = reply(serve(http_event("POST", "/v1/auth/sessions", login_body("anna")))).body["access_token"]
    standing = reply(serve(http_event("GET", "/v1/me/closing", token=again))).body
    asked = reply(serve(http_event("PUT", "/v1/me/closing", {}, token=again)))

    assert ended.status == 204
    assert (refused.status, refused.body["code"]) == (401, "SESSION_ENDED")
    assert standing["state"] == "open"
    assert (asked.status, asked.body["state"]) == (200, "waiting")
