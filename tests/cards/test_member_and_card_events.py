"""Every file of `events/` for members, cards and views, executed: good ones are done, bad ones get their refusal."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cardstock import clock
from cardstock.members.model import Person
from cardstock.members.store import DynamoMembers
from functions.cards.api.app import handler as cards
from functions.cards.on_view.app import handler as on_card_viewed
from functions.members.accounts_api.app import handler as accounts
from functions.members.api.app import handler as members
from tests.house.cloud import ROOT, ROOT_KEY, Cloud, Context, http_event, serve
from tests.house.payloads import function_of
from tests.people.consents import login_body
from tests.people.staff import staff_key
from tests.people.tokens import access_token

HANDLERS: dict[str, Callable[..., dict[str, Any]]] = {
    "members/api": members,
    "members/accounts_api": accounts,
    "members/consents_api": serve,
    "members/closing_api": serve,
    "members/staff_api": serve,
    "cards/api": cards,
    "cards/on_view": on_card_viewed,
}
FILES = [path for folder in HANDLERS for path in sorted((ROOT / "events" / folder).glob("*.json"))]
REFUSALS = {
    "bad_without_reason": (400, "BODY_INVALID"),
    "bad_dispute_without_identity": (422, "IDENTITY_MISSING"),
    "bad_dispute_without_reason": (400, "BODY_INVALID"),
    "bad_read_by_low_scope": (403, "SCOPE_MISSING"),
    "bad_list_by_member": (403, "NOT_A_KEY"),
    "bad_day_of_no_calendar": (400, "QUERY_INVALID"),
    "bad_member_id": (404, "NOT_FOUND"),
    "bad_ended_session": (404, "NOT_FOUND"),
    "bad_unknown_inviter": (422, "INVITER_UNKNOWN"),
    "bad_login_without_consent": (422, "CONSENT_MISSING"),
    "bad_old_version": (422, "CONSENT_OUTDATED"),
    "bad_withdraws_account": (422, "CONSENT_NEEDED"),
    "bad_unknown_purpose": (404, "NOT_FOUND"),
    "bad_login_code": (401, "LOGIN_CODE_INVALID"),
    "bad_phone_code": (401, "LOGIN_CODE_INVALID"),
    "bad_unknown_platform": (400, "PLATFORM_UNKNOWN"),
    "bad_deep_body": (400, "BODY_INVALID"),
    "bad_made_up_code": (422, "MERGE_CODE_INVALID"),
    "bad_gives_up_what_is_not_there": (422, "GIVE_UP_DIFFERS"),
    "bad_of_strangers": (404, "NOT_FOUND"),
    "bad_key": (403, "NOT_A_MEMBER"),
    "bad_joining_without_number": (422, "PHONE_MISSING"),
    "bad_check_digit": (400, "ID_NUMBER_INVALID"),
    "bad_forged_token": (401, "TOKEN_INVALID"),
    "bad_no_idempotency_key": (400, "IDEMPOTENCY_KEY_MISSING"),
    "bad_no_default_version": (400, "BODY_INVALID"),
    "bad_forged_ticket": (400, "TICKET_INVALID"),
    "bad_website_with_script": (400, "BODY_INVALID"),
}
PAGES = {"page_by_share": 200, "vcard": 200, "bad_unknown_card": 404}
FAILED = {"two_views_and_a_repeat": [], "bad_one_of_three": ["m1"]}


def answer(handler: Callable[..., dict[str, Any]], *arguments: Any, **options: Any) -> Any:
    return json.loads(handler(http_event(*arguments, **options), Context())["body"])


def verified(member_id: str) -> str:
    """The member, verified as a person."""
    known = Person("王小明", "1****************X", "00$one", date(1949, 12, 31), "dev", clock.now())
    assert DynamoMembers().add_person(member_id, known)
    return member_id


def placeholders() -> dict[str, str]:
    """What the files name in capitals, made in an empty account."""
    body = login_body("guide")
    session = answer(members, "POST", "/v1/auth/sessions", body)
    member_id = session["member"]["member_id"]
    token = access_token(member_id)
    (listed,) = answer(members, "GET", "/v1/me/sessions", token=session["access_token"])["items"]
    session_id = listed["session_id"]
    versions = {"versions": {"default": {"name": "林晓雨", "phone": "+86 138 0013 8000"}}}
    card = answer(cards, "POST", "/v1/cards", versions, token=token, key="made")["card"]
    share = answer(cards, "POST", f"/v1/cards/{card}/shares", {}, token=token, key="given")["share"]
    staff = staff_key("Li Na", "network:appoint", "open_items:clear")
    with_number = {**body, "login_code": "dev:with-number", "phone_code": "dev:+8613800138009"}
    first, second = (
        answer(members, "POST", "/v1/auth/sessions", {**body, "login_code": f"dev:merged-{name}"}) for name in "ab"
    )
    code = answer(accounts, "PUT", "/v1/me/merge-code", token=first["access_token"])["code"]
    answer(accounts, "POST", "/v1/me/merges", {"code": code}, token=second["access_token"])
    return {
        "ROOT_KEY": ROOT_KEY,
        "MERGE_CODE": answer(accounts, "PUT", "/v1/me/merge-code", token=first["access_token"])["code"],
        "MERGED_TOKEN": first["access_token"],
        "MERGED_ID": second["member"]["member_id"],
        "JOINING_TOKEN": answer(members, "POST", "/v1/auth/sessions", with_number)["access_token"],
        "ACCESS_TOKEN": token,
        "REFRESH_TOKEN": session["refresh_token"],
        "SESSION_TOKEN": session["access_token"],
        "SESSION_ID": str(session_id),
        "MEMBER_ID": member_id,
        "VERIFIED_ID": verified(first["member"]["member_id"]),
        "CARD_KEY": card,
        "SHARE_KEY": share,
        "VIEW_TICKET": answer(cards, "GET", f"/v1/cards/{card}")["view_ticket"],
        "STAFF_KEY": str(staff),
        "READING_KEY": staff_key("Li Na", "members:read"),
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{function_of(path)}-{path.stem}")
def test_an_event_is_answered_as_its_name_says(cloud: Cloud, path: Path) -> None:
    text = path.read_text("utf-8")
    for name, value in placeholders().items():
        text = text.replace(name, value)
    got = HANDLERS[function_of(path)](json.loads(text), Context())

    if function_of(path) == "cards/on_view":
        failed = [entry["itemIdentifier"] for entry in got["batchItemFailures"]]
        assert failed == FAILED.get(path.stem, ["m0"])
    elif path.stem in PAGES:
        assert got["statusCode"] == PAGES[path.stem]
    elif path.stem.startswith("bad_"):
        assert (got["statusCode"], json.loads(got["body"])["code"]) == REFUSALS[path.stem]
    else:
        assert 200 <= got["statusCode"] < 300, got["body"]


@pytest.mark.parametrize("folder", HANDLERS)
def test_every_function_has_good_and_bad_events(folder: str) -> None:
    names = [path.stem for path in FILES if function_of(path) == folder]

    assert len(names) >= 2
    assert {name.startswith("bad_") for name in names} == {True, False}
