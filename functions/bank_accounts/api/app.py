"""HTTP: bank accounts, for their members and for the staff that confirms changes."""

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.bank_accounts import schemas as models
from cardstock.bank_accounts import wiring
from cardstock.bank_accounts.deciding import Decider, reveal_number
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Api, Nothing, Request
from cardstock.flows import bank_accounts, callers_wiring, paying_out_wiring
from cardstock.flows.concerned_wiring import member_in_path
from cardstock.staff import wiring as staff_wiring
from cardstock.staff.errors import CONFIRMING

api = Api("bank_accounts", callers=callers_wiring.callers, staff=callers_wiring.staff_record)


@api.get("/v1/me/bank-account", answer=models.BankAccounts, auth="member")
def get_own(request: Request[Nothing, Nothing]) -> models.BankAccounts:
    """Read the member's bank account, masked, and what becomes of a change."""
    return models.BankAccounts.of(wiring.accounts().find_holding(request.caller.id), clock.now())


@api.put("/v1/me/bank-account", body=models.PutBankAccount, answer=models.BankAccounts, auth="member",
         codes=models.SETTING_CODES)  # fmt: skip
def put_own(request: Request[models.PutBankAccount, Nothing]) -> models.BankAccounts:
    """Set the bank account that payouts go to.

    The holder is the member's verified name. Money goes there 72 hours later at the earliest; a change of an account
    also needs a person of the staff, and until then money goes to the old one. The member's contact is notified by the
    event `bank_account.changed`. The same account again changes nothing.
    """
    needs = paying_out_wiring.bank_accounts()
    holding = bank_accounts.set_bank_account(request.caller.id, request.body.wanted(), needs)
    return models.BankAccounts.of(holding, clock.now())


@api.get("/v1/bank-account-changes", query=PageQuery, answer=models.WaitingChanges, auth="key",
         scope="bank_accounts:confirm")  # fmt: skip
def list_changes(request: Request[Nothing, PageQuery]) -> models.WaitingChanges:
    """List the changes that wait for a person of the staff."""
    read = wiring.accounts().waiting_page
    members, following = read_page(edge_wiring.signer(), "bank_account_changes", request.query, read)
    found, now = wiring.accounts().find_holdings(list(members)), clock.now()
    return models.WaitingChanges(
        [models.BankAccounts.of(found[one], now) for one in members if one in found], following
    )


@api.post("/v1/bank-accounts/{member_id}/decisions", body=models.DecideChange, answer=models.BankAccounts,
          auth="key", concerns=member_in_path,
          scope="bank_accounts:confirm", codes=models.DECISION_CODES + CONFIRMING)  # fmt: skip
def decide(request: Request[models.DecideChange, Nothing]) -> models.BankAccounts:
    """Confirm or refuse a change, as a person of the staff.

    The phone of the person confirms what is confirmed. A confirmed change can be refused until it is in force: the
    contact that was notified may object. The same decision again changes nothing.
    """
    body, caller = request.body, request.caller
    holding = bank_accounts.decide_bank_account(
        request.path["member_id"],
        body.account_id,
        "confirmed" if body.decision == "confirm" else "refused",
        body.reason,
        Decider(caller.person_id, staff_wiring.is_active, staff_wiring.approving(caller).confirm),
        paying_out_wiring.bank_accounts(),
    )
    return models.BankAccounts.of(holding, clock.now())


@api.post("/v1/bank-accounts/{member_id}/reveals", body=models.RevealNumber, answer=models.RevealedNumber,
          auth="key", concerns=member_in_path,
          scope="bank_accounts:reveal", codes=models.REVEAL_CODES)  # fmt: skip
def reveal(request: Request[models.RevealNumber, Nothing]) -> models.RevealedNumber:
    """Show the whole number of the account in force; who asked, when and why is stored first."""
    member_id, caller = request.path["member_id"], request.caller
    number = reveal_number(member_id, caller.actor, request.body.reason, wiring.accounts(), wiring.vault())
    return models.RevealedNumber(member_id, number)


handler = api.handler
connect()
