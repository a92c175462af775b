"""Keys, suppliers, and the inbox that takes each message once."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from cardstock.clock import Clock
from cardstock.errors import InvalidError, NotFoundError, Pointer, RefusedError
from cardstock.ids import RequestKey, derived_id
from cardstock.partners.model import SCOPES, STAFF, ApiKey, InboxMessage, Supplier
from cardstock.partners.ports import Inbox, Keys, Suppliers

INBOX_KEPT = timedelta(days=30)
_SUPPLIER_ID = re.compile(r"sup_[a-z0-9]{1,26}\Z")


def create_key(
    name: str, owner: str, scopes: frozenset[str], request: RequestKey, *, keys: Keys, clock: Clock
) -> tuple[ApiKey, str | None]:
    """A new key and its credential, which is never shown again.

    Repeated with the same `request` the credential is None: it was shown once, and is not stored. Unknown scopes and
    `keys:write` for anybody but staff are refused.
    """
    unknown = scopes - SCOPES
    if unknown:
        raise InvalidError("SCOPE_UNKNOWN", scopes=", ".join(sorted(unknown)))
    if owner != STAFF and not _SUPPLIER_ID.match(owner):
        raise InvalidError("OWNER_UNKNOWN", pointers=(Pointer("/owner", "OUT_OF_RANGE"),))
    if owner != STAFF and scopes - {"orders:fulfil", "catalog:write", "webhooks:write"}:
        raise RefusedError("SCOPE_FOR_STAFF")
    secret = secrets.token_urlsafe(32)
    # Derived, so that a repeat names the same key whichever of two racing requests came first.
    key_id = derived_id("key", request.id)
    key = ApiKey(key_id, _digest(secret), scopes, owner, name, True, clock.now())
    earlier = keys.add(key, request)
    if earlier is not None:
        stored = keys.find(earlier)
        if stored is None:
            raise NotFoundError("NOT_FOUND")
        return stored, None
    return key, f"csk_{key_id.removeprefix('key_')}_{secret}"


def revoke_key(key_id: str, *, keys: Keys) -> None:
    """Make a key useless from now on. Safe to repeat."""
    if not keys.revoke(key_id):
        raise NotFoundError("NOT_FOUND")


def put_supplier(
    supplier_id: str, name: str, rotate: bool, *, suppliers: Suppliers, clock: Clock
) -> tuple[Supplier, str | None]:
    """Create or rename a supplier. The inbox secret is shown when it is made: at first, and when `rotate` asks for a
    new one, while the one before stays valid until the next rotation."""
    if not _SUPPLIER_ID.match(supplier_id):
        raise InvalidError("SUPPLIER_ID_INVALID", pointers=(Pointer("/supplier_id", "OUT_OF_RANGE"),))
    known = suppliers.find(supplier_id)
    secret = None
    if known is None or rotate:
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    if known is None:
        assert secret is not None  # a new supplier always gets one
        supplier = Supplier(supplier_id, name, (secret,), clock.now())
    else:
        kept = (secret, *known.inbox_secrets)[:2] if secret else known.inbox_secrets
        supplier = replace(known, name=name, inbox_secrets=kept)
    suppliers.put(supplier)
    return supplier, secret


def take_message(
    source: str, message_id: str, body: bytes, act: Callable[[], None], *, inbox: Inbox, clock: Clock
) -> bool:
    """Keep a verified message, let it take effect through `act`, and remember that it did.

    True if it took effect now, False if it had before. `act` must be safe to repeat: a crash between the two writes
    lets the sender's next attempt act again. Raises `RefusedError` when the id comes again with another body.
    """
    now = clock.now()
    message = InboxMessage(source, message_id, body, now, done=False)
    kept = inbox.receive(message, now + INBOX_KEPT)
    if kept.body != body:
        raise RefusedError("MESSAGE_ID_REUSED")
    if kept.done:
        return False
    act()
    inbox.done(source, message_id)
    return True


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
