"""After a charge under an agreement was refused, the buyer pays the order by another way, once, whatever happens."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from cardstock.open_items.store import every_item
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.agreement_model import MAX_CHARGES
from cardstock.orders.model import MAX_PAY_NOS, Order, PayNo
from cardstock.orders.store import every_refund
from infra.local.sandbox import SandboxError
from tests.house import fault_figures, faults
from tests.house.disturbed import OF_CALLS, attempt
from tests.people.agreements import AgreementHolder
from tests.people.payment_parties import PARTIES, notify, opened
from tests.people.replies import Reply
from tests.people.shop import Shop

AMOUNT = 3_003


class Buyer:
    """A member in an app of a platform who has an agreement with the sandbox, whose account is empty."""

    def __init__(self, party: Any, shop: Shop) -> None:
        self.party, self.shop = party, shop
        self.holder = AgreementHolder(shop, account=party.payer)
        self.agreement_id = self.holder.signed()
        self.empty()

    def empty(self) -> None:
        self.holder.channel.company.payment_status = "failed"

    def fill(self) -> None:
        self.holder.channel.company.payment_status = "succeeded"

    def charge(self, order_id: str) -> str:
        got = self.holder.charge(order_id, self.agreement_id)
        return str(got.body["status"] if got.status < 300 else got.body["code"])

    def start(self, order_id: str, channel: str = "") -> Reply:
        asked = {"channel": channel or self.party.name}
        return self.holder.send("POST", f"/v1/orders/{order_id}/payments", asked)

    def window(self, order_id: str) -> dict[str, str]:
        """The platform's payment window, opened on the phone."""
        started = self.start(order_id)
        assert started.status == 200, started
        self.party.opened(started.body["parameters"])
        return dict(started.body["parameters"])

    def pay(self, window: dict[str, str]) -> None:
        self.party.confirm(window)
        for sent in self.party.sent:
            notify(self.party.name, sent)

    def stored(self, order_id: str) -> Order:
        found = orders_wiring.orders().find_order(order_id)
        assert found is not None
        return found

    def taken_by_sandbox(self) -> int:
        payments = self.holder.channel.company.payments.values()
        return sum(each["amount_fen"] for each in payments if each["status"] == "succeeded")


def in_app_of(name: str, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> contextlib.AbstractContextManager[Buyer]:
    @contextlib.contextmanager
    def inside() -> Iterator[Buyer]:
        party = PARTIES[name](shop.clock)
        with opened(party, shop.cloud, monkeypatch):
            monkeypatch.setenv("PAYMENT_SANDBOX_URL", "http://127.0.0.1:8701")
            sandbox = httpx.MockTransport(shop.channel.handle)
            orders_wiring.set_payment_transports({party.name: party.transport, "sandbox": sandbox})
            yield Buyer(party, shop)

    return inside()


@pytest.fixture(params=[*PARTIES])
def buyer(request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Buyer]:
    with in_app_of(request.param, shop, monkeypatch) as found:
        yield found


@pytest.fixture(params=["wechat", "alipay"])
def closing(request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Buyer]:
    """A buyer on a platform that closes orders when it is asked to."""
    with in_app_of(request.param, shop, monkeypatch) as found:
        yield found


def test_after_a_refused_charge_the_order_is_paid_on_the_platform(buyer: Buyer) -> None:
    order_id = buyer.holder.order()
    refused = [buyer.charge(order_id) for _ in range(2)]
    buyer.pay(buyer.window(order_id))
    order = buyer.stored(order_id)

    assert refused == ["BALANCE_SHORT"] * 2
    assert (order.status, order.channel, order.pay_at, order.agreement) == ("paid", buyer.party.name, 3, "")
    assert (buyer.taken_by_sandbox(), buyer.holder.charged_fen(buyer.agreement_id)) == (0, 0)
    assert (list(every_refund()), list(every_item())) == ([], [])


def test_a_window_that_was_open_before_takes_nothing_more_and_a_new_one_pays(closing: Buyer) -> None:
    order_id = closing.holder.order()
    old = closing.window(order_id)
    closing.party.left(order_id)
    refused = closing.charge(order_id)
    new = closing.window(order_id)
    with contextlib.suppress(Exception):
        closing.party.confirm(old)
    of_the_old = len(closing.party.sent)
    closing.pay(new)

    assert (refused, of_the_old) == ("BALANCE_SHORT", 0)
    assert (closing.stored(order_id).status, closing.stored(order_id).pay_at) == ("paid", 2)
    assert (list(every_refund()), list(every_item())) == ([], [])


def test_what_is_paid_otherwise_is_refunded_as_any_payment(buyer: Buyer) -> None:
    order_id = buyer.holder.order()
    buyer.charge(order_id)
    buyer.pay(buyer.window(order_id))
    buyer.party.end_refunds("succeeded")
    body = {"lines": [{"sku": "84406B", "units": 3}], "reason": "x"}
    asked = buyer.holder.send("POST", f"/v1/orders/{order_id}/refunds", body, key="r")
    buyer.shop.sweep()
    buyer.shop.sweep()

    assert asked.status == 202, asked
    assert [(refund.status, refund.amount_fen) for refund in every_refund()] == [("succeeded", AMOUNT)]


def test_the_sandbox_s_own_page_takes_it_under_the_next_number_alone(closing: Buyer) -> None:
    order_id = closing.holder.order()
    closing.charge(order_id)
    started = closing.start(order_id, "sandbox").body
    closing.fill()
    with pytest.raises(SandboxError, match="closed"):
        closing.holder.channel.company.pay(order_id, AMOUNT)
    paid = closing.holder.channel.company.pay(started["order_no"], AMOUNT, notify=False)
    names = ("transaction_no", "amount_fen", "currency", "paid_at")
    notice = closing.holder.channel.notice(order_id, **{name: paid[name] for name in names})
    got = closing.holder.channel.notify(notice | {"order_no": started["order_no"]})

    assert (started["order_no"], got.status) == (f"{order_id}_2", 200)
    assert f"/pay/{order_id}_2?" in started["pay_url"]
    assert (closing.stored(order_id).status, closing.stored(order_id).pay_at) == ("paid", 2)


def test_a_filled_account_is_charged_under_the_next_number(closing: Buyer) -> None:
    order_id = closing.holder.order()
    refused = closing.charge(order_id)
    closing.fill()
    charged = [closing.charge(order_id) for _ in range(2)]

    assert (refused, charged) == ("BALANCE_SHORT", ["paid", "paid"])
    assert (closing.taken_by_sandbox(), closing.holder.charged_fen(closing.agreement_id)) == (AMOUNT, AMOUNT)


def test_an_order_is_charged_in_vain_eight_times_and_its_last_number_is_for_another_way(closing: Buyer) -> None:
    order_id = closing.holder.order()
    refused = [closing.charge(order_id) for _ in range(MAX_PAY_NOS + 1)]
    window = closing.window(order_id)
    closing.pay(window)

    assert MAX_CHARGES > MAX_PAY_NOS
    assert refused == ["BALANCE_SHORT"] * (MAX_PAY_NOS - 1) + ["CHARGES_TOO_MANY"] * 2
    assert (closing.stored(order_id).status, closing.stored(order_id).pay_no) == ("paid", f"{order_id}_9")


def test_when_the_order_expires_every_number_has_been_closed(closing: Buyer) -> None:
    order_id = closing.holder.order()
    closing.charge(order_id)
    window = closing.window(order_id)
    closing.party.left(f"{order_id}_2")
    closing.shop.clock.move(minutes=31)
    closing.shop.sweep()
    with contextlib.suppress(Exception):
        closing.party.confirm(window)

    assert closing.stored(order_id).status == "expired"
    assert closing.party.sent == []


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (f"ord_{'0' * 26}", (f"ord_{'0' * 26}", 1)),
        (f"ord_{'0' * 26}_2", (f"ord_{'0' * 26}", 2)),
        (f"ord_{'0' * 26}_9", (f"ord_{'0' * 26}", 9)),
        *((f"ord_{'0' * 26}{end}", None) for end in ("_1", "_0", "_", "_10", "_2\n", "-2", "2")),
        ("2088-not-ours", None),
    ],
)
def test_a_number_is_read_whole_or_not_at_all(text: str, read: tuple[str, int] | None) -> None:
    assert PayNo.read(text) == read
    assert len(text) <= 33


# Faults


def refused_charge(buyer: Buyer) -> tuple[str, Callable[[], object]]:
    order_id = buyer.holder.order()
    buyer.window(order_id)
    buyer.party.left(order_id)
    return order_id, lambda: buyer.charge(order_id)


def start_after_it(buyer: Buyer) -> tuple[str, Callable[[], object]]:
    order_id, charge = refused_charge(buyer)
    charge()
    return order_id, lambda: buyer.start(order_id)


def start_of_what_the_platform_has_closed(buyer: Buyer) -> tuple[str, Callable[[], object]]:
    """The charge was killed when the platform had closed the order, and nothing was marked."""
    order_id, charge = refused_charge(buyer)
    with faults.watch() as calls:
        before = buyer.shop.cloud.snapshot(), buyer.party.kept()
        charge()
    before[0].restore()
    before[1]()
    with faults.at(calls.index("dynamodb.TransactWriteItems"), "kill_before"):
        faults.survive(charge)
    return order_id, lambda: buyer.start(order_id)


def finish(buyer: Buyer, order_id: str) -> Order:
    """The buyer does what the answers say until the order is paid on the platform."""
    for _ in range(4):
        started = buyer.start(order_id)
        if started.status == 200:
            break
        buyer.charge(order_id)
    else:
        raise AssertionError(started)
    buyer.party.opened(started.body["parameters"])
    buyer.pay(started.body["parameters"])
    return buyer.stored(order_id)


@pytest.mark.parametrize("where", ["store", "sandbox", "platform"])
@pytest.mark.parametrize("make", [refused_charge, start_after_it, start_of_what_the_platform_has_closed])
def test_whatever_disturbs_a_step_the_order_is_paid_once_on_the_platform(
    make: Callable[[Buyer], tuple[str, Callable[[], object]]], where: str, closing: Buyer
) -> None:
    order_id, step = make(closing)
    company = closing.holder.channel.company
    account, kept, payments = closing.shop.cloud.snapshot(), closing.party.kept(), dict(company.payments)
    at: dict[str, Any] = {
        "store": faults.at, "sandbox": closing.holder.channel.at, "platform": closing.party.served.at,
    }  # fmt: skip
    modes = faults.MODES if where == "store" else OF_CALLS
    with at[where](-1, "kill_before") as seen:
        step()
    calls = len(seen)

    assert calls or (where, make) in (("sandbox", start_after_it), ("sandbox", start_of_what_the_platform_has_closed))
    for index in range(calls):
        for mode in modes:
            account.restore()
            kept()
            company.payments = dict(payments)
            closing.party.sent.clear()
            with at[where](index, mode):
                attempt(step)
            fault_figures.note(mode, index)
            order = finish(closing, order_id)

            assert (order.status, order.channel) == ("paid", closing.party.name), (mode, index)
            assert (closing.taken_by_sandbox(), list(every_refund()), list(every_item())) == (0, [], []), (mode, index)
