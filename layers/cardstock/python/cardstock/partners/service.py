"""Keys, suppliers, and the inbox that takes each message once."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import timedelta

from msgspec.structs import replace

from cardstock.clock import Clock
from cardstock.errors import NOT_FOUND, STORE_BUSY, Pointer
from cardstock.ids import RequestKey, derived_id
from cardstock.partners import errors
from cardstock.partners.model import SCOPES, STAFF, SUPPLIER_SCOPES, ApiKey, InboxMessage, Supplier
from cardstock.partners.ports import Inbox, Keys, Suppliers

INBOX_KEPT = timedelta(days=30)
_SUPPLIER_ID = re.compile(r"sup_[a-z0-9]{1,26}\Z")
_ATTEMPTS = 4


def create_key(
    name: str, owner: str, scopes: frozenset[str], request: RequestKey, *, keys: Keys, clock: Clock
) -> tuple[ApiKey, str | None]:
    """A new key and its credential, which is never shown again.

    Repeated with the same `request` the credential is None: it was shown once, and is not stored. Unknown scopes, and
    for a supplier all but a supplier's own, are refused.
    """
    unknown = scopes - SCOPES
    if unknown:
        raise errors.SCOPE_UNKNOWN(scopes=", ".join(sorted(unknown)))
    if owner != STAFF and not _SUPPLIER_ID.match(owner):
        raise errors.OWNER_UNKNOWN(pointers=(Pointer("/owner", "OUT_OF_RANGE"),))
    if owner != STAFF and scopes - SUPPLIER_SCOPES:
        raise errors.SCOPE_FOR_STAFF()
    secret = secrets.token_urlsafe(32)
    # Derived, so that a repeat names the same key whichever of two racing requests came first.
    key_id = derived_id("key", request.id)
    key = ApiKey(key_id, _digest(secret), scopes, owner, name, True, clock.now())
    earlier = keys.add(key, request)
    if earlier is not None:
        stored = keys.find(earlier)
        if stored is None:
            raise NOT_FOUND()
        if stored.secret_sha256 != key.secret_sha256:
            return stored, None
        # What the store knew was this very request, whose first answer got lost on the way to us.
    return key, f"csk_{key_id.removeprefix('key_')}_{secret}"


def revoke_key(key_id: str, *, keys: Keys) -> None:
    """Make a key useless from now on. Safe to repeat."""
    if not keys.revoke(key_id):
        raise NOT_FOUND()


def put_supplier(supplier_id: str, name: str, *, suppliers: Suppliers, clock: Clock) -> tuple[Supplier, str | None]:
    """Create or rename a supplier. Its inbox secret is shown when this created it."""
    if not _SUPPLIER_ID.match(supplier_id):
        raise errors.SUPPLIER_ID_INVALID(pointers=(Pointer("/supplier_id", "OUT_OF_RANGE"),))
    secret = new_secret()
    stored = suppliers.add(Supplier(supplier_id, name, (secret,), clock.now()))
    if stored.name != name:
        suppliers.rename(supplier_id, name)
        stored = replace(stored, name=name)
    return stored, secret if stored.inbox_secrets == (secret,) else None


def rotate_inbox_secret(supplier_id: str, request: RequestKey, *, suppliers: Suppliers, clock: Clock) -> Supplier:
    """The supplier with a new inbox secret before the one it had: both are valid, so that it can change over.

    A repeat of `request` changes nothing: a lost answer does not cost the secret that is in use. Two rotations end a
    secret that leaked. Raises `NotFoundError`, and `UnavailableError` when others rotate too.
    """
    for _ in range(_ATTEMPTS):
        supplier = suppliers.find(supplier_id)
        if supplier is None:
            raise NOT_FOUND()
        if suppliers.rotate(supplier, (new_secret(), *supplier.inbox_secrets)[:2], request, clock.now()):
            return suppliers.find(supplier_id) or supplier
    raise STORE_BUSY()


def find_supplier(supplier_id: str, *, suppliers: Suppliers) -> Supplier | None:
    """The supplier, if there is one; whatever text the id is."""
    return suppliers.find(supplier_id) if _SUPPLIER_ID.match(supplier_id) else None


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
        raise errors.MESSAGE_ID_REUSED()
    if kept.done:
        return False
    act()
    inbox.done(source, message_id)
    return True


def new_secret() -> str:
    """A signing secret in the form of Standard Webhooks: 256 random bits."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
