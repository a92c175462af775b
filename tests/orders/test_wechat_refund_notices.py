"""WeChat's notices of refunds: what was asked for ends, and what fits nothing is an open item."""

from collections.abc import Iterator

import pytest

from cardstock.open_items.store import every_item
from tests.orders.test_platform_payments import Counter, kinds
from tests.people.payment_parties import WechatParty, opened
from tests.people.shop import Shop


@pytest.fixture
def counter(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    party = WechatParty(shop.clock)
    with opened(party, shop.cloud, monkeypatch):
        yield Counter(shop, party)


def hanging(counter: Counter) -> tuple[str, str]:
    """A refund on which WeChat works: the ids of order and refund."""
    order_id = counter.paid(2)
    counter.party.end_refunds("processing")
    refund_id = counter.refund(order_id)
    counter.sweep()
    return order_id, refund_id


def test_a_notice_ends_the_refund_and_its_repeat_and_the_sweep_change_nothing(counter: Counter) -> None:
    order_id, refund_id = hanging(counter)
    counter.party.company.end_refund(refund_id, "SUCCESS")
    counter.party.company.settle()
    (sent,) = counter.party.sent
    counter.party.sent *= 3
    answers = counter.deliver()
    done = counter.refund_of(order_id, refund_id)

    assert answers == [204] * 3
    assert (done.status, done.version) == ("succeeded", 2)
    assert (counter.sweep()["refunded"], kinds()) == (0, [])
    assert sent


@pytest.mark.parametrize(("status", "kind", "stands"), [
    ("CLOSED", "refund_refused", "refused"), ("ABNORMAL", "refund_waits", "requested"),
])  # fmt: skip
def test_a_refund_that_does_not_reach_the_buyer_is_an_open_item(
    status: str, kind: str, stands: str, counter: Counter
) -> None:
    order_id, refund_id = hanging(counter)
    counter.party.company.end_refund(refund_id, status)
    counter.party.company.settle()
    counter.party.sent *= 2

    assert counter.deliver() == [204] * 2
    assert counter.refund_of(order_id, refund_id).status == stands
    assert kinds() == [(kind, refund_id)]
    (item,) = every_item()
    assert (item.facts["channel_reason"], item.amount_fen) == (status, 33_900)


def test_a_refund_that_succeeds_after_it_was_given_up_is_a_contradiction_that_people_see(counter: Counter) -> None:
    order_id, refund_id = hanging(counter)
    counter.party.company.end_refund(refund_id, "CLOSED")
    counter.party.company.settle()
    counter.deliver()
    counter.close_for(order_id, refund_id)
    counter.party.company.end_refund(refund_id, "SUCCESS")
    counter.party.company.settle()
    counter.party.sent *= 2

    assert counter.deliver() == [204] * 2
    assert counter.refund_of(order_id, refund_id).status == "given_up"
    item = next(each for each in every_item() if each.kind == "refund_mismatch")
    assert (item.subject, item.amount_fen, item.facts["refund_status"], item.facts["channel_status"]) == (
        refund_id, 33_900, "given_up", "succeeded",
    )  # fmt: skip
    assert len([each for each in every_item() if each.kind == "refund_mismatch"]) == 1


def test_a_refund_that_succeeds_after_the_buyer_was_paid_another_way_is_paid_twice(counter: Counter) -> None:
    order_id, refund_id = hanging(counter)
    counter.party.company.end_refund(refund_id, "CLOSED")
    counter.party.company.settle()
    counter.deliver()
    counter.close_for(order_id, refund_id, "paid_another_way")
    counter.party.company.end_refund(refund_id, "SUCCESS")
    counter.party.company.settle()

    assert counter.deliver() == [204]
    item = next(each for each in every_item() if each.kind == "refund_mismatch")
    assert (item.facts["refund_status"], item.facts["paid_another_way"]) == ("succeeded", "true")


def test_a_refusal_that_comes_again_after_the_refund_was_given_up_is_nothing_new(counter: Counter) -> None:
    order_id, refund_id = hanging(counter)
    counter.party.company.end_refund(refund_id, "CLOSED")
    counter.party.company.settle()
    (sent,) = counter.party.sent
    counter.deliver()
    counter.close_for(order_id, refund_id)
    counter.party.sent.append(sent)

    assert counter.deliver() == [204]
    assert kinds() == [("refund_refused", refund_id), ("units_set_aside", order_id)]


@pytest.mark.parametrize("changed", [{"fen": 33_899}, {"transaction": "4200001"}])
def test_a_refund_of_another_amount_or_payment_than_was_asked_for_changes_nothing(
    changed: dict[str, object], counter: Counter
) -> None:
    order_id, refund_id = hanging(counter)
    trade = counter.party.company.trades[order_id]
    trade["refunds"][refund_id]["fen"] = changed.get("fen", 33_900)
    trade["transaction_id"] = changed.get("transaction", trade["transaction_id"])
    counter.party.company.end_refund(refund_id, "SUCCESS")
    counter.party.company.settle()

    assert counter.deliver() == [204]
    assert counter.refund_of(order_id, refund_id).status == "requested"
    assert [kind for kind, _ in kinds()] == ["refund_mismatch"]


def test_a_refund_that_was_made_on_wechat_s_pages_is_an_open_item(counter: Counter) -> None:
    order_id = counter.paid()
    counter.party.end_refunds("succeeded")
    counter.party.refund_by_hand(order_id, 500, notify=True)

    assert counter.deliver() == [204]
    (item,) = every_item()
    assert (item.kind, item.amount_fen, item.facts["order_id"]) == ("refund_mismatch", 500, order_id)
    assert counter.status(order_id) == "paid"
