"""Approving a payout waits for the phone of the person who approves: what a stolen key, a wrong phone, an old yes or a
killed call can do."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.partners.store import DynamoKeys
from cardstock.payouts import wiring as payouts_wiring
from cardstock.staff.confirmation_model import LIFE
from cardstock.staff.store import PersonItem
from functions.staff.confirmations_api import app as confirmations_api
from tests.house import faults
from tests.house.cloud import ROOT, ROOT_KEY, Cloud, Context, http_event, serve
from tests.house.interleave import every_way, some_ways
from tests.people.clock import TestClock
from tests.people.finance import PAYOUT, Finance
from tests.people.replies import Reply, reply
from tests.people.staff import Phone, person, session_of, staff_key

PATH = f"/v1/payouts/{PAYOUT}/approvals"


class Approvers:
    """Li Na, who approves with a key, and her phone; a payout of two lines waits."""

    def __init__(self, finance: Finance) -> None:
        self.finance, self.phone = finance, Phone()
        finance.member(1, 5_000)
        finance.member(2, 7_000)
        finance.tick()
        finance.drain()
        self.key = finance.token
        self.member = self.phone.member_of(self.key)

    def approve(self, key: str = "a-1", *, token: str = "", lines: int = 2, fen: int = 12_000) -> Reply:
        body = {"lines": lines, "listed_fen": fen, "note": "checked"}
        return reply(serve(http_event("POST", PATH, body, token=token or self.key, key=key)))

    def asked(self, **how: Any) -> str:
        answer = self.approve(**how)
        assert (answer.status, answer.body["code"]) == (409, "CONFIRMATION_NEEDED"), answer
        return str(answer.body["facts"]["confirmation_id"])

    def say(self, answer: str, confirmation_id: str, member: str = "") -> Reply:
        return self.phone.say(answer, confirmation_id, member or self.member)

    @property
    def status(self) -> str:
        batch = payouts_wiring.payouts().find_batch(PAYOUT)
        assert batch is not None
        return batch.status


@pytest.fixture
def approvers(finance: Finance) -> Approvers:
    return Approvers(finance)


def code(answer: Reply) -> str:
    return str(answer.body["code"]) if answer.status >= 400 else str(answer.status)


def test_the_first_call_asks_the_phone_and_the_same_call_approves_after_its_yes(
    approvers: Approvers, clock: TestClock
) -> None:
    first = approvers.approve()
    shown = approvers.phone.pending(approvers.member).body["items"]
    again = approvers.approve()
    waiting = approvers.status
    clock.move(seconds=20)
    said = approvers.say("yes", first.body["facts"]["confirmation_id"])
    done, repeat = approvers.approve(), approvers.approve()

    assert (first.status, first.body["code"]) == (409, "CONFIRMATION_NEEDED")
    assert first.body["facts"] | {"amount_fen": 12_000, "count": 2, "action": "approve_payout"} == first.body["facts"]
    assert [one["confirmation_id"] for one in shown] == [first.body["facts"]["confirmation_id"]]
    assert shown[0] | {
        "action": "approve_payout", "what": "批准佣金发放", "subject": PAYOUT, "amount_fen": 12_000, "count": 2,
        "asked_by": "test", "state": "asked", "expires_at": first.body["facts"]["expires_at"],
    } == shown[0]  # fmt: skip
    assert again.body["facts"] == first.body["facts"]
    assert waiting == "open"
    assert (said.status, said.body["state"]) == (200, "confirmed")
    assert (done.status, done.body["status"]) == (200, "approved")
    assert (repeat.status, repeat.replayed) == (200, True)
    assert approvers.phone.pending(approvers.member).body["items"] == []


def test_a_stolen_key_of_finance_approves_nothing_whatever_it_repeats(approvers: Approvers, clock: TestClock) -> None:
    tried = [code(approvers.approve(f"thief-{number}")) for number in range(5)]
    clock.move(minutes=11)
    tried.append(code(approvers.approve("thief-0")))

    assert set(tried) == {"CONFIRMATION_NEEDED"}
    assert approvers.status == "open"


def test_a_no_ends_it_and_stays_on_record(approvers: Approvers, cloud: Cloud, clock: TestClock) -> None:
    asked = approvers.asked()
    said = [code(approvers.say(answer, asked)) for answer in ("no", "no", "yes")]
    refused = [code(approvers.approve(key)) for key in ("a-1", "a-2")]
    clock.move(minutes=10)
    anew = approvers.asked()

    assert said == ["200", "200", "CONFIRMATION_ANSWERED"]
    assert refused == ["CONFIRMATION_DECLINED"] * 2
    assert anew != asked
    assert sorted(item["state"]["S"] for item in cloud.items("confirmations")) == ["asked", "declined"]
    assert approvers.status == "open"


def test_a_yes_lasts_ten_minutes_from_the_question(approvers: Approvers, clock: TestClock) -> None:
    asked = approvers.asked()
    clock.move(seconds=LIFE.total_seconds() - 1)
    last = code(approvers.say("yes", asked))
    clock.move(seconds=1)
    anew = approvers.asked()
    clock.move(seconds=LIFE.total_seconds())
    late = code(approvers.say("yes", anew))

    assert (last, late) == ("200", "CONFIRMATION_EXPIRED")
    assert anew != asked
    assert approvers.status == "open"


def test_the_phone_of_another_person_confirms_nothing(approvers: Approvers) -> None:
    asked, other = approvers.asked(), staff_key("Wang Fang", "payouts:approve")
    wang = approvers.phone.member_of(other)
    stranger = approvers.phone.desk.member("stranger")
    answers = [code(approvers.say("yes", asked, member)) for member in (wang, stranger)]
    seen = [code(approvers.phone.pending(wang)), code(approvers.phone.pending(stranger))]
    listed = approvers.phone.pending(wang).body["items"]
    # A yes of Wang Fang to her own approval is none for Li Na's.
    own = approvers.say("yes", approvers.asked(token=other), wang)

    assert answers == ["NOT_FOUND", "NOT_STAFF"]
    assert (seen, listed) == (["200", "NOT_STAFF"], [])
    assert own.status == 200
    assert code(approvers.approve()) == "CONFIRMATION_NEEDED"
    assert code(approvers.approve(token=other)) == "200"


def test_a_yes_to_other_lines_is_none_to_these(approvers: Approvers) -> None:
    approvers.say("yes", approvers.asked())
    batch = payouts_wiring.payouts().find_batch(PAYOUT)
    assert batch is not None
    payouts_wiring.payouts().replace_batch(batch)  # whatever has changed in between
    anew = approvers.asked()

    assert code(approvers.approve(lines=3)) == "PAYOUT_TOTALS_DIFFER"
    assert approvers.status == "open"
    assert code(approvers.say("yes", anew)) == "200"
    assert code(approvers.approve()) == "200"


def test_the_person_who_opened_it_is_asked_nothing(approvers: Approvers, cloud: Cloud) -> None:
    batch = payouts_wiring.payouts().find_batch(PAYOUT)
    assert batch is not None
    payouts_wiring.payouts().replace_batch(replace(batch, opened_by=person("Li Na")))

    assert code(approvers.approve()) == "APPROVER_OPENED_IT"
    assert cloud.items("confirmations") == []


def test_who_has_no_linked_member_is_asked_to_have_one(approvers: Approvers) -> None:
    answer = approvers.approve(token=staff_key("Ms Zhao", "payouts:approve"))

    assert (answer.status, answer.body["code"]) == (422, "PHONE_NEEDED")
    assert answer.body["facts"]["person_id"] == person("Ms Zhao")


def test_after_the_link_is_released_neither_the_phone_nor_its_yes_counts(approvers: Approvers) -> None:
    asked, boss = approvers.asked(), staff_key("Boss", "staff:write")
    approvers.say("yes", asked)
    assert approvers.phone.desk.release(person("Li Na"), boss).status == 204
    released = [
        code(approvers.approve()),
        code(approvers.say("yes", asked)),
        code(approvers.phone.pending(approvers.member)),
    ]
    other = approvers.phone.desk.linked(person("Li Na"), "new-phone", key=boss)
    relinked = [code(approvers.approve()), code(approvers.say("yes", asked, other))]

    assert released == ["PHONE_NEEDED", "NOT_STAFF", "NOT_STAFF"]
    assert relinked == ["CONFIRMATION_DECLINED", "NOT_FOUND"]
    assert approvers.status == "open"


def test_a_deactivated_person_s_yes_counts_for_nothing(approvers: Approvers) -> None:
    asked = approvers.asked()
    approvers.say("yes", asked)
    # The person alone: the key is still to be revoked.
    PersonItem("person", person("Li Na")).update([PersonItem.state.set("inactive")])
    answers = [
        code(approvers.approve()),
        code(approvers.say("yes", asked)),
        code(approvers.phone.pending(approvers.member)),
    ]

    assert answers == ["KEY_INVALID", "NOT_STAFF", "NOT_STAFF"]
    assert approvers.status == "open"


def test_a_key_that_lost_its_right_after_the_yes_approves_nothing(approvers: Approvers) -> None:
    approvers.say("yes", approvers.asked())
    DynamoKeys().revoke("key_" + approvers.key.removeprefix("csk_").partition("_")[0])

    assert code(approvers.approve()) == "KEY_INVALID"
    assert approvers.status == "open"


def test_a_person_whose_role_was_taken_after_the_yes_approves_nothing(approvers: Approvers) -> None:
    approvers.say("yes", approvers.asked())
    PersonItem("person", person("Li Na")).update([PersonItem.roles.set(frozenset({"service"}))])
    taken = code(approvers.approve())
    status = approvers.status
    PersonItem("person", person("Li Na")).update([PersonItem.roles.set(frozenset({"finance"}))])

    assert (taken, status) == ("SCOPE_MISSING", "open")
    assert code(approvers.approve()) == "200"


def test_a_session_of_the_console_waits_for_the_phone_like_a_key(approvers: Approvers) -> None:
    browser, body = session_of("Li Na", ["finance"], member_id=approvers.member), {"lines": 2, "listed_fen": 12_000}
    first = browser.send("POST", PATH, body, key="s-1")
    [shown] = approvers.phone.pending(approvers.member).body["items"]
    approvers.say("yes", shown["confirmation_id"])
    done = browser.send("POST", PATH, body, key="s-1")

    assert (code(first), shown["asked_by"]) == ("CONFIRMATION_NEEDED", "console")
    assert (done.status, approvers.status) == (200, "approved")


def test_of_a_yes_and_a_no_at_once_one_counts_in_every_order(approvers: Approvers, cloud: Cloud) -> None:
    asked = approvers.asked()
    before = cloud.snapshot()

    def answers() -> list[Any]:
        return [lambda: code(approvers.say("yes", asked)), lambda: code(approvers.say("no", asked))]

    for run in every_way(answers, before.restore):
        done = code(approvers.approve())

        assert sorted(run.ends) == ["200", "CONFIRMATION_ANSWERED"], run
        assert done == ("200" if run.ends[0] == "200" else "CONFIRMATION_DECLINED"), run


def test_the_same_approval_twice_at_once_is_one(approvers: Approvers, cloud: Cloud) -> None:
    approvers.say("yes", approvers.asked())
    before = cloud.snapshot()

    for run in some_ways(lambda: [approvers.approve, lambda: approvers.approve("a-2")], before.restore, 40):
        states = [item["state"]["S"] for item in cloud.items("confirmations")]

        assert [answer.status for answer in run.ends] == [200, 200], run
        assert states == ["used"], run
        assert approvers.status == "approved"


@pytest.mark.parametrize(("step", "number"), [("ask", 7), ("say", 3), ("approve", 8)])
@pytest.mark.parametrize("mode", faults.MODES)
def test_an_approval_that_is_hit_at_any_call_is_never_done_without_the_yes_nor_lost_after_it(
    approvers: Approvers, cloud: Cloud, step: str, number: int, mode: faults.Mode
) -> None:
    nothing = cloud.snapshot()
    asked = approvers.asked()
    nothing.restore()
    if step != "ask":
        approvers.approve()
    if step == "approve":
        approvers.say("yes", asked)
    run: Callable[[], object] = approvers.approve
    if step == "say":
        run = partial(approvers.say, "yes", asked)
    before = cloud.snapshot()
    with faults.watch() as calls:
        run()
    ended, expected = approvers.status, states(cloud)

    assert len(calls) == number
    assert (ended, expected) == {"ask": ("open", ["asked"]), "say": ("open", ["confirmed"])}.get(
        step, ("approved", ["used"])
    )
    for index, call in faults.hit_each(calls, mode, before.restore, run):
        # The confirmation is used in the very step that approves, whatever was seen of it.
        assert (approvers.status == "approved") == (states(cloud) == ["used"]), (mode, index, call)
        run()
        assert (approvers.status, states(cloud)) == (ended, expected), (mode, index, call)


def states(cloud: Cloud) -> list[str]:
    return [item["state"]["S"] for item in cloud.items("confirmations")]


REFUSALS = {
    "bad_answer": (400, "BODY_INVALID"),
    "bad_made_up": (404, "NOT_FOUND"),
    "bad_stranger": (403, "NOT_STAFF"),
    "bad_key": (403, "NOT_A_MEMBER"),
}
FILES = sorted((ROOT / "events/staff/confirmations_api").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_kept_request_is_answered_as_its_name_says(path: Path, approvers: Approvers, cloud: Cloud) -> None:
    values = {
        "CONFIRMATION_ID": approvers.asked(),
        "ACCESS_TOKEN": approvers.phone.desk.token(approvers.member),
        "STRANGERS_TOKEN": approvers.phone.desk.token(approvers.phone.desk.member("stranger")),
        "ROOT_KEY": ROOT_KEY,
    }
    text = path.read_text("utf-8")
    for name, value in values.items():
        text = text.replace(name, value)
    before = cloud.state()
    answer = confirmations_api.handler(json.loads(text), Context())

    if path.stem.startswith("bad_"):
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == REFUSALS[path.stem]
        assert cloud.state() == before
    else:
        assert answer["statusCode"] == 200, answer


def test_every_bad_file_has_its_refusal() -> None:
    assert {path.stem for path in FILES if path.stem.startswith("bad_")} == REFUSALS.keys()
