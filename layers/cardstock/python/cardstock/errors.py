"""What can be refused, by kind. A code is declared once, as a `Refusal`, in the `errors.py` of its area; those that
several areas raise stand at the end of this file.

CardstockError
├── InvalidError        the request itself is wrong; `pointers` names the fields
├── UnauthorizedError   no caller, or one whose credentials do not hold
├── ForbiddenError      a known caller without the right
├── NotFoundError       no such thing, or somebody else's
├── ConflictError       right request, wrong state: it may succeed later or otherwise
├── RefusedError        a rule of the business, the plan or the law says no
├── TooLargeError       more than the documented limit
├── ThrottledError      too often
└── UnavailableError    a service we depend on gave no answer; safe to repeat

Any other exception is a bug and must reach Lambda's Errors alarm.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec.structs import replace


class Pointer(msgspec.Struct, frozen=True):
    """One wrong field: RFC 6901 pointer into the body as it was sent (or `#query/name`, `#path/name`, `#header/name`),
    a stable code, and the bounds that were broken: `min`, `max`, `min_length`, `limit` (of letters or items), `pattern`
    and `expected` (in words, by language), `allowed`, `field` (the name that is missing or unknown). A fault in a file
    has its `row`, and what was `given` there (by language). `text` is a sentence of its own (by language)."""

    pointer: str
    code: str
    bounds: Mapping[str, Any] = MappingProxyType({})


def escape(name: str) -> str:
    """The name of a member as a part of a pointer."""
    return name.replace("~", "~0").replace("/", "~1")


class CardstockError(Exception):
    """A refusal, with the `facts` that its text and a client need, and the fields that are wrong."""

    def __init__(self, refusal: "Refusal", /, *, pointers: tuple[Pointer, ...] = (), **facts: object) -> None:
        super().__init__(refusal.code, facts)
        self.refusal = refusal
        self.facts = facts
        self.pointers = pointers
        self.enclosed: dict[str, Any] = {}
        """What the answer has beside the refusal, by name, as JSON data: such as a fresh quote."""

    @property
    def code(self) -> str:
        """The stable code, such as `STOCK_SHORT`."""
        return self.refusal.code


class InvalidError(CardstockError):
    """The request itself is wrong."""


class UnauthorizedError(CardstockError):
    """No caller, or one whose credentials do not hold."""


class ForbiddenError(CardstockError):
    """A known caller without the right."""


class NotFoundError(CardstockError):
    """No such thing, or somebody else's: a client must not be able to distinguish them."""


class ConflictError(CardstockError):
    """Right request, wrong state."""


class RefusedError(CardstockError):
    """A rule of the business, the plan or the law says no."""


class TooLargeError(CardstockError):
    """More than the documented limit."""


class ThrottledError(CardstockError):
    """Too often."""


class UnavailableError(CardstockError):
    """A service we depend on gave no answer. Safe to repeat."""


class Refusal(msgspec.Struct, frozen=True):
    """A code with its kind and what a person reads; `{name}` in the texts takes a fact of the error.

    `raise STOCK_SHORT(skus=skus)` raises it: calling it makes the error. `about_time`: it depends on what time it is,
    so its answer says what time it is for the shop. `about`: the members of bodies that it is about; its answer points
    at the one that was sent. `alarm`: the metric that counts it, for what people of the brand must repair. A fact
    `retry_after` is in whole seconds, and becomes the header of that name.
    """

    code: str
    kind: type[CardstockError]
    zh: str
    en: str
    about_time: bool = False
    alarm: str = ""
    header: str = ""
    """The header that it is about, in place of a member."""
    about: tuple[str, ...] = ()

    def __call__(self, *, pointers: tuple[Pointer, ...] = (), **facts: object) -> CardstockError:
        return self.kind(self, pointers=pointers, **facts)

    def text(self, facts: dict[str, object], language: str) -> str:
        """What a person reads in `zh` or `en`. Facts whose names end with `_fen` are shown in yuan: `¥1,234.50`; those
        that are codes in words (`CODES_IN_WORDS`); `{wait}` is `retry_after` in minutes or hours, rounded up."""
        shown = {name: _yuan(value) if name.endswith("_fen") else value for name, value in facts.items()}
        for name, words in CODES_IN_WORDS.items():
            if name in facts:
                shown[name] = words[str(facts[name])][language == "en"]
        if "retry_after" in facts:
            shown["wait"] = _wait(facts["retry_after"], english=language == "en")
        return (self.en if language == "en" else self.zh).format_map(shown)


CODES_IN_WORDS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "purpose": {
        "account": ("账号与购物", "Account and shopping"),
        "card_visits": ("名片访问记录", "Visits of cards"),
        "recommendations": ("个性化推荐", "Personal recommendations"),
        "identity_check": ("实名核验", "Identity check"),
        "bank_account": ("收款银行账户", "Bank account"),
    }
}
"""By fact what a text says for each of its codes, in Chinese and English. The code itself is in `facts`."""


def _yuan(fen: Any) -> str:
    if not isinstance(fen, int):
        return ""  # an action without a sum
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{abs(fen) // 100:,}.{abs(fen) % 100:02}"


def _wait(seconds: Any, *, english: bool) -> str:
    for unit, zh, en in ((3600, "小时", "hour"), (60, "分钟", "minute"), (1, "秒", "second")):
        if seconds >= unit * 2 or unit == 1:
            count = -(-seconds // unit)
            return f"{count} {en}{'' if count == 1 else 's'}" if english else f"{count} {zh}"
    raise AssertionError


def timed(refusal: Refusal) -> Refusal:
    """A refusal that depends on what time it is."""
    return replace(refusal, about_time=True)


def invalid(code: str, *, zh: str, en: str, about: tuple[str, ...] = (), header: str = "") -> Refusal:
    return Refusal(code, InvalidError, zh, en, about=about, header=header)


def unauthorized(code: str, *, zh: str, en: str, about: tuple[str, ...] = ()) -> Refusal:
    return Refusal(code, UnauthorizedError, zh, en, about=about)


def forbidden(code: str, *, zh: str, en: str, about: tuple[str, ...] = ()) -> Refusal:
    return Refusal(code, ForbiddenError, zh, en, about=about)


def not_found(code: str, *, zh: str, en: str) -> Refusal:
    return Refusal(code, NotFoundError, zh, en)


def conflict(code: str, *, zh: str, en: str, about: tuple[str, ...] = ()) -> Refusal:
    return Refusal(code, ConflictError, zh, en, about=about)


def refused(code: str, *, zh: str, en: str, about: tuple[str, ...] = (), header: str = "") -> Refusal:
    return Refusal(code, RefusedError, zh, en, about=about, header=header)


def too_large(code: str, *, zh: str, en: str) -> Refusal:
    return Refusal(code, TooLargeError, zh, en)


def throttled(code: str, *, zh: str, en: str) -> Refusal:
    return Refusal(code, ThrottledError, zh, en)


def unavailable(code: str, *, zh: str, en: str) -> Refusal:
    return Refusal(code, UnavailableError, zh, en)


BODY_INVALID: Final = invalid("BODY_INVALID", zh="请求内容不正确。", en="The request body is not valid.")
QUERY_INVALID: Final = invalid("QUERY_INVALID", zh="查询参数不正确。", en="A query parameter is not valid.")
IDEMPOTENCY_KEY_REUSED: Final = refused(
    "IDEMPOTENCY_KEY_REUSED",
    zh="同一个 Idempotency-Key 被用于不同的请求；请为新的请求生成新的键。",
    en="This Idempotency-Key was used with another request body; make a new key for a new request.",
    header="Idempotency-Key",
)
SIGNATURE_MISSING: Final = unauthorized(
    "SIGNATURE_MISSING",
    zh="请求头 {header} 缺失或格式不正确。",
    en="The header {header} is missing or malformed.",
)
SIGNATURE_INVALID: Final = unauthorized(
    "SIGNATURE_INVALID",
    zh="签名与内容、消息编号、时间戳不符：请检查密钥，并对原始字节签名。",
    en="The signature does not fit body, message id and timestamp: check the secret, and sign the raw bytes.",
)
SIGNATURE_STALE: Final = timed(
    unauthorized(
        "SIGNATURE_STALE",
        zh="签名正确，但消息时间 {sent_at} 与商城时间 {shop_time} 相差超过五分钟。",
        en="The signature is right, but its time {sent_at} is more than five minutes from the shop's, {shop_time}.",
    )
)
NOT_FOUND: Final = not_found("NOT_FOUND", zh="没有找到。", en="Not found.")
MEMBER_ERASED: Final = unauthorized(
    "MEMBER_ERASED",
    zh="账号已注销，约一天后可重新注册。",
    en="This account is closed. About a day after that one can register again.",
)
MEMBER_CLOSING: Final = refused(
    "MEMBER_CLOSING",
    zh="账号正在注销，不能再下单或绑定邀请人，且不能撤回。可查看注销进度、已有订单和余额。",
    en="This account is being closed, which cannot be taken back: no new orders and no inviter. How the closing "
    "stands, the orders and the balance can still be read.",
)
CONSENT_MISSING: Final = refused(
    "CONSENT_MISSING",
    zh="须先阅读并同意“{purpose}”的说明（第 {version} 版）。",
    en="This needs your consent to “{purpose}”, version {version}: read its text, and agree.",
    about=("consents",),
)
QUEUE_UNAVAILABLE: Final = unavailable(
    "QUEUE_UNAVAILABLE", zh="系统繁忙，请稍后重试。", en="The queue did not answer; try again."
)
REGION_UNKNOWN: Final = invalid(
    "REGION_UNKNOWN",
    zh="没有这个行政区划代码，或须精确到市、区县。",
    en="There is no region with this code, or a city or district is needed.",
)
SUPPLIER_UNKNOWN: Final = invalid("SUPPLIER_UNKNOWN", zh="供应商不存在。", en="There is no such supplier.")
INVITER_UNKNOWN: Final = refused(
    "INVITER_UNKNOWN", zh="邀请人不存在。", en="There is no such inviter.", about=("invite", "inviter")
)
INVITER_SELF: Final = refused(
    "INVITER_SELF", zh="不能邀请自己。", en="Members cannot invite themselves.", about=("invite", "inviter")
)
INVITER_BOUND: Final = refused(
    "INVITER_BOUND", zh="已经绑定了邀请人。", en="Another inviter is bound already.", about=("invite", "inviter")
)
INVITER_TOO_LATE: Final = refused(
    "INVITER_TOO_LATE",
    zh="首次付款后不能再绑定邀请人。",
    en="An inviter cannot be bound after the first paid order.",
    about=("invite", "inviter"),
)
INVITER_HAS_REFERRED: Final = refused(
    "INVITER_HAS_REFERRED",
    zh="已邀请过他人，不能再绑定邀请人。",
    en="A member who has invited others cannot be bound to an inviter.",
    about=("invite", "inviter"),
)
REASON_MISSING: Final = refused("REASON_MISSING", zh="请填写原因。", en="A reason is needed.", about=("reason",))
SECOND_PERSON_NEEDED: Final = timed(
    refused(
        "SECOND_PERSON_NEEDED",
        zh="须由另一人审批；人员创建后七天内，与其创建者、与同一人创建的人员之间都不能互相审批。",
        en="Another person has to approve. For seven days after a person is created, that person and its creator, or "
        "another person of the same creator, cannot approve each other's work.",
    )
)
STOCK_SHORT: Final = conflict(
    "STOCK_SHORT", zh="部分商品库存不足。", en="There is not enough of some products.", about=("quote", "add")
)
CHANNEL_UNAVAILABLE: Final = unavailable(
    "CHANNEL_UNAVAILABLE", zh="支付渠道暂时没有响应，请稍后重试。", en="The payment channel did not answer; try again."
)
REFUND_EXCEEDS_PAID: Final = refused(
    "REFUND_EXCEEDS_PAID", zh="退款金额超过实付金额。", en="This is more than was paid.", about=("amount_fen",)
)
FILE_DIFFERS: Final = conflict("FILE_DIFFERS", zh="文件已存在且内容不同。", en="The file exists with other contents.")
TOO_MANY: Final = throttled("TOO_MANY", zh="操作过于频繁，请在 {wait} 后重试。", en="Too often; try again in {wait}.")
STORE_UNAVAILABLE: Final = unavailable(
    "STORE_UNAVAILABLE", zh="系统繁忙，请稍后重试。", en="The store did not answer; try again."
)
STORE_BUSY: Final = unavailable("STORE_BUSY", zh="系统繁忙，请稍后重试。", en="The store is busy; try again.")
TOKEN_INVALID: Final = unauthorized("TOKEN_INVALID", zh="登录凭证无效。", en="The token is not valid.")
TOKEN_EXPIRED: Final = timed(
    unauthorized("TOKEN_EXPIRED", zh="凭证已过期，请换取新的。", en="The token has expired; get a new one.")
)
