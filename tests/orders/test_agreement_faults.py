"""Whatever happens to a step of a payment agreement, its repeat ends in the books of an undisturbed one: ours and the
channel's. Nothing is charged twice, and nothing that was charged is lost."""

import contextlib
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from msgspec.structs import replace
from pynamodb.exceptions import PynamoDBException

from cardstock.errors import CardstockError
from cardstock.orders import wiring as orders_wiring
from tests.house import fault_figures, faults
from tests.people.agreements import AgreementHolder
from tests.people.leavers import Person
from tests.people.shop import Shop

Step = Callable[[], Any]
CAN_CONFLICT = {f"dynamodb.{name}" for name in ("TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem")}
OF_CALLS: tuple[faults.Mode, ...] = ("kill_before", "kill_after", "lose_answer")


def asking(holder: AgreementHolder) -> Step:
    return holder.ask


def signing(holder: AgreementHolder) -> Step:
    agreement_id = holder.asked()
    holder.channel.company.sign_agreement(agreement_id)
    return lambda: holder.tell(agreement_id, "signed")


def checking(holder: AgreementHolder) -> Step:
    agreement_id = holder.asked()
    holder.channel.company.sign_agreement(agreement_id)
    return lambda: holder.check(agreement_id)


def told_of_its_end(holder: AgreementHolder) -> Step:
    agreement_id = holder.signed()
    holder.channel.company.terminate_agreement(agreement_id)
    return lambda: holder.tell(agreement_id, "ended")


def ending(holder: AgreementHolder) -> Step:
    agreement_id = holder.signed()
    return lambda: holder.end(agreement_id)


def charging(holder: AgreementHolder) -> Step:
    agreement_id, order_id = holder.signed(), holder.order()
    return lambda: holder.charge(order_id, agreement_id)


def charging_what_is_signed_at_the_channel_alone(holder: AgreementHolder) -> Step:
    agreement_id, order_id = holder.asked(), holder.order()
    holder.channel.company.sign_agreement(agreement_id)
    return lambda: holder.charge(order_id, agreement_id)


def charging_without_money(holder: AgreementHolder) -> Step:
    step = charging(holder)
    holder.channel.company.payment_status = "failed"
    return step


def charging_under_an_ended_one(holder: AgreementHolder) -> Step:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.terminate_agreement(agreement_id)
    return lambda: holder.charge(order_id, agreement_id)


def charging_a_little(holder: AgreementHolder) -> Step:
    """The channel has taken another amount for the number."""
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.pay(order_id, 1, notify=False)
    return lambda: holder.charge(order_id, agreement_id)


def notice_of_an_open_charge(holder: AgreementHolder) -> Step:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.payment_status = "processing"
    holder.charge(order_id, agreement_id)
    holder.channel.company.payment_status = "succeeded"
    notice = holder.channel.pay(order_id)
    return lambda: holder.channel.notify(notice)


def sweep_of_an_open_charge(holder: AgreementHolder) -> Step:
    notice_of_an_open_charge(holder)
    holder.shop.clock.move(minutes=31)
    return holder.shop.sweep


def cancelling_a_marked_one(holder: AgreementHolder) -> Step:
    agreement_id, order_id = holder.signed(), holder.order()
    with holder.channel.at(0, "kill_before"):
        faults.survive(lambda: holder.charge(order_id, agreement_id))
    return lambda: holder.send("POST", f"/v1/orders/{order_id}/cancellations")


def charge_that_comes_too_late(holder: AgreementHolder) -> Step:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.payment_status = "processing"
    holder.charge(order_id, agreement_id)
    notice = holder.channel.notice(order_id)
    holder.channel.company.payments.clear()
    holder.send("POST", f"/v1/orders/{order_id}/cancellations")
    return lambda: holder.channel.notify(notice)


def closing_the_account_with_a_channel_gone(holder: AgreementHolder) -> Step:
    step = closing_the_account(holder)
    gone = holder.stored(holder.signed())
    member = next(item["member_id"]["S"] for item in holder.shop.cloud.items("members") if item["pk"]["S"][0] == "c")
    other = replace(gone, agreement_id=f"agr_{'gone':0>26}", member_id=member, channel="gone", version=1)
    assert orders_wiring.agreements().store_agreement(other)
    return step


def closing_the_account(holder: AgreementHolder) -> Step:
    anna = Person("anna")
    holder = AgreementHolder(holder.shop, member=anna.id)
    holder.signed()
    holder.asked(charge_fen=1_000)
    anna.ask_to_close()
    holder.shop.clock.move(minutes=1)
    return anna.ask_to_close


STEPS = [
    asking, signing, checking, told_of_its_end, ending, charging, charging_what_is_signed_at_the_channel_alone,
    charging_without_money, charging_under_an_ended_one, charging_a_little, notice_of_an_open_charge,
    sweep_of_an_open_charge, cancelling_a_marked_one, charge_that_comes_too_late, closing_the_account,
    closing_the_account_with_a_channel_gone,
]  # fmt: skip


def books(holder: AgreementHolder) -> Any:
    """What stands in our tables and in the channel's, without ids, times and versions of agreements.

    How often a charge was marked and freed is no matter of the books: `v` of an order and an agreement is left out, the
    number of an order (`pw`), and the numbers that the channel has closed."""
    company = holder.channel.company
    ours = [
        [{name: value for name, value in each.items() if name not in ("v", "charges", "pw")} for each in part]
        if isinstance(part, list)
        else part
        for part in holder.shop.order_books()
    ]
    charges = sorted(
        item.get("charges", {}).get("S", "").count("ord_") for item in holder.shop.cloud.items("agreements")
    )
    payments = sorted(
        (each["status"], each.get("amount_fen", 0)) for each in company.payments.values() if each["status"] != "closed"
    )
    return [ours, charges, payments, sorted(each["status"] for each in company.agreements.values())]


class Prepared:
    """A step, and the state before it, to go back to. `calls` are the step's AWS calls, `asked` those of the channel,
    `expected` the books after it."""

    def __init__(self, make: Callable[[AgreementHolder], Step], holder: AgreementHolder) -> None:
        self.holder, self.step = holder, make(holder)
        company = holder.channel.company
        self._account, self._time = holder.shop.cloud.snapshot(), holder.shop.clock.now()
        self._company = deepcopy((company.payments, company.agreements))
        self.step()  # secrets are fetched once
        self.reset()
        with faults.watch() as self.calls, holder.channel.at(-1, "kill_before") as seen:
            self.step()
        self.asked = len(seen)
        self.repeat()
        self.expected = books(holder)

    def reset(self) -> None:
        """Be before the step again."""
        self._account.restore()
        company = self.holder.channel.company
        company.payments, company.agreements = deepcopy(self._company)
        self.holder.shop.clock.set(self._time)

    def repeat(self) -> None:
        """Twice more."""
        self.step()
        self.step()

    def check(self, what: str) -> None:
        """The repeats end as they must."""
        self.repeat()
        assert books(self.holder) == self.expected, what


def attempt(step: Step) -> None:
    """One try, however it ends."""
    with contextlib.suppress(CardstockError, PynamoDBException):
        faults.survive(step)


@pytest.fixture
def holder(shop: Shop) -> AgreementHolder:
    return AgreementHolder(shop)


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", STEPS)
def test_a_step_that_is_disturbed_at_the_store_and_its_repeat_end_as_an_undisturbed_one(
    make: Callable[[AgreementHolder], Step], mode: faults.Mode, holder: AgreementHolder
) -> None:
    prepared = Prepared(make, holder)

    assert prepared.calls
    for index, call in enumerate(prepared.calls):
        if mode == "conflict" and call not in CAN_CONFLICT:
            continue  # DynamoDB refuses no read for a transaction on its way
        prepared.reset()
        with faults.at(index, mode) as seen:
            attempt(prepared.step)

        assert len(seen) > index
        prepared.check(f"{mode} at call {index} ({call})")


@pytest.mark.parametrize("make", STEPS)
def test_a_step_that_is_disturbed_at_the_channel_and_its_repeat_end_as_an_undisturbed_one(
    make: Callable[[AgreementHolder], Step], holder: AgreementHolder
) -> None:
    prepared = Prepared(make, holder)

    for index in range(prepared.asked):
        for mode in OF_CALLS:
            prepared.reset()
            with holder.channel.at(index, mode):
                attempt(prepared.step)
            fault_figures.note(mode, index)
            prepared.check(f"{mode} at call {index} of the channel")


@pytest.mark.parametrize("make", [signing, told_of_its_end, notice_of_an_open_charge, charge_that_comes_too_late])
def test_a_notice_that_comes_often_and_late_changes_what_it_changes_once(
    make: Callable[[AgreementHolder], Step], holder: AgreementHolder
) -> None:
    prepared = Prepared(make, holder)
    prepared.reset()
    for _ in range(4):
        prepared.step()
        fault_figures.note("duplicate", 0)
    holder.shop.clock.move(minutes=4)
    prepared.step()
    fault_figures.note("late", 0)

    prepared.check("often and late")


@pytest.mark.parametrize("mode", OF_CALLS)
def test_a_charge_that_was_disturbed_is_cancelled_or_paid_but_never_both(
    mode: faults.Mode, holder: AgreementHolder
) -> None:
    """The member gives up after a disturbed charge: what was taken is the order's payment, else nothing was taken."""
    prepared = Prepared(charging, holder)
    (order_id,) = (item["pk"]["S"] for item in holder.shop.cloud.items("orders") if item["sk"]["S"] == "order")
    for index in range(len(prepared.calls)):
        prepared.reset()
        with faults.at(index, mode):
            attempt(prepared.step)
        holder.send("POST", f"/v1/orders/{order_id}/cancellations")
        status = holder.status(order_id)
        taken = holder.channel.company.payments[order_id]["status"] == "succeeded"

        assert (status, taken) in (("paid", True), ("cancelled", False)), f"{mode} at call {index}"
