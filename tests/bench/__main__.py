"""`make bench`: what the main operations cost, beside what they may cost and what they cannot cost less than.

With `--payees 10000` one payout to so many people instead, in seconds and memory. Exit status 1 if a bound is missed.
"""

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import pytest
from rich.console import Console
from rich.progress import track
from rich.table import Table

import tests.conftest  # noqa: F401  # the environment, before anything reads it
from infra.local import costs


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    operation: str
    measured: str
    must: str
    floor: str
    holds: bool


def _orders() -> Iterator[Row]:
    from tests.bench import operations

    cost = operations.place_order()
    what = "Place an order: 3 lines, 2 suppliers"
    yield Row(what, f"{len(cost.calls)} calls, depth {len(cost.calls)}", "2 calls, depth 2", "1", len(cost.calls) <= 2)
    yield Row("", f"{cost.wcu:g} WCU, {cost.rcu:g} RCU", "14 WCU", "12 WCU", cost.wcu <= 14)
    calls = operations.python_calls_of_an_order(pytest.MonkeyPatch())
    yield Row("", f"{calls} Python calls, warm", "12300", "", calls <= 12_300)
    requests = operations.requests_from_cart_to_order()
    yield Row("Requests from an empty cart to an order", str(requests), "2", "1", requests <= 2)


def _payments() -> Iterator[Row]:
    from tests.bench import operations

    first, again, changed = operations.payment_callback()
    transactions = first.calls.count("dynamodb:TransactWriteItems")
    paid = f"{transactions} transaction, depth {len(first.calls)}"
    holds = transactions == 1 and len(first.calls) <= 2
    yield Row("Payment callback", paid, "1 transaction, depth 2", "1 call", holds)
    yield Row("", f"{first.wcu:g} WCU, {first.rcu:g} RCU", "", "", True)
    repeated = "an item changed" if changed else f"no item changed, {len(again.calls)} call"
    yield Row("  repeated", repeated, "no item changed", "", not changed)


def _settlements() -> Iterator[Row]:
    from tests.bench import operations

    teams = {(10, 2): operations.settle(10, 2), (10_000, 1_000): operations.settle(10_000, 1_000)}
    for (members, depth), settled in teams.items():
        team = f"team of {members}, {depth} deep"
        steps = (
            ("Credit 3 people", settled.credit, 16),
            ("Claw back from 3 people", settled.claw, 10),
            ("Release 3 people", settled.release, 16),
        )
        for name, cost, most in steps:
            found = f"{len(cost.calls)} calls, {cost.wcu:g} WCU, {cost.rcu:g} RCU"
            same = settled == teams[10, 2]
            transactions = cost.calls.count("dynamodb:TransactWriteItems")
            holds = settled.people == 3 and len(cost.calls) <= 2 and transactions == 1 and cost.wcu <= most and same
            yield Row(f"{name}, {team}", found, f"2 calls, {most} WCU, the same", "1 call, 10 WCU", holds)
    for orders in (6, 12):
        night = operations.release_night(orders)
        each = night.wcu / night.entries
        found = f"{each:.2f} WCU an entry; {night.counting / orders:g} for each order that counts for a role"
        holds = night.entries == 3 * orders and each <= 3.5
        yield Row(f"Night that releases {night.entries} entries", found, "3.5 WCU an entry", "3.33 WCU an entry", holds)


def _payouts() -> Iterator[Row]:
    from tests.bench import operations

    for payees in (99, 198):
        sent = operations.pay_out(payees).sent
        calls = sum(call.startswith("dynamodb:") for call in sent.calls)
        files = len(sent.calls) - calls
        what, bound = f"Payout to k = {payees}", payees / 20 + 2
        found = f"{calls} calls, {files} for the bank's file"
        yield Row(what, found, f"k/20 + 2 = {bound:g}", str(ceil(payees / 33) + 2), calls <= bound and files <= 1)
        units = f"{sent.wcu - 1:g} WCU, 1 for the batch"
        yield Row("", units, f"6k = {6 * payees}", f"{6 * payees} WCU", sent.wcu - 1 <= 6 * payees)


def _views() -> Iterator[Row]:
    from tests.bench import operations

    answered, consumed = operations.card_views()
    yield Row("Card view, answered", f"{len(answered.calls)} call", "1 call", "1", len(answered.calls) <= 1)
    each = consumed.wcu / 100
    yield Row("  consumed: 100 views of 10 cards", f"{each:g} WCU a view", "0.2 WCU", "0.1 WCU", each <= 0.2)


def _recommendations() -> Iterator[Row]:
    from tests.bench import operations

    cost = operations.recommend()
    holds = len(cost.calls) <= 2
    yield Row("Recommendation", f"{len(cost.calls)} read, {cost.rcu:g} RCU", "2 reads, depth 1", "1 RCU", holds)


def _imports() -> Iterator[Row]:
    from tests.bench import imports
    from tests.house.cloud import template

    bounds = {function.folder.removeprefix("functions/"): imports.bound(function) for function in template().functions}
    found = imports.ratios(rounds=int(os.environ.get("ROUNDS", "7")))
    for name, ratio in sorted(found.items(), key=lambda pair: -pair[1]):
        yield Row(f"Import {name}", f"{ratio:.2f} x a bare client", f"{bounds[name]} x", "1.0", ratio <= bounds[name])


def _payees() -> int | None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--payees", type=int, metavar="N", help="time a payout to so many people instead")
    wanted: int | None = parser.parse_args().payees
    if wanted is not None and wanted < 1:
        parser.error("a payout needs somebody to pay")
    return wanted


def main() -> int:
    """Print the table."""
    if (payees := _payees()) is not None:
        from tests.bench import large_payout

        return large_payout.main(payees)
    logging.disable(logging.CRITICAL)
    costs.install()
    console = Console()
    if not console.is_terminal:
        console.width = 120
    table = Table("operation", "measured", "must be at most", "floor", "", title="What the main operations cost")
    failed = 0
    parts = (_orders, _payments, _settlements, _payouts, _views, _recommendations, _imports)
    for part in track(parts, description="Counting", console=console, transient=True):
        for row in part():
            failed += not row.holds
            mark = "[green]ok" if row.holds else "[red]missed"
            table.add_row(row.operation, row.measured, row.must, row.floor, mark)
        table.add_section()
    console.print(table)
    console.print("Calls are made one after the other, so their number is the depth. Capacity by DynamoDB's rules.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
