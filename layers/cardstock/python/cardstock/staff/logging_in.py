"""Logging in to the console: the page asks, the linked member's phone answers, the asking browser gets the session.

Asking reads nothing of the person, so a page cannot find out who works here. Only the phone of the member who is linked
with the person sees the question, with browser, place and time; it chooses the digits that the page shows, once.

Thieves and strangers: asking is counted for the asking browser or network address, never for the person, so that nobody
can keep a person out. The phone shows few log-ins at once, those of known browsers first. Three wrong answers of the
phone stop it for a while, so that whoever has a person answer without looking gets three tries at one in three.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import NOT_FOUND, UnauthorizedError
from cardstock.signing import Signer
from cardstock.staff import errors
from cardstock.staff.console_model import (
    BROWSER_LIFE,
    KNOWN_BROWSER,
    LOGIN_LIFE,
    ConsoleSession,
    PendingLogin,
    Secret,
    browser_of,
    network_of,
    new_digits,
    new_secret,
    place_of,
    shown_logins,
)
from cardstock.staff.ports import Console

_BROWSER_LETTERS: Final = 26


class AskedLogin(NamedTuple):
    """A log-in and the secret that binds it to the asking browser."""

    login: PendingLogin
    secret: Secret


class ConsoleEntry(NamedTuple):
    """A session and the secret of its cookie."""

    session: ConsoleSession
    secret: Secret


def ask(person_id: str, user_agent: str, address: str, *, known_as: str = "", console: Console) -> AskedLogin:
    """A new log-in of the person, whom it may name wrongly: the answer and its cost are the same.

    `known_as` is the number of a browser with which the person has logged in before. Raises `ThrottledError`
    (TOO_MANY): of that browser, or of the network address. One transaction.
    """
    now = clock.now()
    secret = new_secret(person_id, now)
    digits, choices = new_digits()
    browser, place = browser_of(user_agent), place_of(address)
    login = PendingLogin(
        person_id, secret.login_id, digits, choices, browser, place, now, now + LOGIN_LIFE, known=bool(known_as)
    )
    console.ask(login, known_as or network_of(address))
    return AskedLogin(login, secret)


def waiting_logins(person_id: str, *, console: Console) -> Sequence[PendingLogin]:
    """The log-ins that the person's phone shows, of those that wait for its answer."""
    now = clock.now()
    return shown_logins(
        each
        for each in console.logins_of(person_id, now - LOGIN_LIFE)
        if each.state == "waiting" and now < each.ends_at
    )


def choose(person_id: str, login_id: str, digits: str, member_id: str, *, console: Console) -> None:
    """Answer a log-in of the person as the linked member. The right digits let the browser in, all others end the
    log-in. A repeat of the same answer changes nothing.

    Raises `NotFoundError` (unknown, over, answered, or the member is not the person), `RefusedError` DIGITS_WRONG, and
    `ThrottledError` (TOO_MANY) after wrong answers, whatever this one is. One read and one transaction.
    """
    login, now = console.find_login(person_id, login_id), clock.now()
    if login is None or now >= login.ends_at:
        raise NOT_FOUND()
    is_right = digits == login.digits
    if login.state == "waiting":
        state = "confirmed" if is_right else "refused"
        answered = replace(login, state=state, member_id=member_id, answered_at=now)
        login = answered if console.answer(answered) else console.find_login(person_id, login_id) or login
    # Another answer came first, perhaps this very one.
    if login.state == "waiting" or login.member_id != member_id:
        raise NOT_FOUND()
    if login.state == "refused":
        raise errors.DIGITS_WRONG()
    if not is_right:
        raise NOT_FOUND()


def collect(secret: Secret | None, api: str, *, console: Console) -> ConsoleEntry | None:
    """The session of the browser that holds the log-in's secret; None while the phone has not answered.

    The same again within the log-in's time: an answer may get lost. Raises `UnauthorizedError` LOGIN_OVER. One read,
    and one transaction once the phone has confirmed.
    """
    login, now = (console.find_login(secret.person_id, secret.login_id) if secret else None), clock.now()
    if secret is None or login is None or now >= login.ends_at or login.state == "refused":
        raise errors.LOGIN_OVER()
    if login.state == "waiting" or login.answered_at is None:
        return None
    session = ConsoleSession(
        login.person_id, secret.of_session.digest, login.member_id, api, login.answered_at, now, login.browser,
        login.place,
    )  # fmt: skip
    if not console.start(session, login):
        raise errors.LOGIN_OVER()
    return ConsoleEntry(session, secret.of_session)


def know_browser(entry: ConsoleEntry, *, signer: Callable[[], Signer]) -> str:
    """The token by which this browser is known as one of the person's from now on. It opens nothing."""
    session = entry.session
    claims = {"sub": session.person_id, "browser": session.session_id[:_BROWSER_LETTERS]}
    return signer().sign(KNOWN_BROWSER, claims, lifetime=BROWSER_LIFE)


def known_browser(token: str, person_id: str, *, signer: Callable[[], Signer]) -> str:
    """The number of a browser with which the person has logged in before; empty for anything else."""
    try:
        claims = signer().open(KNOWN_BROWSER, token)
    except UnauthorizedError:
        return ""
    return str(claims["browser"]) if claims.get("sub") == person_id else ""


def log_out(person_id: str, session_id: str, *, console: Console) -> None:
    """End one session. A repeat changes nothing."""
    console.end(person_id, session_id, clock.now())
