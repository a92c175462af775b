"""Balances, statements, explanations and plans over HTTP."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cardstock.aws.tables import Transaction
from cardstock.clock import rfc3339
from cardstock.edge import wiring as edge_wiring
from cardstock.ledger.payout_steps import claimed
from cardstock.ledger.store import post
from cardstock.network import wiring as network_wiring
from cardstock.signing import ACCESS
from functions.ledger.on_entry import app as on_ledger_entry
from tests.house.cloud import ROOT, Context, forget_factories, http_event, queue_event, serve
from tests.people.shop import Shop
from tests.people.staff import person, staff_key
from tests.people.trade import line

CHAIN21: dict[str, Any] = {"preset": "chain21"}
CHECKS = ("levels", "peer", "fee", "cap", "head_count")


def token(member_id: str) -> str:
    return edge_wiring.signer().sign(ACCESS, {"sub": member_id}, lifetime=timedelta(hours=2))


def staff(scope: str = "plans:publish") -> str:
    return staff_key("Li Na", scope)


def approver() -> str:
    return staff_key("Zhao Min", "plans:approve")


def call(method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    answer = serve(http_event(method, path, body, **{"key": "k0", **options}), Context())
    return answer["statusCode"], json.loads(answer["body"])


def approve(plan: dict[str, Any]) -> None:
    """Have Zhao Min approve all that the check asks for."""
    for check in CHECKS:
        body = {"plan": plan, "check": check, "reason": "opinion on file"}
        assert call("POST", "/v1/commission-plans/approvals", body, token=approver())[0] == 200


@pytest.fixture
def sold(shop: Shop) -> tuple[Shop, str]:
    """R is a partner, A came by R and B by A, and both bought; one of B's two units came back."""
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    shop.trade.member("mem_b", "mem_a")
    shop.trade.buy("mem_a")
    shop.trade.settle_down()
    shop.clock.set(datetime(2026, 12, 31, 15, 59, 50, tzinfo=UTC))  # seconds before the new year in Shanghai
    order_id = shop.trade.buy("mem_b", line(1, units=2))
    shop.trade.settle_down()
    shop.clock.move(minutes=2)
    shop.trade.refund(order_id, sku1=1)
    shop.trade.settle_down()
    on_ledger_entry.handler(queue_event("ledger-events", *shop.trade.take("ledger")), Context())
    return shop, order_id


def test_a_balance_tells_what_is_frozen_available_owed_and_paid(sold: tuple[Shop, str]) -> None:
    shop, _ = sold
    with Transaction() as transaction:
        post(transaction, claimed("n1", "mem_a", 100, shop.clock.now()))

    _, of_r = call("GET", "/v1/me/balance", token=token("mem_r"))
    status, of_a = call("GET", "/v1/me/balance", token=token("mem_a"))
    _, of_nobody = call("GET", "/v1/me/balance", token=token("mem_x"))

    assert of_r == {
        "frozen_fen": 50_000, "available_fen": 0, "debt_fen": 0, "debts": [], "paying_fen": 0, "paid_fen": 0,
        "withheld_fen": 0,
    }  # fmt: skip
    assert (status, of_a["frozen_fen"], of_a["available_fen"], of_a["debt_fen"]) == (200, 10_000, 0, 100)
    assert {value for value in of_nobody.values() if value != []} == {0}


def test_a_statement_is_read_by_pages_newest_first_in_the_readers_language(sold: tuple[Shop, str]) -> None:
    _, order_id = sold
    bearer = token("mem_r")
    status, first = call("GET", "/v1/me/commissions", token=bearer, query={"limit": "2"})
    _, second = call(
        "GET", "/v1/me/commissions", token=bearer, query={"limit": "2", "cursor": first["next_cursor"]},
        headers={"Accept-Language": "en"},
    )  # fmt: skip

    assert status == 200
    assert [(item["kind"], item["change_fen"]) for item in first["items"] + second["items"]] == [
        ("clawed", {"frozen": -20_000}),
        ("accrued", {"frozen": 40_000}),
        ("accrued", {"frozen": 30_000}),
    ]
    assert first["items"][0]["order_id"] == order_id
    assert first["items"][0]["text"] == "订单退款，奖励相应扣回"
    assert first["items"][0]["rewards"] == ["team"]
    assert second["items"][0]["text"] == "Order paid; the reward waits to settle"
    assert second["next_cursor"] is None


def test_a_period_is_a_month_of_the_brand(sold: tuple[Shop, str]) -> None:
    def kinds(period: str) -> list[str]:
        _, page = call("GET", "/v1/me/commissions", token=token("mem_r"), query={"period": period})
        return [item["kind"] for item in page["items"]]

    assert kinds("2026-12") == ["accrued", "accrued"]
    assert kinds("2027-01") == ["clawed"]
    assert kinds("2026-11") == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"period": "2026-13"}, "QUERY_INVALID"),
        ({"limit": "101"}, "QUERY_INVALID"),
        ({"limit": "x"}, "QUERY_INVALID"),
        ({"cursor": "x"}, "CURSOR_INVALID"),
    ],
)
def test_a_wrong_query_is_refused(query: dict[str, str], code: str, shop: Shop) -> None:
    status, problem = call("GET", "/v1/me/commissions", token=token("mem_r"), query=query)

    assert (status, problem["code"]) == (400, code)


def test_a_cursor_is_good_for_its_owner_and_period_only(sold: tuple[Shop, str]) -> None:
    _, page = call("GET", "/v1/me/commissions", token=token("mem_r"), query={"limit": "1"})
    cursor = page["next_cursor"]

    foreign, _ = call("GET", "/v1/me/commissions", token=token("mem_a"), query={"cursor": cursor})
    other, _ = call("GET", "/v1/me/commissions", token=token("mem_r"), query={"cursor": cursor, "period": "2026-12"})

    assert (foreign, other) == (400, 400)


def test_an_explanation_names_rule_edge_role_rate_and_what_refunds_took(sold: tuple[Shop, str]) -> None:
    _, order_id = sold
    path = f"/v1/me/commissions/{order_id}"

    status, body = call("GET", path, token=token("mem_a"), path_parameters={"order_id": order_id})
    _, english = call("GET", path, token=token("mem_r"), headers={"Accept-Language": "en"})

    assert status == 200
    [reward] = body["items"]
    assert {name: reward[name] for name in ("reward", "edge", "role", "plan", "rule", "rate", "unit")} == {
        "reward": "direct", "edge": "referrer", "role": "distributor", "plan": "chain21@1",
        "rule": "direct_distributor", "rate": 10_000, "unit": "fen",
    }  # fmt: skip
    assert (reward["base_fen"], reward["amount_fen"], reward["rest_fen"], reward["state"]) == (
        99_800, 20_000, 10_000, "frozen",
    )  # fmt: skip
    assert [taken["amount_fen"] for taken in reward["taken_back"]] == [10_000]
    assert reward["text"] == "推荐奖励：买家由您推荐。下单时身份为分销商，每件 100.00 元，共 200.00 元。"
    assert english["items"][0]["text"] == (
        "A team reward because the buyer belongs to your team: as a partner when the order was placed, "
        "200.00 yuan a unit, 400.00 yuan in all."
    )


def test_an_explanation_says_what_limits_have_left_of_the_rule(sold: tuple[Shop, str]) -> None:
    shop, _ = sold
    order_id = shop.trade.buy("mem_b", line(1, price=900))
    path = f"/v1/me/commissions/{order_id}"
    shop.trade.settle_down()
    _, chinese = call("GET", path, token=token("mem_a"), path_parameters={"order_id": order_id})
    _, english = call("GET", path, token=token("mem_a"), headers={"Accept-Language": "en"})

    # 100 and 200 yuan a unit of what cost 9 yuan: each at most 9, together at most 9.
    [reward] = chinese["items"]
    assert [reward[name] for name in ("full_fen", "limited_fen", "cap_cut_fen", "amount_fen")] == [
        10_000,
        900,
        450,
        450,
    ]
    assert reward["text"].endswith("每件 100.00 元，共 100.00 元，按方案规则及实付金额实得 4.50 元。")
    assert english["items"][0]["text"].endswith(
        "100.00 yuan a unit, 100.00 yuan in all, of which the plan and what was paid leave 4.50."
    )


def test_an_explanation_says_what_would_have_changed_the_amount(sold: tuple[Shop, str]) -> None:
    shop, order_id = sold
    path, own = f"/v1/me/commissions/{order_id}", {"order_id": order_id}

    _, direct = call("GET", path, token=token("mem_a"), path_parameters=own)
    _, team = call("GET", path, token=token("mem_r"), path_parameters=own, headers={"Accept-Language": "en"})

    def told(body: Any) -> list[tuple[str, str, int]]:
        [reward] = body["items"]
        return [(other["what"], other["value"], other["amount_fen"]) for other in reward["otherwise"]]

    assert told(direct) == [("role", "member", 0), ("role", "partner", 60_000), ("refund", "none", 20_000)]
    assert direct["items"][0]["otherwise"][1]["text"] == "若下单时身份为合伙人：600.00 元。"
    assert told(team) == [
        ("role", "member", 0), ("role", "distributor", 0), ("referrer_role", "partner", 0), ("refund", "none", 40_000),
    ]  # fmt: skip
    assert team["items"][0]["otherwise"][2]["text"] == "Had the buyer's referrer been a partner: 0.00 yuan."
    assert direct["items"][0]["available_from"] is None
    shop.trade.receive(order_id)
    _, received = call("GET", path, token=token("mem_a"), path_parameters=own)
    assert received["items"][0]["available_from"] == rfc3339(shop.clock.now() + timedelta(days=7))


@pytest.mark.parametrize("member_id", ["mem_c", "mem_x"])
def test_somebody_elses_rewards_are_not_found(member_id: str, sold: tuple[Shop, str]) -> None:
    _, order_id = sold

    status, problem = call("GET", f"/v1/me/commissions/{order_id}", token=token(member_id))
    unknown, _ = call("GET", "/v1/me/commissions/ord_unknown", token=token(member_id))

    assert (status, problem["code"], unknown) == (404, "NOT_FOUND", 404)


# Plans


def test_a_plan_without_its_approvals_is_refused_with_each_clause(shop: Shop) -> None:
    status, problem = call("POST", "/v1/commission-plans", {"preset": "chain21", "id": "other"}, token=staff())

    assert (status, problem["code"]) == (422, "PLAN_REFUSED")
    findings = {finding["check"]: finding for finding in problem["facts"]["findings"]}
    assert set(findings) == {"levels", "peer", "fee", "cap", "head_count"}
    assert all(finding["clause"] and finding["passes"] for finding in findings.values())


def test_a_published_plan_is_in_force_listed_and_read_by_version(shop: Shop) -> None:
    shop.publish_plan()
    key = staff()
    body = {**CHAIN21, "id": "spring", "cap_bps": None, "team": {"value": 15_000, "unit": "fen"}, "binding_days": 365}
    path = "/v1/commission-plans"
    for plan in (body, {**body, "freeze_days": 14}):
        approve(plan)
    created, first = call("POST", path, body, token=key, key="k1")
    _, in_force = call("POST", path, body, token=key, key="k2")
    _, second = call("POST", path, {**body, "freeze_days": 14}, token=key, key="k3")
    # A client that never got its answer asks again when another plan is in force already.
    repeated, again = call("POST", path, body, token=key, key="k1")
    reused, problem = call("POST", path, {**body, "freeze_days": 30}, token=key, key="k1")
    _, page = call("GET", "/v1/commission-plans", token=key)
    _, newest = call("GET", "/v1/commission-plans/spring", token=key)
    _, oldest = call("GET", "/v1/commission-plans/spring@1", token=key)

    assert (created, repeated) == (201, 201)
    assert first == in_force == again == oldest
    assert (reused, problem["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert (first["plan"], second["plan"], newest["plan"]) == ("spring@1", "spring@2", "spring@2")
    assert first["parameters"]["team"] == {"value": 15_000, "unit": "fen"}
    assert first["approvals"][0]["approver"] == person("Zhao Min")
    assert [item["plan"] for item in page["items"]] == ["chain21@1", "spring@1", "spring@2"]
    assert page["in_force"] == "spring@2"
    current = network_wiring.plans().plan_in_force()
    assert current is not None
    assert current.plan.ref == "spring@2"


@pytest.mark.parametrize("plan_id", ["spring", "chain21@9", "chain21@x", "chain21@", "@1"])
def test_an_unknown_plan_is_not_found(plan_id: str, shop: Shop) -> None:
    shop.publish_plan()
    status, problem = call("GET", f"/v1/commission-plans/{plan_id}", token=staff())

    # An empty version is the newest one.
    assert (status, problem.get("code")) == ((200, None) if plan_id == "chain21@" else (404, "NOT_FOUND"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"preset": "ponzi"}, "BODY_INVALID"),
        ({"price": 0}, "BODY_INVALID"),
        ({"max_levels": 3}, "BODY_INVALID"),
        ({"team": {"value": 20_001, "unit": "bps"}}, "PLAN_INVALID"),
        ({"version": 7}, "BODY_INVALID"),
        ({"id": "Großer Plan"}, "BODY_INVALID"),
        ({"peer_bps": 10.5}, "BODY_INVALID"),
    ],
)
def test_a_plan_that_is_none_is_refused(change: dict[str, Any], code: str, shop: Shop) -> None:
    status, problem = call("POST", "/v1/commission-plans", {**CHAIN21, **change}, token=staff())

    assert (status, problem["code"]) == (400, code)


def test_only_the_right_to_publish_opens_plans(shop: Shop) -> None:
    path = "/v1/commission-plans"
    for caller in (staff("payouts:read"), token("mem_r")):
        assert call("POST", path, CHAIN21, token=caller)[0] == 403
        assert call("GET", path, token=caller)[0] == 403


# The payloads that are kept

KEPT = [
    path for name in ("ledger/api", "network/plans_api") for path in sorted((ROOT / "events" / name).glob("*.json"))
]
REFUSED = {
    "bad_forged_token": (401, "TOKEN_INVALID"),
    "bad_period": (400, "QUERY_INVALID"),
    "bad_plan_without_approvals": (422, "PLAN_REFUSED"),
    "bad_approver_typed_by_the_publisher": (400, "BODY_INVALID"),
    "bad_approval_with_the_publishers_key": (403, "SCOPE_MISSING"),
    "bad_approval_that_is_not_needed": (422, "APPROVAL_NOT_NEEDED"),
}


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_kept_request_is_answered(path: Path, sold: tuple[Shop, str]) -> None:
    text = path.read_text("utf-8").replace("ACCESS_TOKEN", token("mem_r")).replace("STAFF_KEY", staff())
    text = text.replace("APPROVER_KEY", approver())
    approve({"preset": "chain21", "id": "spring", "freeze_days": 14})

    answer = serve(json.loads(text.replace("ORDER_ID", sold[1])))

    if path.stem.startswith("bad_"):
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == REFUSED[path.stem]
    else:
        assert answer["statusCode"] in (200, 201)


def test_a_cold_function_explains_by_the_plan_that_it_reads(sold: tuple[Shop, str]) -> None:
    forget_factories()
    status, explained = call("GET", f"/v1/me/commissions/{sold[1]}", token=token("mem_r"))

    assert status == 200
    assert explained["order_id"] == sold[1]
