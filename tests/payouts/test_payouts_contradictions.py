"""A different result after a final one is recorded and never applied; the member is not paid until it is cleared."""

from collections.abc import Sequence
from typing import Any

import pytest

from cardstock.aws.files import Files
from cardstock.errors import ConflictError
from cardstock.files import Document
from cardstock.flows.paying_out_wiring import payout_ledger
from cardstock.ledger.model import LedgerTransaction
from cardstock.ledger.store import DynamoBooks, every_transaction
from cardstock.open_items.store import every_item
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.contradictions import contradicted
from cardstock.payouts.line_store import LineItem
from cardstock.payouts.lines import Result
from cardstock.payouts.model import Batch
from cardstock.payouts.reading import existing_batch
from cardstock.payouts.reporting import report_of
from cardstock.payouts.store import DynamoPayouts
from cardstock.payouts.transfer_answers import Answer, repeats
from functions.open_items.api import app as open_items_api
from tests.house import faults
from tests.house.cloud import Context, http_event
from tests.people.audits import audit_now
from tests.people.finance import FIRST, Finance
from tests.people.replies import Reply, reply
from tests.people.staff import person, serve_confirmed, staff_key

NEXT = "pay_202612"
DECIDED = "decided"
OUTCOME = {"paid": "was_paid", "failed": "was_not_paid", "expired": "was_not_paid"}


def settled(finance: Finance, result: str, *, by_file: bool = False) -> tuple[str, str]:
    """A member and the number of the transfer, whose batch has settled after the bank's `result`."""
    member = finance.member(1, 5_000)
    finance.tick()
    finance.run_steps()
    finance.approve()
    finance.run_steps()
    number = finance.lines()[member]["number"]
    if by_file:
        assert finance.bring_file(bank_file(number, result))[0] == 202
    else:
        finance.results({"number": number, "result": result})
    finance.run_steps()

    assert finance.payout()["status"] == "settled"
    return member, number


def bank_file(number: str, result: str, note: str = "") -> bytes:
    """The bank's answer about one transfer of 50.00."""
    return f"业务参考号,户名,金额,处理结果,备注\n{number},张伟,50.00,{result},{note}\n".encode()


def corrected(finance: Finance, number: str, then: str) -> None:
    """The bank reports `then`, and two people say that it is right."""
    finance.results({"number": number, "result": then})
    (item,) = (item for item in every_item() if item.state == "open")
    assert clear_both(item.id, OUTCOME[then]).body["status"] == "cleared"


def entry(number: str) -> LedgerTransaction | None:
    """The first correction of a transfer, as the ledger has it."""
    return DynamoBooks().find_transaction(f"correct.{number}")


def clear_both(item_id: str, outcome: str) -> Reply:
    """Both persons clear the item."""
    clear(item_id, "Li Na", outcome)
    return clear(item_id, "Wang Fang", outcome)


def clear(item_id: str, name: str, outcome: str) -> Reply:
    path, body = f"/v1/open-items/{item_id}/clearings", {"outcome": outcome, "reason": "bank's letter"}
    token = staff_key(name, "open_items:clear")
    event = http_event("POST", path, body, resource="/v1/open-items/{item_id}/clearings", token=token)
    return reply(serve_confirmed(event, lambda sent: open_items_api.handler(sent, Context())))


@pytest.mark.parametrize(("first", "then"), [("failed", "paid"), ("paid", "failed")])
def test_a_contradiction_after_settling_stops_the_next_payment_until_two_people_have_cleared_it(
    finance: Finance, first: str, then: str
) -> None:
    member, number = settled(finance, first)
    before = finance.balance(member)
    for _ in range(2):
        finance.results({"number": number, "result": then})
    unapplied = finance.balance(member)
    finance.earn(member, 3_000, days_ago=0)
    finance.clock.set(FIRST.replace(month=12, day=31))
    finance.tick()
    finance.run_steps()
    (item,) = every_item()

    assert (item.kind, item.subject, item.member_id, item.amount_fen) == (
        "payout_contradiction", number, member, 5_000,
    )  # fmt: skip
    assert (item.facts["first_result"], item.facts["then_result"]) == (first, then)
    assert unapplied == before
    assert finance.lines(NEXT) == {}
    assert clear(item.id, "Li Na", OUTCOME[first]).body["status"] == "open"
    assert clear(item.id, "Li Na", OUTCOME[first]).body["status"] == "open"
    assert payouts_wiring.payouts().disputed_members() == {member}
    assert clear(item.id, "Wang Fang", OUTCOME[first]).body["status"] == "cleared"
    assert payouts_wiring.payouts().disputed_members() == frozenset()
    assert entry(number) is None


@pytest.mark.parametrize(("first", "then"), [("failed", "paid"), ("expired", "paid"), ("paid", "failed")])
def test_two_people_correct_the_books_with_the_outcome_that_they_do_not_have(
    finance: Finance, first: str, then: str
) -> None:
    member, number = settled(finance, first)
    finance.clock.move(days=3)
    finance.results({"number": number, "result": then})
    (item,) = every_item()
    asked = clear(item.id, "Li Na", OUTCOME[then])
    untouched = entry(number)
    finance.clock.move(hours=1)
    done = clear(item.id, "Wang Fang", OUTCOME[then])
    booked = entry(number)
    again, other = (clear(item.id, "Li Na", OUTCOME[each]) for each in (then, first))

    assert (asked.body["status"], untouched, done.body["status"]) == ("open", None, "cleared")
    assert again.body == done.body
    assert (other.status, other.body["code"]) == (409, "OUTCOME_DIFFERS")
    assert finance.balance(member) == ({"paid": 5_000} if then == "paid" else {"available": 5_000})
    assert finance.lines()[member]["status"] == then
    assert booked is not None
    assert (booked.kind, booked.cause, booked.at) == ("corrected", number, finance.clock.now())
    assert booked.approved_by == (person("Li Na"), person("Wang Fang"))
    finance.check_ledger()


def test_money_that_was_spent_meanwhile_becomes_debt_when_the_payee_has_it_after_all(finance: Finance) -> None:
    member, number = settled(finance, "failed")
    finance.earn(member, -2_000, days_ago=0)
    corrected(finance, number, "paid")

    assert finance.balance(member) == {"available": -2_000, "paid": 5_000}

    finance.earn(member, 3_000, days_ago=0)

    assert finance.balance(member) == {"available": 1_000, "paid": 5_000}


def test_money_that_was_paid_out_under_another_number_becomes_debt(finance: Finance) -> None:
    member, number = settled(finance, "failed")
    finance.clock.set(FIRST.replace(month=12, day=31))
    finance.tick()
    finance.run_steps()
    finance.approve(NEXT, key="approval-2")
    finance.run_steps()
    other = finance.lines(NEXT)[member]["number"]
    finance.results({"number": number, "result": "paid"})
    (item,) = every_item()

    assert item.facts["in_flight"] == f"{NEXT}/{other}"

    finance.results({"number": other, "result": "paid"}, payout=NEXT)
    finance.run_steps()
    clear_both(item.id, "was_paid")

    assert finance.balance(member) == {"available": -5_000, "paid": 10_000}
    finance.check_ledger()


def test_money_that_comes_back_repays_debt_first(finance: Finance) -> None:
    member, number = settled(finance, "paid")
    finance.earn(member, -1_500, days_ago=0)
    corrected(finance, number, "failed")

    assert finance.balance(member) == {"available": 3_500}


def test_a_corrected_month_is_paid_once_more_and_not_twice(finance: Finance) -> None:
    member, number = settled(finance, "paid")
    corrected(finance, number, "failed")
    finance.clock.set(FIRST.replace(month=12, day=31))
    finance.tick()
    finance.run_steps()

    assert finance.lines(NEXT)[member]["listed_fen"] == 5_000


@pytest.mark.parametrize(
    ("first", "outcome", "later", "opens"),
    [
        ("failed", "was_paid", "failed", True),
        ("failed", "was_paid", "expired", True),
        ("failed", "was_paid", "paid", False),
        ("failed", "was_not_paid", "failed", False),
        ("failed", "was_not_paid", "expired", False),
        ("paid", "was_not_paid", "paid", True),
        ("paid", "was_paid", "paid", False),
    ],
)
def test_a_third_result_opens_again_if_it_contradicts_what_two_people_have_decided(
    finance: Finance, first: str, outcome: str, later: str, opens: bool
) -> None:
    member, number = settled(finance, first)
    then = "paid" if first == "failed" else "failed"
    finance.results({"number": number, "result": then})
    (item,) = every_item()
    clear_both(item.id, outcome)
    for _ in range(2):
        finance.results({"number": number, "result": later})

    assert len(list(every_item())) == 1 + opens
    assert payouts_wiring.payouts().disputed_members() == ({member} if opens else frozenset())


@pytest.mark.parametrize(("first", "outcome"), [("failed", "was_not_paid"), ("paid", "was_paid")])
def test_the_result_that_two_people_have_seen_and_set_aside_is_a_repeat(
    finance: Finance, first: str, outcome: str
) -> None:
    _, number = settled(finance, first)
    then = "paid" if first == "failed" else "failed"
    finance.results({"number": number, "result": then})
    (item,) = every_item()
    clear_both(item.id, outcome)
    _, taken = finance.results({"number": number, "result": then})

    assert (taken["recorded"], taken["repeated"]) == (0, 1)
    assert len(list(every_item())) == 1


def test_a_file_that_is_brought_again_after_a_clearing_opens_an_item_if_it_contradicts_what_was_decided(
    finance: Finance,
) -> None:
    """The money may have come back since: the bank's file about that can have the same bytes."""
    member, number = settled(finance, "failed", by_file=True)
    corrected(finance, number, "paid")
    again = [finance.bring_file(bank_file(number, "failed"))[1] for _ in range(2)]
    (item,) = (item for item in every_item() if item.state == "open")

    assert [(taken["recorded"], taken["repeated"]) for taken in again] == [(1, 0), (0, 1)]
    assert payouts_wiring.payouts().disputed_members() == {member}
    assert (item.facts["first_result"], item.facts["then_result"]) == ("paid", "failed")
    assert clear_both(item.id, "was_not_paid").body["status"] == "cleared"
    assert finance.balance(member) == {"available": 5_000}


@pytest.mark.parametrize(
    ("said", "news"),
    [
        ([("failed", "a"), ("failed", "a")], False),
        ([("failed", "a"), ("failed", "b")], False),
        ([("failed", "a"), ("paid", "b"), ("failed", "a")], False),  # nothing is decided yet
        ([("failed", "a"), ("paid", "b"), ("failed", None)], True),
        ([("failed", "a"), ("paid", "b"), ("paid", DECIDED), ("failed", "a")], True),
        ([("failed", "a"), ("paid", "b"), ("paid", DECIDED), ("failed", "c")], True),
        ([("failed", "a"), ("paid", "b"), ("paid", DECIDED), ("failed", None)], True),
        ([("failed", "a"), ("paid", "b"), ("paid", DECIDED), ("paid", "b")], False),
        ([("failed", "a"), ("paid", "b"), ("paid", DECIDED), ("paid", "c")], False),
        ([("paid", "a"), ("failed", "b"), ("paid", DECIDED), ("paid", "a")], False),
        ([("paid", "a"), ("failed", "b"), ("paid", DECIDED), ("failed", None)], False),  # seen and set aside
        ([("paid", "a"), ("failed", "b"), ("paid", DECIDED), ("failed", "b")], False),
        ([("paid", "a"), ("failed", "b"), ("paid", DECIDED), ("failed", "c")], True),  # said at another time
        ([("paid", "a"), ("failed", "b"), ("paid", DECIDED), ("expired", "b")], True),
        ([("paid", "a"), ("failed", "b"), ("paid", DECIDED), ("failed", "c"), ("failed", "c")], False),
        ([("paid", "a"), ("failed", "b"), ("paid", DECIDED), ("failed", "c"), ("paid", "d"), ("failed", "c")], False),
        ([("paid", "a"), ("failed", "b"), ("paid", DECIDED), ("failed", "c"), ("paid", "d"), ("failed", "b")], True),
        ([("paid", "a"), ("failed", "b"), ("paid", DECIDED), ("waiting_user", None)], True),
    ],
)
def test_a_file_is_a_repeat_unless_it_contradicts_a_later_decision(
    said: list[tuple[Result, str | None]], *, news: bool
) -> None:
    answers = [
        Answer("n", result, FIRST, "oit_1" if file == DECIDED else "bank", file=None if file == DECIDED else file)
        for result, file in said
    ]

    assert repeats(answers[-1], answers[:-1]) is not news


def test_an_answer_that_leaves_out_what_the_last_one_named_adds_nothing(finance: Finance) -> None:
    _, number = settled(finance, "paid")
    named: dict[str, Any] = {"number": number, "result": "failed", "amount_fen": 5_000, "reason": "ACCOUNT_CLOSED"}
    less = [{key: value for key, value in named.items() if key not in left} for left in ({"amount_fen"}, {"reason"})]
    taken = [finance.results(one)[1] for one in (named, *less, {"number": number, "result": "failed"}, named)]

    assert [one["recorded"] for one in taken] == [1, 0, 0, 0, 0]
    assert [one["repeated"] for one in taken] == [0, 1, 1, 1, 1]


@pytest.mark.parametrize("more", [{"reason": "ACCOUNT_CLOSED"}, {"amount_fen": 5_000}])
def test_an_answer_that_names_what_the_last_one_left_out_is_recorded(finance: Finance, more: dict[str, Any]) -> None:
    _, number = settled(finance, "paid")
    said: dict[str, Any] = {"number": number, "result": "failed"}
    taken = [finance.results(one)[1]["recorded"] for one in (said, said | more, said | more)]

    assert taken == [1, 1, 0]


def test_a_reason_stays_with_the_result_that_it_belongs_to(finance: Finance) -> None:
    member = finance.member(1, 5_000)
    finance.sent()
    number = finance.lines()[member]["number"]
    finance.results({"number": number, "result": "failed", "reason": "ACCOUNT_CLOSED"})
    finance.run_steps()
    corrected(finance, number, "paid")
    arrived = finance.lines()[member]
    finance.results({"number": number, "result": "failed", "reason": "RETURNED"})
    finance.results({"number": number, "result": "expired"})
    (item,) = (item for item in every_item() if item.state == "open")
    clear_both(item.id, "was_not_paid")
    back = finance.lines()[member]

    assert (arrived["status"], arrived["reason"]) == ("paid", None)
    assert [(one["before"], one["reason"]) for one in arrived["corrections"]] == [("failed", "ACCOUNT_CLOSED")]
    assert (back["status"], back["reason"]) == ("failed", "RETURNED")
    assert [one["reason"] for one in back["corrections"]] == ["ACCOUNT_CLOSED", None]
    payout = finance.payout()
    assert [one["reason"] for one in payout["corrections"]] == ["ACCOUNT_CLOSED", None]
    assert {one["by"] for one in payout["results_brought"]} == {person("Wang Fang")}  # no item of the two clearings


def test_a_second_correction_is_an_entry_of_its_own(finance: Finance) -> None:
    member, number = settled(finance, "failed")
    corrected(finance, number, "paid")
    corrected(finance, number, "failed")

    assert finance.balance(member) == {"available": 5_000}
    assert {one.id for one in every_transaction() if one.kind == "corrected"} == {
        f"correct.{number}", f"correct.{number}.2",
    }  # fmt: skip
    finance.check_ledger()


def test_a_result_that_is_not_applied_yet_cannot_be_cleared(finance: Finance) -> None:
    member = finance.member(1, 5_000)
    finance.sent()
    number = finance.lines()[member]["number"]
    for result in ("failed", "paid"):
        finance.results({"number": number, "result": result})
    (item,) = every_item()
    clear(item.id, "Li Na", "was_paid")

    assert clear(item.id, "Wang Fang", "was_paid").body["code"] == "RESULT_NOT_APPLIED"

    finance.run_steps()

    assert clear(item.id, "Wang Fang", "was_paid").body["status"] == "cleared"
    assert finance.balance(member) == {"paid": 5_000}


@pytest.mark.parametrize("outcome", ["was_paid", "was_not_paid"])
def test_a_batch_that_waits_for_a_clearing_settles_after_it(finance: Finance, outcome: str) -> None:
    member = finance.member(1, 5_000)
    finance.sent()
    number = finance.lines()[member]["number"]
    for result in ("failed", "paid"):
        finance.results({"number": number, "result": result})
    finance.run_steps()
    waits = finance.payout()["status"]
    (item,) = every_item()
    clear_both(item.id, outcome)
    finance.run_steps()

    assert (waits, finance.payout()["status"]) == ("sending", "settled")
    assert finance.payout()["books"]["closes"]


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
@pytest.mark.parametrize(("first", "then"), [("failed", "paid"), ("paid", "failed")])
def test_a_disturbed_clearing_that_comes_again_books_once(
    finance: Finance, first: str, then: str, mode: faults.Mode
) -> None:
    member, number = settled(finance, first)
    finance.results({"number": number, "result": then})
    (item,) = every_item()
    with faults.watch() as calls:
        clear(item.id, "Li Na", OUTCOME[then])
    for index in range(len(calls) + 8):
        with faults.at(index, mode):
            faults.survive(lambda: clear(item.id, "Wang Fang", OUTCOME[then]))
    done = clear(item.id, "Wang Fang", OUTCOME[then])
    finance.run_steps()

    assert done.body["status"] == "cleared"
    assert finance.balance(member) == ({"paid": 5_000} if then == "paid" else {"available": 5_000})
    assert len([one for one in every_transaction() if one.kind == "corrected"]) == 1
    finance.check_ledger()


@pytest.mark.parametrize(("first", "then"), [("failed", "paid"), ("paid", "failed")])
def test_an_audit_explains_every_correction_by_its_clearing(finance: Finance, first: str, then: str) -> None:
    _, number = settled(finance, first)
    corrected(finance, number, then)
    right = about_transfers()
    stored = LineItem.get("pay_202611", f"line#{number}")
    stored.update([LineItem.corrections.remove()])
    unnamed = about_transfers()

    assert right == set()
    # The line itself says now that it has always been what it is.
    assert (f"ledger/correct.{number}", "unexplained") in unnamed
    assert any(check == "missing" and item.startswith("open-items/") for item, check in unnamed)


def about_transfers() -> set[tuple[str, str]]:
    """What an audit finds. The orders behind the members' money were never placed here."""
    found = {(finding.item, finding.check) for finding in audit_now().findings}
    return {
        (item, check) for item, check in found if not item.startswith(("ledger/accrue.", "ledger/release.", "rewards/"))
    }


@pytest.mark.parametrize(("first", "then"), [("failed", "paid"), ("paid", "failed")])
@pytest.mark.parametrize("decided", ["as_booked", "corrected"])
def test_a_written_report_stays_byte_for_byte_and_the_next_one_names_the_correction(
    finance: Finance, first: str, then: str, decided: str
) -> None:
    _, number = settled(finance, first)
    written = reports()
    again = {document.name: document.content for document in rewritten("pay_202611")}
    finance.results({"number": number, "result": then})
    (item,) = every_item()
    between = {document.name: document.content for document in rewritten("pay_202611")}
    clear_both(item.id, OUTCOME[then if decided == "corrected" else first])
    after = {document.name: document.content for document in rewritten("pay_202611")}
    finance.member(2, 4_000)
    finance.clock.set(FIRST.replace(month=12, day=31))
    finance.tick()
    finance.run_steps()
    finance.approve(NEXT, key="approval-2")
    finance.run_steps()
    finance.results(payout=NEXT, others=True)
    finance.run_steps()
    report = report_of(existing_batch(NEXT, payouts_wiring.payouts()), "B", payouts_wiring.payouts(), payout_ledger())

    assert written == again == between == after == reports()
    assert [(one.number, one.reason) for one in report.findings if one.code == "corrected"] == (
        [(number, f"{first} -> {then}")] if decided == "corrected" else []
    )


def reports() -> dict[str, bytes]:
    """The files of November's report, as they are stored."""
    batch = existing_batch("pay_202611", payouts_wiring.payouts())
    return {file.name: Files("reports").read(file.key) for file in batch.reports}


def rewritten(payout: str) -> list[Document]:
    """The files of a report, made again from what is stored now."""
    batch = existing_batch(payout, payouts_wiring.payouts())
    report = report_of(batch, payouts_wiring.brand(), payouts_wiring.payouts(), payout_ledger())
    return [write(report) for write in payouts_wiring.report_writers()]


def test_a_contradiction_after_the_next_listing_drops_the_line_before_it_is_sent(finance: Finance) -> None:
    member, number = settled(finance, "failed")
    finance.clock.set(FIRST.replace(month=12, day=31))
    finance.tick()
    finance.run_steps()
    listed = finance.lines(NEXT)[member]["status"]
    finance.results({"number": number, "result": "paid"})
    finance.approve(NEXT, key="approval-2")
    finance.run_steps()
    line = finance.lines(NEXT)[member]

    assert (listed, line["status"], line["reason"]) == ("pending", "dropped", "disputed")
    assert finance.balance(member)["available"] == 5_000


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "lose_answer"])
def test_a_disturbed_result_that_comes_again_opens_one_item(finance: Finance, mode: faults.Mode) -> None:
    _, number = settled(finance, "failed")
    paid = {"number": number, "result": "paid"}
    with faults.watch() as calls:
        finance.call("GET", "/v1/payouts")
    for index in range(len(calls), len(calls) + 6):
        with faults.at(index, mode):
            faults.survive(lambda: finance.results(paid))
    finance.results(paid)

    assert len(list(every_item())) == 1
    assert len(payouts_wiring.payouts().answers_of_batch("pay_202611")[number]) == 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("failed", "paid"), True),
        (("paid", "expired"), True),
        (("failed", "expired"), False),
        (("waiting_user", "paid"), False),
        (("paid", "waiting_user"), False),
        (("paid", "failed", "paid", "failed"), False),
    ],
)
def test_only_the_first_answer_of_the_other_kind_contradicts(said: tuple[Result, ...], expected: bool) -> None:
    answers = [Answer("n", result, FIRST, "bank") for result in said]

    assert (contradicted(answers[:-1], answers[-1]) is not None) is expected


@pytest.mark.parametrize("outcome", ["was_paid", "was_not_paid"])
def test_a_failure_that_is_brought_while_a_confirmed_file_is_booked_is_the_first_result(
    finance: Finance, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    member = finance.member(1, 5_000)
    finance.tick()
    finance.run_steps()
    finance.approve()
    finance.run_steps()
    number, store = finance.lines()[member]["number"], type(payouts_wiring.payouts())
    record, brought = store.record_answers, list[str]()

    def meanwhile(self: DynamoPayouts, batch_id: str, answers: Sequence[Answer]) -> int:
        if not brought and answers and answers[0].result == "paid":
            brought.append(number)
            finance.results({"number": number, "result": "failed"})
        return record(self, batch_id, answers)

    monkeypatch.setattr(store, "record_answers", meanwhile)
    finance.results(others=True)
    finance.run_steps()
    (item,) = every_item()

    assert brought == [number]
    assert item.facts["booked"] == "was_not_paid"
    assert finance.lines()[member]["status"] == "failed"
    assert clear_both(item.id, outcome).body["status"] == "cleared"
    assert finance.lines()[member]["status"] == ("paid" if outcome == "was_paid" else "failed")
    assert not [found for found in audit_now().findings if found.item.startswith(("lines/", "open-items/"))]


@pytest.mark.parametrize("outcome", ["was_paid", "was_not_paid"])
def test_a_batch_that_is_cleared_while_it_is_closed_has_one_report(
    finance: Finance, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    member = finance.member(1, 5_000)
    finance.sent()
    number = finance.lines()[member]["number"]
    for result in ("paid", "failed", "paid"):
        finance.results({"number": number, "result": result})
    (item,) = every_item()
    store, done = type(payouts_wiring.payouts()), list[str]()
    replace_batch = store.replace_batch

    def meanwhile(self: DynamoPayouts, batch: Batch) -> Batch:
        if not done and batch.stage == "closed":
            done.append(clear_both(item.id, outcome).body["status"])
        return replace_batch(self, batch)

    monkeypatch.setattr(store, "replace_batch", meanwhile)
    with pytest.raises(ConflictError):
        finance.advance()
    finance.run_steps()

    assert done == ["cleared"]
    assert finance.payout()["status"] == "settled"
    assert {document.name: document.content for document in rewritten("pay_202611")} == reports()
