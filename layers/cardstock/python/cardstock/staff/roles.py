"""Roles of persons: each a fixed set of scopes. What is not named here, no role may do.

Who may what follows the brand's division of work: finance moves money and sees no channel's secrets; operators set
products and campaigns and move no money; customer service refunds within limits and touches neither rewards nor
payouts; warehouse and store staff see no money; an owner gives roles and reads everything, and moves no money either.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

import msgspec

Role: TypeAlias = Literal["owner", "operator", "finance", "service", "warehouse", "store"]


class RoleTerms(msgspec.Struct, frozen=True):
    """What people call a role, in Chinese and English, and the scopes that it gives."""

    zh: str
    en: str
    scopes: frozenset[str]


ROLES: Final[Mapping[Role, RoleTerms]] = {
    "owner": RoleTerms(
        "所有者",
        "Owner",
        frozenset({
            "staff:write", "keys:write", "plans:publish", "plans:approve", "network:appoint",
            "orders:read", "members:read", "suppliers:read", "catalog:read", "sales:read", "payouts:read",
            "open_items:read",
        }),
    ),
    "operator": RoleTerms(
        "运营",
        "Operator",
        frozenset({
            "catalog:read", "catalog:write", "suppliers:read", "suppliers:write", "webhooks:write",
            "plans:publish", "network:appoint", "orders:read", "sales:read",
        }),
    ),
    "finance": RoleTerms(
        "财务",
        "Finance",
        frozenset({
            "payouts:read", "payouts:open", "payouts:approve", "payouts:settle", "bank_accounts:confirm",
            "bank_accounts:reveal", "debts:write_off", "open_items:read", "open_items:clear",
            "orders:read", "members:read", "suppliers:read", "sales:read",
        }),
    ),
    "service": RoleTerms(
        "客服",
        "Customer service",
        frozenset({"orders:read", "orders:refund", "members:read", "catalog:read"}),
    ),
    "warehouse": RoleTerms("仓库", "Warehouse", frozenset({"orders:fulfil", "catalog:read"})),
    "store": RoleTerms("门店", "Store", frozenset({"catalog:read"})),
}  # fmt: skip
"""The table of roles. `orders:fulfil` shows what is to be sent, without sums; money is `orders:read` and above."""
EVERY_ROLE: Final = frozenset(ROLES)


def scopes_of(roles: Iterable[Role]) -> frozenset[str]:
    """All scopes that the roles give together."""
    return frozenset().union(*(ROLES[role].scopes for role in roles))
