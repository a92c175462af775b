"""HTTP: tax withheld from a person, for the member and for finance; the quarters' files for the tax authority."""

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND
from cardstock.flows import callers_wiring, paying_out_wiring
from cardstock.members.model import mask_name
from cardstock.payouts import wiring
from cardstock.payouts.tax import schemas as models
from cardstock.payouts.tax.certificates import certificate_of, own_certificate_of
from cardstock.payouts.tax.quarters import newest_quarters

api = Api("tax", callers=callers_wiring.callers)


def _year(request: Request[Nothing, Nothing]) -> int:
    year = request.path["year"]
    if not (len(year) == 4 and year.isascii() and year.isdigit() and year.startswith("20")):
        raise NOT_FOUND()
    return int(year)


@api.get("/v1/me/tax/{year}", answer=models.OwnTaxYear, auth="member", codes=(NOT_FOUND,))
def read_own_tax(request: Request[Nothing, Nothing]) -> models.OwnTaxYear:
    """Read what the member was paid in a year, and the tax withheld, month by month.

    Other accounts of the same person are not shown, unless they are merged with this one; they count in the tax.
    """
    found = own_certificate_of(
        request.caller.id, _year(request), wiring.brand(), wiring.payouts(), paying_out_wiring.persons()
    )
    return models.OwnTaxYear.of(found, mask_name, request.language)


@api.get("/v1/tax/members/{member_id}/{year}", answer=models.TaxYear, auth="key", scope="payouts:read",
         codes=(NOT_FOUND,))  # fmt: skip
def read_tax(request: Request[Nothing, Nothing]) -> models.TaxYear:
    """Read the data of a person's certificate, by any of the person's members."""
    member, persons = request.path["member_id"], paying_out_wiring.persons()
    return models.TaxYear.of(certificate_of(member, _year(request), wiring.brand(), wiring.payouts(), persons))


@api.get("/v1/tax/quarters", answer=models.TaxQuarters, auth="key", scope="payouts:read")
def list_quarters(_request: Request[Nothing, Nothing]) -> models.TaxQuarters:
    """List the quarters' files for the tax authority, with links that last a quarter of an hour.

    A file is written once, in the night after the last payout of its quarter has settled; until then the quarter waits.
    """
    files = wiring.report_files()
    written, waiting = newest_quarters(clock.now(), wiring.payouts(), wiring.tax_files())
    return models.TaxQuarters(
        [models.TaxQuarterFile.of(one, [(file, files.link(file.key)) for file in one.files]) for one in written],
        [models.WaitingQuarter.of(one) for one in waiting],
    )


handler = api.handler
connect()
