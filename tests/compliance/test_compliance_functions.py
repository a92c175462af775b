"""Compliance through the functions: a held reward from payment to release, an alarm from the night to the payout."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.compliance import wiring as compliance_wiring
from cardstock.compliance.alarms import raise_alarms
from cardstock.compliance.model import Lift, Subtree
from cardstock.compliance.store import stopped
from cardstock.edge.schedule import UnfinishedError
from cardstock.flows import paying_out_wiring
from cardstock.members import wiring as members_wiring
from cardstock.members.consent_model import FIRST
from cardstock.members.identity import verify_person
from cardstock.members.model import Account, Member
from cardstock.orders import payment
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.payment_model import PaymentNotice
from cardstock.payouts.payees import Balance, refusal
from functions.compliance.api import app as compliance_api
from functions.compliance.nightly_check import app as nightly_check
from functions.ledger.api import app as commissions_api
from functions.orders.on_change import app as on_order_event
from tests.house import faults
from tests.house.cloud import ROOT, Context, http_event, queue_event
from tests.people.arrivals import register
from tests.people.finance import Finance
from tests.people.memory_counts import uncounted
from tests.people.shop import Shop
from tests.people.staff import person, serve_confirmed, staff_key
from tests.people.tokens import access_token
from tests.people.trade import line

NUMBER = "11010519491231002X"
REFUSALS = {
    "bad_lift_without_reason": (400, "BODY_INVALID"),
    "bad_lift_of_nothing": (404, "NOT_FOUND"),
    "bad_lift_of_no_alarm": (404, "NOT_FOUND"),
    "bad_day_of_no_calendar": (400, "QUERY_INVALID"),
    "bad_forged_key": (401, "KEY_INVALID"),
}


@pytest.fixture
def team(shop: Shop) -> Shop:
    """R is an appointed partner; A was brought by R, and B by A."""
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    shop.trade.member("mem_b", "mem_a")
    return shop


def key(*scopes: str, name: str = "Li Na") -> str:
    return staff_key(name, *(scopes or ("payouts:read", "payouts:approve")))


def call(method: str, path: str, resource: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    token = options.pop("token", None) or key()
    event = http_event(method, path, body, resource=resource, token=token, **options)
    answer = serve_confirmed(event, lambda sent: compliance_api.handler(sent, Context()))
    return answer["statusCode"], json.loads(answer["body"])


def holds(**options: Any) -> Any:
    return call("GET", "/v1/reward-holds", "/v1/reward-holds", **options)[1]


def lift(order_id: str, reason: str = "发票已核对", **options: Any) -> tuple[int, Any]:
    return call(
        "POST", f"/v1/reward-holds/{order_id}/lifts", "/v1/reward-holds/{order_id}/lifts", {"reason": reason}, **options
    )


def explained(order_id: str) -> bool:
    """Whether R, who earns on the order, sees that the reward is held; the reason is not shown."""
    path = "/v1/me/commissions/{order_id}"
    event = http_event("GET", path.format(order_id=order_id), resource=path, token=access_token("mem_r"))
    return bool(json.loads(commissions_api.handler(event, Context())["body"])["held"])


def buy(shop: Shop, member_id: str, payer: str = "", device: str = "", units: int = 1) -> str:
    """An order paid through the channel's notice, which says with whose account and on what device."""
    order_id = shop.trade.place(member_id, line(1, units=units))
    shop.clock.move(seconds=1)
    order = orders_wiring.orders().find_order(order_id)
    assert order is not None
    notice = PaymentNotice(
        "sandbox", order_id, f"t_{order_id}", order.amount_fen, "CNY", shop.clock.now(), payer, device
    )
    payment.record_payment(notice, orders=orders_wiring.orders())
    shop.trade.settle_down()
    return order_id


def received(shop: Shop, *order_ids: str) -> None:
    for order_id in order_ids:
        shop.trade.receive(order_id)
    shop.trade.settle_down()


def night(shop: Shop, days: int = 1) -> dict[str, Any]:
    shop.clock.set((shop.clock.now() + timedelta(days=days)).replace(hour=16, minute=30))
    return shop.trade.night()


def test_a_reward_on_a_purchase_that_the_promoter_paid_himself_waits_for_finance(team: Shop) -> None:
    own = buy(team, "mem_a", payer="wechat:wx1:a")
    order_id = buy(team, "mem_b", payer="wechat:wx1:a")
    credited = team.trade.balances()
    received(team, own, order_id)
    first = night(team, days=9)
    second = night(team)
    (held,) = holds()["items"]
    status, lifted = lift(order_id)
    again = lift(order_id, "anything")
    third = night(team)

    # A's own order pays R 30 000; B's pays A 10 000 and R 20 000, credited like any other and kept frozen.
    assert credited == {"mem_a": (10_000, 0), "mem_r": (50_000, 0)}
    assert (first["settled"], first["held"], second["settled"], second["held"]) == (1, 1, 0, 0)
    assert (held["order_id"], held["reasons"], held["members"], held["lifted"]) == (
        order_id, ["same_payer"], ["mem_a"], None,
    )  # fmt: skip
    assert held["text"] == "付款账户与他人订单或推广员相同"
    assert (status, lifted["lifted"]["reason"]) == (200, "发票已核对")
    assert again == (200, lifted)
    assert (third["settled"], third["held"]) == (1, 0)
    assert team.trade.balances() == {"mem_a": (0, 10_000), "mem_r": (0, 50_000)}


def test_an_earlier_order_of_the_same_payer_is_found_out_before_it_is_released(team: Shop) -> None:
    team.trade.member("mem_c", "mem_a")
    first, second = buy(team, "mem_b", payer="p", device="d"), buy(team, "mem_c", payer="p", device="d")
    at_accrual = [hold["order_id"] for hold in holds()["items"]]
    received(team, first, second)
    answer = night(team, days=9)

    assert at_accrual == [second]
    assert (answer["settled"], answer["held"]) == (0, 2)
    assert [hold["reasons"] for hold in holds()["items"]] == [["same_payer", "same_device"]] * 2
    assert holds(query={"limit": "1"})["next_cursor"]


def test_stocking_up_is_held_and_a_hold_lifted_before_the_receipt_delays_nothing(team: Shop) -> None:
    order_id = buy(team, "mem_b", units=11)
    (held,) = holds()["items"]
    told = [explained(order_id)]
    lift(order_id)
    told.append(explained(order_id))
    received(team, order_id)
    answer = night(team, days=9)

    assert held["reasons"] == ["stocking_up"]
    assert told == [True, False]
    assert (answer["settled"], answer["held"]) == (1, 0)
    assert holds()["items"][0]["lifted"]["by"]


def test_two_accounts_of_one_verified_person_are_one_person(team: Shop) -> None:
    for name in ("mem_a", "mem_b"):
        member = Member(name, f"dev:app:{name}", team.clock.now())
        register(members_wiring.members(), member, Account("dev", "app", name))
        verify_person(
            name,
            "王小明",
            NUMBER,
            uncounted,
            members=members_wiring.members(),
            verifier=members_wiring.identity_verifier(),
            versions=FIRST,
        )
    buy(team, "mem_a")
    buy(team, "mem_b")

    assert [(hold["reasons"], hold["members"]) for hold in holds()["items"]] == [(["same_person"], ["mem_a"])]


def test_a_refund_of_a_held_order_takes_the_reward_back_as_always(team: Shop) -> None:
    order_id = buy(team, "mem_b", units=11)
    team.trade.refund(order_id, sku1=11)
    team.trade.settle_down()

    assert team.trade.balances() == {}
    assert lift(order_id)[0] == 200


def test_only_finance_sees_and_lifts(team: Shop) -> None:
    order_id = buy(team, "mem_b", units=11)

    assert lift(order_id, token=key("payouts:read"))[1]["code"] == "SCOPE_MISSING"
    assert lift(order_id, " ")[1]["code"] == "BODY_INVALID"
    assert call("GET", "/v1/compliance-alarms", "/v1/compliance-alarms", token=key("plans:publish"))[0] == 403
    assert holds()["items"][0]["lifted"] is None


# Every day


def grow(shop: Shop, people: int) -> None:
    """R brings A, A brings `people` members; the last of them buys."""
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    for number in range(people):
        shop.trade.member(f"mem_w{number:02d}", "mem_a")
    buy(shop, f"mem_w{people - 1:02d}")


def look(shop: Shop) -> dict[str, Any]:
    return nightly_check.handler({"scheduled_at": "2026-12-01T17:00:00Z"}, Context(remaining_ms=900_000))


def ask_to_lift(alarm_id: str, token: str) -> tuple[int, Any]:
    path = "/v1/compliance-alarms/{alarm_id}/lifts"
    return call("POST", path.format(alarm_id=alarm_id), path, {"reason": "律师意见已归档"}, token=token)


def test_a_subtree_that_the_law_looks_at_is_not_paid_out_until_two_people_have_lifted_it(shop: Shop) -> None:
    shop.clock.set(datetime(2026, 12, 1, 3, tzinfo=UTC))
    grow(shop, 28)
    shop.clock.set(datetime(2026, 12, 1, 17, tzinfo=UTC))
    first, again = look(shop), look(shop)
    (alarm,) = call("GET", "/v1/compliance-alarms", "/v1/compliance-alarms")[1]["items"]
    one, same, two = key(name="Li Na"), key(name="Li Na"), key(name="Ms Zhao")
    stops = [stopped(["mem_r", "mem_a", "mem_x"])]
    answers = []
    for token in (one, same, two):
        answers.append(ask_to_lift(alarm["alarm_id"], token)[1])
        stops.append(stopped(["mem_r", "mem_a", "mem_x"]))

    assert first == again == {"members": 29, "outside_bps": 10_000, "alarms": 1}
    assert (alarm["alarm_id"], alarm["people"], alarm["levels"], alarm["earning"]) == ("mem_r.1", 30, 3, 1)
    # Only R was paid for the order: A is a plain member, to whom nothing can be paid out.
    assert stops == [{"mem_r"}, {"mem_r"}, {"mem_r"}, frozenset()]
    assert [answer["lifted"] is None for answer in answers] == [True, True, False]
    assert answers[2]["asked"]["reason"] == "律师意见已归档"
    assert answers[2]["asked"]["by"] != answers[2]["lifted"]["by"]
    assert look(shop)["alarms"] == 0


def test_whoever_is_stopped_is_left_out_of_payouts_and_nobody_else(shop: Shop) -> None:
    shop.trade.member("mem_x")
    grow(shop, 28)
    for name in ("mem_r", "mem_x"):
        member = Member(name, f"dev:app:{name}", shop.clock.now())
        register(members_wiring.members(), member, Account("dev", "app", name))
    before = paying_out_wiring.payees()(["mem_r", "mem_x"], shop.clock.now())
    look(shop)
    after = paying_out_wiring.payees()(["mem_r", "mem_x"], shop.clock.now())

    assert {name: payee.hold for name, payee in before.items()} == {"mem_r": False, "mem_x": False}
    assert {name: payee.hold for name, payee in after.items()} == {"mem_r": True, "mem_x": False}
    assert [refusal(after[name], Balance(name, 5_000)) for name in ("mem_r", "mem_x")] == ["hold", "unverified"]


def test_a_smaller_network_raises_no_alarm(shop: Shop) -> None:
    grow(shop, 27)

    assert look(shop)["alarms"] == 0


def test_the_share_of_sales_to_people_who_promote_nothing_is_told_and_warned_of(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.clock.set(datetime(2026, 12, 1, 3, tzinfo=UTC))
    shop.trade.member("mem_b", "mem_a")
    buy(shop, "mem_a")  # has brought B
    buy(shop, "mem_b")
    buy(shop, "mem_a")  # a distributor by now
    shop.clock.set(datetime(2026, 12, 1, 17, tzinfo=UTC))
    answer = look(shop)
    status, told = call("GET", "/v1/compliance-sales", "/v1/compliance-sales")

    assert answer["outside_bps"] == 3333
    assert '"OutsideSalesLow"' in capsys.readouterr().out
    assert (status, told) == (200, {
        "until": "2026-12-01", "sales_fen": 3 * 49_900, "outside_fen": 49_900, "outside_bps": 3333, "floor_bps": 5000,
        "warns": True,
    })  # fmt: skip


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
def test_a_night_that_is_hit_at_any_call_stops_the_same_people(shop: Shop, mode: faults.Mode) -> None:
    grow(shop, 28)
    shop.clock.set(datetime(2026, 12, 1, 17, tzinfo=UTC))
    before = shop.cloud.snapshot()
    with faults.watch() as calls:
        look(shop)
    wanted = shop.cloud.state()

    assert len(calls) > 5
    for index in range(len(calls)):
        before.restore()
        with faults.at(index, mode):
            faults.survive(lambda: look(shop))
        look(shop)

        assert shop.cloud.state() == wanted, (mode, index)


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
def test_a_payment_that_is_hit_at_any_call_is_held_and_credited_the_same(team: Shop, mode: faults.Mode) -> None:
    order_id = team.trade.place("mem_b", line(1, units=11))
    team.trade.pay(order_id)
    records = [r for r in team.trade.order_records() if r["dynamodb"]["NewImage"]["st"]["S"] == "paid"]
    event = queue_event("order-events", *records)
    before = team.cloud.snapshot()

    def consume() -> Any:
        return on_order_event.handler(event, Context())["batchItemFailures"]

    with faults.watch() as calls:
        assert consume() == []
    wanted = team.cloud.state()

    assert any(item["pk"]["S"] == "hold" for item in wanted["compliance"])
    for index, name in enumerate(calls):
        if name.startswith("dynamodb."):
            before.restore()
            with faults.at(index, mode):
                faults.survive(consume)
            assert consume() == []

            assert team.cloud.state() == wanted, (mode, index, name)


def test_of_two_who_lift_at_once_one_is_told_to_look_again(shop: Shop) -> None:
    grow(shop, 28)
    look(shop)
    alarms = compliance_wiring.alarms()
    (alarm,), _ = alarms.list_alarms(10, None)
    one, other = (
        replace(alarm, state="lift_requested", requested=Lift(person(name), alarm.at, "seen"), version=2)
        for name in ("Ms Zhao", "Mr Chen")
    )

    assert alarms.save_alarm(one) is True
    assert alarms.save_alarm(other) is False
    assert ask_to_lift("mem_r.1", key())[1]["lifted"] is not None


def test_without_time_to_read_the_network_nothing_is_said_about_it(shop: Shop) -> None:
    grow(shop, 3)

    with pytest.raises(UnfinishedError):
        nightly_check.handler({"scheduled_at": "2026-12-01T17:00:00Z"}, Context(remaining_ms=1_000))
    assert compliance_wiring.alarms().closed_days(date(2026, 11, 1), date(2026, 12, 31)) == []


TICKS = sorted((ROOT / "events/compliance/nightly_check").glob("*.json"))
REQUESTS = sorted((ROOT / "events/compliance/api").glob("*.json"))


@pytest.mark.parametrize("path", TICKS, ids=lambda path: path.stem)
def test_a_kept_tick_runs_or_is_refused(shop: Shop, path: Path) -> None:
    shop.publish_plan()
    event = json.loads(path.read_text("utf-8"))
    if path.stem.startswith("bad_"):
        with pytest.raises(ValueError, match=r".+"):
            nightly_check.handler(event, Context(remaining_ms=900_000))
    else:
        assert nightly_check.handler(event, Context(remaining_ms=900_000))["alarms"] == 0


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_a_kept_request_is_answered_as_its_name_says(shop: Shop, path: Path) -> None:
    event = json.loads(path.read_text("utf-8").replace("FINANCE_KEY", key()))
    answer = compliance_api.handler(event, Context())
    told = json.loads(answer["body"])

    if path.stem.startswith("bad_"):
        assert (answer["statusCode"], told["code"]) == REFUSALS[path.stem]
    else:
        assert answer["statusCode"] == 200, told


def test_a_payout_lists_nobody_who_is_stopped_and_drops_who_was_stopped_since(finance: Finance) -> None:
    stopped_before, stopped_after, free = (finance.member(index, 5_000) for index in (1, 2, 3))
    subtrees = [Subtree(member, 40, 3, (member,)) for member in (stopped_before, stopped_after)]
    raise_alarms(subtrees[:1], alarms=compliance_wiring.alarms())
    finance.tick()
    finance.drain()
    listed = set(finance.lines())
    raise_alarms(subtrees, alarms=compliance_wiring.alarms())
    finance.approve()
    finance.drain()
    lines = finance.lines()

    assert listed == {stopped_after, free}
    assert (lines[stopped_after]["status"], lines[stopped_after]["reason"]) == ("dropped", "hold")
    assert lines[free]["status"] == "sent"
    assert finance.balance(stopped_after)["available"] == 5_000
