"""The texts of the payout report, Chinese first, then English; and the format of amounts and moments."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from cardstock.clock import BRAND_ZONE
from cardstock.money import Fen
from cardstock.payouts.model import Batch
from cardstock.payouts.tax.tables import TaxTable
from cardstock.payouts.transfer_answers import BroughtBy
from cardstock.payouts.wording import Text

FINDING: dict[str, Text] = {
    "dropped": ("本期不发", "Left out"),
    "shrunk": ("金额减少", "Less than listed"),
    "failed": ("转账失败", "Transfer failed"),
    "expired": ("逾期未确认", "Not confirmed in time"),
    "incident": ("渠道结果前后矛盾", "Channel contradicted itself"),
    "retried": ("再次发放", "Retried"),
    "corrected": ("往期结果已更正", "Earlier payment corrected"),
}

REPLACED: Text = ("另：已由重试取代", "Beside: replaced by a retry")

KIND: dict[str, Text] = {
    "accrued": ("佣金计入", "Commission credited"),
    "released": ("转为可提现", "Released"),
    "clawed": ("退款扣回", "Clawed back"),
    "claimed": ("佣金发放占用", "Claimed for payout"),
    "paid": ("佣金发放", "Payout"),
    "returned": ("发放退回", "Payout returned"),
    "corrected": ("发放结果更正", "Payout corrected"),
    "owed": ("权益补扣", "Charged for a coupon"),
    "shared": ("团队分红", "Team dividend"),
    "written_off": ("欠款核销", "Debt written off"),
    "given_up": ("注销放弃", "Given up"),
    "set_aside": ("转为待认领", "Set aside, unclaimed"),
    "offset": ("抵扣原账号欠款", "Offset of a closed account's debt"),
}

ACCOUNT: dict[str, Text] = {
    "frozen": ("待结算", "Frozen"),
    "available": ("可提现", "Available"),
    "paying": ("发放中", "Paying"),
    "paid": ("已发放", "Paid"),
    "withheld": ("代扣个税", "Withheld"),
}

CONTROL: dict[str, Text] = {
    "lines": ("发放明细（应发）", "Lines (gross)"),
    "income": ("收入（应发）", "Income (gross)"),
    "paid": ("已到账（实发）", "Paid (net)"),
    "tax": ("代扣个税", "Tax withheld"),
    "bookings": ("账本：本批占用", "Ledger: claimed"),
    "answers": ("渠道回执（实发）", "Channel answers (net)"),
    "ledger": ("账本分录（净额）", "Ledger lines (sum)"),
}

CHANNEL: dict[str, Text] = {
    "bank_file": ("银行代发文件", "Bank file"),
    "wechat": ("微信商家转账", "WeChat transfer"),
    "alipay": ("支付宝转账", "Alipay transfer"),
    "sandbox": ("沙箱", "Sandbox"),
}

METHOD: dict[str, Text] = {
    "labour": ("劳务报酬按月", "Labour, monthly"),
    "platform": ("平台累计预扣", "Platform, cumulative"),
}

MARK: dict[str, Text] = {
    "first_payment": ("首次收款", "First payment ever"),
    "account_changed": ("账户与上期不同", "Another account than last time"),
    "account_changing": ("账户变更中，仍付旧账户", "Account changing, the old one is paid"),
    "several_members": ("一人多账号", "One person, several members"),
    "much_more": ("超过上期三倍", "More than three times the last"),
}

TAX_MONTH: dict[str, Text] = {
    "paid": (
        "支付当月（依据：国家税务总局公告2018年第61号第二、三条，2025年第16号第一条）",
        "The month of payment (announcements 2018 No. 61, articles 2 and 3, and 2025 No. 16, article 1)",
    ),
    "earned": ("批次所属月份（按设置）", "The payout's own month (as set)"),
}


def both(texts: dict[str, Text], key: str) -> str:
    """`中文 English` of a known key; an unknown one, such as a channel's own code, unchanged."""
    return " ".join(texts[key]) if key in texts else key


def tax_facts(tables: Iterable[TaxTable]) -> list[tuple[str, str]]:
    """What is said about each tax table that was used."""
    return [
        fact
        for table in tables
        for fact in (
            ("个税方法 Tax method", f"{both(METHOD, table.method)} · {table.id} · {table.valid_from} → "),
            ("依据 Source", table.source),
        )
    ]


def yuan(amount: Fen) -> Decimal:
    """Fen as exact yuan, for number cells."""
    return Decimal(amount).scaleb(-2)


def yuan_text(amount: Fen) -> str:
    """`1,234.50`, for a printed page."""
    return f"{yuan(amount):,.2f}"


def local(moment: datetime) -> datetime:
    """The brand's local time without a zone, as spreadsheets store it."""
    return moment.astimezone(BRAND_ZONE).replace(tzinfo=None, microsecond=0)


def local_text(moment: datetime | None) -> str:
    """`2026-12-01 03:00:05` in the brand's local time."""
    return "-" if moment is None else f"{local(moment):%Y-%m-%d %H:%M:%S}"


def opener(batch: Batch) -> str:
    """Who opened a batch: the name on the key and the key's id; or the schedule."""
    return f"{batch.opener} ({batch.opened_by})" if batch.opener else batch.opened_by


def bringers(brought: Iterable[BroughtBy], language: int) -> list[str]:
    """Who brought results: when, the person's id, and how many were new; 0 is Chinese, 1 English."""
    count = ("{} 笔", "{} results")[language]
    return [f"{local_text(one.at)}  {one.by}  {count.format(one.results)}" for one in brought]


def retries_ended(batch: Batch) -> str:
    """Who ended the retries of a batch before their time, and when; empty if nobody did."""
    by = batch.retries_ended_by
    return "" if by is None else f"{local_text(batch.retries_ended_at)}  {by}"


def approver(batch: Batch) -> str:
    """Who approved a batch: `Li Na, finance (key_..)`."""
    return f"{batch.approver} ({batch.approved_by})" if batch.approver else batch.approved_by or "-"
