"""The closing summary of a run: its counts, what is not correct, and the table that ends it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from infra.demo.figures import Figures, yuan

if TYPE_CHECKING:
    from infra.demo.one_run import Demo


SHOWN_ROWS: Final = 8
COMMAND: Final = ".venv/bin/cardstock"
NOTES: Final = "seed.json"
"""File of the state folder with what was seeded: logins, persons, keys and secrets, cards, SKUs."""


def near(path: Path) -> Path:
    """`path` relative to the folder where the command was started, if it is below."""
    return path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path


def refused_lines(rows: Mapping[str, Sequence[int]]) -> Iterator[str]:
    """The refused rows of the file by reason, the most frequent first, with the first of their numbers."""
    for reason, numbers in sorted(rows.items(), key=lambda pair: -len(pair[1])):
        shown = ", ".join(str(number) for number in sorted(numbers)[:SHOWN_ROWS])
        more = f" and {len(numbers) - SHOWN_ROWS:,} more" if len(numbers) > SHOWN_ROWS else ""
        yield f"refused {len(numbers):,} rows: {reason} (row {shown}{more})"


def write_refused(path: Path, rows: Mapping[str, Sequence[int]]) -> None:
    """Write every refused row: its number as a spreadsheet counts, and the reason."""
    found = sorted((number, reason) for reason, numbers in rows.items() for number in numbers)
    path.write_text("row,reason\n" + "".join(f"{number},{reason}\n" for number, reason in found), encoding="utf-8")


def next_lines(state: Path) -> Iterator[str]:
    """The last lines of a run: how to look at what it left."""
    folder = near(state)
    yield from export_lines("http://127.0.0.1:8702", state)
    yield f"look at the books:  {COMMAND} --state {folder} ledger verify"
    yield f"open this state:    make serve STATE={folder}"


def export_lines(staff_api: str, state: Path) -> Iterator[str]:
    """What a terminal needs for the commands that act as a person: the address of the staff API, and a seeded key if
    there is one. The key is read from its file, so that it stands in no terminal."""
    yield f"as a person    export CARDSTOCK_STAFF_API={staff_api}"
    if (state / NOTES).exists():
        read = f'import json; print(json.load(open("{near(state / NOTES)}"))["staff_keys"]["finance"])'
        yield f"               export CARDSTOCK_KEY=\"$(.venv/bin/python -c '{read}')\"  # or compliance"


def summary_of(demo: "Demo", verified: dict[str, Any]) -> dict[str, Any]:
    """The closing table as data; amounts in fen."""
    numbers, data = demo.numbers, demo.data
    pockets: Counter[str] = Counter()
    members = [*demo.guides, *demo.members.values()]
    demo.renew(members)
    for balance in demo.all(demo.balance, members, lambda: None):
        pockets.update(balance)
    totals = demo.payout["totals"]
    paid = totals.get("paid", {"lines": 0, "gross_fen": 0, "tax_fen": 0, "net_fen": 0})
    return {
        "invoices_read": data.invoices,
        "invoices_sold": data.sold_invoices,
        "invoices_refused": dict(data.refused_invoices),
        "rows_read": data.rows,
        "rows_refused": dict(data.refused) | {reason: len(rows) for reason, rows in numbers.unmatched.items()},
        "orders": numbers.orders,
        "supplier_orders": numbers.supplier_orders,
        "sales_fen": numbers.sales_fen,
        "refunds": numbers.refunds,
        "payments": {channel: payments_in(counts) for channel, counts in sorted(numbers.paid.items())},
        "companies": demo.company_books(),
        "members": len(members),
        "logins": dict(Counter(member.platform for member in members)),
        "credit_seconds": round(numbers.credit_seconds, 2),
        "credits_fen": verified["totals_fen"],
        "balances": {
            name: pockets[name] for name in ("frozen_fen", "available_fen", "debt_fen", "paying_fen", "paid_fen")
        },
        "payout": {
            "id": demo.payout["payout_id"],
            "status": demo.payout["status"],
            "lines": sum(total["lines"] for total in totals.values()),
            "paid_lines": paid["lines"],
            "gross_fen": paid["gross_fen"],
            "tax_fen": paid["tax_fen"],
            "net_fen": paid["net_fen"],
            "books_close": demo.payout["books"]["closes"],
        },
        "alarms_lifted": numbers.alarms,
        "ledger_transactions": verified["transactions"],
        "verified": verified["verified"],
    }


def payments_in(counts: Mapping[str, int]) -> dict[str, int]:
    """Orders, their fen and refunds of a channel, as `companies.books` has them."""
    return {name: counts.get(name, 0) for name in ("orders", "paid_fen", "refunds")}


def open_ends(summary: dict[str, Any]) -> list[str]:
    """Sentences on what is not correct; empty if all is."""
    checks = {
        "the ledger does not verify": summary["verified"],
        "the payout is not settled": summary["payout"]["status"] == "settled",
        "the payout's three books differ": summary["payout"]["books_close"],
        "rewards of received orders are still frozen": summary["balances"]["frozen_fen"] == 0,
        "a company's payments or refunds are not the shop's": all(
            summary["payments"].get(channel, payments_in({})) == known
            for channel, known in summary["companies"].items()
        ),
        "messages are in dead-letter queues": not summary["dead_letters"],
        "no order was sold": summary["orders"] > 0,
        "no file was written": bool(summary["files"]),
    }
    return [text for text, good in checks.items() if not good]


def figures_in(summary: dict[str, Any]) -> Figures:
    """This run's values of the figures that are the same in every run."""
    return Figures(**{field.name: summary[field.name] for field in fields(Figures)})


def closing_table(summary: dict[str, Any]) -> Table:
    """The summary as a table."""
    table = Table(show_header=False, title="The main job, from card views to the payout report", title_justify="left")
    table.add_column(no_wrap=True)
    table.add_column()

    def amounts(values: dict[str, int]) -> str:
        return ", ".join(f"{name.removesuffix('_fen')} {yuan(fen)}" for name, fen in values.items())

    payout = summary["payout"]
    for name, text in figures_in(summary).lines():
        table.add_row(name, text)
    table.add_row("logins", ", ".join(f"{count} on {name}" for name, count in sorted(summary["logins"].items())))
    table.add_row(
        "payments",
        "\n".join(
            f"{channel}: {one['orders']} orders, {yuan(one['paid_fen'])} yuan, {one['refunds']} refunds"
            + (", and so says the company on this machine" if channel in summary["companies"] else "")
            for channel, one in summary["payments"].items()
        ),
    )
    table.add_row("crediting", f"rewards were visible {summary['credit_seconds']} s after a payment")
    table.add_row("rewards (yuan)", amounts(summary["credits_fen"]))
    table.add_row("balances (yuan)", amounts(summary["balances"]))
    table.add_row(
        "compliance", f"payouts of {summary['alarms_lifted']} subtrees were stopped; two people lifted each alarm"
    )
    table.add_row(
        f"payout {payout['id']}",
        f"{payout['status']}; {payout['paid_lines']} of {payout['lines']} lines paid: "
        f"gross {yuan(payout['gross_fen'])}, tax {yuan(payout['tax_fen'])}, net {yuan(payout['net_fen'])}",
    )
    table.add_row(
        "ledger", f"{summary['ledger_transactions']:,} transactions, verified: {str(summary['verified']).lower()}"
    )
    table.add_row(
        "cost per order",
        f"{summary['aws_calls_per_order']} AWS calls, {summary['wcu_per_order']} WCU, {summary['rcu_per_order']} RCU, "
        "from the card view to the receipt, with the queue functions and nights up to then",
    )
    for shelf in summary["recommendations"]:
        items = "; ".join(f"{item['title'].title()} ({item['reason']})" for item in shelf["items"])
        table.add_row(f"for {shelf['member']}", items)
    table.add_row("seconds", str(summary["seconds"]))
    table.add_row("files", "\n".join(summary["files"]))
    return table
