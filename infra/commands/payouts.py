"""Commands about payouts: `payout report pay_202611`, `payout reconcile pay_202611`. They only read."""

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from infra.commands import operators

if TYPE_CHECKING:
    from cardstock.payouts.model import Batch, File
    from cardstock.payouts.schemas import Books

app = typer.Typer(no_args_is_help=True, help="Payouts: their reports, and whether their books agree.")
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
_SHOWN = 50


@app.command()
def report(
    payout_id: str,
    as_json: AsJson = False,
    again: Annotated[bool, typer.Option(help="Write the report once more, in memory, and compare every byte.")] = False,
) -> None:
    """Show a payout, the sums of its lines and its files, and check that each file is what was recorded.

    Exit status 1 if the payout is not settled, or if a file is missing or another one; 2 for a payout that does not
    exist.
    """
    operators.need_tables()
    from cardstock.payouts import schemas as models
    from cardstock.payouts import wiring as payouts_wiring
    from cardstock.payouts.reading import totals

    batch = _batch(payout_id)
    found = models.PayoutDetail.of(batch, totals(payouts_wiring.payouts().lines_of_batch(batch.id)))
    files = [_file(file) for file in (*batch.transfers, *batch.reports)]
    rewritten = _rewritten(batch) if again and batch.status == "settled" else {}
    for file in files:
        if file["name"] in rewritten:
            file["again"] = "same" if rewritten[file["name"]] == file["sha256"] else "differs"
    good = batch.status == "settled" and all(
        file["stored"] == "same" and file.get("again") in (None, "same") for file in files
    )
    if as_json:
        print(json.dumps({**msgspec.to_builtins(found), "files": files, "good": good}, ensure_ascii=False, indent=1))
    else:
        _show_report(msgspec.to_builtins(found), files)
    raise typer.Exit(0 if good else 1)


@app.command()
def reconcile(payout_id: str, as_json: AsJson = False) -> None:
    """Compare ledger, payout and channel, transfer by transfer, as they are at this moment.

    Exit status 1 if they differ, with each line that does and what each book says of it; a line in flight, which the
    channel has not answered, differs too. 2 for a payout that does not exist.
    """
    operators.need_tables()
    from msgspec.structs import replace

    from cardstock.flows import paying_out_wiring
    from cardstock.payouts import schemas as models
    from cardstock.payouts import wiring as payouts_wiring
    from cardstock.payouts.reporting import compare_books

    batch = _batch(payout_id)
    books, pending = compare_books(batch, payouts_wiring.payouts(), paying_out_wiring.payout_ledger())
    view = models.PayoutDetail.of(replace(batch, books=books)).books
    assert view is not None
    if as_json:
        values = {"payout_id": batch.id, "status": batch.status, "pending": pending, **msgspec.to_builtins(view)}
        print(json.dumps(values, ensure_ascii=False, indent=1))
    else:
        _show_books(batch, view, pending)
    raise typer.Exit(0 if view.closes else 1)


def _batch(payout_id: str) -> "Batch":
    from cardstock.payouts import wiring as payouts_wiring

    batch = payouts_wiring.payouts().find_batch(payout_id)
    if batch is None:
        operators.stop(f"there is no payout {payout_id}")
    return batch


def _file(file: "File") -> dict[str, Any]:
    """A file as it was recorded, and whether that is what is stored."""
    from cardstock import environment
    from cardstock.aws.files import Files
    from cardstock.errors import NotFoundError

    try:
        content = Files(environment.text("REPORTS_BUCKET")).read(file.key)
        stored = "same" if hashlib.sha256(content).hexdigest() == file.sha256 else "differs"
    except NotFoundError:
        stored = "missing"
    return {**msgspec.to_builtins(file), "stored": stored}


def _rewritten(batch: "Batch") -> dict[str, str]:
    """Name and hash of every file that the stored books give now."""
    from cardstock.flows import paying_out_wiring
    from cardstock.payouts import wiring as payouts_wiring
    from cardstock.payouts.reporting import report_of

    made = report_of(batch, payouts_wiring.brand(), payouts_wiring.payouts(), paying_out_wiring.payout_ledger())
    documents = [write(made) for write in payouts_wiring.report_writers()]
    return {document.name: hashlib.sha256(document.content).hexdigest() for document in documents}


def _show_report(payout: dict[str, Any], files: list[dict[str, Any]]) -> None:
    console = Console()
    console.print(
        f"{payout['payout_id']}, period {payout['period']}: {payout['status']}; opened by {payout['opened_by']}, "
        f"approved by {payout['approved_by'] or 'nobody yet'}",
        highlight=False,
    )
    sums = Table("lines", "", "listed", "gross", "tax", "net", title="fen, by status")
    for status, total in payout["totals"].items():
        amounts = (f"{total[name]:,}" for name in ("listed_fen", "gross_fen", "tax_fen", "net_fen"))
        sums.add_row(status, str(total["lines"]), *amounts)
    console.print(sums)
    for file in files:
        good = file["stored"] == "same" and file.get("again") in (None, "same")
        said = file["stored"] + (f", written again: {file['again']}" if "again" in file else "")
        console.print(f"{'[green]' if good else '[red]'}{said}[/] {file['sha256']} {file['key']}", highlight=False)
    if payout["status"] != "settled":
        console.print("[yellow]not settled: its report is not written yet[/yellow]")


def _show_books(batch: "Batch", books: "Books", pending: int) -> None:
    console = Console()
    sums = Table("book", "lines", "claimed", "paid", "tax", "returned", title=f"{batch.id}, {batch.status}: fen")
    for name in ("ledger", "batch", "channel"):
        book = getattr(books, name)
        amounts = (book.lines, book.claimed_fen, book.paid_fen, book.tax_fen, book.returned_fen)
        sums.add_row(name, *(f"{amount:,}" for amount in amounts))
    console.print(sums)
    for found in books.differences[:_SHOWN]:
        console.print(f"[red]{found.code}[/red] {found.number} {found.member_id}", highlight=False)
        console.print(
            f"  ledger  {found.ledger}\n  payout  {found.batch}\n  channel {found.channel}",
            highlight=False, markup=False,
        )  # fmt: skip
    if len(books.differences) > _SHOWN:
        console.print(f"... and {len(books.differences) - _SHOWN} more")
    if pending:
        console.print(f"{pending} lines are not sent yet")
    console.print("[green]the books agree[/green]" if books.closes else f"[red]{len(books.differences)} differ[/red]")
