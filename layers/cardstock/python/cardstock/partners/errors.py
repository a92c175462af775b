"""Refusals of the partners area."""

from typing import Final

from cardstock.errors import conflict, forbidden, invalid, refused

SCOPE_UNKNOWN: Final = invalid(
    "SCOPE_UNKNOWN", zh="没有这些权限：{scopes}。", en="There are no such scopes: {scopes}.", about=("scopes",)
)
SCOPE_FOR_STAFF: Final = refused(
    "SCOPE_FOR_STAFF", zh="供应商密钥不能拥有该权限。", en="A supplier's key cannot have this scope.", about=("scopes",)
)
OWNER_UNKNOWN: Final = invalid(
    "OWNER_UNKNOWN",
    zh="密钥归属须为在职人员编号（stf_）或已有供应商编号（sup_）。",
    en="The owner of a key is an active person (stf_...) or a supplier (sup_...) that exists.",
)
KEY_OF_ANOTHER: Final = forbidden(
    "KEY_OF_ANOTHER",
    zh="人员密钥只能为本人或供应商创建密钥；其他人员的密钥由根密钥创建。",
    en="A person's key creates keys of that person and of suppliers; the root key creates those of other persons.",
    about=("owner",),
)
SCOPE_NOT_HELD: Final = forbidden(
    "SCOPE_NOT_HELD",
    zh="不能授予自己的密钥所没有的权限：{scopes}。",
    en="A key cannot give a scope that it does not have itself: {scopes}.",
    about=("scopes",),
)
SCOPE_NOT_IN_ROLES: Final = forbidden(
    "SCOPE_NOT_IN_ROLES",
    zh="该员工的角色不含这些权限：{scopes}。",
    en="The person's roles do not give these scopes: {scopes}.",
    about=("scopes",),
)
SUPPLIER_ID_INVALID: Final = invalid(
    "SUPPLIER_ID_INVALID",
    zh="供应商编号须为 sup_ 加 1 至 26 位小写字母或数字。",
    en="A supplier id is sup_ and 1 to 26 lower-case letters or digits.",
)
MESSAGE_ID_REUSED: Final = refused(
    "MESSAGE_ID_REUSED", zh="同一消息编号对应不同内容。", en="This message id was used with another body."
)
URL_REFUSED: Final = invalid(
    "URL_REFUSED",
    zh="回调地址须为公网 https 地址（443 端口），且不含账号信息。",
    en="A webhook URL is https on port 443 of a public host, without credentials in it.",
)
TOO_MANY_ENDPOINTS: Final = refused(
    "TOO_MANY_ENDPOINTS", zh="回调地址最多 {limit} 个。", en="There can be at most {limit} webhook endpoints."
)
ENDPOINT_NOT_ACTIVE: Final = conflict(
    "ENDPOINT_NOT_ACTIVE",
    zh="该回调地址未启用，无法投递。",
    en="Deliveries need an active endpoint with a URL.",
)
EVENT_UNKNOWN: Final = invalid("EVENT_UNKNOWN", zh="不支持的事件类型。", en="This type of event is not accepted here.")

CREATING_KEYS: Final = (
    SCOPE_UNKNOWN,
    OWNER_UNKNOWN,
    SCOPE_FOR_STAFF,
    KEY_OF_ANOTHER,
    SCOPE_NOT_HELD,
    SCOPE_NOT_IN_ROLES,
)
