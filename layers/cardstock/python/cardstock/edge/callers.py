"""Who calls. Two credentials exist: a member's access token, and an API key of a partner or of staff.

A key reads `csk_<id>_<secret>`; only the secret's SHA-256 is stored. The root key (`csk_root_<secret>`) comes from the
admin secret and is good for making other keys only.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Callable
from typing import Protocol

import msgspec

from cardstock.clock import Clock
from cardstock.edge import errors
from cardstock.edge.tokens import Signer

ACCESS = "access"
_KEY_PREFIX = "csk_"


class Caller(msgspec.Struct, frozen=True):
    """Somebody whose credentials hold.

    `id` is a member id or a key id; `owner` whom a key acts for: a supplier id, or `staff`.
    """

    id: str
    kind: str
    scopes: frozenset[str]
    owner: str
    name: str


class StoredKey(Protocol):
    """What the store knows of a key; a structural view of the partners area's type."""

    @property
    def key_id(self) -> str: ...
    @property
    def secret_sha256(self) -> str: ...
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def owner(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def active(self) -> bool: ...


class Callers:
    """Turns an Authorization header into a `Caller`."""

    def __init__(
        self,
        *,
        signer: Signer,
        find_key: Callable[[str], StoredKey | None],
        admin_key: Callable[[], str],
        clock: Callable[[], Clock],
    ) -> None:
        self._signer = signer
        self._find_key = find_key
        self._admin_key = admin_key
        self._clock = clock

    def identify(self, authorization: str | None) -> Caller:
        """The caller. Raises `UnauthorizedError`: CREDENTIALS_MISSING, TOKEN_INVALID, TOKEN_EXPIRED or KEY_INVALID.

        A member's token costs no call; a key costs one read.
        """
        if not authorization:
            raise errors.CREDENTIALS_MISSING()
        scheme, _, credential = authorization.partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise errors.TOKEN_INVALID()
        if credential.startswith(_KEY_PREFIX):
            return self._key(credential)
        claims = self._signer.open(ACCESS, credential)
        return Caller(id=claims["sub"], kind="member", scopes=frozenset(), owner=claims["sub"], name="")

    def same_person(self, caller: Caller, key_id: str) -> bool:
        """Whether what was done with the key `key_id`, revoked since or not, was done by whoever calls now.

        A key is a person's by its name: what stands before the first comma, whatever the case and the spaces. One read,
        unless it is the very key.
        """
        if key_id == caller.id:
            return True
        other = self._find_key(key_id)
        return other is not None and _person(other.name) == _person(caller.name)

    def _key(self, credential: str) -> Caller:
        key_id, _, secret = credential.removeprefix(_KEY_PREFIX).partition("_")
        if key_id == "root":
            if not hmac.compare_digest(secret.encode(), self._admin_key().encode()):
                raise errors.KEY_INVALID()
            return Caller(id="key_root", kind="key", scopes=frozenset({"keys:write"}), owner="staff", name="root")
        stored = self._find_key(f"key_{key_id}")
        digest = hashlib.sha256(secret.encode()).hexdigest()
        if stored is None or not hmac.compare_digest(digest, stored.secret_sha256) or not stored.active:
            raise errors.KEY_INVALID()
        return Caller(id=stored.key_id, kind="key", scopes=stored.scopes, owner=stored.owner, name=stored.name)


def _person(name: str) -> str:
    """`Li Na, finance` and `LI  NA，reports` are `li na`."""
    who, _, _ = unicodedata.normalize("NFKC", name).partition(",")  # which makes it of a Chinese comma, too
    return " ".join(who.casefold().split())


def require(caller: Caller, scope: str) -> None:
    """Refuse a caller without `scope`."""
    if scope not in caller.scopes:
        raise errors.SCOPE_MISSING(scope=scope)
