"""HTTP: what a payout would pay, and its files, for finance."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.partners import wiring as partners_wiring
from cardstock.payouts import schemas as models
from cardstock.payouts import wiring
from cardstock.payouts.reading import existing_batch

api = Api("payout_reports", callers=partners_wiring.callers)


@api.get("/v1/payouts/{payout_id}/report", answer=models.PayoutReport, auth="key", scope="payouts:read",
         codes=(NOT_FOUND,))  # fmt: skip
def read_report(request: Request[Nothing, Nothing]) -> models.PayoutReport:
    """Read a payout's files and its reconciliation.

    The bank file has whole account numbers: it is listed only for keys with `payouts:settle`.
    """
    batch = existing_batch(request.path["payout_id"], wiring.payouts())
    transfers = batch.transfers if "payouts:settle" in request.caller.scopes else ()
    files = ((file, wiring.report_files().link(file.key)) for file in (*transfers, *batch.reports))
    return models.PayoutReport.of(batch, files)


handler = api.handler
connect()
