"""Whatever there is only once: stock, an order's end, a role, money to pay out, a reward between its release and its
refund. Two ask at once, and their calls come in every order there is."""

from contextlib import suppress

from cardstock.errors import ConflictError
from cardstock.flows import wiring as flows_wiring
from cardstock.ledger import wiring as ledger_wiring
from cardstock.ledger.claw_back import claw_back
from cardstock.ledger.release import release
from cardstock.network import wiring as network_wiring
from cardstock.network.counting import count_order
from cardstock.network.deciding import position_of
from cardstock.orders import wiring as orders_wiring
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.lines import Line
from tests.house.cloud import Snapshot
from tests.house.interleave import every_way, some_ways
from tests.house.proof import proven
from tests.people.buyers import STRANGER
from tests.people.finance import Finance, member_id
from tests.people.shop import Shop
from tests.people.trade import line


def test_one_unit_that_two_buy_goes_to_one_of_them(shop: Shop) -> None:
    shop.buyer.order({"71053": 99}, key="warm")
    quotes = {"one": shop.buyer.quote({"71053": 1}), "two": shop.buyer.quote({"71053": 1}, member=STRANGER)}
    before = Snapshot()
    orders = set()
    for run in every_way(
        lambda: [
            lambda: shop.buyer.place(quotes["one"].body["quote"], key="one").status,
            lambda: shop.buyer.place(quotes["two"].body["quote"], key="two", member=STRANGER).status,
        ],
        before.restore,
    ):
        orders.add(run.order)

        assert sorted(run.ends) == [201, 409], run
        assert shop.stock()["71053"] == (0, 100), run

    assert len(orders) == 6


def test_an_order_is_paid_or_cancelled_and_never_both(shop: Shop) -> None:
    order_id = shop.buyer.order()
    notice, held = shop.channel.notice(order_id), shop.stock()
    before = Snapshot()
    for run in every_way(
        lambda: [
            lambda: shop.channel.notify(notice).status,
            lambda: shop.buyer.send("POST", f"/v1/orders/{order_id}/cancellations").status,
        ],
        before.restore,
    ):
        order, strays = orders_wiring.orders().find_order(order_id), orders_wiring.orders().refunds_of_order(order_id)
        assert order is not None
        if order.status == "paid":
            assert (run.ends, strays, shop.stock()) == ((200, 409), (), held), run
        else:
            assert (run.ends, order.status) == ((200, 200), "cancelled"), run
            assert [refund.amount_fen for refund in strays] == [order.amount_fen], run
            assert all(units == 0 for _, units in shop.stock().values()), run


def test_two_recruits_who_pay_at_once_promote_once(shop: Shop) -> None:
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    shop.trade.buy("mem_a")
    shop.trade.settle_down()
    for member in ("mem_b", "mem_c"):
        shop.trade.member(member, "mem_a")
    orders = [orders_wiring.orders().find_order(shop.trade.buy(member)) for member in ("mem_b", "mem_c")]
    facts = [flows_wiring.rules().facts(order) for order in orders if order is not None]
    before, ways = Snapshot(), 0

    def count(which: int) -> list[str]:
        moved = count_order(facts[which], network=network_wiring.network(), plans=network_wiring.plans())
        return [event.id for event in moved]

    for run in every_way(lambda: [lambda: count(0), lambda: count(1)], before.restore):
        ways += 1
        node = position_of("mem_a", network=network_wiring.network())

        assert sorted(run.ends[0] + run.ends[1]) == ["promote.mem_a.1"], run
        assert (node.role, node.counted, node.ascents) == ("partner", 2, 1), run
    assert ways >= 6


def test_a_release_and_a_refund_at_once_end_in_the_same_balance(shop: Shop) -> None:
    shop.trade.appoint("mem_p")
    shop.trade.member("mem_r", "mem_p")
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    order = orders_wiring.orders().find_order(shop.trade.buy("mem_a", line(1, units=3, price=33_333)))
    assert order is not None
    accrual, books = flows_wiring.rules().accrual(order), ledger_wiring.books()
    taken = {credit.reward: credit.amount // 3 for credit in accrual.credits}
    before, ways = Snapshot(), 0
    with proven():
        pass
    for run in every_way(
        lambda: [
            lambda: release(accrual, books=books),
            lambda: claw_back("rfd_1", taken, accrual, books=books),
        ],
        before.restore,
    ):
        ways += 1
        with proven():  # of what is there: the fold of every balance
            assert run.ends == ("booked", "booked"), run
        for credit in accrual.credits:
            rest = credit.amount - taken[credit.reward]
            assert shop.trade.balances()[credit.member_id] == (0, rest), run
        assert len(shop.cloud.items("ledger")) == 3, run
    assert ways >= 6


def claimable(finance: Finance) -> Line:
    """A line of 50 000 fen that is about to be sent."""
    from msgspec.structs import replace

    finance.member(1, 50_000)
    finance.tick()
    finance.advance(only_csv=True)
    finance.approve()
    [line] = payouts_wiring.payouts().lines_of_batch("pay_202611")
    return replace(line, status="sent", gross=line.listed, net=line.listed, sent_at=finance.clock.now())


def test_a_balance_is_claimed_once_whoever_claims_it_and_a_refund_is_never_lost(finance: Finance) -> None:
    line = claimable(finance)
    before = Snapshot()
    payout_books = payouts_wiring.payouts()

    def claim() -> int:
        """How many lines were refused."""
        return len(payout_books.claim_lines([line], unchanged=None))

    for run in every_way(lambda: [claim, claim, lambda: finance.earn(member_id(1), -20_000)], before.restore):
        balance = finance.balance(member_id(1))
        finance.check_ledger()

        claimed_first = run.order.index(2) > min(run.order.index(0), run.order.index(1))

        # Claimed before the refund: it owes 20 000. After it: the line asks for more than there is, and is refused.
        expected = (50_000, -20_000) if claimed_first else (0, 30_000)
        assert (balance.get("paying", 0), balance.get("available", 0)) == expected, run
        if not claimed_first:
            assert run.ends[:2] == (1, 1), run


def test_two_steps_of_a_payout_at_once_send_nothing_twice(finance: Finance) -> None:
    for index in range(3):
        finance.member(index, 50_000 + index)
    finance.tick()
    finance.advance(only_csv=True)
    finance.approve()
    before = Snapshot()

    def step() -> None:
        with suppress(ConflictError):  # the other one was faster
            finance.advance(only_csv=True)

    for run in some_ways(lambda: [step, step], before.restore, 25):
        assert not [end for end in run.ends if isinstance(end, BaseException)], run
        step()
        claims = [item for item in finance.cloud.items("ledger") if item["pk"]["S"].startswith("claim.")]

        assert len(claims) == 3, run
        assert {line["status"] for line in finance.lines().values()} == {"sent"}, run
        finance.check_ledger()
