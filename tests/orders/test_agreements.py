"""Payment agreements, from the members' requests and the channel's notices to the tables."""

from collections.abc import Iterator
from typing import Any, Literal

import httpx
import pytest

from cardstock.clock import rfc3339
from cardstock.errors import ConflictError, UnavailableError
from cardstock.ids import new_id
from cardstock.open_items.store import every_item
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.agreement_model import (
    AGREEMENT_LIFETIME,
    MAX_CHARGES,
    MAX_OPEN,
    Agreement,
    AgreementState,
    Bounds,
)
from cardstock.orders.agreements import AgreementNeeds, ChargeNeeds, charge_order, record_state
from cardstock.orders.model import Order, Receiver
from cardstock.orders.payment_model import PaymentNotice
from cardstock.orders.store import every_refund
from infra.local.sandbox import SandboxError
from tests.house import faults
from tests.house.cloud import http_event, serve
from tests.people.agreements import ACCOUNT, AgreementHolder
from tests.people.buyers import BUYER, STRANGER
from tests.people.clock import START, TestClock
from tests.people.memory_orders import MemoryChannel, MemoryOrders
from tests.people.payment_parties import PARTIES, opened
from tests.people.replies import reply
from tests.people.shop import Shop


@pytest.fixture
def holder(shop: Shop) -> AgreementHolder:
    return AgreementHolder(shop)


def outcome(got: Any) -> Any:
    return got.body["status"] if got.status < 300 else got.body["code"]


# Asking and signing


def test_a_client_learns_which_channels_take_agreements(holder: AgreementHolder) -> None:
    got = holder.send("GET", "/v1/payment-channels", query={"amount_fen": "100"}).body["items"]

    assert [(each["channel"], each["agreements"]) for each in got] == [("sandbox", True)]


def test_an_agreement_is_asked_for_with_what_its_channel_needs_and_signed_by_its_notice(
    holder: AgreementHolder,
) -> None:
    made = holder.ask()
    agreement = made.body["agreement"]
    company = holder.channel.company.agreements[agreement["agreement_id"]]
    holder.channel.company.sign_agreement(agreement["agreement_id"])
    told = holder.tell(agreement["agreement_id"], "signed")
    (after,) = holder.send("GET", "/v1/me/payment-agreements").body["items"]

    assert (made.status, made.body["parameters"]) == (201, {})
    assert made.body["sign_url"].endswith(f"/agreements/{agreement['agreement_id']}")
    assert (agreement["status"], agreement["channel"], agreement["app"]) == ("asked", "sandbox", "dev:wx1")
    assert (agreement["charge_fen"], agreement["day_fen"], agreement["signed_at"]) == (5_000, 12_000, None)
    assert agreement["ends_at"] == rfc3339(holder.shop.clock.now() + AGREEMENT_LIFETIME)
    assert (company["charge_fen"], company["day_fen"], company["ends_at"]) == (5_000, 12_000, agreement["ends_at"])
    assert (told.status, told.body) == (200, {"code": "SUCCESS"})
    assert (after["status"], after["signed_at"]) == ("active", rfc3339(holder.shop.clock.now()))


def test_a_client_that_does_not_wait_for_the_notice_asks_the_channel(holder: AgreementHolder) -> None:
    agreement_id = holder.asked()
    before = holder.check(agreement_id).body["status"]
    holder.channel.company.sign_agreement(agreement_id)

    assert (before, holder.check(agreement_id).body["status"]) == ("asked", "active")
    assert holder.charge(holder.order(), agreement_id).body["status"] == "paid"


def test_a_charge_asks_the_channel_about_an_agreement_that_is_not_signed_here(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.asked(), holder.order()
    before = holder.charge(order_id, agreement_id)
    holder.channel.company.sign_agreement(agreement_id)

    assert outcome(before) == "AGREEMENT_UNSIGNED"
    assert outcome(holder.charge(order_id, agreement_id)) == "paid"


def test_a_repeat_answers_the_same_until_it_is_signed(holder: AgreementHolder) -> None:
    first, again, other = holder.ask(), holder.ask(), holder.asked(charge_fen=4_000)
    holder.channel.company.sign_agreement(first.body["agreement"]["agreement_id"])
    holder.tell(first.body["agreement"]["agreement_id"], "signed")
    later = holder.asked()

    assert first.body == again.body
    assert len({first.body["agreement"]["agreement_id"], other, later}) == 3


@pytest.mark.parametrize(
    ("charge_fen", "day_fen", "code"),
    [
        (20_001, 50_000, "AGREEMENT_BOUNDS"),
        (20_000, 50_001, "AGREEMENT_BOUNDS"),
        (5_000, 4_999, "AGREEMENT_BOUNDS"),
        (0, 50_000, "BODY_INVALID"),
        (True, 50_000, "BODY_INVALID"),
        (20_000, 50_000, None),
        (1, 1, None),
    ],
)
def test_the_member_chooses_within_the_bounds_of_the_deployment(
    holder: AgreementHolder, charge_fen: int, day_fen: int, code: str | None
) -> None:
    got = holder.ask(charge_fen, day_fen)

    assert got.body.get("code") == code
    assert bool(holder.shop.cloud.items("agreements")) == (code is None)


def test_a_channel_or_a_log_in_that_does_not_fit_is_refused(holder: AgreementHolder) -> None:
    unknown = holder.ask(body={"channel": "moneybox"})
    no_app = holder.ask(account="")

    assert (outcome(unknown), outcome(no_app)) == ("CHANNEL_UNKNOWN", "APP_DIFFERS")
    assert holder.shop.cloud.items("agreements") == []


def test_a_member_has_few_agreements_at_once_and_room_again_after_one_has_ended(holder: AgreementHolder) -> None:
    ids = [holder.asked(charge_fen=1_000 + number) for number in range(MAX_OPEN)]
    full = holder.ask()
    holder.end(ids[0])

    assert (full.status, full.body["code"]) == (422, "AGREEMENTS_TOO_MANY")
    assert str(MAX_OPEN) in full.body["detail"]
    assert holder.ask().status == 201


@pytest.mark.parametrize("name", PARTIES)
def test_no_platform_takes_agreements_and_none_is_asked(shop: Shop, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    party = PARTIES[name](shop.clock)
    with opened(party, shop.cloud, monkeypatch), party.served.at(-1, "kill_before") as calls:
        got = AgreementHolder(shop, account=party.payer).ask(body={"channel": name})

    assert (outcome(got), got.body["errors"][0]["pointer"], calls) == ("AGREEMENTS_NOT_OFFERED", "/channel", [])


# Charges


def test_a_charge_pays_the_order_as_a_notice_does(holder: AgreementHolder) -> None:
    agreement_id, charged, noticed = holder.signed(), holder.order(), holder.order()
    got = holder.charge(charged, agreement_id)
    holder.channel.notify(holder.channel.pay(noticed))
    first, second = (orders_wiring.orders().find_order(order_id) for order_id in (charged, noticed))
    parts = [{each["pk"]["S"] for each in holder.shop.cloud.items("supplier-orders") if each["sk"]["S"] == order_id}
             for order_id in (charged, noticed)]  # fmt: skip

    assert (got.status, got.body) == (200, {"order_id": charged, "status": "paid"})
    assert first is not None
    assert second is not None
    assert (first.status, first.channel, first.paid_at) == (second.status, second.channel, second.paid_at)
    assert (first.amount_fen, first.agreement, second.agreement) == (3_003, agreement_id, "")
    assert parts[0] == parts[1] == {"sup_hangers"}
    assert holder.charged_fen(agreement_id) == 3_003


def test_a_repeated_charge_takes_nothing_more_and_asks_nobody(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.charge(order_id, agreement_id)
    before = holder.shop.cloud.state()
    with holder.channel.at(-1, "kill_before") as calls:
        again = holder.charge(order_id, agreement_id)

    assert (outcome(again), calls, holder.shop.cloud.state() == before) == ("paid", [], True)


def test_a_charge_is_six_calls_of_the_store_and_one_of_the_channel(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.charge(holder.order(), agreement_id)
    with faults.watch() as calls, holder.channel.at(-1, "kill_before") as asked:
        holder.charge(order_id, agreement_id)

    assert calls == [
        "dynamodb.GetItem", "dynamodb.GetItem", "dynamodb.TransactWriteItems",  # decide and mark
        "dynamodb.GetItem", "dynamodb.TransactWriteItems",  # paid
        "dynamodb.GetItem", "dynamodb.GetItem",  # paid by this, and counted
    ]  # fmt: skip
    assert asked == ["/v1/charges"]


def test_an_open_charge_ends_by_the_channel_s_notice(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.payment_status = "processing"
    got = holder.charge(order_id, agreement_id)
    cancelled = holder.send("POST", f"/v1/orders/{order_id}/cancellations")
    holder.channel.company.payment_status = "succeeded"
    holder.channel.notify(holder.channel.pay(order_id))

    assert (outcome(got), outcome(cancelled)) == ("open", "PAYMENT_PENDING")
    assert (holder.status(order_id), outcome(holder.charge(order_id, agreement_id))) == ("paid", "paid")


def test_an_open_charge_is_found_by_the_sweep(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.payment_status = "processing"
    holder.charge(order_id, agreement_id)
    holder.shop.clock.move(minutes=31)
    holder.shop.sweep()
    waiting = holder.status(order_id)
    holder.channel.company.payment_status = "succeeded"
    holder.channel.pay(order_id)
    holder.shop.sweep()

    assert (waiting, holder.status(order_id)) == ("placed", "paid")


def test_a_charge_that_succeeds_after_we_gave_up_is_refunded(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.payment_status = "processing"
    holder.charge(order_id, agreement_id)
    late = holder.channel.notice(order_id)
    holder.channel.company.payments.clear()  # the channel says that it has closed it
    holder.send("POST", f"/v1/orders/{order_id}/cancellations")
    told = holder.channel.notify(late)
    holder.shop.sweep()

    assert (holder.status(order_id), told.status) == ("cancelled", 200)
    assert [(each.kind, each.amount_fen, each.status) for each in every_refund()] == [("stray", 3_003, "succeeded")]


def test_a_charge_of_another_amount_is_refunded_and_the_order_is_not_paid(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.pay(order_id, 1, notify=False)
    got = [outcome(holder.charge(order_id, agreement_id)) for _ in range(2)]
    holder.shop.sweep()

    assert got == ["PAYMENT_CLOSED"] * 2
    assert holder.status(order_id) == "placed"
    assert [(each.kind, each.amount_fen, each.status) for each in every_refund()] == [("stray", 1, "succeeded")]


def test_a_payment_that_was_started_before_and_the_charge_are_one(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.send("POST", f"/v1/orders/{order_id}/payments", {"channel": "sandbox"})
    on_the_page = holder.channel.pay(order_id)
    got = holder.charge(order_id, agreement_id)
    told = holder.channel.notify(on_the_page)

    assert (outcome(got), told.status, holder.status(order_id)) == ("paid", 200, "paid")
    assert list(every_refund()) == []
    assert list(every_item()) == []


def test_after_a_charge_has_begun_no_payment_is_started_and_no_other_agreement_is_used(
    holder: AgreementHolder,
) -> None:
    agreement_id, other, order_id = holder.signed(), holder.signed(), holder.order()
    holder.channel.company.payment_status = "processing"
    holder.charge(order_id, agreement_id)
    started = holder.send("POST", f"/v1/orders/{order_id}/payments", {"channel": "sandbox"})

    assert outcome(started) == outcome(holder.charge(order_id, other)) == "PAYMENT_STARTED"


class TwoChannels:
    """An order in an app of WeChat, whose channel may have begun its payment, and an agreement with the sandbox."""

    def __init__(self, clock: TestClock) -> None:
        app = "wechat:wx1"
        self.here, self.there, self.orders = MemoryChannel(), MemoryChannel(), MemoryOrders()
        self.order = Order(
            new_id("ord", START), BUYER, "placed", (), 3_003, Receiver("n", "1", "a"), None, {}, clock.now(), app=app
        )
        self.agreement = Agreement(
            new_id("agr", START), BUYER, "sandbox", app, "active", 5_000, 9_000, START, START + AGREEMENT_LIFETIME, "c1"
        )
        self.orders.orders[self.order.order_id] = self.order
        self.orders.agreements.store_agreement(self.agreement)
        self.here.signed.add(self.agreement.agreement_id)

    def charge(self) -> str:
        agreeing = AgreementNeeds(self.orders.agreements, {"sandbox": self.here}, lambda: Bounds(1, 1))
        needs = ChargeNeeds(self.orders, agreeing, {"sandbox": self.here, "wechat": self.there})
        return charge_order(
            BUYER, self.order.app, self.order.order_id, self.agreement.agreement_id, needs
        ).status  # fmt: skip


def test_a_charge_closes_the_order_at_every_other_channel_before(clock: TestClock) -> None:
    two = TwoChannels(clock)

    assert (two.charge(), two.there.closed, two.here.closed) == ("paid", {two.order.order_id}, set())


def test_an_order_that_is_being_paid_elsewhere_is_not_charged(clock: TestClock) -> None:
    two = TwoChannels(clock)
    two.there.paying.add(two.order.order_id)
    with pytest.raises(UnavailableError, match="PAYMENT_PENDING"):
        two.charge()

    assert two.here.payments == {}
    assert two.orders.orders[two.order.order_id] == two.order


def test_an_order_that_was_paid_elsewhere_is_paid_by_that_and_not_charged(clock: TestClock) -> None:
    two = TwoChannels(clock)
    two.there.pay(two.order)
    with pytest.raises(ConflictError, match="ORDER_PAID"):
        two.charge()

    assert two.here.payments == {}
    assert two.orders.orders[two.order.order_id].status == "paid"


@pytest.fixture(params=[*PARTIES])
def in_an_app(
    request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Any, AgreementHolder]]:
    """A platform that takes payments in its app beside the sandbox, and a member who logged in there."""
    party = PARTIES[request.param](shop.clock)
    with opened(party, shop.cloud, monkeypatch):
        monkeypatch.setenv("PAYMENT_SANDBOX_URL", "http://127.0.0.1:8701")
        sandbox = httpx.MockTransport(shop.channel.handle)
        orders_wiring.set_payment_transports({party.name: party.transport, "sandbox": sandbox})
        yield party, AgreementHolder(shop, account=party.payer)


def test_in_an_app_of_a_platform_the_order_is_charged_and_can_not_be_paid_there(
    in_an_app: tuple[Any, AgreementHolder],
) -> None:
    party, holder = in_an_app
    agreement_id, order_id = holder.signed(), holder.order()
    got = holder.charge(order_id, agreement_id)
    started = holder.send("POST", f"/v1/orders/{order_id}/payments", {"channel": party.name})

    assert (outcome(got), outcome(started), holder.stored(agreement_id).app) == (
        "paid", "ORDER_PAID", ":".join(party.payer.split(":")[:2]),
    )  # fmt: skip


def test_what_was_paid_on_the_platform_is_not_charged_too(in_an_app: tuple[Any, AgreementHolder]) -> None:
    party, holder = in_an_app
    agreement_id, order_id = holder.signed(), holder.order()
    window = holder.send("POST", f"/v1/orders/{order_id}/payments", {"channel": party.name}).body["parameters"]
    party.confirm(window)
    with holder.channel.at(-1, "kill_before") as calls:
        got = holder.charge(order_id, agreement_id)

    assert (outcome(got), calls, holder.status(order_id)) == ("ORDER_PAID", [], "paid")


def test_a_charge_in_another_currency_is_an_open_item(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.pay(order_id, 3_003, notify=False)
    holder.channel.company.payments[order_id]["currency"] = "USD"

    assert [outcome(holder.charge(order_id, agreement_id)) for _ in range(2)] == ["PAYMENT_CLOSED"] * 2
    assert [(item.kind, item.currency) for item in every_item()] == [("payment_mismatch", "USD")]


def test_the_payer_that_the_channel_names_is_marked(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.pay(order_id, 3_003, payer=ACCOUNT, notify=False)
    holder.charge(order_id, agreement_id)
    found = orders_wiring.orders().find_order(order_id)

    assert found is not None
    assert found.payer == orders_wiring.orders().mark_of("payer", ACCOUNT)


def test_a_refusal_that_overtakes_the_charge_of_another_request_does_not_lose_its_count(clock: TestClock) -> None:
    two = TwoChannels(clock)
    charge = two.here.charge

    def charged_meanwhile(order: Order, agreement: Agreement) -> PaymentNotice | Literal["open"]:
        taken = charge(order, agreement)
        freed = two.orders.agreements.stored[agreement.agreement_id].without_charge(order.order_id)
        two.orders.agreements.store_agreement(freed)
        return taken

    two.here.charge = charged_meanwhile  # type: ignore[method-assign]  # what another request does in between
    two.charge()

    assert two.orders.agreements.stored[two.agreement.agreement_id].charged_on(START.date()) == 3_003


def test_without_enough_money_nothing_is_taken_and_the_order_can_be_paid_otherwise(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.payment_status = "failed"
    got = holder.charge(order_id, agreement_id)
    holder.channel.company.payment_status = "succeeded"
    started = holder.send("POST", f"/v1/orders/{order_id}/payments", {"channel": "sandbox"})

    assert (got.status, got.body["code"]) == (422, "BALANCE_SHORT")
    assert (holder.charged_fen(agreement_id), started.status) == (0, 200)
    assert outcome(holder.charge(order_id, agreement_id)) == "paid"


def test_a_charge_above_the_member_s_limits_is_refused_before_the_channel_is_asked(holder: AgreementHolder) -> None:
    agreement_id = holder.signed(charge_fen=3_003, day_fen=7_000)
    small, large = holder.order(3), holder.order(4)
    with holder.channel.at(-1, "kill_before") as calls:
        over = holder.charge(large, agreement_id)
    got = [outcome(holder.charge(small, agreement_id)), outcome(holder.charge(holder.order(3), agreement_id))]
    with holder.channel.at(-1, "kill_before") as later:
        third = holder.charge(holder.order(1), agreement_id)

    assert (over.status, over.body["code"], calls) == (422, "CHARGE_OVER_LIMIT", [])
    assert got == ["paid", "paid"]
    assert (third.status, third.body["code"], later) == (422, "CHARGE_OVER_DAY", [])
    assert ("¥30.03" in over.body["detail"], "¥70.00" in third.body["detail"]) == (True, True)
    holder.shop.clock.move(days=1)
    assert outcome(holder.charge(holder.order(3), agreement_id)) == "paid"
    assert holder.charged_fen(agreement_id) == 3_003


def test_a_day_is_a_day_in_china(holder: AgreementHolder) -> None:
    agreement_id = holder.signed(charge_fen=3_003, day_fen=3_003)
    holder.shop.clock.set(holder.shop.clock.now().replace(hour=15, minute=50))  # 23:50 in Shanghai
    first = outcome(holder.charge(holder.order(), agreement_id))
    second = outcome(holder.charge(holder.order(), agreement_id))
    holder.shop.clock.move(minutes=20)

    assert (first, second, outcome(holder.charge(holder.order(), agreement_id))) == ("paid", "CHARGE_OVER_DAY", "paid")


def test_charges_of_a_day_are_bounded_in_number(holder: AgreementHolder) -> None:
    agreement_id = holder.signed(day_fen=50_000)
    stored = holder.stored(agreement_id)
    for number in range(MAX_CHARGES - 1):
        stored = stored.with_charge(f"ord_{number}", 1, holder.shop.clock.now())
        orders_wiring.agreements().store_agreement(stored)
    got = [outcome(holder.charge(holder.order(1), agreement_id)) for _ in range(2)]

    assert got == ["paid", "CHARGE_OVER_DAY"]


def test_the_channel_s_own_limits_are_refusals_by_name(holder: AgreementHolder) -> None:
    agreement_id = holder.signed()
    for name, fen, code in (("charge_fen", 3_002, "CHARGE_OVER_LIMIT"), ("day_fen", 3_002, "CHARGE_OVER_DAY")):
        signed = dict(holder.channel.company.agreements[agreement_id])
        holder.channel.company.agreements[agreement_id] = signed | {name: fen}
        got = holder.charge(holder.order(), agreement_id)
        holder.channel.company.agreements[agreement_id] = signed

        assert (got.status, got.body["code"]) == (422, code)
    assert holder.charged_fen(agreement_id) == 0


# Who must not


def test_another_member_neither_sees_nor_uses_nor_ends_an_agreement(holder: AgreementHolder) -> None:
    other = AgreementHolder(holder.shop, member=STRANGER)
    agreement_id, order_id, theirs = holder.signed(), holder.order(), other.order()
    before = holder.shop.cloud.state()
    got = [
        outcome(other.charge(theirs, agreement_id)), outcome(other.charge(order_id, agreement_id)),
        outcome(holder.charge(theirs, agreement_id)), outcome(other.end(agreement_id)),
        outcome(other.check(agreement_id)),
    ]  # fmt: skip

    assert got == ["AGREEMENT_UNKNOWN", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND"]
    assert other.send("GET", "/v1/me/payment-agreements").body["items"] == []
    assert holder.shop.cloud.state() == before


@pytest.mark.parametrize("account", ["dev:wx2:payer", "wechat:wx1:payer", ""])
def test_another_app_s_log_in_charges_nothing(holder: AgreementHolder, account: str) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    before = holder.shop.cloud.state()
    with holder.channel.at(-1, "kill_before") as calls:
        got = holder.charge(order_id, agreement_id, account=account)

    assert (got.status, got.body["code"], calls) == (409, "APP_DIFFERS", [])
    assert holder.shop.cloud.state() == before


def test_an_order_of_another_app_is_not_charged(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order(account="dev:wx2:payer")

    assert outcome(holder.charge(order_id, agreement_id)) == "APP_DIFFERS"
    assert outcome(holder.charge(order_id, agreement_id, account="dev:wx2:payer")) == "APP_DIFFERS"


def test_staff_and_keys_charge_nothing_and_end_nothing(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    key = holder.shop.staff.key("orders:refund", "orders:read")
    body = {"agreement_id": agreement_id}
    answers = [
        reply(serve(http_event("POST", f"/v1/orders/{order_id}/charges", body, token=key))),
        reply(serve(http_event("DELETE", f"/v1/me/payment-agreements/{agreement_id}", token=key))),
        reply(serve(http_event("POST", "/v1/me/payment-agreements", {}, token=key))),
    ]

    assert [each.status for each in answers] == [403, 403, 403]
    assert (holder.status(order_id), holder.stored(agreement_id).status) == ("placed", "active")


@pytest.mark.parametrize("make", ["cancelled", "expired", "paid"])
def test_an_order_that_does_not_wait_for_a_payment_is_not_charged(holder: AgreementHolder, make: str) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    if make == "paid":
        holder.channel.notify(holder.channel.pay(order_id))
    elif make == "cancelled":
        holder.send("POST", f"/v1/orders/{order_id}/cancellations")
    else:
        holder.shop.clock.move(minutes=30)
    with holder.channel.at(-1, "kill_before") as calls:
        got = holder.charge(order_id, agreement_id)

    assert (outcome(got), calls) == (f"ORDER_{make.upper()}", [])


# The end


def test_a_member_ends_an_agreement_here_and_at_the_channel(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    got, again = holder.end(agreement_id), holder.end(agreement_id)

    assert (got.status, got.body["status"], got.body["ended_by"]) == (200, "ended", "member")
    assert again.body == got.body
    assert holder.channel.company.agreement_state(agreement_id)["status"] == "ended"
    assert outcome(holder.charge(order_id, agreement_id)) == "AGREEMENT_ENDED"


def test_an_unsigned_agreement_that_was_ended_can_not_be_signed(holder: AgreementHolder) -> None:
    agreement_id = holder.asked()
    holder.end(agreement_id)

    with pytest.raises(SandboxError):
        holder.channel.company.sign_agreement(agreement_id)
    assert holder.check(agreement_id).body["status"] == "ended"


def test_while_the_channel_gives_no_answer_the_agreement_is_ending_and_charges_nothing(
    holder: AgreementHolder,
) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.answers = False
    got = holder.end(agreement_id)
    holder.channel.answers = True
    (between,) = holder.send("GET", "/v1/me/payment-agreements").body["items"]
    charged = holder.charge(order_id, agreement_id)

    assert (got.status, got.body["code"]) == (503, "CHANNEL_UNAVAILABLE")
    assert (between["status"], between["ended_by"], between["ended_at"]) == ("ending", "member", None)
    assert outcome(charged) == "AGREEMENT_ENDED"
    assert holder.end(agreement_id).body["status"] == "ended"


def test_an_agreement_that_is_ended_at_the_channel_ends_by_its_notice(holder: AgreementHolder) -> None:
    agreement_id = holder.signed()
    holder.channel.company.terminate_agreement(agreement_id, notify=False)
    holder.tell(agreement_id, "ended")
    (found,) = holder.send("GET", "/v1/me/payment-agreements").body["items"]

    assert (found["status"], found["ended_by"]) == ("ended", "channel")


def test_an_agreement_that_is_ended_at_the_channel_in_silence_is_found_by_the_charge(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.terminate_agreement(agreement_id, notify=False)
    got = holder.charge(order_id, agreement_id)
    started = holder.send("POST", f"/v1/orders/{order_id}/payments", {"channel": "sandbox"})

    assert (got.status, got.body["code"]) == (409, "AGREEMENT_ENDED")
    assert (holder.stored(agreement_id).status, holder.stored(agreement_id).ended_by) == ("ended", "channel")
    assert started.status == 200


def test_on_its_last_day_an_agreement_ends_by_itself(holder: AgreementHolder) -> None:
    agreement_id = holder.signed()
    holder.shop.clock.move(seconds=AGREEMENT_LIFETIME.total_seconds() - 60)
    before = outcome(holder.charge(holder.order(), agreement_id))
    holder.shop.clock.move(minutes=1)
    with holder.channel.at(-1, "kill_before") as calls:
        after = outcome(holder.charge(holder.order(), agreement_id))
    (shown,) = holder.send("GET", "/v1/me/payment-agreements").body["items"]

    assert (before, after, calls, shown["status"]) == ("paid", "AGREEMENT_ENDED", [], "ended")
    assert holder.check(agreement_id).body["ended_by"] == "channel"


@pytest.mark.parametrize(
    ("events", "status"),
    [
        (["signed", "signed", "ended", "ended"], "ended"),
        (["ended", "signed"], "ended"),
        (["signed", "ended", "signed"], "ended"),
        (["signed"] * 4, "active"),
    ],
)
def test_notices_come_often_and_out_of_order(holder: AgreementHolder, events: list[str], status: str) -> None:
    agreement_id = holder.asked()
    company = holder.channel.company
    company.sign_agreement(agreement_id)
    told = [holder.tell(agreement_id, event).status for event in events]

    assert told == [200] * len(events)
    assert holder.stored(agreement_id).status == status


def test_a_late_word_that_it_was_signed_does_not_undo_the_member_s_end(holder: AgreementHolder) -> None:
    agreement_id = holder.asked()
    holder.channel.company.sign_agreement(agreement_id)
    holder.channel.answers = False
    holder.end(agreement_id)
    holder.channel.answers = True
    holder.tell(agreement_id, "signed")

    assert holder.stored(agreement_id).status == "ending"


def test_an_agreement_that_nobody_asked_for_is_an_open_item(holder: AgreementHolder) -> None:
    unknown = [holder.tell("agr_" + "z" * 26, "signed", contract_no="c1") for _ in range(2)]

    assert [each.status for each in unknown] == [200, 200]
    assert [item.kind for item in every_item()] == ["payment_unknown"]


def test_another_channel_s_word_about_an_agreement_changes_nothing(holder: AgreementHolder) -> None:
    agreement_id = holder.signed()
    said = record_state(AgreementState(agreement_id, "ended"), "wechat", agreements=orders_wiring.agreements())

    assert (said, holder.stored(agreement_id).status) == ("unknown", "active")


def test_a_forged_notice_changes_nothing(holder: AgreementHolder) -> None:
    agreement_id = holder.asked()
    holder.channel.company.sign_agreement(agreement_id)
    notice = holder.channel.agreement_notice(agreement_id, "signed")

    assert holder.channel.notify(notice, key="bm90LXRoZS1rZXk=").status == 401
    assert holder.stored(agreement_id).status == "asked"


def test_an_open_charge_under_an_agreement_that_was_ended_meanwhile_is_still_recorded(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    holder.channel.company.payment_status = "processing"
    holder.charge(order_id, agreement_id)
    holder.end(agreement_id)
    waiting = outcome(holder.charge(order_id, agreement_id))
    holder.channel.company.payment_status = "succeeded"
    holder.channel.pay(order_id)

    assert (waiting, outcome(holder.charge(order_id, agreement_id))) == ("open", "paid")


def test_while_the_outcome_of_a_charge_is_unknown_nothing_else_is_started(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    with holder.channel.at(0, "lose_answer"):
        got = holder.charge(order_id, agreement_id)
    started = holder.send("POST", f"/v1/orders/{order_id}/payments", {"channel": "sandbox"})

    assert (outcome(got), outcome(started)) == ("CHANNEL_UNAVAILABLE", "PAYMENT_STARTED")
    assert (holder.charged_fen(agreement_id), outcome(holder.charge(order_id, agreement_id))) == (3_003, "paid")


def test_a_marked_order_is_not_charged_once_the_member_has_ended_the_agreement(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    for step in (lambda: holder.charge(order_id, agreement_id), lambda: holder.end(agreement_id)):
        with holder.channel.at(0, "kill_before"):
            faults.survive(step)

    assert holder.channel.company.agreement_state(agreement_id)["status"] == "signed"
    assert outcome(holder.charge(order_id, agreement_id)) == "AGREEMENT_ENDED"
    assert (holder.channel.company.payments[order_id]["status"], holder.status(order_id)) == ("closed", "placed")


def test_a_marked_order_whose_agreement_has_ended_is_freed(holder: AgreementHolder) -> None:
    agreement_id, order_id = holder.signed(), holder.order()
    with holder.channel.at(0, "kill_before"):
        faults.survive(lambda: holder.charge(order_id, agreement_id))
    marked = orders_wiring.orders().find_order(order_id)
    holder.end(agreement_id)
    got = holder.charge(order_id, agreement_id)
    freed = orders_wiring.orders().find_order(order_id)

    assert marked is not None
    assert freed is not None
    assert (marked.agreement, outcome(got), freed.agreement) == (agreement_id, "AGREEMENT_ENDED", "")
    assert holder.charged_fen(agreement_id) == 0


def test_the_account_of_an_agreement_stays_with_the_member_who_asked(holder: AgreementHolder) -> None:
    agreement_id = holder.signed()

    assert (holder.stored(agreement_id).member_id, holder.account) == (holder.member, ACCOUNT)
