"""What every store of merges guarantees, and what merging means on it: the one in DynamoDB and the one in memory."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from msgspec.structs import replace

from cardstock.errors import CardstockError
from cardstock.flows import merging
from cardstock.flows.merging import MergeNeeds
from cardstock.members.item_store import MemberItem
from cardstock.members.merge_model import UNDO_WINDOW
from cardstock.members.merge_store import DynamoMerges
from cardstock.members.model import MOST_MEMBERS, Account, Member, Person
from cardstock.members.ports import Members, Merges
from cardstock.members.store import DynamoMembers
from cardstock.network.deciding import position_of
from cardstock.network.ports import Network
from cardstock.network.store import DynamoNetwork
from tests.people.arrivals import register
from tests.people.clock import TestClock
from tests.people.memory_counts import uncounted
from tests.people.memory_members import MemoryMembers, MemoryMerges
from tests.people.memory_network import MemoryNetwork

CONTRACT = {Merges: (MemoryMerges, DynamoMerges)}

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


class World:
    """Members, whose names are the ends of their ids."""

    def __init__(
        self, clock: TestClock, members: Members, merges: Merges, network: Network, change: Callable[..., None]
    ) -> None:
        self.clock, self.members, self.change = clock, members, change
        self.needs = MergeNeeds(merges, network)
        for name in "abcd":
            self.member(name)

    def member(self, name: str) -> str:
        account = Account("dev", "wx1", name)
        made = Member(id_of(name), account.name, NOW)
        return register(self.members, made, account).id

    def merge(self, other: str, member: str) -> list[str]:
        """`member` enters a code of `other`: the names in the group."""
        code = merging.new_code(id_of(other), uncounted, self.needs).text
        return [each.member_id[-1] for each in merging.merge(code, id_of(member), uncounted, self.needs).members]

    def part(self, leaving: str, member: str) -> None:
        merging.part(id_of(leaving), id_of(member), self.needs)

    def verify(self, name: str, number_hash: str = "00ff$00ff") -> None:
        person = Person(
            "王小明", "1****************X", number_hash, datetime(1949, 12, 31, tzinfo=UTC).date(), "dev", NOW
        )
        assert self.members.add_person(id_of(name), person)
        merging.join_verified(id_of(name), self.needs)

    def person(self, name: str) -> str:
        """The names of who is the same person as `name`, who is among them; members and network agree on it."""
        found = self.members.find_member(id_of(name))
        assert found is not None
        assert position_of(id_of(name), network=self.needs.network).same_person == found.same_person
        return "".join(sorted(each[-1] for each in (id_of(name), *found.same_person)))

    def group(self, name: str) -> str:
        found = merging.group_of(id_of(name), self.needs)
        return "".join(each.member_id[-1] for each in found.members) if found else ""


def id_of(name: str) -> str:
    return f"mem_{name:0>26}"


@pytest.fixture(params=["memory", "dynamodb"])
def world(request: pytest.FixtureRequest, clock: TestClock) -> World:
    if request.param == "memory":
        members, network = MemoryMembers(), MemoryNetwork()

        def change(name: str, **what: object) -> None:
            members.members[id_of(name)] = replace(members.members[id_of(name)], **what)

        return World(clock, members, MemoryMerges(members, network), network, change)
    request.getfixturevalue("cloud")

    def update(name: str, **what: object) -> None:
        actions = [getattr(MemberItem, field).set(value) for field, value in what.items()]
        assert MemberItem(id=id_of(name)).update_if(actions, MemberItem.id.exists())

    return World(clock, DynamoMembers(), DynamoMerges(), DynamoNetwork(), update)


def refusal(of: Callable[[], object]) -> str:
    with pytest.raises(CardstockError) as refused:
        of()
    return refused.value.code


def test_two_accounts_are_one_person_once_one_enters_the_other_s_code(world: World) -> None:
    joined = world.merge("a", "b")

    assert joined == ["a", "b"]
    assert [world.person(name) for name in "abc"] == ["ab", "ab", "c"]
    assert (world.group("a"), world.group("b"), world.group("c")) == ("ab", "ab", "")


def test_a_repeat_answers_the_same_and_another_account_cannot_use_the_code_again(world: World) -> None:
    code = merging.new_code(id_of("a"), uncounted, world.needs).text
    first = merging.merge(code, id_of("b"), uncounted, world.needs)

    assert merging.merge(code, id_of("b"), uncounted, world.needs) == first
    assert refusal(lambda: merging.merge(code, id_of("c"), uncounted, world.needs)) == "MERGE_CODE_INVALID"
    assert world.person("c") == "c"


def test_a_code_is_good_for_ten_minutes_and_not_for_its_own_account(world: World) -> None:
    code = merging.new_code(id_of("a"), uncounted, world.needs).text
    own = refusal(lambda: merging.merge(code, id_of("a"), uncounted, world.needs))
    world.clock.move(minutes=10)
    late = refusal(lambda: merging.merge(code, id_of("b"), uncounted, world.needs))
    unknown = refusal(lambda: merging.merge("k7m2p9xw4tab", id_of("b"), uncounted, world.needs))

    assert (own, late, unknown) == ("MERGE_CODE_INVALID",) * 3


def test_of_a_member_s_codes_only_the_newest_is_good(world: World) -> None:
    older, newest = (merging.new_code(id_of("a"), uncounted, world.needs).text for _ in range(2))
    other = merging.new_code(id_of("c"), uncounted, world.needs).text

    assert refusal(lambda: merging.merge(older, id_of("b"), uncounted, world.needs)) == "MERGE_CODE_INVALID"
    merging.merge(newest, id_of("b"), uncounted, world.needs)
    merging.new_code(id_of("a"), uncounted, world.needs)
    merging.merge(newest, id_of("b"), uncounted, world.needs)
    merging.merge(other, id_of("d"), uncounted, world.needs)
    assert [world.group(name) for name in "abcd"] == ["ab", "ab", "cd", "cd"]


def test_a_code_that_is_replaced_while_it_is_entered_merges_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = merging.new_code(id_of("a"), uncounted, world.needs).text
    commit = world.needs.merges.commit

    def late(step: object) -> bool:
        monkeypatch.undo()
        merging.new_code(id_of("a"), uncounted, world.needs)
        return commit(step)  # type: ignore[arg-type]

    monkeypatch.setattr(world.needs.merges, "commit", late)

    assert refusal(lambda: merging.merge(code, id_of("b"), uncounted, world.needs)) == "MERGE_CODE_INVALID"
    assert [world.person(name) for name in "ab"] == ["a", "b"]


def test_a_third_account_joins_the_group_and_a_member_of_one_joins_no_other(world: World) -> None:
    world.merge("a", "b")
    world.merge("c", "d")

    assert refusal(lambda: world.merge("a", "d")) == "MERGED_WITH_OTHERS"
    world.part("d", "d")
    three = world.merge("b", "d")
    assert three == ["a", "b", "d"]
    assert [list(world.person(name)) for name in "abcd"] == [three, three, ["c"], three]


def test_a_merge_can_be_undone_for_thirty_days_by_either_side(world: World) -> None:
    world.merge("a", "b")
    world.clock.move(days=1)
    world.merge("a", "c")
    world.part("b", "c")

    assert [world.person(name) for name in "abc"] == ["ac", "b", "ac"]
    world.part("a", "a")
    assert [world.person(name) for name in "abc"] == ["a", "b", "c"]
    assert [world.group(name) for name in "abc"] == ["", "", ""]
    assert world.merge("b", "a") == ["b", "a"]


def test_after_thirty_days_a_merge_is_final(world: World) -> None:
    world.merge("a", "b")
    world.clock.move(seconds=UNDO_WINDOW.total_seconds())
    world.merge("b", "c")

    assert refusal(lambda: world.part("b", "a")) == "MERGE_FINAL"
    world.clock.move(days=29)
    world.part("c", "a")
    assert world.person("a") == "ab"


def test_nobody_undoes_the_merges_of_others(world: World) -> None:
    world.merge("a", "b")

    assert refusal(lambda: world.part("b", "c")) == "NOT_FOUND"
    assert refusal(lambda: world.part("c", "a")) == "NOT_FOUND"
    assert world.person("a") == "ab"


def test_members_who_were_verified_as_one_are_one_person_and_stay_it(world: World) -> None:
    world.verify("a")
    world.verify("b")
    world.merge("b", "c")

    assert [world.person(name) for name in "abc"] == ["abc"] * 3
    world.part("c", "c")
    assert [world.person(name) for name in "abc"] == ["ab", "ab", "c"]


def test_two_groups_become_one_person_when_members_of_both_are_verified_as_one(world: World) -> None:
    world.merge("a", "b")
    world.merge("c", "d")
    world.verify("a")
    world.verify("d")

    assert [world.person(name) for name in "abcd"] == ["abcd"] * 4
    world.part("b", "a")
    assert [world.person(name) for name in "abcd"] == ["acd", "b", "acd", "acd"]


def test_a_person_has_ten_members_at_most(world: World) -> None:
    names = [*"abcd", *(f"z{number}" for number in range(MOST_MEMBERS))]
    for name in names[4:]:
        world.member(name)
    for name in names[1:MOST_MEMBERS]:
        world.merge("a", name)

    assert refusal(lambda: world.merge("a", names[MOST_MEMBERS])) == "MERGED_TOO_MANY"


@pytest.mark.parametrize("side", ["who makes the code", "who enters it"])
def test_a_member_who_is_staff_merges_with_nobody(side: str, world: World) -> None:
    code = merging.new_code(id_of("a"), uncounted, world.needs).text
    world.change("a" if side == "who makes the code" else "b", staff_link="stf_1")

    assert refusal(lambda: merging.merge(code, id_of("b"), uncounted, world.needs)) == "LINKED_TO_STAFF"
    assert (world.person("a"), world.person("b")) == ("a", "b")


@pytest.mark.parametrize("side", ["who makes the code", "who enters it"])
def test_a_member_with_a_verified_relative_who_is_staff_merges_with_nobody(side: str, world: World) -> None:
    related = "a" if side == "who makes the code" else "b"
    world.verify(related)
    world.verify("c")
    world.change("c", staff_link="stf_1")

    assert refusal(lambda: world.merge("a", "b")) == "LINKED_TO_STAFF"
    assert world.person(related) == world.person("c") == related + "c"


@pytest.mark.parametrize("side", ["who makes the code", "who enters it"])
def test_a_member_with_a_closed_account_merges(side: str, world: World) -> None:
    related = "a" if side == "who makes the code" else "b"
    world.verify(related)
    world.verify("c")
    world.change("c", erased_at=NOW, state="erased")

    assert world.merge("a", "b") == ["a", "b"]
    assert [world.person(name) for name in "abc"] == ["abc"] * 3


@pytest.mark.parametrize("who", ["a", "b"])
@pytest.mark.parametrize("mark", [{"staff_link": "stf_1"}, {"was_staff": True}])
def test_a_merge_is_not_undone_once_one_of_them_is_or_was_staff(
    mark: dict[str, object], who: str, world: World
) -> None:
    world.merge("a", "b")
    world.change(who, **mark)

    assert [refusal(partial(world.part, "b", each)) for each in "ab"] == ["LINKED_TO_STAFF"] * 2
    assert world.person("a") == "ab"


def test_two_verified_identities_do_not_merge(world: World) -> None:
    world.verify("a")
    world.verify("c", "00ff$00ee")
    world.merge("a", "b")

    assert refusal(lambda: world.merge("b", "c")) == "IDENTITIES_DIFFER"
    assert world.person("c") == "c"


def test_an_erased_member_merges_with_nobody(world: World) -> None:
    code = merging.new_code(id_of("a"), uncounted, world.needs).text
    world.change("a", erased_at=NOW, state="erased")

    assert refusal(lambda: merging.merge(code, id_of("b"), uncounted, world.needs)) == "MEMBER_ERASED"
    assert refusal(lambda: merging.new_code(id_of("a"), uncounted, world.needs)) == "MEMBER_ERASED"


@pytest.mark.parametrize("rival", ["merge", "verify", "staff", "erase"])
def test_what_happens_between_reading_and_writing_is_not_overlooked(
    rival: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another step comes in after this one has read, and before it writes."""
    code = merging.new_code(id_of("a"), uncounted, world.needs).text
    world.verify("c")
    merges = world.needs.merges
    commit = merges.commit

    def late(step: object) -> bool:
        monkeypatch.undo()
        if rival == "merge":
            world.merge("d", "b")
        elif rival == "verify":
            world.verify("b")
        elif rival == "staff":
            world.change("b", staff_link="stf_1")
        else:
            world.change("a", erased_at=NOW, state="erased")
        return commit(step)  # type: ignore[arg-type]

    monkeypatch.setattr(merges, "commit", late)
    outcome = {
        "merge": "MERGED_WITH_OTHERS", "verify": "done", "staff": "LINKED_TO_STAFF", "erase": "MEMBER_ERASED",
    }[rival]  # fmt: skip
    if outcome == "done":
        merging.merge(code, id_of("b"), uncounted, world.needs)
        assert [world.person(name) for name in "abc"] == ["abc"] * 3
    else:
        assert refusal(lambda: merging.merge(code, id_of("b"), uncounted, world.needs)) == outcome
        assert world.person("a") == "a"


@pytest.mark.parametrize("rival", ["another group", "the same code", "the same group"])
def test_between_members_verified_as_one_nothing_is_overlooked_either(
    rival: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are one person already, so that nothing changes in the network, whose positions could show the rival."""
    for name in "abcd":
        world.verify(name)
    if rival == "the same group":
        world.merge("a", "d")
    code = merging.new_code(id_of("a"), uncounted, world.needs).text
    merges = world.needs.merges
    commit = merges.commit

    def late(step: object) -> bool:
        monkeypatch.undo()
        if rival == "another group":
            world.merge("d", "b")
        elif rival == "the same code":
            merging.merge(code, id_of("c"), uncounted, world.needs)
        else:
            world.merge("d", "c")
        return commit(step)  # type: ignore[arg-type]

    monkeypatch.setattr(merges, "commit", late)
    if rival == "the same group":
        merging.merge(code, id_of("b"), uncounted, world.needs)
        assert [world.group(name) for name in "abcd"] == ["adcb"] * 4
        return
    refused = {"another group": "MERGED_WITH_OTHERS", "the same code": "MERGE_CODE_INVALID"}[rival]
    assert refusal(lambda: merging.merge(code, id_of("b"), uncounted, world.needs)) == refused
    assert world.group("b") == ("db" if rival == "another group" else "")
