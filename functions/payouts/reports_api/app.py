"""HTTP: what a payout would pay, its transfers and its files, for finance."""

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.flows import callers_wiring, paying_out_wiring
from cardstock.members.wiring import can_verify
from cardstock.payouts import line_schemas, opening_schemas, report_schemas, wiring
from cardstock.payouts.previewing import Position, Preview, next_period, preview_page
from cardstock.payouts.reading import existing_batch

api = Api("payout_reports", callers=callers_wiring.callers)


@api.get("/v1/payouts/preview", query=PageQuery, answer=opening_schemas.PayoutPreview, auth="key", scope="payouts:read")
def preview(request: Request[Nothing, PageQuery]) -> opening_schemas.PayoutPreview:
    """Preview what the next payout would list as of now.

    A page reads at most a thousand balances. Its sums have those of the pages before it: read on until `complete`.
    """
    now = clock.now()
    period = next_period(now, wiring.payouts())
    rules = paying_out_wiring.payout_rules(period)

    def read(limit: int, after: str | None) -> tuple[list[Preview], str | None]:
        position = None if after is None else Position.of(after)
        page = preview_page(period, rules, now, limit, position, paying_out_wiring.preview())
        return [page], None if page.following is None else page.following.text

    (page,), following = read_page(edge_wiring.signer(), f"payout_preview:{period.key}", request.query, read)
    return opening_schemas.PayoutPreview.of(page, following, can_verify=can_verify())


@api.get("/v1/payouts/{payout_id}/lines", query=PageQuery, answer=line_schemas.PayoutLines, auth="key",
         scope="payouts:read", codes=(NOT_FOUND,))  # fmt: skip
def list_lines(request: Request[Nothing, PageQuery]) -> line_schemas.PayoutLines:
    """List the transfers of a payout, by number."""
    batch = existing_batch(request.path["payout_id"], wiring.payouts())
    read = wiring.payouts().line_page
    found, following = read_page(edge_wiring.signer(), f"lines:{batch.id}", request.query, read, batch.id)
    again = wiring.payouts().replacements(found)
    views = [line_schemas.PayoutLine.of(line, again.get(line.number)) for line in found]
    return line_schemas.PayoutLines(views, following)


@api.get("/v1/payouts/{payout_id}/report", answer=report_schemas.PayoutReport, auth="key", scope="payouts:read",
         codes=(NOT_FOUND,))  # fmt: skip
def read_report(request: Request[Nothing, Nothing]) -> report_schemas.PayoutReport:
    """Read a payout's files and its reconciliation.

    The bank file has whole account numbers: it is listed only for keys with `payouts:settle`.
    """
    batch = existing_batch(request.path["payout_id"], wiring.payouts())
    transfers = batch.transfers if "payouts:settle" in request.caller.scopes else ()
    files = ((file, wiring.report_files().link(file.key)) for file in (*batch.drafts, *transfers, *batch.reports))
    return report_schemas.PayoutReport.of(batch, files)


handler = api.handler
connect()
