"""Refusals of the bank accounts area."""

from typing import Final

from cardstock.errors import conflict, invalid, refused

ACCOUNT_NUMBER_INVALID: Final = invalid(
    "ACCOUNT_NUMBER_INVALID",
    zh="银行账号不正确，请核对。",
    en="This is no bank account number; check it.",
)
HOLDER_UNVERIFIED: Final = refused(
    "HOLDER_UNVERIFIED",
    zh="请先完成实名认证。",
    en="Verify your identity first: the holder has to be you.",
    about=("holder",),
)
HOLDER_DIFFERS: Final = refused(
    "HOLDER_DIFFERS", zh="户名须与实名认证的姓名一致。", en="The holder has to be the person who was verified."
)
BANK_ACCOUNT_CHANGED: Final = conflict(
    "BANK_ACCOUNT_CHANGED",
    zh="账户刚被更新，请重试。",
    en="The account has changed meanwhile; try again.",
    about=("account_id",),
)
NO_OPEN_CHANGE: Final = conflict(
    "NO_OPEN_CHANGE", zh="该变更已处理或已被替换。", en="The change is decided already, or another one took its place."
)
PERSON_NEEDED_TO_CONFIRM: Final = refused(
    "PERSON_NEEDED_TO_CONFIRM",
    zh="账户变更须由本人以外的员工确认。",
    en="A person of the staff has to decide on this, and not the one who set it.",
)
