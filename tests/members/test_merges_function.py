"""Merging accounts as a client, and as a thief, from requests to the tables and back."""

from typing import Any

import pytest

from cardstock.members.item_store import MemberItem, members_of
from cardstock.members.merge_model import MERGE_CODES, MERGE_TRIES
from cardstock.network import wiring as network_wiring
from cardstock.network.deciding import position_of
from tests.house.cloud import Cloud, http_event, serve
from tests.people.clock import TestClock
from tests.people.consents import login_body
from tests.people.replies import Reply, reply
from tests.people.staff import staff_key
from tests.people.trade import DEMO_PLAN, Trade

NUMBER = "11010519491231002X"


@pytest.fixture(autouse=True)
def nine_o_clock(clock: TestClock) -> None:
    clock.move(hours=1)


def send(method: str, path: str, body: Any = None, *, token: str) -> Reply:
    return reply(serve(http_event(method, path, body, token=token)))


def log_in(openid: str, **more: Any) -> tuple[str, str]:
    """Member id and access token."""
    answer = reply(serve(http_event("POST", "/v1/auth/sessions", login_body(openid, **more))))
    assert answer.status == 200, answer
    return answer.body["member"]["member_id"], answer.body["access_token"]


def code_of(token: str) -> str:
    return str(send("PUT", "/v1/me/merge-code", token=token).body["code"])


def merge(one: str, other: str) -> Reply:
    """`other` enters a code of `one`."""
    return send("POST", "/v1/me/merges", {"code": code_of(one)}, token=other)


def test_two_accounts_merge_and_both_list_it(cloud: Cloud) -> None:
    (anna, first), (again, second) = log_in("anna"), log_in("anna-elsewhere")
    merged = merge(first, second)
    listed = send("GET", "/v1/me/merges", token=first)

    assert (merged.status, listed.status) == (200, 200)
    assert merged.body["items"] == [
        {
            "member_id": member, "merged_at": "2026-12-01T09:00:00.000Z", "undo_until": "2026-12-31T09:00:00.000Z",
            "me": member == again,
        }
        for member in (anna, again)
    ]  # fmt: skip
    assert [each["me"] for each in listed.body["items"]] == [True, False]


def test_a_merge_that_is_undone_leaves_nothing(cloud: Cloud) -> None:
    (anna, first), (again, second) = log_in("anna"), log_in("anna-elsewhere")
    merge(first, second)
    ended = send("DELETE", f"/v1/me/merges/{again}", token=first)
    once_more = send("DELETE", f"/v1/me/merges/{again}", token=first)

    assert (ended.status, once_more.status) == (204, 404)
    assert send("GET", "/v1/me/merges", token=second).body == {"items": []}
    assert {each.same_person for each in members_of([anna, again]).values()} == {()}


def test_a_thief_who_tries_codes_is_stopped_and_learns_nothing(cloud: Cloud) -> None:
    _, thief = log_in("thief")
    _, first = log_in("anna")
    code = code_of(first)
    tries = [send("POST", "/v1/me/merges", {"code": "k7m2p9xw4tab"}, token=thief) for _ in range(MERGE_TRIES.most)]
    stopped = send("POST", "/v1/me/merges", {"code": code}, token=thief)

    assert {(each.status, each.body["code"]) for each in tries} == {(422, "MERGE_CODE_INVALID")}
    assert (stopped.status, stopped.body["code"]) == (429, "TOO_MANY")


def test_repeats_of_a_merge_and_refused_codes_use_up_nothing(cloud: Cloud) -> None:
    (anna, first), (_, second) = log_in("anna"), log_in("anna-elsewhere")
    code = code_of(first)
    merged = [send("POST", "/v1/me/merges", {"code": code}, token=second) for _ in range(MERGE_TRIES.most + 1)]
    own = [send("POST", "/v1/me/merges", {"code": code}, token=first).status for _ in range(MERGE_TRIES.most + 1)]
    MemberItem(id=anna).update([MemberItem.staff_link.set("person")])
    codes = {send("PUT", "/v1/me/merge-code", token=first).body["code"] for _ in range(MERGE_CODES.most + 1)}

    assert {each.status for each in merged} == {200}
    assert own == [422] * MERGE_TRIES.most + [429]  # an own code is a try as well
    assert codes == {"LINKED_TO_STAFF"}


def test_the_code_is_stored_as_a_hash_and_goes_when_it_is_over(cloud: Cloud) -> None:
    _, first = log_in("anna")
    code = code_of(first)
    (item,) = (item for item in cloud.items("sessions") if item["pk"]["S"].startswith("merge-code#"))

    assert code not in str(item)
    assert int(item["expires_at"]["N"]) >= 1_796_116_200  # what DynamoDB's own clock goes by, in seconds


def test_merged_accounts_of_one_person_verify_both_and_count_once(cloud: Cloud) -> None:
    guide, _ = log_in("guide")
    (_, first), (_, second) = log_in("anna", invite=guide), log_in("anna-elsewhere", invite=guide)
    person = {"name": "王小明", "id_number": NUMBER}
    for token in (first, second):
        assert send("PUT", "/v1/me/identity", person, token=token).status == 200

    assert position_of(guide, network=network_wiring.network()).verified_referrals == 1


def test_a_verified_merged_member_is_bound_by_an_invite_at_log_in(cloud: Cloud) -> None:
    guide, _ = log_in("guide")
    (_, first), (again, second) = log_in("anna", invite=guide), log_in("anna-elsewhere")
    person = {"name": "王小明", "id_number": NUMBER}
    for token in (first, second):
        send("PUT", "/v1/me/identity", person, token=token)
    log_in("anna-elsewhere", invite=guide)
    network = network_wiring.network()

    assert position_of(again, network=network).referrer == guide
    assert position_of(guide, network=network).verified_referrals == 1


def test_an_account_is_not_brought_by_the_person_s_other_account(cloud: Cloud) -> None:
    (anna, first), (_, second) = log_in("anna"), log_in("anna-elsewhere")
    merge(first, second)
    bound = send("POST", "/v1/me/inviter", {"inviter": anna}, token=second)

    assert (bound.status, bound.body["code"]) == (422, "INVITER_SELF")


def test_a_reward_from_one_account_to_the_other_is_held(cloud: Cloud, clock: TestClock) -> None:
    trade = Trade(cloud, clock)
    trade.publish(DEMO_PLAN)
    anna, first = log_in("anna")
    again, second = log_in("anna-elsewhere", invite=anna)
    trade.appoint(anna)
    merge(first, second)
    order_id = trade.buy(again)
    trade.settle_down()
    (held,) = send("GET", "/v1/reward-holds", token=staff_key("Li Na", "payouts:read")).body["items"]

    assert (held["order_id"], held["reasons"], held["members"]) == (order_id, ["same_person"], [anna])


def test_a_code_is_taken_as_people_type_it(cloud: Cloud) -> None:
    (_, first), (_, second) = log_in("anna"), log_in("anna-elsewhere")
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code_of(first).upper())

    assert send("POST", "/v1/me/merges", {"code": f" {wide} "}, token=second).status == 200
