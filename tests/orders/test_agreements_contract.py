"""What every store of payment agreements and every channel that charges under them guarantees: fakes and real ones."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.errors import CardstockError, ConflictError, RefusedError, UnavailableError
from cardstock.ids import new_id
from cardstock.orders.agreement_model import Agreement, Charge
from cardstock.orders.agreement_store import DynamoAgreements
from cardstock.orders.change_model import Step
from cardstock.orders.channels.sandbox import SandboxChannel
from cardstock.orders.model import Order, Receiver
from cardstock.orders.payment_model import PaymentNotice
from cardstock.orders.ports import Agreements, Orders, PaymentAgreements
from cardstock.orders.store import DynamoOrders
from tests.orders.test_orders_neighbours_contract import local_company
from tests.people.clock import START, TestClock
from tests.people.marks import MARKER
from tests.people.memory_orders import MemoryAgreements, MemoryChannel, MemoryOrders

CONTRACT = {
    Agreements: (MemoryAgreements, DynamoAgreements),
    PaymentAgreements: (MemoryChannel, SandboxChannel),
}
ASKED = Agreement(
    new_id("agr", START), "mem_a", "sandbox", "dev:wx1", "asked", 20_000, 50_000, START, START + timedelta(days=365)
)
FULL = replace(
    ASKED, status="ended", contract_no="c1", signed_at=START, ended_at=START, ended_by="channel", day="2026-12-01",
    charges=(Charge("ord_1", 100), Charge("ord_2", 200)), version=2,
)  # fmt: skip
ORDER = Order(new_id("ord", START), "mem_a", "placed", (), 3_003, Receiver("n", "1", "a"), None, {}, START)


@pytest.fixture(params=["memory", "tables"])
def stores(request: pytest.FixtureRequest, clock: TestClock) -> tuple[Agreements, Orders]:
    if request.param == "memory":
        orders, agreements = MemoryOrders(), MemoryAgreements()
        orders.agreements = agreements
        return agreements, orders
    request.getfixturevalue("cloud")
    return DynamoAgreements(), DynamoOrders(MARKER)


def test_an_agreement_comes_back_as_it_was_stored(stores: tuple[Agreements, Orders]) -> None:
    agreements, _ = stores

    assert agreements.find_agreement(ASKED.agreement_id) is None
    for each in (ASKED, FULL):
        assert agreements.store_agreement(each)
        assert agreements.find_agreement(ASKED.agreement_id) == each


def test_only_the_next_version_replaces_an_agreement(stores: tuple[Agreements, Orders]) -> None:
    agreements, _ = stores
    agreements.store_agreement(ASKED)

    assert [agreements.store_agreement(replace(FULL, version=version)) for version in (1, 3, 2, 2)] == [
        False, False, True, False,
    ]  # fmt: skip


def test_a_member_s_agreements_are_listed_oldest_first(stores: tuple[Agreements, Orders]) -> None:
    agreements, _ = stores
    ids = [new_id("agr", START + timedelta(seconds=second)) for second in range(3)]
    for agreement_id in reversed(ids):
        agreements.store_agreement(replace(ASKED, agreement_id=agreement_id))
    agreements.store_agreement(replace(ASKED, agreement_id=new_id("agr", START), member_id="mem_b"))

    assert [each.agreement_id for each in agreements.agreements_of("mem_a")] == ids
    assert list(agreements.agreements_of("mem_c")) == []


def test_a_step_stores_the_agreement_with_the_order_or_neither(stores: tuple[Agreements, Orders]) -> None:
    agreements, orders = stores
    agreements.store_agreement(ASKED)
    charged = ASKED.with_charge(ORDER.order_id, 3_003, START)

    assert not orders.store_step(Step(orders=(replace(ORDER, version=5),), agreements=(charged,)))
    assert agreements.find_agreement(ASKED.agreement_id) == ASKED
    assert orders.store_step(Step(agreements=(charged,)))
    assert not orders.store_step(Step(agreements=(charged,)))
    assert agreements.find_agreement(ASKED.agreement_id) == charged


# --- channels ---


class Company:
    """A channel, and the company behind it as a test tells it."""

    def __init__(
        self, channel: Any, sign: Callable[[Agreement], object], terminate: Callable[[str], object],
        short: Callable[[bool], object], silent: Callable[[bool], object], working: Callable[[Order], object],
    ) -> None:  # fmt: skip
        self.channel: PaymentAgreements = channel
        self.payments = channel
        self.sign, self.terminate, self.short, self.silent, self.working = sign, terminate, short, silent, working

    def active(self, agreement: Agreement = ASKED) -> Agreement:
        """The agreement, signed."""
        self.channel.prepare_signing(agreement)
        self.sign(agreement)
        return replace(agreement, status="active", contract_no=self.channel.ask(agreement).contract_no, version=2)


@pytest.fixture(params=["memory", "sandbox"])
def company(request: pytest.FixtureRequest, clock: TestClock) -> Company:
    if request.param == "memory":
        memory = MemoryChannel()

        def sign(agreement: Agreement) -> None:
            if agreement.agreement_id not in memory.ended:
                memory.signed.add(agreement.agreement_id)

        return Company(
            memory, sign, memory.ended.add, lambda short: setattr(memory, "short", short),
            lambda silent: setattr(memory, "answers", not silent), lambda order: memory.paying.add(order.order_id),
        )  # fmt: skip
    paying, sandbox = local_company()
    assert isinstance(paying.channel, SandboxChannel)

    def sign_there(agreement: Agreement) -> None:
        with suppress(Exception):
            sandbox.sign_agreement(agreement.agreement_id)

    def short(is_short: bool) -> None:
        sandbox.payment_status = "failed" if is_short else "succeeded"

    return Company(
        paying.channel, sign_there, sandbox.terminate_agreement, short, paying.silent,
        lambda order: paying.pay(order, processing=True),
    )  # fmt: skip


def test_an_agreement_is_signed_after_it_was_prepared_and_says_so(company: Company) -> None:
    first, again = (company.channel.prepare_signing(ASKED) for _ in range(2))
    before = company.channel.ask(ASKED)
    company.sign(ASKED)
    after = company.channel.ask(ASKED)

    assert first == again
    assert bool(first.sign_url) != bool(first.parameters)
    assert (before.agreement_no, before.status, before.contract_no) == (ASKED.agreement_id, "unsigned", "")
    assert (after.agreement_no, after.status, bool(after.contract_no)) == (ASKED.agreement_id, "signed", True)
    assert company.channel.prepare_signing(ASKED) == first


def test_an_agreement_that_the_channel_has_never_heard_of_is_not_signed(company: Company) -> None:
    assert company.channel.ask(ASKED).status == "unsigned"


@pytest.mark.parametrize("signed", [True, False])
def test_what_was_ended_is_not_signed_nor_charged_any_more(company: Company, signed: bool) -> None:
    agreement = company.active() if signed else ASKED
    for _ in range(2):
        company.channel.end(agreement)
    company.sign(agreement)

    assert company.channel.ask(agreement).status == "ended"
    with pytest.raises(ConflictError, match="AGREEMENT_ENDED"):
        company.channel.charge(ORDER, agreement)
    assert company.payments.close(ORDER) == "closed"


def test_a_charge_pays_the_order_once_for_its_number(company: Company) -> None:
    agreement = company.active()
    first, again = (company.channel.charge(ORDER, agreement) for _ in range(2))

    assert isinstance(first, PaymentNotice)
    assert first == again == company.payments.close(ORDER)
    assert (first.order_no, first.amount_fen, first.currency) == (ORDER.order_id, 3_003, "CNY")


def test_a_payment_that_was_made_before_is_what_a_charge_names_even_after_the_agreement_has_ended(
    company: Company,
) -> None:
    agreement = company.active()
    first = company.channel.charge(ORDER, agreement)
    company.terminate(agreement.agreement_id)
    company.short(True)

    assert company.channel.charge(ORDER, agreement) == first


def test_a_charge_without_money_takes_nothing_and_may_be_repeated(company: Company) -> None:
    agreement = company.active()
    company.short(True)
    for _ in range(2):
        with pytest.raises(RefusedError, match="BALANCE_SHORT"):
            company.channel.charge(ORDER, agreement)
    company.short(False)

    assert isinstance(company.channel.charge(ORDER, agreement), PaymentNotice)


def test_a_charge_under_an_agreement_that_was_ended_at_the_channel_is_refused(company: Company) -> None:
    agreement = company.active()
    company.terminate(agreement.agreement_id)

    assert company.channel.ask(agreement).status == "ended"
    with pytest.raises(ConflictError, match="AGREEMENT_ENDED"):
        company.channel.charge(ORDER, agreement)


def test_a_charge_above_the_signed_limit_is_refused(company: Company) -> None:
    agreement = company.active()
    with pytest.raises(RefusedError, match="CHARGE_OVER_LIMIT"):
        company.channel.charge(replace(ORDER, amount_fen=20_001), agreement)

    assert isinstance(company.channel.charge(replace(ORDER, amount_fen=20_000), agreement), PaymentNotice)


def test_a_closed_order_is_not_charged(company: Company) -> None:
    agreement = company.active()
    company.payments.close(ORDER)

    with pytest.raises(ConflictError, match="PAYMENT_CLOSED"):
        company.channel.charge(ORDER, agreement)


def test_a_charge_that_the_channel_works_on_is_open_and_keeps_the_order_open(company: Company) -> None:
    agreement = company.active()
    company.working(ORDER)

    assert [company.channel.charge(ORDER, agreement) for _ in range(2)] == ["open", "open"]
    assert company.payments.close(ORDER) == "open"


@pytest.mark.parametrize("call", ["prepare_signing", "ask", "end", "charge"])
def test_a_call_without_an_answer_is_unknown_and_its_repeat_says_what_came_of_it(company: Company, call: str) -> None:
    agreement = company.active()
    arguments = (ORDER, agreement) if call == "charge" else (agreement,)
    company.silent(True)
    with pytest.raises(UnavailableError, match="CHANNEL_UNAVAILABLE"):
        getattr(company.channel, call)(*arguments)
    company.silent(False)
    stands = company.channel.ask(agreement).status
    with suppress(CardstockError):
        getattr(company.channel, call)(*arguments)

    assert stands == ("ended" if call == "end" else "signed")
    assert company.channel.ask(agreement).status == stands
    assert isinstance(company.payments.close(ORDER), PaymentNotice) == (call == "charge")
