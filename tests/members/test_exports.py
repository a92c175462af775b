"""Exports: all of a member's data in one file, for the member alone, for a week."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock import members as area
from cardstock.files import Document
from cardstock.flows import exporting, exporting_wiring
from cardstock.flows.explaining_schemas import Explanation
from cardstock.flows.joining_wiring import merge_needs
from cardstock.flows.merging import part
from cardstock.members import wiring as members_wiring
from cardstock.members.export_model import FILE_LIFE, GIVES_UP_AFTER, TRANSITIONS, Export, ExportFile, state_at
from tests.house.charts import steps_in, steps_of
from tests.house.cloud import ROOT, ROOT_KEY, Cloud, Context, http_event, serve
from tests.people.clock import TestClock
from tests.people.exports import Exporter
from tests.people.replies import reply
from tests.people.tokens import access_token

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)


@pytest.fixture
def exporter(cloud: Cloud, clock: TestClock) -> Exporter:
    return Exporter(cloud, clock)


def test_a_member_gets_a_file_with_size_hash_and_counts_that_are_true(exporter: Exporter) -> None:
    anna = exporter.person("anna", phone_code="dev:+8613800138000")
    asked = exporter.ask(anna.id)
    waiting = exporter.send(anna.id, "GET", f"/{asked.body['export_id']}").body
    exporter.clock.move(seconds=30)
    again = exporter.work(*exporter.messages())
    found = exporter.send(anna.id, "GET", f"/{asked.body['export_id']}").body
    content = exporter.content(anna.id, asked.body["export_id"])
    read = json.loads(content)

    assert (asked.status, asked.replayed, again) == (202, False, 0)
    assert (waiting["state"], waiting["link"], waiting["counts"], waiting["size"]) == ("waiting", None, {}, None)
    assert (found["state"], found["size"], found["sha256"]) == (
        "ready", len(content), hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    assert found["counts"] == read["counts"] == counted(read)
    assert (read["as_of"], read["member_id"], read["language"]) == (asked.body["as_of"], anna.id, "zh")
    assert read["members"][0]["profile"][0]["phone"] == "+8613800138000"
    assert f"/exports/{anna.id}/" in found["link"]
    assert exporter.signed_seconds(found["link"]) == 900


def counted(read: Any) -> dict[str, int]:
    """The records in a file, by section."""
    return {name: sum(len(one[name]) for one in read["members"]) for name in read["sections"]}


def test_a_repeat_of_the_request_is_the_same_export_and_is_queued_while_it_waits(exporter: Exporter) -> None:
    anna = exporter.person("anna")
    first, second = (exporter.ask(anna.id, "k") for _ in range(2))
    waiting = exporter.messages()
    exporter.clock.move(seconds=30)
    exporter.work(*waiting)
    third = exporter.ask(anna.id, "k")

    assert first.body == second.body == third.body
    assert (first.replayed, second.replayed, third.replayed) == (False, True, True)
    assert waiting == [{"export_id": first.body["export_id"], "member_id": anna.id}] * 2
    assert exporter.messages() == []


def test_five_exports_a_day_are_enough(exporter: Exporter) -> None:
    anna, bert = exporter.person("anna"), exporter.person("bert")
    statuses = [exporter.ask(anna.id).status for _ in range(6)]

    again = exporter.ask(anna.id, "export-1")

    assert statuses == [202] * 5 + [429]
    assert (again.status, again.replayed) == (202, True)  # a repeat is no new export
    assert exporter.ask(bert.id).status == 202
    exporter.clock.move(days=1)
    assert exporter.ask(anna.id).status == 202


def test_repeats_of_one_request_leave_the_other_exports_of_the_day(exporter: Exporter) -> None:
    anna = exporter.person("anna")
    first = [exporter.ask(anna.id, "one") for _ in range(7)]
    others = [exporter.ask(anna.id).status for _ in range(5)]

    assert [(one.status, one.body) for one in first] == [(202, first[0].body)] * 7
    assert others == [202] * 4 + [429]
    assert exporter.ask(anna.id, "one").body == first[0].body


def test_exports_are_listed_newest_first_to_their_member_alone(exporter: Exporter) -> None:
    anna, bert = exporter.person("anna"), exporter.person("bert")
    old, theirs = exporter.make(anna.id), exporter.make(bert.id)
    new = exporter.ask(anna.id).body["export_id"]

    assert [(one["export_id"], one["state"]) for one in exporter.send(anna.id, "GET").body["items"]] == [
        (new, "waiting"), (old, "ready"),
    ]  # fmt: skip
    assert [one["export_id"] for one in exporter.send(bert.id, "GET").body["items"]] == [theirs]
    assert {"link"} & exporter.send(anna.id, "GET").body["items"][1].keys() == set()
    assert exporter.send(bert.id, "GET", f"/{old}").body["code"] == "NOT_FOUND"


def test_an_export_expires_after_a_week_and_is_forgotten_after_a_month(exporter: Exporter) -> None:
    anna = exporter.person("anna")
    export_id = exporter.make(anna.id)
    exporter.clock.move(days=7, seconds=-31)
    last = exporter.send(anna.id, "GET", f"/{export_id}").body
    exporter.clock.move(seconds=1)
    expired = exporter.send(anna.id, "GET", f"/{export_id}").body
    (item,) = [each for each in exporter.cloud.items("members") if each["pk"]["S"] == f"export#{export_id}"]

    assert (last["state"], expired["state"], expired["link"]) == ("ready", "expired", None)
    assert [expired[name] for name in ("counts", "size", "sha256", "ready_at")] == [{}, None, None, None]
    assert int(item["expires_at"]["N"]) * 1000 == int(item["asked_at"]["N"]) // 1000 * 1000 + 30 * 86_400_000


def test_an_export_that_nobody_wrote_in_time_has_failed_and_a_late_message_writes_nothing(exporter: Exporter) -> None:
    anna = exporter.person("anna")
    export_id = exporter.ask(anna.id, "k").body["export_id"]
    left_by_a_killed_worker = Document("x.json", "application/json", b'{"counts":{}}')
    members_wiring.export_files().put_first(f"exports/{anna.id}/{export_id}.json", left_by_a_killed_worker)
    exporter.clock.move(hours=3)
    failed = exporter.send(anna.id, "GET", f"/{export_id}").body

    assert (failed["state"], failed["link"]) == ("failed", None)
    assert exporter.work(*exporter.messages()) == 0
    assert exporter.files() == []
    assert exporter.send(anna.id, "GET", f"/{export_id}").body["state"] == "failed"
    exporter.ask(anna.id, "k")
    assert exporter.messages() == []  # a repeat does not revive it


@pytest.mark.parametrize("undoer", ["own side", "other side"])
def test_after_a_merge_is_undone_no_file_with_the_other_account_is_handed_out(exporter: Exporter, undoer: str) -> None:
    anna, other, third = (exporter.person(name) for name in ("anna", "anna-elsewhere", "anna-third"))
    alone = exporter.make(anna.id)
    for each in (other, third):
        each.send("POST", "/v1/me/merges", {"code": anna.send("PUT", "/v1/me/merge-code").body["code"]})
    both, theirs = exporter.make(anna.id), exporter.make(other.id)
    merged = exporter.send(anna.id, "GET", f"/{both}").body
    waiting = exporter.ask(anna.id).body["export_id"]
    (other if undoer == "other side" else anna).send("DELETE", f"/v1/me/merges/{other.id}")
    parted = [exporter.send(whose, "GET", f"/{one}").body for whose, one in ((anna.id, both), (other.id, theirs))]
    exporter.clock.move(seconds=30)
    exporter.work(*exporter.messages())
    listed = {one["export_id"]: one["state"] for one in exporter.send(anna.id, "GET").body["items"]}

    assert (merged["state"], merged["link"] is not None) == ("ready", True)
    assert exporter.signed_seconds(merged["link"]) == 900
    assert [(one["state"], one["link"]) for one in parted] == [("expired", None)] * 2
    assert listed == {alone: "ready", both: "expired", waiting: "ready"}
    assert [one["member_id"] for one in exporter.read(anna.id, waiting)["members"]] == [anna.id, third.id]
    third.send("DELETE", f"/v1/me/merges/{anna.id}")  # the group ends with it
    ends = {one["export_id"]: one["state"] for one in exporter.send(anna.id, "GET").body["items"]}
    assert ends == {alone: "ready", both: "expired", waiting: "expired"}


@pytest.mark.parametrize("undoer", ["own side", "other side"])
def test_undoing_a_merge_deletes_the_files_and_merging_again_brings_none_back(exporter: Exporter, undoer: str) -> None:
    anna, other = exporter.person("anna"), exporter.person("anna-elsewhere")

    def merge() -> None:
        other.send("POST", "/v1/me/merges", {"code": anna.send("PUT", "/v1/me/merge-code").body["code"]})

    alone = exporter.make(anna.id)
    merge()
    both, theirs = exporter.make(anna.id), exporter.make(other.id)
    before = exporter.files()
    (other if undoer == "other side" else anna).send("DELETE", f"/v1/me/merges/{other.id}")
    after = exporter.files()
    exporter.clock.move(minutes=1)
    merge()
    states = [
        exporter.send(whose, "GET", f"/{one}").body["state"] for whose, one in ((anna.id, both), (other.id, theirs))
    ]

    assert len(before) == 3
    assert after == [f"exports/{anna.id}/{alone}.json"]
    assert states == ["expired", "expired"]
    assert exporter.send(anna.id, "GET", f"/{alone}").body["state"] == "ready"
    assert exporter.send(anna.id, "GET", f"/{exporter.make(anna.id)}").body["state"] == "ready"


def test_a_merge_that_was_undone_and_left_a_file_is_finished_by_the_repeat(exporter: Exporter) -> None:
    anna, other = exporter.person("anna"), exporter.person("anna-elsewhere")
    other.send("POST", "/v1/me/merges", {"code": anna.send("PUT", "/v1/me/merge-code").body["code"]})
    exporter.make(anna.id)
    part(other.id, anna.id, merge_needs())  # killed after this
    again = reply(serve(http_event("DELETE", f"/v1/me/merges/{other.id}", token=access_token(anna.id))))

    assert (again.status, exporter.files()) == (404, [])


def test_a_file_has_the_records_of_exports_with_its_own(exporter: Exporter) -> None:
    anna = exporter.person("anna")
    first = exporter.make(anna.id)
    second = exporter.make(anna.id)
    read = exporter.read(anna.id, second)["members"][0]

    assert [one["export_id"] for one in read["exports"]] == [first, second]
    assert exporter.read(anna.id, first)["counts"]["exports"] == 1
    assert all("current" not in one for one in read["sessions"])


def test_a_closed_account_leaves_no_export_that_can_be_read(exporter: Exporter) -> None:
    anna = exporter.person("anna")
    ready = exporter.make(anna.id)
    exporter.ask(anna.id)
    anna.close()
    calls = [("GET", ""), ("GET", f"/{ready}"), ("POST", "")]

    assert [exporter.send(anna.id, *call, key="late").body["code"] for call in calls] == ["MEMBER_ERASED"] * 3
    assert exporter.work(*exporter.messages()) == 0
    assert exporter.files() == [f"exports/{anna.id}/{ready}.json"]  # which the erasure deletes
    assert [each for each in exporter.cloud.items("members") if "waiting" in str(each)] == []


def test_no_export_is_written_for_an_account_that_closes_meanwhile(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = exporter.person("anna")
    export_id = exporter.ask(anna.id).body["export_id"]
    files = members_wiring.export_files()
    put = files.put_first

    def late(*arguments: Any) -> bytes:
        written = put(*arguments)
        anna.close()
        return written

    monkeypatch.setattr(files, "put_first", late)

    # Not by the function: it has no right to close accounts.
    needs = exporting_wiring.exporting_needs(Explanation.of)

    assert exporting.write_export(export_id, anna.id, needs) == "gone"
    assert exporter.files() == []
    assert [each for each in exporter.cloud.items("members") if each["pk"]["S"] == f"export#{export_id}"] == []


@pytest.mark.parametrize(("name", "status"), [
    ("ask", 202), ("list", 200), ("get", 200), ("bad_without_key", 400), ("bad_another_members", 404),
    ("bad_key", 403),
])  # fmt: skip
def test_a_call_is_answered_as_its_payload_says(name: str, status: int, exporter: Exporter) -> None:
    anna = exporter.person("anna")
    export_id = exporter.make(anna.id)
    text = (ROOT / "events" / "members" / "exports_api" / f"{name}.json").read_text("utf-8")
    filled = {"ACCESS_TOKEN": access_token(anna.id), "ROOT_KEY": ROOT_KEY, "EXPORT_ID": export_id}
    for word, value in filled.items():
        text = text.replace(word, value)

    assert reply(serve(json.loads(text), Context())).status == status


@pytest.mark.parametrize(("name", "again", "files"), [
    ("waits", 0, 1), ("bad_not_json", 1, 0), ("bad_unknown_field", 1, 0),
])  # fmt: skip
def test_a_message_is_followed_or_comes_again(name: str, again: int, files: int, exporter: Exporter) -> None:
    from functions.members.on_export import app as on_export

    anna = exporter.person("anna")
    export_id = exporter.ask(anna.id).body["export_id"]
    text = (ROOT / "events" / "members" / "on_export" / f"{name}.json").read_text("utf-8")
    event = json.loads(text.replace("EXPORT_ID", export_id).replace("MEMBER_ID", anna.id))

    assert len(on_export.handler(event, Context())["batchItemFailures"]) == again
    assert len(exporter.files()) == files


def test_a_message_that_names_another_member_writes_nothing(exporter: Exporter) -> None:
    anna, bert = exporter.person("anna"), exporter.person("bert")
    export_id = exporter.ask(anna.id).body["export_id"]

    assert exporter.work({"export_id": export_id, "member_id": bert.id}) == 0
    assert exporter.files() == []
    assert exporter.send(anna.id, "GET", f"/{export_id}").body["state"] == "waiting"


def test_the_chart_of_an_export_is_what_happens() -> None:
    asked = Export("exp_1", "mem_1", "zh", NOW)
    ready = replace(asked, file=ExportFile(1, "", {}, NOW))
    moments = [NOW + GIVES_UP_AFTER - MOMENT, NOW + GIVES_UP_AFTER, NOW + FILE_LIFE - MOMENT, NOW + FILE_LIFE]
    drawn = steps_in((area.__doc__ or "").partition("An export:")[2])

    assert [state_at(asked, at) for at in moments] == ["waiting", "failed", "failed", "failed"]
    assert [state_at(ready, at) for at in moments] == ["ready", "ready", "ready", "expired"]
    merged = replace(ready, file=ExportFile(1, "", {}, NOW, ("mem_2", "mem_3")))
    assert [state_at(merged, NOW, group) for group in (["mem_3", "mem_2"], ["mem_2"], [])] == [
        "ready", "expired", "expired",
    ]  # fmt: skip
    assert {(before, after) for before, _, after in drawn} == steps_of(TRANSITIONS)
