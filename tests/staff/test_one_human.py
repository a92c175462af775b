"""Two persons of the staff who are one human being by their members are no two for what takes two."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.flows.merging import MergeNeeds, merge, new_code
from cardstock.members import model as members_model
from cardstock.members.merge_store import DynamoMerges
from cardstock.members.store import DynamoMembers
from cardstock.network.store import DynamoNetwork
from cardstock.staff.link_store import DynamoLinks
from cardstock.staff.model import PROBATION, ROOT, MemberFacts, Person, is_second_person
from cardstock.staff.persons import can_approve
from cardstock.staff.store import DynamoPersons
from tests.house import faults
from tests.house.cloud import Cloud
from tests.people.clock import TestClock
from tests.people.memory_counts import uncounted
from tests.people.shop import Shop
from tests.people.staff import Desk, person, session_of

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
OLD = NOW - timedelta(days=90)
FIRST = Person("stf_a", "Li Na", ROOT, OLD, member_id="mem_1", linked_at=OLD, linked_by=ROOT)
SECOND = Person("stf_b", "Zhao Min", ROOT, OLD, member_id="mem_2", linked_at=OLD, linked_by=ROOT)
PLAIN = MemberFacts("", "", "")
MARKS = st.sampled_from(("", "", "x", "y", "z"))
FACTS = st.builds(MemberFacts, MARKS, MARKS, MARKS, st.frozensets(st.sampled_from(("mem_1", "mem_2", "mem_3"))))


@given(FACTS, FACTS)
def test_one_mark_in_common_makes_one_human_whatever_else_differs(one: MemberFacts, other: MemberFacts) -> None:
    same = (
        any(mark and mark in (getattr(other, name),) for name in ("phone", "account", "identity")
            for mark in (getattr(one, name),))
        or bool(({"mem_1"} | one.siblings) & ({"mem_2"} | other.siblings))
    )  # fmt: skip
    facts = {"mem_1": one, "mem_2": other}

    assert is_second_person(SECOND, FIRST, NOW, facts) is not same
    assert is_second_person(FIRST, SECOND, NOW, facts) is not same


def test_a_member_that_both_have_or_had_makes_one_human_without_any_fact() -> None:
    again = replace(SECOND, member_id="mem_1")
    former = replace(SECOND, former_members=("mem_9", "mem_1"))

    assert [is_second_person(one, FIRST, NOW) for one in (SECOND, again, former)] == [True, False, False]


def test_what_one_of_them_has_alone_makes_nobody_one() -> None:
    unlinked = replace(SECOND, member_id=None)
    facts = {"mem_1": MemberFacts("+8613800138000", "a", "prs_1"), "mem_2": PLAIN}

    assert is_second_person(SECOND, FIRST, NOW, facts)
    assert is_second_person(unlinked, FIRST, NOW, facts)


@pytest.mark.parametrize("by", ["stf_a", "stf_b"])
def test_who_invited_a_member_is_no_second_person_for_seven_days(by: str) -> None:
    linked = replace(SECOND, linked_by="stf_a", linked_at=NOW) if by == "stf_a" else SECOND
    other = replace(FIRST, linked_by="stf_b", linked_at=NOW) if by == "stf_b" else FIRST
    moments = [NOW, NOW + PROBATION - timedelta(seconds=1), NOW + PROBATION]

    assert [is_second_person(linked, other, at) for at in moments] == [False, False, True]
    assert is_second_person(replace(SECOND, linked_by="stf_c", linked_at=NOW), FIRST, NOW)


# --- as stored ---


@pytest.fixture
def desk(cloud: Cloud, clock: TestClock) -> Desk:
    return Desk()


def approves() -> bool:
    return can_approve(person("Zhao Min"), person("Li Na"), persons=DynamoPersons(), links=DynamoLinks())


def verified(number: str) -> members_model.Person:
    return members_model.Person("王小明", "1**X", f"00ff${number}", date(1949, 12, 31), "dev", NOW)


def test_a_verified_identity_that_both_share_counts_when_it_is_asked(desk: Desk) -> None:
    anna, bert = desk.linked(person("Li Na"), "anna"), desk.linked(person("Zhao Min"), "bert")
    before = approves()
    for member in (anna, bert):
        DynamoMembers().add_person(member, verified("00"))

    assert (before, approves()) == (True, False)


def test_another_member_of_the_same_identity_counts_too(desk: Desk) -> None:
    anna, bert, third = (
        desk.linked(person("Li Na"), "anna"),
        desk.linked(person("Zhao Min"), "bert"),
        desk.member("third"),
    )
    DynamoMembers().add_person(anna, verified("00"))
    DynamoMembers().add_person(third, verified("00"))
    before = approves()
    desk.release(person("Zhao Min"), _owner_key())
    desk.accept(desk.invite(person("Zhao Min")).body["invitation"], third)

    assert (before, approves(), bert != third) == (True, False, True)


def test_members_who_merged_before_they_were_linked_make_one_human(desk: Desk) -> None:
    anna, bert = desk.member("anna"), desk.member("bert")
    needs = MergeNeeds(DynamoMerges(), DynamoNetwork())
    merge(new_code(anna, uncounted, needs).text, bert, uncounted, needs)
    for name, member in (("Li Na", anna), ("Zhao Min", bert)):
        assert desk.accept(desk.invite(person(name)).body["invitation"], member).status == 200

    assert not approves()


def _owner_key() -> str:
    from tests.people.staff import staff_key

    return staff_key("Wang Fang", "staff:write")


def test_comparing_members_costs_one_read_more_and_none_without_members(desk: Desk) -> None:
    counts = []
    for name in ("Li Na", "Zhao Min"):
        person(name)
    pair = person("Zhao Min"), person("Li Na")
    for make in (lambda: None, lambda: desk.linked(person("Li Na"), "a"), lambda: desk.linked(person("Zhao Min"), "b")):
        make()
        with faults.watch() as calls:
            can_approve(*pair, persons=DynamoPersons(), links=DynamoLinks())
        counts.append(calls)

    assert counts == [["dynamodb.BatchGetItem"]] * 2 + [["dynamodb.BatchGetItem"] * 2]


def test_an_own_order_is_not_refunded_through_a_colleague_who_is_the_same_human(shop: Shop) -> None:
    """The first person may ask for it no more than the second may grant it: both are the buyer by identity."""
    desk = Desk()
    anna, bert = desk.member("anna"), desk.member("bert")
    for member in (anna, bert):
        DynamoMembers().add_person(member, verified("00"))
    quote = shop.buyer.quote(member=anna).body["quote"]
    order_id = shop.buyer.place(quote, member=anna).body["order_id"]
    shop.buyer.pay(order_id)
    own, colleague = (
        session_of("Li Na", ["service"], member_id=anna),
        session_of("Zhao Min", ["service"], member_id=bert),
    )
    body = {"amount_fen": 1, "reason": "late"}
    path = f"/v1/orders/{order_id}/goodwill-refunds"
    answers = [browser.send("POST", path, body, key=str(n)) for n, browser in enumerate((own, colleague))]

    assert [(answer.status, answer.body["code"]) for answer in answers] == [(403, "OWN_MEMBER")] * 2
    assert not can_approve(person("Zhao Min"), person("Li Na"), persons=DynamoPersons(), links=DynamoLinks())
