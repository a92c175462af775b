"""The states of orders, supplier orders, refunds, coupon uses and payment agreements.

Charts are data, and verbs make no other step.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock import orders as area
from cardstock.catalog.model import Variant
from cardstock.clock import SystemClock, brand_day, set_clock
from cardstock.errors import CardstockError
from cardstock.ids import RequestKey
from cardstock.orders.agreement_model import AGREEMENT_TRANSITIONS, Agreement, AgreementState, Bounds
from cardstock.orders.agreements import (
    AgreementNeeds,
    ChargeNeeds,
    ask_agreement,
    charge_order,
    end_agreement,
    record_state,
)
from cardstock.orders.change_model import Step
from cardstock.orders.coupon_model import COUPON_TRANSITIONS, CouponUse
from cardstock.orders.coupons import revoke_coupon
from cardstock.orders.fulfilment import confirm_receipt, report_delivery, report_shipment
from cardstock.orders.model import NO_FREIGHT, ORDER_TRANSITIONS, Order, Receiver, RequestedUnits
from cardstock.orders.payment import expire_due, record_payment
from cardstock.orders.payment_model import PaymentNotice
from cardstock.orders.placement import QuoteNeeds, cancel_order, make_quote, place_order
from cardstock.orders.refund_ends import close_refused, finish_refunds
from cardstock.orders.refund_model import REFUND_TRANSITIONS, RefusedEnd
from cardstock.orders.refunds import accept_return, grant_goodwill, request_refund
from cardstock.orders.supplier_model import SUPPLIER_ORDER_TRANSITIONS, SupplierOrder
from tests.house.charts import steps_in, steps_of
from tests.people.clock import TestClock
from tests.people.memory_orders import (
    MemoryAgreements,
    MemoryChannel,
    MemoryCharges,
    MemoryCoupons,
    MemoryCouponUses,
    MemoryNetwork,
    MemoryOrders,
)

CHARTS: Mapping[str, Mapping[Any, Set[Any]]] = {
    "An order": ORDER_TRANSITIONS,
    "A supplier order": SUPPLIER_ORDER_TRANSITIONS,
    "A refund": REFUND_TRANSITIONS,
    "The use of a coupon": COUPON_TRANSITIONS,
    "A payment agreement": AGREEMENT_TRANSITIONS,
}
BUYER = "mem_a"
NO_AGREEMENT = Agreement("agr_0", BUYER, "sandbox", "dev:wx1", "ended", 1, 1, datetime.min, datetime.min)  # noqa: DTZ901
COUPON = "benefit.mem_a.1"
AT = datetime(2026, 12, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize("thing", CHARTS)
def test_the_chart_in_the_docstring_is_the_data(thing: str) -> None:
    chart = re.search(rf"^{thing}:\n\n(.*?)\n\n", area.__doc__ or "", re.MULTILINE | re.DOTALL)

    assert chart is not None
    assert {(step.before, step.after) for step in steps_in(chart[0])} == steps_of(CHARTS[thing])


class WatchedUses(MemoryCouponUses):
    """Coupon uses that call `note` after each change."""

    def __init__(self, note: Callable[[], None]) -> None:
        super().__init__()
        self._note = note

    def revoke_unused(self, coupon_id: str) -> CouponUse:
        use = super().revoke_unused(coupon_id)
        self._note()
        return use

    def close_use(self, coupon_id: str, order_id: str, fen: int) -> CouponUse:
        use = super().close_use(coupon_id, order_id, fen)
        self._note()
        return use


class WatchedAgreements(MemoryAgreements):
    """Agreements that say when one was stored."""

    def __init__(self, note: Callable[[], None]) -> None:
        super().__init__()
        self._note = note

    def store_agreement(self, agreement: Agreement) -> bool:
        stored = super().store_agreement(agreement)
        self._note()
        return stored


class WatchedOrders(MemoryOrders):
    """Orders that remember each step from one state to another, by what made it."""

    def __init__(self) -> None:
        self.steps: dict[str, set[tuple[str, str]]] = {thing: set() for thing in CHARTS}
        products = [Variant(sku, sku, f"sup_{sku}", 100, True, True, True, 50, 0, -1, AT) for sku in ("a", "b")]
        super().__init__(products, WatchedUses(self.note))
        self.agreements = WatchedAgreements(self.note)
        self._before = self._states()

    def add_order(self, order: Order, request: RequestKey, supplier_orders: Sequence[SupplierOrder] = ()) -> str | None:
        earlier = super().add_order(order, request, supplier_orders)
        self.note()
        return earlier

    def store_step(self, step: Step) -> bool:
        stored = super().store_step(step)
        self.note()
        return stored

    def note(self) -> None:
        """Compare what is stored with the last look."""
        after = self._states()
        for key, state in after.items():
            before = self._before.get(key, "unused" if key[0] == "The use of a coupon" else state)
            if before != state:
                self.steps[key[0]].add((before, state))
        self._before = after

    def _states(self) -> dict[tuple[str, Any], str]:
        return {
            **{("An order", key): order.status for key, order in self.orders.items()},
            **{("A supplier order", key): each.status for key, each in self.supplier_orders.items()},
            **{("A refund", key): refund.status for key, refund in self.refunds.items()},
            **{("A payment agreement", key): each.status for key, each in self.agreements.stored.items()},
            **{("The use of a coupon", key): use.state for key, use in self.uses.uses.items()},
        }


class Life:
    """One order in memory, and everything that can happen to it; refusals are part of life."""

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.orders = WatchedOrders()
        self.channel = MemoryChannel()
        self._count = 0

    def run(self, *happenings: str) -> None:
        """Let these methods happen, one after the other."""
        for happening in happenings:
            self.clock.move(seconds=1)
            self._count += 1
            with suppress(CardstockError):
                getattr(self, happening)()

    @property
    def last(self) -> Order:
        """The order that was placed last."""
        return max(self.orders.orders.values(), key=lambda order: order.order_id)

    def _key(self) -> RequestKey:
        return RequestKey(f"req_{self._count}", "f")

    def _place(self, fen: int, coupon_id: str | None) -> None:
        coupons = MemoryCoupons().grant(BUYER, COUPON, fen)
        needs = QuoteNeeds(self.orders, MemoryNetwork(), NO_FREIGHT, lambda: coupons)
        quote = make_quote(needs, BUYER, [RequestedUnits("a", 2), RequestedUnits("b", 1)], None, coupon_id)
        receiver = Receiver("n", "1", "a")
        place_order(BUYER, quote, receiver, self._key(), orders=self.orders, network=MemoryNetwork())

    def place(self) -> None:
        self._place(0, None)

    def place_with_coupon(self) -> None:
        self._place(50, COUPON)

    def place_free(self) -> None:
        self._place(10_000, COUPON)

    def pay(self) -> None:
        notice = PaymentNotice(
            "sandbox", self.last.order_id, f"t{self._count}", self.last.amount_fen, "CNY", self.clock.now()
        )
        record_payment(notice, orders=self.orders)

    @property
    def _agreeing(self) -> AgreementNeeds:
        return AgreementNeeds(self.orders.agreements, self._channels, lambda: Bounds(20_000, 50_000))

    @property
    def _agreement(self) -> Agreement:
        return max(self.orders.agreements.stored.values(), key=lambda each: each.agreement_id, default=NO_AGREEMENT)

    def ask_agreement(self) -> None:
        ask_agreement(BUYER, "dev:wx1", "sandbox", Bounds(20_000, 50_000), self._agreeing)

    def sign(self) -> None:
        self.channel.signed.add(self._agreement.agreement_id)
        state = AgreementState(self._agreement.agreement_id, "signed", "c1")
        record_state(state, "sandbox", agreements=self.orders.agreements)

    def terminate(self) -> None:
        self.channel.ended.add(self._agreement.agreement_id)
        state = AgreementState(self._agreement.agreement_id, "ended")
        record_state(state, "sandbox", agreements=self.orders.agreements)

    def end_agreement(self) -> None:
        end_agreement(BUYER, self._agreement.agreement_id, self._agreeing)

    def end_agreement_unanswered(self) -> None:
        self.channel.answers = False
        try:
            self.end_agreement()
        finally:
            self.channel.answers = True

    def charge(self) -> None:
        needs = ChargeNeeds(self.orders, self._agreeing, self._channels)
        charge_order(BUYER, "dev:wx1", self.last.order_id, self._agreement.agreement_id, needs)

    def charge_without_money(self) -> None:
        self.channel.short = True
        try:
            self.charge()
        finally:
            self.channel.short = False

    def charge_unanswered(self) -> None:
        self.channel.answers = False
        try:
            self.charge()
        finally:
            self.channel.answers = True

    def cancel(self) -> None:
        channels = {"sandbox": self.channel}
        cancel_order(BUYER, self.last.order_id, orders=self.orders, channels=channels)

    def expire(self) -> None:
        self.clock.move(minutes=31)
        channels = {"sandbox": self.channel}
        expire_due(self.clock.now(), orders=self.orders, channels=channels, time_left=lambda: True)

    def ship_a(self) -> None:
        report_shipment("sup_a", self.last.order_id, "SF", "1", f"e{self._count}", orders=self.orders)

    def ship_b(self) -> None:
        report_shipment("sup_b", self.last.order_id, "SF", "1", f"e{self._count}", orders=self.orders)

    def deliver_a(self) -> None:
        report_delivery("sup_a", self.last.order_id, orders=self.orders)

    def receive(self) -> None:
        confirm_receipt(BUYER, self.last.order_id, orders=self.orders)

    def refund_a(self) -> None:
        units = [RequestedUnits("a", 1)]
        request_refund(BUYER, self.last.order_id, units, "r", self._key(), orders=self.orders)

    def refund_b(self) -> None:
        units = [RequestedUnits("b", 1)]
        request_refund(BUYER, self.last.order_id, units, "r", self._key(), orders=self.orders)

    def return_a(self) -> None:
        units = [RequestedUnits("a", 1)]
        accept_return("stf_1", self.last.order_id, units, "came back", self._key(), orders=self.orders)

    def goodwill(self) -> None:
        grant_goodwill("stf_1", self.last.order_id, 10, "late", self._key(), orders=self.orders)

    def send_refunds(self) -> None:
        finish_refunds(orders=self.orders, channels=self._channels, time_left=lambda: True)

    @property
    def _channels(self) -> dict[str, MemoryChannel]:
        return {"sandbox": self.channel}

    def refuse_refunds(self) -> None:
        self.channel.refund_status = "failed"
        self.send_refunds()
        self.channel.refund_status = "succeeded"

    def pay_another_way(self) -> None:
        self._close("paid_another_way")

    def give_up(self) -> None:
        self._close("given_up")

    def _close(self, end: RefusedEnd) -> None:
        for item in list(self.orders.items.items_of_kind("refund_refused")):
            refund = self.orders.refunds[item.facts["order_id"], item.subject]
            cleared = replace(item, version=item.version + 1)
            done = close_refused(
                refund.order_id, refund.refund_id, end, cleared, orders=self.orders, channels=self._channels
            )
            assert done is (refund.status == "refused")

    def revoke(self) -> None:
        revoke_coupon(COUPON, BUYER, orders=self.orders, uses=self.orders.uses, charges=MemoryCharges())


PLACINGS = ("place", "place_with_coupon", "place_free")
HAPPENINGS = tuple(name for name in vars(Life) if not name.startswith("_") and name not in ("run", "last"))


@pytest.fixture(autouse=True)
def restored_clock() -> Iterator[None]:
    """The clock that each example sets is put back."""
    yield
    set_clock(SystemClock())


def live(*happenings: str) -> WatchedOrders:
    """What a life of these happenings did."""
    clock = TestClock()
    set_clock(clock)
    life = Life(clock)
    life.run(*happenings)
    return life.orders


@given(st.sampled_from(PLACINGS), st.lists(st.sampled_from(HAPPENINGS), max_size=14))
def test_verbs_make_no_step_that_the_charts_do_not_have(first: str, then: list[str]) -> None:
    orders = live(first, *then)

    for thing, transitions in CHARTS.items():
        assert orders.steps[thing] <= steps_of(transitions), thing


@given(st.sampled_from(PLACINGS), st.lists(st.sampled_from(HAPPENINGS), max_size=14))
def test_units_and_money_add_up_whatever_happens(first: str, then: list[str]) -> None:
    orders = live(first, *then)

    for product in orders.products.values():
        sent = sum(
            line.units - line.cancelled
            for part in orders.supplier_orders.values()
            if part.status in ("shipped", "delivered")
            for line in part.lines
            if line.sku == product.sku
        )
        assert product.held >= 0
        assert product.stock + product.held + sent == 50
    for order in orders.orders.values():
        own = [
            refund
            for refund in orders.refunds_of_order(order.order_id)
            if refund.part_of_order and refund.status != "given_up"
        ]
        assert sum(refund.amount_fen for refund in own) == order.refunded_fen <= order.amount_fen


@given(st.sampled_from(PLACINGS), st.lists(st.sampled_from(HAPPENINGS), max_size=14))
def test_a_buyer_alone_never_has_sent_units_refunded(first: str, then: list[str]) -> None:
    orders = live(first, "pay", *then)

    for refund in orders.refunds.values():
        if refund.kind == "return" and not refund.granted_by:
            assert all(line.restock for line in refund.lines), refund
    for part in orders.supplier_orders.values():
        if part.status in ("shipped", "delivered"):
            asked = [
                (refund.granted_by, line.restock)
                for refund in orders.refunds_of_order(part.order_id)
                for line in refund.lines
                if refund.kind == "return" and refund.requested_at > part.shipped_at  # type: ignore[operator]  # shipped
                if line.sku in {each.sku for each in part.lines}
            ]
            assert all(each == ("stf_1", False) for each in asked), asked


def test_some_lives_make_every_step_of_the_charts() -> None:
    lives = [
        live("place", "pay", "ship_a", "deliver_a", "ship_b", "receive", "return_a", "send_refunds"),
        live("place", "pay", "refund_b"),
        live("place", "pay", "refund_b", "refuse_refunds", "pay_another_way"),
        live("place", "pay", "refund_b", "refuse_refunds", "give_up"),
        live("place_with_coupon", "cancel"),
        live("place", "expire"),
        live("place_with_coupon", "pay", "revoke"),
        live("place_free", "ship_a", "revoke"),
        live("revoke"),
        live("place", "ask_agreement", "sign", "charge", "end_agreement"),
        live("ask_agreement", "end_agreement_unanswered", "terminate"),
        live("ask_agreement", "terminate"),
        live("ask_agreement", "sign", "terminate"),
    ]
    for thing, transitions in CHARTS.items():
        assert set().union(*(each.steps[thing] for each in lives)) == steps_of(transitions), thing


def test_a_refund_that_people_have_ended_stays_as_it_is() -> None:
    ended = ("place", "pay", "refund_b", "refuse_refunds")
    given_up = live(*ended, "give_up", "pay_another_way", "send_refunds")
    paid = live(*ended, "pay_another_way", "give_up", "send_refunds")

    assert [refund.status for refund in given_up.refunds.values()] == ["given_up"]
    assert [refund.status for refund in paid.refunds.values()] == ["succeeded"]


@given(st.lists(st.sampled_from(HAPPENINGS), max_size=14))
def test_an_order_is_charged_by_a_request_under_an_agreement_that_is_active_and_only_once(then: list[str]) -> None:
    orders = live("place", "ask_agreement", "sign", *then)

    for order in orders.orders.values():
        if order.agreement and order.is_paid:
            assert {"charge", "charge_unanswered", "charge_without_money", "expire", "cancel"} & set(then)
            assert order.transaction_no == f"t_{order.order_id}"
    for agreement in orders.agreements.stored.values():
        charged = [charge.order_id for charge in agreement.charges]
        assert len(set(charged)) == len(charged)
        assert agreement.charged_on(brand_day(AT)) <= agreement.day_fen


def test_an_order_that_its_coupon_pays_is_paid_when_it_is_placed() -> None:
    (order,) = live("place_free").orders.values()

    assert (order.status, order.paid_by, order.amount_fen, order.channel) == ("paid", "coupon", 0, "coupon")
