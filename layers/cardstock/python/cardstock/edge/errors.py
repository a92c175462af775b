"""Refusals of the edge: callers, headers, cursors, routes."""

from typing import Final

from cardstock.errors import forbidden, invalid, not_found, too_large, unauthorized

BODY_TOO_LARGE: Final = too_large(
    "BODY_TOO_LARGE", zh="请求内容超过 256 KB。", en="The request body is larger than 256 KB."
)
HEADER_INVALID: Final = invalid("HEADER_INVALID", zh="请求头 {header} 不正确。", en="The header {header} is not valid.")
CURSOR_INVALID: Final = invalid(
    "CURSOR_INVALID", zh="翻页标记无效，请重新开始。", en="The cursor is not valid; start again without it."
)
IDEMPOTENCY_KEY_MISSING: Final = invalid(
    "IDEMPOTENCY_KEY_MISSING",
    zh="缺少 Idempotency-Key 请求头。",
    en="The Idempotency-Key header is missing.",
    header="Idempotency-Key",
)
CREDENTIALS_MISSING: Final = unauthorized("CREDENTIALS_MISSING", zh="请先登录。", en="Log in first.")
KEY_INVALID: Final = unauthorized("KEY_INVALID", zh="接口密钥无效。", en="The API key is not valid.")
SCOPE_MISSING: Final = forbidden(
    "SCOPE_MISSING", zh="您没有进行此操作的权限。", en="You may not do this: a permission is missing."
)
NOT_A_MEMBER: Final = forbidden("NOT_A_MEMBER", zh="该接口仅限会员使用。", en="Only members can do this.")
NOT_A_KEY: Final = forbidden("NOT_A_KEY", zh="该接口需要接口密钥。", en="Only holders of an API key can do this.")
NOT_IN_CONSOLE: Final = forbidden(
    "NOT_IN_CONSOLE",
    zh="该接口仅限已登录控制台的员工使用。",
    en="Only a person who is logged in to the console can do this.",
)
STAFF_SESSION_OVER: Final = unauthorized(
    "STAFF_SESSION_OVER", zh="控制台登录已失效，请重新登录。", en="The session of the console has ended; log in again."
)
ORIGIN_REFUSED: Final = forbidden(
    "ORIGIN_REFUSED",
    zh="请在控制台自己的页面上操作。",
    en="Do this on the console's own page.",
)
OWN_MEMBER: Final = forbidden(
    "OWN_MEMBER",
    zh="该事项涉及您本人的会员账号，请由其他员工处理。",
    en="This is about your own member account; another person of the staff must do it.",
)
ROUTE_UNKNOWN: Final = not_found("ROUTE_UNKNOWN", zh="没有这个接口。", en="There is no such endpoint.")
