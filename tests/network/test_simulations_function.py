"""Plans compared over HTTP."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from functions.network.simulations_api import app
from tests.house.cloud import ROOT, Cloud, Context, http_event
from tests.people.staff import staff_key

PATH = "/v1/commission-plans/simulations"
FILES = sorted((ROOT / "events/network/simulations_api").glob("*.json"))
REFUSALS = {
    "bad_share_above_one": (400, "BODY_INVALID"),
    "bad_too_many_members": (422, "SIMULATION_TOO_LARGE"),
    "bad_refund_above_paid": (400, "ORDER_INVALID"),
    "bad_forged_key": (401, "KEY_INVALID"),
}


def key(scope: str = "plans:publish") -> str:
    return staff_key("Li Na", scope)


def simulate(body: Any, **options: Any) -> tuple[int, Any]:
    if "token" not in options:
        options["token"] = key()
    answer = app.handler(http_event("POST", PATH, body, **options), Context())
    return answer["statusCode"], json.loads(answer["body"])


def plan(preset: str, **changes: Any) -> dict[str, Any]:
    return {"plan": {"preset": preset, **changes}}


def approved() -> dict[str, Any]:
    checks = ("levels", "peer", "fee", "cap", "head_count")
    approvals = [{"check": check, "approver": "Ms Zhao", "reason": "opinion on file"} for check in checks]
    return plan("chain21", approvals=approvals)


def test_plans_on_a_made_up_shop_are_compared_and_the_best_is_explained(cloud: Cloud) -> None:
    before = cloud.state()
    body = {
        "plans": [approved(), plan("single_level"), plan("unlock", unlock=1)],
        "market": {"members": 2_000},
    }
    refused, problem = simulate(body)
    body = {**body, "plans": [approved(), plan("single_level"), plan("free_order")]}
    status, told = simulate(body, headers={"Accept-Language": "en"})

    assert (refused, problem["code"], problem["errors"][0]["pointer"]) == (400, "BODY_INVALID", "/plans/2/plan/unlock")
    assert status == 200
    assert [shown["plan"] for shown in told["plans"]] == ["chain21", "single_level", "free_order"]
    assert [shown["within_bounds"] for shown in told["plans"]] == [True, True, True]
    assert told["best"] == "free_order"
    assert told["why"].startswith("free_order leaves the brand the highest margin of the plans within the bounds: ")
    assert told["chart_svg"] is None
    assert {name: told["plans"][1][name] for name in ("team_fen", "peer_fen", "promotions")} == {
        "team_fen": 0, "peer_fen": 0, "promotions": 0,
    }  # fmt: skip
    after = cloud.state()
    assert {table for table in after if after[table] != before[table]} <= {
        "partners",
        "requests",
        "staff",
        "staff-actions",
    }


def test_recorded_orders_are_simulated_to_the_fen_and_told_in_chinese(cloud: Cloud) -> None:
    kit = {"sku": "kit", "units": 1, "net_fen": 49_900, "qualifying": True}
    bought = [("A", "R"), ("B", "A"), ("C", "A"), ("D", "A")]
    orders = [
        {"order_id": f"o{day}", "member_id": who, "inviter_id": by, "lines": [kit],
         "placed_at": f"2026-11-0{day}T08:00:00Z"}
        for day, (who, by) in enumerate(bought, 1)
    ]  # fmt: skip
    orders[2]["returns"] = [{"at": "2026-11-09T08:00:00Z", "fen": 19_900}]
    rules = {"promote_on": "paid", "on_refund": "demote"}
    status, told = simulate({
        "plans": [plan("chain21", **rules), plan("chain21", **rules, cap_bps=3_000)],
        "orders": orders[::-1], "partners": ["R"], "bounds": {"cost_cap_bps": 10_000},
    })  # fmt: skip
    open_ended, capped = told["plans"]

    assert status == 200
    assert (open_ended["members"], open_ended["orders"], open_ended["kept_fen"]) == (5, 4, 4 * 49_900 - 19_900)
    assert (open_ended["rewards_fen"], open_ended["clawed_fen"], open_ended["worst_order_bps"]) == (
        111_036,
        11_964,
        6_614,
    )
    assert capped["plan"] == "chain21 (2)"
    assert capped["worst_order_bps"] == 3_000
    assert told["best"] is None
    sentences = told["why"].split("。")
    assert sentences[0] == "没有方案满足全部条件"
    assert sentences[1] == (
        "chain21：未通过合规检查（levels, peer, fee, cap, head_count）；毛利率 -1.79 %，低于 0.00 %"
    )
    assert [broken["bound"] for broken in capped["broken"]] == ["guard"]


def test_what_a_plan_is_expected_to_change_counts_for_it_alone(cloud: Cloud) -> None:
    lively = {**plan("single_level", id="lively"), "market": {"conversion_bps": 6_000}}
    _, told = simulate({"plans": [plan("unlock"), plan("single_level"), lively], "market": {"members": 2_000}})
    sales = [shown["sales_fen"] for shown in told["plans"]]

    assert sales[0] == sales[1] < sales[2]
    assert told["best"] == "lively"


def test_the_chart_is_an_svg_with_every_plan_in_it(cloud: Cloud) -> None:
    _, told = simulate({
        "plans": [plan("single_level"), plan("chain21", id="spring_2026")], "market": {"members": 500}, "chart": True,
    })  # fmt: skip
    drawing = ET.fromstring(told["chart_svg"])
    texts = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]

    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert {"single_level", "spring_2026", "方案对比"} <= set(texts)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"plans": []}, "BODY_INVALID"),
        ({"plans": [plan("unlock")] * 6}, "BODY_INVALID"),
        ({"plans": [plan("pyramid")]}, "BODY_INVALID"),
        ({"plans": [plan("unlock")], "market": {"members": 0}}, "BODY_INVALID"),
        ({"plans": [plan("unlock")], "market": {"conversion_bps": 2.5}}, "BODY_INVALID"),
        ({"plans": [plan("unlock")], "market": {"members": 20_001}}, "SIMULATION_TOO_LARGE"),
        ({"plans": [{**plan("unlock"), "market": {"members": 50_000}}]}, "SIMULATION_TOO_LARGE"),
        ({"plans": [plan("unlock")] * 5, "market": {"members": 20_000, "repeat_bps": 9_000}}, "SIMULATION_TOO_LARGE"),
        ({"plans": [plan("unlock")], "orders": []}, "BODY_INVALID"),
    ],
)
def test_what_cannot_be_simulated_is_refused(body: Any, code: str, cloud: Cloud) -> None:
    status, problem = simulate(body)

    assert problem["code"] == code
    assert status == (422 if code == "SIMULATION_TOO_LARGE" else 400)


def test_only_keys_that_may_publish_plans_simulate_them(cloud: Cloud) -> None:
    body = {"plans": [plan("unlock")], "market": {"members": 10}}

    assert simulate(body, token=key("payouts:read"))[1]["code"] == "SCOPE_MISSING"
    assert simulate(body, token=None)[1]["code"] == "CREDENTIALS_MISSING"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_event_is_answered_as_its_name_says(cloud: Cloud, path: Path) -> None:
    event = json.loads(path.read_text("utf-8").replace("STAFF_KEY", key()))
    answer = app.handler(event, Context())
    told = json.loads(answer["body"])

    if path.stem.startswith("bad_"):
        assert (answer["statusCode"], told["code"]) == REFUSALS[path.stem]
    else:
        assert answer["statusCode"] == 200, told


def test_there_are_good_and_bad_events() -> None:
    assert {path.stem for path in FILES if path.stem.startswith("bad_")} == set(REFUSALS)
    assert len(FILES) > len(REFUSALS)
