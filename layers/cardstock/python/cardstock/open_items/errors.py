"""Refusals of the open items area."""

from typing import Final

from cardstock.errors import conflict, refused

OUTCOME_UNKNOWN: Final = refused(
    "OUTCOME_UNKNOWN", zh="此类事项不能这样了结。", en="An item of this kind cannot end like this.", about=("outcome",)
)
OUTCOME_DIFFERS: Final = conflict(
    "OUTCOME_DIFFERS",
    zh="该事项已登记不同的处理结果：{outcome}。",
    en="Another outcome is on record for this item: {outcome}.",
    about=("outcome",),
)
ACCOUNT_NEEDED: Final = refused(
    "ACCOUNT_NEEDED",
    zh="请填写收款账户：须为付款会员本人实名的账户。",
    en="Name the account that the money goes to: the payer's own, in the verified name.",
)
ACCOUNT_NOT_NEEDED: Final = refused(
    "ACCOUNT_NOT_NEEDED",
    zh="该处理结果不需要收款账户。",
    en="No money goes to an account with this outcome.",
    about=("account",),
)
ACCOUNT_DIFFERS: Final = conflict(
    "ACCOUNT_DIFFERS",
    zh="收款账户与第一人登记的不同：{number}。",
    en="Another account is on record for this item: {number}.",
    about=("account",),
)
PAYEE_UNVERIFIED: Final = refused(
    "PAYEE_UNVERIFIED",
    zh="付款会员尚未实名认证，不能以其他方式付款；请会员先完成实名认证，或登记放弃后重新申请退款。",
    en="The paying member's identity is not verified. Have the member verify it, or give the refund up.",
    about=("account",),
)
ITEM_CHANGED: Final = conflict(
    "ITEM_CHANGED", zh="该事项刚被更新，请重试。", en="The item has changed meanwhile; try again."
)
