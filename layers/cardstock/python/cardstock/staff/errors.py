"""Refusals of the staff area."""

from typing import Final

from cardstock.errors import conflict, forbidden, refused, timed, unauthorized

FIRST_PERSONS_EXIST: Final = refused(
    "FIRST_PERSONS_EXIST",
    zh="根密钥只能创建最初两名人员。",
    en="The root key creates only the first two persons; persons of the staff create the others.",
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

PHONE_NEEDED: Final = refused(
    "PHONE_NEEDED",
    zh="审批资金须在本人手机上确认，而您尚未关联会员。请让所有者邀请您，并在小程序中接受邀请。",
    en="Approving money needs a yes on your phone, and no member is linked with you: have an owner invite you, and "
    "accept the invitation in the mini-program.",
)
CONFIRMATION_NEEDED: Final = timed(
    conflict(
        "CONFIRMATION_NEEDED",
        zh="请在 {expires_at} 之前在手机上确认，然后重复本请求；此前不会执行任何操作。",
        en="Confirm it on your phone until {expires_at}, then repeat this request; nothing is done before.",
    )
)
CONFIRMATION_DECLINED: Final = timed(
    conflict(
        "CONFIRMATION_DECLINED",
        zh="手机上已拒绝，或此后更换了关联会员；{expires_at} 之后可重新发起。",
        en="The phone said no, or another member is linked with you since; ask again after {expires_at}.",
    )
)
CONFIRMATION_EXPIRED: Final = timed(
    conflict(
        "CONFIRMATION_EXPIRED",
        zh="该确认已过期，请重新发起审批。",
        en="This confirmation has expired; repeat the approval to get a new one.",
    )
)
CONFIRMATION_ANSWERED: Final = conflict(
    "CONFIRMATION_ANSWERED", zh="该确认已作出另一答复。", en="This confirmation was answered otherwise."
)
NOT_STAFF: Final = forbidden(
    "NOT_STAFF", zh="该账号未关联在职员工。", en="This member is not linked with an active person of the staff."
)

CONFIRMING: Final = (PERSON_NEEDED, PERSON_INACTIVE, PHONE_NEEDED, CONFIRMATION_NEEDED, CONFIRMATION_DECLINED)
"""What every route that approves money may answer until the phone has said yes."""
DIGITS_WRONG: Final = refused(
    "DIGITS_WRONG",
    zh="数字与页面显示的不一致，本次登录已作废。",
    en="These are not the digits that the page shows; the log-in is over.",
    about=("digits",),
)
LOGIN_OVER: Final = unauthorized(
    "LOGIN_OVER", zh="登录已失效，请重新开始。", en="This log-in is over; start a new one."
)
