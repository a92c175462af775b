"""What is kept of a person, for how long, and by which clause: one class for each kind of stored data.

Exports name their sections by these keys, and the answer to a closing names what stays. `infra/PRIVACY.md` prints the
same; a test compares both with the stored shapes.

Sources: PIPL (个人信息保护法) Art. 19 (no longer than necessary) and 47 (erasure; what a law says must be kept is
only stored), E-Commerce Law (电子商务法) Art. 31 (information on transactions: three years at least after they end),
Rules for the Tax Collection Law (税收征收管理法实施细则) Art. 29 (documents of tax: ten years), Civil Code (民法典)
Art. 188 (claims lapse after three years).
"""

from datetime import date, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

RetentionKey: TypeAlias = Literal[
    "account",
    "visits",
    "recommendations",
    "identity",
    "bank_accounts",
    "orders",
    "books",
    "payouts",
    "network",
    "compliance",
    "consents",
    "requests",
    "partners",
    "staff",
    "exports",
    "uploads",
    "open_items",
]

THREE_YEARS: Final = timedelta(days=3 * 366)
TEN_YEARS: Final = timedelta(days=10 * 366)
"""Never short of ten years, whatever leap years they hold."""


class Text(msgspec.Struct, frozen=True):
    """A text in both languages."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        """The text in a language of a request."""
        return self.en if language == "en" else self.zh


class Retention(msgspec.Struct, frozen=True):
    """A class of stored data.

    `after_closing`: how long what names a person stays once the account is closed. None: for good, under an id that
    leads to nobody any more. Nothing of it stays where this is zero.
    """

    key: RetentionKey
    holds: Text
    term: Text
    """For how long it is kept while the account is open."""
    clause: Text
    after_closing: timedelta | None
    stays: Text | None = None
    """What stays after the erasure; None: nothing."""
    shapes: tuple[str, ...] = ()
    """The stored shapes, each `area.Name`. A shape that holds data of two classes is in the one that keeps it longest
    open; the erasure removes single attributes of it."""


_NONE: Final = timedelta()
_NECESSARY: Final = Text("《个人信息保护法》第十九条、第四十七条", "PIPL Art. 19 and 47")
_TRADE: Final = Text("《电子商务法》第三十一条", "E-Commerce Law Art. 31")
_TAX: Final = Text("《税收征收管理法实施细则》第二十九条", "Rules for the Tax Collection Law Art. 29")
_CLAIMS: Final = Text("《民法典》第一百八十八条", "Civil Code Art. 188")
_UNTIL_CLOSED: Final = Text("至账号注销", "until the account is closed")

CLASSES: Final = (
    Retention(
        "account",
        Text(
            "昵称、出生年份、手机号、平台账号、登录会话、合并码",
            "nickname, birth year, telephone number, platform accounts, sessions, merge codes",
        ),
        Text(
            "至账号注销；会话三十天，合并码十分钟",
            "until the account is closed; sessions thirty days, merge codes ten minutes",
        ),
        _NECESSARY,
        _NONE,
        shapes=(
            "members.MemberItem",
            "members.PointerItem",
            "members.GroupItem",
            "members.SessionItem",
            "members.PlacesItem",
            "members.MarkItem",
            "members.LogInCounter",
            "members.MergeCodeItem",
            "members.ClosingRequestItem",
            "members.NewestCodeItem",
            "members.ErasureItem",
        ),
    ),
    Retention(
        "visits",
        Text("名片、分享、名片的访客", "cards, shares, a card's visitors"),
        Text(
            "名片至账号注销；访客按编号记最近若干次",
            "cards until the account is closed; the last visitors by their ids",
        ),
        _NECESSARY,
        _NONE,
        shapes=("cards.CardItem", "cards.ShareItem", "cards.RadarItem"),
    ),
    Retention(
        "recommendations",
        Text("由购买推算的推荐", "recommendations computed from purchases"),
        Text(
            "至账号注销，最长为最近一次购买后十三个月",
            "until the account is closed, thirteen months after the last purchase at most",
        ),
        _NECESSARY,
        _NONE,
        shapes=("recommendations.RowItem",),
    ),
    Retention(
        "identity",
        Text(
            "核验过的姓名、打码的证件号及其加盐哈希、出生日期",
            "the verified name, the masked identity number with a salted hash of it, the date of birth",
        ),
        Text(
            "至账号注销；发放过佣金的，至注销后十年",
            "until the account is closed; ten years more if anything was paid out",
        ),
        _TAX,
        TEN_YEARS,
        Text(
            "发放过佣金的，核验过的姓名、打码的证件号及其加盐哈希、出生日期",
            "if anything was paid out: verified name, masked identity number with its salted hash, date of birth",
        ),
        shapes=("members.PersonItem",),
    ),
    Retention(
        "bank_accounts",
        Text(
            "加密的银行账号、户名、变更、查看记录",
            "encrypted bank accounts with their holders, changes, who saw a number",
        ),
        _UNTIL_CLOSED,
        _NECESSARY,
        _NONE,
        shapes=("bank_accounts.HoldingItem", "bank_accounts.WaitingItem", "bank_accounts.RevealItem"),
    ),
    Retention(
        "orders",
        Text(
            "订单、退款、供应商订单及其收件人、付款人与设备标记；支付协议",
            "orders, refunds and suppliers' orders, with receivers and the marks of payers and devices; payment "
            "agreements",
        ),
        Text("收件人与标记至订单结束后三年", "receivers and marks three years after the order has ended"),
        _TRADE,
        None,
        Text(
            "商品、金额、时间与编号；收件人与标记在订单不会再有售后时删除",
            "goods, amounts, times and ids; receivers and marks go when nothing can follow from the order any more",
        ),
        shapes=(
            "orders.OrderItem",
            "orders.RefundItem",
            "orders.SupplierOrderItem",
            "orders.CouponUseItem",
            "orders.SalesItem",
            "orders.ErasedDayItem",
            "orders.AgreementItem",
        ),
    ),
    Retention(
        "books",
        Text("总账、对账单、奖励、余额：编号与金额", "ledger, statements, rewards, balances: ids and amounts"),
        Text("长期保存，至少十年", "kept for good, ten years at least"),
        _TAX,
        None,
        Text("编号与金额，编号不再指向任何人", "ids and amounts; the ids lead to nobody any more"),
        shapes=(
            "ledger.LedgerItem",
            "ledger.BalanceItem",
            "ledger.RewardsItem",
            "ledger.DueItem",
            "ledger.SweepItem",
            "ledger.WriteOffItem",
            "ledger.ClosingItem",
            "ledger.StatementItem",
            "ledger.NotedItem",
            "ledger.SealedItem",
            "ledger.SealItem",
        ),
    ),
    Retention(
        "payouts",
        Text(
            "发放明细：收款人姓名、打码的证件号与账号、税额；发放与报税文件",
            "lines of payouts: the payee's name, masked identity number and account, tax; files of payouts and tax",
        ),
        Text("十年", "ten years"),
        _TAX,
        TEN_YEARS,
        Text("发放给该会员的明细与文件", "lines and files of what was paid to the member"),
        shapes=(
            "payouts.BatchItem",
            "payouts.BatchNameItem",
            "payouts.LineItem",
            "payouts.CorrectedItem",
            "payouts.LeftOutItem",
            "payouts.AnswersItem",
            "payouts.TaxFileItem",
        ),
    ),
    Retention(
        "network",
        Text("推荐关系、角色与团队，按编号", "referrals, roles and teams, by ids"),
        Text("长期保存：他人的奖励由此计算", "kept for good: other people's rewards follow from it"),
        _CLAIMS,
        None,
        Text(
            "编号；三年内另留账号、手机号的加密标记，重新注册不重复计数",
            "ids; for three years keyed marks of accounts and number, so that a new registration counts nobody twice",
        ),
        shapes=(
            "network.NetworkItem",
            "network.PlanInForce",
            "network.PlanItem",
            "network.PlanApprovalItem",
            "network.TeamItem",
            "network.SettledItem",
            "network.DividedItem",
        ),
    ),
    Retention(
        "compliance",
        Text(
            "付款人与设备标记、按编号的购买、冻结与警报",
            "marks of payers and devices, purchases by ids, holds and alarms",
        ),
        Text("标记至账号注销；其余长期保存", "marks until the account is closed; the others for good"),
        _CLAIMS,
        None,
        Text("按编号的购买、冻结与警报", "purchases, holds and alarms, by ids"),
        shapes=("compliance.SeenMarkItem", "compliance.BoughtItem", "compliance.SoldItem", "compliance.RecordItem"),
    ),
    Retention(
        "consents",
        Text(
            "同意与撤回的记录；手机号的转移，打码",
            "records of consents and withdrawals; moves of a telephone number, masked",
        ),
        Text(
            "至账号注销后三年；手机号转移三年",
            "until three years after the account is closed; moves of a number three years",
        ),
        _CLAIMS,
        THREE_YEARS,
        Text(
            "同意与撤回的记录；打码的手机号转移",
            "records of consents and withdrawals; moves of a telephone number, masked",
        ),
        shapes=("members.ConsentItem", "members.PhoneMoveItem"),
    ),
    Retention(
        "requests",
        Text("已处理请求的标记与首次答复、次数", "marks of requests that were done, first answers, counts"),
        Text("七天", "seven days"),
        _NECESSARY,
        timedelta(days=7),
        Text("七天内的请求标记与首次答复", "marks and first answers of the last seven days"),
        shapes=("aws.RequestItem", "aws.AnswerItem", "aws.RequestCounter"),
    ),
    Retention(
        "partners",
        Text("供应商与合作方；发给与来自合作方的消息", "suppliers and partners; messages to and from them"),
        Text("消息三十天", "messages thirty days"),
        _NECESSARY,
        timedelta(days=30),
        Text("三十天内发给供应商的消息，含收件人", "messages to suppliers of the last thirty days, with receivers"),
        shapes=(
            "partners.SupplierItem",
            "partners.KeyItem",
            "partners.KeyOfOwnerItem",
            "partners.EndpointItem",
            "partners.InboxItem",
            "partners.DeliveryItem",
            "partners.EventItem",
        ),
    ),
    Retention(
        "staff",
        Text("品牌方人员、其登录与操作记录", "persons of the brand, their log-ins and the record of their actions"),
        Text("操作记录长期保存", "the record of actions for good"),
        _CLAIMS,
        None,
        Text("涉及该会员编号的操作记录", "records of actions about the member's id"),
        shapes=(
            "staff.ActionItem",
            "staff.ConfirmationItem",
            "staff.LoginItem",
            "staff.SessionItem",
            "staff.LoginCounter",
            "staff.PersonItem",
            "staff.CountItem",
        ),
    ),
    Retention(
        "exports",
        Text("会员下载自己数据的文件及其记录", "files in which members get their own data, and the record of each"),
        Text("文件七天，记录三十天", "files seven days, the records thirty"),
        _NECESSARY,
        _NONE,
        shapes=("members.ExportItem",),
    ),
    Retention(
        "uploads",
        Text(
            "会员上传的图片，不含拍摄地点与设备信息",
            "pictures that a member has uploaded, without the place and the camera",
        ),
        Text(
            "至账号注销；聊天图片最长一年，售后图片最长三年；被拒绝的即时删除",
            "until the account is closed; of chats a year, of after-sales three years at most; refused ones go at once",
        ),
        _NECESSARY,
        _NONE,
        shapes=("uploads.UploadItem",),
    ),
    Retention(
        "open_items",
        Text(
            "不符的收付款与处理人的决定：编号与金额", "payments that do not fit, and who decided what: ids and amounts"
        ),
        Text("长期保存，至少十年", "kept for good, ten years at least"),
        _TAX,
        None,
        Text("编号与金额", "ids and amounts"),
        shapes=("open_items.OpenItemItem",),
    ),
)

BY_KEY: Final = {each.key: each for each in CLASSES}

OF_NOBODY: Final = frozenset({
    "catalog.CardItem", "catalog.ContentItem", "catalog.DraftItem", "catalog.VariantItem", "delivery.TemplatesItem",
    "members.SaltItem",
})  # fmt: skip
"""Stored shapes that hold nothing of a person."""


class Kept(msgspec.Struct, frozen=True):
    """What stays of a closed account: `until` is None where it stays for good, without a name."""

    key: RetentionKey
    what: Text
    until: date | None
    clause: Text


def kept_after(closed: date, *, was_paid: bool) -> tuple[Kept, ...]:
    """What stays of an account that was closed on a day. `was_paid`: whether anything was ever paid out to the member;
    else no name is kept for tax."""
    return tuple(
        Kept(each.key, each.stays, None if each.after_closing is None else closed + each.after_closing, each.clause)
        for each in CLASSES
        if each.stays is not None and (was_paid or each.key not in {"identity", "payouts"})
    )
