"""The members function, from its events to the tables and back."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities import parameters

from cardstock.edge import wiring as edge_wiring
from cardstock.ids import new_id
from cardstock.members import wiring as members_wiring
from cardstock.members.item_store import members_of
from cardstock.signing import ACCESS
from tests.house.cloud import ROOT_KEY, Cloud, Context, forget_factories, http_event, serve
from tests.people.clock import TestClock
from tests.people.consents import login_body
from tests.people.shop import Shop
from tests.people.staff import staff_key

START = datetime(2026, 12, 1, 9, tzinfo=UTC)
ID_NUMBER = "11010519491231002X"


@pytest.fixture(autouse=True)
def nine_o_clock(clock: TestClock) -> None:
    clock.move(hours=1)


def call(method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    answer = serve(http_event(method, path, body, **options), Context())
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


def log_in(openid: str, **more: Any) -> tuple[int, Any]:
    return call("POST", "/v1/auth/sessions", login_body(openid, **more))


def member(openid: str, **more: Any) -> tuple[str, str]:
    """Member id and access token of a login."""
    status, session = log_in(openid, **more)
    assert status == 200, session
    return session["member"]["member_id"], session["access_token"]


def staff(*scopes: str) -> str:
    return staff_key("Li Na", *scopes)


def test_the_first_login_registers_and_a_repeat_finds_the_same_member(cloud: Cloud) -> None:
    status, first = log_in("anna", scene="1011")
    before = cloud.state()
    again_status, again = log_in("anna")
    after = cloud.state()

    assert (status, again_status) == (200, 200)
    assert first["is_new"] is True
    assert first["bound_inviter"] is None
    assert again["is_new"] is False
    assert again["member"] == first["member"]
    assert {table for table in after if after[table] != before[table]} == {"sessions"}


def test_an_access_token_opens_the_profile_until_it_expires_and_a_refresh_token_never(
    cloud: Cloud, clock: TestClock
) -> None:
    _, session = log_in("anna")
    status, profile = call("GET", "/v1/me", token=session["access_token"])
    wrong, _ = call("GET", "/v1/me", token=session["refresh_token"])
    clock.move(hours=2)
    late, problem = call("GET", "/v1/me", token=session["access_token"])

    assert (status, profile) == (200, session["member"])
    assert wrong == 401
    assert (late, problem["code"]) == (401, "TOKEN_EXPIRED")


def test_a_refresh_token_gets_new_tokens_for_thirty_days(cloud: Cloud, clock: TestClock) -> None:
    _, session = log_in("anna")
    clock.move(days=29)
    status, tokens = call("POST", "/v1/auth/refreshes", {"refresh_token": session["refresh_token"]})
    me, _ = call("GET", "/v1/me", token=tokens["access_token"])
    clock.move(days=1)
    late, problem = call("POST", "/v1/auth/refreshes", {"refresh_token": session["refresh_token"]})

    assert (status, me) == (200, 200)
    assert (late, problem["code"]) == (401, "TOKEN_EXPIRED")


def test_an_access_token_is_no_refresh_token(cloud: Cloud) -> None:
    _, session = log_in("anna")
    status, problem = call("POST", "/v1/auth/refreshes", {"refresh_token": session["access_token"]})

    assert (status, problem["code"]) == (401, "TOKEN_INVALID")


def test_an_invite_by_member_id_is_bound_with_the_registration(cloud: Cloud) -> None:
    inviter, _ = member("guide")
    status, session = log_in("anna", invite=inviter)
    _, place = call("GET", "/v1/me/distribution", token=session["access_token"])

    assert (status, session["bound_inviter"]) == (200, inviter)
    assert place["referrer"] == inviter
    assert place["role"] == "member"
    assert place["bound_at"] == "2026-12-01T09:00:00.000Z"


def test_an_invite_by_a_card_leads_to_its_owner(cloud: Cloud) -> None:
    from functions.cards.api.app import handler as cards

    inviter, token = member("guide")
    made = cards(
        http_event("POST", "/v1/cards", {"versions": {"default": {"name": "Lin"}}}, token=token, key="c1"), Context()
    )
    key = json.loads(made["body"])["card"]
    path = f"/v1/cards/{key}/shares"
    given = cards(http_event("POST", path, {}, token=token, key="s1"), Context())
    share = json.loads(given["body"])["share"]
    _, by_share = log_in("anna", invite=share)
    _, by_card = log_in("bert", invite=key)
    _, later = member("carl")
    named, place = call("POST", "/v1/me/inviter", {"inviter": share}, token=later)

    assert by_share["bound_inviter"] == inviter
    assert by_card["bound_inviter"] == inviter
    assert (named, place["referrer"]) == (200, inviter)


@pytest.mark.parametrize(
    "invite", ["mem_01kbdxdh50fcazdjhcnqh2rzv5", "k7m2p9xw4t", "k7m2p9xw4tab"], ids=["member", "share", "card"]
)
def test_an_unknown_inviter_refuses_a_newcomer_and_keeps_nothing(cloud: Cloud, invite: str) -> None:
    before = cloud.state()
    status, problem = log_in("anna", invite=invite)

    assert (status, problem["code"]) == (422, "INVITER_UNKNOWN")
    assert cloud.state() == before


def test_an_unknown_invite_keeps_no_known_member_out(cloud: Cloud) -> None:
    member("anna")
    status, session = log_in("anna", invite="mem_01kbdxdh50fcazdjhcnqh2rzv5")

    assert (status, session["bound_inviter"]) == (200, None)


def test_a_known_member_without_inviter_is_bound_at_a_later_login_and_never_rebound(cloud: Cloud) -> None:
    first, _ = member("guide")
    second, _ = member("rival")
    member("anna")
    _, bound = log_in("anna", invite=first)
    _, kept = log_in("anna", invite=second)

    assert bound["bound_inviter"] == first
    assert kept["bound_inviter"] == first


def test_an_inviter_can_be_named_later_once(cloud: Cloud) -> None:
    first, _ = member("guide")
    second, _ = member("rival")
    _, token = member("anna")
    status, place = call("POST", "/v1/me/inviter", {"inviter": first}, token=token)
    before = cloud.state()
    again, _ = call("POST", "/v1/me/inviter", {"inviter": first}, token=token)
    refused, problem = call("POST", "/v1/me/inviter", {"inviter": second}, token=token)

    assert (status, place["referrer"]) == (200, first)
    assert again == 200
    assert (refused, problem["code"]) == (422, "INVITER_BOUND")
    assert cloud.state() == before


def test_members_invite_neither_themselves_nor_their_inviters(cloud: Cloud) -> None:
    anna, token = member("anna")
    bert, _ = member("bert", invite=anna)
    own, own_problem = call("POST", "/v1/me/inviter", {"inviter": anna}, token=token)
    loop, loop_problem = call("POST", "/v1/me/inviter", {"inviter": bert}, token=token)

    assert (own, own_problem["code"]) == (422, "INVITER_SELF")
    assert (loop, loop_problem["code"]) == (422, "INVITER_HAS_REFERRED")


def test_one_number_is_one_member_on_every_platform_account(cloud: Cloud) -> None:
    first, _ = member("anna", phone_code="dev:+8613800138000")
    status, other = log_in("anna-elsewhere", phone_code="dev:+8613800138000")

    assert status == 200
    assert (other["member"]["member_id"], other["is_new"]) == (first, False)
    assert other["member"]["phone"] == "+86138****8000"


def uncounted(cloud: Cloud) -> dict[str, Any]:
    """All that is stored, without the counters of limits."""
    return {
        table: [item for item in items if not item["pk"]["S"].startswith("count#")]
        for table, items in cloud.state().items()
    }


def test_who_proves_a_number_has_it_and_the_other_is_notified(cloud: Cloud) -> None:
    _, token = member("anna", phone_code="dev:+8613800138000")
    member("bert")
    status, taken = log_in("bert", phone_code="dev:+8613800138000")
    former = call("GET", "/v1/me", token=token)[1]

    assert (status, taken["member"]["phone"], taken["member"]["phone_lost"]) == (200, "+86138****8000", None)
    assert former["phone"] == ""
    assert {name: former["phone_lost"][name] for name in ("phone", "platform")} == {
        "phone": "+86138****8000", "platform": "dev",
    }  # fmt: skip


def test_the_stranger_with_a_buyer_s_old_number_sees_no_order(shop: Shop) -> None:
    anna, _ = member("anna", phone_code="dev:+8613800138000")
    quote = shop.buyer.quote(member=anna).body["quote"]
    placed = shop.buyer.place(quote, member=anna)
    thief, token = member("thief", phone_code="dev:+8613800138000")
    seen = call("GET", "/v1/orders", token=token)[1]

    assert placed.status == 201
    assert thief != anna
    assert seen["items"] == []
    assert call("GET", f"/v1/orders/{placed.body['order_id']}", token=token)[0] == 404
    assert len(shop.buyer.send("GET", "/v1/orders", member=anna).body["items"]) == 1


def test_a_member_lets_an_account_on_another_platform_join(cloud: Cloud) -> None:
    anna, token = member("anna", phone_code="dev:+8613800138000")
    body = {"name": "王小明", "id_number": "11010519491231002X"}
    call("PUT", "/v1/me/identity", body, token=token)
    status, leave = call("PUT", "/v1/me/joining", token=token)
    joined = log_in("anna-elsewhere", phone_code="dev:+8613800138000")[1]

    assert (status, list(leave)) == (200, ["until"])
    assert joined["member"]["member_id"] == anna


def test_a_number_is_added_at_a_later_login(cloud: Cloud) -> None:
    member("anna")
    _, session = log_in("anna", phone_code="dev:+8613800138000")

    assert session["member"]["phone"] == "+86138****8000"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"platform": "wechat"}, 400, "PLATFORM_UNKNOWN"),
        ({"login_code": "anna"}, 401, "LOGIN_CODE_INVALID"),
        ({"login_code": "dev:"}, 401, "LOGIN_CODE_INVALID"),
        ({"login_code": "dev:a b"}, 401, "LOGIN_CODE_INVALID"),
        ({"phone_code": "dev:138"}, 401, "LOGIN_CODE_INVALID"),
        ({"invite": "../mem"}, 400, "BODY_INVALID"),
        ({"app_id": "a#b"}, 400, "BODY_INVALID"),
        ({"extra": 1}, 400, "BODY_INVALID"),
        ({"scene": 1011}, 400, "BODY_INVALID"),
    ],
)
def test_a_login_that_says_something_wrong_is_refused_and_keeps_nothing(
    cloud: Cloud, change: dict[str, Any], status: int, code: str
) -> None:
    before = cloud.state()
    got, problem = log_in("anna", **change)

    assert (got, problem["code"]) == (status, code)
    assert cloud.state() == before


def test_the_development_platform_exists_on_a_development_machine_alone(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setenv("ENVIRONMENT", "prod")
    members_wiring.login_platforms.cache_clear()
    try:
        status, problem = log_in("anna")
        verifier = members_wiring.identity_verifier()
    finally:
        monkeypatch.undo()
        members_wiring.login_platforms.cache_clear()

    assert (status, problem["code"]) == (400, "PLATFORM_UNKNOWN")
    assert verifier is None


def test_a_profile_is_replaced_whole(cloud: Cloud) -> None:
    _, token = member("anna")
    status, full = call("PUT", "/v1/me", {"nickname": "小林", "birth_year": 1990}, token=token)
    _, bare = call("PUT", "/v1/me", {"nickname": "小林"}, token=token)
    future, _ = call("PUT", "/v1/me", {"nickname": "小林", "birth_year": 2027}, token=token)

    assert (status, full["nickname"], full["birth_year"]) == (200, "小林", 1990)
    assert bare["birth_year"] is None
    assert future == 400


def test_a_verified_name_shows_masked_says_who_verified_and_stays(cloud: Cloud) -> None:
    member_id, token = member("anna")
    status, profile = call("PUT", "/v1/me/identity", {"name": "王小明", "id_number": ID_NUMBER}, token=token)
    before = uncounted(cloud)
    again, _ = call("PUT", "/v1/me/identity", {"name": "王小明", "id_number": ID_NUMBER.lower()}, token=token)
    other, problem = call("PUT", "/v1/me/identity", {"name": "李明", "id_number": ID_NUMBER}, token=token)

    assert (status, again) == (200, 200)
    assert (profile["verified"], profile["verification"], profile["of_age"]) == (True, "dev", True)
    assert (profile["name"], profile["id_number"]) == ("王**", "1****************X")
    assert (other, problem["code"]) == (422, "IDENTITY_FIXED")
    assert uncounted(cloud) == before
    assert ID_NUMBER[6:17] not in json.dumps(cloud.items("members"))
    stored = members_of([member_id])[member_id].person
    assert stored is not None
    assert stored.name == "王小明"


def test_a_wrong_check_digit_is_refused(cloud: Cloud) -> None:
    _, token = member("anna")
    status, problem = call("PUT", "/v1/me/identity", {"name": "王小明", "id_number": ID_NUMBER[:-1] + "1"}, token=token)

    assert (status, problem["code"]) == (400, "ID_NUMBER_INVALID")


def test_staff_appoints_a_partner_once(cloud: Cloud) -> None:
    member_id, token = member("anna")
    path, key = f"/v1/members/{member_id}/partner-appointments", staff("network:appoint")
    status, place = call("POST", path, {"reason": "Founding partner"}, token=key)
    before = cloud.state()
    again, _ = call("POST", path, {"reason": "Founding partner"}, token=key)
    _, own = call("GET", "/v1/me/distribution", token=token)
    after = cloud.state()
    records = [state.pop("staff-actions") for state in (before, after)]

    assert (status, again) == (200, 200)
    assert (place["role"], place["appointed"]) == ("partner", True)
    assert own == place
    assert after == before
    assert [len(record) for record in records] == [1, 2]  # who asks again is on record again


def test_a_cold_function_appoints_under_the_plan_that_it_reads(shop: Shop) -> None:
    shop.publish_plan()
    member_id, _ = member("anna")
    key = staff("network:appoint")
    forget_factories()
    status, place = call("POST", f"/v1/members/{member_id}/partner-appointments", {"reason": "Founder"}, token=key)

    assert (status, place["role"]) == (200, "partner")


def test_an_appointment_needs_the_scope_and_a_member(cloud: Cloud) -> None:
    member_id, token = member("anna")
    path, body = f"/v1/members/{member_id}/partner-appointments", {"reason": "r"}
    by_member, _ = call("POST", path, body, token=token)
    without, problem = call("POST", path, body, token=staff("payouts:read"))
    unknown, _ = call(
        "POST",
        "/v1/members/bind.mem_01kbdxdh50fcazdjhcnqh2rzv5/partner-appointments",
        body,
        token=staff("network:appoint"),
    )

    assert by_member == 403
    assert (without, problem["code"]) == (403, "SCOPE_MISSING")
    assert unknown == 404


def test_a_cold_function_fetches_its_secrets_itself(cloud: Cloud) -> None:
    parameters.clear_caches()  # type: ignore[no-untyped-call]  # Powertools leaves it so
    made_up, problem = call("GET", "/v1/me", token="bm90.genuine")
    parameters.clear_caches()  # type: ignore[no-untyped-call]  # Powertools leaves it so
    by_root, refusal = call("GET", "/v1/me", token=ROOT_KEY)

    assert (made_up, problem["code"]) == (401, "TOKEN_INVALID")
    assert (by_root, refusal["code"]) == (403, "NOT_A_MEMBER")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/members/x/partner-appointments", {"reason": "r"}),
        ("POST", "/v1/orders/x/goodwill-refunds", {"amount_fen": 1, "reason": "r"}),
        ("PUT", "/v1/products/X1", {}),
        ("GET", "/v1/commission-plans", None),
    ],
)
def test_a_cold_staff_function_fetches_its_secrets_itself(cloud: Cloud, method: str, path: str, body: Any) -> None:
    parameters.clear_caches()  # type: ignore[no-untyped-call]  # Powertools leaves it so
    made_up, problem = call(method, path, body, token="bm90.genuine", key="k")
    parameters.clear_caches()  # type: ignore[no-untyped-call]  # Powertools leaves it so
    by_root, refusal = call(method, path, body, token=ROOT_KEY, key="k")

    assert (made_up, problem["code"]) == (401, "TOKEN_INVALID")
    assert (by_root, refusal["code"]) == (403, "SCOPE_MISSING")


def test_the_token_of_somebody_who_is_gone_opens_nothing(cloud: Cloud) -> None:
    gone = edge_wiring.signer().sign(ACCESS, {"sub": new_id("mem", START)}, lifetime=timedelta(hours=1))
    read, problem = call("GET", "/v1/me", token=gone)
    written, _ = call("PUT", "/v1/me", {"nickname": "x"}, token=gone)

    assert (read, problem["code"]) == (401, "MEMBER_ERASED")
    assert written == 401


def test_members_who_are_one_person_know_each_other(cloud: Cloud) -> None:
    members = [member(name) for name in ("anna", "anna-elsewhere", "anna-again", "ben")]
    for (_, token), number in zip(members, [ID_NUMBER] * 3 + ["110101199003070011"], strict=True):
        status, _ = call("PUT", "/v1/me/identity", {"name": "王小明", "id_number": number}, token=token)
        assert status == 200
    anna, elsewhere, again, ben = (member_id for member_id, _ in members)
    stored = members_of([anna, elsewhere, again, ben])

    assert {member_id: set(found.siblings) for member_id, found in stored.items()} == {
        anna: {elsewhere, again},
        elsewhere: {anna, again},
        again: {anna, elsewhere},
        ben: set(),
    }
    assert len({found.person.id for found in stored.values() if found.person}) == 2


def test_a_person_may_be_so_many_members_and_no_more(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cardstock.members.store.MOST_MEMBERS", 1)
    (_, first), (_, second) = member("anna"), member("anna-elsewhere")
    body = {"name": "王小明", "id_number": ID_NUMBER}
    call("PUT", "/v1/me/identity", body, token=first)
    before = uncounted(cloud)
    status, problem = call("PUT", "/v1/me/identity", body, token=second)

    assert (status, problem["code"]) == (422, "IDENTITY_IN_USE")
    assert uncounted(cloud) == before
