"""Uploads over HTTP and by their queues: who may ask for what, what becomes of a file, and who reads it."""

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from cardstock import environment
from cardstock import uploads as area
from cardstock.clock import rfc3339
from cardstock.flows import uploading_wiring
from cardstock.staff.roles import Role
from cardstock.uploads.model import MEMBER_UPLOADS, PURPOSES, TRANSITIONS, Upload, public_key
from cardstock.uploads.store import DynamoUploads
from functions.uploads.on_publish import app as on_publish
from functions.uploads.on_upload import app as on_upload
from tests.house.charts import steps_in, steps_of
from tests.house.cloud import ROOT, ROOT_KEY, Cloud, Context, http_event, serve
from tests.people import pictures
from tests.people.clock import TestClock
from tests.people.exports import Exporter, Person
from tests.people.replies import reply
from tests.people.staff import session_of, staff_key, supplier_key
from tests.people.tokens import access_token
from tests.people.uploads import Uploader, policy_of

PHOTO = pictures.from_a_phone(6)


@pytest.fixture
def anna(cloud: Cloud, clock: TestClock) -> Uploader:
    return Uploader(cloud, clock, access_token(Person("anna", clock).id))


@pytest.fixture
def goods(cloud: Cloud, clock: TestClock) -> Uploader:
    return Uploader(cloud, clock, supplier_key("sup_lights", "catalog:write"))


def keys_of(upload: Upload) -> list[str]:
    return [f"kept/{upload.purpose}/{upload.id}/{side}.webp" for side in (1600, 800, 320)]


def seconds_of(form: Any) -> int:
    """For how long after its signing a form is good."""
    signed, ends = form["fields"]["x-amz-date"], policy_of(form)["expiration"]
    return round((datetime.fromisoformat(ends) - datetime.fromisoformat(signed)).total_seconds())


def test_a_form_takes_exactly_one_key_one_type_and_the_bytes_that_were_asked_for(anna: Uploader) -> None:
    asked = anna.ask(size=54_321)
    policy, fields = policy_of(asked.body), asked.body["fields"]
    key = f"incoming/after_sale/{asked.body['upload_id']}"

    assert asked.status == 201
    assert fields["key"] == key
    assert fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert [each for each in policy["conditions"] if "x-amz" not in str(each)] == [
        {"Content-Type": "image/jpeg"}, ["content-length-range", 1, 54_321], {"bucket": anna.bucket}, {"key": key},
    ]  # fmt: skip
    assert seconds_of(asked.body) == 600
    assert asked.body["expires_at"] == rfc3339(anna.clock.now() + timedelta(minutes=10))
    assert anna.get(asked.body["upload_id"]).body["state"] == "asked"


def test_a_repeat_is_the_same_upload_with_a_form_that_ends_when_it_did(anna: Uploader) -> None:
    first = anna.ask(key="k")
    anna.clock.move(minutes=9)
    again = anna.ask(key="k")
    other = anna.ask(key="k", size=1)

    assert (first.replayed, again.replayed) == (False, True)
    assert (again.body["upload_id"], again.body["expires_at"]) == (first.body["upload_id"], first.body["expires_at"])
    assert again.body == first.body
    assert (other.status, other.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_photo_becomes_three_private_pictures_and_what_arrived_is_deleted(anna: Uploader) -> None:
    upload_id = anna.send(PHOTO)
    found = anna.get(upload_id).body
    files = anna.files()

    assert (found["state"], found["refusal"]) == ("ready", None)
    assert [(each["width"], each["height"]) for each in found["files"]] == [(300, 400), (300, 400), (240, 320)]
    assert list(files) == sorted(keys_of(anna.stored(upload_id)))
    for each, key in zip(found["files"], keys_of(anna.stored(upload_id)), strict=True):
        assert pictures.corners(files[key]) == ["blue", "red", "white", "green"]
        link = httpx.URL(each["link"])
        assert (link.path, link.params["X-Amz-Expires"]) == (f"/{anna.bucket}/{key}", "900")
    assert anna.public() == {}


@pytest.mark.parametrize(
    ("purpose", "content", "code"),
    [
        ("after_sale", pictures.SVG, "NOT_A_PICTURE"),
        ("card", pictures.HTML, "NOT_A_PICTURE"),
        ("chat", pictures.PDF, "NOT_A_PICTURE"),
        ("after_sale", pictures.HEIC, "PICTURE_IS_HEIC"),
        ("after_sale", pictures.header_of(20_000, 20_000), "TOO_MANY_PIXELS"),
        ("after_sale", PHOTO[:1000], "PICTURE_UNREADABLE"),
    ],
)
def test_a_poisoned_file_is_refused_with_a_text_and_leaves_nothing(
    purpose: str, content: bytes, code: str, anna: Uploader
) -> None:
    upload_id = anna.send(content, purpose)
    chinese, english = (anna.get(upload_id, headers={"Accept-Language": each}).body for each in ("zh-CN", "en"))

    assert (chinese["state"], chinese["refusal"]["code"], chinese["files"]) == ("refused", code, [])
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese["refusal"]["detail"])
    assert english["refusal"]["detail"].isascii()
    assert anna.files() == {}


@pytest.mark.parametrize(
    ("purpose", "content", "code"),
    [
        ("product_file", pictures.PDF, None),
        ("product_file", b" " + pictures.PDF, "NOT_A_PDF"),
        ("product_file", pictures.PDF[:-6], "NOT_A_PDF"),
        ("product_file", pictures.HTML, "NOT_A_PDF"),
        ("product_image", PHOTO, None),
        ("product_image", pictures.SVG, "NOT_A_PICTURE"),
        ("import", "sku,名称\n1,灯\n".encode(), None),
        ("import", "sku,名称\n1,灯\n".encode("gb18030"), None),
        ("import", b"\xef\xbb\xbfsku\n1\n", None),
        ("import", pictures.HTML, "NOT_A_TABLE"),
        ("import", PHOTO, "NOT_A_TABLE"),
        ("import", b"sku\x1b[2J\n", "NOT_A_TABLE"),
        ("import", b"PK\x03\x04 no archive", "NOT_A_TABLE"),
    ],
)
def test_files_of_goods_are_what_their_content_says(
    purpose: str, content: bytes, code: str | None, goods: Uploader
) -> None:
    upload_id = goods.send(content, purpose)
    found = goods.get(upload_id).body

    assert (found["state"], found["refusal"] and found["refusal"]["code"]) == ("refused" if code else "ready", code)
    if code is None and purpose != "product_image":
        (kept,) = goods.files().values()
        assert kept == content


def test_a_workbook_is_taken_and_one_that_would_unpack_to_too_much_is_not(goods: Uploader) -> None:
    import io
    import zipfile

    from openpyxl import Workbook

    book, target = Workbook(), io.BytesIO()
    book.save(target)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml"):
            archive.writestr(name, b"<x/>")
        archive.writestr("xl/sharedStrings.xml", bytes(201 << 20))
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("word/document.xml", b"<x/>")
    states = [goods.get(goods.send(each.getvalue(), "import")).body["state"] for each in (target, bomb, other)]

    assert states == ["ready", "refused", "refused"]


def test_documents_are_saved_under_their_names_and_never_shown(goods: Uploader) -> None:
    upload_id = goods.send(pictures.PDF, "product_file", name='说明 "1"; x=.pdf')
    kept = goods.cloud.s3.head_object(Bucket=goods.bucket, Key=f"kept/product_file/{upload_id}/file")

    assert kept["ContentType"] == "application/pdf"
    assert kept["ContentDisposition"] == ("attachment; filename*=UTF-8''%E8%AF%B4%E6%98%8E%20%221%22%3B%20x%3D.pdf")


def test_the_first_content_is_the_upload_s_and_another_one_changes_nothing(anna: Uploader) -> None:
    upload_id = str(anna.ask().body["upload_id"])
    first = anna.put(upload_id, PHOTO)
    assert anna.work(first) == 0
    before = anna.files()
    second = anna.put(upload_id, pictures.from_a_phone(3))

    assert anna.work(second, first) == 0
    assert anna.files() == before
    assert anna.get(upload_id).body["state"] == "ready"


def test_a_file_that_takes_the_place_of_the_first_before_that_was_read_refuses_the_upload(anna: Uploader) -> None:
    upload_id = str(anna.ask().body["upload_id"])
    first = anna.put(upload_id, PHOTO)
    second = anna.put(upload_id, pictures.from_a_phone(3))

    assert anna.work(first) == 0
    assert anna.get(upload_id).body["refusal"]["code"] == "UPLOAD_REPLACED"
    assert anna.work(second) == 0
    assert anna.files() == {}


OF_GOODS, OF_MEMBERS = "/v1/uploads", "/v1/headquarters/uploads"
READ = {
    "product_image": {(OF_GOODS, "catalog:write")},
    "product_file": {(OF_GOODS, "catalog:write")},
    "import": {(OF_GOODS, "catalog:write")},
    "after_sale": {(OF_MEMBERS, "orders:refund")},
    "chat": {(OF_MEMBERS, "orders:refund")},
    "card": set(),
}
EVERY_SCOPE = ("catalog:read", "catalog:write", "orders:read", "orders:refund", "members:read", "payouts:read")


@pytest.mark.parametrize("purpose", sorted(PURPOSES))
def test_an_upload_is_read_by_its_owner_and_by_staff_with_the_scope_of_its_purpose(
    purpose: str, cloud: Cloud, clock: TestClock
) -> None:
    member = Person("anna", clock).id
    of_members = PURPOSES[purpose].of_members  # type: ignore[index]
    owner = access_token(member) if of_members else supplier_key("sup_lights", "catalog:write")
    content = {"product_file": pictures.PDF, "import": b"sku\n1\n"}.get(purpose, PHOTO)
    upload_id = Uploader(cloud, clock, owner).send(content, purpose)

    def status(token: str, where: str = OF_GOODS) -> int:
        return reply(serve(http_event("GET", f"{where}/{upload_id}", token=token))).status

    assert status(owner) == 200
    assert status(access_token(Person("bert", clock).id)) == 404
    assert status(supplier_key("sup_vases", "catalog:write")) == 404
    assert {status(token, OF_MEMBERS) for token in (owner, ROOT_KEY)} == {403}
    assert {
        (where, scope)
        for where in (OF_GOODS, OF_MEMBERS)
        for scope in EVERY_SCOPE
        if status(staff_key("Li Na", scope), where) == 200
    } == READ[purpose]
    assert status(ROOT_KEY) == 403


def test_the_roles_that_see_after_sales_see_their_pictures(anna: Uploader) -> None:
    upload_id = anna.send(PHOTO)
    roles: tuple[Role, ...] = ("owner", "operator", "finance", "service", "warehouse", "store")
    seen = {role: session_of(f"with {role}", [role]).send("GET", f"{OF_MEMBERS}/{upload_id}").status for role in roles}

    assert {role for role, status in seen.items() if status == 200} == {"service"}


@pytest.mark.parametrize("purpose", sorted(PURPOSES))
def test_members_upload_their_purposes_and_staff_and_suppliers_theirs(
    purpose: str, cloud: Cloud, clock: TestClock
) -> None:
    of_members = PURPOSES[purpose].of_members  # type: ignore[index]
    answers = {
        who: Uploader(cloud, clock, token).ask(purpose)
        for who, token in (
            ("member", access_token(Person("anna", clock).id)),
            ("supplier", supplier_key("sup_lights", "catalog:write")),
            ("staff", staff_key("Li Na", "catalog:write")),
            ("reader", staff_key("Li Na", "catalog:read")),
        )
    }
    codes = {who: (answer.status, answer.body.get("code")) for who, answer in answers.items()}

    refused = (403, "UPLOAD_PURPOSE_REFUSED")
    assert codes == {
        "member": (201, None) if of_members else refused,
        "supplier": refused if of_members else (201, None),
        "staff": refused if of_members else (201, None),
        "reader": (403, "SCOPE_MISSING"),
    }


def test_a_member_uploads_sixty_files_a_day(anna: Uploader) -> None:
    statuses = [anna.ask().status for _ in range(MEMBER_UPLOADS.most + 1)]
    again = anna.ask(key="upload-1")
    anna.clock.move(days=1)
    tomorrow = Uploader(anna.cloud, anna.clock, access_token(anna.stored(again.body["upload_id"]).owner))

    assert statuses == [201] * 60 + [429]
    assert (again.status, again.replayed) == (201, True)
    assert tomorrow.ask(key="tomorrow").status == 201


def test_a_closed_account_asks_for_nothing_reads_nothing_and_leaves_nothing(cloud: Cloud, clock: TestClock) -> None:
    person = Person("anna", clock)
    anna = Uploader(cloud, clock, access_token(person.id))
    ready = anna.send(PHOTO)
    late = str(anna.ask().body["upload_id"])
    person.close()
    calls = [anna.ask(), anna.get(ready)]

    assert [answer.body["code"] for answer in calls] == ["MEMBER_ERASED"] * 2
    assert anna.work(anna.put(late, PHOTO)) == 0
    assert {key.split("/")[2] for key in anna.files()} == {ready}
    assert uploading_wiring.remove_uploads_of(person.id) == 1
    assert anna.files() == {}
    assert cloud.items("uploads") == []


def test_the_night_erases_what_a_closed_account_has_uploaded(cloud: Cloud, clock: TestClock) -> None:
    from functions.members.nightly_erasure import app as nightly

    person, other = Person("anna", clock), Person("bert", clock)
    anna, bert = (Uploader(cloud, clock, access_token(each.id)) for each in (person, other))
    anna.send(PHOTO, "card")
    theirs = bert.send(PHOTO, "card")
    person.close()
    clock.move(days=1)
    nightly.handler({"scheduled_at": "2026-12-02T19:15:00Z"}, Context(remaining_ms=900_000))

    assert {key.split("/")[2] for key in anna.files()} == {theirs}
    assert [item["pk"]["S"] for item in cloud.items("uploads")] == [theirs]


def test_an_export_lists_what_the_member_has_uploaded_as_it_was(cloud: Cloud, clock: TestClock) -> None:
    exporter = Exporter(cloud, clock)
    person = exporter.person("anna")
    anna = Uploader(cloud, clock, access_token(person.id))
    ready, refused = anna.send(PHOTO), anna.send(pictures.SVG, "chat")
    waiting = str(anna.ask("card").body["upload_id"])
    clock.move(seconds=1)
    export_id = exporter.ask(person.id).body["export_id"]
    clock.move(seconds=1)
    assert anna.work(anna.put(waiting, PHOTO)) == 0
    later = str(anna.ask("card").body["upload_id"])
    clock.move(seconds=30)
    assert exporter.work(*exporter.messages()) == 0
    file = exporter.read(person.id, export_id)
    found = {one["upload_id"]: (one["purpose"], one["state"], one["refused"]) for one in file["members"][0]["uploads"]}

    assert found == {
        ready: ("after_sale", "ready", None),
        refused: ("chat", "refused", "NOT_A_PICTURE"),
        waiting: ("card", "asked", None),
    }
    assert later not in found
    assert file["sections"]["uploads"]["class"] == "uploads"


@pytest.mark.parametrize(("purpose", "content"), [("product_image", PHOTO), ("product_file", pictures.PDF)])
def test_publishing_copies_every_file_once_and_the_links_are_public_then(
    purpose: str, content: bytes, goods: Uploader
) -> None:
    upload_id = goods.send(content, purpose)
    assert goods.publish(upload_id, upload_id) == 0
    goods.clock.move(days=1)
    first = goods.stored(upload_id).published_at
    assert goods.publish(upload_id) == 0
    private, public = goods.files(), goods.public()
    found = goods.get(upload_id).body

    assert {public_key(key): value for key, value in private.items()} == public
    assert goods.stored(upload_id).published_at == first
    assert [each["link"] for each in found["files"]] == [
        f"{environment.text('FILES_URL')}/{public_key(key)}" for key in ordered(private)
    ]
    head = goods.cloud.s3.head_object(Bucket=environment.text("PUBLIC_FILES_BUCKET"), Key=next(iter(public)))
    assert head["ContentType"] == ("application/pdf" if purpose == "product_file" else "image/webp")
    assert head.get("ContentDisposition", "").startswith("attachment" if purpose == "product_file" else "")


def ordered(keys: Any) -> list[str]:
    return sorted(keys, key=lambda key: -int(key.rsplit("/", 1)[1].partition(".")[0].replace("file", "0")))


def test_nothing_of_a_member_and_nothing_unfinished_becomes_public(anna: Uploader, goods: Uploader) -> None:
    ids = [anna.send(PHOTO, each) for each in ("after_sale", "chat", "card")]
    ids += [goods.send(b"sku\n1\n", "import"), goods.send(pictures.SVG, "product_image")]
    ids += [str(goods.ask("product_image").body["upload_id"]), "upl_00000000000000000000000000"]

    assert goods.publish(*ids) == 0
    assert goods.public() == {}


def test_records_go_when_their_files_do(anna: Uploader, goods: Uploader) -> None:
    at = anna.clock.now()
    kept = {
        "asked": (anna.stored(str(anna.ask().body["upload_id"])), timedelta(days=2)),
        "refused": (anna.stored(anna.send(pictures.SVG)), timedelta(days=30)),
        "chat": (anna.stored(anna.send(PHOTO, "chat")), timedelta(days=365)),
        "after_sale": (anna.stored(anna.send(PHOTO)), timedelta(days=1098)),
        "import": (goods.stored(goods.send(b"sku\n1\n", "import")), timedelta(days=30)),
        "card": (anna.stored(anna.send(PHOTO, "card")), None),
        "product_image": (goods.stored(goods.send(PHOTO, "product_image")), None),
    }
    expiring = {item["pk"]["S"]: item.get("expires_at", {}).get("N") for item in anna.cloud.items("uploads")}

    for name, (upload, life) in kept.items():
        assert upload.forgotten_at == (None if life is None else at + life), name
        expected = None if life is None else str(int((at + life).timestamp()))
        assert expiring[upload.id] == expected, name


def test_only_members_are_in_the_index_of_members(anna: Uploader, goods: Uploader) -> None:
    mine, theirs = anna.send(PHOTO), goods.send(PHOTO, "product_image")
    owner = anna.stored(mine).owner

    assert [each.id for each in DynamoUploads().of_member(owner)] == [mine]
    assert DynamoUploads().of_member("sup_lights") == []
    assert DynamoUploads().find_many([mine, theirs, "upl_none"]).__len__() == 2


@pytest.mark.parametrize(("name", "status"), [
    ("ask", 201), ("ask_for_a_product", 201), ("get", 200), ("bad_without_key", 400), ("bad_product_by_a_member", 403),
    ("bad_after_sale_by_staff", 403), ("bad_heic", 400), ("bad_svg", 400), ("bad_too_large", 400),
    ("bad_unknown_purpose", 400), ("bad_another_members", 404), ("get_a_members", 200), ("bad_read_by_low_scope", 403),
])  # fmt: skip
def test_a_call_is_answered_as_its_payload_says(name: str, status: int, anna: Uploader) -> None:
    filled = {
        "ACCESS_TOKEN": anna.token,
        "OTHER_TOKEN": access_token(Person("bert", anna.clock).id),
        "CATALOG_KEY": staff_key("Li Na", "catalog:write"),
        "SERVICE_KEY": staff_key("Wang Fang", "orders:refund"),
        "UPLOAD_ID": anna.send(PHOTO, key="before"),
    }
    text = (ROOT / "events" / "uploads" / "api" / f"{name}.json").read_text("utf-8")
    for word, value in filled.items():
        text = text.replace(word, value)

    assert reply(serve(json.loads(text), Context())).status == status


@pytest.mark.parametrize(("name", "again", "state"), [
    ("arrived", 0, "ready"), ("test_message", 0, "asked"), ("bad_not_json", 1, "asked"),
    ("bad_key_of_no_form", 1, "asked"), ("bad_message_of_nobody", 1, "asked"),
])  # fmt: skip
def test_a_message_of_the_store_is_followed_or_comes_again(name: str, again: int, state: str, anna: Uploader) -> None:
    upload_id = str(anna.ask().body["upload_id"])
    etag = anna.put(upload_id, PHOTO)["Records"][0]["s3"]["object"]["eTag"]
    text = (ROOT / "events" / "uploads" / "on_upload" / f"{name}.json").read_text("utf-8")
    event = json.loads(text.replace("UPLOAD_ID", upload_id).replace("ETAG", etag))

    assert len(on_upload.handler(event, Context())["batchItemFailures"]) == again
    assert anna.get(upload_id).body["state"] == state


@pytest.mark.parametrize(("name", "again", "files"), [
    ("publish", 0, 3), ("bad_not_json", 1, 0), ("bad_unknown_field", 1, 0),
])  # fmt: skip
def test_a_message_to_publish_is_followed_or_comes_again(name: str, again: int, files: int, goods: Uploader) -> None:
    upload_id = goods.send(PHOTO, "product_image")
    text = (ROOT / "events" / "uploads" / "on_publish" / f"{name}.json").read_text("utf-8")

    answer = on_publish.handler(json.loads(text.replace("UPLOAD_ID", upload_id)), Context())

    assert len(answer["batchItemFailures"]) == again
    assert len(goods.public()) == files


def test_a_call_without_credentials_gets_no_form(anna: Uploader) -> None:
    body = {"purpose": "after_sale", "content_type": "image/jpeg", "size": 1}

    assert reply(serve(http_event("POST", "/v1/uploads", body, key="k"))).status == 401


def test_the_chart_of_an_upload_is_what_happens() -> None:
    drawn = steps_in((area.__doc__ or "").partition("An upload:")[2])

    assert {(before, after) for before, _, after in drawn} == steps_of(TRANSITIONS)


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("manual.html", "manual.html.pdf"),
        ("setup.exe", "setup.exe.pdf"),
        ("A.PDF", "A.PDF"),
        ("x" * 100, "x" * 96 + ".pdf"),
    ],
)
def test_a_document_is_saved_with_the_ending_of_what_it_is(name: str, saved: str, goods: Uploader) -> None:
    upload_id = goods.send(pictures.PDF, "product_file", name=name, key="k")
    repeated = goods.ask("product_file", name=name, size=len(pictures.PDF), key="k")

    assert goods.get(upload_id).body["name"] == saved
    assert (repeated.status, repeated.body["upload_id"]) == (201, upload_id)
