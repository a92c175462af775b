"""HTTP: payouts, for finance."""

from functools import partial

from cardstock import clock
from cardstock.aws.requests import DynamoAnswers
from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request, nobody
from cardstock.errors import NOT_FOUND
from cardstock.flows import callers_wiring, paying_out_wiring
from cardstock.flows.concerned_wiring import payee_of_line
from cardstock.payouts import line_schemas, schemas, wiring
from cardstock.payouts import opening_schemas as opening
from cardstock.payouts import result_schemas as results
from cardstock.payouts.approval import Approval, approve_batch
from cardstock.payouts.bringing import Bringer, bring_results
from cardstock.payouts.opening import Opener, open_by_hand
from cardstock.payouts.reading import answers_of, existing_batch
from cardstock.payouts.retrying import end_retries, retry_line
from cardstock.staff import wiring as staff_wiring
from cardstock.staff.errors import CONFIRMING

api = Api("payouts", callers=callers_wiring.callers, staff=callers_wiring.staff_record, answers=DynamoAnswers)


@api.get("/v1/payouts", query=PageQuery, answer=schemas.PayoutList, auth="key", scope="payouts:read")
def list_payouts(request: Request[Nothing, PageQuery]) -> schemas.PayoutList:
    """List payouts, newest period first."""
    found, following = read_page(edge_wiring.signer(), "payouts", request.query, wiring.payouts().batch_page)
    return schemas.PayoutList([schemas.Payout.of(batch) for batch in found], following)


@api.post("/v1/payouts", body=opening.OpenPayout, answer=schemas.Payout, status=201, auth="key", concerns=nobody,
          scope="payouts:open", idempotent=True, first_answer="stored", codes=opening.OPENING_CODES)  # fmt: skip
def open_payout(request: Request[opening.OpenPayout, Nothing]) -> Answer:
    """Open the payout of the last month, if the schedule has not.

    There is one a month: every call returns the same payout. Another person has to approve it.
    """
    opener, keep = Opener(request.caller.actor, request.caller.name), partial(wiring.keep_request, request.key)
    opened = open_by_hand(request.body.period, opener, paying_out_wiring.payout_rules, keep, wiring.payouts())
    wiring.request_step(opened.made.id)
    return Answer(schemas.Payout.of(opened.made), replayed=opened.replayed)


@api.get("/v1/payouts/{payout_id}", answer=schemas.PayoutDetail, auth="key", scope="payouts:read", codes=(NOT_FOUND,))
def read_payout(request: Request[Nothing, Nothing]) -> schemas.PayoutDetail:
    """Read a payout with the sums of its lines, who brought results, and what was contradicted and corrected."""
    batch = existing_batch(request.path["payout_id"], wiring.payouts())
    lines, answers = wiring.payouts().lines_of_batch(batch.id), answers_of(batch, wiring.payouts())
    return schemas.PayoutDetail.of(batch, lines, answers)


@api.post("/v1/payouts/{payout_id}/approvals", body=opening.Approve, answer=schemas.Payout, auth="key", concerns=nobody,
          scope="payouts:approve", idempotent=True, first_answer="stored",
          codes=opening.APPROVAL_CODES + CONFIRMING)  # fmt: skip
def approve(request: Request[opening.Approve, Nothing]) -> Answer:
    """Approve a payout.

    By another person than the opener, whose phone confirms sum and count first. A second approval changes nothing.
    """
    asked, caller, two = request.body, request.caller, staff_wiring.approving(request.caller)
    approval = Approval(caller.actor, caller.name, asked.note, asked.lines, asked.listed_fen, *two)
    approved = approve_batch(request.path["payout_id"], approval, request.key, wiring.payouts())
    wiring.request_step(approved.made.id)
    return Answer(schemas.Payout.of(approved.made), replayed=approved.replayed)


@api.post("/v1/payouts/{payout_id}/results", body=results.BringResults, query=results.ResultsQuery,
          answer=results.TakenResults, status=202, auth="key", concerns=nobody, scope="payouts:settle",
          codes=results.RESULT_CODES, files=("text/csv", "application/octet-stream"))  # fmt: skip
def take_results(request: Request[results.BringResults, results.ResultsQuery]) -> results.TakenResults:
    """Upload the bank's results, as JSON or as the CSV file that the bank returns.

    By another person than those who opened and approved the payout. Holder, amount, count and sum must be those of the
    file that was sent; otherwise nothing is recorded, and `errors` names what differs. A CSV (UTF-8 or GBK) answers
    every transfer, unless `part=true`; rows that differ or are not understood are named as `#row=7`. A repeat changes
    nothing. A contradicting result is recorded and not applied: it opens an item that two persons clear. Where the
    channel answers for each transfer, nobody else says that one failed.
    """
    payout_id, actor, now = request.path["payout_id"], request.caller.actor, clock.now()
    said = (wiring.read_results(request.raw, actor, now, whole=not request.query.part) if request.file
            else request.body.brought(actor, now))  # fmt: skip
    is_second = partial(staff_wiring.can_approve, request.caller.person_id)
    brought = bring_results(payout_id, said, Bringer(actor, is_second), wiring.payouts())
    wiring.request_step(payout_id)
    return results.TakenResults.of(payout_id, brought)


@api.post("/v1/payouts/{payout_id}/lines/{number}/retries", answer=line_schemas.PayoutLine, status=202, auth="key",
          scope="payouts:approve", concerns=payee_of_line, idempotent=True, first_answer="stored",
          codes=line_schemas.RETRY_CODES)  # fmt: skip
def retry(request: Request[Nothing, Nothing]) -> Answer:
    """Retry a transfer under a new number.

    Only after the channel itself said that it failed or was cancelled, until the payout's `retry_until`, and before its
    period is over. A bank file has no such channel: what the bank failed is paid with the next period's payout.
    """
    payout_id = request.path["payout_id"]
    retried = retry_line(payout_id, request.path["number"], request.caller.actor, request.key, wiring.payouts())
    wiring.request_step(payout_id)
    return Answer(line_schemas.PayoutLine.of(retried.made), replayed=retried.replayed)


@api.post("/v1/payouts/{payout_id}/closings", answer=schemas.Payout, auth="key", concerns=nobody,
          scope="payouts:settle", idempotent=True, first_answer="stored", codes=line_schemas.CLOSING_CODES)  # fmt: skip
def close(request: Request[Nothing, Nothing]) -> Answer:
    """End the retries of a payout, so that it settles now.

    What failed is paid with the next payout. Refused while a transfer has no final result. Repeats change nothing.
    """
    ended = end_retries(request.path["payout_id"], request.caller.actor, request.key, wiring.payouts())
    wiring.request_step(ended.made.id)
    return Answer(schemas.Payout.of(ended.made), replayed=ended.replayed)


handler = api.handler
connect()
