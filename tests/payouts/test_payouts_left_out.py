"""A member whom the newest payout leaves out reads why."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from cardstock.edge import wiring as edge_wiring
from cardstock.payouts.wording import REASON
from functions.ledger.api import app as member_api
from tests.house import faults
from tests.house.cloud import Context, http_event
from tests.people.finance import FIRST, Finance


def told(member: str, language: str = "zh-CN", **query: str) -> Any:
    """What a member is told."""
    token = edge_wiring.signer().sign("access", {"sub": member}, lifetime=timedelta(hours=1))
    headers = {"Accept-Language": language}
    event = http_event("GET", "/v1/me/withdrawals", query=query or None, token=token, headers=headers)
    answer = member_api.handler(event, Context())
    assert answer["statusCode"] == 200, answer["body"]
    return json.loads(answer["body"])


@pytest.mark.parametrize(
    ("reason", "how"),
    [
        ("unverified", {"verified": False}),
        ("under_age", {"born": date(2015, 5, 5)}),
        ("no_bank_account", {"bank": False}),
    ],
)
def test_a_member_who_is_left_out_reads_why_in_both_languages(
    finance: Finance, reason: str, how: dict[str, Any]
) -> None:
    listed, left_out = finance.member(1, 5_000), finance.member(2, 6_000, **how)
    finance.tick()
    finance.run_steps()
    chinese, english = told(left_out), told(left_out, "en-GB")

    assert chinese["items"] == []
    assert chinese["left_out"] == {"period": "2026-11", "reason": reason, "text": REASON[reason][0]}
    assert english["left_out"]["text"] == REASON[reason][1]
    assert "6000" not in json.dumps(chinese)
    assert told(listed)["left_out"] is None
    assert told("mem_nobody")["left_out"] is None


def test_only_the_newest_payout_and_the_first_page_say_who_is_left_out(finance: Finance) -> None:
    member = finance.member(1, 5_000)
    finance.sent()
    finance.results(others=True)
    finance.run_steps()
    finance.earn(member, -9_000, days_ago=0)
    finance.clock.set(FIRST + timedelta(days=31))
    finance.tick()
    finance.run_steps()
    first = told(member, limit="1")
    second = told(member, limit="1", cursor=first["next_cursor"])

    assert first["items"] == []
    assert first["left_out"] == {"period": "2026-12", "reason": "debt", "text": "有欠款"}
    assert [item["period"] for item in second["items"]] == ["2026-11"]
    assert second["left_out"] is None


def test_a_member_without_the_minimum_or_without_any_payout_is_told_nothing(finance: Finance) -> None:
    poor = finance.member(1, 300)
    before = told(poor)
    finance.tick()
    finance.run_steps()

    assert before["left_out"] is None
    assert told(poor)["left_out"] is None


def test_the_reason_takes_one_read_more_and_none_for_a_member_who_is_listed(finance: Finance) -> None:
    listed, left_out = finance.member(1, 5_000), finance.member(2, 6_000, verified=False)
    finance.tick()
    finance.run_steps()
    told(listed)  # reads the secret
    with faults.watch() as paid:
        told(listed)
    with faults.watch() as unpaid:
        told(left_out)

    assert len(unpaid) == len(paid) + 1
