"""Persons through the functions: made, listed, deactivated with their keys; every file of events/staff; every fault."""

import contextlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pynamodb.exceptions import PynamoDBException

from cardstock.staff.store import DynamoPersons
from functions.partners.api import app as partners_api
from functions.partners.webhooks_api import app as webhooks_api
from functions.staff.api import app as api
from tests.house import faults
from tests.house.cloud import ROOT, ROOT_KEY, Cloud, Context, http_event
from tests.people.clock import START, TestClock
from tests.people.staff import person, staff_key, supplier_key
from tests.people.tokens import access_token

STAFF, KEYS = "/v1/staff", "/v1/partners/keys"


def call(
    function: Any, method: str, path: str, body: Any = None, *, token: str = ROOT_KEY, **more: Any
) -> tuple[int, Any]:
    answer = function.handler(http_event(method, path, body, token=token, **more), Context())
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


def create(name: str, token: str = ROOT_KEY, key: str | None = None) -> tuple[int, Any]:
    return call(api, "POST", STAFF, {"name": name}, token=token, key=key or name.encode().hex())


def key_for(owner: str, *scopes: str, key: str = "k") -> str:
    status, made = call(partners_api, "POST", KEYS, {"name": "console", "owner": owner, "scopes": scopes}, key=key)
    assert status == 201, made
    return str(made["key"])


def test_the_root_key_makes_the_first_two_persons_and_they_make_the_others(cloud: Cloud) -> None:
    (_, li), (_, zhao) = create("Li Na"), create("Zhao Min")
    third = create("Wang Fang")
    fourth = create("Wang Fang", key_for(li["person_id"], "staff:write"), "another")
    listed = call(api, "GET", STAFF)[1]["items"]

    assert [made["created_by"] for made in (li, zhao)] == ["root", "root"]
    assert (third[0], third[1]["code"]) == (422, "FIRST_PERSONS_EXIST")
    assert (fourth[0], fourth[1]["created_by"], fourth[1]["active"]) == (201, li["person_id"], True)
    assert sorted(listed, key=str) == sorted((li, zhao, fourth[1]), key=str)


def test_a_repeated_request_makes_one_person(cloud: Cloud) -> None:
    first, again, other = create("Li Na", key="k"), create("Li Na", key="k"), create("Wang Fang", key="k")

    assert first == again
    assert (other[0], other[1]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert len(call(api, "GET", STAFF)[1]["items"]) == 1


def test_a_deactivated_person_has_no_keys_and_gets_none(cloud: Cloud) -> None:
    li, actor = person("Li Na"), staff_key("Zhao Min", "staff:write")
    person("Wang Fang")
    own = [key_for(li, "staff:write", key=f"k{number}") for number in range(3)]
    before = [call(api, "GET", STAFF, token=token)[0] for token in own]
    answer = call(api, "DELETE", f"{STAFF}/{li}", token=actor)
    after = [call(api, "GET", STAFF, token=token) for token in own]
    later = call(partners_api, "POST", KEYS, {"name": "x", "owner": li, "scopes": ["payouts:read"]}, key="later")
    (listed,) = [shown for shown in call(api, "GET", STAFF, token=actor)[1]["items"] if shown["person_id"] == li]

    assert (before, answer) == ([200] * 3, (204, None))
    assert [(status, body["code"]) for status, body in after] == [(401, "KEY_INVALID")] * 3
    assert (later[0], later[1]["code"]) == (400, "OWNER_UNKNOWN")
    assert listed["active"] is False


def test_one_person_cannot_get_the_credential_of_another(cloud: Cloud) -> None:
    li, zhao = person("Li Na"), person("Zhao Min")
    own = staff_key("Zhao Min", "keys:write", "debts:write_off")
    asked = {"name": "x", "owner": li, "scopes": ["debts:write_off"]}
    for_another = call(partners_api, "POST", KEYS, asked, token=own, key="1")
    more = call(partners_api, "POST", KEYS, {**asked, "owner": zhao, "scopes": ["payouts:approve"]}, token=own, key="2")
    same = call(partners_api, "POST", KEYS, {**asked, "owner": zhao}, token=own, key="3")

    assert (for_another[0], for_another[1]["code"]) == (403, "KEY_OF_ANOTHER")
    assert (more[0], more[1]["code"]) == (403, "SCOPE_NOT_HELD")
    assert same[0] == 201


def test_a_key_is_checked_with_one_read(cloud: Cloud) -> None:
    token = staff_key("Li Na", "keys:write")
    call(api, "GET", STAFF, token=token)
    with faults.watch() as calls:
        status, _ = call(api, "GET", STAFF, token=token)

    assert (status, calls) == (403, ["dynamodb.BatchGetItem"])


def test_the_list_goes_on_where_it_ended(cloud: Cloud) -> None:
    made = sorted(person(f"P {number}") for number in range(3))
    first = call(api, "GET", STAFF, query={"limit": "2"})[1]
    second = call(api, "GET", STAFF, query={"limit": "2", "cursor": first["next_cursor"]})[1]

    assert [shown["person_id"] for shown in (*first["items"], *second["items"])] == made
    assert second["next_cursor"] is None


# --- files ---

REFUSALS = {
    "bad_third_person_by_root": (422, "FIRST_PERSONS_EXIST"),
    "bad_person_of_a_new_person": (422, "CREATOR_TOO_NEW"),
    "bad_new_person_deactivates": (422, "CREATOR_TOO_NEW"),
    "bad_without_scope": (403, "SCOPE_MISSING"),
    "bad_without_idempotency_key": (400, "IDEMPOTENCY_KEY_MISSING"),
    "bad_unknown_field": (400, "BODY_INVALID"),
    "bad_blank_name": (400, "BODY_INVALID"),
    "bad_deep": (400, "BODY_INVALID"),
    "bad_root_deactivates": (403, "PERSON_NEEDED"),
    "bad_own_person": (422, "OWN_PERSON"),
    "bad_unknown_person": (404, "NOT_FOUND"),
    "bad_member": (403, "NOT_A_KEY"),
    "bad_own_roles": (422, "OWN_RIGHTS"),
    "bad_unknown_role": (400, "BODY_INVALID"),
    "bad_roles_without_reason": (400, "BODY_INVALID"),
}
FILES = sorted((ROOT / "events/staff/api").glob("*.json"))


def placeholders() -> dict[str, str]:
    founder, other = person("Li Na"), person("Wang Fang")
    person("Newcomer", created_by=founder, created_at=START - timedelta(days=6))
    return {
        "ROOT_KEY": ROOT_KEY,
        "FOUNDERS_KEY": staff_key("Li Na", "staff:write"),
        "NEWCOMERS_KEY": staff_key("Newcomer", "staff:write"),
        "SUPPLIER_KEY": supplier_key("sup_lights", "orders:fulfil"),
        "ACCESS_TOKEN": access_token("mem_1"),
        "FOUNDER_ID": founder,
        "OTHER_ID": other,
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_kept_request_is_answered_as_its_name_says(path: Path, cloud: Cloud, clock: TestClock) -> None:
    text = path.read_text("utf-8")
    for name, value in placeholders().items():
        text = text.replace(name, value)
    before = cloud.state()
    answer = api.handler(json.loads(text), Context())

    if path.stem.startswith("bad_"):
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == REFUSALS[path.stem]
        assert cloud.state() == before
    else:
        assert answer["statusCode"] in (200, 201, 204), answer


def test_every_bad_file_has_its_refusal() -> None:
    assert {path.stem for path in FILES if path.stem.startswith("bad_")} == REFUSALS.keys()


# --- faults ---


def by_root() -> Callable[[], tuple[int, Any]]:
    return lambda: create("Zhao Min")


def by_a_person() -> Callable[[], tuple[int, Any]]:
    token = staff_key("Zhao Min", "staff:write")
    return lambda: create("Wang Fang", token)


def _endpoints_of_wang() -> None:
    owned = staff_key("Wang Fang", "webhooks:write")
    for number in range(2):
        body = {"events": ["*"], "url": f"https://erp.example.com/{number}"}
        assert call(webhooks_api, "POST", "/v1/webhook-endpoints", body, token=owned, key=f"e{number}")[0] == 201


def lost_roles() -> Callable[[], tuple[int, Any]]:
    wang, token = person("Wang Fang"), staff_key("Zhao Min", "staff:write")
    _endpoints_of_wang()
    return lambda: call(api, "PUT", f"{STAFF}/{wang}/roles", {"roles": ["finance"], "reason": "moves"}, token=token)


def deactivation() -> Callable[[], tuple[int, Any]]:
    li, token = person("Wang Fang"), staff_key("Zhao Min", "staff:write")
    for _ in range(3):
        staff_key("Wang Fang", "payouts:read")
    _endpoints_of_wang()
    return lambda: call(api, "DELETE", f"{STAFF}/{li}", token=token)


def shape(cloud: Cloud) -> Any:
    """Persons, their keys, their endpoints and the count: all that must not differ after faults."""
    stored = DynamoPersons().persons(100, None)[0]
    persons = [(found.name, found.state, found.created_by, found.roles) for found in stored]
    keys = [(item["owner"]["S"], item["state"]["S"]) for item in cloud.items("partners") if "state" in item]
    count = [item["persons"]["N"] for item in cloud.items("staff") if "persons" in item]
    endpoints = [(item["status"]["S"], "left_at" in item) for item in cloud.items("partners") if "status" in item]
    return sorted(persons, key=str), sorted(keys), count, endpoints


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", [by_root, by_a_person, deactivation, lost_roles])
def test_a_disturbed_step_and_its_repeat_end_as_one_undisturbed_step(
    make: Callable[[], Callable[[], tuple[int, Any]]], mode: faults.Mode, cloud: Cloud, clock: TestClock
) -> None:
    person("Li Na")
    call(api, "GET", STAFF)  # secrets are fetched once
    step = make()
    before = cloud.snapshot()
    with faults.watch() as calls:
        done, _ = step()
    assert done in (200, 201, 204)
    expected = shape(cloud)

    for index, name in enumerate(calls):
        before.restore()
        # A read is in no conflict: what the SDK raises then is nothing that a handler has to know.
        with faults.at(index, mode), contextlib.suppress(PynamoDBException):
            faults.survive(step)
        status, body = step()

        assert status == done, (mode, index, name, body)
        assert shape(cloud) == expected, (mode, index, name)
