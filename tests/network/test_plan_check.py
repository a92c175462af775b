"""The check at publishing, presets and publishing."""

import pytest
from msgspec.structs import replace

from cardstock.errors import InvalidError, NotFoundError, RefusedError
from cardstock.network import plan_check
from cardstock.network.plan import NOTHING, Amount, Approval, Check, Plan
from cardstock.network.presets import CHAIN21, FREE_ORDER, PRESETS, SINGLE_LEVEL, TEAM_DIVIDEND, UNLOCK
from cardstock.network.publishing import get_plan, publish_plan
from tests.people.referrals import START, Referrals

pytestmark = pytest.mark.usefixtures("clock")

NEEDED: tuple[Check, ...] = ("levels", "peer", "fee", "cap", "head_count")


def approvals(*checks: Check) -> tuple[Approval, ...]:
    return tuple(Approval(check, "Li Na, counsel", START, "reviewed for the pilot region") for check in checks)


def said(plan: Plan, *checks: Check) -> dict[str, str]:
    return {finding.check: finding.verdict for finding in plan_check.check(plan, approvals(*checks))}


def test_the_safe_presets_pass_without_any_approval() -> None:
    for plan in (UNLOCK, FREE_ORDER, SINGLE_LEVEL):
        assert plan_check.check(plan) == ()


def test_chain21_needs_an_approval_for_each_of_its_risks() -> None:
    assert said(CHAIN21) == dict.fromkeys(NEEDED, "needs_approval")
    assert said(CHAIN21, *NEEDED) == dict.fromkeys(NEEDED, "approved")
    assert said(TEAM_DIVIDEND, *NEEDED) == {**dict.fromkeys(NEEDED, "approved"), "dividend": "needs_approval"}


def test_an_approval_counts_for_its_own_check_only() -> None:
    assert said(CHAIN21, "levels")["peer"] == "needs_approval"


def test_an_approval_without_name_or_reason_is_none() -> None:
    for empty in (replace(approvals("fee")[0], by=" "), replace(approvals("fee")[0], reason="")):
        assert plan_check.check(replace(SINGLE_LEVEL, earners="qualified"), (empty,))[0].verdict == "needs_approval"


def test_a_role_that_survives_a_return_is_refused_whoever_approves() -> None:
    plan = replace(CHAIN21, promote_on="paid", on_refund="keep")

    assert said(plan, *NEEDED, "role_survives_return")["role_survives_return"] == "refused"
    assert "role_survives_return" not in said(replace(plan, on_refund="demote"), *NEEDED)


def test_a_freeze_shorter_than_the_return_window_and_a_window_under_seven_days_are_refused() -> None:
    assert said(replace(SINGLE_LEVEL, freeze_days=6)) == {"freeze": "refused"}
    assert said(replace(SINGLE_LEVEL, freeze_days=15, return_days=15)) == {}
    assert said(replace(SINGLE_LEVEL, freeze_days=6, return_days=6)) == {"return_window": "refused"}


def test_more_than_thirty_percent_or_no_cap_needs_approval_and_shows_the_worst_order() -> None:
    assert said(replace(SINGLE_LEVEL, cap_bps=3_000)) == {}
    assert said(replace(SINGLE_LEVEL, cap_bps=3_001)) == {"cap": "needs_approval"}
    found = next(finding for finding in plan_check.check(CHAIN21) if finding.check == "cap")

    # 30 000 + 3 000 of 49 900.
    assert found.found == "cap_bps=none worst_bps=6614"
    assert found.passes == "cap_bps<=3000"
    assert "第二十四条" in found.clause


def test_team_and_peer_rewards_on_one_level_are_refused() -> None:
    assert said(replace(SINGLE_LEVEL, team=Amount(1))) == {"levels": "refused"}
    assert said(replace(SINGLE_LEVEL, peer_bps=1), "peer") == {"peer": "refused"}


def test_a_plan_without_cash_may_not_pay_and_one_with_cash_gives_no_benefit() -> None:
    assert said(replace(UNLOCK, direct_distributor=Amount(1))) == {"benefit": "refused"}
    assert said(replace(UNLOCK, benefit_n=0)) == {"benefit": "refused"}
    assert said(replace(SINGLE_LEVEL, benefit_n=2)) == {"benefit": "refused"}


def test_head_count_promotion_without_cash_is_flagged_only() -> None:
    assert said(replace(UNLOCK, promote_n=2)) == {"head_count": "warning"}


def test_pyramid_words_in_a_title_are_warned_of() -> None:
    assert said(replace(SINGLE_LEVEL, title="直推奖 10%")) == {"words": "warning"}
    assert plan_check.blocks(plan_check.check(replace(SINGLE_LEVEL, title="躺赚"))) == ()


def test_every_finding_names_its_clause_and_what_would_pass() -> None:
    worst = replace(CHAIN21, promote_on="paid", freeze_days=1, return_days=3, dividend_bps=5, title="躺赚", benefit_n=1)

    assert len(plan_check.check(worst)) == 11
    for finding in plan_check.check(worst):
        assert finding.clause
        assert finding.found
        assert finding.passes


def test_no_text_of_ours_uses_pyramid_words() -> None:
    for plan in PRESETS.values():
        assert not [word for word in plan_check.PYRAMID_WORDS if word in plan.title]


def publish(shop: Referrals, plan: Plan, *checks: Check) -> Plan:
    shop.tick()
    return publish_plan(plan, approvals(*checks), "key_1", plans=shop.plans).made.plan


def empty() -> Referrals:
    shop = Referrals()
    shop.plans.published.clear()
    shop.network.in_force = None
    return shop


def test_before_anything_is_published_the_safe_plan_is_in_force() -> None:
    shop = empty()
    order = shop.buy("A", "R")

    assert (order.snapshot.plan_id, order.snapshot.plan_version, order.rewards) == ("unlock", 0, ())


def test_publishing_makes_the_next_version_and_supersedes() -> None:
    shop = empty()
    first = publish(shop, SINGLE_LEVEL)
    second = publish(shop, replace(SINGLE_LEVEL, cap_bps=2_000))

    assert (first.version, second.version) == (1, 2)
    assert shop.network.in_force == second
    assert get_plan("single_level", 1, plans=shop.plans) == first
    page, more = shop.plans.list_plans(1, None)
    assert ([record.plan for record in page], more is None) == ([first], False)


def test_orders_keep_the_plan_they_were_placed_under() -> None:
    shop = empty()
    publish(shop, SINGLE_LEVEL)
    shop.bind("A", "R")
    order = shop.place("A")
    publish(shop, replace(SINGLE_LEVEL, direct_distributor=NOTHING))

    assert (order.snapshot.plan_version, shop.place("A").snapshot.plan_version) == (1, 2)


def test_publishing_what_is_in_force_again_changes_nothing() -> None:
    shop = empty()
    first = publish(shop, SINGLE_LEVEL)

    assert publish(shop, SINGLE_LEVEL) == first
    assert len(shop.plans.published) == 1


def test_a_refused_plan_names_each_failed_check_with_clause_and_remedy() -> None:
    shop = empty()
    with pytest.raises(RefusedError, match="PLAN_REFUSED") as refusal:
        publish(shop, CHAIN21, "levels", "peer")

    findings = refusal.value.facts["findings"]
    assert isinstance(findings, list)
    assert [finding["check"] for finding in findings] == ["fee", "cap", "head_count"]
    assert findings[0]["passes"] == "earners=anyone"
    assert shop.plans.published == []


def test_an_approved_plan_keeps_who_approved_what_and_why() -> None:
    shop = empty()
    publish(shop, CHAIN21, *NEEDED)
    record = shop.plans.published[0]

    assert [(finding.check, finding.approval.by) for finding in record.findings if finding.approval] == [
        (check, "Li Na, counsel") for check in NEEDED
    ]
    assert record.published_by == "key_1"


def test_an_empty_approval_is_refused_at_publishing() -> None:
    shop = empty()
    nameless = (replace(approvals("fee")[0], by=""),)

    with pytest.raises(InvalidError, match="APPROVAL_INVALID"):
        publish_plan(SINGLE_LEVEL, nameless, "key_1", plans=shop.plans)


def test_an_unknown_version_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        get_plan("chain21", 99, plans=Referrals().plans)


def test_a_plan_survives_being_stored() -> None:
    for plan in PRESETS.values():
        assert Plan.from_dict(plan.to_dict()) == plan


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"max_levels": 3}, "/max_levels"),
        ({"max_levels": True}, "/max_levels"),
        ({"max_levels": 1.0}, "/max_levels"),
        ({"cap_bps": 10_001}, "/cap_bps"),
        ({"price": 0}, "/price"),
        ({"price": "49900"}, "/price"),
        ({"price": None}, "/price"),
        ({"team": 20_000}, "/team"),
        ({"team": {"value": -1, "unit": "fen"}}, "/team"),
        ({"team": {"value": 1.5, "unit": "fen"}}, "/team"),
        ({"team": {"value": 10_001, "unit": "bps"}}, "/team"),
        ({"team": {"value": 1, "unit": "heads"}}, "/team"),
        ({"promote_n": 21}, "/promote_n"),
        ({"earners": "everyone"}, "/earners"),
        ({"earners": ["anyone"]}, "/earners"),
        ({"id": "Chain 21"}, "/id"),
        ({"title": ""}, "/title"),
        ({"per_head_fen": 100}, "/per_head_fen"),
        ({"binding_days": 0}, "/binding_days"),
    ],
)
def test_a_plan_that_cannot_be_expressed_is_refused_by_field(change: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidError, match="PLAN_INVALID") as refusal:
        Plan.from_dict({**CHAIN21.to_dict(), **change})

    assert [wrong.pointer for wrong in refusal.value.pointers] == [pointer]


def test_what_a_plan_leaves_out_takes_its_default() -> None:
    plan = Plan.from_dict({"id": "mine", "version": 0, "title": "我的计划", "preset": "none", "price": 100})

    assert (plan.cap_bps, plan.promote_on, plan.on_refund, plan.max_levels) == (3_000, "settled", "keep", 1)
