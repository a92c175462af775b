"""Log-ins to the console, which a linked member's phone confirms, and the sessions that follow from them."""

import base64
import hashlib
import ipaddress
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import msgspec

from cardstock.clock import to_epoch_ms
from cardstock.limits import Limit

LOGIN_LIFE: Final = timedelta(seconds=90)
"""From the question to the session: the phone confirms and the browser collects within it."""
SESSION_IDLE: Final = timedelta(minutes=30)
"""How long a session is good without use."""
RENEWED_AFTER: Final = timedelta(minutes=5)
"""A session that was renewed before counts as renewed: most requests then write nothing."""
SESSION_LIFE: Final = timedelta(hours=12)
"""How long a session is good, however much it is used."""
LOG_INS: Final = Limit("staff-log-ins-from", most=20, window=timedelta(minutes=10))
"""From one known browser of the person, else from one network address. None is counted for a person, because then
strangers could keep anybody out."""
WRONG_DIGITS: Final = Limit("staff-wrong-digits", most=3, window=timedelta(minutes=10))
"""Wrong answers of a person's phone; then it lets no browser in. Strangers can give none."""
MOST_SHOWN: Final = 10
"""Log-ins that a phone shows at once. The more it shows, the likelier another one has the very digits of the own."""
KNOWN_BROWSER: Final = "staff-browser"
"""The purpose of a token in a browser with which a person has logged in: `sub` is the person, `browser` its number."""
BROWSER_LIFE: Final = timedelta(days=180)
"""How long a browser counts as known, from the last log-in with it on."""
CHOICES: Final = 3
"""Digits that the phone shows, the right ones among them."""

LoginState: TypeAlias = Literal["waiting", "confirmed", "refused"]
LOGIN_TRANSITIONS: Final[Mapping[LoginState, frozenset[LoginState]]] = {
    "waiting": frozenset({"confirmed", "refused"}),
    "confirmed": frozenset(),
    "refused": frozenset(),
}

_TIME_BYTES: Final = 6
_SECRET: Final = re.compile(r"([0-9a-z]{26})\.([A-Za-z0-9_-]{43})")
_BROWSERS: Final = (
    ("MicroMessenger", "WeChat"), ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("HarmonyOS", "HarmonyOS"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


class PendingLogin(msgspec.Struct, frozen=True):
    """A question to the phone of a person whether to let a browser in. It may name nobody: then no phone sees it."""

    person_id: str
    login_id: str
    digits: str
    """What the browser shows."""
    choices: tuple[str, ...]
    """What the phone shows."""
    browser: str
    place: str
    made_at: datetime
    ends_at: datetime
    known: bool = False
    """Whether the person has logged in with this browser before."""
    state: LoginState = "waiting"
    member_id: str = ""
    """The member whose phone answered."""
    answered_at: datetime | None = None


class ConsoleSession(msgspec.Struct, frozen=True):
    """A browser that is logged in as a person."""

    person_id: str
    session_id: str
    member_id: str
    """The member whose phone confirmed; without the link the session is over."""
    api: str
    """The API whose host the cookie belongs to."""
    began_at: datetime
    """When the phone confirmed."""
    renewed_at: datetime
    browser: str = ""
    place: str = ""
    ended_at: datetime | None = None

    def holds(self, now: datetime, api: str) -> bool:
        """Whether the session itself still holds on this API; the person must hold too (`Person.has_session`)."""
        idle, old = now >= self.renewed_at + SESSION_IDLE, now >= self.began_at + SESSION_LIFE
        return api == self.api and self.ended_at is None and not idle and not old

    def is_due(self, now: datetime) -> bool:
        """Whether a use is to be written down."""
        return now >= self.renewed_at + RENEWED_AFTER


class Secret(msgspec.Struct, frozen=True):
    """What a cookie of the staff holds: a person and a random text, which is not stored."""

    person_id: str
    text: str

    def __str__(self) -> str:
        return f"{self.person_id.removeprefix('stf_')}.{self.text}"

    @property
    def digest(self) -> str:
        """SHA-256 of the random text: the id of what the cookie leads to."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def login_id(self) -> str:
        """The id of the log-in that it binds: the time in it, then its hash, so that ids sort by time."""
        began = int.from_bytes(base64.urlsafe_b64decode(self.text + "=")[:_TIME_BYTES])
        return f"{began:012x}{self.digest[:52]}"

    @property
    def of_session(self) -> "Secret":
        """The secret of the session that follows from a log-in's: always the same, so that a repeat finds it."""
        text = hashlib.sha256(b"staff session\x00" + self.text.encode()).digest()
        return Secret(self.person_id, _text_of(text))


def new_secret(person_id: str, at: datetime) -> Secret:
    """A secret for the person: the time in milliseconds, and 208 random bits."""
    return Secret(person_id, _text_of(to_epoch_ms(at).to_bytes(_TIME_BYTES) + secrets.token_bytes(26)))


def login_ids_since(at: datetime) -> str:
    """What the ids of log-ins from `at` on are greater than."""
    return f"{to_epoch_ms(at):012x}"


def secret_in(cookie: str) -> Secret | None:
    """The secret that a cookie holds; None for anything else."""
    found = _SECRET.fullmatch(cookie)
    return Secret(f"stf_{found[1]}", found[2]) if found else None


def new_digits() -> tuple[str, tuple[str, ...]]:
    """Two digits, and the choices among which a person finds them, in random sequence."""
    chance = secrets.SystemRandom()
    choices = tuple(f"{number:02}" for number in chance.sample(range(100), CHOICES))
    return chance.choice(choices), choices


def browser_of(user_agent: str) -> str:
    """`Chrome, Windows`: names from a fixed list, so that nothing that a stranger wrote comes to a phone."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "?")
    return f"{browser}, {next((name for mark, name in _SYSTEMS if mark in user_agent), '?')}"


def place_of(address: str) -> str:
    """`203.0.113.x`: the network address without its last part. A country is not said: no service here knows it, and a
    header that names one can be sent by anybody."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "?"
    if isinstance(found, ipaddress.IPv4Address):
        return ".".join([*str(found).split(".")[:3], "x"])
    return ":".join([*found.exploded.split(":")[:3], "x"])


def shown_logins(waiting: Iterable[PendingLogin]) -> list[PendingLogin]:
    """What a phone shows of the log-ins that wait for it: known browsers first, then the newest of each place, then the
    next of each. Whoever asks often shuts out nobody but the own place."""
    newest = sorted(waiting, key=lambda each: (each.made_at, each.login_id), reverse=True)
    before = Counter[str]()
    ranked = list[tuple[bool, int, int, PendingLogin]]()
    for each in newest:
        ranked.append((not each.known, before[each.place], len(ranked), each))
        before[each.place] += 1
    return [each for *_, each in sorted(ranked, key=lambda one: one[:3])[:MOST_SHOWN]]


def network_of(address: str) -> str:
    """Under what log-ins from an IPv4 address, or from the /64 of an IPv6 address, which is one line's, are counted.

    One of 65,536 numbers, each of as many IPv4 addresses: a counter names nobody, and asking needs no key for that.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "?"
    one = str(found) if isinstance(found, ipaddress.IPv4Address) else ":".join(found.exploded.split(":")[:4])
    return hashlib.sha256(one.encode()).hexdigest()[:4]


def _text_of(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
