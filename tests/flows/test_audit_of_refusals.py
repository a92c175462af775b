"""The audit names refunds and open items about their refusals that do not fit each other, in either direction."""

import pytest

from cardstock.ids import derived_id
from cardstock.open_items.model import Outcome, item_id
from tests.house.cloud import http_event
from tests.people.audits import audit_now
from tests.people.payees import ending, verify
from tests.people.replies import reply
from tests.people.shop import Shop
from tests.people.staff import serve_confirmed, staff_key

TWO = ("Li Na", "Wang Fang")


def refused(shop: Shop) -> tuple[str, str, str]:
    """A refund that its channel has refused: order, refund and item."""
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    shop.channel.refund_status = "failed"
    refund_id = shop.buyer.refund(order_id, {"85123A": 2}).body["refund_id"]
    shop.sweep()
    shop.trade.watch()
    shop.trade.settle_down()
    assert audit_now().findings == ()
    return order_id, refund_id, item_id("refund_refused", refund_id)


def say(item: str, outcome: Outcome) -> None:
    verify()
    body = ending(outcome, "their account is closed")
    for who in TWO:
        event = http_event("POST", f"/v1/open-items/{item}/clearings", body, token=staff_key(who, "open_items:clear"))
        assert reply(serve_confirmed(event)).status == 200


def found() -> set[tuple[str, str]]:
    return {(finding.item, finding.check) for finding in audit_now().findings}


def change(shop: Shop, table: str, pk: str, sk: str, expression: str, **values: str) -> None:
    """Somebody changes an item by hand."""
    shop.cloud.dynamodb.update_item(
        TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, UpdateExpression=expression,
        ExpressionAttributeValues={f":{name}": {"S": value} for name, value in values.items()},
        **({"ExpressionAttributeNames": {"#s": "state"}} if "#s" in expression else {}),
    )  # fmt: skip


@pytest.mark.parametrize("end", ["open", "paid_another_way", "given_up"])
def test_a_refused_refund_without_its_item_is_named(shop: Shop, end: str) -> None:
    order_id, refund_id, item = refused(shop)
    if end != "open":
        say(item, "given_up" if end == "given_up" else "paid_another_way")
        shop.trade.watch()
        shop.trade.settle_down()
    assert found() == set()
    shop.cloud.dynamodb.delete_item(TableName="open-items", Key={"pk": {"S": "refund_refused"}, "sk": {"S": item}})

    assert found() == {(f"orders/{order_id}/{refund_id}", "missing")}


def test_an_item_about_a_refund_that_nobody_knows_is_named(shop: Shop) -> None:
    _, _, item = refused(shop)
    (row,) = shop.cloud.items("open-items")
    other = derived_id("oit", "refund_refused", "rfd_other")
    shop.cloud.dynamodb.put_item(
        TableName="open-items", Item={**row, "sk": {"S": other}, "subject": {"S": "rfd_other"}}
    )

    assert found() == {(f"open-items/{other}", "unexplained")}
    assert other != item


@pytest.mark.parametrize("status", ["requested", "succeeded", "given_up"])
def test_an_open_item_about_a_refund_that_is_not_refused_is_named(shop: Shop, status: str) -> None:
    order_id, refund_id, item = refused(shop)
    change(shop, "orders", order_id, f"refund#{refund_id}", "SET st = :to", to=status)

    assert (f"open-items/{item}", "unexplained") in found()


@pytest.mark.parametrize("outcome", ["paid_another_way", "given_up"])
def test_a_cleared_item_that_has_not_ended_its_refund_is_named(shop: Shop, outcome: Outcome) -> None:
    order_id, refund_id, item = refused(shop)
    say(item, outcome)
    change(shop, "orders", order_id, f"refund#{refund_id}", "SET st = :to", to="refused")

    assert (f"open-items/{item}", "unexplained") in found()


def test_a_refund_paid_another_way_whose_item_says_given_up_is_named(shop: Shop) -> None:
    _, _, item = refused(shop)
    say(item, "paid_another_way")
    shop.trade.watch()
    shop.trade.settle_down()
    (row,) = shop.cloud.items("open-items")
    cleared = row["cleared"]["S"].replace("paid_another_way", "given_up")
    change(shop, "open-items", "refund_refused", item, "SET cleared = :to", to=cleared)

    assert found() == {(f"open-items/{item}", "unexplained")}


def test_a_refund_that_one_person_alone_has_ended_is_named(shop: Shop) -> None:
    _, _, item = refused(shop)
    say(item, "paid_another_way")
    shop.trade.watch()
    shop.trade.settle_down()
    (row,) = shop.cloud.items("open-items")
    change(shop, "open-items", "refund_refused", item, "SET cleared = :to", to=row["requested"]["S"])

    assert found() == {(f"open-items/{item}", "unexplained")}
