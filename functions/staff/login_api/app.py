"""HTTP for the console's page: logging in by the phone of the linked member, and logging out."""

from cardstock.aws.tables import connect
from cardstock.edge.callers import BROWSER_COOKIE, LOGIN_COOKIE, SESSION_COOKIE, cookie_in, cookie_of, require_own_page
from cardstock.edge.errors import ORIGIN_REFUSED
from cardstock.edge.http import JSON, Answer, Api, Nothing, Request, nobody
from cardstock.edge.wiring import signer
from cardstock.errors import TOO_MANY
from cardstock.flows import callers_wiring
from cardstock.staff import console_schemas as models
from cardstock.staff import errors, logging_in, persons
from cardstock.staff import wiring as staff_wiring
from cardstock.staff.console_model import BROWSER_LIFE, LOGIN_LIFE, secret_in

api = Api("staff-logins", callers=callers_wiring.callers, staff=callers_wiring.staff_record)


@api.post(
    "/v1/staff-logins", body=models.AskLogin, answer=models.AskedLoginView, status=201,
    codes=(ORIGIN_REFUSED, TOO_MANY),
)  # fmt: skip
def ask_login(request: Request[models.AskLogin, Nothing]) -> Answer:
    """Ask to log in to the console as a person of the staff.

    The answer sets a cookie that binds the log-in to this browser, and has two digits, which the page shows. The
    person's phone (`GET /v1/me/staff-logins`) shows browser, network address, time, and three choices. Ninety seconds,
    once. An unknown person gets the same answer. Twenty within ten minutes from a browser with which the person has
    logged in before, else from a network address (`TOO_MANY`).
    """
    _require_page(request)
    person_id, known = request.body.person_id, cookie_in(request.headers.get("cookie", ""), BROWSER_COOKIE)
    asked = logging_in.ask(
        person_id, request.headers.get("user-agent", ""), request.address,
        known_as=logging_in.known_browser(known, person_id, signer=signer) if known else "",
        console=staff_wiring.console(),
    )  # fmt: skip
    bound = cookie_of(LOGIN_COOKIE, str(asked.secret), seconds=int(LOGIN_LIFE.total_seconds()))
    return Answer(models.AskedLoginView.of(asked), cookies=(bound,))


@api.post("/v1/staff-sessions", answer=models.CollectedLogin, codes=(ORIGIN_REFUSED, errors.LOGIN_OVER))
def collect_session(request: Request[Nothing, Nothing]) -> Answer:
    """Collect the session that the phone has confirmed; ask every two seconds until then.

    Only the browser that asked has the cookie for it. The session is good for thirty minutes without use, and for
    twelve hours at most.
    """
    _require_page(request)
    secret = secret_in(cookie_in(request.headers.get("cookie", ""), LOGIN_COOKIE))
    entry = logging_in.collect(secret, request.api, console=staff_wiring.console())
    if entry is None:
        return Answer(models.CollectedLogin("waiting"))
    known = cookie_of(
        BROWSER_COOKIE, logging_in.know_browser(entry, signer=signer), seconds=int(BROWSER_LIFE.total_seconds())
    )
    cookies = cookie_of(SESSION_COOKIE, str(entry.secret)), cookie_of(LOGIN_COOKIE, "", seconds=0), known
    return Answer(models.CollectedLogin("logged_in"), cookies=cookies)


@api.get("/v1/staff-sessions/current", answer=models.ConsoleUser, auth="session")
def read_session(request: Request[Nothing, Nothing]) -> models.ConsoleUser:
    """Read who is logged in, and what that person may do now."""
    caller = request.caller
    return models.ConsoleUser(caller.id, caller.name, sorted(caller.scopes))


@api.delete("/v1/staff-sessions/current", status=204, auth="session", concerns=nobody)
def log_out(request: Request[Nothing, Nothing]) -> Answer:
    """Log out of the console in this browser."""
    logging_in.log_out(request.caller.id, request.caller.session_id, console=staff_wiring.console())
    return Answer("", status=204, cookies=(cookie_of(SESSION_COOKIE, "", seconds=0),))


@api.delete("/v1/staff-sessions", status=204, auth="session", concerns=nobody)
def log_out_everywhere(request: Request[Nothing, Nothing]) -> Answer:
    """Log out of the console in every browser, here too."""
    persons.end_sessions(request.caller.id, persons=staff_wiring.persons())
    return Answer("", status=204, cookies=(cookie_of(SESSION_COOKIE, "", seconds=0),))


def _require_page(request: Request[models.AskLogin, Nothing] | Request[Nothing, Nothing]) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    require_own_page(request.headers, media_type == JSON)


handler = api.handler
connect()
