"""Whatever happens to a step of a payment agreement, its repeat ends in the books of an undisturbed one: ours and the
channel's. Nothing is charged twice, and nothing that was charged is lost."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.orders import wiring as orders_wiring
from tests.house import faults
from tests.house.disturbed import (
    OF_CALLS,
    Prepared,
    Scene,
    Step,
    attempt,
    come_often_and_late,
    disturb_outside,
    disturb_store,
)
from tests.people.agreements import AgreementHolder
from tests.people.leavers import Person
from tests.people.shop import Shop


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


def scene(holder: AgreementHolder) -> Scene:
    """The holder's shop with the channel."""
    company = holder.channel.company

    def keep() -> Callable[[], None]:
        account, time = holder.shop.cloud.snapshot(), holder.shop.clock.now()
        kept = deepcopy((company.payments, company.agreements))

        def restore() -> None:
            account.restore()
            company.payments, company.agreements = deepcopy(kept)
            holder.shop.clock.set(time)

        return restore

    return Scene(keep, lambda: books(holder), holder.channel.at)


@pytest.fixture
def holder(shop: Shop) -> AgreementHolder:
    return AgreementHolder(shop)


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", STEPS)
def test_a_step_that_is_disturbed_at_the_store_and_its_repeat_end_as_an_undisturbed_one(
    make: Callable[[AgreementHolder], Step], mode: faults.Mode, holder: AgreementHolder
) -> None:
    disturb_store(Prepared(make(holder), scene(holder)), mode)


@pytest.mark.parametrize("make", STEPS)
def test_a_step_that_is_disturbed_at_the_channel_and_its_repeat_end_as_an_undisturbed_one(
    make: Callable[[AgreementHolder], Step], holder: AgreementHolder
) -> None:
    disturb_outside(Prepared(make(holder), scene(holder)), "channel")


@pytest.mark.parametrize("make", [signing, told_of_its_end, notice_of_an_open_charge, charge_that_comes_too_late])
def test_a_notice_that_comes_often_and_late_changes_what_it_changes_once(
    make: Callable[[AgreementHolder], Step], holder: AgreementHolder
) -> None:
    come_often_and_late(Prepared(make(holder), scene(holder)), lambda: holder.shop.clock.move(minutes=4))


@pytest.mark.parametrize("mode", OF_CALLS)
def test_a_charge_that_was_disturbed_is_cancelled_or_paid_but_never_both(
    mode: faults.Mode, holder: AgreementHolder
) -> None:
    """The member gives up after a disturbed charge: what was taken is the order's payment, else nothing was taken."""
    prepared = Prepared(charging(holder), scene(holder))
    (order_id,) = (item["pk"]["S"] for item in holder.shop.cloud.items("orders") if item["sk"]["S"] == "order")
    for index in range(len(prepared.calls)):
        prepared.reset()
        with faults.at(index, mode):
            attempt(prepared.step)
        holder.send("POST", f"/v1/orders/{order_id}/cancellations")
        status = holder.status(order_id)
        taken = holder.channel.company.payments[order_id]["status"] == "succeeded"

        assert (status, taken) in (("paid", True), ("cancelled", False)), f"{mode} at call {index}"
