"""The coupon of an unlocked entitlement between the network, orders and the ledger, in memory."""

from datetime import UTC, datetime

import pytest

from cardstock.catalog.model import Variant
from cardstock.flows.buying import BuyerNetwork
from cardstock.flows.coupons import CouponRevocation, GrantedCoupons
from cardstock.ids import RequestKey
from cardstock.network.binding import bind_inviter
from cardstock.network.coupons import count_verified
from cardstock.network.deciding import position_of
from cardstock.network.model import Event, revocation_id
from cardstock.network.presets import UNLOCK
from cardstock.network.publishing import publish_plan
from cardstock.orders.coupon_model import Coupon
from cardstock.orders.fulfilment import report_shipment
from cardstock.orders.model import NO_FREIGHT, Receiver, RequestedUnits
from cardstock.orders.payment import record_payment
from cardstock.orders.payment_model import PaymentNotice
from cardstock.orders.placement import QuoteNeeds, make_quote, place_order
from cardstock.orders.refund_ends import complete_refund
from cardstock.orders.refunds import accept_return
from tests.people.clock import TestClock
from tests.people.memory_ledger import MemoryBooks
from tests.people.memory_network import MemoryNetwork, MemoryPlans
from tests.people.memory_orders import MemoryOrders

AT = datetime(2026, 12, 1, tzinfo=UTC)
BUYER = "mem_a"


class CouponHolder:
    """A member with a coupon for two verified referrals, and a shop with one product at 100 yuan."""

    def __init__(self) -> None:
        self.network = MemoryNetwork()
        self.plans = MemoryPlans(self.network)
        self.orders = MemoryOrders([Variant("tea", "tea", "sup_a", 10_000, True, True, True, 9, 0, -1, AT)])
        self.books = MemoryBooks()
        publish_plan(UNLOCK, [], "test", plans=self.plans)
        for friend in ("mem_b", "mem_c"):
            bind_inviter(friend, BUYER, network=self.network)
            count_verified(friend, network=self.network)
        self.coupon_id = position_of(BUYER, network=self.network).coupon_id
        self.revocation = CouponRevocation(self.orders, self.orders.uses, self.books)

    def find_coupon(self, member_id: str = BUYER) -> Coupon | None:
        return GrantedCoupons(self.network, self.plans, self.orders.uses).find_coupon(member_id, self.coupon_id)

    def place(self) -> str:
        """Place an order of two units with the coupon: its id."""
        granted = GrantedCoupons(self.network, self.plans, self.orders.uses)
        positions = BuyerNetwork(self.network)
        needs = QuoteNeeds(self.orders, positions, NO_FREIGHT, lambda: granted)
        quote = make_quote(needs, BUYER, [RequestedUnits("tea", 2)], None, self.coupon_id)
        receiver, request = Receiver("n", "1", "a"), RequestKey("req_1", "f")
        return place_order(BUYER, quote, receiver, request, orders=self.orders, network=positions).order.order_id

    def pay(self, order_id: str) -> None:
        record_payment(PaymentNotice("sandbox", order_id, "t1", 18_000, "CNY", AT), orders=self.orders)

    def revoke(self) -> None:
        """The network takes the coupon back."""
        event = Event(revocation_id(self.coupon_id), "benefit_undone", BUYER, AT, "a friend's refund", {})
        self.revocation.revoke_coupons([event])

    def balance(self) -> int:
        """What the ledger has charged to the buyer, below zero."""
        return sum(
            posting.amount
            for transaction in self.books.transactions.values()
            for posting in transaction.postings
            if BUYER in posting.account
        )


@pytest.fixture
def holder(clock: TestClock) -> CouponHolder:
    return CouponHolder()


def test_a_coupon_is_its_member_s_until_it_is_used(holder: CouponHolder) -> None:
    before = holder.find_coupon()
    order = holder.orders.orders[holder.place()]

    assert before == Coupon(holder.coupon_id, UNLOCK.benefit_coupon)
    assert (order.amount_fen, holder.find_coupon(), holder.find_coupon("mem_b")) == (18_000, None, None)


def test_a_coupon_that_is_revoked_unused_is_nobody_s(holder: CouponHolder) -> None:
    holder.revoke()

    assert (holder.find_coupon(), holder.balance()) == (None, 0)


def test_a_coupon_revoked_after_shipping_is_charged_less_what_comes_back(holder: CouponHolder) -> None:
    order_id = holder.place()
    holder.pay(order_id)
    report_shipment("sup_a", order_id, "SF", "1", "evt_1", orders=holder.orders)
    holder.revoke()
    charged = holder.balance()
    request = RequestKey("req_2", "f")
    refund = accept_return("stf_1", order_id, [RequestedUnits("tea", 1)], "r", request, orders=holder.orders).refund
    done = complete_refund(order_id, refund.refund_id, orders=holder.orders)
    for _ in range(2):
        holder.revocation.reduce_charge(holder.orders.orders[order_id], done, [done])

    assert (charged, holder.balance()) == (-2_000, -1_000)


def test_an_unsent_order_goes_back_when_its_coupon_is_revoked(holder: CouponHolder) -> None:
    order_id = holder.place()
    holder.pay(order_id)
    holder.revoke()
    holder.revoke()

    assert holder.orders.orders[order_id].kept_fen == 0
    assert holder.orders.uses.find_use(holder.coupon_id).state == "revoked"
    assert holder.balance() == 0
