"""What every store of orders and of coupon uses guarantees: the one in DynamoDB and the one in memory."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.attribution import Attribution
from cardstock.catalog.model import Variant
from cardstock.catalog.store import DynamoVariants
from cardstock.errors import CardstockError, RefusedError
from cardstock.ids import RequestKey, new_id
from cardstock.open_items.clearing import new_item
from cardstock.orders.change_model import Finding, Step, StockChange
from cardstock.orders.coupon_model import CouponUse
from cardstock.orders.coupon_store import DynamoCouponUses
from cardstock.orders.model import FreightPart, Order, OrderLine, Receiver
from cardstock.orders.ports import CouponUses, Orders
from cardstock.orders.refund_model import Refund, RefundLine
from cardstock.orders.store import DynamoOrders
from cardstock.orders.supplier_model import Parcel, SupplierLine, SupplierOrder
from tests.people.goods import Goods, publish_goods
from tests.people.marks import MARKER
from tests.people.memory_orders import MemoryCouponUses, MemoryOrders

CONTRACT = {
    Orders: (MemoryOrders, DynamoOrders),
    CouponUses: (MemoryCouponUses, DynamoCouponUses),
}

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
ID = new_id("ord", AT)
BUYER = new_id("mem", AT)
COUPON = "benefit.mem_a.1"
ORDER = Order(
    order_id=ID,
    member_id=BUYER,
    status="placed",
    lines=(
        OrderLine(1, "lamp", "LAMP", 2, 900, 1_700, "sup_a", qualifying=True, earns=False),
        OrderLine(2, "cup", "CUP", 3, 100, 300, "sup_b", qualifying=False, earns=True),
    ),
    amount_fen=2_000,
    receiver=Receiver("王小明", "13800138000", "上海市"),
    attribution=None,
    snapshot={"p": "chain21@1"},
    placed_at=AT,
)
FULL = replace(
    ORDER,
    receiver=replace(ORDER.receiver, region="310106"),
    attribution=Attribution("crd_1", "", "viw_1", "mem_1"),
    paid_at=AT,
    channel="sandbox",
    transaction_no="t1",
    payer="payer_1",
    device="device_1",
    shipped_at=AT,
    received_at=AT,
    closed_at=AT,
    coupon=COUPON,
    app="wechat:wx1",
    open_until=AT,
    funds_expected_at=AT,
    funds_freed_at=AT,
    paid_by="coupon",
    instalments=6,
    agreement="agr_" + "a" * 26,
    pay_at=2,
    returned_payments=("sandbox:t0",),
    done_suppliers=("sup_a", "sup_b"),
    freight_refunded=True,
    freight_parts=(FreightPart("sup_a", 300), FreightPart("sup_b", 200, True)),
    lines=(replace(ORDER.lines[0], refunded_units=1, refunded_fen=850), replace(ORDER.lines[1], set_aside_units=2)),
    status="completed",
)
PART = SupplierOrder(
    supplier_id="sup_a",
    order_id=ID,
    status="open",
    lines=(SupplierLine("lamp", "LAMP", 2),),
    receiver=ORDER.receiver,
    created_at=AT,
)
REFUND = Refund(
    refund_id="rfd_1",
    order_id=ID,
    member_id=BUYER,
    kind="return",
    status="requested",
    amount_fen=850,
    lines=(RefundLine(1, "lamp", 1, 850, restock=True), RefundLine(2, "cup", 1, 0)),
    reason="broken",
    channel="sandbox",
    transaction_no="t1",
    total_fen=2_000,
    requested_at=AT,
)


class Store:
    """One store: orders, coupon uses, and the stock of a SKU as (can be sold, held)."""

    def __init__(self, orders: Orders, uses: CouponUses, find_product: Callable[[str], Variant | None]) -> None:
        self.orders = orders
        self.uses = uses
        self._find_product = find_product

    def stock(self, sku: str = "lamp") -> tuple[int, int]:
        product = self._find_product(sku)
        assert product is not None
        return product.stock, product.held

    def add(self, order: Order = ORDER, *parts: SupplierOrder, name: str = "1", fingerprint: str = "f") -> str | None:
        return self.orders.add_order(order, RequestKey(f"req_{name}", fingerprint), parts)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Store:
    goods = [
        Goods("lamp", "LAMP", "sup_a", 900, True, False, True, 10),
        Goods("cup", "CUP", "sup_b", 100, False, True, True, 10),
        Goods("gone", "GONE", "sup_b", 100, False, True, False, 10),
    ]
    if request.param == "memory":
        uses = MemoryCouponUses()
        orders = MemoryOrders(
            [Variant(g.sku, g.name, g.supplier_id, g.price_fen, True, True, g.active, 10, 0, -1, AT) for g in goods],
            uses,
        )
        return Store(orders, uses, orders.products.get)
    request.getfixturevalue("cloud")
    publish_goods(goods, AT)
    return Store(DynamoOrders(MARKER), DynamoCouponUses(), DynamoVariants().find_variant)


@pytest.mark.parametrize("order", [ORDER, FULL])
def test_an_order_comes_back_as_it_was_stored(order: Order, store: Store) -> None:
    assert store.add(order) is None
    assert store.orders.find_order(ID) == order
    assert store.orders.find_order("ord_unknown") is None


def test_an_order_reserves_its_stock_and_uses_its_coupon(store: Store) -> None:
    store.add(replace(ORDER, coupon=COUPON), PART)

    assert (store.stock(), store.stock("cup")) == ((8, 2), (7, 3))
    assert store.uses.find_use(COUPON) == CouponUse(COUPON, "used", ID)
    assert store.orders.find_supplier_orders(ID, ("sup_a", "sup_b")) == {"sup_a": PART}


def test_a_repeated_request_finds_its_order_and_changes_nothing(store: Store) -> None:
    store.add()
    again = store.add(replace(ORDER, order_id=new_id("ord", AT)))

    assert (again, store.stock()) == (ID, (8, 2))
    assert store.orders.order_id_of_request(RequestKey("req_1", "f")) == ID
    assert store.orders.order_id_of_request(RequestKey("req_2", "f")) is None
    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        store.add(fingerprint="other")
    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        store.orders.order_id_of_request(RequestKey("req_1", "other"))


@pytest.mark.parametrize(
    ("line", "code", "facts"),
    [
        ({"price_fen": 901}, "PRICE_CHANGED", {"skus": ["lamp"]}),
        ({"sku": "gone", "price_fen": 100}, "PRICE_CHANGED", {"skus": ["gone"]}),
        ({"sku": "nothing"}, "PRICE_CHANGED", {"skus": ["nothing"]}),
        ({"units": 11}, "STOCK_SHORT", {"lines": [{"sku": "lamp", "available": 10}]}),
    ],
)
def test_a_refused_order_writes_nothing(line: dict[str, Any], code: str, facts: dict[str, Any], store: Store) -> None:
    order = replace(ORDER, lines=(replace(ORDER.lines[0], **line), ORDER.lines[1]), coupon=COUPON)
    with pytest.raises(CardstockError) as refused:
        store.add(order, PART)

    assert (refused.value.code, refused.value.facts) == (code, facts)
    assert (store.orders.find_order(ID), store.stock("cup")) == (None, (10, 0))
    assert store.uses.find_use(COUPON) == CouponUse(COUPON)
    assert store.orders.order_id_of_request(RequestKey("req_1", "f")) is None


def test_a_used_or_revoked_coupon_places_no_order(store: Store) -> None:
    store.add(replace(ORDER, coupon=COUPON))
    store.uses.revoke_unused("benefit.mem_a.2")

    for coupon in (COUPON, "benefit.mem_a.2"):
        with pytest.raises(CardstockError, match="COUPON_USED"):
            store.add(replace(ORDER, order_id=new_id("ord", AT), coupon=coupon), name="2")


def test_a_step_is_stored_whole_or_not_at_all(store: Store) -> None:
    store.add(replace(ORDER, coupon=COUPON))
    cancelled = replace(ORDER, status="cancelled", closed_at=AT, version=2)
    step = Step(
        orders=(cancelled,),
        refunds=(REFUND,),
        supplier_orders=(PART,),
        stock=(StockChange("lamp", 2, -2),),
        freed_coupons=((COUPON, ID),),
    )
    stale = replace(step, refunds=(replace(REFUND, version=2),))
    of_another = replace(step, freed_coupons=((COUPON, "ord_other"),))
    refused = [store.orders.store_step(each) for each in (stale, of_another)]
    before = (store.stock(), store.orders.find_refund(ID, "rfd_1"), store.uses.find_use(COUPON).state)
    stored = store.orders.store_step(step)

    assert (refused, before) == ([False, False], ((8, 2), None, "used"))
    assert (stored, store.stock(), store.uses.find_use(COUPON).state) == (True, (10, 0), "unused")
    assert store.orders.find_order(ID) == cancelled
    assert store.orders.find_supplier_orders(ID, ("sup_a",)) == {"sup_a": PART}
    assert store.orders.store_step(step) is False


def test_refunds_come_back_oldest_first_and_are_open_until_they_succeed(store: Store) -> None:
    older = replace(
        REFUND, refund_id="rfd_2", kind="goodwill", granted_by="stf_1", asked_by="stf_2", fingerprint="f", sequence=3,
        requested_at=AT - timedelta(hours=1),
    )  # fmt: skip
    store.orders.store_step(Step(refunds=(REFUND, older)))
    both = sorted(store.orders.open_refunds())
    done = replace(older, status="succeeded", succeeded_at=AT, version=2)
    store.orders.store_step(Step(refunds=(done,)))

    assert both == [(ID, "rfd_1"), (ID, "rfd_2")]
    assert list(store.orders.open_refunds()) == [(ID, "rfd_1")]
    assert store.orders.refunds_of_order(ID) == (done, REFUND)
    assert store.orders.find_refund(ID, "rfd_2") == done


def test_a_refused_refund_is_not_open_for_its_channel_and_comes_back_as_people_ended_it(store: Store) -> None:
    store.orders.store_step(Step(refunds=(REFUND,)))
    refused = replace(REFUND, status="refused", refused_at=AT, version=2)
    store.orders.store_step(Step(refunds=(refused,)))
    waiting = list(store.orders.open_refunds())
    ended = [
        replace(refused, status="given_up", given_up_at=AT, version=3),
        replace(
            refused,
            status="succeeded",
            succeeded_at=AT,
            place=7,
            paid_another_way=True,
            freight_of=("sup_a",),
            version=4,
        ),
    ]

    assert waiting == []
    for each in ended:
        assert store.orders.store_step(Step(refunds=(each,)))
        assert store.orders.find_refund(ID, "rfd_1") == each


def test_an_open_item_is_stored_with_its_step_or_neither_is(store: Store) -> None:
    stated: dict[str, Any] = {"amount_fen": 850, "currency": "CNY", "member_id": BUYER, "facts": {"order_id": ID}}
    found = Finding(kind="refund_refused", cause="rfd_1", subject="rfd_1", **stated)
    item = new_item("refund_refused", "rfd_1", "rfd_1", **stated)
    opened = [store.orders.store_step(Step(refunds=(REFUND,), findings=(found,))) for _ in range(2)]
    cleared = replace(item, state="cleared", version=2)
    later = replace(REFUND, status="refused", refused_at=AT, version=2)
    stale = store.orders.store_step(Step(refunds=(later,), changed_items=(replace(cleared, version=3),)))
    kept = store.orders.find_refund(ID, "rfd_1")
    done = [store.orders.store_step(Step(refunds=(later,), changed_items=(cleared,))) for _ in range(2)]

    assert (opened, stale, done) == ([True, False], False, [True, False])
    assert (kept, store.orders.find_refund(ID, "rfd_1")) == (REFUND, later)


def test_a_supplier_order_comes_back_as_it_was_stored(store: Store) -> None:
    sent = replace(
        PART,
        status="delivered",
        last_event="delivered",
        parcels=(Parcel("evt_1", "SF", "SF1", AT), Parcel("evt_2", "SF", "SF2", AT + timedelta(milliseconds=1))),
        lines=(SupplierLine("lamp", "LAMP", 2, 1),),
        shipped_at=AT,
        delivered_at=AT,
        reduced_at=AT,
        version=2,
    )
    store.orders.store_step(Step(supplier_orders=(PART,)))
    store.orders.store_step(Step(supplier_orders=(sent,)))

    assert store.orders.find_supplier_orders(ID, ("sup_a", "sup_b")) == {"sup_a": sent}


def test_pages_are_newest_first_for_members_and_oldest_first_for_suppliers(store: Store) -> None:
    ids = [new_id("ord", AT + timedelta(seconds=number)) for number in range(3)]
    for number, order_id in enumerate(ids):
        store.add(replace(ORDER, order_id=order_id, placed_at=AT + timedelta(seconds=number)), name=str(number))
        store.orders.store_step(Step(supplier_orders=(replace(PART, order_id=order_id),)))
    mine, after = store.orders.orders_of_member(BUYER, 2, None)
    rest, end = store.orders.orders_of_member(BUYER, 2, after)
    theirs, following = store.orders.orders_of_supplier("sup_a", 2, None)
    last, none = store.orders.orders_of_supplier("sup_a", 2, following)

    assert ([order.order_id for order in (*mine, *rest)], end) == (ids[::-1], None)
    assert ([part.order_id for part in (*theirs, *last)], none) == (ids, None)
    assert store.orders.orders_of_member("mem_other", 2, None) == ([], None)


def test_an_unpaid_order_is_due_after_half_an_hour_until_it_is_paid(store: Store) -> None:
    store.add()
    due = [list(store.orders.due_orders(AT + timedelta(minutes=minutes))) for minutes in (30, 31)]
    store.orders.store_step(Step(orders=(replace(ORDER, status="paid", paid_at=AT, version=2),)))

    assert due == [[], [ID]]
    assert list(store.orders.due_orders(AT + timedelta(minutes=31))) == []


def test_an_unused_coupon_is_revoked_and_a_used_one_is_not(store: Store) -> None:
    store.add(replace(ORDER, coupon=COUPON))
    revoked = [store.uses.revoke_unused("benefit.mem_a.2") for _ in range(2)]

    assert revoked == [CouponUse("benefit.mem_a.2", "revoked")] * 2
    assert store.uses.revoke_unused(COUPON) == CouponUse(COUPON, "used", ID)


@pytest.mark.parametrize(("fen", "state"), [(700, "owed"), (0, "revoked")])
def test_the_first_end_of_a_use_holds(fen: int, state: Any, store: Store) -> None:
    store.add(replace(ORDER, coupon=COUPON))
    of_another = store.uses.close_use(COUPON, "ord_other", 500)
    closed = [store.uses.close_use(COUPON, ID, each) for each in (fen, 900)]

    assert of_another == CouponUse(COUPON, "used", ID)
    assert closed == [CouponUse(COUPON, state, ID, fen)] * 2
    assert store.uses.revoke_unused(COUPON).state == state


def test_the_full_order_has_no_field_at_its_default() -> None:
    defaults = dict(zip(FULL.__struct_fields__[::-1], FULL.__struct_defaults__[::-1], strict=False))

    assert {name for name, value in defaults.items() if getattr(FULL, name) == value} == {"version"}
