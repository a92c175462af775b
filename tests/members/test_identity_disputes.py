"""Taking an identity from an account that is not that person's: two persons, and what was declared stays."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from cardstock.clock import rfc3339
from cardstock.flows import merging, paying_out_wiring
from cardstock.flows.joining_wiring import merge_needs
from cardstock.members.item_store import PersonItem
from cardstock.members.model import MOST_MEMBERS, Person, hash_number
from cardstock.members.store import DynamoMembers
from cardstock.open_items.model import OpenItem
from cardstock.open_items.store import every_item
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.opening import Opener, open_batch
from cardstock.payouts.periods import Period, batch_id
from cardstock.staff.store import PersonItem as StaffItem
from functions.open_items.hourly_count import app as hourly_count
from tests.house import faults
from tests.house.cloud import Context, http_event, serve
from tests.house.interleave import some_ways
from tests.people.finance import CARD, FIRST, Finance, member_id
from tests.people.replies import Reply, reply
from tests.people.staff import person, say_yes, serve_confirmed
from tests.people.tokens import access_token

NUMBER, NAME = "11010519491231002X", "王小明"
PERIOD = Period("2026-11")


def verified(finance: Finance, index: int) -> str:
    """A member who is verified as the one person of these tests."""
    member = finance.member(index, verified=False, bank=False)
    finance.give_account(member, NAME, CARD)
    members = DynamoMembers()
    salted = hash_number(NUMBER, members.identity_salt())
    assert members.add_person(member, Person(NAME, "1****************X", salted, date(1949, 12, 31), "dev", FIRST))
    return member


def dispute(finance: Finance, member: str, token: str, key: str = "d", reason: str = "came with the card") -> Reply:
    path = f"/v1/headquarters/members/{member}/identity-disputes"
    return reply(serve(http_event("POST", path, {"reason": reason}, token=token, key=key)))


def clearing(item: str, token: str, outcome: str = "taken_away") -> dict[str, Any]:
    body = {"outcome": outcome, "reason": "seen"}
    return http_event("POST", f"/v1/open-items/{item}/clearings", body, token=token)


def clear(item: str, token: str, outcome: str = "taken_away") -> Reply:
    return reply(serve_confirmed(clearing(item, token, outcome)))


def verify_again(member: str) -> Reply:
    body = {"name": NAME, "id_number": NUMBER}
    return reply(serve(http_event("PUT", "/v1/me/identity", body, token=access_token(member))))


def items(kind: str) -> list[OpenItem]:
    return [item for item in every_item() if item.kind == kind]


def people(finance: Finance) -> Any:
    """Members without versions and times, and open items: what must not differ after faults."""
    stored = finance.cloud.items("members")
    members = sorted(str(sorted(item.items())) for item in stored if item["pk"]["S"].startswith(("mem_", "person#")))
    network = sorted(str(sorted(item.items())) for item in finance.cloud.items("network"))
    said = [(one.kind, one.state, one.subject, one.member_id, one.amount_fen, one.version) for one in every_item()]
    return members, network, sorted(said)


def tick(finance: Finance) -> None:
    hourly_count.handler({"scheduled_at": rfc3339(finance.clock.now())}, Context())


@pytest.fixture
def keys(finance: Finance) -> tuple[str, str]:
    """Two persons of finance."""
    return finance.key("Li Na", "open_items:clear", "open_items:read"), finance.key("Wang Fang", "open_items:clear")


def pay(finance: Finance) -> None:
    finance.clock.set(PERIOD.ends + timedelta(hours=3))
    open_batch(PERIOD, Opener("schedule"), paying_out_wiring.payout_rules(PERIOD), payouts_wiring.payouts())
    payout = batch_id(PERIOD)
    finance.advance(payout, only_csv=True)
    finance.approve_as("stf_li", payout)
    while finance.advance(payout, only_csv=True):
        pass
    lines = [line for line in payouts_wiring.payouts().lines_of_batch(payout) if line.gross]
    finance.results(*({"number": line.number, "result": "paid"} for line in lines), payout=payout)
    finance.advance(payout, only_csv=True)


def test_two_persons_take_an_identity_and_what_was_paid_stays(finance: Finance, keys: tuple[str, str]) -> None:
    real, stranger = verified(finance, 1), verified(finance, 2)
    finance.earn(stranger, 500_000)
    pay(finance)
    money = {table: sorted(map(str, finance.cloud.items(table))) for table in ("payouts", "ledger", "balances")}
    item = dispute(finance, stranger, keys[0]).body["item_id"]
    before = DynamoMembers().find_member(stranger)
    alone = clear(item, keys[0])
    without_phone = reply(serve(clearing(item, keys[1])))
    done = clear(item, keys[1])
    again = clear(item, keys[1])
    tick(finance)
    after, left = DynamoMembers().find_member(stranger), DynamoMembers().find_member(real)
    (misfiled,) = items("tax_misfiled")

    assert before is not None
    assert before.person is not None
    assert (alone.status, alone.body["code"]) == (422, "SECOND_PERSON_NEEDED")
    assert (without_phone.status, without_phone.body["code"]) == (422, "PHONE_NEEDED")
    assert (done.status, done.body["status"], again.body) == (200, "cleared", done.body)
    assert after is not None
    assert (after.person, after.state, after.siblings, after.same_person) == (None, "registered", (), ())
    assert left is not None
    assert (left.person is not None, left.siblings, left.same_person) == (True, (), ())
    assert PersonItem.get(f"person#{before.person.id}").members == [real]
    assert (misfiled.member_id, misfiled.subject, misfiled.amount_fen) == (stranger, before.person.id, 500_000)
    assert misfiled.facts == {
        "item_id": item, "transfers": "1", "not_sent_yet": "0", "tax_fen": "80000", "months": "2026-12",
    }  # fmt: skip
    assert {table: sorted(map(str, finance.cloud.items(table))) for table in money} == money


def test_an_account_without_payments_leaves_no_item_and_its_payouts_wait(
    finance: Finance, keys: tuple[str, str]
) -> None:
    real, stranger = verified(finance, 1), verified(finance, 2)
    finance.earn(real, 500_000)
    finance.earn(stranger, 500_000)
    clear(dispute(finance, stranger, keys[0]).body["item_id"], keys[1])
    pay(finance)
    left_out = payouts_wiring.payouts().find_left_out(batch_id(PERIOD), stranger)
    lines = list(payouts_wiring.payouts().lines_of_batch(batch_id(PERIOD)))

    assert items("tax_misfiled") == []
    assert left_out is not None
    assert left_out.reason == "unverified"
    assert [(line.member, line.status) for line in lines] == [(real, "paid")]


def test_the_same_identity_is_not_verified_there_again_and_the_limit_counts_who_has_it(
    finance: Finance, keys: tuple[str, str]
) -> None:
    strangers = [verified(finance, index) for index in range(MOST_MEMBERS)]
    real = finance.member(90, verified=False)
    blocked = verify_again(real)
    clear(dispute(finance, strangers[0], keys[0]).body["item_id"], keys[1])
    stranger, free = verify_again(strangers[0]), verify_again(real)

    assert (blocked.status, blocked.body["code"]) == (422, "IDENTITY_IN_USE")
    assert (stranger.status, stranger.body["code"]) == (422, "IDENTITY_TAKEN")
    assert free.status == 200


def test_what_another_person_keeps_stays_verified(finance: Finance, keys: tuple[str, str]) -> None:
    stranger = verified(finance, 2)
    item = dispute(finance, stranger, keys[0]).body["item_id"]
    kept = clear(item, keys[1], "kept")
    late = clear(item, keys[1])
    member = DynamoMembers().find_member(stranger)

    assert (kept.status, late.body["code"]) == (200, "OUTCOME_DIFFERS")
    assert member is not None
    assert member.state == "verified"


def test_a_second_dispute_of_a_taken_identity_changes_nothing(finance: Finance, keys: tuple[str, str]) -> None:
    stranger = verified(finance, 2)
    first, second = (dispute(finance, stranger, keys[0], key=key).body["item_id"] for key in ("a", "b"))
    clear(first, keys[1])
    before = DynamoMembers().find_member(stranger)
    done = clear(second, keys[1])
    refused = dispute(finance, stranger, keys[0], key="c")

    assert (first != second, done.status) == (True, 200)
    assert DynamoMembers().find_member(stranger) == before
    assert (refused.status, refused.body["code"]) == (422, "IDENTITY_MISSING")


def test_a_repeat_asks_once_and_another_reason_under_the_key_is_refused(
    finance: Finance, keys: tuple[str, str]
) -> None:
    stranger = verified(finance, 2)
    first, again = dispute(finance, stranger, keys[0]), dispute(finance, stranger, keys[0])
    other = dispute(finance, stranger, keys[0], reason="another")
    nobody = dispute(finance, member_id(77), keys[0], key="n")

    assert (first.status, first.body) == (again.status, again.body)
    assert (other.status, other.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert nobody.status == 404
    assert len(items("identity_disputed")) == 1


def test_nobody_disputes_or_takes_the_identity_of_the_own_member(finance: Finance, keys: tuple[str, str]) -> None:
    own, sibling = verified(finance, 1), verified(finance, 2)
    StaffItem("person", person("Li Na")).update([StaffItem.member_id.set(own)])
    asked = [dispute(finance, each, keys[0], key=each) for each in (own, sibling)]
    item = dispute(finance, sibling, keys[1], key="other").body["item_id"]
    taken = reply(serve(clearing(item, keys[0])))

    assert [each.body["code"] for each in (*asked, taken)] == ["OWN_MEMBER"] * 3


@pytest.mark.parametrize("mode", faults.MODES)
def test_disturbed_requests_and_their_repeats_end_as_undisturbed_ones(
    finance: Finance, keys: tuple[str, str], mode: faults.Mode
) -> None:
    verified(finance, 1)
    stranger = verified(finance, 2)
    finance.earn(stranger, 500_000)
    pay(finance)
    dispute(finance, member_id(77), keys[0], key="n")
    clear("oit_none", keys[1])  # secrets are fetched once

    def ask() -> Reply:
        return dispute(finance, stranger, keys[0])

    def take() -> Reply:
        (item,) = items("identity_disputed")
        return reply(serve(clearing(item.id, keys[1])))

    steps: list[Callable[[], Reply]] = [ask, take]
    for step in steps:
        if step == take:
            (item,) = items("identity_disputed")
            assert say_yes(clearing(item.id, keys[1])) is None
        before = finance.cloud.snapshot()
        with faults.watch() as calls:
            assert step().status in (200, 201)
        expected = people(finance)
        assert len(calls) > 4
        for _ in faults.hit_each(calls, mode, before.restore, step):
            assert step().status in (200, 201)
            assert people(finance) == expected, (step, mode)


def test_who_is_one_person_follows_within_an_hour_and_stays(finance: Finance, keys: tuple[str, str]) -> None:
    real, stranger = verified(finance, 1), verified(finance, 2)
    merging.join_verified(stranger, merge_needs())
    joined = DynamoMembers().find_members({real, stranger})
    clear(dispute(finance, stranger, keys[0]).body["item_id"], keys[1])
    between = finance.cloud.snapshot()
    with faults.watch() as calls:
        tick(finance)
    expected = people(finance)
    parted = DynamoMembers().find_members({real, stranger})
    for mode in faults.MODES:
        for _ in faults.hit_each(calls, mode, between.restore, lambda: tick(finance)):
            tick(finance)
            assert people(finance) == expected, mode

    assert (joined[real].same_person, joined[stranger].same_person) == ((stranger,), (real,))
    assert (parted[real].same_person, parted[stranger].same_person) == ((), ())


def test_a_verification_at_the_same_moment_is_not_lost(finance: Finance, keys: tuple[str, str]) -> None:
    """Another account is verified as the person while the identity is taken from this one."""
    real, stranger = verified(finance, 1), verified(finance, 2)
    item = dispute(finance, stranger, keys[0]).body["item_id"]
    assert say_yes(clearing(item, keys[1])) is None
    late = finance.member(3, verified=False)
    before = finance.cloud.snapshot()
    for run in some_ways(
        lambda: [lambda: reply(serve(clearing(item, keys[1]))), lambda: verify_again(late)], before.restore, 30
    ):
        found = DynamoMembers().find_members({real, stranger, late})

        assert [each.status for each in run.ends] == [200, 200], run
        assert found[stranger].person is None
        assert (found[real].siblings, found[late].siblings) == ((late,), (real,)), run


def test_taking_costs_a_read_of_the_persons_members_and_the_lines(finance: Finance, keys: tuple[str, str]) -> None:
    stranger = verified(finance, 2)
    item = dispute(finance, stranger, keys[0]).body["item_id"]
    assert say_yes(clearing(item, keys[1])) is None
    with faults.watch() as calls:
        reply(serve(clearing(item, keys[1])))

    assert [call for call in calls if call == "dynamodb.TransactWriteItems"] == ["dynamodb.TransactWriteItems"]
    assert len(calls) <= 16
