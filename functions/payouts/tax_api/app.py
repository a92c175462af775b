"""HTTP: what was withheld from a person, told to himself and to finance; the quarters' files for the tax office."""

from cardstock.aws.tables import connect
from cardstock.clock import process_clock
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.flows import wiring as flows_wiring
from cardstock.partners import wiring as partners_wiring
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.tax import files as taxation
from cardstock.payouts.tax import schemas as models

api = Api("tax", callers=partners_wiring.callers)


def _year(member: str, year: str, *, masked: bool) -> models.TaxYear:
    if not (len(year) == 4 and year.isascii() and year.isdigit() and year.startswith("20")):
        raise NOT_FOUND()
    found = taxation.certificate(
        member,
        int(year),
        brand=payouts_wiring.brand(),
        payouts=payouts_wiring.payouts(),
        payees=flows_wiring.taxpayers(),
        clock=process_clock(),
    )
    return models.year_told(found, masked=masked)


@api.get("/v1/me/tax/{year}", answer=models.TaxYear, auth="member", codes=(NOT_FOUND,))
def read_own_tax(request: Request[Nothing, Nothing]) -> models.TaxYear:
    """Read what was paid to the own person in a year, and what was withheld from it, month by month."""
    return _year(request.caller.id, request.path["year"], masked=True)


@api.get("/v1/tax/members/{member_id}/{year}", answer=models.TaxYear, auth="key", scope="payouts:read",
         codes=(NOT_FOUND,))  # fmt: skip
def read_tax(request: Request[Nothing, Nothing]) -> models.TaxYear:
    """Read the data of a person's certificate, by any of his members."""
    return _year(request.path["member_id"], request.path["year"], masked=False)


@api.get("/v1/tax/quarters", answer=models.TaxQuarters, auth="key", scope="payouts:read")
def list_quarters(_request: Request[Nothing, Nothing]) -> models.TaxQuarters:
    """List the quarters' files for the tax office, with links that last a quarter of an hour.

    A file is written in the night after the last payout of its quarter has settled, once; until then the quarter waits.
    """
    files = payouts_wiring.report_files()
    written, waiting = taxation.quarters(
        process_clock().now(), payouts=payouts_wiring.payouts(), tax_files=payouts_wiring.tax_files()
    )
    return models.quarters_told(
        ((one, [(file, files.link(file.key)) for file in one.files]) for one in written), waiting
    )


handler = api.handler
connect()
