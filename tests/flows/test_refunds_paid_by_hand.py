"""A refused refund is paid by hand in the payer's verified name alone, and two persons see to which account."""

import json
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.approving import UseOnce
from cardstock.errors import ConflictError, RefusedError
from cardstock.flows.refunds_by_hand import NamedAccount, paid_to
from cardstock.members.item_store import member_item
from cardstock.members.model import Member, Person
from cardstock.open_items.clearing import clear_item
from cardstock.open_items.model import Decision, OpenItem, PaidTo
from cardstock.open_items.store import DynamoOpenItems, every_item
from cardstock.orders import wiring as orders_wiring
from tests.house.cloud import http_event, serve
from tests.people.clock import START
from tests.people.memory_open_items import MemoryOpenItems
from tests.people.payees import ACCOUNT, MASKED, ending, member_of, verify
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import say_yes, serve_confirmed, staff_key, unasked


def somebody_else(name: str) -> Person:
    """A verified person with another identity number."""
    return Person(name, "2***3", "11", date(1985, 5, 5), "dev", START)


@pytest.fixture
def refused(shop: Shop) -> tuple[str, OpenItem]:
    """An order of 1 530 yuan, a refund of a part of it that its channel has refused, and the item about it."""
    order_id = shop.buyer.order()
    shop.buyer.pay(order_id)
    shop.buyer.refund(order_id, {"85123A": 2})
    shop.channel.refund_status = "failed"
    shop.sweep()
    (item,) = every_item()
    return order_id, item


def say(item: OpenItem, person: str = "Li Na", outcome: str = "paid_another_way", **body: Any) -> Reply:
    sent = {"outcome": outcome, "reason": "letter", **body}
    token = staff_key(person, "open_items:clear", "open_items:read")
    return reply(serve_confirmed(http_event("POST", f"/v1/open-items/{item.id}/clearings", sent, token=token)))


def read(item: OpenItem) -> Any:
    token = staff_key("Wang Fang", "open_items:read")
    return reply(serve(http_event("GET", f"/v1/open-items/{item.id}", token=token))).body


def refund_of(order_id: str) -> Any:
    (found,) = orders_wiring.orders().refunds_of_order(order_id)
    return found


def test_the_second_person_sees_the_account_and_pays_what_was_refused(refused: tuple[str, OpenItem]) -> None:
    order_id, item = refused
    verify()
    first = say(item, account=ACCOUNT)
    seen = read(item)
    second = say(item, "Wang Fang")
    refund = refund_of(order_id)

    assert (first.status, first.body["status"], second.status, second.body["status"]) == (200, "open", 200, "cleared")
    assert (seen["requested"]["outcome"], seen["paid_to"]) == ("paid_another_way", MASKED)
    assert second.body["paid_to"] == MASKED
    assert (refund.status, refund.paid_another_way, refund.amount_fen) == ("succeeded", True, item.amount_fen)
    order = orders_wiring.orders().find_order(order_id)
    assert order is not None
    assert refund.amount_fen <= order.amount_fen


def test_the_whole_number_is_kept_nowhere(refused: tuple[str, OpenItem], shop: Shop) -> None:
    _, item = refused
    verify(name="欧阳伟")
    account = ACCOUNT | {"holder": "欧阳伟"}
    assert say(item, account=account).status == 200
    say(item, "Wang Fang", account=account)
    kept = json.dumps(shop.cloud.state(), default=str, ensure_ascii=False)
    members = json.dumps(shop.cloud.items("members"), default=str, ensure_ascii=False)

    assert "6222021234567894" not in kept
    assert "6222 0212 3456 7894" not in kept
    assert kept.count("欧阳伟") == members.count("欧阳伟")
    (after,) = every_item()
    assert after.cleared is not None
    assert after.cleared.paid_to is not None
    assert (after.cleared.paid_to.holder, after.cleared.paid_to.number) == ("欧**", "**** 7894")


@pytest.mark.parametrize("member", ["nobody", "unverified", "verified"])
def test_without_a_verified_name_or_in_another_one_nobody_is_paid(refused: tuple[str, OpenItem], member: str) -> None:
    order_id, item = refused
    if member == "unverified":
        member_item(replace(member_of(), person=None, state="registered")).save()
    if member == "verified":
        verify(name="王芳")
    said = say(item, account=ACCOUNT)

    expected = (422, "HOLDER_DIFFERS") if member == "verified" else (422, "PAYEE_UNVERIFIED")
    assert (said.status, said.body["code"]) == expected
    if member == "verified":
        assert [each["pointer"] for each in said.body["errors"]] == ["/account/holder"]
    assert [*every_item()] == [item]
    assert refund_of(order_id).status == "refused"


@pytest.mark.parametrize(
    ("account", "status", "code", "pointer"),
    [
        (None, 422, "ACCOUNT_NEEDED", "/account"),
        (ACCOUNT | {"number": "6222 0212 3456 7895"}, 400, "ACCOUNT_NUMBER_INVALID", "/account/number"),
        (ACCOUNT | {"number": "no number"}, 400, "ACCOUNT_NUMBER_INVALID", "/account/number"),
        (ACCOUNT | {"holder": "张伟伟"}, 422, "HOLDER_DIFFERS", "/account/holder"),
        (ACCOUNT | {"holder": " "}, 400, "BODY_INVALID", "/account/holder"),
        ({"holder": "张伟", "number": "6222021234567894"}, 400, "BODY_INVALID", "/account"),
    ],
)
def test_an_account_that_cannot_be_the_payers_is_pointed_at(
    refused: tuple[str, OpenItem], account: Any, status: int, code: str, pointer: str
) -> None:
    _, item = refused
    verify()
    said = say(item, **({} if account is None else {"account": account}))

    assert (said.status, said.body["code"]) == (status, code)
    assert [each["pointer"] for each in said.body["errors"]] == [pointer]
    assert [*every_item()] == [item]


def test_a_name_is_the_same_however_it_is_written(refused: tuple[str, OpenItem]) -> None:
    _, item = refused
    verify(name="Li Wei")

    assert say(item, account=ACCOUNT | {"holder": "ＬＩ  WEI"}).body["paid_to"]["holder"] == "L*****"


@pytest.mark.parametrize("outcome", ["given_up"])
def test_an_account_is_for_money_that_goes_there(refused: tuple[str, OpenItem], outcome: str) -> None:
    _, item = refused
    verify()
    said = say(item, outcome=outcome, account=ACCOUNT)

    assert (said.status, said.body["code"]) == (422, "ACCOUNT_NOT_NEEDED")
    assert say(item, outcome=outcome).body["paid_to"] is None


def test_the_first_person_may_think_again_and_the_second_means_the_account_on_record(
    refused: tuple[str, OpenItem],
) -> None:
    order_id, item = refused
    verify()
    other = ACCOUNT | {"number": "6222 0212 3456 7811", "bank": "招商银行"}
    say(item, outcome="given_up")
    say(item, account=ACCOUNT)
    again = say(item, account=ACCOUNT)
    changed = say(item, account=other)
    differs = say(item, "Wang Fang", account=ACCOUNT)
    between = refund_of(order_id).status
    done = say(item, "Wang Fang", account=other)

    assert (again.status, again.body["paid_to"]) == (200, MASKED)
    assert changed.body["paid_to"] == {"holder": "张*", "number": "**** 7811", "bank": "招商银行"}
    assert (differs.status, differs.body["code"], between) == (409, "ACCOUNT_DIFFERS", "refused")
    assert (done.status, done.body["status"]) == (200, "cleared")
    assert done.body["paid_to"]["number"] == "**** 7811"


def test_a_yes_of_the_phone_is_for_the_account_that_was_seen(refused: tuple[str, OpenItem]) -> None:
    """The account changes between the phone's yes and its use: the yes counts no more."""
    order_id, item = refused
    verify()
    say(item, account=ACCOUNT)
    path, body = f"/v1/open-items/{item.id}/clearings", {"outcome": "paid_another_way", "reason": "letter"}
    event = http_event("POST", path, body, token=staff_key("Wang Fang", "open_items:clear"))
    assert say_yes(event) is None
    say(item, account=ACCOUNT | {"number": "6222 0212 3456 7811"})
    late = reply(serve(event))

    assert (late.status, late.body["code"]) == (409, "CONFIRMATION_NEEDED")
    assert refund_of(order_id).status == "refused"


def test_what_was_asked_for_before_accounts_were_named_is_asked_for_again(
    refused: tuple[str, OpenItem], shop: Shop
) -> None:
    _, item = refused
    verify()
    first = say(item, account=ACCOUNT)
    (stored,) = every_item()
    assert stored.requested is not None
    old = replace(stored, requested=Decision(stored.requested.by, shop.clock.now(), "paid_another_way", "letter"))
    DynamoOpenItems().save_item(replace(old, version=stored.version + 1))
    without, with_one = say(item, "Wang Fang"), say(item, "Wang Fang", account=ACCOUNT)
    repeated = say(item, account=ACCOUNT)

    assert first.status == 200
    assert [(each.status, each.body["code"]) for each in (without, with_one)] == [(422, "ACCOUNT_NEEDED")] * 2
    assert repeated.body["paid_to"] == MASKED
    assert say(item, "Wang Fang").body["status"] == "cleared"


def test_a_payer_who_is_not_verified_any_more_is_not_paid(refused: tuple[str, OpenItem]) -> None:
    order_id, item = refused
    verify()
    say(item, account=ACCOUNT)
    member_item(replace(member_of(), person=None, state="erased")).save()
    said = say(item, "Wang Fang")

    assert (said.status, said.body["code"]) == (422, "PAYEE_UNVERIFIED")
    assert refund_of(order_id).status == "refused"


@pytest.mark.parametrize("name", ["李雷", "张伟"])
@pytest.mark.parametrize("again", [{}, {"account": ACCOUNT}])
def test_an_account_that_was_named_for_another_person_gets_no_money(
    refused: tuple[str, OpenItem], name: str, again: dict[str, Any]
) -> None:
    """The identity was taken from the payer, who is verified as somebody else: of the same name, too."""
    order_id, item = refused
    verify()
    say(item, account=ACCOUNT)
    member_item(replace(member_of(name=name), person=somebody_else(name))).save()
    second, first = say(item, "Wang Fang", **again), say(item)
    between = refund_of(order_id).status
    named = say(item, account=ACCOUNT | {"holder": name})
    done = say(item, "Wang Fang")

    assert [(said.status, said.body["code"]) for said in (second, first)] == [(422, "HOLDER_DIFFERS")] * 2
    assert between == "refused"
    assert (named.status, done.status, done.body["status"]) == (200, 200, "cleared")
    assert done.body["paid_to"]["holder"] == name[0] + "*"


def test_a_cleared_item_answers_a_repeat_with_the_account(refused: tuple[str, OpenItem]) -> None:
    _, item = refused
    verify()
    say(item, account=ACCOUNT)
    say(item, "Wang Fang")
    repeats = [say(item, "Wang Fang"), say(item, account=ACCOUNT)]

    assert [(each.status, each.body["paid_to"]) for each in repeats] == [(200, MASKED)] * 2


def test_who_comes_second_with_another_outcome_is_refused_for_that(refused: tuple[str, OpenItem]) -> None:
    _, item = refused
    verify()
    say(item, outcome="given_up")
    said = [say(item, "Wang Fang"), say(item, "Wang Fang", account=ACCOUNT)]

    assert [(each.status, each.body["code"]) for each in said] == [(409, "OUTCOME_DIFFERS")] * 2


def test_one_person_does_not_pay_alone_and_the_record_names_no_account(
    refused: tuple[str, OpenItem], shop: Shop
) -> None:
    order_id, item = refused
    verify()
    say(item, **ending("paid_another_way"))
    say(item, **ending("paid_another_way"))

    assert refund_of(order_id).status == "refused"
    recorded = json.dumps(shop.cloud.items("staff-actions"), default=str, ensure_ascii=False)
    assert "7894" not in recorded
    assert "张伟" not in recorded


def test_money_of_nobody_goes_nowhere(refused: tuple[str, OpenItem]) -> None:
    _, item = refused
    account = NamedAccount(**ACCOUNT)
    found: dict[str, Member] = {}
    with pytest.raises(RefusedError, match="PAYEE_UNVERIFIED"):
        paid_to(replace(item, member_id=""), "paid_another_way", account, "stf_1", found.__getitem__)


def test_of_two_accounts_that_one_person_names_at_once_one_is_on_record(refused: tuple[str, OpenItem]) -> None:
    _, item = refused

    class Late(MemoryOpenItems):
        """The same person's other call is stored first."""

        def save_item(self, item: OpenItem, use: UseOnce | None = None) -> bool:
            assert item.requested is not None
            super().save_item(replace(item, requested=replace(item.requested, paid_to=PaidTo("张*", "**** 1", "b"))))
            return super().save_item(item, use)

    items = Late()
    items.add_item(item)
    with pytest.raises(ConflictError, match="ITEM_CHANGED"):
        clear_item(
            item.id, "paid_another_way", "letter", "stf_1", can_approve=lambda _: True, confirm=unasked, items=items,
            book=items.save_item, paid_to=lambda _: PaidTo("张*", "**** 2", "b"),
        )  # fmt: skip
    kept = items.find_item(item.id)

    assert kept is not None
    assert kept.requested is not None
    assert kept.requested.paid_to == PaidTo("张*", "**** 1", "b")
