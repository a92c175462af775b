"""What would have changed a reward: the engine's own answer with one thing different."""

from hypothesis import given
from msgspec.structs import replace

from cardstock.network.model import OrderLine, Person, Snapshot
from cardstock.network.plan import Plan
from cardstock.network.presets import CHAIN21
from cardstock.network.rewards import rewards_for, what_if
from tests.network.test_network_properties import LINES, PLANS, SNAPSHOTS

A, R, P = Person("A", "distributor"), Person("R", "partner"), Person("P", "partner")
KIT = (OrderLine("kit", 1, 49_900, qualifying=True),)


def told(plan: Plan, snapshot: Snapshot, kind: str) -> list[tuple[str, str, int]]:
    found = what_if(KIT, snapshot, plan)
    return [(other.what, other.value, other.amount) for own, others in found.items() if own == kind for other in others]


def test_another_role_gives_that_roles_rate() -> None:
    snapshot = Snapshot("chain21", 1, referrer=A, owner=R, peer=P)

    assert told(CHAIN21, snapshot, "direct") == [("role", "member", 0), ("role", "partner", 30_000)]


def test_a_partner_who_refers_stands_before_the_team_owner() -> None:
    snapshot = Snapshot("chain21", 1, referrer=A, owner=R, peer=P)

    assert ("referrer_role", "partner", 0) in told(CHAIN21, snapshot, "team")


def test_without_the_cap_a_reward_is_what_the_rule_gives() -> None:
    snapshot, capped = Snapshot("chain21", 1, referrer=A, owner=R), replace(CHAIN21, cap_bps=3_000)

    assert ("cap", "none", 10_000) in told(capped, snapshot, "direct")
    assert ("cap", "none", 20_000) in told(capped, snapshot, "team")
    assert not [other for other in told(replace(CHAIN21, cap_bps=None), snapshot, "team") if other[0] == "cap"]


@given(LINES, SNAPSHOTS, PLANS)
def test_every_difference_is_one_and_comes_from_the_engine_that_pays(
    lines: tuple[OrderLine, ...], snapshot: Snapshot, plan: Plan
) -> None:
    paid = {reward.kind: reward for reward in rewards_for(lines, snapshot, plan)}
    uncapped = {reward.kind: reward.amount for reward in rewards_for(lines, snapshot, replace(plan, cap_bps=None))}
    found = what_if(lines, snapshot, plan)

    assert found.keys() == paid.keys()
    for kind, others in found.items():
        assert all(other.amount != paid[kind].amount for other in others)
        without = [other.amount for other in others if other.what == "cap"]
        assert without == ([uncapped[kind]] if uncapped[kind] != paid[kind].amount else [])
