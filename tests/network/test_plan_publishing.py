"""`plan publish` and `plan list`: what the command puts in force is what orders are placed under and the API shows."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from cardstock.network import wiring as network_wiring
from cardstock.network.plan import Check
from cardstock.network.presets import PRESETS
from cardstock.network.publishing import approve_plan, get_plan
from cardstock.orders import wiring as orders_wiring
from infra.commands.cli import app
from tests.house.cloud import Cloud
from tests.people.shop import Shop
from tests.people.staff import person

CHECKS: tuple[Check, ...] = ("levels", "peer", "fee", "cap", "head_count")


def type_in(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["plan", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout or done.stderr


def published(*words: str, actor: str = "Li Na") -> tuple[int, Any]:
    code, out = type_in("publish", *words, "--actor", actor, "--json")
    return code, json.loads(out)


def approve(name: str) -> None:
    """Have the person of this name approve what the check asks of the plan `spring`."""
    draft = replace(PRESETS["chain21"], id="spring")
    for check in CHECKS:
        approve_plan(draft, check, "opinion on file", person(name), plans=network_wiring.plans())


@pytest.fixture(autouse=True)
def fresh(cloud: Cloud) -> None:
    network_wiring.plans.cache_clear()


@pytest.fixture
def spring(tmp_path: Path) -> Path:
    path = tmp_path / "spring.json"
    path.write_text(json.dumps({"preset": "chain21", "id": "spring"}), encoding="utf-8")
    return path


def test_a_plan_is_published_superseded_and_listed_and_no_version_ever_changes(cloud: Cloud, spring: Path) -> None:
    first_code, first = published("single_level")
    approve("Zhao Min")
    kept = cloud.items("plans")
    second_code, second = published(str(spring), actor=person("Li Na"))
    again_code, again = published(str(spring), actor=person("Li Na"))
    third_code, third = published("single_level")
    listed = json.loads(type_in("list", "--json")[1])

    assert (first_code, second_code, again_code, third_code) == (0, 0, 0, 0)
    assert (first["published"]["plan"], first["new"], first["replaced"]) == ("single_level@1", True, None)
    assert (second["published"]["plan"], second["replaced"]) == ("spring@1", "single_level@1")
    assert (again["published"], again["new"], again["replaced"]) == (second["published"], False, None)
    assert (third["published"]["plan"], third["replaced"]) == ("single_level@2", "spring@1")
    assert listed["in_force"] == "single_level@2"
    assert [plan["plan"] for plan in listed["plans"]] == ["single_level@1", "single_level@2", "spring@1"]
    assert {approval["approver"] for approval in listed["plans"][2]["approvals"]} == {person("Zhao Min")}
    assert listed["plans"][0]["published_by"] == "Li Na"
    assert [item for item in cloud.items("plans") if item in kept] == kept


def test_a_plan_that_lacks_approvals_is_refused_with_each_clause_and_nothing_is_written(cloud: Cloud) -> None:
    code, told = published("chain21")
    shown_code, shown = type_in("publish", "chain21", "--actor", "Li Na")

    assert (code, shown_code, told["published"]) == (1, 1, None)
    assert [finding["check"] for finding in told["findings"]] == ["levels", "peer", "fee", "cap", "head_count"]
    assert all(finding["clause"] in shown and finding["passes"] in shown for finding in told["findings"])
    assert cloud.items("plans") == []


@pytest.mark.parametrize("actor", ["Li Na", "Zhao Min"])
def test_a_plan_that_needs_approvals_is_published_by_another_person_with_an_id(
    actor: str, cloud: Cloud, spring: Path
) -> None:
    approve("Zhao Min")
    by_name, _ = published(str(spring), actor=actor)
    by_id, answer = published(str(spring), actor=person(actor))

    assert (by_name, by_id) == (1, 0 if actor == "Li Na" else 1)
    assert (answer["published"] is None) == (actor == "Zhao Min")


def test_a_file_that_names_approvers_is_not_published(cloud: Cloud, spring: Path) -> None:
    approvals = [{"check": check, "approver": "Ms Zhao", "reason": "opinion on file"} for check in CHECKS]
    spring.write_text(json.dumps({"preset": "chain21", "id": "spring", "approvals": approvals}), encoding="utf-8")

    assert type_in("publish", str(spring), "--actor", person("Li Na")) == (
        2, "approvals: persons give them with their own keys, POST /v1/commission-plans/approvals\n",
    )  # fmt: skip
    assert cloud.items("plans") == []


def test_what_cannot_be_published_is_said(cloud: Cloud, tmp_path: Path) -> None:
    assert type_in("publish", "ponzi", "--actor", "Li Na")[0] == 2
    assert type_in("publish", "unlock", "--actor", " ") == (2, "--actor: a name is needed\n")
    (tmp_path / "odd.json").write_text('{"preset": "unlock", "cap_bps": -1}', encoding="utf-8")
    assert type_in("publish", str(tmp_path / "odd.json"), "--actor", "Li Na")[0] == 2
    assert cloud.items("plans") == []


def test_orders_are_placed_under_what_the_command_published_and_keep_it(shop: Shop) -> None:
    before = shop.trade.place("mem_x")
    published("single_level")
    after = shop.trade.place("mem_x")
    plans = []
    for order_id in (before, after):
        order = orders_wiring.orders().find_order(order_id)
        assert order is not None
        plans.append(order.snapshot["p"])

    assert plans == ["chain21@1", "single_level@1"]
    assert get_plan("chain21", 1, plans=network_wiring.plans()).ref == "chain21@1"


def test_people_read_what_happened_in_a_line_and_a_table(cloud: Cloud) -> None:
    assert type_in("publish", "unlock", "--actor", "Li Na") == (0, "unlock@1 is in force\n")
    assert type_in("publish", "free_order", "--actor", "Li Na") == (0, "free_order@1 is in force instead of unlock@1\n")
    assert "free_order@1" in type_in("list")[1]
