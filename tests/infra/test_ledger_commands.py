"""`ledger verify` and `ledger explain`, on a shop that has lived: what is wrong is named, exactly."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from cardstock.aws.tables import Transaction
from cardstock.ledger.payout_steps import claimed, paid, returned
from cardstock.ledger.store import post
from cardstock.orders import wiring
from cardstock.payouts.line_store import LineItem
from infra.commands.cli import app
from infra.commands.language import language, yuan
from tests.house import faults
from tests.people.shop import Shop
from tests.people.trade import line


@pytest.fixture
def lived(shop: Shop) -> Shop:
    """Orders that paid up to three people; refunds before and after the release; one payout paid, one returned."""
    shop.trade.appoint("mem_p")
    shop.trade.member("mem_r", "mem_p")
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    shop.trade.member("mem_b", "mem_a")
    shop.trade.member("mem_x")
    first = shop.trade.buy("mem_a", line(1, units=2), line(2, units=3, price=700, qualifying=False))
    shop.trade.settle_down()
    second = shop.trade.buy("mem_b", line(1, units=3, price=33_333))
    shop.trade.settle_down()
    alone = shop.trade.buy("mem_x")
    shop.trade.refund(second, sku1=1)
    shop.trade.receive(first)
    shop.trade.receive(second)
    shop.trade.settle_down()
    shop.clock.move(days=9)
    shop.trade.night()
    shop.trade.refund(first, sku1=1, sku2=1)
    shop.trade.settle_down()
    for number, end in (("n1", paid("n1", "mem_r", 900, 100, shop.clock.now())),
                        ("n2", returned("n2", "mem_r", 1_000, shop.clock.now()))):  # fmt: skip
        with Transaction() as transaction:
            post(transaction, claimed(number, "mem_r", 1_000, shop.clock.now()), covered=True)
        with Transaction() as transaction:
            post(transaction, end)
        LineItem(
            pk="pay_202612", sk=f"line#{number}", member="mem_r", attempt=1, listed=1_000, gross=1_000,
            status="paid" if number == "n1" else "failed", tax=100, net=900,
        ).save()  # fmt: skip
    shop.orders = {"first": first, "second": second, "alone": alone}
    return shop


def verify() -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["ledger", "verify", "--json"])
    return done.exit_code, json.loads(done.stdout)


def named(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding["item"], finding["check"]) for finding in report["findings"]}


def test_a_shop_that_has_lived_verifies(lived: Shop) -> None:
    status, report = verify()

    assert report["findings"] == []
    assert (status, report["verified"]) == (0, True)
    assert (report["orders"], report["transfers"], report["transactions"]) == (3, 2, 10)
    totals = report["totals_fen"]
    assert totals["accrued"] - totals["clawed"] == sum(
        totals[name] for name in ("frozen", "available", "paying", "paid", "withheld")
    ) - totals["debt"]  # fmt: skip
    assert (totals["paid"], totals["withheld"]) == (900, 100)


def test_people_can_read_it(lived: Shop) -> None:
    done = CliRunner().invoke(app, ["ledger", "verify"], env={"COLUMNS": "200"})

    assert done.exit_code == 0
    assert "10 transactions" in done.stdout
    assert "verified" in done.stdout


def edit(lived: Shop, table: str, key: dict[str, str], change: Callable[[dict[str, Any]], object]) -> None:
    """What nobody has the right to do."""
    wanted = {name: {"S": value} for name, value in key.items()}
    item = lived.cloud.dynamodb.get_item(TableName=table, Key=wanted)["Item"]
    lived.cloud.dynamodb.delete_item(TableName=table, Key=wanted)
    if change(item) is not False:
        lived.cloud.dynamodb.put_item(TableName=table, Item=item)


def test_a_changed_amount_is_named(lived: Shop) -> None:
    accrual = f"accrue.{lived.orders['first']}"

    def more(item: dict[str, Any]) -> None:
        item["postings"]["S"] = item["postings"]["S"].replace("60000", "60001")

    edit(lived, "ledger", {"pk": accrual}, more)
    status, report = verify()

    assert status == 1
    assert (f"ledger/{accrual}", "wrong_amounts") in named(report)
    assert {item for item, _ in named(report)} <= {
        f"ledger/{accrual}", f"ledger/release.{lived.orders['first']}", "balances/mem_r",
    }  # fmt: skip


def test_one_side_of_a_changed_amount_is_unbalanced(lived: Shop) -> None:
    def less(item: dict[str, Any]) -> None:
        item["postings"]["S"] = item["postings"]["S"].replace("-1000", "-999")

    edit(lived, "ledger", {"pk": "claim.n1"}, less)

    assert {("ledger/claim.n1", "unbalanced"), ("ledger/claim.n1", "wrong_amounts")} <= named(verify()[1])


@pytest.mark.parametrize("kind", ["accrue", "claw", "release", "claim", "payout", "payout-failed"])
def test_a_deleted_entry_is_named(kind: str, lived: Shop) -> None:
    victim = next(item["pk"]["S"] for item in lived.cloud.items("ledger") if item["pk"]["S"].startswith(f"{kind}."))

    members = people(lived, victim)
    edit(lived, "ledger", {"pk": victim}, lambda _: False)
    status, report = verify()

    assert status == 1
    # That a release is missing shows in the row and in the balances: only the clock knows that it was due.
    item = f"rewards/{victim.removeprefix('release.')}" if kind == "release" else f"ledger/{victim}"
    found = {item for item, _ in named(report)}
    assert item in found
    # Beside it only what was reckoned with it: its order's other entries and row, and its people's balances.
    assert {each for each in found if each.startswith("ledger/")} <= {
        item, f"ledger/release.{victim.partition('.')[2]}", *(f"ledger/release.{o}" for o in lived.orders.values()),
    }  # fmt: skip
    assert {each for each in found if each.startswith("balances/")} == {f"balances/{member}" for member in members}


def people(lived: Shop, entry: str) -> set[str]:
    """Who has money in an entry."""
    item = lived.cloud.dynamodb.get_item(TableName="ledger", Key={"pk": {"S": entry}})["Item"]
    return {name.split(":")[1] for name, *_ in json.loads(item["postings"]["S"]) if name.startswith("member:")}


def test_two_swapped_entries_are_named(lived: Shop) -> None:
    one, other = (f"accrue.{lived.orders[name]}" for name in ("first", "second"))
    items = {item["pk"]["S"]: item for item in lived.cloud.items("ledger")}
    for key, source in ((one, other), (other, one)):
        lived.cloud.dynamodb.put_item(TableName="ledger", Item={**items[source], "pk": {"S": key}})

    found = named(verify()[1])

    assert {(f"ledger/{one}", "wrong_id"), (f"ledger/{other}", "wrong_id")} <= found
    entries = {item for item, _ in found if item.startswith("ledger/accrue.")}
    assert entries == {f"ledger/{one}", f"ledger/{other}"}
    assert {check for item, check in found if item in entries} == {"wrong_id"}


def test_an_invented_entry_is_unexplained(lived: Shop) -> None:
    with Transaction() as transaction:
        post(transaction, returned("n9", "mem_r", 1_000_000, lived.clock.now()))

    assert named(verify()[1]) == {("ledger/payout-failed.n9", "unexplained")}


def test_a_changed_balance_is_named(lived: Shop) -> None:
    edit(lived, "balances", {"pk": "mem_p"}, lambda item: item["available"].update({"N": "1"}))
    status, report = verify()

    assert (status, named(report)) == (1, {("balances/mem_p", "wrong_balance")})


def test_a_changed_row_is_named(lived: Shop) -> None:
    row = {"pk": lived.orders["first"], "sk": "rewards"}
    edit(lived, "rewards", row, lambda item: item["state"].update({"S": "frozen"}))

    assert named(verify()[1]) == {(f"rewards/{lived.orders['first']}", "wrong_row")}


def test_a_shop_that_sells_meanwhile_is_looked_at_again_where_a_look_found_something(lived: Shop) -> None:
    def look() -> tuple[int, int]:
        with faults.watch() as calls:
            done = CliRunner().invoke(app, ["ledger", "verify", "--json", "--apart", "0"])
        return done.exit_code, calls.count("dynamodb.Scan")

    well = look()
    lived.trade.buy("mem_a")  # paid, and nobody has booked it yet
    on_its_way = look()
    lived.trade.settle_down()

    assert (well[0], on_its_way) == (0, (1, 3 * well[1]))
    assert look() == well


def test_a_deleted_row_is_named(lived: Shop) -> None:
    edit(lived, "rewards", {"pk": lived.orders["first"], "sk": "rewards"}, lambda _: False)

    assert named(verify()[1]) == {(f"rewards/{lived.orders['first']}", "missing")}


def test_a_paid_order_and_a_refund_that_nobody_booked_are_named(lived: Shop) -> None:
    order_id = lived.trade.buy("mem_a")
    before = named(verify()[1])
    lived.trade.settle_down()
    refund_id = lived.trade.refund(order_id, sku1=1)
    between = named(verify()[1])
    lived.trade.settle_down()

    assert before == {(f"ledger/accrue.{order_id}", "missing")}
    assert between == {(f"ledger/claw.{refund_id}", "missing")}
    assert verify()[0] == 0


def test_an_order_changed_afterwards_is_named_by_its_entries(lived: Shop) -> None:
    order = wiring.orders().find_order(lived.orders["second"])
    assert order is not None

    def other_referrer(item: dict[str, Any]) -> None:
        item["n"]["S"] = item["n"]["S"].replace("mem_a", "mem_z")

    edit(lived, "orders", {"pk": order.order_id, "sk": "order"}, other_referrer)

    assert (f"ledger/accrue.{order.order_id}", "wrong_amounts") in named(verify()[1])


def test_the_sums_are_shown_in_full_on_a_narrow_screen(lived: Shop) -> None:
    shown = CliRunner().invoke(app, ["ledger", "verify"], env={"COLUMNS": "40"})

    accrued = verify()[1]["totals_fen"]["accrued"]
    assert re.search(rf"accrued\W+{re.escape(yuan(accrued))}\b", shown.stdout)
    assert "…" not in shown.stdout


def test_an_order_is_explained(lived: Shop) -> None:
    done = CliRunner().invoke(app, ["ledger", "explain", lived.orders["second"], "--json"])
    shown = CliRunner().invoke(app, ["ledger", "explain", lived.orders["second"]], env={"COLUMNS": "80"})
    unknown = CliRunner().invoke(app, ["ledger", "explain", "ord_none"])
    alone = CliRunner().invoke(app, ["ledger", "explain", lived.orders["alone"]])

    told = json.loads(done.stdout)
    assert (told["plan"], told["state"]) == ("chain21@1", "available")
    assert [(r["reward"], r["member_id"], r["rule"], r["rest"]) for r in told["rewards"]] == [
        ("direct", "mem_a", "direct_distributor", 20_000),
        ("team", "mem_r", "team", 40_000),
        ("peer", "mem_p", "peer_bps", 4_000),
    ]
    assert [(other["what"], other["value"], other["amount"]) for other in told["rewards"][0]["otherwise"]] == [
        ("role", "member", 0),
        ("role", "partner", 90_000),
    ]
    assert "direct_distributor" in shown.stdout
    assert "…" not in shown.stdout
    assert "referral reward: As a partner when the order was placed: 900.00 yuan" in shown.stdout
    assert (unknown.exit_code, unknown.stdout.strip()) == (1, "ord_none was not found")
    assert (alone.exit_code, alone.stdout.splitlines()[0]) == (0, f"{lived.orders['alone']} credited nobody")
    assert "no referral reward: " in alone.stdout


def test_the_commands_speak_the_language_of_the_shell_or_of_the_option(lived: Shop) -> None:
    order_id = lived.orders["second"]
    chinese = CliRunner().invoke(app, ["ledger", "explain", order_id], env={"LANG": "zh_CN.UTF-8", "COLUMNS": "100"})
    english = CliRunner().invoke(app, ["--language", "en", "ledger", "verify"], env={"LANG": "zh_CN.UTF-8"})
    sums = CliRunner().invoke(app, ["--language", "zh", "ledger", "verify"])

    assert "推荐奖励: 若下单时身份为合伙人: 900.00 元" in chinese.stdout
    assert "200.00" in chinese.stdout
    assert "20000" not in chinese.stdout
    assert "verified" in english.stdout
    assert "一致" in sums.stdout
    assert "待结算" in sums.stdout
    assert language({"LC_ALL": "en_GB.UTF-8", "LANG": "zh_CN.UTF-8"}) == "en"
    assert language({"LANG": "C"}) == "en"
    assert language({"LANG": "zh_TW"}) == "zh"
