"""How the API document names and introduces the routes of the ledger area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, PathValue

FAMILIES: Final = (
    Family(
        "commissions",
        "Commissions",
        "佣金",
        "The member's balance, statement, explained rewards and withdrawals.",
        {
            "GET /v1/me/balance": "getBalance",
            "GET /v1/me/commissions": "listCommissions",
            "GET /v1/me/commissions/{order_id}": "explainCommission",
            "GET /v1/me/withdrawals": "listWithdrawals",
        },
    ),
    Family(
        "ledger",
        "Ledger",
        "账本",
        "Seals of the ledger, and proofs that an entry is in it.",
        {
            "GET /v1/ledger/proofs/{transaction_id}": "getProof",
            "GET /v1/ledger/seals": "listSeals",
        },
    ),
    Family(
        "debts",
        "Debts",
        "欠款",
        "Writing off members' debts, which takes two people.",
        {
            "POST /v1/debt-write-offs": "askWriteOff",
            "GET /v1/debt-write-offs": "listWriteOffs",
            "POST /v1/debt-write-offs/{write_off_id}/approvals": "approveWriteOff",
        },
    ),
)
PATH_VALUES: Final = {
    "transaction_id": PathValue(
        "release.ord_01kbdxdh50fcazdjhcnqh2rzv5", "Ledger entry: the `entry_id` of a statement."
    ),
    "write_off_id": PathValue("wro_01kbdxdh50fcazdjhcnqh2rzv5", "Write-off that waits for its second person."),
}
