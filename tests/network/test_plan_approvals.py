"""Persons approve checks of a plan with their own keys, and another person publishes it."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock.errors import InvalidError, RefusedError
from cardstock.members.item_store import MemberItem
from cardstock.network.plan import Approval, Check, Plan, PublishedPlan
from cardstock.network.presets import CHAIN21, PRESETS, SINGLE_LEVEL
from cardstock.network.publishing import approve_plan, publish_approved_plan
from cardstock.staff.model import ROOT, Person
from cardstock.staff.persons import can_approve
from cardstock.staff.store import DynamoPersons
from tests.house.cloud import Cloud, Context, http_event, serve
from tests.people.clock import START, TestClock, clock_at
from tests.people.memory_members import MemoryMembers
from tests.people.memory_network import MemoryNetwork, MemoryPlans
from tests.people.memory_staff import MemoryLinks, MemoryPersons
from tests.people.staff import Desk, person, staff_key

pytestmark = pytest.mark.usefixtures("clock")

PATH = "/v1/commission-plans"
CHECKS: tuple[Check, ...] = ("levels", "peer", "fee", "cap", "head_count")
SPRING = {"preset": "chain21", "id": "spring"}
REASON = "opinion on file"
LONG_AGO = START - timedelta(days=300)


class Brand:
    """Persons, and plans that they approve and publish."""

    def __init__(self, *persons: Person) -> None:
        self.persons = MemoryPersons(*persons)
        self.links = MemoryLinks(self.persons, MemoryMembers())
        self.plans = MemoryPlans(MemoryNetwork())

    def approve(self, by: str, *checks: Check, plan: Plan = CHAIN21) -> None:
        for check in checks:
            approve_plan(plan, check, REASON, by, plans=self.plans)

    def publish(self, by: str, plan: Plan = CHAIN21) -> PublishedPlan:
        return publish_approved_plan(
            plan,
            by,
            plans=self.plans,
            can_approve=lambda other: can_approve(other, by, persons=self.persons, links=self.links),
        ).made

    def missing(self, by: str, plan: Plan = CHAIN21) -> list[str]:
        """The checks for which publishing is refused."""
        with pytest.raises(RefusedError, match="PLAN_REFUSED") as refusal:
            self.publish(by, plan)
        findings: Any = refusal.value.facts["findings"]
        assert self.plans.published == []
        return [finding["check"] for finding in findings]


def two_persons() -> Brand:
    return Brand(*(Person(name, name, ROOT, LONG_AGO) for name in ("stf_li", "stf_zhao")))


DAYS = st.integers(0, 40)
PERSONS = ("stf_a", "stf_b", "stf_c")


@given(
    states=st.tuples(*[st.sampled_from(["active", "inactive"])] * 3),
    creators=st.tuples(
        *[st.sampled_from([ROOT, "stf_d", *(name for name in PERSONS if name != own)]) for own in PERSONS]
    ),
    ages=st.tuples(*[st.sampled_from([6, 7, 300])] * 3),
    given_by=st.lists(st.tuples(st.sampled_from(["levels", "peer", "fee"]), st.sampled_from(PERSONS), DAYS)),
    rivals=st.sampled_from(["same rules", "other rules"]),
)
def test_a_plan_is_published_only_if_an_eligible_other_person_approved_each_check(
    states: Any, creators: Any, ages: Any, given_by: list[tuple[Check, str, int]], rivals: str
) -> None:
    made = [START - timedelta(days=days) for days in ages]
    known = [Person(*each) for each in zip(PERSONS, PERSONS, creators, made, states, strict=True)]
    brand, plan = Brand(*known), replace(CHAIN21, promote_n=0, cap_bps=3_000)
    asked = plan if rivals == "same rules" else replace(plan, price=plan.price + 1)
    for check, by, days in sorted(given_by, key=lambda one: -one[2]):
        with clock_at(START - timedelta(days=days)):
            brand.approve(by, check, plan=plan)

    def dependent(second: int) -> bool:
        """Whether in the last week the publisher and `second` made one another, or one person made both."""
        made_each_other = (creators[0] == PERSONS[second], creators[second] == PERSONS[0])
        siblings = creators[0] == creators[second] != ROOT
        return any(ages[at] < 7 and (made or siblings) for at, made in zip((0, second), made_each_other, strict=True))

    eligible = {PERSONS[at] for at in (1, 2) if states[at] == "active" and not dependent(at)}
    # A second approval counts only where the first one had expired when it was given.
    counts = set()
    for check, by in {(check, by) for check, by, _ in given_by}:
        newest = 100
        for days in sorted((days for one, two, days in given_by if (one, two) == (check, by)), reverse=True):
            newest = days if newest - days >= 30 else newest
        if by in eligible and newest < 30 and rivals == "same rules":
            counts.add(check)

    with clock_at(START):
        if counts == {"levels", "peer", "fee"}:
            record = brand.publish("stf_a", asked)
            assert {approval.by for approval in record.approvals} <= eligible
            assert {approval.check for approval in record.approvals} == counts
        else:
            assert set(brand.missing("stf_a", asked)) == {"levels", "peer", "fee"} - counts


def test_a_published_plan_keeps_who_approved_what_when_and_why(clock: TestClock) -> None:
    brand = two_persons()
    brand.approve("stf_zhao", *CHECKS)
    clock.move(days=29)
    record = brand.publish("stf_li")

    assert record.approvals == tuple(Approval(check, "stf_zhao", START, REASON) for check in sorted(CHECKS))
    assert {finding.approval for finding in record.findings} == set(record.approvals)
    assert record.published_by == "stf_li"


def test_the_publishers_own_approval_counts_as_none_and_is_in_nobodys_way() -> None:
    brand = two_persons()
    brand.approve("stf_li", *CHECKS)
    alone = brand.missing("stf_li")
    brand.approve("stf_zhao", *CHECKS)

    assert alone == list(CHECKS)
    assert {approval.by for approval in brand.publish("stf_li").approvals} == {"stf_zhao"}


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "另一个名字"}, {"id": "other"}, {"price": 49_901}, {"peer_bps": 1_001}, {"freeze_days": 8},
        {"leave_mode": "none"}, {"payout_minimum": 1_001},
    ],
)  # fmt: skip
def test_another_rule_than_the_approved_ones_needs_an_approval_of_its_own(changed: dict[str, Any]) -> None:
    brand = two_persons()
    brand.approve("stf_zhao", *CHECKS)

    assert brand.missing("stf_li", replace(CHAIN21, **changed)) == list(CHECKS)
    assert brand.publish("stf_li", replace(CHAIN21, version=7)).plan.ref == "chain21@1"


def test_every_parameter_but_the_version_makes_another_digest() -> None:
    other = {"benefit": "unlock", "earners": "anyone", "promote_on": "paid", "on_refund": "demote", "max_levels": 1,
             "leave_mode": "none", "peer_funding": "earner", "id": "x", "title": "x", "preset": "x", "cap_bps": 1,
             "binding_days": 1}  # fmt: skip
    same = []
    for name in Plan.__struct_fields__:
        value = getattr(CHAIN21, name)
        changed = other[name] if name in other else value + 1 if isinstance(value, int) else replace(value, value=1)
        if replace(CHAIN21, **{name: changed}).digest == CHAIN21.digest:
            same.append(name)

    assert same == ["version"]


def test_a_repeat_keeps_the_first_approval_and_an_expired_one_is_given_again(clock: TestClock) -> None:
    brand = two_persons()
    first = approve_plan(CHAIN21, "fee", REASON, "stf_zhao", plans=brand.plans)
    clock.move(days=29)
    repeated = approve_plan(CHAIN21, "fee", "other words", "stf_zhao", plans=brand.plans)
    clock.move(days=1)
    expired = brand.missing("stf_li")
    renewed = approve_plan(CHAIN21, "fee", "other words", "stf_zhao", plans=brand.plans)

    assert repeated == first
    assert "fee" in expired
    assert (renewed.at, renewed.reason) == (first.expires_at, "other words")
    assert "fee" not in brand.missing("stf_li")


@pytest.mark.parametrize(
    ("plan", "check"),
    [
        (SINGLE_LEVEL, "levels"), (CHAIN21, "dividend"),
        (replace(SINGLE_LEVEL, peer_bps=1), "peer"),  # refused, whoever approves
        (PRESETS["unlock"], "head_count"),  # a warning alone
    ],
)  # fmt: skip
def test_a_check_that_nobody_can_approve_or_need_approve_is_refused(plan: Plan, check: Check) -> None:
    brand = two_persons()

    with pytest.raises(RefusedError, match="APPROVAL_NOT_NEEDED"):
        brand.approve("stf_zhao", check, plan=plan)
    assert brand.plans.approvals == {}


def test_an_approval_needs_a_person_and_a_reason() -> None:
    plans = two_persons().plans

    with pytest.raises(RefusedError, match="SECOND_PERSON_NEEDED"):
        approve_plan(CHAIN21, "fee", REASON, None, plans=plans)
    with pytest.raises(InvalidError, match="APPROVAL_INVALID"):
        approve_plan(CHAIN21, "fee", " \n", "stf_zhao", plans=plans)
    assert plans.approvals == {}


# Over HTTP


def call(path: str, body: Any, token: str, key: str = "k0") -> tuple[int, Any]:
    answer = serve(http_event("POST", path, body, token=token, key=key), Context())
    return answer["statusCode"], json.loads(answer["body"])


def approve(name: str, *checks: str, plan: Any = SPRING) -> list[Any]:
    token = staff_key(name, "plans:approve")
    bodies = [{"plan": plan, "check": check, "reason": REASON} for check in checks]
    return [call(f"{PATH}/approvals", body, token) for body in bodies]


def publish(plan: Any = SPRING, key: str = "k0") -> tuple[int, Any]:
    return call(PATH, plan, staff_key("Li Na", "plans:publish"), key)


def test_a_second_person_approves_with_a_key_of_that_person_and_is_on_record(cloud: Cloud, clock: TestClock) -> None:
    before, _ = publish()
    answers = approve("Zhao Min", *CHECKS)
    again = approve("Zhao Min", *CHECKS)
    clock.move(hours=1)
    status, published = publish(key="k1")

    assert before == 422
    assert [status for status, _ in answers] == [200] * 5
    assert again == answers
    assert answers[0][1] == {
        "digest": replace(CHAIN21, id="spring").digest, "check": "levels", "approver": person("Zhao Min"),
        "reason": REASON, "at": "2026-12-01T08:00:00.000Z", "expires_at": "2026-12-31T08:00:00.000Z",
    }  # fmt: skip
    assert (status, published["published_by"]) == (201, person("Li Na"))
    assert published["approvals"] == [
        {"check": check, "approver": person("Zhao Min"), "reason": REASON, "at": "2026-12-01T08:00:00.000Z"}
        for check in sorted(CHECKS)
    ]


@pytest.mark.parametrize("approver", ["Mallory", "x", "stf_nobody", "Zhao Min"])
def test_no_approver_can_be_typed_by_the_publisher(approver: str, cloud: Cloud) -> None:
    named = person(approver) if approver == "Zhao Min" else approver
    approvals = [{"check": check, "approver": named, "reason": REASON} for check in CHECKS]
    status, problem = publish({**SPRING, "approvals": approvals})

    assert (status, problem["code"], problem["errors"][0]["pointer"]) == (400, "BODY_INVALID", "/approvals")
    assert cloud.items("plans") == []


def made_by_the_publisher(at: datetime) -> None:
    person("Zhao Min", created_by=person("Li Na"), created_at=at - timedelta(days=6))


def deactivated(_: datetime) -> None:
    assert DynamoPersons().deactivate(person("Zhao Min"), person("Wang Fang"), 1) == "done"


@pytest.mark.parametrize(
    ("before", "after"), [(made_by_the_publisher, None), (None, deactivated)], ids=["too new", "deactivated"]
)
def test_whoever_may_not_approve_at_publishing_does_not_count(
    before: Callable[[datetime], None] | None,
    after: Callable[[datetime], None] | None,
    cloud: Cloud,
    clock: TestClock,
) -> None:
    if before is not None:
        before(clock.now())
    approved = approve("Zhao Min", *CHECKS)
    if after is not None:
        after(clock.now())
    status, problem = publish()
    approve("Wang Fang", *CHECKS)
    then, published = publish(key="k1")

    assert {answer for answer, _ in approved} == {200}
    assert (status, problem["code"]) == (422, "PLAN_REFUSED")
    assert [finding["check"] for finding in problem["facts"]["findings"]] == list(CHECKS)
    assert (then, {approval["approver"] for approval in published["approvals"]}) == (201, {person("Wang Fang")})


def test_an_approver_who_is_the_publisher_under_another_name_counts_as_none(cloud: Cloud) -> None:
    desk = Desk()
    members = [desk.linked(person(name), openid) for name, openid in (("Li Na", "anna"), ("Zhao Min", "bert"))]
    approve("Zhao Min", *CHECKS)
    MemberItem(id=members[0]).update([MemberItem.same_person.set((members[1],))])
    status, problem = publish()

    assert (status, problem["code"]) == (422, "PLAN_REFUSED")


def test_only_the_right_to_approve_approves_and_it_publishes_nothing(cloud: Cloud) -> None:
    body = {"plan": SPRING, "check": "levels", "reason": REASON}
    publisher, approver = staff_key("Li Na", "plans:publish"), staff_key("Zhao Min", "plans:approve")

    assert call(f"{PATH}/approvals", body, publisher)[0] == 403
    assert call(PATH, {"preset": "unlock"}, approver)[0] == 403
    assert cloud.items("plans") == []


def test_approvals_are_no_versions(cloud: Cloud) -> None:
    approve("Zhao Min", *CHECKS)
    answer = serve(http_event("GET", PATH, token=staff_key("Li Na", "plans:publish")), Context())

    assert len(cloud.items("plans")) == 5
    assert json.loads(answer["body"]) == {"items": [], "next_cursor": None, "in_force": "unlock@0"}
