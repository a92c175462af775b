"""How the API document names and introduces the routes of the members area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, PathValue

FAMILIES: Final = (
    Family(
        "sessions",
        "Sessions",
        "登录",
        "Logging in, and keeping a session alive.",
        {
            "POST /v1/auth/sessions": "openSession",
            "POST /v1/auth/refreshes": "refreshSession",
        },
    ),
    Family(
        "members",
        "Members",
        "会员",
        "The member's profile, identity, inviter and place in the referral network.",
        {
            "GET /v1/me": "getProfile",
            "PUT /v1/me": "putProfile",
            "PUT /v1/me/identity": "verifyIdentity",
            "POST /v1/me/inviter": "bindInviter",
            "GET /v1/me/distribution": "getDistribution",
            "POST /v1/members/{member_id}/partner-appointments": "appointPartner",
        },
    ),
)
PATH_VALUES: Final = {
    "member_id": PathValue("mem_01kbdxdh50fcazdjhcnqh2rzv5", "Member who is meant."),
}
