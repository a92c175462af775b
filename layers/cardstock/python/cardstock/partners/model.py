"""Partners: who holds an API key, which suppliers there are, and what they sent."""

from dataclasses import dataclass
from datetime import datetime

SCOPES = frozenset({
    "keys:write",
    "suppliers:write",
    "catalog:write",
    "plans:publish",
    "network:appoint",
    "payouts:read",
    "payouts:approve",
    "payouts:settle",
    "orders:fulfil",
    "webhooks:write",
})  # fmt: skip

STAFF = "staff"
"""Owner of the keys of the brand's own people; any other owner is a supplier id."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A credential of one named person or system. The secret itself is shown once and never stored."""

    key_id: str
    secret_sha256: str
    scopes: frozenset[str]
    owner: str
    name: str
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier and the secrets that sign its webhooks: the newest, and the one before it until the next rotation."""

    supplier_id: str
    name: str
    inbox_secrets: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message as it came, kept for 30 days; `done` once it has taken effect."""

    source: str
    message_id: str
    body: bytes
    received_at: datetime
    done: bool
