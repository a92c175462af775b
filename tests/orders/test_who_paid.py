"""Which payment channels say who paid: `NAMES_NO_PAYER` is what they are seen to send."""

from collections.abc import Iterator

import pytest

from cardstock.orders import wiring as orders_wiring
from cardstock.orders.channels import NAMES_NO_PAYER
from infra.local.template import ROOT
from tests.orders.test_platform_payments import Counter
from tests.people.payment_parties import PARTIES, notify, opened
from tests.people.shop import Shop


@pytest.fixture(params=[*PARTIES])
def counter(request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    party = PARTIES[request.param](shop.clock)
    with opened(party, shop.cloud, monkeypatch):
        yield Counter(shop, party)


@pytest.mark.parametrize("by", ["notice", "sweep"])
def test_a_paid_order_has_the_payer_s_mark_where_the_channel_names_one(by: str, counter: Counter) -> None:
    order_id = counter.order()
    counter.pay(order_id)
    if by == "notice":
        notify(counter.party.name, counter.party.sent[0])
    else:
        counter.party.sent.clear()
        counter.shop.clock.move(minutes=31)
        counter.sweep()
    order = orders_wiring.orders().find_order(order_id)

    assert order is not None
    assert order.is_paid
    assert (order.payer == "") == (counter.party.name in NAMES_NO_PAYER)
    assert order.device == ""


def test_the_operators_document_says_it() -> None:
    assert "name no payer" in (ROOT / "infra/README.md").read_text("utf-8")
