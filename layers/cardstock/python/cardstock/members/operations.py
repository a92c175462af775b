"""How the API document names and introduces the routes of the members area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "sessions",
        "Sessions",
        "登录",
        "Logging in, and keeping a session alive.",
        "登录，以及保持登录。",
        {
            "POST /v1/auth/sessions": Operation("openSession", "Log in", "登录"),
            "POST /v1/auth/refreshes": Operation("refreshSession", "Refresh a session", "刷新登录凭证"),
            "DELETE /v1/auth/sessions/current": Operation("endThisSession", "Log out here", "退出登录"),
            "GET /v1/me/sessions": Operation("listSessions", "List my sessions", "查看我的登录"),
            "DELETE /v1/me/sessions": Operation("endAllSessions", "Log out everywhere", "退出全部登录"),
            "DELETE /v1/me/sessions/{session_id}": Operation("endSession", "End a session", "结束一个登录"),
        },
    ),
    Family(
        "consents",
        "Consents",
        "个人信息同意",
        "What members' data are processed for, and what members agree to.",
        "处理会员个人信息的目的，以及会员的同意与撤回。",
        {
            "GET /v1/consent-purposes": Operation("listConsentPurposes", "List purposes of consents", "查看处理目的"),
            "GET /v1/me/consents": Operation("listConsents", "List my consents", "查看我的同意"),
            "PUT /v1/me/consents/{purpose}": Operation("putConsent", "Give or withdraw consent", "同意或撤回"),
        },
    ),
    Family(
        "members",
        "Members",
        "会员",
        "The member's profile, identity, inviter and place in the referral network.",
        "会员的资料、实名、推荐人和在推荐网络中的位置。",
        {
            "GET /v1/me": Operation("getProfile", "Get my profile", "查看我的资料"),
            "PUT /v1/me": Operation("putProfile", "Replace my profile", "修改我的资料"),
            "PUT /v1/me/phone": Operation("changePhone", "Change my number", "更换手机号"),
            "PUT /v1/me/joining": Operation("openJoining", "Let an account join", "允许另一账号加入"),
            "PUT /v1/me/identity": Operation("verifyIdentity", "Verify my real name", "实名认证"),
            "POST /v1/me/inviter": Operation("bindInviter", "Bind an inviter", "绑定推荐人"),
            "GET /v1/me/distribution": Operation("getDistribution", "Get my network place", "查看我在推荐网络中的位置"),
            "GET /v1/me/closing": Operation("getClosing", "Get my account's closing", "查看注销条件"),
            "PUT /v1/me/closing": Operation("closeAccount", "Close my account", "注销账号"),
            "POST /v1/me/exports": Operation("askExport", "Ask for my data", "申请导出我的数据"),
            "GET /v1/me/exports": Operation("listExports", "List my exports", "查看我的数据导出"),
            "GET /v1/me/exports/{export_id}": Operation("getExport", "Get an export", "获取数据导出"),
            "PUT /v1/me/merge-code": Operation("putMergeCode", "Get a merge code", "获取合并码"),
            "POST /v1/me/merges": Operation("mergeAccounts", "Merge two accounts", "合并账号"),
            "GET /v1/me/merges": Operation("listMergedAccounts", "List merged accounts", "查看已合并账号"),
            "DELETE /v1/me/merges/{member_id}": Operation("undoMerge", "Undo a merge", "撤销合并"),
            "GET /v1/headquarters/members": Operation("listMembers", "List members", "总部：列出会员"),
            "GET /v1/headquarters/members/{member_id}": Operation("getMember", "Get a member", "总部：查看会员"),
            "POST /v1/headquarters/members/{member_id}/identity-disputes": Operation(
                "disputeIdentity", "Dispute an identity", "总部：提出撤下实名身份"
            ),
            "POST /v1/members/{member_id}/partner-appointments": Operation(
                "appointPartner", "Appoint a partner", "任命合伙人"
            ),
        },
    ),
)
PATH_VALUES: Final = {
    "purpose": PathValue("card_visits", "One of the purposes of `GET /v1/consent-purposes`."),
    "session_id": PathValue("ses_01kbdxdh50fcazdjhcnqh2rzv5", "One of the member's sessions."),
    "export_id": PathValue("exp_01kbdxdh50fcazdjhcnqh2rzv5", "One of the member's exports."),
    "member_id": PathValue("mem_01kbdxdh50fcazdjhcnqh2rzv5", "Member who is meant."),
}
