"""What the local platforms share: people, codes that are good once and for minutes, and failures on demand.

A platform is a handler without a network: `answer(Asked)`. It checks what it gets as the real one does. `modes` says
what happens to its next calls, in their order; "fine" is nothing. Every platform knows these:

| Mode | What happens |
|---|---|
| `busy` | the platform did nothing and says so |
| `server_error` | status 502, with a page |
| `not_json` | status 200, with a page |
| `stall` | nothing is done, no answer comes |
| `answer_lost` | it is done, no answer comes |
| `half` | it is done, and half of the answer comes |
"""

import base64
import hashlib
import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl

from infra.local.server import HttpAnswer
from infra.local.small_server import HalfAnswerError, NoAnswerError

Apps = Mapping[str, Mapping[str, Any]]
"""The platform's apps by their ids, with their secrets and keys."""
CODE_LIFETIME = timedelta(minutes=5)
STALL_SECONDS = 10.0
COMMON_MODES = ("fine", "busy", "server_error", "not_json", "stall", "answer_lost", "half")
_PAGE = b"<html><body>Bad Gateway</body></html>"


class WrongCallError(Exception):
    """A call that the control of a platform refuses."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `query` is as it was sent; `headers` has lower-case names."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Code:
    """Whom a code is for."""

    kind: Literal["login", "phone"]
    app_id: str
    person: str
    phone: str
    expires_at: datetime


class Platform(ABC):
    """One address of a platform, which fails on demand. Subclasses answer its calls."""

    name = ""
    modes_known: Sequence[str] = ()

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.modes: list[str] = []
        self.calls: list[str] = []
        """What was asked for so far, by short names."""

    def answer(self, asked: Asked) -> HttpAnswer:
        """The platform's answer. Raises NoAnswerError and HalfAnswerError."""
        mode = self.modes.pop(0) if self.modes else "fine"
        if mode == "stall":
            raise NoAnswerError(STALL_SECONDS)
        if mode in ("server_error", "not_json"):
            return HttpAnswer(502 if mode == "server_error" else 200, {"content-type": "text/html"}, _PAGE)
        given = self.respond(asked, mode)
        if mode == "answer_lost":
            raise NoAnswerError(STALL_SECONDS)
        if mode == "half":
            raise HalfAnswerError(given)
        return given

    @abstractmethod
    def respond(self, asked: Asked, mode: str) -> HttpAnswer:
        """The answer to a call that arrives."""

    def fail_next(self, modes: Sequence[str]) -> None:
        """Set what happens to the next calls. Raises WrongCallError for a mode that the platform does not know."""
        unknown = [mode for mode in modes if mode not in (*COMMON_MODES, *self.modes_known)]
        if unknown:
            raise WrongCallError(f"modes are {', '.join((*COMMON_MODES, *self.modes_known))}")
        self.modes = list(modes)


class LoginPlatform(Platform):
    """One platform that people log in on.

    `blocked` are people who are kept out, `without_phone` apps that may not ask for telephone numbers.
    """

    code_lifetime = CODE_LIFETIME

    def __init__(self, apps: Apps, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.apps = apps
        self.blocked: set[str] = set()
        self.without_phone: set[str] = set()
        self._codes: dict[str, Code] = {}

    def login_code(self, app_id: str, person: str) -> str:
        """What the platform's login call in the mini-program gives this person."""
        return self._issue("login", app_id, person, "")

    def phone_proof(self, app_id: str, person: str, phone: str) -> str:
        """What the platform's telephone button in the mini-program gives this person, who has this number in China."""
        return self._issue("phone", app_id, person, phone)

    def openid(self, app_id: str, person: str) -> str:
        """The platform's name for a person in one app."""
        return "o" + _derived(self.name, app_id, person)

    def union_id(self, app_id: str, person: str) -> str:
        """The name in all apps of the app's developer; empty if the app belongs to no developer account."""
        developer = str(self.apps[app_id].get("developer", ""))
        return "u" + _derived(self.name, "developer", developer, person) if developer else ""

    def _issue(self, kind: Literal["login", "phone"], app_id: str, person: str, phone: str) -> str:
        if app_id not in self.apps:
            raise WrongCallError(f"no such app; there are {', '.join(self.apps)}")
        now = self.now()
        self._codes = {code: issued for code, issued in self._codes.items() if issued.expires_at > now}
        code = f"{'0' if kind == 'login' else 'p'}{secrets.token_urlsafe(23)}"
        self._codes[code] = Code(kind, app_id, person, phone, now + self.code_lifetime)
        return code

    def look_at(self, kind: Literal["login", "phone"], app_id: str, code: str) -> Code | None:
        """Whom a code is for; None if it is used, late, of another app or of the other kind."""
        found = self._codes.get(code)
        good = found is not None and (found.kind, found.app_id) == (kind, app_id) and self.now() < found.expires_at
        return found if good else None

    def use_up(self, code: str) -> None:
        """From now on the code is good for nothing."""
        self._codes.pop(code, None)


def _derived(*parts: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256("\0".join(parts).encode()).digest())[:27].decode()


def json_answer(body: Any, *, status: int = 200, content_type: str = "application/json; charset=utf-8") -> HttpAnswer:
    """JSON, with status 200 unless it is given."""
    return HttpAnswer(status, {"content-type": content_type}, json.dumps(body, ensure_ascii=False).encode())


def json_object(asked: Asked) -> dict[str, Any] | None:
    """The request's JSON object, if that is what it is and what it says it is."""
    if asked.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return None
    try:
        value = json.loads(asked.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def pairs(text: str, encoding: str = "utf-8") -> dict[str, str] | None:
    """The members of a query or a form; None if one comes twice or the text is none."""
    try:
        found = parse_qsl(text, keep_blank_values=True, strict_parsing=True, encoding=encoding, errors="replace")
    except ValueError:
        return None
    return dict(found) if len(dict(found)) == len(found) else None
