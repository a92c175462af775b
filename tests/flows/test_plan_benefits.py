"""Plans without cash, through the functions: the coupon of an `unlock` plan, and the free order with its revocation."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.errors import ConflictError
from cardstock.flows import order_changes_wiring
from cardstock.flows import wiring as flows_wiring
from cardstock.ledger import wiring as ledger_wiring
from cardstock.network import wiring as network_wiring
from cardstock.network.counting import count_order
from cardstock.network.coupons import count_verified
from cardstock.network.plan import Plan
from cardstock.network.presets import FREE_ORDER, UNLOCK
from cardstock.orders import fulfilment
from cardstock.orders import wiring as orders_wiring
from functions.members.api import app as members_api
from functions.orders.api import app as orders_api
from functions.orders.on_change import app as on_order_event
from functions.orders.sweep import app as sweep_expired
from tests.house import faults
from tests.house.cloud import Context, http_event, queue_event
from tests.house.interleave import every_way, some_ways
from tests.people.audits import audit_now
from tests.people.payment_channel import PaymentChannel
from tests.people.shop import Shop
from tests.people.tokens import access_token
from tests.people.trade import line

RECEIVER = {"name": "王小明", "phone": "13800138000", "address": "上海市静安区南京西路1266号"}
A, B, C, D = (f"mem_{letter * 26}" for letter in "abcd")


def call(app: Any, method: str, path: str, member_id: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    token = access_token(member_id)
    answer = app.handler(http_event(method, path, body, token=token, **options), Context())
    return answer["statusCode"], json.loads(answer["body"])


def place_of(member_id: str) -> Any:
    return call(members_api, "GET", "/v1/me/distribution", member_id)[1]


def quote(member_id: str, coupon: str | None, **units: int) -> tuple[int, Any]:
    lines = [{"sku": sku, "units": count} for sku, count in (units or {"sku1": 1}).items()]
    body = {"lines": lines, **({"coupon": coupon} if coupon else {})}
    network_wiring.plans.cache_clear()  # In a process of its own it has read no plan yet.
    return call(orders_api, "POST", "/v1/quotes", member_id, body)


def place(member_id: str, token: str, key: str = "k1") -> tuple[int, Any]:
    return call(orders_api, "POST", "/v1/orders", member_id, {"quote": token, "receiver": RECEIVER}, key=key)


def under(shop: Shop, plan: Plan) -> None:
    shop.trade.publish(plan)


def stock(shop: Shop) -> int:
    return sum(int(item["stock"]["N"]) for item in shop.cloud.items("products"))


@pytest.fixture(autouse=True)
def channel(shop: Shop) -> PaymentChannel:
    """Nobody has paid anything there, and every refund goes through."""
    return shop.channel


@pytest.fixture
def friends(shop: Shop) -> tuple[Shop, dict[str, str]]:
    """A has bought, and so have B and C, whom A brought: A's third order is free."""
    under(shop, FREE_ORDER)
    shop.trade.member(B, A)
    shop.trade.member(C, A)
    bought = {member_id: shop.trade.buy(member_id) for member_id in (A, B, C)}
    shop.trade.settle_down()
    for number in (1, 2):  # the catalogue's item of the wares that the shop sells
        shop.cloud.dynamodb.update_item(
            TableName="products",
            Key={"pk": {"S": f"sku{number}"}},
            UpdateExpression="SET supplier_id = :s, #n = :n, qualifying = :t, earns = :t, stock = :k, price_fen = :p, "
            "active = :t, held = if_not_exists(held, :z), updated_at = :z, inventory_version = :z",
            ExpressionAttributeNames={"#n": "name"},
            ExpressionAttributeValues={
                ":s": {"S": f"sup_{number}"}, ":n": {"S": f"Ware {number}"}, ":t": {"BOOL": True},
                ":k": {"N": "100000"}, ":z": {"N": "0"}, ":p": {"N": "49900"},
            },
        )  # fmt: skip
    return shop, bought


def use(shop: Shop, **units: int) -> str:
    """A's free order, placed through the handlers."""
    coupon = place_of(A)["coupon"]
    status, placed = place(A, quote(A, coupon, **units)[1]["quote"])
    assert status == 201, placed
    shop.trade.settle_down()
    return str(placed["order_id"])


def withdraw_friend(shop: Shop, bought: dict[str, str]) -> None:
    """B's money goes back."""
    shop.trade.refund(bought[B], sku1=1)
    shop.trade.settle_down()


def test_with_two_friends_who_paid_the_third_order_is_free_once(friends: tuple[Shop, dict[str, str]]) -> None:
    shop, _ = friends
    before = place_of(B)
    told = place_of(A)
    _, offer = quote(A, told["coupon"])
    _, other = quote(A, told["coupon"])
    status, placed = place(A, offer["quote"])
    again = place(A, offer["quote"])
    second = place(A, other["quote"], key="k2")
    shop.trade.settle_down()
    order = orders_wiring.orders().find_order(placed["order_id"])
    late = quote(A, told["coupon"])

    assert (before["unlocked"], before["coupon"]) == (False, None)
    assert (told["unlocked"], told["coupon"], told["coupon_fen"]) == (True, f"benefit.{A}.1", 49_900)
    assert (offer["amount_fen"], offer["lines"][0]["price_fen"], offer["lines"][0]["net_fen"]) == (0, 49_900, 0)
    assert (status, placed["amount_fen"]) == (201, 0)
    assert again == (201, placed)
    assert (second[0], second[1]["code"]) == (409, "COUPON_USED")
    assert (late[0], late[1]["code"]) == (422, "COUPON_UNKNOWN")
    assert order is not None
    assert (order.status, order.channel) == ("paid", "coupon")
    assert orders_wiring.orders().find_supplier_orders(order.order_id, order.supplier_ids).keys() == {"sup_1"}
    # Nobody earns on what nobody paid, and it counts for nobody.
    assert shop.trade.balances() == {}
    after = place_of(A)
    assert after["counted"] == 2
    # The coupon is used: it is not offered again.
    assert (after["unlocked"], after["coupon"], after["coupon_fen"]) == (True, None, None)


def test_a_free_order_above_the_plans_price_costs_the_rest_and_a_coupon_comes_back_with_a_cancelled_order(
    friends: tuple[Shop, dict[str, str]],
) -> None:
    coupon = place_of(A)["coupon"]
    _, offer = quote(A, coupon, sku1=1, sku2=2)
    _, placed = place(A, offer["quote"])
    paying = orders_wiring.orders().find_order(placed["order_id"])
    in_use = quote(A, coupon)
    offered = [place_of(A)["coupon"]]
    call(orders_api, "POST", f"/v1/orders/{placed['order_id']}/cancellations", A)
    freed = quote(A, coupon)
    offered += [place_of(A)["coupon"]]

    assert offered == [None, coupon]
    # 49 900 off 149 700, by value: 16 633.33 and 33 266.67, largest remainder.
    assert [each["net_fen"] for each in offer["lines"]] == [49_900 - 16_633, 99_800 - 33_267]
    assert offer["amount_fen"] == 99_800
    assert paying is not None
    assert paying.status == "placed"
    assert in_use[1]["code"] == "COUPON_UNKNOWN"
    assert freed[0] == 200


def test_an_order_that_expires_gives_its_coupon_back(friends: tuple[Shop, dict[str, str]]) -> None:
    shop, _ = friends
    coupon = place_of(A)["coupon"]
    place(A, quote(A, coupon, sku1=2)[1]["quote"])
    shop.clock.move(hours=1)
    swept = sweep_expired.handler(
        {"scheduled_at": shop.clock.now().isoformat().replace("+00:00", "Z")}, Context(remaining_ms=60_000)
    )

    assert swept["expired"] == 1
    assert quote(A, coupon)[0] == 200


def test_somebody_elses_benefit_and_one_that_nobody_has_are_no_coupon(friends: tuple[Shop, dict[str, str]]) -> None:
    for member_id, coupon in ((B, f"benefit.{A}.1"), (A, f"benefit.{A}.2"), (D, f"benefit.{D}.1")):
        assert quote(member_id, coupon)[1]["code"] == "COUPON_UNKNOWN"
    assert quote(A, "benefit.anybody")[0] == 400


def test_a_friend_who_refunds_before_it_is_used_undoes_the_free_order(friends: tuple[Shop, dict[str, str]]) -> None:
    shop, bought = friends
    coupon = place_of(A)["coupon"]
    _, offer = quote(A, coupon)
    withdraw_friend(shop, bought)
    status, problem = place(A, offer["quote"])

    assert place_of(A)["unlocked"] is False
    assert (status, problem["code"]) == (409, "COUPON_USED")
    assert quote(A, coupon)[1]["code"] == "COUPON_UNKNOWN"


def test_a_friend_who_refunds_before_shipping_takes_the_free_order_back(friends: tuple[Shop, dict[str, str]]) -> None:
    shop, bought = friends
    order_id = use(shop)
    before = stock(shop)
    withdraw_friend(shop, bought)
    order = orders_wiring.orders().find_order(order_id)

    assert order is not None
    assert [each.refunded_units for each in order.lines] == [1]
    assert orders_wiring.orders().find_supplier_orders(order_id, ("sup_1",))["sup_1"].status == "cancelled"
    assert stock(shop) == before + 2  # the friend's unit, and the free one
    assert shop.trade.balances() == {}
    assert audit_now().findings == ()


def test_a_friend_who_refunds_after_shipping_makes_the_free_order_a_debt_once(
    friends: tuple[Shop, dict[str, str]],
) -> None:
    shop, bought = friends
    order_id = use(shop)
    shop.trade.receive(order_id)
    shop.trade.settle_down()
    withdraw_friend(shop, bought)
    records = [record for record in shop.trade.take("ledger") if "owed" in json.dumps(record)]
    shop.trade.refund(bought[C], sku1=1)
    shop.trade.settle_down()
    transaction = ledger_wiring.books().find_transaction(f"owed.benefit.{A}.1")

    assert shop.trade.balances() == {A: (0, -49_900)}
    assert ledger_wiring.books().balance_of(A).debt == 49_900
    assert transaction is not None
    assert (transaction.order_id, transaction.kind) == (order_id, "owed")
    assert len(records) == 1
    assert audit_now().findings == ()


def test_who_gives_his_own_purchase_back_loses_the_free_order(friends: tuple[Shop, dict[str, str]]) -> None:
    shop, bought = friends
    order_id = use(shop)
    shop.trade.refund(bought[A], sku1=1)
    shop.trade.settle_down()
    order = orders_wiring.orders().find_order(order_id)

    assert place_of(A)["unlocked"] is False
    assert order is not None
    assert [each.refunded_units for each in order.lines] == [1]


def test_of_two_suppliers_what_has_left_is_owed_and_the_rest_comes_back(
    friends: tuple[Shop, dict[str, str]],
) -> None:
    shop, bought = friends
    order_id = use(shop, sku1=1, sku2=1)
    order = orders_wiring.orders().find_order(order_id)
    assert order is not None
    shop.trade.pay(order_id)
    fulfilment.report_shipment("sup_1", order_id, "SF", "1", "s1", orders=orders_wiring.orders())
    shop.trade.settle_down()
    withdraw_friend(shop, bought)
    after = orders_wiring.orders().find_order(order_id)
    assert after is not None

    # Half of the coupon lies on each line of 49 900: half of it is owed; the other line's 24 950 go back to A.
    assert shop.trade.balances() == {A: (0, -24_950)}
    assert [(each.net_fen, each.refunded_units) for each in after.lines] == [(24_950, 0), (24_950, 1)]
    assert audit_now().findings == ()


def test_what_the_buyer_returned_himself_is_not_owed(friends: tuple[Shop, dict[str, str]]) -> None:
    shop, bought = friends
    order_id = use(shop)
    shop.trade.receive(order_id)
    shop.trade.refund(order_id, sku1=1)
    shop.trade.settle_down()
    withdraw_friend(shop, bought)

    assert shop.trade.balances() == {}
    assert audit_now().findings == ()


@pytest.mark.parametrize("returned_before", [0, 1, 2])
def test_what_the_buyer_returns_is_not_owed_whenever_he_returns_it(
    friends: tuple[Shop, dict[str, str]], returned_before: int
) -> None:
    shop, bought = friends
    order_id = use(shop, sku1=3)
    shop.trade.pay(order_id)
    shop.trade.receive(order_id)
    shop.trade.settle_down()
    for step in range(3):
        if step == returned_before:
            withdraw_friend(shop, bought)
        if step < 2:
            shop.trade.refund(order_id, sku1=1)
            shop.trade.settle_down()
    after_two = shop.trade.balances()
    findings = audit_now().findings
    shop.trade.refund(order_id, sku1=1)
    shop.trade.settle_down()

    # A third of the coupon's 49 900 stays owed with the unit that stays; the two shares are rounded as one.
    assert after_two == {A: (0, -49_900 + 33_267)}
    assert findings == ()
    assert {member: money for member, money in shop.trade.balances().items() if any(money)} == {}
    assert audit_now().findings == ()


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
@pytest.mark.parametrize("shipped", [True, False])
def test_undoing_that_is_hit_at_any_call_ends_the_same(
    friends: tuple[Shop, dict[str, str]], shipped: bool, mode: faults.Mode
) -> None:
    shop, bought = friends
    order_id = use(shop)
    if shipped:
        shop.trade.receive(order_id)
        shop.trade.settle_down()
    shop.trade.refund(bought[B], sku1=1)
    records = [r for r in shop.trade.order_records() if r["dynamodb"]["NewImage"]["st"]["S"] == "succeeded"]
    event = queue_event("order-events", *records)
    before = shop.cloud.snapshot()

    def undo() -> bool:
        return not on_order_event.handler(event, Context())["batchItemFailures"]

    with faults.watch() as calls:
        assert undo()
    wanted = shop.cloud.state()

    assert any("owed." in json.dumps(item) for item in wanted["ledger"]) is shipped
    for index, call_ in enumerate(calls):
        if not call_.startswith("dynamodb."):
            continue
        before.restore()
        with faults.at(index, mode):
            faults.survive(undo)
        assert undo()

        assert shop.cloud.state() == wanted, (mode, index, call_)


def test_two_orders_with_one_coupon_at_once_are_one_order(friends: tuple[Shop, dict[str, str]]) -> None:
    shop, _ = friends
    first, second = (quote(A, place_of(A)["coupon"])[1]["quote"] for _ in range(2))
    before = shop.cloud.snapshot()
    ends = set()
    for run in every_way(
        lambda: [lambda: place(A, first, key="k1")[0], lambda: place(A, second, key="k2")[0]], before.restore
    ):
        ends.add(run.ends)

        assert sorted(run.ends) == [201, 409], run
    assert len(ends) == 2


def test_an_order_and_the_undoing_of_its_coupon_at_once_end_in_no_free_order(
    friends: tuple[Shop, dict[str, str]],
) -> None:
    shop, bought = friends
    offer = quote(A, place_of(A)["coupon"])[1]["quote"]
    shop.trade.refund(bought[B], sku1=1)
    refunded = queue_event("order-events", *shop.trade.order_records())
    before, placed = shop.cloud.snapshot(), set()
    for run in some_ways(
        lambda: [lambda: place(A, offer)[0], lambda: len(on_order_event.handler(refunded, Context()))],
        before.restore,
        12,
    ):
        placed.add(run.ends[0])
        made = [
            orders_wiring.orders().find_order(item["pk"]["S"]) for item in shop.cloud.items("orders") if item.get("c")
        ]
        left = [line for order in made if order for line in order.lines if line.refunded_units < line.units]

        assert left == [], run
        assert len(made) == (run.ends[0] == 201), run
    assert placed == {201, 409}


def test_a_parcel_that_leaves_while_its_coupon_is_undone_is_owed_or_comes_back(
    friends: tuple[Shop, dict[str, str]],
) -> None:
    shop, bought = friends
    order_id = use(shop)
    shop.trade.refund(bought[B], sku1=1)
    refunded = orders_wiring.orders().find_order(bought[B])
    assert refunded is not None
    facts = flows_wiring.rules().facts(refunded, orders_wiring.orders().refunds_of_order(bought[B]))
    moved = count_order(facts, network=network_wiring.network(), plans=network_wiring.plans())

    def leave() -> str:
        try:
            fulfilment.report_shipment("sup_1", order_id, "SF", "1", "s1", orders=orders_wiring.orders())
        except ConflictError:
            return "kept"
        return "left"

    before, ends = shop.cloud.snapshot(), set()
    for run in some_ways(
        lambda: [leave, lambda: order_changes_wiring.coupon_revocation().revoke_coupons(moved)], before.restore, 40
    ):
        order = orders_wiring.orders().find_order(order_id)
        assert order is not None
        ends.add(run.ends[0])

        assert order.lines[0].refunded_units == (run.ends[0] == "kept"), run
        assert shop.trade.balances().get(A, (0, 0)) == (0, -49_900 if run.ends[0] == "left" else 0), run
    assert ends == {"left", "kept"}


def test_two_verified_referrals_unlock_a_coupon_that_is_taken_off_one_order(shop: Shop) -> None:
    under(shop, replace(UNLOCK, id="unlock_spring"))
    way = []
    for member_id in (B, C):
        shop.trade.member(member_id, A)
        way.append(place_of(A)["verified_referrals"])
        count_verified(member_id, network=network_wiring.network())
    told = place_of(A)
    shop.trade.place(D, line(1))  # puts the ware on the shelf
    shop.cloud.dynamodb.update_item(
        TableName="products", Key={"pk": {"S": "sku1"}},
        UpdateExpression="SET supplier_id = :s, #n = :s, qualifying = :t, earns = :t, updated_at = :z, "
        "inventory_version = :z",
        ExpressionAttributeNames={"#n": "name"},
        ExpressionAttributeValues={":s": {"S": "sup_1"}, ":t": {"BOOL": True}, ":z": {"N": "0"}},
    )  # fmt: skip
    _, offer = quote(A, told["coupon"])
    _, placed = place(A, offer["quote"])
    shop.trade.pay(placed["order_id"])
    again = quote(A, told["coupon"])

    assert [*way, told["verified_referrals"]] == [0, 1, 2]
    assert (told["unlocked"], told["coupon"], told["coupon_fen"]) == (True, f"benefit.{A}.1", 2_000)
    assert offer["amount_fen"] == 49_900 - 2_000
    assert again[1]["code"] == "COUPON_UNKNOWN"
    assert orders_wiring.coupon_uses().find_use(told["coupon"]).order_id == placed["order_id"]
