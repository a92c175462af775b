"""Texts for the status of a payment and its reason, in Chinese and English, for reports and for the payee."""

from typing import TypeAlias

Text: TypeAlias = tuple[str, str]
"""Chinese, English."""

STATUS: dict[str, Text] = {
    "pending": ("待发放", "Pending"),
    "sent": ("已提交", "Sent"),
    "waiting_user": ("待收款人确认", "Waiting for payee"),
    "paid": ("已到账", "Paid"),
    "failed": ("失败", "Failed"),
    "expired": ("逾期未确认", "Expired"),
    "dropped": ("本期不发", "Left out"),
    "open": ("待审批", "Open"),
    "approved": ("已审批", "Approved"),
    "sending": ("发放中", "Sending"),
    "settled": ("已结清", "Settled"),
}

REASON: dict[str, Text] = {
    "under_minimum": ("低于最低发放额", "Under the minimum"),
    "nothing_left": ("退款后无余额", "Nothing left after refunds"),
    "debt": ("有欠款", "Debt"),
    "former_debt": ("本人已注销的账号有欠款", "A closed account of the same person owes"),
    "hold": ("已冻结", "On hold"),
    "unverified": ("未实名", "Identity not verified"),
    "unverifiable": ("未实名：本商城尚未接入实名认证", "Nobody can be verified here yet"),
    "under_age": ("未成年", "Under age"),
    "consent_withdrawn": ("已撤回实名同意", "Identity consent withdrawn"),
    "erased": ("已注销", "Erased"),
    "under_channel_minimum": ("低于渠道最低金额", "Under the channel's minimum"),
    "over_channel_maximum": ("超过渠道最高金额", "Over the channel's maximum"),
    "account_unsuitable": ("账户不支持收款", "Account unsuitable"),
    "no_bank_account": ("没有可用的收款账户", "No bank account in force"),
    "holder_differs": ("收款账户户名与实名不符", "Bank account in another name"),
    "disputed": ("转账结果矛盾，待两人确认", "Contradicting results"),
    "attempt_open": ("已在一次尚未结束的发放中", "In a payout that has not ended"),
}
