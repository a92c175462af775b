"""What the main operations cost in counts, beside what they may cost and what they cannot cost less than.

Calls are made one after the other, so their number is the depth. Capacity follows DynamoDB's documented rules, with the
upkeep of indexes. The same code gives the same counts on every machine: `infra/COSTS.md` holds them, a test compares.
"""

from collections.abc import Callable, Iterator, Sequence
from math import ceil

from tests.bench import operations
from tests.bench.costs_document import Row
from tests.bench.operations import Measured

TEAMS = ((10, 2), (10_000, 1_000))
"""Members and levels of the teams in which an order is settled: the costs must be the same."""


def _calls(number: int) -> str:
    return f"{number:,} call" if number == 1 else f"{number:,} calls"


def _cost(cost: Measured) -> str:
    return f"{_calls(len(cost.calls))}, {cost.wcu:g} WCU, {cost.rcu:g} RCU"


def _orders() -> Iterator[Row]:
    cost = operations.place_order()
    within = len(cost.calls) <= 2 and cost.wcu <= 14
    yield Row("Place an order of 3 lines from 2 suppliers", _cost(cost), "2 calls, 14 WCU", "1 call, 12 WCU", within)
    requests = operations.requests_from_cart_to_order()
    yield Row("From an empty cart to an order", f"{requests} requests", "2 requests", "1 request", requests <= 2)


def _payments() -> Iterator[Row]:
    first, again, changed = operations.payment_callback()
    transactions = first.calls.count("dynamodb:TransactWriteItems")
    within = transactions == 1 and len(first.calls) <= 2
    counted = f"{_cost(first)}, {transactions} transaction"
    yield Row("Payment notice", counted, "2 calls, 1 transaction", "1 call", within)
    repeated = f"{_calls(len(again.calls))}, {'an item' if changed else 'no item'} changed"
    yield Row("Payment notice, repeated", repeated, "no item changed", "", not changed)
    charged = operations.charge_under_agreement()
    within = len(charged.calls) <= 7 and charged.wcu <= 10
    yield Row("Charge an order under an agreement", _cost(charged), "7 calls, 10 WCU", "", within)


def _refunds() -> Iterator[Row]:
    asked, sent = operations.refund_unsent_units()
    for name, cost, calls, wcu in (
        ("Request a refund of unsent units", asked, 4, 9),
        ("Send and book a refund", sent, 3, 8),
    ):
        within = cost.calls.count("dynamodb:TransactWriteItems") == 1 and len(cost.calls) <= calls and cost.wcu <= wcu
        yield Row(name, _cost(cost), f"{calls} calls, {wcu} WCU", "", within)


def _settlements() -> Iterator[Row]:
    small = operations.settle(*TEAMS[0])
    for members, depth in TEAMS:
        settled = operations.settle(members, depth)
        team = f"team of {members:,}, {depth:,} levels"
        for name, cost, most in (
            ("Credit 3 people", settled.credit, 16),
            ("Claw back from 3 people", settled.claw, 10),
            ("Release for 3 people", settled.release, 16),
        ):
            one = cost.calls.count("dynamodb:TransactWriteItems") == 1
            within = settled == small and settled.people == 3 and one and len(cost.calls) <= 2 and cost.wcu <= most
            yield Row(f"{name}, {team}", _cost(cost), f"2 calls, {most} WCU", "1 call, 10 WCU", within)


def _nights() -> Iterator[Row]:
    for orders in (6, 12):
        night = operations.release_night(orders)
        each = night.wcu / night.entries
        counted = f"{each:.2f} WCU an entry, {night.counting / orders:g} WCU an order that counts for a role"
        within = night.entries == 3 * orders and each <= 3.5
        yield Row(f"Nightly release of {night.entries} entries", counted, "3.5 WCU an entry", "3.33 WCU", within)


def _payouts() -> Iterator[Row]:
    approved = operations.approve_payout()
    for name, cost, calls, wcu, floor in (
        ("Approve a payout: ask the phone", approved.asked, 7, 3, ""),
        ("Approve a payout: answer on the phone", approved.said, 3, 1, ""),
        ("Approve a payout: approve", approved.approved, 8, 10, "7 calls, 8 WCU without a phone"),
    ):
        within = len(cost.calls) <= calls and cost.wcu <= wcu
        yield Row(name, _cost(cost), f"{calls} calls, {wcu} WCU", floor, within)
    for payees in (99, 198):
        sent = operations.pay_out(payees).sent
        accounts = ceil(payees / 99)
        calls = sum(call.startswith("dynamodb:") for call in sent.calls) - accounts
        files, units = len(sent.calls) - calls, sent.wcu - 2
        counted = f"{_calls(calls)} and {files} for the bank file, {units:,g} WCU and 2 for the batch"
        bound = f"{payees / 20 + 4:g} calls (k/20 + 4), {6 * payees:,} WCU (6k)"
        within = calls <= payees / 20 + 4 and files <= 2 + accounts and units <= 6 * payees
        floor = f"{_calls(ceil(payees / 33) + 2)}, {6 * payees:,} WCU"
        yield Row(f"Send a payout to k = {payees} people", counted, bound, floor, within)


def _views() -> Iterator[Row]:
    answered, consumed = operations.card_views()
    count, each = len(answered.calls), consumed.wcu / 100
    yield Row("Report a card view", _calls(count), "1 call", "1 call", count <= 1)
    yield Row("Count 100 views of 10 cards", f"{each:g} WCU a view", "0.2 WCU", "0.1 WCU", each <= 0.2)


def _products() -> Iterator[Row]:
    found = operations.products()
    for name, title, most, floor in (
        ("page", "Read the page of a product", 1, "1 call"),
        ("ids", "Read 20 products by their ids", 1, "1 call"),
        ("list", "List 20 products", 2, "2 calls"),
    ):
        cost = found[name]
        yield Row(title, _cost(cost), _calls(most), floor, len(cost.calls) <= most and cost.wcu == 0)
    cost = found["publish"]
    yield Row(
        "Publish a product with one SKU", _cost(cost), "3 calls, 6 WCU", "", len(cost.calls) <= 3 and cost.wcu <= 6
    )
    cost = found["same"]
    yield Row("Publish it again unchanged", _cost(cost), "2 calls, 0 WCU", "", len(cost.calls) <= 2 and cost.wcu == 0)
    for title, key, most, wcu in (
        ("Publish a new product with 12 new pictures", "private", 7, 7),
        ("Publish it again with another brand", "public", 5, 6),
    ):
        cost = operations.publishing()[key]
        within = len(cost.calls) <= most and cost.wcu <= wcu
        yield Row(title, _cost(cost), f"{most} calls, {wcu} WCU", "", within)
    cost = found["upkeep"]
    within = len(cost.calls) <= 12 and cost.wcu <= 10
    yield Row("Bring 10 cards up to date after 100 sales", _cost(cost), "12 calls, 10 WCU", "10 WCU", within)
    cost = found["none"]
    within = len(cost.calls) <= 2 and cost.wcu == 0
    yield Row("The same messages again", _cost(cost), "2 calls, 0 WCU", "", within)


def _recommendations() -> Iterator[Row]:
    cost = operations.recommend()
    yield Row("Recommendations for a member", _cost(cost), "2 calls", "1 call, 1 RCU", len(cost.calls) <= 2)


def _searches() -> Iterator[Row]:
    cold, warm = operations.search(10_000)
    name = "A page of a search among 10,000 products"
    yield Row(f"{name}, cold", _cost(cold), "2 calls", "2 calls", len(cold.calls) <= 2)
    yield Row(f"{name}, within 5 s of another", _cost(warm), "1 call", "1 call", len(warm.calls) <= 1)


def _log_ins() -> Iterator[Row]:
    for name, cost in operations.log_ins().items():
        most = operations.MOST_OF_LOG_INS.get(name, 3)
        title = "Refresh a session" if name == "refresh" else f"Log in, {name}"
        yield Row(title, _cost(cost), _calls(most), "1 call" if most == 1 else "", len(cost.calls) <= most)


def _consents() -> Iterator[Row]:
    found = operations.consents()
    for title, key, calls, wcu, floor in (
        ("Agree to a purpose anew", ("recommendations", "agree"), 3, 6, "2 calls"),
        ("Withdraw a purpose, with what was learnt", ("recommendations", "withdraw"), 2, 7, "2 calls"),
        ("Withdraw a purpose, with the bank account", ("bank_account", "withdraw"), 3, 7, "3 calls"),
        ("Repeat a consent", ("recommendations", "repeat"), 1, 0, "1 call"),
    ):
        cost = found[key]
        within = len(cost.calls) <= calls and cost.wcu <= wcu
        yield Row(title, _cost(cost), f"{_calls(calls)}, {wcu} WCU", floor, within)


def _uploads() -> Iterator[Row]:
    found = operations.uploads()
    for title, key, calls, wcu, floor in (
        ("Ask for an upload", "ask", 4, 7, "2 calls, 4 WCU"),
        ("Receive a picture: three sizes", "receive", 9, 2, "8 calls"),
        ("Receive a picture, repeated", "receive again", 3, 0, "2 calls"),
        ("Read an upload, with three links", "read", 2, 0, "1 call"),
        ("Publish a picture", "publish", 5, 1, "5 calls"),
    ):
        cost = found[key]
        within = len(cost.calls) <= calls and cost.wcu <= wcu
        yield Row(title, _cost(cost), f"{_calls(calls)}, {wcu} WCU", floor, within)


def _exports() -> Iterator[Row]:
    for orders, (asked, written) in operations.exports().items():
        if orders == 20:
            within = len(asked.calls) <= 3 and asked.wcu <= 8
            yield Row("Ask for an export", _cost(asked), "3 calls, 8 WCU", "2 calls", within)
        most = orders + 30
        within = len(written.calls) <= most and written.wcu <= 5
        yield Row(f"Write an export of {orders} orders", _cost(written), f"{most} calls (n + 30), 5 WCU", "", within)


def _staff() -> Iterator[Row]:
    found = operations.staff_requests()
    for name in ("by a key", "by a session"):
        cost = found[name]
        within = len(cost.calls) == 1 and cost.wcu == 0
        yield Row(f"Identify a person {name}", _cost(cost), "1 call, 0 WCU", "1 call", within)
    record = found["a goodwill refund"].by_table.get("staff-actions", 0)
    yield Row("Record what a person does", f"{record:g} WCU", "1 WCU", "1 WCU", record == 1)


PARTS: Sequence[Callable[[], Iterator[Row]]] = (
    _orders, _payments, _refunds, _settlements, _nights, _payouts, _views, _products, _recommendations, _searches,
    _log_ins, _staff, _consents, _uploads, _exports,
)  # fmt: skip


def rows() -> list[Row]:
    """Every operation, in the order of the document."""
    return [row for part in PARTS for row in part()]
