"""The caller of a request, by one of three credentials: a member's access token, an API key of a supplier or person, or
the cookie of a person's session in the console.

A key reads `csk_<id>_<secret>`; only the secret's SHA-256 is stored. The secret of a person's key begins with the
person's id, so that key and person are read together: what the person may do is what the person's roles give now. The
root key (`csk_root_<secret>`) comes from the admin secret; it makes the first persons, and keys, and is no person
itself. A session's cookie is read where no other credential is sent, on the API that set it.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from cardstock import clock
from cardstock.edge import errors
from cardstock.edge.origin import origin_of
from cardstock.errors import TOKEN_INVALID, InvalidError
from cardstock.signing import ACCESS, Signer

ROOT_KEY_ID: Final = "key_root"
ROOT_SCOPES: Final = frozenset({"keys:write", "staff:write"})
_KEY_PREFIX = "csk_"
SESSION_COOKIE: Final = "__Host-staff"
LOGIN_COOKIE: Final = "__Host-staff-login"
BROWSER_COOKIE: Final = "__Host-staff-browser"
"""Shows that a person has logged in with this browser before. It lets nobody in."""
SESSION_SECRET: Final = re.compile(r"([0-9a-z]{26})\.([A-Za-z0-9_-]{43})")
"""What both cookies hold: the end of a person id, and a random text."""

STAFF: Final = "staff"
_PERSON_PREFIX: Final = "stf_"
_PERSON_IN_SECRET: Final = re.compile(r"([0-9a-hjkmnp-tv-z]{26})_")


class Caller(msgspec.Struct, frozen=True):
    """The sender of a request whose credentials hold.

    `id` is a member id, a key id, or the person id of a session; `owner` whom the caller acts for: a member id, a
    supplier id, or `staff`; `person_id` the person of the staff whose key or session it is, None for members, suppliers
    and the root key; `name` the name of the key's owner or of the person.
    """

    id: str
    kind: Literal["member", "key", "session"]
    scopes: frozenset[str]
    owner: str
    name: str
    person_id: str | None = None
    session_id: str = ""
    """A member's session, or a person's in the console; empty for keys and for tokens of v0.2.0."""
    account: str = ""
    """The platform's account that a member logged in with, `wechat:wx123:oABC`; empty where the session names none."""

    credential: str = ""
    """The name of the API key; empty for members and the root key."""
    own_members: frozenset[str] = frozenset()
    """Members who are, or were, linked with the person."""

    @property
    def app(self) -> str:
        """The platform's app that a member logged in with, `wechat:wx123`; empty without an account."""
        return ":".join(self.account.split(":", 2)[:2])

    @property
    def is_root(self) -> bool:
        """Whether the root key calls."""
        return self.id == ROOT_KEY_ID

    @property
    def actor_on_record(self) -> str:
        """The person id, or `root`: under which the record of the staff's actions has what this caller does."""
        return self.person_id or "root"

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


class StoredPerson(Protocol):
    """What the store knows of a person; a structural view of the staff area's type."""

    @property
    def person_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def own_members(self) -> frozenset[str]: ...
    @property
    def session_scopes(self) -> frozenset[str]: ...
    def key_scopes(self, scopes: frozenset[str]) -> frozenset[str]: ...
    def has_session(self, began_at: datetime, member_id: str) -> bool: ...


class StoredSession(Protocol):
    """What the store knows of a session of the console; a structural view of the staff area's type."""

    @property
    def session_id(self) -> str: ...
    @property
    def member_id(self) -> str: ...
    @property
    def began_at(self) -> datetime: ...
    def holds(self, now: datetime, api: str) -> bool: ...
    def is_due(self, now: datetime) -> bool: ...


class FoundCredentials(NamedTuple):
    """What is stored of a credential."""

    key: StoredKey | None = None
    person: StoredPerson | None = None
    session: StoredSession | None = None


class StaffCredentials(Protocol):
    """Keys, persons and sessions, as a request needs them: read at each request, never kept."""

    def look_up(self, *, key_id: str = "", person_id: str = "", session_id: str = "") -> FoundCredentials:
        """Key, person, and session of that person, each if asked for and there. One consistent read. Any text may be
        asked for."""

    def renew(self, person_id: str, session_id: str, now: datetime) -> None:
        """Note that the session is used now. Says nothing if that fails."""


class Callers:
    """Identifies the caller by the Authorization header and, where `staff` is given, by the cookie of a session.

    Without `staff`, persons are not read: their keys then hold no scope at all.
    """

    def __init__(
        self,
        *,
        signer: Signer,
        find_key: Callable[[str], StoredKey | None],
        admin_key: Callable[[], str],
        staff: StaffCredentials | None = None,
    ) -> None:
        self._signer = signer
        self._find_key = find_key
        self._admin_key = admin_key
        self._staff = staff

    def identify(self, authorization: str | None, cookie: str = "", api: str = "") -> Caller:
        """The caller. Raises `UnauthorizedError`: CREDENTIALS_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, KEY_INVALID or
        STAFF_SESSION_OVER.

        `cookie` is the header of that name, `api` the id of the API that was called. A member's token costs no call, a
        key or a session one read; a person's key of release 0.3.0 two; a session that is due for it one write.
        """
        if not authorization:
            session = cookie_in(cookie, SESSION_COOKIE)
            if session and self._staff is not None:
                return self._session(session, api, self._staff)
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
        key_id, named = f"key_{key_id}", _PERSON_IN_SECRET.match(secret)
        person: StoredPerson | None = None
        if self._staff is None:
            stored = self._find_key(key_id)
        else:
            person_id = f"{_PERSON_PREFIX}{named[1]}" if named else ""
            stored, person, _ = self._staff.look_up(key_id=key_id, person_id=person_id)
        digest = hashlib.sha256(secret.encode()).hexdigest()
        if stored is None or not hmac.compare_digest(digest, stored.secret_sha256) or not stored.active:
            raise errors.KEY_INVALID()
        if not stored.owner.startswith(_PERSON_PREFIX):
            return Caller(stored.key_id, "key", stored.scopes, stored.owner, stored.owner_name, credential=stored.name)
        own = frozenset[str]()
        scopes = frozenset[str]()
        if self._staff is not None:
            if person is None or person.person_id != stored.owner:
                person = self._staff.look_up(person_id=stored.owner).person
            if person is None or not person.active:
                raise errors.KEY_INVALID()
            scopes, own = person.key_scopes(stored.scopes), person.own_members
        return Caller(
            stored.key_id, "key", scopes, STAFF, stored.owner_name, stored.owner, credential=stored.name,
            own_members=own,
        )  # fmt: skip

    def _session(self, value: str, api: str, staff: StaffCredentials) -> Caller:
        parts = SESSION_SECRET.fullmatch(value)
        if parts is None:
            raise errors.STAFF_SESSION_OVER()
        person_id, session_id = f"{_PERSON_PREFIX}{parts[1]}", hashlib.sha256(parts[2].encode()).hexdigest()
        _, person, session = staff.look_up(person_id=person_id, session_id=session_id)
        now = clock.now()
        if person is None or session is None or not session.holds(now, api):
            raise errors.STAFF_SESSION_OVER()
        if not person.has_session(session.began_at, session.member_id):
            raise errors.STAFF_SESSION_OVER()
        if session.is_due(now):
            staff.renew(person_id, session_id, now)
        return Caller(
            person_id, "session", person.session_scopes, STAFF, person.name, person_id, session_id=session_id,
            own_members=person.own_members,
        )  # fmt: skip


def require(caller: Caller, scope: str) -> None:
    """Refuse a caller without `scope`."""
    if scope not in caller.scopes:
        raise errors.SCOPE_MISSING(scope=scope)


def require_own_page(headers: Mapping[str, str], is_data: bool) -> None:
    """Refuse an unsafe request with a cookie that another site's page may have sent: it must come from our own host,
    and its media type must be none that a form can send (`is_data`). Raises `ForbiddenError` ORIGIN_REFUSED."""
    try:
        own = headers.get("origin") == origin_of(headers)
    except InvalidError:
        own = False
    if not own or not is_data:
        raise errors.ORIGIN_REFUSED(content_type="application/json")


def cookie_in(header: str, name: str) -> str:
    """The value of a cookie in the header `Cookie`; empty if it is not there."""
    for pair in header.split(";"):
        key, separator, value = pair.strip().partition("=")
        if separator and key == name:
            return value
    return ""


def cookie_of(name: str, value: str, *, seconds: int | None = None) -> str:
    """`Set-Cookie` for a cookie of this host alone, which no script and no other site's request sees. It ends with the
    browser, or after `seconds`; 0 ends it at once."""
    ends = "" if seconds is None else f"; Max-Age={seconds}"
    return f"{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{ends}"
