"""`plan check` and `plan simulate`, as an operator types them."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.commands.cli import app
from infra.commands.recorded_orders import read_orders

RULES = {"preset": "chain21", "promote_on": "paid", "on_refund": "demote"}
APPROVALS = [
    {"check": check, "approver": "Ms Zhao", "reason": "opinion on file"}
    for check in ("levels", "peer", "fee", "cap", "head_count")
]
CSV = """\
order_id,member_id,inviter_id,placed_at,paid_at,received_at,sku,units,net_fen,qualifying,earns,returned_at,returned_fen
o1,A,R,2026-11-01T08:00:00Z,2026-11-01T08:00:00Z,,kit,1,49900,true,true,,
o2,B,A,2026-11-02T08:00:00Z,2026-11-02T08:00:00Z,,kit,1,49900,true,true,,
o3,C,A,2026-11-03T08:00:00Z,2026-11-03T08:00:00Z,,kit,1,49900,true,true,2026-11-09T08:00:00Z,19900
o4,D,A,2026-11-04T08:00:00Z,2026-11-04T08:00:00Z,2026-11-06T08:00:00Z,kit,1,49900,true,true,,
o4,D,A,2026-11-04T08:00:00Z,2026-11-04T08:00:00Z,2026-11-06T08:00:00Z,tea,2,9800,,,,
o5,D,,2026-11-05T08:00:00Z,,,tea,1,4900,,,,
"""


def type_in(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["plan", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def simulated(*words: str) -> tuple[int, Any]:
    code, out, err = type_in("simulate", *words, "--json")
    assert code != 2, err
    return code, json.loads(out)


@pytest.fixture
def plan(tmp_path: Path) -> str:
    path = tmp_path / "spring.json"
    path.write_text(json.dumps({**RULES, "id": "spring", "approvals": APPROVALS}), encoding="utf-8")
    return str(path)


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def test_a_refusal_shows_each_clause_in_full_on_a_narrow_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    code, out, _ = type_in("check", "chain21")

    told = json.loads(type_in("check", "chain21", "--json")[1])["plans"][0]["findings"]
    assert code == 1
    assert [found["check"] for found in told if found["clause"] not in out or found["passes"] not in out] == []


def test_a_comparison_of_many_plans_shows_every_figure_in_full_on_a_narrow_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    plans = ("unlock", "free_order", "single_level", "chain21", "team_dividend")
    _, out, _ = type_in("simulate", *plans, "--members", "100")

    assert "cost of" in out
    assert "…" not in out


def test_a_plan_that_may_be_published_passes_and_one_that_may_not_says_what_would(plan: str) -> None:
    code, out, _ = type_in("check", "single_level", plan, "--json")
    told = json.loads(out)["plans"]

    assert code == 0
    assert [shown["passes"] for shown in told] == [True, True]
    assert {finding["verdict"] for finding in told[1]["findings"]} == {"approved"}

    code, out, _ = type_in("check", "chain21")
    assert code == 1
    assert "refused" in out
    assert "promote_n=0" in out


def test_recorded_orders_give_the_same_fen_from_csv_and_json_lines(plan: str, orders: Path, tmp_path: Path) -> None:
    lines = tmp_path / "orders.jsonl"
    kit = {"sku": "kit", "units": 1, "net_fen": 49_900, "qualifying": True}
    records: list[dict[str, Any]] = [
        {"order_id": f"o{day}", "member_id": who, "inviter_id": by, "lines": [kit],
         "placed_at": f"2026-11-0{day}T08:00:00Z"}
        for day, (who, by) in enumerate([("A", "R"), ("B", "A"), ("C", "A"), ("D", "A")], 1)
    ]  # fmt: skip
    records[2]["returns"] = [{"at": "2026-11-09T08:00:00Z", "fen": 19_900}]
    records[3]["received_at"] = "2026-11-06T08:00:00Z"
    records[3]["lines"] = [kit, {"sku": "tea", "units": 2, "net_fen": 9_800}]
    records.append(
        {"order_id": "o5", "member_id": "D", "lines": [{"sku": "tea", "units": 1, "net_fen": 4_900}],
         "placed_at": "2026-11-05T08:00:00Z", "paid_at": None}
    )  # fmt: skip
    lines.write_text("\n".join(json.dumps(record) for record in records) + "\n", encoding="utf-8")
    bounds = ("--partner", "R", "--cost-cap", "10000", "--set", "goods_bps=1000")
    code, from_csv = simulated(plan, "--orders", str(orders), *bounds)
    _, from_json = simulated(plan, "--orders", str(lines), *bounds)

    assert list(read_orders(orders)) == list(read_orders(lines))
    assert from_csv["plans"] == from_json["plans"]
    [shown] = from_csv["plans"]
    assert (code, from_csv["best"]) == (0, "spring")
    assert (shown["orders"], shown["clawed_fen"], shown["rewards_fen"]) == (4, 11_964, 111_036)


def test_the_same_seed_gives_the_same_answer_whatever_the_processes(tmp_path: Path) -> None:
    words = ("chain21", "single_level", "unlock", "--members", "300", "--svg", str(tmp_path / "c.svg"))
    code, together = simulated(*words)
    drawn = (tmp_path / "c.svg").read_text("utf-8")
    _, apart = simulated(*words, "--jobs", "1")
    _, other = simulated(*words, "--seed", "2")

    assert code == 0
    assert together["plans"] == apart["plans"] != other["plans"]
    assert (tmp_path / "c.svg").read_text("utf-8") != drawn
    assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert all(process["peak_memory_mb"] > 0 for process in together["processes"])


def test_what_is_expected_under_one_plan_alone_is_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "lively.json"
    path.write_text(json.dumps({"plan": {"preset": "unlock"}, "market": {"conversion_bps": 9_000}}), encoding="utf-8")
    _, told = simulated("unlock", str(path), "--members", "300")

    assert [shown["plan"] for shown in told["plans"]] == ["unlock", "unlock (2)"]
    assert told["best"] == "unlock (2)"


def test_without_a_plan_within_bounds_the_exit_status_says_so() -> None:
    code, out, _ = type_in("simulate", "single_level", "--members", "300", "--margin-floor", "9000")

    assert code == 1
    assert "No plan is within the bounds" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("simulate", "pyramid"), "pyramid: no preset"),
        (("simulate", "unlock", "--set", "conversion_bps=much"), "conversion_bps=much"),
        (("simulate", "unlock", "--set", "luck=1"), "luck"),
        (("simulate", "unlock", "--set", "days=0"), "days"),
        (("simulate", "unlock", "--goal", "fame"), "fame"),
        (("check", "unlock", "pyramid"), "pyramid: no preset"),
    ],
)
def test_what_cannot_be_read_is_named_in_a_message(words: tuple[str, ...], said: str) -> None:
    code, out, err = type_in(*words)

    assert code == 2
    assert said in err
    assert "Traceback" not in out + err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", CSV.replace("2026-11-02T08:00:00Z,2026", "yesterday,2026"), "order o2"),
        ("b.csv", CSV.replace("net_fen", "net_yuan"), "net_yuan"),
        ("c.csv", CSV.replace("49900,true,true,2026", "49.9,true,true,2026"), "order o3"),
        ("d.csv", CSV.replace("o5,D,,2026-11-05", "o5,D,,2026-10-05"), "ORDERS_UNSORTED order_id=o5"),
        ("e.csv", CSV.replace("19900\n", "49901\n"), "ORDER_INVALID order_id=o3"),
        ("f.csv", CSV.replace("o5,D", "o1,D"), "ORDER_INVALID order_id=o1"),
        ("g.jsonl", "\n" + '{"order_id": "o1"}', "g.jsonl:2"),
        ("h.jsonl", "order", "h.jsonl:1"),
    ],
)
def test_a_record_that_cannot_be_read_is_named_by_its_line_or_order(
    name: str, content: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    code, out, err = type_in("simulate", "unlock", "--orders", str(tmp_path / name))

    assert code == 2
    assert said in err.replace("\n", "")
    assert "Traceback" not in out + err
