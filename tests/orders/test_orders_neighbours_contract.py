"""The contracts of what orders need from other areas and from payment channels: fakes, and the real ones on tables."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from cardstock.errors import RefusedError, UnavailableError
from cardstock.flows.buying import BuyerNetwork
from cardstock.flows.coupons import GrantedCoupons, LedgerCharges
from cardstock.ledger.store import DynamoBooks
from cardstock.network.binding import bind_inviter
from cardstock.network.coupons import count_verified
from cardstock.network.deciding import position_of
from cardstock.network.plans_store import DynamoPlans
from cardstock.network.presets import UNLOCK
from cardstock.network.promotion import appoint_partner
from cardstock.network.publishing import publish_plan
from cardstock.network.store import DynamoNetwork
from cardstock.orders.channels.alipay import AlipayChannel
from cardstock.orders.channels.douyin import DouyinChannel
from cardstock.orders.channels.sandbox import SandboxChannel
from cardstock.orders.channels.wechat import WechatChannel
from cardstock.orders.coupon_model import Coupon
from cardstock.orders.coupon_store import DynamoCouponUses
from cardstock.orders.model import Order, Receiver
from cardstock.orders.payment_model import PaymentNotice, PaymentParameters
from cardstock.orders.ports import Charges, Coupons, CouponUses, InstalmentPayments, PaymentChannel, ReferralNetwork
from cardstock.orders.refund_model import Refund
from infra.local.clock import ShiftedClock
from infra.local.platforms.people import WrongCallError
from infra.local.sandbox import Sandbox, SandboxError, is_genuine, sign
from infra.local.small_server import NoAnswerError
from tests.people.clock import TestClock
from tests.people.memory_orders import (
    MemoryChannel,
    MemoryCharges,
    MemoryCoupons,
    MemoryCouponUses,
    MemoryNetwork,
    RefundStatus,
)
from tests.people.payment_parties import PARTIES

CONTRACT = {
    Coupons: (MemoryCoupons, GrantedCoupons),
    Charges: (MemoryCharges, LedgerCharges),
    ReferralNetwork: (MemoryNetwork, BuyerNetwork),
    PaymentChannel: (MemoryChannel, SandboxChannel, WechatChannel, AlipayChannel, DouyinChannel),
    InstalmentPayments: (MemoryChannel, SandboxChannel),
}

OF_PLATFORMS = (WechatChannel, AlipayChannel, DouyinChannel)

BUYER, OTHER = "mem_a", "mem_b"
AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
KEY = "c2FuZGJveC1rZXktZm9yLXRlc3Rz"


@pytest.fixture(params=["memory", "tables"])
def kind(request: pytest.FixtureRequest, clock: TestClock) -> str:
    if request.param == "tables":
        request.getfixturevalue("cloud")
    return str(request.param)


# --- coupons ---


class Holder:
    """A buyer with one coupon, and what became of it."""

    def __init__(self, coupons: Coupons, uses: CouponUses, coupon_id: str, fen: int) -> None:
        self.coupons, self.uses, self.coupon_id, self.fen = coupons, uses, coupon_id, fen


@pytest.fixture
def holder(kind: str) -> Holder:
    if kind == "memory":
        uses = MemoryCouponUses()
        return Holder(MemoryCoupons(uses).grant(BUYER, "coupon_1", 2_000), uses, "coupon_1", 2_000)
    network, plans, stored = DynamoNetwork(), DynamoPlans(), DynamoCouponUses()
    publish_plan(UNLOCK, [], "test", plans=plans)
    for friend in ("mem_c", "mem_d"):
        bind_inviter(friend, BUYER, network=network)
        count_verified(friend, network=network)
    coupon_id = position_of(BUYER, network=network).coupon_id
    return Holder(GrantedCoupons(network, plans, stored), stored, coupon_id, UNLOCK.benefit_coupon)


def test_a_member_s_own_unused_coupon_is_found_with_its_value(holder: Holder) -> None:
    found = holder.coupons.find_coupon(BUYER, holder.coupon_id)

    assert found == holder.coupons.find_coupon(BUYER, holder.coupon_id) == Coupon(holder.coupon_id, holder.fen)


def test_the_coupon_of_somebody_else_and_one_that_does_not_exist_are_not_found(holder: Holder) -> None:
    assert holder.coupons.find_coupon(OTHER, holder.coupon_id) is None
    assert holder.coupons.find_coupon(BUYER, "benefit.mem_a.9") is None


def test_a_coupon_that_was_revoked_is_not_found(holder: Holder) -> None:
    holder.uses.revoke_unused(holder.coupon_id)

    assert holder.coupons.find_coupon(BUYER, holder.coupon_id) is None


# --- charges ---


@pytest.fixture
def charges(kind: str) -> tuple[Charges, Callable[[str], int]]:
    """The port, and what a member was charged in all, below zero."""
    if kind == "memory":
        memory = MemoryCharges()
        return memory, lambda member: sum(fen for of, _, fen in memory.booked.values() if of == member)
    books = DynamoBooks()
    return LedgerCharges(books), lambda member: books.balance_of(member).free


def test_a_coupon_is_charged_once_and_the_first_charge_holds(charges: tuple[Charges, Callable[[str], int]]) -> None:
    port, owed = charges
    port.charge("coupon_1", BUYER, "ord_1", 2_000)
    port.charge("coupon_1", BUYER, "ord_1", 2_000)
    port.charge("coupon_1", BUYER, "ord_2", 500)
    port.charge("coupon_2", OTHER, "ord_3", 300)

    assert (owed(BUYER), owed(OTHER)) == (-2_000, -300)


def test_each_refund_reduces_a_charge_once(charges: tuple[Charges, Callable[[str], int]]) -> None:
    port, owed = charges
    port.charge("coupon_1", BUYER, "ord_1", 2_000)
    for refund_id, fen in (("rfd_1", 700), ("rfd_1", 700), ("rfd_2", 300)):
        port.reduce_charge("coupon_1", refund_id, BUYER, "ord_1", fen)

    assert owed(BUYER) == -1_000


# --- the buyer's place in the network ---


@pytest.fixture
def referral_network(kind: str) -> ReferralNetwork:
    if kind == "memory":
        return MemoryNetwork()
    network = DynamoNetwork()
    appoint_partner("mem_r", "founder", "stf_1", network=network)
    bind_inviter(BUYER, "mem_r", network=network)
    return BuyerNetwork(network)


def without_floats(data: Any) -> bool:
    if isinstance(data, dict):
        return all(map(without_floats, data.values()))
    return all(map(without_floats, data)) if isinstance(data, list) else not isinstance(data, float)


@pytest.mark.parametrize("member", [BUYER, "mem_nobody"])
def test_a_position_is_json_without_floats_and_a_stale_hint_changes_nothing(
    referral_network: ReferralNetwork, member: str
) -> None:
    hint = json.loads(json.dumps(referral_network.position_hint(member)))
    fresh, again = (referral_network.position_snapshot(member, hint) for _ in range(2))
    hints: tuple[list[str], ...] = ([], ["mem_x"], [f"mem_{number}" for number in range(20)])
    stale = [referral_network.position_snapshot(member, old) for old in hints]

    assert fresh == again == json.loads(json.dumps(fresh))
    assert stale == [fresh] * 3
    assert without_floats([hint, fresh])


# --- payment channels ---


class Paying:
    """A channel, and the company behind it as a test tells it.

    `pay` with `processing` leaves the buyer paying; it gives False if the order was closed. `silent`: whether answers
    get lost. `ending` is how refunds end.
    """

    def __init__(
        self,
        channel: PaymentChannel,
        pay: Callable[..., bool],
        silent: Callable[[bool], object],
        ending: Callable[..., object],
        payer: str = "",
        look: Callable[[Order], object] = lambda _order: None,
    ) -> None:
        self.channel, self.pay, self.silent, self.ending = channel, pay, silent, ending
        self.payer, self.look = payer, look


def local_channel() -> tuple[Paying, list[tuple[bytes, Mapping[str, str]]]]:
    """The client of the sandbox, and the notices that it sends."""
    machine, sent = ShiftedClock(), list[tuple[bytes, Mapping[str, str]]]()
    company = Sandbox(tell=lambda body, headers: sent.append((body, headers)), key=lambda: KEY, now=machine.now)
    return client_of(company, machine), sent


def local_company() -> tuple[Paying, Sandbox]:
    """The client of the sandbox, and the sandbox itself."""
    machine = ShiftedClock()
    company = Sandbox(tell=lambda _body, _headers: None, key=lambda: KEY, now=machine.now)
    return client_of(company, machine), company


def client_of(company: Sandbox, machine: ShiftedClock) -> Paying:
    """The channel of a sandbox."""

    def answer(request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            status, given, content = company.answer(request.method, target, headers, request.content)
        except NoAnswerError:
            raise httpx.ReadTimeout("no answer", request=request) from None
        return httpx.Response(status, content=content, headers=given)

    def verify(headers: Mapping[str, str], raw: bytes) -> None:
        assert is_genuine(KEY, headers, raw, machine.now())

    def pay(order: Order, *, processing: bool = False, payer: str = "") -> bool:
        company.payment_status = "processing" if processing else "succeeded"
        with suppress(SandboxError):
            company.pay(order.order_id, order.amount_fen, payer=payer)
            return True
        return False

    def silent(lost: bool) -> None:
        company.answers = not lost

    def ending(status: RefundStatus | None) -> None:
        silent(status is None)
        company.refund_status = status or company.refund_status

    channel = SandboxChannel(
        "http://pay.test",
        verify=verify,
        sign=lambda message_id, body: sign(KEY, message_id, machine.now(), body),
        transport=httpx.MockTransport(answer),
    )
    return Paying(channel, pay, silent, ending)


def of_platform(party: Any) -> Paying:
    """A platform's channel, and a buyer who looks at the pay window of an order and leaves it, or pays there."""
    channel = party.channel()
    windows: dict[str, Any] = {}

    def begin(order: Order) -> None:
        if order.order_id not in windows:
            started = channel.start(order, party.payer)
            assert isinstance(started, PaymentParameters)
            windows[order.order_id] = started.parameters

    def look(order: Order) -> None:
        begin(order)
        party.opened(windows[order.order_id])
        party.left(order.order_id)

    def pay(order: Order, *, processing: bool = False) -> bool:
        begin(order)
        with suppress(WrongCallError):
            party.confirm(windows[order.order_id], processing=processing)
            return True
        return False

    def silent(lost: bool) -> None:
        party.fail_next(*["answer_lost"] * (9 if lost else 0))

    def ending(status: RefundStatus | None) -> None:
        silent(status is None)
        if status is not None:
            party.end_refunds({"failed": "refused", "unfunded": "must_act"}.get(status, status))

    return Paying(channel, pay, silent, ending, party.payer, look)


@pytest.fixture(params=["memory", "sandbox", *PARTIES])
def paying(request: pytest.FixtureRequest, clock: TestClock) -> Paying:
    if request.param == "sandbox":
        return local_channel()[0]
    if request.param != "memory":
        made = of_platform(PARTIES[request.param](clock))
        assert isinstance(made.channel, OF_PLATFORMS)
        made.ending("succeeded")
        return made
    memory = MemoryChannel()

    def pay(order: Order, *, processing: bool = False) -> bool:
        (memory.paying.add if processing else memory.paying.discard)(order.order_id)
        return processing or memory.pay(order)

    def silent(lost: bool) -> None:
        memory.answers = not lost

    def ending(status: RefundStatus | None) -> None:
        memory.refund_status = status

    return Paying(memory, pay, silent, ending)


ORDER_ID, OTHER_ID = "ord_01kbdxdh50fcazdjhcnqh2rzv5", "ord_01kbdxdh50fcazdjhcnqh2rzv6"
ORDER = Order(ORDER_ID, BUYER, "placed", (), 3_003, Receiver("n", "1", "a"), None, {}, AT)
LARGE = replace(ORDER, amount_fen=223_803)
REFUND = Refund(
    "rfd_1", ORDER_ID, BUYER, "return", "requested", 1_001, (), "broken", "sandbox", "t1", 3_003, AT,
)  # fmt: skip


def test_a_payment_starts_with_order_and_amount_however_often(paying: Paying) -> None:
    first, again = (paying.channel.start(ORDER, paying.payer) for _ in range(2))

    assert isinstance(first, PaymentParameters)
    assert isinstance(again, PaymentParameters)
    # What a platform signs for its pay call differs each time.
    assert replace(first, parameters={}) == replace(again, parameters={})
    assert bool(first.pay_url) != bool(first.parameters)
    assert (first.channel, first.order_no, first.amount_fen, first.currency) == (
        paying.channel.name, ORDER_ID, 3_003, "CNY",
    )  # fmt: skip


@pytest.fixture(params=["memory", "sandbox"])
def by_parts(request: pytest.FixtureRequest, clock: TestClock) -> tuple[InstalmentPayments, Callable[[], int]]:
    """A channel that offers instalments, and in how many parts its payment of the order says that it was paid."""
    made = MemoryChannel() if request.param == "memory" else local_channel()[0].channel
    assert isinstance(made, MemoryChannel | SandboxChannel)
    return made, lambda: number_in(made.start_in(LARGE, "", 3))


def number_in(started: PaymentParameters | PaymentNotice) -> int:
    assert isinstance(started, PaymentParameters)
    return int(started.pay_url.rpartition("instalments=")[2])


def test_what_is_offered_is_more_than_one_part_and_needs_an_amount(
    by_parts: tuple[InstalmentPayments, Callable[[], int]],
) -> None:
    offer = by_parts[0].offer

    assert offer.numbers == tuple(sorted(set(offer.numbers)))
    assert min(offer.numbers) > 1
    assert offer.for_amount(offer.least_fen) == offer.numbers
    assert offer.for_amount(offer.least_fen - 1) == ()


def test_a_payment_in_parts_starts_as_any_other_with_its_number(
    by_parts: tuple[InstalmentPayments, Callable[[], int]],
) -> None:
    channel, number = by_parts
    first, again = (channel.start_in(LARGE, "", 3) for _ in range(2))

    assert isinstance(first, PaymentParameters)
    assert first == again
    assert (first.order_no, first.amount_fen, first.currency, number()) == (ORDER_ID, LARGE.amount_fen, "CNY", 3)


def test_an_order_that_was_paid_is_not_closed_and_its_payment_is_told(paying: Paying) -> None:
    paying.pay(ORDER)
    found = paying.channel.close(ORDER)

    assert isinstance(found, PaymentNotice)
    assert (found.channel, found.order_no, found.amount_fen, found.currency) == (
        paying.channel.name, ORDER_ID, 3_003, "CNY",
    )  # fmt: skip
    assert found.transaction_no
    assert paying.channel.close(ORDER) == found
    assert paying.channel.close(replace(ORDER, order_id=OTHER_ID)) == "closed"


def test_a_closed_order_takes_no_payment_any_more_and_stays_closed(paying: Paying) -> None:
    paying.look(ORDER)
    before = paying.channel.close(ORDER)
    paid = paying.pay(ORDER)

    assert (before, paid, paying.channel.close(ORDER)) == ("closed", False, "closed")
    assert paying.pay(replace(ORDER, order_id=OTHER_ID))


def test_an_order_that_is_being_paid_stays_open_until_the_payment_is_made(paying: Paying) -> None:
    paying.pay(ORDER, processing=True)
    between = paying.channel.close(ORDER)
    done = paying.pay(ORDER)

    assert (between, done) == ("open", True)
    assert isinstance(paying.channel.close(ORDER), PaymentNotice)


def test_a_closing_whose_answer_is_lost_is_unknown_and_its_repeat_tells_what_came_of_it(paying: Paying) -> None:
    paying.look(ORDER)
    paying.silent(True)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        paying.channel.close(ORDER)
    paid = paying.pay(ORDER)
    paying.silent(False)

    assert (paid, paying.channel.close(ORDER)) == (False, "closed")


def refund_of(paying: Paying, **changed: Any) -> Refund:
    """A refund of the order's payment, which the buyer makes."""
    paying.pay(ORDER)
    found = paying.channel.close(ORDER)
    assert isinstance(found, PaymentNotice)
    return replace(REFUND, transaction_no=found.transaction_no, channel=paying.channel.name, **changed)


def test_a_refund_succeeds_once_for_its_id(paying: Paying) -> None:
    # More than a third of the payment: a second or third of them would be more than was paid.
    refund = refund_of(paying, amount_fen=2_000)
    first = paying.channel.refund(refund)
    paying.ending("failed")

    assert [first, paying.channel.refund(refund), paying.channel.refund(refund)] == [True] * 3


def test_a_refund_that_the_channel_works_on_ends_when_it_is_asked_again(paying: Paying) -> None:
    refund = refund_of(paying)
    paying.ending("processing")
    first, second = paying.channel.refund(refund), paying.channel.refund(refund)
    paying.ending("succeeded")

    assert (first, second, paying.channel.refund(refund)) == (False, False, True)


def test_a_refund_that_failed_is_refused_for_good(paying: Paying) -> None:
    refund = refund_of(paying)
    paying.ending("failed")
    with pytest.raises(RefusedError, match="REFUND_REFUSED"):
        paying.channel.refund(refund)
    paying.ending("succeeded")

    with pytest.raises(RefusedError, match="REFUND_REFUSED"):
        paying.channel.refund(refund)


def test_an_unknown_outcome_raises_and_the_same_id_again_settles_it(paying: Paying) -> None:
    refund = refund_of(paying)
    paying.ending(None)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        paying.channel.refund(refund)
    paying.ending("succeeded")

    assert paying.channel.refund(refund) is True


@pytest.mark.parametrize(
    ("status", "before", "after"),
    [("succeeded", "none", "succeeded"), ("processing", "none", "processing"), ("failed", "none", "none"),
     ("unfunded", "none", None)],
)  # fmt: skip
def test_asking_how_a_refund_stands_moves_no_money(status: Any, before: str, after: str | None, paying: Paying) -> None:
    refund = refund_of(paying)
    first = [paying.channel.progress(refund) for _ in range(2)]
    paying.ending(status)
    with suppress(RefusedError, UnavailableError):
        paying.channel.refund(refund)

    assert first == [before] * 2
    # A refund that waits for the merchant may be taken on, or not, as the channel has it.
    assert paying.channel.progress(refund) in ([after] if after else ["none", "processing"])


def test_how_a_refund_stands_is_unknown_without_an_answer(paying: Paying) -> None:
    refund = refund_of(paying)
    paying.ending(None)

    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        paying.channel.progress(refund)


@pytest.mark.parametrize("payer", ["", "wechat:wx1:o1", "支付宝:欧阳娜娜 & 王🫖"])
def test_a_notice_says_what_an_answer_says(payer: str) -> None:
    """Of the real channel alone: the fake reads no notices."""
    paying, sent = local_channel()
    paying.pay(ORDER, payer=payer)
    ((body, headers),) = sent

    read = paying.channel.read_notice(headers, body)

    assert isinstance(read, PaymentNotice)
    assert (read, read.payer) == (paying.channel.close(ORDER), payer)
