"""HTTP: payouts, for finance."""

from functools import partial

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.flows import paying_out_wiring
from cardstock.partners import wiring as partners_wiring
from cardstock.payouts import schemas as models
from cardstock.payouts import wiring
from cardstock.payouts.approval import Approval, approve_batch
from cardstock.payouts.opening import Opener, open_by_hand
from cardstock.payouts.reading import existing_batch, totals
from cardstock.payouts.results import confirm_all, record_results, retry_line
from cardstock.staff import wiring as staff_wiring

api = Api("payouts", callers=partners_wiring.callers)


@api.get("/v1/payouts", query=PageQuery, answer=models.PayoutList, auth="key", scope="payouts:read")
def list_payouts(request: Request[Nothing, PageQuery]) -> models.PayoutList:
    """List payouts, newest period first."""
    found, following = read_page(edge_wiring.signer(), "payouts", request.query, wiring.payouts().batch_page)
    return models.PayoutList([models.Payout.of(batch) for batch in found], following)


@api.post("/v1/payouts", body=models.OpenPayout, answer=models.Payout, status=201, auth="key", scope="payouts:open",
          idempotent=True, codes=models.OPENING_CODES)  # fmt: skip
def open_payout(request: Request[models.OpenPayout, Nothing]) -> Answer:
    """Open the payout of the last month, if the schedule has not.

    There is one a month: every call returns the same payout. Another person has to approve it.
    """
    opener = Opener(request.caller.actor, request.caller.name)
    keep = partial(wiring.keep_request, request.key)
    opened = open_by_hand(request.body.period, opener, paying_out_wiring.payout_rules, keep, wiring.payouts())
    wiring.request_step(opened.made.id)
    return Answer(models.Payout.of(opened.made), replayed=opened.replayed)


@api.get("/v1/payouts/{payout_id}", answer=models.PayoutDetail, auth="key", scope="payouts:read", codes=(NOT_FOUND,))
def read_payout(request: Request[Nothing, Nothing]) -> models.PayoutDetail:
    """Read a payout with the sums of its lines."""
    batch = existing_batch(request.path["payout_id"], wiring.payouts())
    return models.PayoutDetail.of(batch, totals(wiring.payouts().lines_of_batch(batch.id)))


@api.get("/v1/payouts/{payout_id}/lines", query=PageQuery, answer=models.PayoutLines, auth="key",
         scope="payouts:read", codes=(NOT_FOUND,))  # fmt: skip
def list_lines(request: Request[Nothing, PageQuery]) -> models.PayoutLines:
    """List the transfers of a payout, by number."""
    batch = existing_batch(request.path["payout_id"], wiring.payouts())
    read = wiring.payouts().line_page
    found, following = read_page(edge_wiring.signer(), f"lines:{batch.id}", request.query, read, batch.id)
    return models.PayoutLines([models.PayoutLine.of(line) for line in found], following)


@api.post("/v1/payouts/{payout_id}/approvals", body=models.Approve, answer=models.Payout, auth="key",
          scope="payouts:approve", idempotent=True, codes=models.APPROVAL_CODES)  # fmt: skip
def approve(request: Request[models.Approve, Nothing]) -> Answer:
    """Approve a payout.

    By another person than the one who opened it. Sending starts within moments. A second approval changes nothing.
    """
    can_approve = partial(staff_wiring.can_approve, request.caller.person_id)
    approval = Approval(request.caller.actor, request.caller.name, request.body.note, can_approve)
    approved = approve_batch(request.path["payout_id"], approval, request.key, wiring.payouts())
    wiring.request_step(approved.made.id)
    return Answer(models.Payout.of(approved.made), replayed=approved.replayed)


@api.post("/v1/payouts/{payout_id}/results", body=models.BringResults, answer=models.TakenResults, status=202,
          auth="key", scope="payouts:settle", codes=models.RESULT_CODES)  # fmt: skip
def bring_results(request: Request[models.BringResults, Nothing]) -> models.TakenResults:
    """Upload the bank's results.

    A repeated result changes nothing. One that contradicts an earlier one is recorded and never applied; the payout
    stays open until the first result is confirmed by uploading it again. A wrong amount is corrected by uploading the
    result with the right `amount_fen`.
    """
    payout_id, actor = request.path["payout_id"], request.caller.actor
    answers = request.body.answers(actor, clock.now())
    brought = record_results(payout_id, answers, wiring.payouts())
    if request.body.all_others_paid:
        confirm_all(payout_id, actor, wiring.payouts())
    wiring.request_step(payout_id)
    return models.TakenResults.of(payout_id, brought)


@api.post("/v1/payouts/{payout_id}/lines/{number}/retries", answer=models.PayoutLine, status=202, auth="key",
          scope="payouts:approve", idempotent=True, codes=models.RETRY_CODES)  # fmt: skip
def retry(request: Request[Nothing, Nothing]) -> Answer:
    """Retry a transfer under a new number.

    Only after the channel itself said that it failed or was cancelled, and before the payout and its period are over. A
    bank file has no such channel: what the bank failed is paid with the next period's payout.
    """
    payout_id = request.path["payout_id"]
    retried = retry_line(payout_id, request.path["number"], request.caller.actor, request.key, wiring.payouts())
    wiring.request_step(payout_id)
    return Answer(models.PayoutLine.of(retried.made), replayed=retried.replayed)


@api.get("/v1/payouts/{payout_id}/report", answer=models.PayoutReport, auth="key", scope="payouts:read",
         codes=(NOT_FOUND,))  # fmt: skip
def read_report(request: Request[Nothing, Nothing]) -> models.PayoutReport:
    """Read a payout's files and its reconciliation."""
    batch = existing_batch(request.path["payout_id"], wiring.payouts())
    files = ((file, wiring.report_files().link(file.key)) for file in (*batch.transfers, *batch.reports))
    return models.PayoutReport.of(batch, files)


handler = api.handler
connect()
