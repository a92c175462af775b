"""How the API document names and introduces the routes of the bank accounts area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "bank_accounts",
        "Bank accounts",
        "收款账户",
        "Where a payout by bank file goes: set by the member, confirmed by the staff, in force after 72 hours.",
        "银行代发打入的账户：由会员设置，变更由员工确认，72 小时后生效。",
        {
            "GET /v1/me/bank-account": Operation("getBankAccount", "Get a bank account", "查询本人收款账户"),
            "PUT /v1/me/bank-account": Operation("putBankAccount", "Set a bank account", "设置本人收款账户"),
            "GET /v1/bank-account-changes": Operation(
                "listBankAccountChanges", "List waiting changes", "列出待确认的账户变更"
            ),
            "POST /v1/bank-accounts/{member_id}/decisions": Operation(
                "decideBankAccountChange", "Decide on a change", "处理账户变更"
            ),
            "POST /v1/bank-accounts/{member_id}/reveals": Operation(
                "revealBankAccountNumber", "Show a whole number", "查看完整账号"
            ),
        },
    ),
)
PATH_VALUES: Final[dict[str, PathValue]] = {}
