"""How the API document names and introduces the routes of the ledger area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "commissions",
        "Commissions",
        "佣金",
        "The member's balance, statement, explained rewards and withdrawals.",
        "会员的余额、明细、奖励的解释和收到的款项。",
        {
            "GET /v1/me/balance": Operation("getBalance", "Get my balance", "查看我的余额"),
            "GET /v1/me/commissions": Operation("listCommissions", "List my commissions", "列出我的佣金明细"),
            "GET /v1/me/commissions/{order_id}": Operation(
                "explainCommission", "Explain my rewards", "解释一张订单的奖励"
            ),
            "GET /v1/me/withdrawals": Operation("listWithdrawals", "List my payments", "列出我收到的款项"),
        },
    ),
    Family(
        "ledger",
        "Ledger",
        "账本",
        "Seals of the ledger, and proofs that an entry is in it.",
        "账本的封存，以及分录已被封存的证明。",
        {
            "GET /v1/ledger/proofs/{transaction_id}": Operation(
                "getProof", "Get an entry's proof", "下载分录的封存证明"
            ),
            "GET /v1/ledger/seals": Operation("listSeals", "List seals", "列出封存"),
        },
    ),
    Family(
        "debts",
        "Debts",
        "待扣余额",
        "Writing off members' debts, which takes two people.",
        "核销会员的待扣余额，需要两个人。",
        {
            "POST /v1/debt-write-offs": Operation("askWriteOff", "Ask for a write-off", "申请核销待扣余额"),
            "GET /v1/debt-write-offs": Operation("listWriteOffs", "List write-offs", "列出核销"),
            "POST /v1/debt-write-offs/{write_off_id}/approvals": Operation(
                "approveWriteOff", "Approve a write-off", "审批核销"
            ),
        },
    ),
)
PATH_VALUES: Final = {
    "transaction_id": PathValue(
        "release.ord_01kbdxdh50fcazdjhcnqh2rzv5", "Ledger entry: the `entry_id` of a statement."
    ),
    "write_off_id": PathValue("wro_01kbdxdh50fcazdjhcnqh2rzv5", "Write-off that waits for its second person."),
}
