"""Bank accounts through the real handlers: who sets them, who sees what, who confirms, and when money goes there."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

import cardstock.bank_accounts as area
from cardstock import environment
from cardstock.bank_accounts import wiring
from cardstock.bank_accounts.model import TRANSITIONS
from cardstock.members.item_store import MemberItem
from functions.bank_accounts.api import app as api
from tests.house.cloud import ROOT, ROOT_KEY, Cloud, Context, http_event
from tests.people.finance import CARD, FIRST, Finance
from tests.people.staff import serve_confirmed, staff_key, supplier_key
from tests.people.tokens import access_token

NEW = "6217 0012 1002 4455 220"
NEW_DIGITS = "6217001210024455220"
WANTED = {"holder": "张伟", "number": NEW, "bank": "中国建设银行", "branch": "上海浦东支行"}
PHONE = "+8613800138000"


def call(method: str, path: str, body: Any = None, *, token: str) -> tuple[int, dict[str, Any]]:
    event = http_event(method, path, body, token=token)
    answer = serve_confirmed(event, lambda sent: api.handler(sent, Context()))
    return answer["statusCode"], json.loads(answer["body"])


def token_of(member: str) -> str:
    return access_token(member)


def put(member: str, **other: Any) -> tuple[int, dict[str, Any]]:
    return call("PUT", "/v1/me/bank-account", WANTED | other, token=token_of(member))


def decide(member: str, account_id: str, decision: str, *, token: str, reason: str | None = None) -> Any:
    body = {"account_id": account_id, "decision": decision, "reason": reason}
    return call("POST", f"/v1/bank-accounts/{member}/decisions", body, token=token)


@pytest.fixture
def confirmer(cloud: Cloud) -> str:
    return staff_key("Sun Yi", "bank_accounts:confirm")


def events(cloud: Cloud) -> list[dict[str, Any]]:
    return cloud.messages(environment.text("WEBHOOKS_QUEUE_URL"))


def test_the_chart_is_the_data() -> None:
    drawn = {
        (before, one.strip())
        for before, after in re.findall(r"^    (\w+) --\w+--> (.+)$", area.__doc__ or "", re.MULTILINE)
        for one in after.split("|")
    }

    assert drawn == {(before, after) for before, following in TRANSITIONS.items() for after in following}


def test_a_first_account_waits_72_hours_and_needs_nobody(finance: Finance, cloud: Cloud) -> None:
    member = finance.member(1, bank=False)
    status, first = put(member)
    again = put(member, number=NEW_DIGITS)
    state = cloud.state()
    finance.clock.move(hours=71, minutes=59)
    early = call("GET", "/v1/me/bank-account", token=token_of(member))[1]
    finance.clock.move(minutes=1)
    late = call("GET", "/v1/me/bank-account", token=token_of(member))[1]

    assert (status, first["in_force"], first["change"]["state"]) == (200, None, "confirmed")
    assert again == (200, first)
    assert (early["in_force"], late["change"]) == (None, None)
    assert late["in_force"]["number_masked"] == "**** 5220"
    assert NEW_DIGITS not in json.dumps([first, late])
    assert NEW_DIGITS not in json.dumps(state, default=str)
    published = events(cloud)
    assert [(one["type"], one["data"]["what"], one["subject"]) for one in published] == [
        ("bank_account.changed", "set", member)
    ]


def test_a_change_needs_a_person_is_told_to_the_contact_and_waits(
    finance: Finance, cloud: Cloud, confirmer: str
) -> None:
    member = finance.member(1)
    MemberItem(id=member).update([MemberItem.phone.set(PHONE)])
    _, changed = put(member)
    published = events(cloud)
    account_id = changed["change"]["account"]["account_id"]
    _, waiting = call("GET", "/v1/bank-account-changes", token=confirmer)
    finance.clock.move(hours=73)
    _, unconfirmed = call("GET", "/v1/me/bank-account", token=token_of(member))
    status, confirmed = decide(member, account_id, "confirm", token=confirmer)
    again = decide(member, account_id, "confirm", token=confirmer)

    assert changed["change"]["state"] == "waiting"
    assert [one["member_id"] for one in waiting["items"]] == [member]
    assert unconfirmed["in_force"]["number_masked"] == "**** 7894"
    assert (status, confirmed["in_force"]["number_masked"]) == (200, "**** 5220")
    assert again == (200, confirmed)
    assert call("GET", "/v1/bank-account-changes", token=confirmer)[1]["items"] == []
    assert [[one["data"][name] for name in ("contact", "number_masked", "old_number_masked")] for one in published] == [
        ["+86138****8000", "**** 5220", "**** 7894"]
    ]
    assert [one["what"] for one in confirmed["notices"]] == ["confirmed", "changed"]
    assert NEW_DIGITS not in json.dumps([changed, waiting, confirmed, published])


def test_a_confirmed_change_is_refused_when_the_contact_objects(finance: Finance, confirmer: str) -> None:
    member = finance.member(1)
    account_id = put(member)[1]["change"]["account"]["account_id"]
    decide(member, account_id, "confirm", token=confirmer)
    finance.clock.move(hours=71)
    blind = decide(member, account_id, "refuse", token=confirmer)
    status, refused = decide(member, account_id, "refuse", token=confirmer, reason="the member did not ask for it")
    back = decide(member, account_id, "confirm", token=confirmer)

    assert (blind[0], blind[1]["code"]) == (422, "REASON_MISSING")
    assert (status, refused["change"]["state"]) == (200, "refused")
    assert (back[0], back[1]["code"]) == (409, "NO_OPEN_CHANGE")
    finance.clock.move(hours=1)
    assert call("GET", "/v1/me/bank-account", token=token_of(member))[1]["in_force"]["number_masked"] == "**** 7894"


def test_an_account_in_force_is_not_refused_any_more_and_a_newer_change_replaces_an_older(
    finance: Finance, confirmer: str
) -> None:
    member = finance.member(1)
    older = put(member)[1]["change"]["account"]["account_id"]
    newer = put(member, branch="北京分行")[1]["change"]["account"]["account_id"]
    stale = decide(member, older, "confirm", token=confirmer)
    decide(member, newer, "confirm", token=confirmer)
    finance.clock.move(hours=72)
    late = decide(member, newer, "refuse", token=confirmer, reason="too late")

    assert (stale[0], stale[1]["code"]) == (409, "NO_OPEN_CHANGE")
    assert (late[0], late[1]["code"]) == (409, "NO_OPEN_CHANGE")


@pytest.mark.parametrize(
    ("other", "status", "code"),
    [
        ({"number": "6217 0012 1002 4455 221"}, 400, "ACCOUNT_NUMBER_INVALID"),
        ({"number": "dev:app:12345"}, 400, "ACCOUNT_NUMBER_INVALID"),
        ({"holder": "王芳"}, 422, "HOLDER_DIFFERS"),
        ({"holder": "张\n伟"}, 400, "BODY_INVALID"),
        ({"account": "x"}, 400, "BODY_INVALID"),
    ],
)
def test_a_wrong_account_changes_nothing(
    finance: Finance, cloud: Cloud, other: dict[str, Any], status: int, code: str
) -> None:
    member = finance.member(1)
    before = cloud.state()
    found = put(member, **other)

    assert (found[0], found[1]["code"]) == (status, code)
    assert cloud.state() == before
    assert events(cloud) == []


def test_the_unverified_and_the_erased_set_none(finance: Finance, cloud: Cloud) -> None:
    unverified, erased = finance.member(1, verified=False), finance.member(2)
    finance.erase(erased)
    before = cloud.state()

    assert [put(member)[1]["code"] for member in (unverified, erased)] == ["HOLDER_UNVERIFIED", "MEMBER_ERASED"]
    assert cloud.state() == before


def test_nobody_but_staff_with_the_scope_decides_or_sees_a_number(finance: Finance, cloud: Cloud) -> None:
    member = finance.member(1)
    account_id = put(member)[1]["change"]["account"]["account_id"]
    before = cloud.items("bank-accounts")
    thieves = {
        "member": token_of(member),
        "other member": token_of(finance.member(2, bank=False)),
        "supplier": supplier_key("sup_lights", "orders:fulfil", "catalog:write"),
        "low staff": staff_key("Low", "payouts:read", "payouts:settle", "payouts:approve"),
        "root": ROOT_KEY,
    }
    for name, token in thieves.items():
        for method, path, body in (
            ("GET", "/v1/bank-account-changes", None),
            ("POST", f"/v1/bank-accounts/{member}/decisions", {"account_id": account_id, "decision": "confirm"}),
            ("POST", f"/v1/bank-accounts/{member}/reveals", {"reason": "curious"}),
        ):
            assert call(method, path, body, token=token)[0] == 403, (name, path)
    _, others = call("GET", "/v1/me/bank-account", token=thieves["other member"])

    assert cloud.items("bank-accounts") == before
    assert (others["in_force"], others["change"], others["notices"]) == (None, None, [])


def test_a_whole_number_is_shown_with_a_reason_on_record(finance: Finance, cloud: Cloud) -> None:
    member, token = finance.member(1), staff_key("Sun Yi", "bank_accounts:reveal")
    path = f"/v1/bank-accounts/{member}/reveals"
    blank = call("POST", path, {"reason": " "}, token=token)
    nobody = call("POST", "/v1/bank-accounts/mem_none/reveals", {"reason": "bank asks"}, token=token)
    shown = call("POST", path, {"reason": "bank asks"}, token=token)
    records = [item for item in cloud.items("bank-accounts") if item["sk"]["S"].startswith("reveal#")]

    assert (blank[1]["code"], nobody[0]) == ("BODY_INVALID", 404)
    assert shown == (200, {"member_id": member, "number": CARD})
    assert [item["reason"]["S"] for item in records] == ["bank asks"]
    assert records[0]["actor"]["S"].startswith("stf_")


def test_money_goes_to_the_old_account_until_a_person_has_confirmed(
    finance: Finance, cloud: Cloud, confirmer: str
) -> None:
    member = finance.member(1, 500_000)
    finance.clock.set(FIRST - timedelta(hours=100))
    account_id = put(member)[1]["change"]["account"]["account_id"]
    finance.clock.set(FIRST)
    finance.sent()
    before = finance.bank_rows()
    decide(member, account_id, "confirm", token=confirmer)

    assert [row["收款账号"] for row in before] == [CARD]
    assert [row["收款账号"] for row in finance.bank_rows()] == [CARD]


@pytest.mark.parametrize(("hours", "number"), [(72, NEW_DIGITS), (71, CARD)])
def test_a_confirmed_change_gets_the_money_after_72_hours(
    finance: Finance, confirmer: str, hours: int, number: str
) -> None:
    member = finance.member(1, 500_000)
    finance.clock.set(FIRST - timedelta(hours=hours))
    account_id = put(member)[1]["change"]["account"]["account_id"]
    decide(member, account_id, "confirm", token=confirmer)
    finance.clock.set(FIRST)
    finance.sent()

    assert [row["收款账号"] for row in finance.bank_rows()] == [number]


def test_who_has_no_account_is_left_out_by_name(finance: Finance) -> None:
    paid, without, young = (
        finance.member(1, 5_000),
        finance.member(2, 6_000, bank=False),
        finance.member(3, 7_000, bank=False),
    )
    finance.clock.set(FIRST - timedelta(hours=10))
    put(young)
    finance.clock.set(FIRST)
    finance.sent()

    assert set(finance.lines()) == {paid}
    assert {(one.member, one.reason, one.available, one.name) for one in finance.left_out()} == {
        (without, "no_bank_account", 6_000, "张伟"),
        (young, "no_bank_account", 7_000, "张伟"),
    }
    assert finance.balance(without) == {"available": 6_000}


EVENTS = sorted((ROOT / "events/bank_accounts/api").glob("*.json"))


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_every_sample_event_does_what_its_name_says(finance: Finance, path: Any) -> None:
    member = finance.member(1)
    account_id = put(member)[1]["change"]["account"]["account_id"]
    text = path.read_text("utf-8").replace("MEMBER_TOKEN", token_of(member)).replace("ACCOUNT_ID", account_id)
    text = text.replace("STAFF_KEY", staff_key("Sun Yi", "bank_accounts:confirm", "bank_accounts:reveal"))
    event = json.loads(text.replace("MEMBER_ID", member))
    status = serve_confirmed(event, lambda sent: api.handler(sent, Context()))["statusCode"]

    assert (status >= 400) is path.stem.startswith("bad_")


def test_a_change_that_comes_again_tells_once_and_stores_once(finance: Finance, cloud: Cloud) -> None:
    member = finance.member(1)
    first = put(member)
    held = wiring.accounts().find_holding(member)
    again = put(member)

    assert again == first
    assert wiring.accounts().find_holding(member) == held
    assert len(events(cloud)) == 1
