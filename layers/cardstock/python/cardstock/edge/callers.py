"""The caller of a request, by one of two credentials: a member's access token, or an API key of a supplier or person.

A key reads `csk_<id>_<secret>`; only the secret's SHA-256 is stored. The root key (`csk_root_<secret>`) comes from the
admin secret; it makes the first persons, and keys, and is no person itself.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final, Literal, Protocol

import msgspec

from cardstock.edge import errors
from cardstock.errors import TOKEN_INVALID
from cardstock.signing import ACCESS, Signer

ROOT_KEY_ID: Final = "key_root"
ROOT_SCOPES: Final = frozenset({"keys:write", "staff:write"})
_KEY_PREFIX = "csk_"


STAFF: Final = "staff"
_PERSON_PREFIX: Final = "stf_"


class Caller(msgspec.Struct, frozen=True):
    """The sender of a request whose credentials hold.

    `id` is a member id or a key id; `owner` whom the caller acts for: a member id, a supplier id, or `staff`;
    `person_id` the person of the staff whose key it is, None for members, suppliers and the root key; `name` the name
    of the key's owner.
    """

    id: str
    kind: Literal["member", "key"]
    scopes: frozenset[str]
    owner: str
    name: str
    person_id: str | None = None
    session_id: str = ""
    """A member's session; empty for keys and for tokens of v0.2.0."""
    account: str = ""
    """The platform's account that a member logged in with, `wechat:wx123:oABC`; empty where the session names none."""

    credential: str = ""
    """The name of the API key; empty for members and the root key."""

    @property
    def app(self) -> str:
        """The platform's app that a member logged in with, `wechat:wx123`; empty without an account."""
        return ":".join(self.account.split(":", 2)[:2])

    @property
    def is_root(self) -> bool:
        """Whether the root key calls."""
        return self.id == ROOT_KEY_ID

    @property
    def actor(self) -> str:
        """The recorded actor: the person's id; for members and suppliers `id`."""
        return self.person_id or self.id


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
    def owner_name(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def active(self) -> bool: ...


class Callers:
    """Identifies the caller by the Authorization header."""

    def __init__(
        self,
        *,
        signer: Signer,
        find_key: Callable[[str], StoredKey | None],
        admin_key: Callable[[], str],
    ) -> None:
        self._signer = signer
        self._find_key = find_key
        self._admin_key = admin_key

    def identify(self, authorization: str | None) -> Caller:
        """The caller. Raises `UnauthorizedError`: CREDENTIALS_MISSING, TOKEN_INVALID, TOKEN_EXPIRED or KEY_INVALID.

        A member's token costs no call; a key costs one read.
        """
        if not authorization:
            raise errors.CREDENTIALS_MISSING()
        scheme, _, credential = authorization.partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise TOKEN_INVALID()
        if credential.startswith(_KEY_PREFIX):
            return self._key(credential)
        claims = self._signer.open(ACCESS, credential)
        member_id, session_id = claims["sub"], claims.get("sid", "")
        return Caller(
            member_id, "member", scopes=frozenset(), owner=member_id, name="", session_id=session_id,
            account=claims.get("acc", ""),
        )  # fmt: skip

    def _key(self, credential: str) -> Caller:
        key_id, _, secret = credential.removeprefix(_KEY_PREFIX).partition("_")
        if key_id == "root":
            if not hmac.compare_digest(secret.encode(), self._admin_key().encode()):
                raise errors.KEY_INVALID()
            return Caller(id=ROOT_KEY_ID, kind="key", scopes=ROOT_SCOPES, owner=STAFF, name="root")
        stored = self._find_key(f"key_{key_id}")
        digest = hashlib.sha256(secret.encode()).hexdigest()
        if stored is None or not hmac.compare_digest(digest, stored.secret_sha256) or not stored.active:
            raise errors.KEY_INVALID()
        person_id = stored.owner if stored.owner.startswith(_PERSON_PREFIX) else None
        owner = STAFF if person_id else stored.owner
        return Caller(stored.key_id, "key", stored.scopes, owner, stored.owner_name, person_id, credential=stored.name)


def require(caller: Caller, scope: str) -> None:
    """Refuse a caller without `scope`."""
    if scope not in caller.scopes:
        raise errors.SCOPE_MISSING(scope=scope)
