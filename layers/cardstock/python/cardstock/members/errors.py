"""Refusals of the members area."""

from typing import Final

from msgspec.structs import replace

from cardstock.errors import forbidden, invalid, refused, throttled, unauthorized, unavailable

PLATFORM_UNKNOWN: Final = invalid(
    "PLATFORM_UNKNOWN", zh="不支持该登录平台。", en="This login platform is not available."
)
LOGIN_CODE_INVALID: Final = unauthorized(
    "LOGIN_CODE_INVALID",
    zh="登录码或手机号授权码无效，请重新获取后登录。",
    en="The login code or the phone code is not valid; get new codes and log in again.",
    about=("login_code",),
)
APP_UNKNOWN: Final = invalid(
    "APP_UNKNOWN",
    zh="该登录平台没有配置这个应用。",
    en="No such app of this login platform is configured.",
    about=("app_id",),
)
SESSION_ENDED: Final = unauthorized(
    "SESSION_ENDED", zh="登录已失效，请重新登录。", en="The session has ended; log in again."
)
LOGIN_TOO_OFTEN: Final = throttled(
    "LOGIN_TOO_OFTEN",
    zh="登录过于频繁，请在 {wait} 后重试。",
    en="Too many log-ins; try again in {wait}.",
)
LOGIN_BLOCKED: Final = forbidden(
    "LOGIN_BLOCKED",
    zh="平台认为该账号有风险，禁止登录，请勿重试。",
    en="The login platform blocks this account; do not try again.",
)
PHONE_NOT_GRANTED: Final = forbidden(
    "PHONE_NOT_GRANTED",
    zh="未获得手机号授权。",
    en="The platform did not grant the telephone number.",
    about=("phone_code",),
)
PLATFORM_UNAVAILABLE: Final = unavailable(
    "PLATFORM_UNAVAILABLE",
    zh="登录平台暂时没有响应，请稍后重试。",
    en="The login platform did not answer; try again.",
)
LOGIN_CODES_USED: Final = unauthorized(
    "LOGIN_CODES_USED",
    zh="登录平台的答复不可用，登录码和手机号授权码可能已失效，请重新获取后再试。",
    en="The login platform gave no usable answer, and its codes may be used up: get new ones and try again.",
)
PLATFORM_MISCONFIGURED: Final = replace(
    unavailable(
        "PLATFORM_MISCONFIGURED",
        zh="登录平台暂时不可用，请稍后重试。",
        en="The login platform is unavailable; try again later.",
    ),
    alarm="PlatformMisconfigured",
)
CONSENT_OUTDATED: Final = refused(
    "CONSENT_OUTDATED",
    zh="“{purpose}”的说明已更新为第 {version} 版，请重新阅读并同意。",
    en="The text of “{purpose}” is of version {version} now; read it, and agree to that.",
    about=("version",),
)
CONSENT_NEEDED: Final = refused(
    "CONSENT_NEEDED",
    zh="没有“{purpose}”的同意就不能保留账号；如需撤回，请注销账号。",
    en="There is no account without the consent to “{purpose}”; to withdraw it, close the account.",
)
PHONE_MISSING: Final = refused("PHONE_MISSING", zh="尚未绑定手机号。", en="The member has no telephone number.")
PHONE_HELD: Final = refused(
    "PHONE_HELD",
    zh="该手机号属于另一个账号，不能改绑到这里。",
    en="This telephone number belongs to another account and stays there.",
    about=("phone_code",),
)
LINKED_TO_STAFF: Final = refused(
    "LINKED_TO_STAFF",
    zh="该账号已关联员工，须先由所有者解除关联。",
    en="This member is linked with a person of the staff; an owner must release the link first.",
)
MERGE_CODE_INVALID: Final = refused(
    "MERGE_CODE_INVALID",
    zh="合并码无效或已过期，请重新获取。",
    en="The merge code is not valid or has expired; get a new one.",
    about=("code",),
)
MERGED_WITH_OTHERS: Final = refused(
    "MERGED_WITH_OTHERS",
    zh="该账号已与其他账号合并，须先撤销。",
    en="This account is merged with others; undo that first.",
)
MERGED_TOO_MANY: Final = refused(
    "MERGED_TOO_MANY",
    zh="同一人最多合并 {most} 个账号。",
    en="One person may have {most} accounts at most.",
)
IDENTITIES_DIFFER: Final = refused(
    "IDENTITIES_DIFFER",
    zh="两个账号的实名身份不同，不能合并。",
    en="The two accounts were verified as different persons and cannot be merged.",
)
MERGE_FINAL: Final = refused(
    "MERGE_FINAL",
    zh="合并已超过 30 天，不能撤销。",
    en="The merge is older than 30 days and cannot be undone.",
)
ORDERS_OPEN: Final = refused(
    "ORDERS_OPEN",
    zh="还有未完成的订单：{orders}。请先完成、取消，或全部退款。",
    en="Orders are still open: {orders}. Complete or cancel them, or have them refunded whole, first.",
)
REFUNDS_OPEN: Final = refused(
    "REFUNDS_OPEN",
    zh="还有未完成的退款，订单：{orders}。请等待退款结束；被支付渠道拒绝的退款由客服处理。",
    en="Refunds are still open, of the orders {orders}. Wait until they have ended; the shop's staff decide those that "
    "the payment channel has refused.",
)
DEBT_OPEN: Final = refused(
    "DEBT_OPEN",
    zh="账户还有欠款 {debt_fen}，请先结清。",
    en="The account owes {debt_fen}; that must be settled first.",
)
GIVE_UP_DIFFERS: Final = refused(
    "GIVE_UP_DIFFERS",
    zh="放弃的金额须等于可提现余额 {available_fen}。",
    en="The sum to give up must be what is available: {available_fen}.",
    about=("give_up",),
)
ID_NUMBER_INVALID: Final = invalid("ID_NUMBER_INVALID", zh="身份证号码不正确。", en="The identity number is not valid.")
IDENTITY_FIXED: Final = refused(
    "IDENTITY_FIXED", zh="已完成实名认证，不能更改。", en="The identity has been verified and cannot be changed."
)
IDENTITY_IN_USE: Final = refused(
    "IDENTITY_IN_USE",
    zh="该身份已绑定过多账号。",
    en="Too many members have been verified as this person.",
    about=("id_number",),
)
IDENTITY_TAKEN: Final = refused(
    "IDENTITY_TAKEN",
    zh="经核实，该身份不属于本账户，不能再次认证。如有异议请联系客服。",
    en="This identity was found not to be that of the account's holder. It cannot be verified here again.",
    about=("id_number",),
)
IDENTITY_MISSING: Final = refused(
    "IDENTITY_MISSING", zh="该会员没有实名身份。", en="The member has no verified identity."
)
IDENTITY_MISMATCH: Final = refused(
    "IDENTITY_MISMATCH",
    zh="姓名与身份证号码不一致。",
    en="The name and the identity number do not belong together.",
    about=("id_number",),
)
IDENTITY_UNAVAILABLE: Final = unavailable(
    "IDENTITY_UNAVAILABLE",
    zh="实名认证服务暂时没有响应，请稍后重试。",
    en="The identity service did not answer; try again.",
)
IDENTITY_MISCONFIGURED: Final = replace(
    unavailable(
        "IDENTITY_MISCONFIGURED",
        zh="实名认证暂时不可用，请稍后重试。",
        en="Identity verification is unavailable; try again later.",
    ),
    alarm="PlatformMisconfigured",
)
VERIFICATION_MISSING: Final = refused(
    "VERIFICATION_MISSING", zh="暂不支持实名认证。", en="Identity verification is not available here."
)
