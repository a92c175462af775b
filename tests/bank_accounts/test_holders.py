"""No payment goes to a bank account whose holder is not the verified member of today."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cardstock.members.item_store import MemberItem
from cardstock.members.model import Person
from cardstock.payouts.wording import REASON
from functions.bank_accounts.api import app as api
from functions.ledger.api import app as ledger_api
from tests.house.cloud import Context, http_event
from tests.people.finance import CARD, FIRST, Finance
from tests.people.staff import serve_confirmed, staff_key
from tests.people.tokens import access_token

WANTED = {"holder": "张伟", "number": "6217001210024455220", "bank": "中国建设银行", "branch": "上海浦东支行"}


def become(member: str, name: str) -> None:
    """The member is verified as somebody else, and the account stays: a step that ends it was not done."""
    person = Person(name, "2***3", "00$99", FIRST.date().replace(year=1980), "dev", FIRST)
    MemberItem(id=member).update([MemberItem.person.set(person)])


def call(method: str, path: str, body: Any, token: str) -> tuple[int, dict[str, Any]]:
    event = http_event(method, path, body, token=token)
    answer = serve_confirmed(event, lambda sent: api.handler(sent, Context()))
    return answer["statusCode"], json.loads(answer["body"])


def told(member: str, language: str) -> Any:
    event = http_event("GET", "/v1/me/withdrawals", token=access_token(member), headers={"Accept-Language": language})
    return json.loads(ledger_api.handler(event, Context())["body"])["left_out"]


def test_an_account_in_another_name_is_neither_previewed_nor_listed_nor_drafted(finance: Finance) -> None:
    paid, other = finance.member(1, 50_000), finance.member(2, 60_000)
    become(other, "李雷")
    before = finance.call("GET", "/v1/payouts/preview")[1]["left_out"]
    finance.sent()

    assert before == {"holder_differs": {"members": 1, "available_fen": 60_000}}
    assert finance.payout()["left_out"] == before
    assert set(finance.lines()) == {paid}
    assert [(one.member, one.reason, one.name) for one in finance.left_out()] == [(other, "holder_differs", "李雷")]
    assert finance.balance(other) == {"available": 60_000}
    assert [told(other, language)["text"] for language in ("zh-CN", "en-GB")] == [*REASON["holder_differs"]]


@pytest.mark.parametrize("approved", [False, True])
def test_a_line_that_was_listed_for_another_person_is_not_sent(finance: Finance, approved: bool) -> None:
    paid, other = finance.member(1, 50_000), finance.member(2, 60_000)
    finance.tick()
    assert not finance.drain()
    if not approved:
        become(other, "李雷")
    assert finance.approve()[0] == 200
    if approved:
        become(other, "李雷")
    assert not finance.drain()
    lines = finance.lines()

    assert (lines[other]["status"], lines[other]["reason"]) == ("dropped", "holder_differs")
    assert lines[paid]["status"] == "sent"
    assert [row["收款人户名"] for row in finance.bank_rows()] == ["张伟"]
    assert finance.balance(other) == {"available": 60_000}


def test_an_account_that_is_not_in_force_yet_is_in_the_old_name_too_when_it_is(finance: Finance) -> None:
    member = finance.member(1, 60_000, bank=False)
    finance.clock.set(FIRST - timedelta(hours=80))
    assert call("PUT", "/v1/me/bank-account", WANTED, access_token(member))[0] == 200
    become(member, "李雷")
    finance.clock.set(FIRST)
    finance.tick()
    assert not finance.drain()

    assert [(one.member, one.reason) for one in finance.left_out()] == [(member, "holder_differs")]


def test_nobody_confirms_an_account_in_another_name_and_it_can_be_refused(finance: Finance) -> None:
    member, token = finance.member(1), staff_key("Sun Yi", "bank_accounts:confirm")
    account = call("PUT", "/v1/me/bank-account", WANTED, access_token(member))[1]["change"]["account"]["account_id"]
    become(member, "李雷")
    path, body = f"/v1/bank-accounts/{member}/decisions", {"account_id": account, "reason": "the member was called"}
    confirmed = call("POST", path, body | {"decision": "confirm"}, token)
    MemberItem(id=member).update([MemberItem.person.remove()])
    nobody = call("POST", path, body | {"decision": "confirm"}, token)
    declined = call("POST", path, body | {"decision": "refuse"}, token)

    assert [(each[0], each[1]["code"]) for each in (confirmed, nobody)] == [(422, "HOLDER_DIFFERS")] * 2
    assert (declined[0], declined[1]["change"]["state"]) == (200, "refused")


def test_the_own_account_is_paid(finance: Finance) -> None:
    finance.member(1, 60_000)
    finance.sent()

    assert [row["收款账号"] for row in finance.bank_rows()] == [CARD]
