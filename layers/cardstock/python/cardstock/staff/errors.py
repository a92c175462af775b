"""Refusals of the staff area."""

from typing import Final

from cardstock.errors import forbidden, refused, timed

FIRST_PERSONS_EXIST: Final = refused(
    "FIRST_PERSONS_EXIST",
    zh="根密钥只能创建最初两名人员。",
    en="The root key creates only the first two persons; a key with staff:write creates others.",
)
CREATOR_TOO_NEW: Final = timed(
    refused(
        "CREATOR_TOO_NEW",
        zh="人员创建满七天后才能创建或停用其他人员。",
        en="A person can create or deactivate others seven days after being created.",
    )
)
PERSON_NEEDED: Final = forbidden(
    "PERSON_NEEDED", zh="根密钥不能执行此操作，请使用个人密钥。", en="The root key cannot do this; use a person's key."
)
PERSON_INACTIVE: Final = forbidden("PERSON_INACTIVE", zh="您已被停用。", en="You have been deactivated yourself.")
LAST_PERSONS: Final = refused(
    "LAST_PERSONS",
    zh="至少须保留两名在职人员，请先创建另一名人员。",
    en="Two active persons must remain; create another person first.",
)
OWN_PERSON: Final = refused("OWN_PERSON", zh="不能停用本人。", en="A person cannot deactivate themself.")
OWN_RIGHTS: Final = refused(
    "OWN_RIGHTS",
    zh="不能更改本人的权限或关联，请由另一名所有者操作。",
    en="Nobody changes their own roles or link; another owner does it.",
)
FIRST_PERSONS_ONLY: Final = refused(
    "FIRST_PERSONS_ONLY",
    zh="根密钥只能邀请最初两名人员，其他人员由所有者邀请。",
    en="The root key invites only the first two persons; an owner invites others.",
)
PERSON_LINKED: Final = refused(
    "PERSON_LINKED",
    zh="该员工已关联会员，须先由所有者解除关联。",
    en="A member is linked with this person already; an owner must release the link first.",
)
INVITATION_INVALID: Final = refused(
    "INVITATION_INVALID",
    zh="邀请无效、已过期或已被使用，请让所有者重新邀请。",
    en="The invitation is unknown, expired or used; ask an owner for a new one.",
    about=("invitation",),
)
MEMBER_IS_STAFF: Final = refused(
    "MEMBER_IS_STAFF", zh="该账号已关联另一名员工。", en="This member is linked with another person of the staff."
)
