"""Consents by purpose: asked for before anything is processed, kept with every change, and withdrawn at once."""

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from cardstock import members as area
from cardstock.bank_accounts import wiring as bank_accounts_wiring
from cardstock.bank_accounts.setting import WantedAccount
from cardstock.errors import CardstockError
from cardstock.flows import consenting, paying_out_wiring
from cardstock.flows.bank_accounts import set_bank_account
from cardstock.flows.consenting_wiring import consent_needs
from cardstock.members import wiring as members_wiring
from cardstock.members.consent_model import (
    CONSENT_TRANSITIONS,
    FIRST,
    PURPOSES,
    Consent,
    Notice,
    Purpose,
    allows,
    read_versions,
    state_of,
    with_consent,
)
from cardstock.members.consent_texts import NEVER_VERIFIED, TERMS
from cardstock.members.consents import AGREEMENTS
from cardstock.members.identity import verify_person
from cardstock.members.item_store import MemberItem
from cardstock.members.model import Member, Person
from cardstock.members.store import DynamoMembers
from cardstock.recommendations import wiring as recommendations_wiring
from cardstock.recommendations.model import Entry, Row, member_key
from tests.house import faults
from tests.house.cloud import Cloud, forget_factories, http_event, serve
from tests.house.interleave import every_way
from tests.people.clock import START, TestClock
from tests.people.consents import login_body, sent
from tests.people.finance import CARD, Finance
from tests.people.memory_counts import uncounted
from tests.people.replies import Reply, reply
from tests.people.tokens import access_token

NOW = START
PERSON = {"name": "张伟", "id_number": "11010519491231002X"}
BANK = {"holder": "张伟", "number": "6217 0012 1002 4455 220", "bank": "中国建设银行", "branch": "上海浦东支行"}
PHONE = "dev:+8613800138000"


@pytest.fixture(autouse=True)
def fixed_time(clock: TestClock) -> None:
    """Two changes of one test are at one moment."""


def log_in(openid: str, *purposes: str, version: int = 1, **more: Any) -> Reply:
    """Log in, with these consents alone."""
    consents = sent(*purposes, version=version) if purposes else None
    return reply(serve(http_event("POST", "/v1/auth/sessions", login_body(openid, consents=consents, **more))))


def send(member_id: str, method: str, path: str, body: Any = None, **more: Any) -> Reply:
    return reply(serve(http_event(method, path, body, token=access_token(member_id), **more)))


def say(member_id: str, purpose: str, *, granted: bool, version: int | None = None) -> Reply:
    said = {"granted": granted} | ({} if version is None else {"version": version})
    return send(member_id, "PUT", f"/v1/me/consents/{purpose}", said)


def newcomer(openid: str = "anna", *purposes: str, **more: Any) -> str:
    """The id of a member with the consent to the account and these."""
    entered = log_in(openid, "account", *purposes, **more)
    assert entered.status == 200, entered
    return str(entered.body["member"]["member_id"])


def records(cloud: Cloud) -> list[tuple[Any, ...]]:
    """What is on record: purpose, version, whether yes, time and app, in the sequence of time."""
    found = [item for item in cloud.items("members") if item["pk"]["S"].startswith("consent#")]
    return [
        (
            item["pk"]["S"].split("#")[3], int(item["version"]["N"]), item["granted"]["BOOL"], int(item["at"]["N"]),
            item["account"]["S"],
        )
        for item in sorted(found, key=lambda item: item["pk"]["S"])
    ]  # fmt: skip


def states(member_id: str) -> dict[str, str]:
    items = send(member_id, "GET", "/v1/me/consents").body["items"]
    return {item["purpose"]: item["state"] for item in items}


@pytest.fixture
def raised(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A deployment whose texts of `account` and `card_visits` are of version 2; undo it by `lower`."""
    monkeypatch.setenv("CONSENT_VERSIONS", "account:2 card_visits:2")
    forget_factories()
    yield
    monkeypatch.undo()
    forget_factories()


def raise_version(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CONSENT_VERSIONS", text)
    forget_factories()


# --- the purposes ---


def test_every_purpose_says_all_that_the_law_asks_in_both_languages() -> None:
    assert set(TERMS) == set(PURPOSES)
    for terms in TERMS.values():
        for text in (terms.zh, terms.en):
            said = [getattr(text, name) for name in Notice.__struct_fields__]
            assert all(len(one) >= 2 for one in said)
        assert all(re.search(r"[\u4e00-\u9fff]", getattr(terms.zh, name)) for name in Notice.__struct_fields__)
        assert not any(re.search(r"[\u4e00-\u9fff]", getattr(terms.en, name)) for name in Notice.__struct_fields__)
    assert [key for key, terms in TERMS.items() if not terms.withdrawable] == ["account"]
    assert {key: terms.basis for key, terms in TERMS.items()} == {
        "account": "contract", "card_visits": "separate_consent", "recommendations": "consent",
        "identity_check": "separate_consent", "bank_account": "separate_consent",
    }  # fmt: skip


def test_anybody_reads_the_purposes_in_the_own_language(raised: None) -> None:
    def read(language: str) -> Any:
        headers = {"Accept-Language": language}
        return reply(serve(http_event("GET", "/v1/consent-purposes", headers=headers))).body["items"]

    chinese, english = read("zh-CN"), read("en")

    assert [item["purpose"] for item in chinese] == list(PURPOSES)
    assert {item["purpose"]: item["version"] for item in chinese} == {**FIRST, "account": 2, "card_visits": 2}
    assert (chinese[1]["title"], english[1]["title"]) == ("名片访问记录", "Visits of cards")
    assert (english[1]["basis"], english[1]["articles"], english[1]["withdrawable"]) == (
        "separate_consent", "13(1)(1), 23", True,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["account", "account:0", "account:-1", "account:x", "marketing:2", "account:²"])
def test_a_setting_that_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="purpose"):
        read_versions(text)


def test_the_chart_of_a_consent_is_what_the_rules_do() -> None:
    drawn = {
        (before, after.strip())
        for before, afters in re.findall(r"^    (\w+) --\w+--> ([\w |]+)$", area.__doc__ or "", re.MULTILINE)
        for after in afters.split("|")
        if before in CONSENT_TRANSITIONS
    }
    newer = {**FIRST, "card_visits": 2}
    made = Member("mem_a", "dev:wx1:a", NOW)
    reached = set()
    for before, consents in (
        ("missing", {}),
        ("given", {"card_visits": Consent(2, granted=True, at=NOW)}),
        ("lapsed", {"card_visits": Consent(1, granted=True, at=NOW)}),
        ("withdrawn", {"card_visits": Consent(1, granted=False, at=NOW)}),
    ):
        member = Member("mem_a", "dev:wx1:a", NOW, consents=consents)  # type: ignore[arg-type]
        assert state_of(member, "card_visits", newer) == before
        assert allows(member, "card_visits", newer) is (before == "given")
        for granted in (True, False):
            after = with_consent(member.consents, "card_visits", 2, NOW, granted=granted)
            said = state_of(Member("mem_a", "dev:wx1:a", NOW, consents=after), "card_visits", newer)
            reached |= {(before, said)} if said != before else set()
    reached.add(("given", "lapsed"))

    assert drawn == reached == {(one, other) for one, others in CONSENT_TRANSITIONS.items() for other in others}
    assert not allows(made, "account", FIRST)


# --- logging in ---


@pytest.mark.parametrize("purposes", [(), ("card_visits", "recommendations")])
def test_nobody_registers_without_the_consent_and_nothing_is_kept_or_asked(
    cloud: Cloud, purposes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cardstock.members.login_platforms.development import DevelopmentPlatform

    monkeypatch.setattr(DevelopmentPlatform, "phone_of", lambda *_: pytest.fail("the number was asked for"))
    before = cloud.state()
    refused = log_in("anna", *purposes, phone_code=PHONE)

    assert (refused.status, refused.body["code"]) == (422, "CONSENT_MISSING")
    assert refused.body["facts"] == {"purpose": "account", "version": 1}
    assert [wrong["pointer"] for wrong in refused.body["errors"]] == ["/consents"]
    assert cloud.state() == before


@pytest.mark.parametrize("version", [1, 3])
def test_another_version_is_refused_by_name_before_a_code_is_used(raised: None, cloud: Cloud, version: int) -> None:
    before = cloud.state()
    refused = log_in("anna", "recommendations", "account", version=version)
    first = log_in("anna", "account", version=version)

    assert (first.status, first.body["code"]) == (422, "CONSENT_OUTDATED")
    assert first.body["facts"] == {"purpose": "account", "version": 2}
    assert [wrong["pointer"] for wrong in first.body["errors"]] == ["/consents/0/version"]
    place = 1 if version == 1 else 0
    assert [wrong["pointer"] for wrong in refused.body["errors"]] == [f"/consents/{place}/version"]
    assert cloud.state() == before


def test_an_unknown_purpose_is_refused_by_its_place(cloud: Cloud) -> None:
    before = cloud.state()
    refused = log_in("anna", "account", "marketing")

    assert (refused.status, refused.body["code"]) == (400, "BODY_INVALID")
    assert refused.body["errors"][0]["pointer"] == "/consents/1/purpose"
    assert cloud.state() == before


def test_consents_are_stored_with_the_log_in_and_none_is_assumed(cloud: Cloud) -> None:
    anna = newcomer("anna", "card_visits")
    ms = int(NOW.timestamp() * 1000)
    first = records(cloud)
    log_in("anna", "account", "card_visits")

    assert states(anna) == {
        "account": "given", "card_visits": "given", "recommendations": "missing", "identity_check": "missing",
        "bank_account": "missing",
    }  # fmt: skip
    assert first == [("account", 1, True, ms, "dev:wx1"), ("card_visits", 1, True, ms, "dev:wx1")]
    assert records(cloud) == first  # what was said before is not said again
    (item,) = [item for item in cloud.items("members") if item["pk"]["S"] == anna]
    assert item["account_consent"] == {"N": "1"}
    assert all(item["member_id"]["S"] == anna for item in cloud.items("members") if "#" in item["pk"]["S"])


@pytest.mark.parametrize("how", ["number", "union id"])
def test_an_account_that_joins_a_member_records_its_consents_there(cloud: Cloud, clock: TestClock, how: str) -> None:
    more: dict[str, Any] = {"phone_code": PHONE} if how == "number" else {}
    openid = ("anna", "anna-too") if how == "number" else ("anna/u:one", "anna-too/u:one")
    anna = newcomer(openid[0], **more)
    clock.move(minutes=1)
    joined = log_in(openid[1], "account", "recommendations", **more)

    assert (joined.status, joined.body["member"]["member_id"], joined.body["is_new"]) == (200, anna, False)
    assert states(anna)["recommendations"] == "given"
    assert [(purpose, granted) for purpose, _, granted, *_ in records(cloud)] == [
        ("account", True), ("recommendations", True),
    ]  # fmt: skip


def test_a_raised_version_asks_known_members_at_their_next_log_in_and_refresh(
    cloud: Cloud, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = log_in("anna", "account")
    raise_version(monkeypatch, "account:2")
    clock.move(minutes=1)
    before = cloud.state()
    token = {"refresh_token": first.body["refresh_token"]}
    refresh = reply(serve(http_event("POST", "/v1/auth/refreshes", token)))
    refused = log_in("anna")
    unchanged = cloud.state() == before
    entered = log_in("anna", "account", version=2)
    again = reply(serve(http_event("POST", "/v1/auth/refreshes", token)))

    assert (refresh.status, refresh.body["code"]) == (422, "CONSENT_MISSING")
    assert refresh.body["facts"] == refused.body["facts"] == {"purpose": "account", "version": 2}
    assert (refused.status, refused.body["code"], unchanged) == (422, "CONSENT_MISSING", True)
    assert (entered.status, again.status) == (200, 200)  # the session of before goes on
    assert [record[1] for record in records(cloud)] == [1, 2]


def test_a_member_of_a_release_without_consents_agrees_at_the_next_log_in(cloud: Cloud, clock: TestClock) -> None:
    first = log_in("anna", "account")
    clock.move(minutes=1)
    anna = first.body["member"]["member_id"]
    MemberItem(id=anna).update([MemberItem.consents.remove(), MemberItem.account_consent.remove()])
    refused = log_in("anna")
    refresh = reply(serve(http_event("POST", "/v1/auth/refreshes", {"refresh_token": first.body["refresh_token"]})))
    entered = log_in("anna", "account")

    assert (refused.body["code"], refresh.body["code"]) == ("CONSENT_MISSING", "CONSENT_MISSING")
    assert entered.body["member"]["member_id"] == anna
    assert states(anna)["account"] == "given"


def test_a_number_that_is_proven_later_and_a_consent_are_one_change(cloud: Cloud, clock: TestClock) -> None:
    anna = newcomer()
    clock.move(minutes=1)
    entered = log_in("anna", "card_visits", phone_code=PHONE)
    member = DynamoMembers().find_member(anna)

    assert entered.status == 200
    assert member is not None
    assert (member.phone, set(member.consents)) == ("+8613800138000", {"account", "card_visits"})


# --- giving and withdrawing ---


def test_a_consent_is_given_withdrawn_and_given_again_and_every_change_is_on_record(
    cloud: Cloud, clock: TestClock
) -> None:
    anna = newcomer()
    answers = [
        say(anna, "card_visits", granted=granted, version=1 if granted else None).body
        for granted in (True, True, False, False, True)
    ]
    ms = int(NOW.timestamp() * 1000)

    assert [answer["state"] for answer in answers] == ["given", "given", "withdrawn", "withdrawn", "given"]
    assert [answer["kept"] for answer in answers[:2]] == [None, None]
    assert answers[2]["kept"] == TERMS["card_visits"].zh.kept
    assert [(one[0], one[2], one[3] - ms) for one in records(cloud)] == [
        ("account", True, 0), ("card_visits", True, 0), ("card_visits", False, 1), ("card_visits", True, 2),
    ]  # fmt: skip


def test_agreeing_needs_the_version_in_force_and_withdrawing_none(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = newcomer("anna", "card_visits", "recommendations")
    raise_version(monkeypatch, "card_visits:2 recommendations:3")
    before = states(anna)
    refused = [say(anna, "card_visits", granted=True, version=version) for version in (1, 3)]
    missing = send(anna, "PUT", "/v1/me/consents/card_visits", {"granted": True}, headers={"Accept-Language": "en"})
    given = say(anna, "card_visits", granted=True, version=2)
    withdrawn = say(anna, "recommendations", granted=False)

    assert (before["card_visits"], before["account"]) == ("lapsed", "given")
    assert {(one.status, one.body["code"]) for one in refused} == {(422, "CONSENT_OUTDATED")}
    assert (missing.status, missing.body["code"], missing.body["errors"]) == (
        400, "BODY_INVALID",
        [{"pointer": "/version", "code": "MISSING", "detail": "version is missing.", "field": "version"}],
    )  # fmt: skip
    assert (given.body["state"], given.body["version"], given.body["current_version"]) == ("given", 2, 2)
    assert (withdrawn.body["state"], withdrawn.body["version"], withdrawn.body["current_version"]) == (
        "withdrawn", 1, 3,
    )  # fmt: skip


def test_a_withdrawal_is_never_refused_and_only_agreeing_anew_is_counted(cloud: Cloud) -> None:
    anna = newcomer()
    given = [say(anna, "card_visits", granted=True, version=1).status for _ in range(AGREEMENTS.most + 1)]
    ends = []
    for _ in range(AGREEMENTS.most):
        ends += [say(anna, "card_visits", granted=granted, version=1).status for granted in (False, False, True)]
    withdrawn = [say(anna, purpose, granted=False).status for purpose in PURPOSES if purpose != "account"]
    other = say(anna, "recommendations", granted=True, version=1)

    assert set(given) == {200}
    assert ends == [200] * (3 * AGREEMENTS.most - 1) + [429]
    assert set(withdrawn) == {200}
    assert (other.status, other.body["code"]) == (429, "TOO_MANY")


def test_the_account_s_consent_is_withdrawn_by_closing_and_an_unknown_purpose_is_not_found(cloud: Cloud) -> None:
    anna = newcomer()
    before = records(cloud)
    refused, unknown = say(anna, "account", granted=False), say(anna, "marketing", granted=True, version=1)

    assert (refused.status, refused.body["code"]) == (422, "CONSENT_NEEDED")
    assert refused.body["facts"]["call"] == "PUT /v1/me/closing"
    assert (unknown.status, unknown.body["code"]) == (404, "NOT_FOUND")
    assert records(cloud) == before


def test_an_erased_member_says_nothing_any_more(cloud: Cloud) -> None:
    anna = newcomer()
    MemberItem(id=anna).update([MemberItem.erased_at.set(NOW), MemberItem.state.set("erased")])

    assert say(anna, "card_visits", granted=True, version=1).body["code"] == "MEMBER_ERASED"
    assert members_wiring.agreeing([anna, "mem_nobody"], "account") == frozenset()


# --- what a withdrawal does ---


def row(member_id: str) -> Row:
    return Row(member_key(member_id), NOW, (Entry("tent", "Tent", own=1000),))


def test_a_withdrawal_deletes_what_was_learnt_in_the_same_transaction(cloud: Cloud) -> None:
    anna, bert = newcomer("anna", "recommendations"), newcomer("bert", "recommendations")
    rows = recommendations_wiring.learnt_rows()
    rows.write_rows([row(anna), row(bert)])
    shown = send(anna, "GET", "/v1/recommendations").body["items"]
    say(anna, "recommendations", granted=False)
    hidden = send(anna, "GET", "/v1/recommendations").body["items"]

    assert [item["reason"] for item in shown] == ["OWN_HISTORY"]
    assert hidden == []
    assert set(rows.read_rows([member_key(anna), member_key(bert)])) == {member_key(bert)}


def test_a_stray_row_is_not_served_without_the_consent(cloud: Cloud) -> None:
    anna = newcomer()
    recommendations_wiring.learnt_rows().write_rows([row(anna)])

    assert send(anna, "GET", "/v1/recommendations").body["items"] == []


def test_who_was_never_verified_reads_that_nothing_of_an_identity_stays(cloud: Cloud) -> None:
    anna, bert = newcomer("anna", "identity_check"), newcomer("bert", "identity_check")
    who = {"name": "王小明", "id_number": "11010519491231002X"}
    assert send(bert, "PUT", "/v1/me/identity", who).status == 200
    kept = [say(each, "identity_check", granted=False).body["kept"] for each in (anna, bert)]

    assert kept == [NEVER_VERIFIED["zh"], TERMS["identity_check"].zh.kept]


def test_a_withdrawn_bank_account_is_deleted_and_the_next_one_waits_for_the_staff(
    finance: Finance, cloud: Cloud
) -> None:
    member = finance.member(1)
    before = send(member, "GET", "/v1/me/bank-account").body
    withdrawn = say(member, "bank_account", granted=False)
    after = send(member, "GET", "/v1/me/bank-account").body
    stored = json.dumps(cloud.items("bank-accounts"), ensure_ascii=False)
    refused = send(member, "PUT", "/v1/me/bank-account", BANK)
    say(member, "bank_account", granted=True, version=1)
    again = send(member, "PUT", "/v1/me/bank-account", BANK).body

    assert before["in_force"]["number_masked"] == f"**** {CARD[-4:]}"
    assert (withdrawn.body["state"], withdrawn.body["kept"]) == ("withdrawn", TERMS["bank_account"].zh.kept)
    assert (after["in_force"], after["change"], after["notices"]) == (None, None, [])
    assert "杭州西湖支行" not in stored
    assert "张伟" not in stored
    assert (refused.status, refused.body["code"], refused.body["facts"]) == (
        422, "CONSENT_MISSING", {"purpose": "bank_account", "version": 1},
    )  # fmt: skip
    assert again["change"]["state"] == "waiting"  # not confirmed by itself, as a first account is


def test_who_withdraws_before_setting_an_account_sets_a_first_one_later(finance: Finance) -> None:
    member = finance.member(1, bank=False)
    say(member, "bank_account", granted=False)
    say(member, "bank_account", granted=True, version=1)

    assert send(member, "PUT", "/v1/me/bank-account", BANK).body["change"]["state"] == "confirmed"


def test_no_identity_is_checked_without_the_consent(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from cardstock.members.login_platforms.development import SelfAssertedIdentity

    anna = newcomer()
    asked: list[str] = []

    def verify(_self: Any, name: str, _number: str) -> str:
        asked.append(name)
        return "dev"

    monkeypatch.setattr(SelfAssertedIdentity, "verify", verify)
    refused = send(anna, "PUT", "/v1/me/identity", PERSON)
    nothing = list(asked)
    say(anna, "identity_check", granted=True, version=1)
    verified = send(anna, "PUT", "/v1/me/identity", PERSON)
    say(anna, "identity_check", granted=False)
    repeated = send(anna, "PUT", "/v1/me/identity", PERSON)

    assert (refused.status, refused.body["code"], nothing) == (422, "CONSENT_MISSING", [])
    assert refused.body["facts"] == {"purpose": "identity_check", "version": 1}
    assert (verified.status, repeated.status, asked) == (200, 200, ["张伟"])


def test_a_member_verified_before_consents_were_recorded_is_paid_and_one_who_withdrew_is_not(
    finance: Finance,
) -> None:
    before, withdrew, back = (finance.member(index, 5_000) for index in (1, 2, 3))
    MemberItem(id=before).update([MemberItem.consents.remove()])
    say(withdrew, "identity_check", granted=False)
    say(back, "identity_check", granted=False)
    say(back, "identity_check", granted=True, version=1)
    finance.tick()
    finance.run_steps()

    assert finance.lines().keys() == {before, back}


def test_a_line_that_was_listed_is_left_out_when_the_consent_is_withdrawn_before_it_is_sent(finance: Finance) -> None:
    member, other = finance.member(1, 5_000), finance.member(2, 5_000)
    finance.tick()
    finance.run_steps()
    listed = finance.lines().keys()
    say(member, "identity_check", granted=False)
    assert finance.approve()[0] == 200
    finance.run_steps()
    lines = finance.lines()

    assert listed == {member, other}
    assert (lines[member]["status"], lines[member]["reason"]) == ("dropped", "consent_withdrawn")
    assert lines[other]["status"] == "sent"


# --- at once ---


def withdraw(member_id: str, purpose: Purpose) -> Member:
    return consenting.say(member_id, purpose, None, "dev:wx1", consent_needs(), granted=False, count=uncounted)


def test_a_withdrawal_and_an_account_that_is_set_leave_no_account_without_consent(
    finance: Finance, cloud: Cloud
) -> None:
    member = finance.member(1, bank=False)
    needs, wanted = paying_out_wiring.bank_accounts(), WantedAccount(*BANK.values())
    before, ends = cloud.snapshot(), set()
    for run in every_way(
        lambda: [lambda: set_bank_account(member, wanted, needs), lambda: withdraw(member, "bank_account")],
        before.restore,
    ):
        stored = json.dumps(cloud.items("bank-accounts"), ensure_ascii=False)
        ends.add(run.ends[0].code if isinstance(run.ends[0], CardstockError) else "set")

        assert isinstance(run.ends[1], Member), run
        assert "上海浦东支行" not in stored, run

    assert ends == {"set", "CONSENT_MISSING", "BANK_ACCOUNT_CHANGED"}


def test_a_withdrawal_and_a_check_of_the_identity_store_no_person_afterwards(cloud: Cloud) -> None:
    anna = newcomer("anna", "identity_check")
    DynamoMembers().identity_salt()
    before = cloud.snapshot()
    ends = set()

    def check() -> Member:
        return verify_person(
            anna,
            PERSON["name"],
            PERSON["id_number"],
            uncounted,
            members=DynamoMembers(),
            verifier=members_wiring.identity_verifier(),
            versions=FIRST,
        )

    for run in every_way(lambda: [check, lambda: withdraw(anna, "identity_check")], before.restore):
        member = DynamoMembers().find_member(anna)
        ends.add(run.ends[0].code if isinstance(run.ends[0], CardstockError) else "verified")

        assert member is not None
        assert isinstance(run.ends[1], Member), run
        assert (member.person is not None) is isinstance(run.ends[0], Member), run

    assert ends == {"verified", "CONSENT_MISSING"}


def test_two_changes_at_once_are_both_on_record(cloud: Cloud) -> None:
    anna = newcomer()
    before = cloud.snapshot()
    needs = consent_needs()
    for run in every_way(
        lambda: [
            lambda: consenting.say(anna, "card_visits", 1, "dev:wx1", needs, granted=True, count=uncounted),
            lambda: log_in("anna", "recommendations").status,
        ],
        before.restore,
    ):
        assert isinstance(run.ends[0], Member), run
        assert run.ends[1] == 200, run
        assert states(anna)["card_visits"] == states(anna)["recommendations"] == "given", run
        assert len(records(cloud)) == 3, run


def test_a_person_is_not_stored_once_the_consents_are_others_than_they_were_read(cloud: Cloud) -> None:
    anna, members = newcomer("anna", "identity_check"), DynamoMembers()
    read = members.find_member(anna)
    assert read is not None
    withdraw(anna, "identity_check")
    person = Person("张伟", "1***2", "00$one", date(1990, 5, 5), "dev", NOW)
    stored = members.add_person(anna, person, read.consents)
    now = members.find_member(anna)

    assert stored is False
    assert now is not None
    assert now.person is None


def test_a_withdrawal_and_a_decision_of_the_staff_are_two_versions_of_the_accounts(
    finance: Finance, cloud: Cloud
) -> None:
    member, accounts = finance.member(1), bank_accounts_wiring.accounts()
    before, first = cloud.snapshot(), accounts.find_holding(member)
    for run in every_way(
        lambda: [lambda: accounts.replace(first), lambda: withdraw(member, "bank_account")], before.restore
    ):
        refused = isinstance(run.ends[0], CardstockError)
        held = accounts.find_holding(member)

        assert isinstance(run.ends[1], Member), run
        assert held.current is None, run
        assert held.version == first.version + 1 + (not refused), run


def test_a_repeated_withdrawal_deletes_what_has_come_back(cloud: Cloud) -> None:
    anna, rows = newcomer("anna", "recommendations"), recommendations_wiring.learnt_rows()
    withdraw(anna, "recommendations")
    rows.write_rows([row(anna)])
    withdraw(anna, "recommendations")

    assert rows.read_rows([member_key(anna)]) == {}
    assert len(records(cloud)) == 3


# --- whatever happens to a call ---


STEPS = {
    "gives": ("card_visits", True),
    "withdraws": ("card_visits", False),
    "withdraws an account": ("bank_account", False),
    "withdraws recommendations": ("recommendations", False),
}


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("name", STEPS)
def test_a_change_that_is_hit_at_any_call_and_said_again_ends_the_same(
    finance: Finance, cloud: Cloud, name: str, mode: faults.Mode
) -> None:
    purpose, granted = STEPS[name]
    member = finance.member(1)
    if granted:
        say(member, purpose, granted=False)
    recommendations_wiring.learnt_rows().write_rows([row(member)])

    def step() -> Any:
        return say(member, purpose, granted=granted, version=1).body

    def picture() -> Any:
        tables = ("members", "bank-accounts", "recommendations")
        return [[item for item in cloud.items(table) if "version" not in item or "sk" not in item] for table in tables]

    before = cloud.snapshot()
    with faults.watch() as calls:
        wanted_answer = step()
    wanted = picture()
    assert wanted_answer["state"] == ("given" if granted else "withdrawn")

    for index, called in faults.hit_each(calls, mode, before.restore, step):
        assert step() == wanted_answer, (index, called)
        assert picture() == wanted, (index, called)


def test_a_refusal_has_the_purpose_that_a_client_shows(cloud: Cloud) -> None:
    from cardstock.members.consents import require_consent

    with pytest.raises(CardstockError) as refused:
        require_consent(Member("mem_a", "dev:wx1:a", NOW), "bank_account", {**FIRST, "bank_account": 4})

    assert refused.value.facts == {"purpose": "bank_account", "version": 4}
