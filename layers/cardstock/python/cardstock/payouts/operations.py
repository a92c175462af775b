"""How the API document names and introduces the routes of the payouts area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "payouts",
        "Payouts",
        "佣金发放批次",
        "Monthly payout batches, their transfers, results and reports.",
        "每月的佣金发放批次、转账、结果和报告。",
        {
            "GET /v1/payouts": Operation("listPayouts", "List payouts", "列出佣金发放批次"),
            "POST /v1/payouts": Operation("openPayout", "Open a payout", "发起佣金发放批次"),
            "GET /v1/payouts/preview": Operation("previewPayout", "Preview the next payout", "预览下一批次"),
            "GET /v1/payouts/{payout_id}": Operation("getPayout", "Get a payout", "查看佣金发放批次"),
            "GET /v1/payouts/{payout_id}/lines": Operation("listTransfers", "List transfers", "列出转账"),
            "POST /v1/payouts/{payout_id}/approvals": Operation(
                "approvePayout", "Approve a payout", "审批佣金发放批次"
            ),
            "POST /v1/payouts/{payout_id}/results": Operation(
                "reportTransferResults", "Upload bank results", "上传银行结果"
            ),
            "POST /v1/payouts/{payout_id}/lines/{number}/retries": Operation(
                "retryTransfer", "Retry a transfer", "重试转账"
            ),
            "POST /v1/payouts/{payout_id}/closings": Operation(
                "closePayout", "End a payout's retries", "结束批次的重试"
            ),
            "GET /v1/payouts/{payout_id}/report": Operation(
                "getPayoutReport", "Get a payout's report", "查看佣金发放报告"
            ),
        },
    ),
    Family(
        "tax",
        "Tax",
        "税务",
        "Tax that was withheld, by person and year, and the quarters' files for the tax authority.",
        "按实名人和年度的扣税，以及每季度给税务机关的文件。",
        {
            "GET /v1/me/tax/{year}": Operation("getTaxYear", "Get my tax year", "查看我的年度扣税"),
            "GET /v1/tax/members/{member_id}/{year}": Operation(
                "getMemberTaxYear", "Get a person's year", "查看实名人的年度扣税"
            ),
            "GET /v1/tax/quarters": Operation("listTaxQuarters", "List tax quarters", "列出季度报税文件"),
        },
    ),
)
PATH_VALUES: Final = {
    "payout_id": PathValue("pay_202611", "Payout batch that is meant: `pay_` and its month."),
    "number": PathValue("2026110vgk3qxnq5p7m1a9c2d4e6f8g0", "Number of the transfer that failed."),
    "year": PathValue("2026", "Calendar year, four digits."),
}
