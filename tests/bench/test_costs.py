"""What the main operations cost must stay within what was promised. Counts only: no time is asserted."""

import pytest

from tests.bench import costs_document, counts, operations
from tests.bench.operations import Settled


def test_placing_an_order_of_three_lines_from_two_suppliers_is_one_read_and_one_transaction() -> None:
    cost = operations.place_order()

    assert cost.calls == ("dynamodb:BatchGetItem", "dynamodb:TransactWriteItems")
    assert 12 <= cost.wcu <= 14


@pytest.mark.engine
def test_a_warm_order_takes_no_more_python_calls_than_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 3_000 < operations.python_calls_of_an_order(monkeypatch) <= 12_300


def test_a_client_needs_two_requests_from_an_empty_cart_to_a_placed_order() -> None:
    assert operations.requests_from_cart_to_order() <= 2


def test_a_payment_is_one_transaction_and_its_repeat_changes_no_item() -> None:
    first, again, changed = operations.payment_callback()

    assert first.calls == ("dynamodb:GetItem", "dynamodb:TransactWriteItems")
    assert "dynamodb:TransactWriteItems" not in again.calls
    assert again.wcu == 0
    assert not changed


def test_a_charge_under_an_agreement_is_two_transactions() -> None:
    charged = operations.charge_under_agreement()

    assert charged.calls.count("dynamodb:TransactWriteItems") == 2
    assert len(charged.calls) <= 7


def test_a_person_is_identified_by_one_read_and_an_action_leaves_one_small_record() -> None:
    found = operations.staff_requests()

    assert [found[name].calls for name in ("by a key", "by a session")] == [("dynamodb:BatchGetItem",)] * 2
    assert found["a goodwill refund"].by_table["staff-actions"] == 1


@pytest.fixture(scope="module")
def small_team() -> Settled:
    return operations.settle(members=10, depth=2)


def test_settling_for_three_people_takes_at_most_two_calls_and_sixteen_units(small_team: Settled) -> None:
    assert small_team.people == 3
    for cost in (small_team.credit, small_team.claw, small_team.release):
        assert len(cost.calls) <= 2
        assert cost.calls.count("dynamodb:TransactWriteItems") == 1
        assert 0 < cost.wcu <= 16
    assert small_team.claw.wcu <= 10


def test_a_night_costs_the_same_for_each_entry_when_entries_double() -> None:
    night, double = operations.release_night(6), operations.release_night(12)

    assert (night.entries, double.entries) == (18, 36)
    assert night.wcu / night.entries <= 3.5
    assert double.wcu / double.entries <= night.wcu / night.entries


def test_settling_costs_the_same_in_a_team_of_ten_thousand_a_thousand_deep(small_team: Settled) -> None:
    large_team = operations.settle(members=10_000, depth=1_000)

    assert large_team == small_team


def test_a_view_is_answered_after_one_call_and_a_batch_of_a_hundred_costs_a_tenth_of_a_unit_each() -> None:
    answered, consumed = operations.card_views()

    assert answered.calls == ("sqs:SendMessage",)
    assert 0 < consumed.wcu / 100 <= 0.2


def test_a_recommendation_is_one_read_after_that_of_the_consent() -> None:
    cost = operations.recommend()

    assert cost.calls == ("dynamodb:BatchGetItem",) * 2
    assert 0 < cost.rcu - 1 <= 2  # the consent is read consistently
    assert cost.wcu == 0


def test_a_first_page_of_a_search_takes_two_reads_and_the_next_one_within_seconds_one() -> None:
    cold, warm = operations.search(10_000)

    assert cold.calls == ("s3:GetObject", "dynamodb:BatchGetItem")
    assert warm.calls == ("dynamodb:BatchGetItem",)
    assert (cold.wcu, warm.wcu) == (0, 0)
    assert cold.rcu == warm.rcu <= 10


@pytest.mark.engine
def test_a_first_page_of_a_search_calls_at_most_forty_thousand_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert operations.python_calls_of_a_search(10_000, monkeypatch) <= 40_000


def test_a_log_in_takes_three_calls_at_most_unless_its_number_is_another_member_s() -> None:
    found = operations.log_ins()
    calls = {name: len(cost.calls) for name, cost in found.items()}

    assert calls == {
        "newcomer": 2,
        "newcomer with invite": 2,
        "newcomer with number and a card's invite": 3,
        "known": 3,
        "known, with number and a card's invite": 3,
        "known, on one device too many": 3,
        "new account that joins the member of its number": 8,
        "newcomer who takes a number from a member": 4,
        "refresh": 1,
    }
    assert all(cost.calls[-1] == "dynamodb:TransactWriteItems" for cost in found.values())


def test_a_consent_is_one_read_and_one_write_and_agreeing_anew_counts() -> None:
    read, count, write = "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:TransactWriteItems"
    found = operations.consents()

    # Two units the member, two the record of what was said, and one the record's index; what is deleted with it.
    for purpose, deleted in operations.DELETED_WITH_CONSENT.items():
        withdrawn, agreed, repeated = (found[purpose, what] for what in ("withdraw", "agree", "repeat"))
        assert withdrawn.calls == ((read, read, write) if deleted == "bank-accounts" else (read, write))
        assert withdrawn.by_table == {"members": 5} | ({deleted: 2} if deleted else {})
        assert (agreed.calls, agreed.by_table) == ((read, count, write), {"requests": 1, "members": 5})
        assert (repeated.calls, repeated.wcu) == ((read,), 0)


def test_an_approval_takes_one_read_and_one_write_more_for_its_phone() -> None:
    found = operations.approve_payout()
    read, put, batch = "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:BatchGetItem"

    # Key and person, the record of the action, the first answer (read and stored), the payout, the transaction with the
    # request, the next step; and for the phone the person with the confirmation.
    assert sorted(found.approved.calls) == [
        batch, batch, read, read, put, put, "dynamodb:TransactWriteItems", "sqs:SendMessage",
    ]  # fmt: skip
    assert found.approved.by_table["confirmations"] == 2
    # Asking reads the same and stores the question; nothing was done, so that the record of the action goes.
    assert sorted(found.asked.calls) == [batch, batch, "dynamodb:DeleteItem", read, read, put, put]
    assert found.asked.by_table == {"confirmations": 1, "staff-actions": 2}
    # The phone: its member with the session, the person with the confirmation, the answer.
    assert sorted(found.said.calls) == [batch, batch, "dynamodb:UpdateItem"]


def test_a_payout_takes_two_calls_beside_one_for_twenty_payees_and_six_units_for_each_of_them() -> None:
    small, large = operations.pay_out(99), operations.pay_out(198)

    # The bank's file is a call to S3, the key of the accounts, and a read of every 99; two units are the batch's
    # own. A call a run finds the other batches that have payments of the same month of tax.
    assert small.sent.calls.count("s3:PutObject") == 1
    assert len(small.sent.calls) - 3 <= 99 / 20 + 4
    assert len(large.sent.calls) - 4 <= 198 / 20 + 4
    assert (small.sent.wcu, large.sent.wcu) == (6 * 99 + 2, 6 * 198 + 2)
    # Opening reads and lists ninety at a time, and the draft reads them again with their last payout; a report reads
    # each one's statement, and bookings by the hundred.
    assert len(large.opened.calls) - len(small.opened.calls) <= 6 * 99 / 90 + 1
    assert len(large.settled.calls) - len(small.settled.calls) <= 1.2 * 99
    assert small.invocations == large.invocations == (1, 1, 1)


@pytest.mark.timeout(300)
def test_the_document_of_costs_holds_what_is_counted() -> None:
    """`.venv/bin/python -m tests.bench --counts` writes it."""
    rows = counts.rows()
    written = costs_document.block(costs_document.PATH.read_text("utf-8"), "counts")

    assert [row.operation for row in rows if not row.within] == []
    assert written == costs_document.counts_table(rows)
