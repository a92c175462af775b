"""Refusals of the payouts area."""

from typing import Final

from cardstock.errors import Pointer, conflict, invalid, refused, timed

PERIOD_NOT_OVER: Final = timed(
    refused(
        "PERIOD_NOT_OVER",
        zh="{period} 尚未结束或尚未入账。",
        en="{period} is not over yet, or its last night is not booked.",
        about=("period",),
    )
)
PERIOD_PAST: Final = timed(
    refused(
        "PERIOD_PAST",
        zh="{period} 已过，只能发起上一个月的结算。",
        en="{period} is past: only the last month can be opened.",
        about=("period",),
    )
)
PERIOD_INVALID: Final = invalid("PERIOD_INVALID", zh="期间不正确。", en="This is not a period.")
APPROVER_OPENED_IT: Final = timed(
    refused(
        "APPROVER_OPENED_IT",
        zh="须由另一人审批；人员创建后七天内，与其创建者、与同一人创建的人员之间都不能互相审批。",
        en="Another person has to approve. For seven days after a person is created, that person and its creator, or "
        "another person of the same creator, cannot approve each other's work.",
    )
)
PAYOUT_STILL_OPENING: Final = conflict(
    "PAYOUT_STILL_OPENING", zh="批次仍在生成，请稍后重试。", en="The payout is still being listed; try again."
)
PAYOUT_CLOSED: Final = conflict(
    "PAYOUT_CLOSED",
    zh="该批次、账期或重试期限已结束。",
    en="The payout, its period, or the time for retries is over.",
)
PAYOUT_NOT_FINAL: Final = conflict(
    "PAYOUT_NOT_FINAL",
    zh="仍有转账没有最终结果，还不能结束重试。",
    en="Some transfers have no final result yet: retries cannot be ended before.",
)
CHANNEL_SPEAKS_ITSELF: Final = conflict(
    "CHANNEL_SPEAKS_ITSELF",
    zh="该批次的结果由支付渠道逐笔返回，不能整批确认。",
    en="The channel answers for each transfer; they cannot be confirmed as a whole.",
)
TRANSFER_WAITS: Final = conflict(
    "TRANSFER_WAITS",
    zh="收款人仍可领取该笔转账，请等待渠道的最终结果。",
    en="The payee can still accept the transfer; the channel will report the result.",
)
TRANSFER_NOT_FAILED: Final = conflict(
    "TRANSFER_NOT_FAILED",
    zh="渠道尚未确认该笔转账失败或撤销，不能重新发起。",
    en="The channel has not said that the transfer failed or was cancelled.",
)
RETRIED_ALREADY: Final = refused(
    "RETRIED_ALREADY", zh="该笔转账已重新发起过。", en="The transfer has been retried already."
)
PAYOUT_NOT_SENT: Final = conflict("PAYOUT_NOT_SENT", zh="批次尚未发放。", en="The payout has not been sent.")
PAYOUT_CHANGED: Final = conflict(
    "PAYOUT_CHANGED", zh="批次刚被更新，请重试。", en="The payout has changed meanwhile; try again."
)
RESULT_NOT_APPLIED: Final = conflict(
    "RESULT_NOT_APPLIED",
    zh="该笔转账的第一个结果尚未入账，请稍后重试。",
    en="The first result of the transfer is not booked yet; try again in a moment.",
)
FAILURE_BY_CHANNEL: Final = refused(
    "FAILURE_BY_CHANNEL",
    zh="该渠道逐笔返回结果，失败或过期只能由渠道本身说明，不能由人提交。",
    en="This channel answers for each transfer: it alone says that one failed or expired, no person does.",
    about=("results",),
)
TRANSFER_UNKNOWN: Final = invalid(
    "TRANSFER_UNKNOWN", zh="部分转账单号不属于该批次。", en="Some transfer numbers were not sent in this payout."
)
PAYOUT_TOTALS_DIFFER: Final = conflict(
    "PAYOUT_TOTALS_DIFFER",
    zh="笔数或金额与批次不符：批次现有 {lines} 笔，共 {listed_fen}。请重新核对后再审批。",
    en="Count or sum is not the payout's: it has {lines} lines of {listed_fen}. Look at it again, then approve.",
    about=("lines", "listed_fen"),
)
RESULTS_BY_APPROVER: Final = refused(
    "RESULTS_BY_APPROVER",
    zh="结果须由发起人和审批人以外的另一人提交。",
    en="Results have to be brought by another person than those who opened and approved the payout.",
)
RESULTS_DIFFER: Final = invalid(
    "RESULTS_DIFFER",
    zh="回盘结果与已发送的文件不符，全部未记录。",
    en="The results are not those of the file that was sent; none of them was recorded.",
)
RESULTS_FILE_INVALID: Final = invalid(
    "RESULTS_FILE_INVALID",
    zh="回盘文件无法识别（{rows} 处），全部未记录。",
    en="The results file is not understood (faults: {rows}); none of its results was recorded.",
)
TAX_TABLE_MISSING: Final = refused(
    "TAX_TABLE_MISSING", zh="{month} 没有适用的税率表。", en="No tax table holds for {month}.", about=("period",)
)


def differing(pointer: str, code: str, found: int, *expected: int) -> Pointer:
    """A count, a sum or an amount that is another one than was `expected`, with both; none of them is a secret to who
    sends it."""
    chinese, english = ("或".join(map(str, expected)), " or ".join(map(str, expected)))
    return Pointer(pointer, code, {"expected": (f"{chinese}，而不是 {found}", f"{english}, not {found}")})
