"""HTTP: a member's balance, statement, explanations and withdrawals."""

from collections.abc import Sequence

from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.flows import books_wiring
from cardstock.flows.explaining_schemas import Explanation
from cardstock.ledger import schemas as models
from cardstock.ledger import wiring as ledger_wiring
from cardstock.ledger.standing import standing
from cardstock.partners import wiring as partners_wiring
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.lines import Line
from cardstock.payouts.reading import withdrawals
from cardstock.payouts.withdrawal_schemas import PageOfWithdrawals, Withdrawals

api = Api("commissions", callers=partners_wiring.callers)


@api.get("/v1/me/balance", answer=models.BalanceView, auth="member")
def get_balance(request: Request[Nothing, Nothing]) -> models.BalanceView:
    """Read the member's balance, and the cause of each debt."""
    balance, debts = standing(request.caller.id, books=ledger_wiring.books(), statements=ledger_wiring.statements())
    return models.BalanceView.of(balance, debts, request.language)


@api.get("/v1/me/commissions", query=models.StatementQuery, answer=models.StatementPage, auth="member")
def list_commissions(request: Request[Nothing, models.StatementQuery]) -> models.StatementPage:
    """List the changes of the member's money, newest first.

    An entry appears within seconds of its step; the balance is always exact.
    """
    member_id, period = request.caller.id, request.query.period
    since, until = models.month_of(period)
    listed, read_lines = f"commissions:{member_id}:{period}", ledger_wiring.statements().lines_of_member
    lines, following = read_page(edge_wiring.signer(), listed, request.query, read_lines, member_id, since, until)
    return models.StatementPage.of(lines, following, request.language)


@api.get("/v1/me/commissions/{order_id}", answer=Explanation, auth="member", codes=(NOT_FOUND,))
def explain_commission(request: Request[Nothing, Nothing]) -> Explanation:
    """Explain the member's rewards on one order: rule, edge, role, rate, limits, refunds, what would change them.

    For the member's own orders, and all in whose referral chain the member was, rewarded or not: `missing` has the
    reason for each reward that the member did not get.
    """
    from cardstock.flows.explaining import explain_rewards  # an eighth of a cold start: only for this call

    explained = explain_rewards(request.path["order_id"], request.caller.id, books_wiring.explaining())
    return Explanation.of(explained, request.language)


@api.get("/v1/me/withdrawals", query=PageOfWithdrawals, answer=Withdrawals, auth="member")
def list_withdrawals(request: Request[Nothing, PageOfWithdrawals]) -> Withdrawals:
    """List the member's payments, newest period first, and why the newest payout has none.

    A page may be short or empty and still have a next one.
    """
    member_id = request.caller.id

    left_out = None

    def read(limit: int, before: str | None) -> tuple[Sequence[Line], str | None]:
        nonlocal left_out
        page = withdrawals(member_id, limit, before, payouts_wiring.payouts())
        left_out = page.left_out
        return page.lines, page.following

    found, following = read_page(edge_wiring.signer(), f"withdrawals:{member_id}", request.query, read)
    return Withdrawals.of(found, following, request.language, left_out)


handler = api.handler
connect()
