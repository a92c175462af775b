"""Commands about payouts: `payout report pay_202611`, `payout reconcile pay_202611`, `payout preview`, which only read,
and `payout results pay_202611 FILE` and `payout close pay_202611`, which bring the bank's results and end the retries
as the person of a key."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote
from uuid import uuid4

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from infra.commands import members, operators, staff_api, terminal
from infra.commands.language import language, say, yuan

if TYPE_CHECKING:
    from cardstock.payouts.model import Batch, File
    from cardstock.payouts.report_schemas import Books

_HELP: Final = (
    "Payouts: their reports, their results, and whether their books agree. Where the channel reports each transfer, "
    "what it failed can be retried for three days. A payout by bank file has no such time: it settles when the bank's "
    "results agree, and what the bank failed is paid with the next payout."
)
app = typer.Typer(no_args_is_help=True, help=_HELP)
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
_SHOWN = 50
_LINE_COLUMNS: Final = ("lines", "", "listed", "gross", "tax", "net")
_BOOK_COLUMNS: Final = ("book", "lines", "claimed", "paid", "tax", "returned")
_BOOKS: Final = {"ledger": "账本", "batch": "批次", "channel": "渠道"}
_STATUSES: Final = {
    "opening": "生成中", "open": "待审批", "approved": "已审批", "sending": "发放中",
    "settled": "已结清", "pending": "待发出", "sent": "已发出", "waiting_user": "待收款人确认",
    "paid": "已付", "failed": "失败", "expired": "已过期", "dropped": "未发放",
}  # fmt: skip

_REASONS: Final = {
    "AMOUNT_DIFFERS": ("金额与已发送的不同", "another amount than was sent"),
    "HOLDER_DIFFERS": ("户名与已发送的不同", "another holder than was sent"),
    "ACCOUNT_DIFFERS": ("账号与已发送的不同", "another account than was sent"),
    "TRANSFER_UNKNOWN": ("不是本批次的转账单号", "not a transfer of this payout"),
    "TRANSFER_MISSING": ("缺少该笔结果", "no result for this transfer"),
    "TRANSFER_TWICE": ("转账单号重复", "the transfer stands twice"),
    "RESULT_UNKNOWN": ("无法识别的处理结果", "the result is not understood"),
    "AMOUNT_INVALID": ("金额格式不正确", "this is no amount"),
    "HOLDER_MISSING": ("缺少户名", "the holder is missing"),
    "HEADER_MISSING": ("没有找到表头", "no header was found"),
    "ENCODING": ("编码无法识别（应为 UTF-8 或 GBK）", "neither UTF-8 nor GBK"),
    "NO_ROWS": ("没有数据行", "there are no rows"),
    "CSV": ("不是有效的 CSV", "this is no CSV"),
}  # fmt: skip


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
    from cardstock.payouts import schemas
    from cardstock.payouts import wiring as payouts_wiring

    batch = _batch(payout_id)
    payouts = payouts_wiring.payouts()
    found = schemas.PayoutDetail.of(batch, payouts.lines_of_batch(batch.id), payouts.answers_of_batch(batch.id))
    files = [_file(file) for file in (*batch.drafts, *batch.transfers, *batch.reports)]
    rewritten = _rewritten(batch) if again and batch.status == "settled" else {}
    for file in files:
        if file["name"] in rewritten:
            file["again"] = "same" if rewritten[file["name"]] == file["sha256"] else "differs"
    good = batch.status == "settled" and all(
        file["stored"] == "same" and file.get("again") in (None, "same") for file in files
    )
    if as_json:
        terminal.write_json({**msgspec.to_builtins(found), "files": files, "good": good})
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
    from cardstock.payouts import schemas
    from cardstock.payouts import wiring as payouts_wiring
    from cardstock.payouts.reporting import compare_books

    batch = _batch(payout_id)
    books, pending = compare_books(batch, payouts_wiring.payouts(), paying_out_wiring.payout_ledger())
    view = schemas.PayoutDetail.of(replace(batch, books=books)).books
    assert view is not None
    if as_json:
        values = {"payout_id": batch.id, "status": batch.status, "pending": pending, **msgspec.to_builtins(view)}
        terminal.write_json(values)
    else:
        _show_books(batch, view, pending)
    raise typer.Exit(0 if view.closes else 1)


@app.command()
def results(
    payout_id: str,
    file: Annotated[Path, typer.Argument(help="The CSV that the bank returned: UTF-8 or GBK.")],
    part: Annotated[bool, typer.Option(help="The file answers only some of the transfers.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the bank's results: the same as uploading the file, as the person of the key in CARDSTOCK_KEY.

    That is another person than those who opened and approved the payout. The address is CARDSTOCK_STAFF_API, else that
    of --stack, else http://127.0.0.1:8702. Exit status 1 if it is refused, with each row that differs; nothing is
    recorded then. 2 if nobody knows: bring the file again, a repeat changes nothing.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        operators.stop(f"{file}: {error.strerror or error}")
    status, answer = staff_api.call(
        "POST", f"/v1/payouts/{quote(payout_id, safe='')}/results", content=content, media="text/csv",
        query={"part": "true"} if part else None,
    )  # fmt: skip
    if status >= 500:
        operators.stop(f"HTTP {status} {answer.get('code', '')}".rstrip())
    if as_json:
        terminal.write_json(answer)
    elif status == 202:
        recorded, repeated = answer["recorded"], answer["repeated"]
        terminal.write(
            say(
                f"{payout_id}：记录 {recorded} 笔，重复 {repeated} 笔",
                f"{payout_id}: {recorded} results recorded, {repeated} known before",
            )
        )
    else:
        _show_refusal(answer, content)
    raise typer.Exit(0 if status == 202 else 1)


@app.command()
def close(payout_id: str, as_json: AsJson = False) -> None:
    """End the retries of a payout whose transfers are all final, so that it settles now, not three days later.

    A payout by bank file has no retries to end: it settles by itself.

    It asks the API, with the key in CARDSTOCK_KEY. What failed is paid with the next payout. Exit status 1 if it is
    refused; 2 if nobody knows: close it again, a repeat changes nothing.
    """
    path = f"/v1/payouts/{quote(payout_id, safe='')}/closings"
    status, answer = staff_api.call("POST", path, once=f"close-{uuid4().hex}")
    if status >= 500:
        operators.stop(f"HTTP {status} {answer.get('code', '')}".rstrip())
    if as_json:
        terminal.write_json(answer)
    elif status == 200:
        at, by = answer["retries_ended_at"], answer["retries_ended_by"]
        if at is None:
            terminal.write(say(f"{payout_id}：没有可重试的转账，已结束", f"{payout_id}: it was closed already"))
        else:
            terminal.write(say(f"{payout_id}：{by} 于 {at} 结束重试", f"{payout_id}: {by} ended the retries at {at}"))
    else:
        terminal.write(f"{answer.get('code', '')} {answer.get('detail', '')}".strip())
    raise typer.Exit(0 if status == 200 else 1)


@app.command()
def preview(as_json: AsJson = False) -> None:
    """Show what the next payout would list as of now: count, sum, and who is left out, by reason.

    It asks the API, page by page, with the key in CARDSTOCK_KEY; money that moves meanwhile may be counted twice or not
    at all. Exit status 1 if the API refuses.
    """
    cursor: str | None = None
    while True:
        query = {"limit": "100"} if cursor is None else {"limit": "100", "cursor": cursor}
        status, answer = staff_api.call("GET", "/v1/payouts/preview", query=query)
        if status != 200:
            terminal.write(f"{answer.get('code', status)} {answer.get('detail', '')}".rstrip(), err=True)
            raise typer.Exit(1)
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    shown = {name: value for name, value in answer.items() if name not in ("items", "next_cursor")}
    if as_json:
        terminal.write_json(shown)
        return
    _show_preview(shown)


def _show_refusal(answer: dict[str, Any], content: bytes) -> None:
    """The refusal, and each row that differs, with what stands there."""
    terminal.write(f"{answer.get('code', '')} {answer.get('detail', '')}".strip())
    rows = _rows_of(content)
    for found in answer.get("errors", ()):
        place, code = str(found.get("pointer", "")), str(found.get("code", ""))
        named = place.removeprefix("#row=")
        text = rows.get(int(named), "") if place.startswith("#row=") and named.isdigit() else ""
        where = say(f"第 {named} 行", f"row {named}") if text else place.removeprefix("#transfer=")
        terminal.write(f"  {where}: {_reason(code)}" + (f"  {text}" if text else ""))


def _reason(code: str) -> str:
    return say(*_REASONS[code]) + f" ({code})" if code in _REASONS else code


def _rows_of(content: bytes) -> dict[int, str]:
    """The rows of a file, on one line each, by the number that the refusal names."""
    from cardstock.errors import InvalidError
    from cardstock.payouts.channels.results_file import numbered_rows

    try:
        return {number: " | ".join(cells) for number, cells in numbered_rows(content)}
    except InvalidError:
        return {}


def _show_preview(shown: dict[str, Any]) -> None:
    from cardstock.payouts.wording import REASON

    console = terminal.console()
    console.print(
        say(
            f"账期 {shown['period']}，截至 {shown['as_of']}：将列入 {shown['listed']:,} 人，"
            f"共 {yuan(shown['listed_fen'])} 元；最低 {yuan(shown['minimum_fen'])} 元",
            f"period {shown['period']}, as of {shown['as_of']}: {shown['listed']:,} members would be listed, "
            f"{yuan(shown['listed_fen'])} yuan; from {yuan(shown['minimum_fen'])} yuan",
        ),
        highlight=False,
    )
    if shown["left_out"]:
        table = Table(
            say("未列入原因", "left out because"), say("人数", "members"), say("可提现，元", "available, yuan")
        )
        for reason, total in shown["left_out"].items():
            name = say(*REASON[reason]) if reason in REASON else reason
            table.add_row(name, f"{total['members']:,}", yuan(total["available_fen"]))
        console.print(table)


def _status(status: str) -> str:
    return say(_STATUSES.get(status, status), status)


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
    console = terminal.console()
    console.print(
        say(
            f"{payout['payout_id']}，账期 {payout['period']}：{_status(payout['status'])}；"
            f"发起人 {payout['opened_by']}，审批人 {payout['approved_by'] or '暂无'}",
            f"{payout['payout_id']}, period {payout['period']}: {payout['status']}; opened by {payout['opened_by']}, "
            f"approved by {payout['approved_by'] or 'nobody yet'}",
        ),
        highlight=False,
    )
    for one in payout["results_brought"]:
        console.print(
            say(
                f"{one['by']} 于 {one['at']} 提交了 {one['results']} 笔结果",
                f"{one['by']} brought {one['results']} results at {one['at']}",
            ),
            highlight=False,
        )
    if payout["retries_ended_by"] is not None:
        by, at = payout["retries_ended_by"], payout["retries_ended_at"]
        console.print(say(f"{by} 于 {at} 结束重试", f"{by} ended the retries at {at}"), highlight=False)
    columns = (
        say("明细", "lines"),
        "",
        say("列入", "listed"),
        say("税前", "gross"),
        say("税", "tax"),
        say("税后", "net"),
    )
    sums = Table(*columns, title=say("按状态，元", "yuan, by status"))
    for status, total in payout["totals"].items():
        amounts = (yuan(total[name]) for name in ("listed_fen", "gross_fen", "tax_fen", "net_fen"))
        sums.add_row(_status(status), str(total["lines"]), *amounts)
    if payout["replaced"]["lines"]:
        again = payout["replaced"]
        amounts = (yuan(again[name]) for name in ("listed_fen", "gross_fen", "tax_fen", "net_fen"))
        sums.add_row(say("另：已由重试取代", "beside: replaced"), str(again["lines"]), *amounts)
    console.print(sums)
    for file in files:
        good = file["stored"] == "same" and file.get("again") in (None, "same")
        said = file["stored"] + (f", written again: {file['again']}" if "again" in file else "")
        console.print(f"{'[green]' if good else '[red]'}{said}[/] {file['sha256']} {file['key']}", highlight=False)
    if payout["status"] != "settled":
        until = payout["retry_until"] if payout["retries_ended_at"] is None else None
        if until is not None:
            console.print(
                say(f"失败的转账可重试至 {until}", f"failed transfers can be retried until {until}"), highlight=False
            )
        console.print(
            f"[yellow]{say('尚未结清，报告还没有生成', 'not settled: its report is not written yet')}[/yellow]"
        )


def _show_books(batch: "Batch", books: "Books", pending: int) -> None:
    console = terminal.console()
    columns = ("账", "笔数", "占用", "已付", "税", "退回") if language() == "zh" else _BOOK_COLUMNS
    sums = Table(*columns, title=f"{batch.id}, {_status(batch.status)}: {say('元', 'yuan')}")
    for name in ("ledger", "batch", "channel"):
        book = getattr(books, name)
        amounts = (book.claimed_fen, book.paid_fen, book.tax_fen, book.returned_fen)
        sums.add_row(_BOOKS[name] if language() == "zh" else name, f"{book.lines:,}", *map(yuan, amounts))
    console.print(sums)
    names = members.names_of({found.member_id for found in books.differences[:_SHOWN]})
    for found in books.differences[:_SHOWN]:
        name = names.get(found.member_id, "")
        console.print(
            f"[red]{found.code}[/red] {found.number} {found.member_id} {escape(name)}".rstrip(), highlight=False
        )
        console.print(
            f"  {say('账本', 'ledger ')} {found.ledger}\n  {say('批次', 'payout ')} {found.batch}\n"
            f"  {say('渠道', 'channel')} {found.channel}",
            highlight=False, markup=False,
        )  # fmt: skip
    if len(books.differences) > _SHOWN:
        more = len(books.differences) - _SHOWN
        console.print(say(f"……另有 {more} 项", f"... and {more} more"))
    if pending:
        console.print(say(f"{pending} 笔尚未发出", f"{pending} lines are not sent yet"))
    differ = say(f"{len(books.differences)} 处不符", f"{len(books.differences)} differ")
    agree = say("三本账一致", "the books agree")
    console.print(f"[green]{agree}[/green]" if books.closes else f"[red]{differ}[/red]")
