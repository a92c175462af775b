"""The words of an export's file: what it is, what its sections are and why they are kept, and what is not in it."""

from collections.abc import Mapping
from typing import Final

from cardstock.retention import BY_KEY, RetentionKey

ABOUT: Final = {
    "zh": "这是截至 as_of 时刻我们保存的关于您的全部信息，包括您本人声明合并的各账号。"
    "金额单位为分，时间为世界协调时，以 day 命名的日期为北京时间。订单、退款、对账单等清单恰为该时刻的内容；"
    "昵称、设置等单项为文件生成时的内容。sections 说明每一部分是什么、保存多久及依据。"
    "本文件含您的个人信息，请妥善保管，不要转发。",
    "en": "This is everything that is stored about you as of `as_of`, of all accounts that you have merged. Amounts "
    "are fen, times are UTC, fields that are named `day` are days in China. Lists (orders, refunds, the statement ...) "
    "are exactly those of that moment; single values (nickname, settings) are those of the writing. `sections` says "
    "what each part is, how long it is kept, and by which clause. The file holds your personal data: keep it safe and "
    "do not pass it on.",
}

NOT_INCLUDED: Final = (
    {
        "zh": "银行账号的完整号码：只给出末四位。若有人盗用您的登录，也拿不到完整号码；完整号码只用于打款。",
        "en": "Whole numbers of bank accounts: the last four digits are here. Whoever steals your log-in shall not get "
        "them; they are used for payments alone.",
    },
    {
        "zh": "完整的身份证号码：我们不保存，只保存打码的号码和用于再次识别的加盐哈希。",
        "en": "The whole identity number: it is not stored, only a masked one and a salted hash that recognises it.",
    },
    {
        "zh": "您看过哪些名片：不按访客保存。每张名片只按编号记住最近的十六位访客和合计数，无法按您查找。",
        "en": "Which cards you looked at: not stored by visitor. A card remembers sums and the ids of its last sixteen "
        "visitors, which cannot be searched for you.",
    },
    {
        "zh": "他人的信息：您推荐的人、使您获得奖励的订单的买家、您名片的访客，只有您在应用中已能看到的编号。",
        "en": "Data of others: of those who you brought, who bought what you earn on, or who looked at your cards, "
        "there are only the ids that the app shows you.",
    },
    {
        "zh": "仅因实名认证为同一人而关联的其他账号：请分别登录各账号申请，或先合并账号。",
        "en": "Your other accounts that are only verified as the same person: ask from each of them, or merge them "
        "first.",
    },
    {
        "zh": "上传的图片本身：在应用中查看，或按编号读取（GET /v1/uploads/{upload_id}）。",
        "en": "The uploaded pictures themselves: the app shows them, and `GET /v1/uploads/{upload_id}` links to each.",
    },
    {
        "zh": "登录凭证、密钥和七天内的请求记录：没有可读的内容。",
        "en": "Tokens, keys and the marks of the last week's requests: they say nothing that can be read.",
    },
)

_NAMES: Final[Mapping[str, tuple[RetentionKey, str, str]]] = {
    "profile": ("account", "资料", "Profile"),
    "accounts": ("account", "登录平台账号", "Accounts of login platforms"),
    "sessions": ("account", "登录", "Sessions"),
    "consents": ("consents", "同意与撤回的记录", "Consents and their withdrawals"),
    "phone_moves": ("consents", "失去的手机号", "Telephone numbers that moved away"),
    "merges": ("account", "合并的账号", "Merged accounts"),
    "identity": ("identity", "实名", "Verified identity"),
    "bank_accounts": ("bank_accounts", "银行账户", "Bank accounts"),
    "cards": ("visits", "名片及浏览合计", "Cards and the sums of their views"),
    "shares": ("visits", "名片的分享", "Shares of the cards"),
    "orders": ("orders", "订单、收件人、付款、退款、包裹", "Orders, receivers, payments, refunds, parcels"),
    "payment_agreements": ("orders", "支付协议（免密扣款）", "Payment agreements"),
    "holds": ("compliance", "对本人订单的合规核查", "Compliance holds on own orders"),
    "network": ("network", "在推荐网络中的位置", "Place in the referral network"),
    "coupons": ("network", "优惠券", "Coupons"),
    "statement": ("books", "对账单", "Statement"),
    "balance": ("books", "余额与欠款", "Balance and debts"),
    "rewards": ("books", "奖励及其计算", "Rewards and how they were computed"),
    "payouts": ("payouts", "打款与代扣税", "Payments and withheld tax"),
    "recommendations": ("recommendations", "推荐", "Recommendations"),
    "uploads": ("uploads", "上传的图片", "Uploaded pictures"),
    "exports": ("exports", "数据导出的记录", "Records of exports, this one too"),
    "closing": ("account", "注销", "Closing of the account"),
}


def _section(key: RetentionKey, zh: str, en: str) -> dict[str, object]:
    kept = BY_KEY[key]
    return {
        "class": key,
        "what": {"zh": zh, "en": en},
        "kept": {"zh": kept.term.zh, "en": kept.term.en},
        "clause": {"zh": kept.clause.zh, "en": kept.clause.en},
    }


SECTIONS: Final = {name: _section(*about) for name, about in _NAMES.items()}
"""The sections of a file in their sequence: retention class, what it is, how long it is kept, and by which clause."""
