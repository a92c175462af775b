"""Refunds of one order that hang at once: whichever succeeds, is refused, given up or paid another way, in any order of
events, everything that follows from them is exact to the fen."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.catalog.model import Variant
from cardstock.flows.coupons import CouponRevocation
from cardstock.flows.dividends import Dividends
from cardstock.flows.open_items import clear_item
from cardstock.flows.order_changes import Needs, follow
from cardstock.flows.refunds_by_hand import NamedAccount
from cardstock.flows.rewarding import PlanRules
from cardstock.ids import RequestKey
from cardstock.ledger.accrual import accrue
from cardstock.money import half_up
from cardstock.network.plan import Amount
from cardstock.open_items.model import OUTCOMES, Outcome, item_id
from cardstock.orders import settling
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.change_model import RefundChange
from cardstock.orders.coupon_model import CouponUse
from cardstock.orders.coupons import returned_discounts
from cardstock.orders.fulfilment import report_shipment
from cardstock.orders.model import Order, OrderLine, Receiver, RequestedUnits
from cardstock.orders.refund_ends import execute_refund
from cardstock.orders.refund_model import Refund
from cardstock.orders.refunds import accept_return, grant_goodwill
from cardstock.orders.supplier_model import SupplierLine, SupplierOrder
from tests.house.cloud import http_event, serve
from tests.people.audits import audit_now
from tests.people.clock import START
from tests.people.memory_ledger import MemoryBooks, MemoryCalendar
from tests.people.memory_members import MemoryMembers
from tests.people.memory_network import MemoryTeamSales
from tests.people.memory_orders import MemoryChannel, MemoryOrders
from tests.people.memory_payouts import MemoryPayouts
from tests.people.payees import ACCOUNT, ending, member_of, verify
from tests.people.referrals import EXAMPLE, Referrals
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import serve_confirmed, staff_key, unasked
from tests.people.trade import line as goods

PLAN = replace(EXAMPLE, direct_partner=Amount(1_501, "bps"), peer_bps=3_333, dividend_bps=200)
ORDER_ID = "ord_" + "0" * 26
COUPON = "benefit.mem_a.1"
FREIGHT = 777
Bought = Sequence[tuple[int, int, str]]


class Everything:
    """What stands for purchase checks and events: nothing comes of it here."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_: None


class Sale:
    """A paid order with rewards for two, a coupon that was revoked and is owed, and all that follows its refunds.

    `bought`: units, fen paid, and the supplier's letter of each line. Refunds ask for their money only when a test
    says how their channel answers; their messages wait until a test lets them arrive.
    """

    def __init__(self, bought: Bought) -> None:
        referrals = Referrals(PLAN)
        for partner in ("mem_p", "mem_r"):
            if partner == "mem_r":
                referrals.bind(partner, "mem_p")
            referrals.appoint(partner)
        referrals.bind("mem_a", "mem_r")
        lines = tuple(
            OrderLine(number, f"sku{number}", "n", units, net, net, f"sup_{letter}", qualifying=number == 1, earns=True)
            for number, (units, net, letter) in enumerate(bought, 1)
        )
        order = Order(
            ORDER_ID, "mem_a", "paid", lines, sum(line.net_fen for line in lines) + FREIGHT, Receiver("n", "1", "a"),
            None, referrals.place("mem_a").snapshot.to_compact(), START, paid_at=START, channel="sandbox",
            transaction_no="t1", coupon=COUPON,
        )  # fmt: skip
        self.referrals, self.clock = referrals, referrals.clock
        self.orders = MemoryOrders(
            Variant(line.sku, "n", line.supplier_id, 1, True, True, True, 0, line.units, -1, START) for line in lines
        )
        self.orders.orders[ORDER_ID] = order
        for letter in {line.supplier_id for line in lines}:
            own = tuple(SupplierLine(line.sku, "n", line.units) for line in lines if line.supplier_id == letter)
            part = SupplierOrder(letter, ORDER_ID, "open", own, order.receiver, START)
            self.orders.supplier_orders[letter, ORDER_ID] = part
        self.orders.uses.uses[COUPON] = CouponUse(COUPON, "owed", ORDER_ID, 1)
        self.books, self.sales, self.rules = MemoryBooks(), MemoryTeamSales(), PlanRules(referrals.plans)
        self.channel = MemoryChannel()
        self.dividends = Dividends(self.sales, referrals.plans, self.books)
        self.needs = Needs(
            orders=self.orders, channels={"sandbox": self.channel}, rules=self.rules, purchase_checks=Everything(),
            books=self.books, calendar=MemoryCalendar(), network=referrals.network, plans=referrals.plans,
            dividends=self.dividends, events=Everything(), shipments=Everything(),
            alarm=lambda _: None,
            coupons=CouponRevocation(self.orders, self.orders.uses, self.books),
        )  # fmt: skip
        self.messages: list[RefundChange] = []
        self._requests = 0
        self.credits = {credit.reward: credit.amount for credit in self.rules.accrual(order).credits}
        accrue(self.rules.accrual(order), books=self.books)

    @property
    def order(self) -> Order:
        return self.orders.orders[ORDER_ID]

    @property
    def refunds(self) -> tuple[Refund, ...]:
        return self.orders.refunds_of_order(ORDER_ID)

    @property
    def succeeded(self) -> list[Refund]:
        return [refund for refund in self.refunds if refund.status == "succeeded"]

    def in_state(self, *states: str) -> list[str]:
        return [refund.refund_id for refund in self.refunds if refund.status in states]

    def _key(self) -> RequestKey:
        self._requests += 1
        self.clock.move(seconds=1)
        return RequestKey(f"req_{self._requests}", "f")

    def take_back(self, index: int, units: int) -> str:
        wanted = [RequestedUnits(self.order.lines[index].sku, units)]
        return accept_return("stf_1", ORDER_ID, wanted, "r", self._key(), orders=self.orders).refund.refund_id

    def give(self, fen: int) -> str:
        return grant_goodwill("stf_1", ORDER_ID, fen, "r", self._key(), orders=self.orders).refund.refund_id

    def send(self, supplier: str) -> None:
        report_shipment(supplier, ORDER_ID, "SF", "1", "evt_1", orders=self.orders)

    def answer(self, refund_id: str, status: Any) -> Refund:
        """The channel's answer to a requested refund, and the message that follows."""
        self.channel.refund_status = status
        before = self.orders.find_refund(ORDER_ID, refund_id)
        found = execute_refund(ORDER_ID, refund_id, orders=self.orders, channels={"sandbox": self.channel})
        assert before is not None
        self.messages.append(RefundChange("e", found, before.status))
        return found

    def close(self, refund_id: str, outcome: Outcome) -> Refund:
        """Two persons end a refused refund."""
        item, members = item_id("refund_refused", refund_id), MemoryMembers()
        members.members["mem_a"] = member_of("mem_a")
        for person in ("stf_1", "stf_2"):
            clear_item(
                item, outcome, "letter", person, can_approve=lambda _: True, confirm=unasked, items=self.orders.items,
                orders=lambda: self.orders,
                channels=lambda: {"sandbox": self.channel}, asked_refunds=dict, payouts=MemoryPayouts,
                request_step=lambda _payout: None, members=lambda: members,
                account=NamedAccount(**ACCOUNT) if outcome == "paid_another_way" else None,
            )  # fmt: skip
        found = self.orders.refunds[ORDER_ID, refund_id]
        self.messages.append(RefundChange("e", found, "refused"))
        return found

    def settle(self) -> bool:
        return not self.in_state("requested", "refused") and self.dividends.count_settled(self.order)

    def arrive(self, number: int, *, again: bool = False) -> None:
        """Let a waiting message arrive; `again`: it will come once more."""
        follow(self.needs, self.messages[number] if again else self.messages.pop(number))

    def clawed(self) -> dict[str, int]:
        row = self.books.rows.get(ORDER_ID)
        return {} if row is None else {credit.reward: row.clawed(credit.reward) for credit in row.credits}

    def reduced(self) -> int:
        """What has been taken off the charge for the coupon."""
        return sum(
            posting.amount
            for each in self.books.transactions.values()
            if each.kind == "owed"
            for posting in each.postings
            if posting.account == "member:mem_a:available"
        )

    def check(self) -> None:
        """Everything that must be true at any time; once no message waits, of what follows too."""
        order = self.order
        owned = [refund for refund in self.refunds if refund.status != "given_up"]
        assert sum(refund.amount_fen for refund in owned) == order.refunded_fen <= order.amount_fen
        for line in order.lines:
            assert 0 <= line.refunded_units <= line.units - line.set_aside_units
            assert 0 <= line.refunded_fen <= line.net_fen
            product, part = self.orders.products[line.sku], self.orders.supplier_orders[line.supplier_id, ORDER_ID]
            own = next(each for each in part.lines if each.sku == line.sku)
            sent = 0 if part.status in ("open", "cancelled") else own.units - own.cancelled
            unsent_back = sum(
                each.units for refund in owned for each in refund.lines if each.restock and each.sku == line.sku
            )
            assert own.cancelled == unsent_back + line.set_aside_units
            assert product.stock + product.held + sent == line.units
        reminders = [item for item in self.orders.items.items_of_kind("units_set_aside") if item.state == "open"]
        assert reminders or not any(line.set_aside_units for line in order.lines)
        if self.messages:
            return
        back = settling.returned(order, self.succeeded)
        for reward, amount in self.credits.items():
            assert self.clawed()[reward] == half_up(amount * sum(back), order.goods_fen)
        counted = self.referrals.network.counted_orders.get(ORDER_ID)
        if counted is not None:
            assert (counted.qualifying == "ended") is (2 * back[0] > order.lines[0].net_fen)
        if self.sales.settled_version(ORDER_ID) is not None:
            # The sale as it settled, less what was refunded since.
            assert sum(sale.fen for sale in self.sales.sales_of_month("2026-11")) == order.goods_fen - sum(back)


bought = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 9_999), st.sampled_from("ab")), min_size=1, max_size=3
)  # fmt: skip

ENDS: tuple[Outcome, ...] = OUTCOMES["refund_refused"]
ends = st.sampled_from(ENDS)


def live(sale: Sale, data: st.DataObject) -> None:
    """Any steps in any order."""
    for _ in range(data.draw(st.integers(0, 14), "steps")):
        step = data.draw(st.sampled_from(("units", "fen", "send", "answer", "answer", "close", "settle", "arrive")))
        free = [index for index, line in enumerate(sale.order.lines) if line.refunded_units < line.units]
        asked, refused = sale.in_state("requested"), sale.in_state("refused")
        open_parts = [part for (part, _), each in sale.orders.supplier_orders.items() if each.status == "open"]
        if step == "units" and free:
            line = data.draw(st.sampled_from(free))
            left = sale.order.lines[line].units - sale.order.lines[line].refunded_units
            sale.take_back(line, data.draw(st.integers(1, left)))
        elif step == "fen" and sale.order.kept_fen:
            sale.give(data.draw(st.integers(1, sale.order.kept_fen)))
        elif step == "send" and open_parts:
            sale.send(data.draw(st.sampled_from(open_parts)))
        elif step == "answer" and asked:
            sale.answer(data.draw(st.sampled_from(asked)), data.draw(st.sampled_from(("succeeded", "failed"))))
        elif step == "close" and refused:
            sale.close(data.draw(st.sampled_from(refused)), data.draw(ends))
        elif step == "settle":
            sale.settle()
        elif step == "arrive" and sale.messages:
            sale.arrive(data.draw(st.integers(0, len(sale.messages) - 1)), again=data.draw(st.booleans()))
        sale.check()


def end(sale: Sale, data: st.DataObject) -> None:
    """What is open ends somehow, what is left is refunded, and every message arrives, some of them twice."""
    while asked := sale.in_state("requested"):
        sale.answer(data.draw(st.sampled_from(asked)), data.draw(st.sampled_from(("succeeded", "failed"))))
    while refused := sale.in_state("refused"):
        sale.close(data.draw(st.sampled_from(refused)), data.draw(ends))
    sale.check()
    left = [(index, line.units - line.refunded_units) for index, line in enumerate(sale.order.lines)]
    for index, units in left:
        if units:
            sale.answer(sale.take_back(index, units), "succeeded")
    if sale.order.kept_fen:
        # What a goodwill that was given up after all units were back has left.
        assert any(refund.kind == "goodwill" and refund.status == "given_up" for refund in sale.refunds)
        sale.answer(sale.give(sale.order.kept_fen), "succeeded")
    while sale.messages:
        sale.arrive(data.draw(st.integers(0, len(sale.messages) - 1)), again=data.draw(st.integers(0, 3)) == 3)


@given(bought, st.data())
def test_refunds_that_end_in_any_way_and_order_end_exact_to_the_fen(bought: Bought, data: st.DataObject) -> None:
    sale = Sale(bought)
    live(sale, data)
    end(sale, data)
    sale.check()
    order = sale.order
    nothing_sent = all(part.status == "cancelled" for part in sale.orders.supplier_orders.values())

    assert order.amount_fen - sum(refund.amount_fen for refund in sale.succeeded) == (0 if nothing_sent else FREIGHT)
    assert all(line.refunded_fen == line.net_fen for line in order.lines)
    assert all(line.set_aside_units == 0 for line in order.lines)
    assert sale.clawed() == sale.credits
    off = sum(line.units * line.price_fen - line.net_fen for line in order.lines)
    assert sum(fen for _, fen in returned_discounts(order, sale.refunds)) == sale.reduced() == off
    # A part is what the refund took when its own message arrived, whichever came first.
    claws = sale.books.rows[ORDER_ID].claws if sale.credits else ()
    assert {claw.refund_id: dict(claw.taken) for claw in claws if claw.taken} == {
        refund_id: part for refund_id, part in sale.rules.taken(order, sale.refunds).items() if part
    }


# Through the functions


@pytest.fixture
def hanging(shop: Shop) -> tuple[Shop, str, list[str]]:
    """A partner's recruit has bought three units, and has two refunds of one unit each that hang."""
    shop.channel.refund_status = "processing"
    shop.trade.appoint("mem_p")
    shop.trade.member("mem_r", "mem_p")
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    order_id = shop.trade.buy("mem_a", goods(1, units=3, price=33_333))
    shop.trade.settle_down()
    asked = [shop.trade.ask_back(order_id, sku1=1) for _ in range(2)]
    shop.trade.settle_down()
    return shop, order_id, asked


def test_a_refund_that_is_refused_at_once_opens_an_item_without_a_sweep(shop: Shop) -> None:
    shop.channel.refund_status = "failed"
    shop.trade.member("mem_a", None)
    order_id = shop.trade.buy("mem_a", goods(1, units=3, price=33_333))
    shop.trade.settle_down()
    refund_id = shop.trade.ask_back(order_id, sku1=1)
    shop.trade.settle_down()
    (item,) = shop.cloud.items("open-items")

    assert (item["pk"]["S"], item["subject"]["S"]) == ("refund_refused", refund_id)


def test_a_channel_that_loses_its_answers_leaves_no_dead_letter_and_is_not_silent(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = shop.buyer.paid_order()
    shop.trade.settle_down()
    refund_id = shop.buyer.refund(order_id, {"85123A": 2}).body["refund_id"]
    shop.channel.answers = False
    shop.trade.settle_down()  # fails if a message would come again
    asked = len(shop.channel.calls)
    capsys.readouterr()
    first = shop.sweep()
    said = capsys.readouterr().out
    shop.clock.move(days=3)
    shop.sweep()
    later = capsys.readouterr().out
    shop.channel.answers = True
    healed = shop.sweep()
    shop.trade.settle_down()
    quiet = capsys.readouterr().out

    assert asked == 1
    assert (first["refunded"], first["refunds_left"]) == (0, 1)
    assert '"RefundsUnanswered":[1.0]' in said
    assert '"RefundsOldestHours":[0.0]' in said
    assert '"RefundsOldestHours":[72.0]' in later
    assert (healed["refunded"], healed["refunds_left"]) == (1, 0)
    assert "RefundsUnanswered" not in quiet
    assert "RefundsOldestHours" not in quiet
    assert list(shop.channel.refunds) == [refund_id]
    assert audit_now().findings == ()


def sweep(shop: Shop, **statuses: str) -> None:
    """The channel ends refunds, by their ids, and the sweep hears of it."""
    for refund_id, status in statuses.items():
        shop.channel.refunds[refund_id]["status"] = status
    shop.sweep()
    shop.trade.watch()
    shop.trade.settle_down()


def say(shop: Shop, outcome: str, person: str) -> Reply:
    (item,) = shop.cloud.items("open-items")
    path = f"/v1/open-items/{item['sk']['S']}/clearings"
    token = staff_key(person, "open_items:clear")
    verify(item["member_id"]["S"])
    body = ending(outcome, "their account is closed")
    found = reply(serve_confirmed(http_event("POST", path, body, token=token)))
    shop.trade.watch()
    shop.trade.settle_down()
    return found


def books(shop: Shop) -> list[Any]:
    """What is stored of orders, their money and open items."""
    return [shop.cloud.items(table) for table in ("orders", "ledger", "balances", "rewards", "open-items", "products")]


def read_refunds(order_id: str, token: str) -> dict[str, Any]:
    answer = reply(serve(http_event("GET", f"/v1/orders/{order_id}/refunds", token=token)))
    return {found["refund_id"]: found for found in answer.body["items"]}


@pytest.mark.parametrize("later_first", [True, False])
def test_of_two_that_hang_the_one_that_is_given_up_takes_nothing_and_can_be_asked_anew(
    later_first: bool, hanging: tuple[Shop, str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    shop, order_id, asked = hanging
    refused, good = asked[::-1] if later_first else asked
    sweep(shop, **{refused: "failed"})
    alarms = capsys.readouterr().out.count('"OpenItemsOpened":[1.0]')
    sweep(shop, **{good: "succeeded"})
    between = shop.trade.balances()
    one, two = (say(shop, "given_up", person) for person in ("Li Na", "Wang Fang"))
    staff = read_refunds(order_id, staff_key("Li Na", "orders:refund"))
    order = orders_wiring.orders().find_order(order_id)
    stock = shop.stock()["sku1"]

    # 300 yuan a unit direct and a tenth of it to the peer: one of three units is back.
    assert between == {"mem_r": (60_000, 0), "mem_p": (6_000, 0)}
    assert (one.body["status"], two.body["status"]) == ("open", "cleared")
    assert (staff[refused]["status"], staff[good]["status"]) == ("given_up", "succeeded")
    assert alarms == 1
    assert order is not None
    assert (order.lines[0].refunded_units, order.lines[0].set_aside_units, order.refunded_fen) == (1, 1, 33_333)
    assert audit_now().findings == ()

    shop.channel.refund_status = "succeeded"
    shop.trade.ask_back(order_id, sku1=2)
    shop.trade.settle_down()

    assert shop.trade.balances() == {}
    assert sum(refund.amount_fen for refund in orders_wiring.orders().refunds_of_order(order_id)) == 99_999 + 33_333
    assert shop.stock()["sku1"] == (stock[0] + 2, stock[1] - 2)
    assert shop.stock()["sku1"][1] == 0
    assert audit_now().findings == ()


def test_what_was_paid_another_way_is_followed_once_like_any_refund(hanging: tuple[Shop, str, list[str]]) -> None:
    shop, order_id, (refused, good) = hanging
    sweep(shop, **{refused: "failed", good: "succeeded"})
    say(shop, "paid_another_way", "Li Na")
    say(shop, "paid_another_way", "Wang Fang")
    before = books(shop)
    again, other = (say(shop, outcome, "Wang Fang") for outcome in ("paid_another_way", "given_up"))
    found = read_refunds(order_id, staff_key("Li Na", "orders:refund"))

    assert (again.status, again.body["cleared"]["outcome"]) == (200, "paid_another_way")
    assert (other.status, other.body["code"]) == (409, "OUTCOME_DIFFERS")
    assert books(shop) == before
    assert (found[refused]["status"], found[refused]["paid_another_way"]) == ("succeeded", True)
    assert (found[good]["status"], found[good]["paid_another_way"]) == ("succeeded", False)
    assert shop.trade.balances() == {"mem_r": (30_000, 0), "mem_p": (3_000, 0)}
    assert audit_now().findings == ()


def test_an_order_does_not_settle_while_a_refused_refund_waits_for_people(hanging: tuple[Shop, str, list[str]]) -> None:
    shop, order_id, (refused, good) = hanging
    sweep(shop, **{refused: "failed", good: "succeeded"})
    shop.trade.receive(order_id)
    shop.trade.settle_down()
    shop.clock.move(days=9)
    waits = shop.trade.night()
    say(shop, "given_up", "Li Na")
    say(shop, "given_up", "Wang Fang")
    shop.clock.move(days=1)
    settled = shop.trade.night()

    assert (waits["settled"], waits["waiting"], settled["settled"]) == (0, 1, 1)
    assert shop.trade.balances() == {"mem_r": (0, 60_000), "mem_p": (0, 6_000)}
    assert audit_now().findings == ()
