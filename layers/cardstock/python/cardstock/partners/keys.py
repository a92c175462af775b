"""API keys: creating and revoking the credentials of persons and suppliers."""

import hashlib
import secrets
from typing import NamedTuple

from cardstock import clock
from cardstock.errors import NOT_FOUND
from cardstock.ids import RequestKey, derived_id
from cardstock.partners import errors
from cardstock.partners.model import SCOPES, SUPPLIER_SCOPES, ApiKey, KeyOwner, is_supplier_id
from cardstock.partners.ports import Keys

_PAGE = 100


class NewKey(NamedTuple):
    """An API key and its credential, which is None if the request is `replayed`."""

    key: ApiKey
    credential: str | None

    @property
    def replayed(self) -> bool:
        """Whether an earlier run of the same request had created the key and shown the credential."""
        return self.credential is None


def create_key(name: str, owner: KeyOwner, scopes: frozenset[str], request: RequestKey, *, keys: Keys) -> NewKey:
    """A new key and its credential, which is never shown again.

    For a repeat of `request` the credential is None: it was shown once, and is not stored. The caller checks that the
    owner exists. Raises `InvalidError` SCOPE_UNKNOWN; `RefusedError` SCOPE_FOR_STAFF for a supplier's key with more
    than a supplier's scopes.
    """
    unknown = scopes - SCOPES
    if unknown:
        raise errors.SCOPE_UNKNOWN(scopes=", ".join(sorted(unknown)))
    if is_supplier_id(owner.id) and scopes - SUPPLIER_SCOPES:
        raise errors.SCOPE_FOR_STAFF()
    secret = secrets.token_urlsafe(32)
    if not is_supplier_id(owner.id):
        # So that a request finds the person of a key without reading the key first (`edge.callers`).
        secret = f"{owner.id.removeprefix('stf_')}_{secret}"
    # Derived, so that two racing requests name the same key.
    key_id = derived_id("key", request.id)
    key = ApiKey(key_id, _digest(secret), scopes, owner.id, owner.name, name, clock.now())
    earlier = keys.add(key, request)
    if earlier is not None:
        stored = keys.find(earlier)
        if stored is None:
            raise NOT_FOUND()
        if stored.secret_sha256 != key.secret_sha256:
            return NewKey(stored, None)
        # The store has this very request: its first answer was lost.
    return NewKey(key, f"csk_{key_id.removeprefix('key_')}_{secret}")


def revoke_key(key_id: str, *, keys: Keys) -> None:
    """Revoke a key. Safe to repeat."""
    if not keys.revoke(key_id):
        raise NOT_FOUND()


def revoke_keys_of_owner(owner: str, *, keys: Keys) -> None:
    """Revoke all keys of `owner`. Safe to repeat; costs a page read and a write per active key."""
    after = None
    while True:
        found, after = keys.keys_of_owner(owner, _PAGE, after)
        for key in found:
            if key.active:
                keys.revoke(key.key_id)
        if after is None:
            return


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
