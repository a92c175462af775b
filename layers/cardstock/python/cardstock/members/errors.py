"""Refusals of the members area."""

from typing import Final

from cardstock.errors import invalid, refused, unauthorized

PLATFORM_UNKNOWN: Final = invalid(
    "PLATFORM_UNKNOWN", zh="不支持该登录平台。", en="This login platform is not available."
)
LOGIN_CODE_INVALID: Final = unauthorized(
    "LOGIN_CODE_INVALID",
    zh="登录码无效，请重新登录。",
    en="The login code is not valid; log in again.",
    about=("login_code",),
)
PHONE_TAKEN: Final = refused(
    "PHONE_TAKEN",
    zh="该手机号已绑定其他账号。",
    en="This phone number belongs to another member.",
    about=("phone_code",),
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
IDENTITY_MISMATCH: Final = refused(
    "IDENTITY_MISMATCH",
    zh="姓名与身份证号码不一致。",
    en="The name and the identity number do not belong together.",
    about=("id_number",),
)
VERIFICATION_MISSING: Final = refused(
    "VERIFICATION_MISSING", zh="暂不支持实名认证。", en="Identity verification is not available here."
)
