"""How the API document names and introduces the routes of the payouts area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, PathValue

FAMILIES: Final = (
    Family(
        "payouts",
        "Payouts",
        "打款",
        "Monthly payout batches, their transfers, results and reports.",
        {
            "GET /v1/payouts": "listPayouts",
            "POST /v1/payouts": "openPayout",
            "GET /v1/payouts/{payout_id}": "getPayout",
            "GET /v1/payouts/{payout_id}/lines": "listTransfers",
            "POST /v1/payouts/{payout_id}/approvals": "approvePayout",
            "POST /v1/payouts/{payout_id}/results": "reportTransferResults",
            "POST /v1/payouts/{payout_id}/lines/{number}/retries": "retryTransfer",
            "GET /v1/payouts/{payout_id}/report": "getPayoutReport",
        },
    ),
    Family(
        "tax",
        "Tax",
        "税务",
        "Tax that was withheld, by person and year, and the quarters' files for the tax authority.",
        {
            "GET /v1/me/tax/{year}": "getTaxYear",
            "GET /v1/tax/members/{member_id}/{year}": "getMemberTaxYear",
            "GET /v1/tax/quarters": "listTaxQuarters",
        },
    ),
)
PATH_VALUES: Final = {
    "payout_id": PathValue("pay_202611", "Payout batch that is meant: `pay_` and its month."),
    "number": PathValue("2026110vgk3qxnq5p7m1a9c2d4e6f8g0", "Number of the transfer that failed."),
    "year": PathValue("2026", "Calendar year, four digits."),
}
