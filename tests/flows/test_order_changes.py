"""What follows from changes of orders, in memory: which steps run, in which order, and what a killed step leaves."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from msgspec.structs import replace

from cardstock.flows.order_changes import FOLLOWERS, Needs, follow
from cardstock.flows.rewarding import PlanRules
from cardstock.ledger.model import Accrual, LedgerTransaction, OrderRewards
from cardstock.ledger.ports import Booked
from cardstock.network.model import Change, Event
from cardstock.orders.change_model import OrderChange, RefundChange, SupplierOrderChange
from cardstock.orders.model import Order, OrderLine, OrderStatus, Receiver
from cardstock.orders.refund_ends import finish_refunds
from cardstock.orders.refund_model import Refund, RefundKind, RefundLine, RefundStatus
from cardstock.orders.supplier_model import SupplierLine, SupplierOrder
from tests.people.clock import START, TestClock
from tests.people.memory_ledger import MemoryBooks, MemoryCalendar
from tests.people.memory_network import MemoryNetwork
from tests.people.memory_orders import MemoryChannel, MemoryOrders
from tests.people.referrals import Referrals

ORDER_ID = "ord_1"


class Killed(BaseException):
    """The function was stopped."""


@dataclass
class Journal:
    """Every effect in its order. Raises `Killed` before or after the effect with number `kill_at`."""

    done: list[str] = field(default_factory=list)
    kill_at: int = -1
    kill_before: bool = False

    def effect(self, name: str, work: Callable[[], Any] = lambda: None) -> Any:
        dies = len(self.done) == self.kill_at
        if dies and self.kill_before:
            raise Killed
        answer = work()
        self.done.append(name)
        if dies:
            raise Killed
        return answer


class JournalBooks(MemoryBooks):
    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.journal = journal

    def book_accrual(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        work = super().book_accrual
        return cast(Booked, self.journal.effect(f"book {transaction.kind}", lambda: work(transaction, rewards)))

    def book_change(self, transaction: LedgerTransaction, rewards: OrderRewards) -> Booked:
        work = super().book_change
        return cast(Booked, self.journal.effect(f"book {transaction.kind}", lambda: work(transaction, rewards)))


class JournalCalendar(MemoryCalendar):
    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.journal = journal

    def schedule_order(self, day: Any, key: str) -> None:
        work = super().schedule_order
        self.journal.effect("schedule release", lambda: work(day, key))


class JournalNetwork(MemoryNetwork):
    """The network in memory; a commit is one effect once the journal is open."""

    journal: Journal | None = None

    def commit_change(self, change: Change) -> bool:
        work = super().commit_change
        if self.journal is None:
            return work(change)
        return bool(self.journal.effect("count in network", lambda: work(change)))


class Recorder:
    """Stands for purchase checks, dividends, coupons and events: keeps each call once, as they all do."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.kept: set[str] = set()

    def _keep(self, name: str, cause: str) -> None:
        self.journal.effect(name, lambda: self.kept.add(f"{name} {cause}"))

    def log_and_check(self, order: Order, accrual: Accrual) -> None:
        assert accrual.order_id == order.order_id
        self._keep("check purchase", order.order_id)

    def count_refund(self, order: Order, refund: Refund) -> None:
        self._keep("reduce team sales", refund.refund_id)

    def reduce_charge(self, order: Order, refund: Refund, refunds: Sequence[Refund]) -> None:
        assert refund in refunds
        self._keep("reduce coupon charge", refund.refund_id)

    def revoke_coupons(self, events: Sequence[Event]) -> None:
        self._keep("revoke coupons", ",".join(event.id for event in events))

    def order(self, order: Order) -> None:
        self._keep("publish order", f"{order.order_id} {order.status}")

    def refund(self, refund: Refund) -> None:
        self._keep("publish refund", f"{refund.refund_id} {refund.status}")

    def alarm(self, refund_id: str) -> None:
        self._keep("alarm", refund_id)

    def tell(self, order: Order) -> None:
        self._keep("tell platform", order.order_id)

    def supplier_order(self, part: SupplierOrder) -> None:
        self._keep("publish supplier order", f"{part.supplier_id} {part.status}")

    def positions(self, moved: Sequence[Event]) -> None:
        self.kept |= {f"publish {event.id}" for event in moved}


class OneSale:
    """Two members, one of whom was brought by a partner, and one order of two qualifying units."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = journal or Journal()
        self.referrals = Referrals()
        self.network = self.referrals.network = JournalNetwork()
        self.network.in_force = self.referrals.plans.published[-1].plan
        self.referrals.appoint("mem_r")
        self.referrals.bind("mem_a", "mem_r")
        snapshot = self.referrals.place("mem_a").snapshot.to_compact()
        self.network.journal = self.journal
        self.books, self.calendar = JournalBooks(self.journal), JournalCalendar(self.journal)
        self.recorder, self.channel, self.known = Recorder(self.journal), MemoryChannel(), MemoryOrders()
        self.order = Order(
            order_id=ORDER_ID,
            member_id="mem_a",
            status="placed",
            lines=(OrderLine(1, "kit", "Kit", 2, 49_900, 99_800, "sup_1", qualifying=True, earns=True),),
            amount_fen=99_800,
            receiver=Receiver("王小明", "13800000000", "上海"),
            attribution=None,
            snapshot=snapshot,
            placed_at=START,
        )

    @property
    def needs(self) -> Needs:
        return Needs(
            orders=self.known,
            channels={"sandbox": self.channel},
            rules=PlanRules(self.referrals.plans),
            purchase_checks=self.recorder,
            books=self.books,
            calendar=self.calendar,
            network=self.network,
            plans=self.referrals.plans,
            dividends=self.recorder,
            coupons=self.recorder,
            events=self.recorder,
            shipments=self.recorder,
            alarm=self.recorder.alarm,
        )

    def ordered(self, status: OrderStatus, previous: OrderStatus | None = None, **more: Any) -> OrderChange:
        if status in ("paid", "shipped", "completed"):
            more = {"paid_at": START + timedelta(minutes=1), **more}
        if status == "completed":
            more = {"received_at": START + timedelta(days=3), **more}
        self.order = self.known.orders[ORDER_ID] = replace(self.order, status=status, **more)
        return OrderChange("e1", self.order, previous)

    def refunded(
        self,
        status: RefundStatus,
        previous: RefundStatus | None = None,
        kind: RefundKind = "return",
        *,
        fen: int = 49_900,
    ) -> RefundChange:
        lines = () if kind == "stray" else (RefundLine(1, "kit", 1, fen),)
        refund = Refund(
            refund_id="rfd_1",
            order_id=ORDER_ID,
            member_id="mem_a",
            kind=kind,
            status=status,
            amount_fen=fen,
            lines=lines,
            reason="r",
            channel="sandbox",
            transaction_no="t1",
            total_fen=99_800,
            requested_at=START + timedelta(days=4),
            succeeded_at=START + timedelta(days=5) if status == "succeeded" else None,
            sequence=5,
        )
        self.known.refunds[ORDER_ID, refund.refund_id] = refund
        return RefundChange("e2", refund, previous)

    def state(self) -> Any:
        """Everything that lasts."""
        network = self.network
        counted = {key: replace(each, rev=0) for key, each in network.counted_orders.items()}
        positions = {key: replace(position, rev=0) for key, position in network.positions.items()}
        return (
            self.books.transactions, self.books.balances, self.books.rows, self.calendar.scheduled,
            self.recorder.kept, positions, counted, network.happened,
        )  # fmt: skip


@pytest.fixture(autouse=True)
def still(clock: TestClock) -> TestClock:
    return clock


@pytest.fixture
def sale() -> OneSale:
    return OneSale()


def paid(sale: OneSale) -> None:
    follow(sale.needs, sale.ordered("paid", "placed"))


def completed(sale: OneSale) -> None:
    paid(sale)
    follow(sale.needs, sale.ordered("completed", "shipped"))


def partly_refunded(sale: OneSale) -> None:
    paid(sale)
    follow(sale.needs, sale.refunded("succeeded", "requested"))


def wholly_refunded_with_a_coupon(sale: OneSale) -> None:
    sale.order = replace(sale.order, coupon="benefit.mem_a.1")
    paid(sale)
    follow(sale.needs, sale.refunded("succeeded", "requested", fen=99_800))


def refunded_before_it_is_paid(sale: OneSale) -> None:
    sale.ordered("paid", "placed")
    follow(sale.needs, sale.refunded("succeeded", "requested"))
    paid(sale)


# Which steps, and their order


@pytest.mark.parametrize(
    ("story", "steps"),
    [
        (paid, ["check purchase", "book accrued", "count in network", "publish order"]),
        (
            completed,
            [
                "check purchase", "book accrued", "count in network", "publish order",
                "schedule release", "publish order",
            ],
        ),
        (
            partly_refunded,
            [
                "check purchase", "book accrued", "count in network", "publish order",
                "publish refund", "book clawed", "reduce team sales",
            ],
        ),
        (
            wholly_refunded_with_a_coupon,
            [
                "check purchase", "book accrued", "count in network", "publish order",
                "publish refund", "book clawed", "reduce team sales", "reduce coupon charge", "count in network",
            ],
        ),
        (
            refunded_before_it_is_paid,
            [
                "publish refund", "book accrued", "book clawed", "reduce team sales", "count in network",
                "check purchase", "book accrued", "publish order",
            ],
        ),
    ],
)  # fmt: skip
def test_followers_run_in_the_order_of_the_table(
    story: Callable[[OneSale], None], steps: list[str], sale: OneSale
) -> None:
    story(sale)

    assert sale.journal.done == steps


def test_every_status_of_an_order_has_its_row_in_the_table() -> None:
    from typing import get_args

    statuses = {f"order {status}" for status in get_args(OrderStatus)}

    assert statuses < FOLLOWERS.keys()


@pytest.mark.parametrize("status", ["placed", "cancelled", "expired"])
def test_an_order_without_money_is_only_published(status: OrderStatus, sale: OneSale) -> None:
    follow(sale.needs, sale.ordered(status, None if status == "placed" else "placed"))

    assert sale.journal.done == ["publish order"]


def test_a_shipped_order_is_published_by_its_supplier_orders(sale: OneSale) -> None:
    part = SupplierOrder("sup_1", ORDER_ID, "shipped", (SupplierLine("kit", "Kit", 2),), sale.order.receiver, START)
    follow(sale.needs, sale.ordered("shipped", "paid"))
    follow(sale.needs, SupplierOrderChange("e3", part))

    assert sale.recorder.kept == {"publish supplier order sup_1 shipped", f"tell platform {ORDER_ID}"}


def test_a_stray_payment_that_goes_back_touches_no_reward(sale: OneSale) -> None:
    follow(sale.needs, sale.refunded("succeeded", "requested", "stray"))

    assert sale.journal.done == ["publish refund"]


def test_a_change_of_figures_alone_has_no_followers(sale: OneSale) -> None:
    follow(sale.needs, sale.ordered("paid", "paid"))
    follow(sale.needs, sale.refunded("succeeded", "succeeded"))
    follow(sale.needs, None)

    assert sale.journal.done == []


def test_a_refund_without_an_order_raises(sale: OneSale) -> None:
    change = sale.refunded("succeeded", "requested")

    with pytest.raises(LookupError, match="rfd_1"):
        follow(sale.needs, change)


# Money on its way back


def test_a_refund_that_the_channel_works_on_is_left_to_the_sweep(sale: OneSale) -> None:
    sale.channel.refund_status = "processing"

    follow(sale.needs, sale.refunded("requested"))

    assert sale.channel.asked == ["rfd_1"]
    assert sale.journal.done == ["publish refund"]


def test_a_refund_whose_channel_does_not_answer_is_left_to_the_sweep(sale: OneSale) -> None:
    sale.channel.refund_status = None

    follow(sale.needs, sale.refunded("requested"))
    waits = finish_refunds(orders=sale.needs.orders, channels=sale.needs.channels, time_left=lambda: True)
    sale.channel.refund_status = "succeeded"
    ends = finish_refunds(orders=sale.needs.orders, channels=sale.needs.channels, time_left=lambda: True)

    assert sale.journal.done[0] == "publish refund"
    assert (waits.left, waits.unanswered, waits.oldest) == (1, 1, START + timedelta(days=4))
    assert (ends.done, ends.left, ends.unanswered, ends.oldest) == (1, 0, 0, None)


def test_a_refund_whose_channel_is_not_set_up_is_left_to_the_sweep(sale: OneSale) -> None:
    follow(replace(sale.needs, channels={}), sale.refunded("requested"))
    waits = finish_refunds(orders=sale.needs.orders, channels={}, time_left=lambda: True)

    assert sale.channel.asked == []
    assert (waits.left, waits.must_act, waits.unanswered) == (1, ("rfd_1",), 0)


def test_refunds_that_no_time_was_left_for_count_as_unanswered(sale: OneSale) -> None:
    sale.refunded("requested")
    swept = finish_refunds(orders=sale.needs.orders, channels=sale.needs.channels, time_left=lambda: False)

    assert (swept.left, swept.unanswered, swept.oldest) == (1, 1, None)


def test_a_refund_that_has_succeeded_meanwhile_is_not_sent_again(sale: OneSale) -> None:
    asked = sale.refunded("requested")
    sale.refunded("succeeded", "requested")

    follow(sale.needs, asked)

    assert sale.channel.asked == []


# Again, and killed anywhere

STORIES = (paid, completed, partly_refunded, wholly_refunded_with_a_coupon, refunded_before_it_is_paid)


@pytest.mark.parametrize("story", STORIES)
def test_the_same_changes_again_change_nothing(story: Callable[[OneSale], None], sale: OneSale) -> None:
    story(sale)
    before = [*map(repr, sale.state())]

    story(sale)

    assert [*map(repr, sale.state())] == before


def killed_everywhere(story: Callable[[OneSale], None]) -> Iterator[OneSale]:
    """A sale for each effect of a story and each side of it: killed there, then the story once more."""
    calm = OneSale()
    story(calm)
    for number in range(len(calm.journal.done)):
        for before in (True, False):
            sale = OneSale(Journal(kill_at=number, kill_before=before))
            with pytest.raises(Killed):
                story(sale)
            sale.journal.kill_at = -1
            story(sale)
            yield sale


@pytest.mark.parametrize("story", STORIES)
def test_a_story_that_is_killed_at_any_step_ends_as_an_undisturbed_one(story: Callable[[OneSale], None]) -> None:
    calm = OneSale()
    story(calm)
    points = 0
    for sale in killed_everywhere(story):
        points += 1

        assert sale.state() == calm.state(), sale.journal.done
    assert points == 2 * len(calm.journal.done)
