"""Logging in to the console through the functions: the page asks, the phone answers, one browser gets in. Thieves."""

import contextlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pynamodb.exceptions import PynamoDBException

from cardstock import clock as shop_clock
from cardstock.edge.callers import BROWSER_COOKIE, LOGIN_COOKIE, SESSION_COOKIE
from cardstock.errors import CardstockError
from cardstock.staff.console_model import (
    LOG_INS,
    LOGIN_LIFE,
    MOST_SHOWN,
    WRONG_DIGITS,
    PendingLogin,
    browser_of,
    place_of,
    secret_in,
)
from cardstock.staff.console_store import DynamoConsole
from cardstock.staff.store import DynamoPersons
from functions.staff.links_api import app as links_api
from functions.staff.login_api import app as login_api
from functions.staff.members_api import app as members_api
from tests.house import faults
from tests.house.cloud import ROOT, ROOT_KEY, Cloud, Context, http_event, serve
from tests.people.clock import TestClock
from tests.people.consents import login_body
from tests.people.replies import Reply, reply
from tests.people.staff import Browser, Desk, person, session_of, staff_key


@pytest.fixture
def desk(cloud: Cloud, clock: TestClock) -> Desk:
    return Desk()


@pytest.fixture
def li(desk: Desk) -> str:
    return person("Li Na", roles=["owner", "finance"])


@pytest.fixture
def anna(desk: Desk, li: str) -> str:
    return desk.linked(li, "anna")


def digits_of(person_id: str, login_id: str = "") -> str:
    """The right digits of a log-in of the person."""
    found = DynamoConsole().logins_of(person_id, shop_clock.now() - LOGIN_LIFE)
    return next(each.digits for each in found if each.login_id.startswith(login_id))


def code(answer: Reply) -> tuple[int, str]:
    return answer.status, answer.body["code"]


def test_the_phone_lets_the_asking_browser_in(desk: Desk, li: str, anna: str, clock: TestClock) -> None:
    browser = Browser()
    asked = browser.ask(li)
    early = browser.collect()
    (shown,) = desk.waiting(anna)
    chosen = desk.choose(anna, shown["login_id"], asked.body["digits"])
    collected, who = browser.collect(), browser.who()

    assert (asked.status, early.body, chosen.status) == (201, {"state": "waiting"}, 204)
    assert (shown["browser"], shown["place"], shown["at"]) == (
        "Chrome, Windows", "203.0.113.x", "2026-12-01T08:00:00.000Z",
    )  # fmt: skip
    assert (len(set(shown["choices"])), asked.body["digits"] in shown["choices"]) == (3, True)
    assert (collected.status, collected.body) == (200, {"state": "logged_in"})
    assert (who.body["person_id"], who.body["name"]) == (li, "Li Na")
    assert {"payouts:open", "staff:write"} <= set(who.body["scopes"])
    assert desk.waiting(anna) == []
    assert LOGIN_COOKIE not in browser.cookies


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/me/staff-logins", None),
        ("PUT", "/v1/me/staff-logins/log_1", {"digits": "47"}),
        ("GET", "/v1/me/staff/confirmations", None),
        ("PUT", "/v1/me/staff/confirmations/cnf_1", {"answer": "yes"}),
    ],
)
def test_a_session_that_was_ended_lets_nobody_in_and_no_money_go(
    method: str, path: str, body: Any, desk: Desk, li: str, anna: str
) -> None:
    phone = reply(serve(http_event("POST", "/v1/auth/sessions", login_body("anna")))).body
    stolen = phone["access_token"]
    before = reply(serve(http_event(method, path, body, token=stolen)))
    ended = reply(serve(http_event("DELETE", "/v1/me/sessions", token=stolen)))
    after = reply(serve(http_event(method, path, body, token=stolen)))

    assert phone["member"]["member_id"] == anna
    assert before.status in {200, 404}
    assert ended.status == 204
    assert code(after) == (401, "SESSION_ENDED")


def test_all_cookies_arrive_as_headers_of_their_own(desk: Desk, li: str, anna: str) -> None:
    browser = Browser()
    digits = browser.ask(li).body["digits"]
    desk.choose(anna, desk.waiting(anna)[0]["login_id"], digits)
    headers = {"Cookie": f"{LOGIN_COOKIE}={browser.cookies[LOGIN_COOKIE]}", "Origin": "https://api.example.com"}
    answer = serve(http_event("POST", "/v1/staff-sessions", {}, headers=headers))
    first, second, third = answer["multiValueHeaders"]["Set-Cookie"]

    assert first.startswith(f"{SESSION_COOKIE}={li[4:]}.")
    assert first.endswith("; Path=/; Secure; HttpOnly; SameSite=Strict")
    assert second == f"{LOGIN_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
    assert third.startswith(f"{BROWSER_COOKIE}=")
    assert third.endswith("; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=15552000")
    assert "Set-Cookie" not in answer["headers"]
    assert [line for line in (first, second, third) if "Expires" in line] == []


def test_what_is_stored_lets_nobody_in(desk: Desk, li: str, anna: str, cloud: Cloud) -> None:
    browser = Browser()
    browser.ask(li)
    secrets = [browser.cookies[LOGIN_COOKIE]]
    desk.choose(anna, (shown := desk.waiting(anna)[0])["login_id"], digits_of(li))
    browser.collect()
    secrets.append(browser.cookies[SESSION_COOKIE])
    stored = json.dumps(cloud.state(), default=repr)

    assert [secret for secret in secrets if secret.partition(".")[2] in stored] == []
    assert shown["login_id"] in stored


def test_an_unknown_person_gets_the_same_answer_and_no_phone_sees_it(desk: Desk, li: str, anna: str) -> None:
    browsers = [Browser(), Browser()]
    calls, answers = [], []
    for browser, name in zip(browsers, (li, "stf_" + "0" * 26), strict=True):
        with faults.watch() as seen:
            answers.append(browser.ask(name))
        calls.append(seen)
        answers.append(browser.collect())

    assert calls == [["dynamodb.TransactWriteItems"]] * 2
    assert answers[0].body.keys() == answers[2].body.keys()
    assert answers[1] == answers[3]
    assert len(desk.waiting(anna)) == 1


def test_wrong_digits_end_the_log_in_at_the_first_try(desk: Desk, li: str, anna: str) -> None:
    browser = Browser()
    digits = browser.ask(li).body["digits"]
    (shown,) = desk.waiting(anna)
    wrong = next(each for each in shown["choices"] if each != digits)
    refused, repeat, late = (desk.choose(anna, shown["login_id"], each) for each in (wrong, wrong, digits))

    assert [code(answer) for answer in (refused, repeat, late)] == [(422, "DIGITS_WRONG")] * 3
    assert code(browser.collect()) == (401, "LOGIN_OVER")
    assert desk.waiting(anna) == []


def test_a_right_answer_can_be_repeated_and_a_wrong_one_after_it_changes_nothing(
    desk: Desk, li: str, anna: str
) -> None:
    browser = Browser()
    digits = browser.ask(li).body["digits"]
    (shown,) = desk.waiting(anna)
    wrong = next(each for each in shown["choices"] if each != digits)
    answers = [desk.choose(anna, shown["login_id"], each).status for each in (digits, digits, wrong)]

    assert answers == [204, 204, 404]
    assert browser.collect().body == {"state": "logged_in"}


def test_ninety_seconds_end_a_log_in_before_and_after_the_answer(
    desk: Desk, li: str, anna: str, clock: TestClock
) -> None:
    one, other = Browser(), Browser()
    answered = one.ask(li).body["digits"]
    desk.choose(anna, desk.waiting(anna)[0]["login_id"], answered)
    unanswered = other.ask(li).body["digits"]
    (shown,) = desk.waiting(anna)
    clock.move(seconds=LOGIN_LIFE.total_seconds())

    assert desk.waiting(anna) == []
    assert desk.choose(anna, shown["login_id"], unanswered).status == 404
    assert [code(browser.collect()) for browser in (one, other)] == [(401, "LOGIN_OVER")] * 2


def test_only_the_linked_member_answers(desk: Desk, li: str, anna: str) -> None:
    zhao, stranger = person("Zhao Min", roles=["owner"]), desk.member("stranger")
    bert = desk.linked(zhao, "bert")
    browser = Browser()
    digits = browser.ask(li).body["digits"]
    login_id = desk.waiting(anna)[0]["login_id"]
    refused = [desk.choose(member, login_id, digits) for member in (stranger, bert)]

    assert [answer.status for answer in refused] == [404, 404]
    assert (desk.waiting(stranger), desk.waiting(bert)) == ([], [])
    assert browser.collect().body == {"state": "waiting"}


def flood(person_id: str, places: int, times: int = 1) -> list[int]:
    """Strangers ask to log in as the person, `times` from each of `places` networks."""
    strangers = [Browser() for _ in range(places)]
    for number, stranger in enumerate(strangers):
        stranger.address = f"198.51.{number}.7"
    return [stranger.ask(person_id).status for _ in range(times) for stranger in strangers]


def test_log_ins_are_limited_from_an_address_whoever_they_name(desk: Desk, li: str) -> None:
    half = LOG_INS.most // 2
    of_one = [Browser().ask(li).status for _ in range(half)]
    of_all = [Browser().ask(f"stf_{number:026}").status for number in range(half + 1)]
    elsewhere = Browser()
    elsewhere.address = "2001:db8::1"

    assert (of_one, of_all) == ([201] * half, [201] * half + [429])
    assert code(Browser().ask(li)) == (429, "TOO_MANY")
    assert elsewhere.ask(li).status == 201


def test_strangers_elsewhere_can_not_keep_a_person_out(desk: Desk, li: str, anna: str, cloud: Cloud) -> None:
    before = flood(li, MOST_SHOWN - 1, LOG_INS.most)
    own = Browser()
    digits = own.ask(li).body["digits"]
    shown = desk.waiting(anna)
    (mine,) = [each for each in shown if each["place"] == "203.0.113.x"]

    keys = [item["pk"]["S"] for item in cloud.items("staff-sessions") if item["pk"]["S"].startswith("count#")]

    assert set(before) == {201}
    assert len(keys) == MOST_SHOWN
    assert [key for key in keys if "." in key] == []
    assert len(shown) == MOST_SHOWN
    assert len({each["place"] for each in shown}) == MOST_SHOWN
    assert desk.choose(anna, mine["login_id"], digits).status == 204
    assert own.collect().body == {"state": "logged_in"}


def test_strangers_behind_the_same_address_or_everywhere_can_not_keep_a_known_browser_out(
    desk: Desk, li: str, anna: str, clock: TestClock
) -> None:
    own = desk.log_in(li, anna)
    own.send("DELETE", "/v1/staff-sessions/current")
    neighbours = [Browser().ask(li).status for _ in range(LOG_INS.most)]
    digits = own.ask(li).body["digits"]
    clock.move(seconds=1)
    flood(li, 3 * MOST_SHOWN)
    shown = desk.waiting(anna)

    assert neighbours == [201] * (LOG_INS.most - 1) + [429]
    assert [each["known"] for each in shown] == [True] + [False] * (MOST_SHOWN - 1)
    assert desk.choose(anna, shown[0]["login_id"], digits).status == 204
    assert own.collect().body == {"state": "logged_in"}


def test_a_known_browser_is_limited_by_itself_and_opens_nothing(desk: Desk, li: str, anna: str) -> None:
    own = desk.log_in(li, anna)
    kept = {BROWSER_COOKIE: own.cookies[BROWSER_COOKIE]}
    asked = [Browser(cookies=kept).ask(li).status for _ in range(LOG_INS.most + 1)]

    assert asked == [201] * LOG_INS.most + [429]
    assert Browser().ask(li).status == 201
    assert code(Browser(cookies=kept).who()) == (401, "CREDENTIALS_MISSING")
    assert code(Browser(cookies=kept).collect()) == (401, "LOGIN_OVER")


def test_a_browser_is_known_for_its_own_person_and_for_half_a_year(
    desk: Desk, li: str, anna: str, clock: TestClock
) -> None:
    zhao = person("Zhao Min", roles=["finance"])
    bert = desk.linked(zhao, "bert")
    own = desk.log_in(li, anna)
    kept = own.cookies[BROWSER_COOKIE]
    for value in (kept, kept[:-1], kept + "x", "", own.cookies[SESSION_COOKIE], "\x00"):
        Browser(cookies={BROWSER_COOKIE: value}).ask(zhao)
    of_zhao = [each["known"] for each in desk.waiting(bert)]
    clock.move(days=180)
    Browser(cookies={BROWSER_COOKIE: kept}).ask(li)

    assert of_zhao == [False] * 6
    assert [each["known"] for each in desk.waiting(anna)] == [False]


def test_a_phone_that_answers_without_looking_gives_three_tries_and_no_more(
    desk: Desk, li: str, anna: str, clock: TestClock
) -> None:
    """A thief asks again and again, and hopes that the person taps anything."""
    clock.set(WRONG_DIGITS.ends(clock.now()))
    thief, answers = Browser(), []
    for _ in range(WRONG_DIGITS.most + 1):
        thief.ask(li)
        shown = desk.waiting(anna)[0]
        right = digits_of(li, shown["login_id"])
        wrong = next(each for each in shown["choices"] if each != right)
        answers.append(code(desk.choose(anna, shown["login_id"], wrong)))
    stopped = code(desk.choose(anna, shown["login_id"], right))
    waiting = thief.collect().body
    clock.move(minutes=10)
    own = desk.log_in(li, anna, Browser())

    assert answers == [(422, "DIGITS_WRONG")] * WRONG_DIGITS.most + [(429, "TOO_MANY")]
    assert (stopped, waiting) == ((429, "TOO_MANY"), {"state": "waiting"})
    assert own.who().status == 200


def test_strangers_phones_and_repeats_count_as_no_wrong_answers(desk: Desk, li: str, anna: str) -> None:
    stranger, own = desk.member("stranger"), Browser()
    digits = own.ask(li).body["digits"]
    shown = desk.waiting(anna)[0]
    wrong = next(each for each in shown["choices"] if each != digits)
    others = {desk.choose(stranger, shown["login_id"], wrong).status for _ in range(WRONG_DIGITS.most + 1)}
    repeats = {code(desk.choose(anna, shown["login_id"], wrong)) for _ in range(WRONG_DIGITS.most + 1)}

    assert (others, repeats) == ({404}, {(422, "DIGITS_WRONG")})
    assert desk.log_in(li, anna).who().status == 200


# --- sessions ---


def test_a_session_ends_when_nobody_uses_it_for_half_an_hour(desk: Desk, li: str, anna: str, clock: TestClock) -> None:
    browser = desk.log_in(li, anna)
    statuses = []
    for minutes in (29, 29, 4, 4, 4, 30):
        clock.move(minutes=minutes)
        statuses.append(browser.who().status)

    assert statuses == [200] * 5 + [401]


def test_a_session_ends_after_twelve_hours_of_use(desk: Desk, li: str, anna: str, clock: TestClock) -> None:
    browser = desk.log_in(li, anna)
    statuses = []
    for _ in range(12 * 3):
        clock.move(minutes=20)
        statuses.append(browser.who().status)

    assert statuses == [200] * 35 + [401]


def test_a_session_is_read_by_one_call_and_renewed_at_most_every_five_minutes(
    desk: Desk, li: str, anna: str, clock: TestClock
) -> None:
    browser = desk.log_in(li, anna)
    clock.move(minutes=4)
    seen = []
    for _ in range(3):
        with faults.watch() as calls:
            assert browser.who().status == 200
        seen.append(calls)
        clock.move(minutes=1)

    assert seen == [
        ["dynamodb.BatchGetItem"],
        ["dynamodb.BatchGetItem", "dynamodb.UpdateItem"],
        ["dynamodb.BatchGetItem"],
    ]


def test_logging_out_ends_one_session_or_all(desk: Desk, li: str, anna: str, clock: TestClock) -> None:
    browsers = []
    for _ in range(4):
        browsers.append(desk.log_in(li, anna))
        clock.move(seconds=1)
    here, other, third, _ = browsers
    copied = dict(here.cookies)
    out = here.send("DELETE", "/v1/staff-sessions/current")
    replayed = Browser(cookies=copied)
    first = [code(here.who()), code(replayed.who()), other.who().status]
    everywhere = other.send("DELETE", "/v1/staff-sessions")

    assert (out.status, everywhere.status) == (204, 204)
    assert first == [(401, "CREDENTIALS_MISSING"), (401, "STAFF_SESSION_OVER"), 200]
    assert code(third.who()) == (401, "STAFF_SESSION_OVER")
    clock.move(seconds=1)
    assert desk.log_in(li, anna).who().status == 200


def test_an_owner_ends_the_sessions_of_another_person(desk: Desk, li: str, anna: str, clock: TestClock) -> None:
    browser, owner = desk.log_in(li, anna), session_of("Zhao Min", ["owner"])
    unknown = owner.send("DELETE", "/v1/staff/stf_00000000000000000000000000/sessions")
    ended = owner.send("DELETE", f"/v1/staff/{li}/sessions")

    assert (code(unknown), ended.status) == ((404, "NOT_FOUND"), 204)
    assert code(browser.who()) == (401, "STAFF_SESSION_OVER")
    assert owner.who().status == 200


# --- thieves ---


def test_the_cookie_of_the_log_in_cannot_bring_an_ended_session_back(desk: Desk, li: str, anna: str) -> None:
    browser = Browser()
    digits = browser.ask(li).body["digits"]
    copied = dict(browser.cookies)
    desk.choose(anna, desk.waiting(anna)[0]["login_id"], digits)
    browser.collect()
    browser.send("DELETE", "/v1/staff-sessions/current")
    thief = Browser(cookies=copied)

    assert thief.collect().status == 200
    assert code(thief.who()) == (401, "STAFF_SESSION_OVER")


def test_a_log_in_that_another_has_staged_brings_the_session_to_nobody_else(desk: Desk, li: str, anna: str) -> None:
    own, thief, onlooker = Browser(), Browser(), Browser()
    digits = own.ask(li).body["digits"]
    thief.ask(li)
    bound = secret_in(own.cookies[LOGIN_COOKIE])
    assert bound is not None
    desk.choose(anna, bound.login_id, digits)
    got = [own.collect(), thief.collect(), onlooker.collect()]

    assert [answer.body.get("state", answer.body.get("code")) for answer in got] == [
        "logged_in",
        "waiting",
        "LOGIN_OVER",
    ]
    assert SESSION_COOKIE not in {**thief.cookies, **onlooker.cookies}


@pytest.mark.parametrize(
    "value", ["", "x", "a.b", "0" * 26 + "." + "A" * 43, "0" * 5_000, "\x00.\x00", f"{'é' * 26}.a"]
)
def test_a_made_up_cookie_is_refused(desk: Desk, value: str) -> None:
    browser = Browser(cookies={SESSION_COOKIE: value, LOGIN_COOKIE: value})
    wanted = (401, "STAFF_SESSION_OVER") if value else (401, "CREDENTIALS_MISSING")

    assert code(browser.who()) == wanted
    assert code(browser.collect()) == (401, "LOGIN_OVER")


def test_the_cookie_is_good_on_the_api_that_set_it_alone(desk: Desk, li: str, anna: str) -> None:
    browser = desk.log_in(li, anna)
    browser.api = "the public one"
    answers = [browser.send("GET", path) for path in ("/v1/tax/quarters", "/v1/me", "/v1/staff")]

    assert [code(answer) for answer in answers] == [
        (401, "STAFF_SESSION_OVER"), (401, "CREDENTIALS_MISSING"), (401, "STAFF_SESSION_OVER"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("origin", "media_type"),
    [
        ("https://evil.example", "application/json"),
        ("https://api.example.com.evil.example", "application/json"),
        ("http://api.example.com", "application/json"),
        ("null", "application/json"),
        ("", "application/json"),
        ("https://api.example.com", "text/plain"),
        ("https://api.example.com", "application/x-www-form-urlencoded"),
        ("https://api.example.com", ""),
    ],
)
def test_another_site_s_page_does_nothing_with_the_cookie(
    origin: str, media_type: str, desk: Desk, cloud: Cloud
) -> None:
    browser = session_of("Li Na", ["owner"])
    before = cloud.state()
    browser.origin, browser.media_type = origin, media_type
    answers = [
        browser.send("POST", "/v1/staff", {"name": "x"}, key="1"),
        browser.send("DELETE", "/v1/staff-sessions"),
        browser.ask(person("Li Na")),
        browser.collect(),
    ]

    assert [code(answer) for answer in answers] == [(403, "ORIGIN_REFUSED")] * 4
    assert cloud.state() == before
    assert browser.who().status == 200  # reading tells another site nothing


def test_a_key_beside_the_cookie_counts_alone(desk: Desk) -> None:
    browser = session_of("Li Na", ["owner"])
    wrong = browser.send("GET", "/v1/staff", token="csk_x_y")
    supplier = browser.send("GET", "/v1/staff", token=staff_key("Zhao Min", "payouts:read"))

    assert [code(answer) for answer in (wrong, supplier)] == [(401, "KEY_INVALID"), (403, "SCOPE_MISSING")]


def test_a_session_ends_with_its_person_and_with_its_link_in_a_warm_process(desk: Desk, li: str, anna: str) -> None:
    zhao = person("Zhao Min", roles=["owner"])
    bert = desk.linked(zhao, "bert")
    person("Wang Fang", roles=["store"])
    browsers = [desk.log_in(li, anna), desk.log_in(zhao, bert)]
    warm = [browser.who().status for browser in browsers]
    DynamoPersons().deactivate(li, zhao, 2)
    released = desk.release(zhao, staff_key("Li Ming", "staff:write"))

    assert (warm, released.status) == ([200, 200], 204)
    assert [code(browser.who()) for browser in browsers] == [(401, "STAFF_SESSION_OVER")] * 2


def test_the_phone_of_a_deactivated_person_sees_no_log_in(desk: Desk, li: str, anna: str) -> None:
    zhao = person("Zhao Min", roles=["owner"])
    person("Wang Fang", roles=["store"])
    Browser().ask(li)
    before = len(desk.waiting(anna))
    DynamoPersons().deactivate(li, zhao, 2)

    assert (before, desk.waiting(anna)) == (1, [])


# --- what the phone shows ---


def test_a_browser_is_named_from_a_fixed_list_and_a_place_is_an_address() -> None:
    edge = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14) AppleWebKit/605 Chrome/140.0 Safari/605 Edg/140.0"
    wechat = "Mozilla/5.0 (iPhone; CPU iPhone OS 18) MicroMessenger/8.0"
    names = [browser_of(text) for text in (edge, wechat, "", "<svg/onload=1> 请点确认", "x" * 10_000)]

    assert names == ["Edge, macOS", "WeChat, iPhone", "?, ?", "?, ?", "?, ?"]
    assert [place_of(text) for text in ("203.0.113.10", "2001:db8:1:2::1", "", "evil")] == [
        "203.0.113.x", "2001:0db8:0001:x", "?", "?",
    ]  # fmt: skip


# --- files ---

REFUSALS = {
    "bad_other_origin": (403, "ORIGIN_REFUSED"),
    "bad_no_person": (400, "BODY_INVALID"),
    "bad_without_cookie": (401, "LOGIN_OVER"),
    "bad_made_up_session": (401, "STAFF_SESSION_OVER"),
    "bad_log_out_from_another_site": (403, "ORIGIN_REFUSED"),
    "bad_own_invitation": (422, "OWN_RIGHTS"),
    "bad_release_without_reason": (400, "BODY_INVALID"),
    "bad_actions_of_a_name": (400, "QUERY_INVALID"),
    "bad_unknown_person": (404, "NOT_FOUND"),
    "bad_used_invitation": (422, "INVITATION_INVALID"),
    "bad_made_up_invitation": (422, "INVITATION_INVALID"),
    "bad_key": (403, "NOT_A_MEMBER"),
    "bad_stranger_chooses": (404, "NOT_FOUND"),
    "bad_three_digits": (400, "BODY_INVALID"),
}
FUNCTIONS = {"login_api": login_api, "links_api": links_api, "members_api": members_api}
FILES = [path for name in FUNCTIONS for path in sorted((ROOT / "events/staff" / name).glob("*.json"))]


def placeholders(desk: Desk, now: datetime) -> dict[str, str]:
    li, other, third = person("Li Na"), person("Wang Fang"), person("Zhao Min")
    used = desk.invite(third).body["invitation"]
    staff = desk.member("bert")
    desk.accept(used, staff)
    browser = Browser()
    browser.ask(third)
    login = PendingLogin(third, "ab" * 32, "47", ("12", "47", "83"), "Chrome, Windows", "x", now, now + LOGIN_LIFE)
    DynamoConsole().ask(login, "x")
    return {
        "FOUNDERS_KEY": staff_key("Li Na", "staff:write"),
        "ROOT_KEY": ROOT_KEY,
        "FOUNDER_ID": li,
        "OTHER_ID": other,
        "USED_INVITATION": used,
        "INVITATION": desk.invite(li).body["invitation"],
        "ACCESS_TOKEN": desk.token(desk.member("anna")),
        "STAFF_TOKEN": desk.token(staff),
        "LOGIN_COOKIE": browser.cookies[LOGIN_COOKIE],
        "SESSION_COOKIE": session_of("Chen Wei", ["owner"]).cookies[SESSION_COOKIE],
        "LOGIN_ID": login.login_id,
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_kept_request_is_answered_as_its_name_says(path: Path, desk: Desk, cloud: Cloud) -> None:
    text = path.read_text("utf-8")
    for name, value in placeholders(desk, shop_clock.now()).items():
        text = text.replace(name, value)
    event = json.loads(text)
    before = cloud.state()
    answer = reply(FUNCTIONS[path.parent.name].handler(event, Context()))

    if path.stem.startswith("bad_"):
        assert code(answer) == REFUSALS[path.stem]
        assert cloud.state() == before
    else:
        assert answer.status in (200, 201, 204), answer


def test_every_bad_file_has_its_refusal() -> None:
    assert {path.stem for path in FILES if path.stem.startswith("bad_")} == REFUSALS.keys()


# --- faults ---


def asking(desk: Desk, li: str, anna: str) -> Callable[[], Reply]:
    return lambda: Browser().ask(li)


def choosing(desk: Desk, li: str, anna: str) -> Callable[[], Reply]:
    digits = Browser().ask(li).body["digits"]
    login_id = desk.waiting(anna)[0]["login_id"]
    return lambda: desk.choose(anna, login_id, digits)


def refusing(desk: Desk, li: str, anna: str) -> Callable[[], Reply]:
    Browser().ask(li)
    shown = desk.waiting(anna)[0]
    wrong = next(each for each in shown["choices"] if each != digits_of(li))
    return lambda: desk.choose(anna, shown["login_id"], wrong)


def collecting(desk: Desk, li: str, anna: str) -> Callable[[], Reply]:
    browser = Browser()
    digits = browser.ask(li).body["digits"]
    desk.choose(anna, desk.waiting(anna)[0]["login_id"], digits)
    cookies = dict(browser.cookies)
    return lambda: Browser(cookies=cookies).collect()


def leaving(desk: Desk, li: str, anna: str) -> Callable[[], Reply]:
    cookies = dict(desk.log_in(li, anna).cookies)
    return lambda: Browser(cookies=cookies).send("DELETE", "/v1/staff-sessions/current")


def giving_roles(desk: Desk, li: str, anna: str) -> Callable[[], Reply]:
    wang, owner = person("Wang Fang", roles=[]), session_of("Zhao Min", ["owner"])
    body = {"roles": ["finance"], "reason": "joins"}
    return lambda: owner.send("PUT", f"/v1/staff/{wang}/roles", body)


def ending_all(desk: Desk, li: str, anna: str) -> Callable[[], Reply]:
    desk.log_in(li, anna)
    owner = session_of("Zhao Min", ["owner"])
    return lambda: owner.send("DELETE", f"/v1/staff/{li}/sessions")


def picture(cloud: Cloud) -> Any:
    """Persons, and the states of log-ins and sessions, without secrets and times."""
    persons = [(one.name, one.roles, one.sessions_from is None) for one in DynamoPersons().persons(100, None)[0]]
    kept = [
        (item["pk"]["S"].partition("#")[0], item.get("state", {}).get("S"), "ended_at" in item)
        for item in cloud.items("staff-sessions")
        if "#" in item["pk"]["S"] and not item["pk"]["S"].startswith("count#")
    ]
    return persons, sorted(kept, key=str)


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("make", [choosing, refusing, collecting, leaving, giving_roles, ending_all])
def test_a_disturbed_step_and_its_repeat_end_as_one_undisturbed_step(
    make: Callable[[Desk, str, str], Callable[[], Reply]], mode: faults.Mode, desk: Desk, li: str, anna: str,
    cloud: Cloud,
) -> None:  # fmt: skip
    step = make(desk, li, anna)
    before, nothing = cloud.snapshot(), picture(cloud)
    with faults.watch() as calls:
        answer = step()
    expected = picture(cloud)

    assert expected != nothing
    for index, name in enumerate(calls):
        before.restore()
        with faults.at(index, mode), contextlib.suppress(CardstockError, PynamoDBException):
            faults.survive(step)
        assert picture(cloud) in (nothing, expected), (mode, index, name)
        again = step()

        # A session that was ended by the disturbed call is refused, as it should be.
        assert again.status == answer.status or (make is leaving and again.status == 401), (mode, index, name, again)
        assert picture(cloud) == expected, (mode, index, name)


@pytest.mark.parametrize("mode", faults.MODES)
def test_a_disturbed_question_leaves_one_log_in_or_none(
    mode: faults.Mode, desk: Desk, li: str, anna: str, cloud: Cloud
) -> None:
    before = cloud.snapshot()
    with contextlib.suppress(CardstockError, PynamoDBException), faults.at(0, mode):
        faults.survive(lambda: Browser().ask(li))
    found = len(desk.waiting(anna))
    before.restore()

    assert found in ((0,) if mode == "kill_before" else (0, 1))
    assert asking(desk, li, anna)().status == 201
