"""How the API document names and introduces the routes of the staff area. No function imports this."""

from typing import Final

from cardstock.edge.operations import Family, Operation, PathValue

FAMILIES: Final = (
    Family(
        "staff",
        "Staff",
        "员工",
        "The brand's own people, whose API keys and approvals are theirs by id.",
        "品牌方的员工；接口密钥和审批按员工编号归属到人。",
        {
            "POST /v1/staff": Operation("createPerson", "Create a person", "新建员工"),
            "GET /v1/staff": Operation("listStaff", "List the staff", "列出员工"),
            "DELETE /v1/staff/{person_id}": Operation("deactivatePerson", "Deactivate a person", "停用员工"),
            "PUT /v1/staff/{person_id}/invitation": Operation("invitePerson", "Invite a person", "邀请员工关联会员"),
            "POST /v1/staff/{person_id}/link-releases": Operation("releaseLink", "Release a link", "解除员工关联"),
            "PUT /v1/staff/{person_id}/roles": Operation("putRoles", "Give roles", "设置员工角色"),
            "DELETE /v1/staff/{person_id}/sessions": Operation(
                "endStaffSessions", "End a person's sessions", "结束员工登录"
            ),
            "GET /v1/staff-roles": Operation("listRoles", "List the roles", "列出角色"),
            "GET /v1/staff-actions": Operation("listStaffActions", "List staff actions", "列出员工操作记录"),
            "POST /v1/staff-logins": Operation("askStaffLogin", "Ask to log in", "请求登录控制台"),
            "POST /v1/staff-sessions": Operation("collectStaffSession", "Collect a session", "领取控制台会话"),
            "GET /v1/staff-sessions/current": Operation("getStaffSession", "Read the session", "查看控制台会话"),
            "DELETE /v1/staff-sessions/current": Operation("endStaffSession", "Leave the console", "退出控制台"),
            "DELETE /v1/staff-sessions": Operation("endAllStaffSessions", "Leave every console", "退出所有控制台"),
            "PUT /v1/me/staff": Operation("acceptInvitation", "Accept an invitation", "接受员工邀请"),
            "GET /v1/me/staff/confirmations": Operation(
                "listConfirmations", "List pending confirmations", "列出待确认的资金操作"
            ),
            "PUT /v1/me/staff/confirmations/{confirmation_id}": Operation(
                "answerConfirmation", "Answer a confirmation", "确认或拒绝资金操作"
            ),
            "GET /v1/me/staff-logins": Operation("listStaffLogins", "List waiting log-ins", "列出待确认的登录"),
            "PUT /v1/me/staff-logins/{login_id}": Operation("chooseDigits", "Confirm a log-in", "确认控制台登录"),
        },
    ),
)
PATH_VALUES: Final = {
    "confirmation_id": PathValue(
        "cfm_01kbdxdh50fcazdjhcnqh2rzv5", "Confirmation of one step of money, as the refused call names it."
    ),
    "login_id": PathValue("a3f1" * 16, "Log-in to the console that is meant."),
    "person_id": PathValue("stf_01kbdx9q7r5t3v1w8y6z4a2c0e", "Person of the staff who is meant."),
}
