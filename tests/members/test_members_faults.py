"""Whatever happens to a login, a binding or a view, the same again ends where one undisturbed run does."""

import contextlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from cardstock import clock
from cardstock.cards.model import Card, Face
from cardstock.cards.store import DynamoCards
from cardstock.errors import CardstockError
from cardstock.ids import RequestKey
from cardstock.ledger.store import BalanceItem
from cardstock.members.item_store import MemberItem
from functions.cards.api.app import handler as cards
from functions.cards.on_view.app import handler as on_card_viewed
from functions.members.accounts_api.app import handler as accounts
from functions.members.api.app import handler as members
from functions.members.closing_api.app import handler as closing
from tests.house import faults
from tests.house.cloud import Cloud, Context, http_event, queue_event, serve
from tests.people.clock import TestClock
from tests.people.consents import login_body

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
QUEUE = "https://sqs.ap-east-1.amazonaws.com/123456789012/card-views"


@pytest.fixture(autouse=True)
def nine_o_clock(clock: TestClock) -> None:
    clock.move(hours=1)


def send(handler: Callable[..., dict[str, Any]], *arguments: Any, **options: Any) -> tuple[int, Any]:
    answer = serve(http_event(*arguments, **options), Context())
    return answer["statusCode"], json.loads(answer["body"])


def log_in(openid: str, **more: Any) -> tuple[int, Any]:
    return send(members, "POST", "/v1/auth/sessions", login_body(openid, **more))


def first_login() -> Callable[[], Any]:
    guide = log_in("guide")[1]["member"]["member_id"]
    return lambda: log_in("anna", phone_code="dev:+8613800138000", invite=guide)


def later_login_with_number_and_invite() -> Callable[[], Any]:
    step = first_login()
    log_in("anna")
    return step


def second_account() -> Callable[[], Any]:
    log_in("anna", phone_code="dev:+8613800138000")
    return lambda: log_in("anna-elsewhere", phone_code="dev:+8613800138000")


def take_a_verified_member_s_number() -> Callable[[], Any]:
    token = log_in("anna", phone_code="dev:+8613800138000")[1]["access_token"]
    send(members, "PUT", "/v1/me/identity", {"name": "王小明", "id_number": "11010519491231002X"}, token=token)
    return lambda: log_in("thief", phone_code="dev:+8613800138000")


def take_a_number_for_a_known_member() -> Callable[[], Any]:
    log_in("anna", phone_code="dev:+8613800138000")
    log_in("bert")
    return lambda: log_in("bert", phone_code="dev:+8613800138000")


def change_the_number() -> Callable[[], Any]:
    token = log_in("anna", phone_code="dev:+8613800138000")[1]["access_token"]
    body = {"phone_code": "dev:+8613900139000"}
    return lambda: send(members, "PUT", "/v1/me/phone", body, token=token)


def change_to_another_member_s_number() -> Callable[[], Any]:
    step = change_the_number()
    log_in("bert", phone_code="dev:+8613900139000")
    return step


def join_a_verified_member() -> Callable[[], Any]:
    token = log_in("anna", phone_code="dev:+8613800138000")[1]["access_token"]
    send(members, "PUT", "/v1/me/identity", {"name": "王小明", "id_number": "11010519491231002X"}, token=token)
    send(members, "PUT", "/v1/me/joining", token=token)
    return lambda: log_in("anna-elsewhere", phone_code="dev:+8613800138000")


def let_join() -> Callable[[], Any]:
    token = log_in("anna", phone_code="dev:+8613800138000")[1]["access_token"]
    return lambda: send(members, "PUT", "/v1/me/joining", token=token)


def bind() -> Callable[[], Any]:
    guide = log_in("guide")[1]["member"]["member_id"]
    token = log_in("anna")[1]["access_token"]
    return lambda: send(members, "POST", "/v1/me/inviter", {"inviter": guide}, token=token)


def verify() -> Callable[[], Any]:
    token = log_in("anna")[1]["access_token"]
    body = {"name": "王小明", "id_number": "11010519491231002X"}
    return lambda: send(members, "PUT", "/v1/me/identity", body, token=token)


def verify_the_same_person_again() -> Callable[[], Any]:
    verify()()
    token = log_in("bert")[1]["access_token"]
    body = {"name": "王小明", "id_number": "11010519491231002X"}
    return lambda: send(members, "PUT", "/v1/me/identity", body, token=token)


def two_accounts() -> tuple[str, str, str]:
    """The tokens of two referrals who count, and a code of the first."""
    guide = log_in("guide")[1]["member"]["member_id"]
    anna, bert = (log_in(name, invite=guide)[1]["access_token"] for name in ("anna", "bert"))
    return anna, bert, send(accounts, "PUT", "/v1/me/merge-code", token=anna)[1]["code"]


def merge() -> Callable[[], Any]:
    _, bert, code = two_accounts()
    return lambda: send(accounts, "POST", "/v1/me/merges", {"code": code}, token=bert)


def undo_merge() -> Callable[[], Any]:
    anna, bert, code = two_accounts()
    joined = send(accounts, "POST", "/v1/me/merges", {"code": code}, token=bert)[1]["items"][1]["member_id"]
    return lambda: serve(http_event("DELETE", f"/v1/me/merges/{joined}", token=anna), Context())


def asked_a_minute_ago(session: Any) -> str:
    """The token of a member who asked for the closing a minute ago."""
    asked = MemberItem.closing_at.set(clock.now() - timedelta(minutes=1))
    MemberItem(id=session["member"]["member_id"]).update([asked])
    return str(session["access_token"])


def close_account() -> Callable[[], Any]:
    session = log_in("anna", phone_code="dev:+8613800138000")[1]
    token, owner = asked_a_minute_ago(session), session["member"]["member_id"]
    card = Card("k7m2p9xw4tab", owner, {"default": Face("Anna")}, 1, NOW, NOW)
    DynamoCards().add_card(card, RequestKey("req_card", "f"))
    return lambda: send(closing, "PUT", "/v1/me/closing", {}, token=token)


def close_account_with_money() -> Callable[[], Any]:
    session = log_in("anna")[1]
    BalanceItem(pk=session["member"]["member_id"], available=700).save()
    body = {"give_up": {"amount_fen": 700, "words": "我放弃这笔余额"}}
    token = asked_a_minute_ago(session)
    return lambda: send(closing, "PUT", "/v1/me/closing", body, token=token)


def create_card() -> Callable[[], Any]:
    token = log_in("anna")[1]["access_token"]
    body = {"versions": {"default": {"name": "Anna"}}}
    return lambda: send(cards, "POST", "/v1/cards", body, token=token, key="k1")


def update_card() -> Callable[[], Any]:
    token = log_in("anna")[1]["access_token"]
    card = create_card()()[1]["card"]
    body = {"versions": {"default": {"name": "Anna B."}}}
    return lambda: send(cards, "PUT", f"/v1/cards/{card}", body, token=token)


def share_card() -> Callable[[], Any]:
    token = log_in("anna")[1]["access_token"]
    card = create_card()()[1]["card"]
    return lambda: send(cards, "POST", f"/v1/cards/{card}/shares", {}, token=token, key="k2")


def count_views() -> Callable[[], Any]:
    bodies = [
        {
            "view": f"p4x7k2m9w{letter}",
            "card": card,
            "share": "",
            "visitor": "",
            "scene": "",
            "seconds": 3,
            "at": 1_764_547_200_000,
        }
        for letter, card in zip("abcd", ["k7m2p9xw4tab", "k7m2p9xw4tac"] * 2, strict=True)
    ]
    event = queue_event("card-views", *bodies)

    def consume() -> None:
        # A message that failed comes again; a repeat of those that did not must not hurt.
        if on_card_viewed(event, Context())["batchItemFailures"]:
            on_card_viewed(event, Context())

    return consume


STEPS = [
    first_login,
    later_login_with_number_and_invite,
    second_account,
    take_a_verified_member_s_number,
    take_a_number_for_a_known_member,
    change_the_number,
    change_to_another_member_s_number,
    join_a_verified_member,
    let_join,
    bind,
    verify,
    verify_the_same_person_again,
    merge,
    undo_merge,
    close_account,
    close_account_with_money,
    create_card,
    update_card,
    share_card,
    count_views,
]


def reset(cloud: Cloud) -> None:
    for table in ("members", "sessions", "network", "cards", "requests", "balances", "ledger", "rewards"):
        for item in cloud.items(table):
            key = {name: item[name] for name in ("pk", "sk") if name in item}
            cloud.dynamodb.delete_item(TableName=table, Key=key)


def picture(cloud: Cloud) -> list[str]:
    """Everything that is stored, with ids, keys, salts and revisions of random values made alike.

    Not the counters of limits: a repeat counts once more.
    """
    tables = ("members", "network", "cards", "requests", "balances", "ledger", "rewards")
    stored = [(table, item) for table in tables for item in cloud.items(table)]
    text = json.dumps(
        [(table, item) for table, item in stored if not item["pk"]["S"].startswith("count#")],
        default=bytes.hex,
        ensure_ascii=False,
        sort_keys=True,
    )
    text = re.sub("grp_[0-9a-z]{26}", "<group>", text)  # made of a random code
    names: dict[str, str] = {}
    for item in cloud.items("members"):
        member_id = item.get("member_id", item["pk"])["S"]
        if member_id.startswith(("person#", "salt#", "grp_")):
            names[member_id] = member_id.partition("#")[0]
            continue
        account = next((i["account"]["S"] for i in cloud.items("members") if i["pk"]["S"] == member_id), "?")
        names[member_id] = account
    for item in cloud.items("cards"):
        if item["sk"]["S"] != "views":
            names[item["pk"]["S"]] = item["sk"]["S"]
    for found, name in names.items():
        text = text.replace(found, f"<{name}>")
    items = json.loads(text)
    for table, item in items:
        if table == "requests":
            del item["expires_at"], item["pk"]  # its id is made of the caller's
        if item.get("pk", {}).get("S", "").startswith("phone-move#"):
            item["pk"]["S"] = re.sub("(ses|phm)_[0-9a-z]{26}", r"\1", item["pk"]["S"])  # random
        if "day_key" in item:  # the part of the day follows from the random id
            item["day_key"] = {"S": item["day_key"]["S"].partition(".")[0]}
        if item.get("pk") == {"S": "<salt>"}:
            del item["salt"]
        if "person" in item:
            person = json.loads(item["person"]["S"])
            item["person"]["S"] = person["name"] + person["born"]
    return sorted(json.dumps(item, ensure_ascii=False, sort_keys=True) for item in items)


def attempt(step: Callable[[], Any]) -> None:
    """One try, however it ends: refused, killed, or dead of what the SDK raises."""
    with contextlib.suppress(CardstockError, PynamoDBException, BotoCoreError, ClientError):
        faults.survive(step)


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", STEPS)
def test_a_disturbed_step_and_its_repeat_end_where_one_undisturbed_step_does(
    make: Callable[[], Callable[[], Any]], mode: faults.Mode, cloud: Cloud
) -> None:
    make()()  # secrets are fetched once
    reset(cloud)
    step = make()
    with faults.watch() as calls:
        step()
    expected = picture(cloud)

    assert calls
    for index, call in enumerate(calls):
        if mode == "conflict" and not call.endswith("TransactWriteItems"):
            continue  # nothing else meets one
        reset(cloud)
        step = make()
        with faults.at(index, mode) as seen:
            attempt(step)
        step()

        assert len(seen) > index
        assert picture(cloud) == expected, f"{mode} at call {index} ({call})"


@pytest.mark.parametrize("mode", ["kill_before", "kill_after"])
def test_a_disturbed_first_login_is_kept_whole_or_not_at_all(mode: faults.Mode, cloud: Cloud) -> None:
    step = first_login()
    nothing = picture(cloud)
    with faults.watch() as calls:
        step()
    everything = picture(cloud)
    for index in range(len(calls)):
        reset(cloud)
        step = first_login()
        with faults.at(index, mode):
            attempt(step)

        assert picture(cloud) in (nothing, everything)


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize(
    "make",
    [
        second_account,
        take_a_verified_member_s_number,
        take_a_number_for_a_known_member,
        join_a_verified_member,
        change_the_number,
        change_to_another_member_s_number,
    ],
)
def test_a_number_always_leads_to_the_one_member_who_has_it(
    make: Callable[[], Callable[[], Any]], mode: faults.Mode, cloud: Cloud
) -> None:
    """Before the repeat too: a log-in that was cut off has moved the number whole, or not at all."""
    make()()
    reset(cloud)
    step = make()
    with faults.watch() as calls:
        step()
    for index in range(len(calls)):
        reset(cloud)
        step = make()
        with faults.at(index, mode):
            attempt(step)
        items = cloud.items("members")
        leads = {item["pk"]["S"]: item["member_id"]["S"] for item in items if item["pk"]["S"].startswith("phone#")}
        bound = {f"phone#{item['phone']['S']}": item["pk"]["S"] for item in items if "phone" in item}

        assert leads == bound
        assert len(leads) == sum("phone" in item for item in items)
        if make is not change_to_another_member_s_number:  # two have one before
            assert len(leads) == 1


def a_ticket() -> str:
    card = create_card()()[1]["card"]
    return str(send(cards, "GET", f"/v1/cards/{card}")[1]["view_ticket"])


def test_a_view_is_answered_after_one_call(cloud: Cloud) -> None:
    ticket = a_ticket()
    with faults.watch() as calls:
        status, _ = send(cards, "POST", "/v1/card-views", {"ticket": ticket})

    assert status == 202
    assert calls == ["sqs.SendMessage"]


def test_a_view_whose_queue_gives_no_answer_is_a_503_and_its_repeat_counts_once(cloud: Cloud) -> None:
    ticket = a_ticket()
    with faults.at(0, "lose_answer", times=faults.ALWAYS):
        status, problem = send(cards, "POST", "/v1/card-views", {"ticket": ticket})
    again, _ = send(cards, "POST", "/v1/card-views", {"ticket": ticket})
    messages = cloud.messages(QUEUE)
    on_card_viewed(queue_event("card-views", *messages), Context())
    (radar,) = (item for item in cloud.items("cards") if item["sk"]["S"] == "views")

    assert (status, problem["code"], problem["retryable"]) == (503, "QUEUE_UNAVAILABLE", True)
    assert again == 202
    assert len(messages) > 1
    assert radar["n"] == {"N": "1"}
