"""Roles: what each may do, on every route; and that a role counts from the next request on, in every process."""

import hashlib
from typing import Any

import pytest

from cardstock.edge.callers import Callers, FoundCredentials
from cardstock.edge.tokens import Signer
from cardstock.partners.model import SCOPES, ApiKey
from cardstock.staff.model import ROOT, Person
from cardstock.staff.roles import EVERY_ROLE, ROLES, Role, scopes_of
from cardstock.staff.store import DynamoPersons
from infra.contract.routes import PATH_VALUES, apis
from tests.house.cloud import ROOT_KEY, Cloud, Context, forget_factories, http_event, serve
from tests.people.clock import START, TestClock
from tests.people.replies import Reply, reply
from tests.people.staff import Browser, person, session_of, staff_key

MONEY = {scope for scope in SCOPES if scope.startswith(("payouts:", "debts:", "bank_accounts:"))} | {"open_items:clear"}
FORBIDDEN: dict[Role, set[str]] = {
    "owner": {*MONEY, "orders:refund", "orders:fulfil", "catalog:write"} - {"payouts:read"},
    "operator": {*MONEY, "plans:approve", "staff:write", "keys:write", "orders:refund"},
    "finance": {"staff:write", "keys:write", "webhooks:write", "suppliers:write", "catalog:write", "plans:publish"},
    "service": {*MONEY, "plans:publish", "plans:approve", "network:appoint", "catalog:write", "staff:write"},
    "warehouse": {*MONEY, "orders:refund", "orders:read", "sales:read", "catalog:write", "staff:write"},
    "store": {*SCOPES} - {"catalog:read"},
}
"""What the brand's division of work keeps from each role."""
ROUTES = [(api, route) for _, api in apis() for route in api.routes if route.auth in ("key", "any", "session")]


def test_no_role_has_what_is_kept_from_it() -> None:
    assert {role: ROLES[role].scopes & kept for role, kept in FORBIDDEN.items()} == dict.fromkeys(
        EVERY_ROLE, frozenset()
    )


def test_every_scope_belongs_to_a_role_and_every_role_has_scopes_and_two_names() -> None:
    assert scopes_of(EVERY_ROLE) == SCOPES
    assert all(terms.scopes and terms.zh and terms.en for terms in ROLES.values())
    assert len({terms.zh for terms in ROLES.values()} | {terms.en for terms in ROLES.values()}) == 2 * len(ROLES)


def outcome(api: Any, route: Any, browser: Browser) -> str:
    path = route.path.format_map(PATH_VALUES)
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items()),
        "Origin": "https://api.example.com",
    }
    event = http_event(route.method, path, "{}", resource=route.path, key="k", headers=headers)
    answer = reply(api.handler(event, Context()))
    return "in" if answer.status < 300 else str(answer.body["code"])


@pytest.mark.parametrize("role", sorted(EVERY_ROLE))
def test_a_session_of_a_role_is_let_in_to_the_routes_of_its_scopes_alone(
    role: Role, cloud: Cloud, clock: TestClock
) -> None:
    refused = {"SCOPE_MISSING", "NOT_A_KEY", "NOT_IN_CONSOLE", "CREDENTIALS_MISSING", "STAFF_SESSION_OVER"}
    browser, before = session_of("Li Na", [role]), {}
    for api, route in ROUTES:
        if route.path == "/v1/staff-sessions" or (route.method, route.path) == ("DELETE", "/v1/staff-sessions/current"):
            continue  # they end the session
        clock.move(minutes=6)  # so that each function renews the session
        found = outcome(api, route, browser)
        before[f"{route.method} {route.path}"] = found
        allowed = route.scope is None or route.scope in ROLES[role].scopes

        assert (found not in refused) is allowed, (route.method, route.path, found)
    assert len(before) > 60


def test_a_session_is_no_member_and_no_supplier(cloud: Cloud, clock: TestClock) -> None:
    browser = session_of("Li Na", EVERY_ROLE)
    members = [(api, route) for _, api in apis() for route in api.routes if route.auth == "member"]

    assert {outcome(api, route, browser) for api, route in members} <= {"CREDENTIALS_MISSING", "NOT_A_MEMBER"}
    draft = browser.send("PUT", "/v1/products/D1/draft", {"title": {"zh": "Bag"}, "variants": [{}]})
    assert (draft.status, draft.body["code"]) == (403, "NOT_A_SUPPLIER")


# --- counting at once ---


def put(person_id: str, roles: list[str], token: str, reason: str = "moves") -> Reply:
    body = {"roles": roles, "reason": reason}
    return reply(serve(http_event("PUT", f"/v1/staff/{person_id}/roles", body, token=token)))


def payouts(token: str) -> int:
    return reply(serve(http_event("GET", "/v1/payouts", token=token))).status


def test_a_role_taken_away_counts_on_the_next_request_of_keys_and_sessions(cloud: Cloud, clock: TestClock) -> None:
    browser = session_of("Li Na", ["finance"])
    key, owner = staff_key("Li Na", "payouts:read"), session_of("Zhao Min", ["owner"])
    statuses = []
    for roles in (["finance"], ["service"], ["finance"], []):
        body = {"roles": roles, "reason": "moves"}
        assert owner.send("PUT", f"/v1/staff/{person('Li Na')}/roles", body).status == 200
        statuses.append((browser.send("GET", "/v1/payouts").status, payouts(key)))

    assert statuses == [(200, 200), (403, 403), (200, 200), (403, 403)]


def test_a_key_never_has_more_than_it_was_given(cloud: Cloud) -> None:
    person("Li Na", roles=EVERY_ROLE)

    assert payouts(staff_key("Li Na", "sales:read")) == 403


def test_no_key_is_made_with_more_than_the_roles_give(cloud: Cloud) -> None:
    li = person("Li Na", roles=["finance"])
    bodies = [
        {"name": "x", "owner": li, "scopes": scopes} for scopes in (["payouts:read", "catalog:write"], ["payouts:read"])
    ]
    refused, made = (
        reply(serve(http_event("POST", "/v1/partners/keys", body, token=ROOT_KEY, key=str(number))))
        for number, body in enumerate(bodies)
    )

    assert (refused.status, refused.body["code"], made.status) == (403, "SCOPE_NOT_IN_ROLES", 201)


def test_a_key_of_release_0_3_0_names_no_person_and_is_limited_all_the_same(cloud: Cloud) -> None:
    person("Li Na", roles=["finance"])
    key = staff_key("Li Na", "payouts:read", "catalog:write")
    secret = key.rpartition("_")[2]
    digest = hashlib.sha256(secret.encode()).hexdigest()
    key_id = key.split("_")[1]
    cloud.dynamodb.update_item(
        TableName="partners", Key={"pk": {"S": f"key_{key_id}"}, "sk": {"S": "key"}},
        UpdateExpression="SET secret_sha256 = :digest", ExpressionAttributeValues={":digest": {"S": digest}},
    )  # fmt: skip
    old = f"csk_{key_id}_{secret}"
    event = http_event("GET", "/v1/products/X/draft", token=old)

    assert payouts(old) == 200
    assert reply(serve(event)).body["code"] == "SCOPE_MISSING"


def test_a_key_of_a_deactivated_person_is_refused_before_it_is_revoked(cloud: Cloud) -> None:
    key, zhao = staff_key("Li Na", "payouts:read"), person("Zhao Min")
    person("Wang Fang")
    before = payouts(key)
    DynamoPersons().deactivate(person("Li Na"), zhao, 2)

    assert (before, payouts(key)) == (200, 401)


class TwoPersons:
    """`edge.callers.StaffCredentials` with one key, of `stf_b`."""

    def __init__(self, key: ApiKey) -> None:
        self.key = key
        self.asked: list[str] = []

    def look_up(self, *, key_id: str = "", person_id: str = "", session_id: str = "") -> FoundCredentials:
        self.asked.append(person_id)
        roles: frozenset[Role] = frozenset({"finance"}) if person_id == self.key.owner else EVERY_ROLE
        return FoundCredentials(self.key if key_id else None, Person(person_id, "x", ROOT, START, roles=roles))

    def renew(self, person_id: str, session_id: str, now: object) -> None:
        raise AssertionError("a key is not renewed")


def test_the_person_that_a_secret_names_counts_only_if_the_key_is_that_person_s() -> None:
    owner, other = "stf_" + "b" * 26, "a" * 26
    secret = f"{other}_{'s' * 43}"
    digest = hashlib.sha256(secret.encode()).hexdigest()
    known = TwoPersons(ApiKey("key_k", digest, frozenset({"payouts:read", "catalog:write"}), owner, "x", "x", START))
    signer = Signer(keys=lambda: ["k"])
    callers = Callers(signer=signer, find_key=lambda _: None, admin_key=lambda: "a", staff=known)
    caller = callers.identify(f"Bearer csk_k_{secret}")

    assert (caller.person_id, caller.scopes) == (owner, frozenset({"payouts:read"}))
    assert known.asked == [f"stf_{other}", owner]


def test_a_person_of_release_0_3_0_keeps_the_scopes_of_its_keys_until_it_gets_roles(cloud: Cloud) -> None:
    key, owner = staff_key("Li Na", "payouts:read"), staff_key("Zhao Min", "staff:write")
    shown = reply(serve(http_event("GET", "/v1/staff", token=owner))).body["items"]
    before = payouts(key)
    given = put(person("Li Na"), ["store"], owner)

    assert {each["roles"] for each in shown} == {None}
    assert (before, given.status, given.body["roles"], payouts(key)) == (200, 200, ["store"], 403)


def test_in_the_console_a_person_of_release_0_3_0_is_an_owner_or_nothing() -> None:
    founder, other = Person("stf_1", "x", ROOT, START), Person("stf_2", "x", "stf_1", START)

    assert founder.session_scopes == ROLES["owner"].scopes
    assert other.session_scopes == frozenset()


def test_the_first_two_are_owners_and_others_have_no_role_yet(cloud: Cloud) -> None:
    made = [reply(serve(http_event("POST", "/v1/staff", {"name": name}, token=ROOT_KEY, key=name))) for name in "ab"]
    owner = staff_key("Zhao Min", "staff:write")
    third = reply(serve(http_event("POST", "/v1/staff", {"name": "c"}, token=owner, key="c")))

    assert [answer.body["roles"] for answer in (*made, third)] == [["owner"], ["owner"], []]


# --- who gives them ---


def test_owners_give_roles_to_others_with_a_reason(cloud: Cloud, clock: TestClock) -> None:
    li, owner = person("Li Na", roles=[]), session_of("Zhao Min", ["owner"])
    path = f"/v1/staff/{li}/roles"
    answers = [
        owner.send("PUT", path, {"roles": ["finance"]}),
        owner.send("PUT", path, {"roles": ["finance"], "reason": " "}),
        owner.send("PUT", f"/v1/staff/{person('Zhao Min')}/roles", {"roles": ["owner", "finance"], "reason": "me"}),
        owner.send("PUT", "/v1/staff/stf_00000000000000000000000000/roles", {"roles": [], "reason": "x"}),
        put(li, ["finance"], ROOT_KEY),
        session_of("Wang Fang", sorted(EVERY_ROLE - {"owner"})).send("PUT", path, {"roles": [], "reason": "x"}),
    ]

    assert [answer.body["code"] for answer in answers] == [
        "BODY_INVALID", "BODY_INVALID", "OWN_RIGHTS", "NOT_FOUND", "PERSON_NEEDED", "SCOPE_MISSING",
    ]  # fmt: skip
    assert DynamoPersons().find_persons([li])[li].roles == frozenset()


def test_a_new_owner_gives_no_roles_for_seven_days(cloud: Cloud, clock: TestClock) -> None:
    li = person("Li Na", roles=["owner"])
    person("Newcomer", created_by=li, created_at=clock.now(), roles=["owner"])
    newcomer = session_of("Newcomer", ["owner"])
    early = newcomer.send("PUT", f"/v1/staff/{li}/roles", {"roles": [], "reason": "x"})
    clock.move(days=7)
    newcomer = session_of("Newcomer", ["owner"])
    late = newcomer.send("PUT", f"/v1/staff/{li}/roles", {"roles": [], "reason": "x"})

    assert (early.body["code"], late.status) == ("CREATOR_TOO_NEW", 200)


def test_the_last_owner_cannot_be_lost(cloud: Cloud, clock: TestClock) -> None:
    """Whoever takes roles or puts a person out is an owner, and not that person."""
    owners = {name: session_of(name, ["owner"]) for name in ("Li Na", "Zhao Min", "Wang Fang")}
    ids = {name: person(name) for name in owners}
    first = owners["Li Na"].send("PUT", f"/v1/staff/{ids['Zhao Min']}/roles", {"roles": [], "reason": "x"})
    back = owners["Zhao Min"].send("PUT", f"/v1/staff/{ids['Li Na']}/roles", {"roles": [], "reason": "x"})
    second = owners["Li Na"].send("DELETE", f"/v1/staff/{ids['Wang Fang']}")
    left = [one.name for one in DynamoPersons().persons(9, None)[0] if one.active and one.is_owner]

    assert (first.status, back.body["code"], second.status) == (200, "SCOPE_MISSING", 204)
    assert left == ["Li Na"]


def test_a_role_taken_between_the_check_and_the_step_stops_the_step(cloud: Cloud) -> None:
    persons = DynamoPersons()
    li, zhao, wang = (person(name, roles=["owner"]) for name in ("Li Na", "Zhao Min", "Wang Fang"))
    persons.set_roles(zhao, frozenset(), li)

    assert persons.set_roles(wang, frozenset(), zhao) == "actor_inactive"
    assert persons.deactivate(wang, zhao, 1) == "actor_inactive"
    forget_factories()
    assert persons.set_roles(wang, frozenset({"finance"}), li) == "done"
