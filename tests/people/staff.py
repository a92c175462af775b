"""Staff of the shop: persons and API keys, stored whoever would have made them, and what staff does with the keys."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cardstock import clock
from cardstock.approving import MoneyStep, UseOnce
from cardstock.aws.items import fields_of
from cardstock.edge.callers import SESSION_COOKIE
from cardstock.ids import RequestKey, derived_id, new_id
from cardstock.partners.keys import create_key
from cardstock.partners.model import KeyOwner
from cardstock.partners.store import DynamoKeys
from cardstock.staff.console_model import SESSION_LIFE, ConsoleSession, new_secret
from cardstock.staff.console_store import SessionItem
from cardstock.staff.model import ROOT, Person
from cardstock.staff.roles import Role
from cardstock.staff.store import PERSON, DynamoPersons, PersonItem
from tests.house.cloud import ROOT_KEY, http_event, serve
from tests.people.consents import login_body
from tests.people.replies import Reply, reply
from tests.people.tokens import access_token

LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)
"""Old enough for everybody to be everybody else's second person."""


def person(
    name: str, *, created_by: str = ROOT, created_at: datetime = LONG_AGO, roles: Collection[Role] | None = None
) -> str:
    """The id of the person of this name, who is stored if there is none yet; without `roles` as v0.2.0 stored it."""
    person_id = derived_id("stf", name)
    made = Person(person_id, name, created_by, created_at, roles=None if roles is None else frozenset(roles))
    DynamoPersons().add_person(made, RequestKey(derived_id("req", "person", name), "f"), None)
    return person_id


def staff_key(name: str, *scopes: str, request: str | None = None) -> str:
    """The credential of a new key of the person of this name. The same `request` gives the key the same id."""
    return _key(KeyOwner(person(name), name), scopes, request)


def session_of(
    name: str, roles: Collection[Role], *, member_id: str = "", api: str = "test", began_at: datetime | None = None
) -> "Browser":
    """A browser that is logged in as the person of this name, who gets these roles and this member, however a log-in
    would go."""
    person_id, member_id = person(name, roles=roles), member_id or derived_id("mem", name)
    began = began_at or clock.now()
    PersonItem(PERSON, person_id).update([
        PersonItem.member_id.set(member_id), PersonItem.roles.set(frozenset(roles))
    ])  # fmt: skip
    secret = new_secret(person_id, began)
    session = ConsoleSession(person_id, secret.digest, member_id, api, began, began)
    SessionItem(**fields_of(session, SessionItem), expires_at=began + SESSION_LIFE).save()
    return Browser(api=api, cookies={SESSION_COOKIE: str(secret)})


class Browser:
    """A browser on the console's page: it keeps cookies, and sends its origin with what is unsafe."""

    def __init__(self, *, api: str = "test", cookies: Mapping[str, str] | None = None) -> None:
        self.api, self.cookies = api, dict(cookies or {})
        self.origin, self.agent, self.address = (
            "https://api.example.com",
            "Mozilla/5.0 Windows Chrome/140",
            "203.0.113.10",
        )
        self.media_type = "application/json"

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = None, **options: Any) -> Reply:
        """Send a request with the cookies; keep those that come back."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers |= {"User-Agent": self.agent, "Content-Type": self.media_type}
        if method != "GET":
            headers["Origin"] = self.origin
        event = http_event(method, path, body, key=key, headers=headers, **options)
        event["requestContext"]["apiId"] = self.api
        event["requestContext"]["identity"]["sourceIp"] = self.address
        answer = serve(event)
        for line in answer.get("multiValueHeaders", {}).get("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        return reply(answer)

    def ask(self, person_id: str) -> Reply:
        """Ask to log in as the person."""
        return self.send("POST", "/v1/staff-logins", {"person_id": person_id})

    def collect(self) -> Reply:
        """Ask for the session."""
        return self.send("POST", "/v1/staff-sessions", {})

    def who(self) -> Reply:
        """Who is logged in."""
        return self.send("GET", "/v1/staff-sessions/current")


def supplier_key(supplier_id: str, *scopes: str, request: str | None = None) -> str:
    """The credential of a new key of a supplier, which need not be stored."""
    return _key(KeyOwner(supplier_id, "宁波织物"), scopes, request)


def _key(owner: KeyOwner, scopes: Iterable[str], request: str | None) -> str:
    """The credential of a new key; under another id if `request` made one before."""
    for name in (request, None):
        asked = RequestKey(new_id("req", clock.now()) if name is None else derived_id("req", name), "f")
        _, credential = create_key("test", owner, frozenset(scopes), asked, keys=DynamoKeys())
        if credential is not None:
            return credential
    raise AssertionError(f"{owner.id} has no new key")


class Desk:
    """Persons who are linked with members, through the functions."""

    def member(self, name: str, phone: str = "") -> str:
        """The id of the member who logs in as `name`, registered if new."""
        return str(self._log_in(name, phone)["member"]["member_id"])

    def token(self, member_id: str) -> str:
        """An access token of the member."""
        return access_token(member_id)

    def invite(self, person_id: str, key: str = ROOT_KEY) -> Reply:
        """Make an invitation for the person."""
        return reply(serve(http_event("PUT", f"/v1/staff/{person_id}/invitation", token=key)))

    def accept(self, invitation: str, member_id: str) -> Reply:
        """Accept an invitation as the member."""
        body = {"invitation": invitation}
        return reply(serve(http_event("PUT", "/v1/me/staff", body, token=self.token(member_id))))

    def release(self, person_id: str, key: str, reason: str = "lost the phone") -> Reply:
        """Release the person's link."""
        body = {"reason": reason}
        return reply(serve(http_event("POST", f"/v1/staff/{person_id}/link-releases", body, token=key)))

    def linked(self, person_id: str, name: str, phone: str = "", key: str = ROOT_KEY) -> str:
        """The id of the member who logs in as `name` and is the person from now on, invited with `key`."""
        member_id = self.member(name, phone)
        assert self.accept(self.invite(person_id, key).body["invitation"], member_id).status == 200
        return member_id

    def waiting(self, member_id: str) -> Any:
        """The log-ins that the member's phone shows."""
        return reply(serve(http_event("GET", "/v1/me/staff-logins", token=self.token(member_id)))).body["items"]

    def choose(self, member_id: str, login_id: str, digits: str) -> Reply:
        """Choose digits on the member's phone."""
        path, body = f"/v1/me/staff-logins/{login_id}", {"digits": digits}
        return reply(serve(http_event("PUT", path, body, token=self.token(member_id))))

    def log_in(self, person_id: str, member_id: str, browser: Browser | None = None) -> Browser:
        """A browser that is logged in as the person, by the phone of the linked member."""
        browser = browser or Browser()
        digits = browser.ask(person_id).body["digits"]
        assert self.choose(member_id, self.waiting(member_id)[0]["login_id"], digits).status == 204
        assert browser.collect().body == {"state": "logged_in"}
        return browser

    def _log_in(self, name: str, phone: str) -> Any:
        body = login_body(name, phone_code=f"dev:{phone}" if phone else None)
        return reply(serve(http_event("POST", "/v1/auth/sessions", body))).body


class Phone:
    """The phones of the staff: each person's linked member, on the development platform, through the functions.

    The first persons are invited with the root key, or with the key `inviter`; others by a person."""

    def __init__(self, inviter: str = ROOT_KEY) -> None:
        self.desk = Desk()
        self._inviter = inviter

    def member_of(self, credential: str) -> str:
        """The member who is linked with the person of a key, linked now if the person has none yet."""
        owner = DynamoKeys().find("key_" + credential.removeprefix("csk_").partition("_")[0])
        assert owner is not None, credential
        person = DynamoPersons().find_person(owner.owner)
        assert person is not None, owner
        if person.member_id is not None:
            return person.member_id
        inviter = self._inviter if person.created_by == ROOT else staff_key("Owner", "staff:write")
        return self.desk.linked(person.person_id, f"phone-{person.person_id}", key=inviter)

    def pending(self, member_id: str) -> Reply:
        """What waits for the member's answer."""
        return reply(serve(http_event("GET", "/v1/me/staff/confirmations", token=self.desk.token(member_id))))

    def say(self, answer: str, confirmation_id: str, member_id: str) -> Reply:
        """Answer a confirmation as the member."""
        path = f"/v1/me/staff/confirmations/{confirmation_id}"
        return reply(serve(http_event("PUT", path, {"answer": answer}, token=self.desk.token(member_id))))


def serve_confirmed(event: dict[str, Any], answer: Callable[[dict[str, Any]], Any] = serve) -> dict[str, Any]:
    """What `answer` gives for a step of money by a key once the phone of the key's person has said yes, where it must.

    The event is sent again after that. The person is linked with a member first, if none is.
    """
    answered = say_yes(event, answer)
    return dict(answer(event) if answered is None else answered)


def say_yes(event: dict[str, Any], answer: Callable[[dict[str, Any]], Any] = serve) -> dict[str, Any] | None:
    """Have the phone say yes to a step, which is not done yet; the answer to a step that needs no yes."""
    answered: dict[str, Any] = answer(event)
    if _code(answered) not in ("PHONE_NEEDED", "CONFIRMATION_NEEDED"):
        return answered
    phone, credential = Phone(), event["headers"]["Authorization"].removeprefix("Bearer ")
    member_id = phone.member_of(credential)
    if _code(answered) == "PHONE_NEEDED":
        answered = answer(event)
    said = phone.say("yes", json.loads(answered["body"])["facts"]["confirmation_id"], member_id)
    assert said.status == 200, said
    return None


def unasked(_: MoneyStep) -> UseOnce:
    """An `approving.Confirm` for tests of what is behind it: every step is confirmed."""
    return lambda _: None


def _code(answered: Mapping[str, Any]) -> str:
    body = answered["body"] if answered["statusCode"] in (409, 422) else ""
    return str(json.loads(body).get("code", "")) if body else ""


class Staff:
    """People of the brand's staff. A key belongs to Li Na unless another name is given."""

    def __init__(self) -> None:
        self._keys = 0

    def key(self, *scopes: str, name: str = "Li Na") -> str:
        """The credential of a new key of the person of this name."""
        self._keys += 1
        return staff_key(name, *scopes, request=f"staff key {self._keys}")

    def take_back(self, order_id: str, units: Mapping[str, int], *, staff: str, key: str = "return-1") -> Reply:
        """Refund units of an order, sent or not, with the credential `staff`."""
        body = {"lines": [{"sku": sku, "units": count} for sku, count in units.items()], "reason": "came back"}
        return reply(serve(http_event("POST", f"/v1/orders/{order_id}/returns", body, token=staff, key=key)))

    def grant(
        self, order_id: str, amount: int, *, staff: str, key: str = "grant-1", reason: str = "late",
        second_person: bool = False,
    ) -> Reply:  # fmt: skip
        """Give `amount` fen back without units, with the credential `staff`, or ask a second person for it."""
        body = {"amount_fen": amount, "reason": reason} | ({"second_person": True} if second_person else {})
        event = http_event("POST", f"/v1/orders/{order_id}/goodwill-refunds", body, token=staff, key=key)
        return reply(serve(event))

    def clear(self, item: str, outcome: str, *, staff: str) -> Reply:
        """Clear an open item, with the credential `staff`; the phone confirms what it must."""
        return reply(serve_confirmed(self._clearing(item, outcome, staff)))

    def confirm_clearing(self, item: str, outcome: str, *, staff: str) -> None:
        """Have the phone say yes to clearing an item, which is not cleared yet."""
        assert say_yes(self._clearing(item, outcome, staff)) is None

    def _clearing(self, item: str, outcome: str, staff: str) -> dict[str, Any]:
        body = {"outcome": outcome, "reason": "seen"}
        return http_event("POST", f"/v1/open-items/{item}/clearings", body, token=staff)
