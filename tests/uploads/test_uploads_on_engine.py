"""Uploads on the local engine, from form to link: its S3 verifies the form's policy and signature, and the links."""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from infra.demo.deployment import start
from infra.local.suite import Suite
from tests.people import pictures
from tests.people.consents import login_body

pytestmark = pytest.mark.engine
PHOTO = pictures.from_a_phone(6)


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    with start(workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def token(suite: Suite) -> str:
    answer = suite.request("POST", "/v1/auth/sessions", headers=JSON, body=json.dumps(login_body("uploader")))
    assert answer.status == 200, answer.body
    return str(answer.json()["access_token"])


JSON = {"content-type": "application/json"}


def ask(suite: Suite, token: str, key: str, **fields: Any) -> dict[str, Any]:
    body = {"purpose": "after_sale", "content_type": "image/jpeg", "size": len(PHOTO)} | fields
    headers = JSON | {"authorization": f"Bearer {token}", "idempotency-key": key}
    answer = suite.request("POST", "/v1/uploads", headers=headers, body=json.dumps(body))
    assert answer.status == 201, answer.body
    found: dict[str, Any] = answer.json()
    return found


def post(form: Mapping[str, Any], content: bytes = PHOTO, **changed: str | None) -> httpx.Response:
    """Post a form as a phone does, with some of its fields changed (None: left out)."""
    given = {name.replace("_", "-"): value for name, value in changed.items()}
    fields = {name: value for name, value in (form["fields"] | given).items() if value is not None}
    return httpx.post(form["url"], data=fields, files={"file": ("x.jpg", content, "image/jpeg")}, timeout=30)


def read(suite: Suite, token: str, upload_id: str) -> dict[str, Any]:
    answer = suite.request("GET", f"/v1/uploads/{upload_id}", headers={"authorization": f"Bearer {token}"})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


def settled(suite: Suite, token: str, upload_id: str) -> dict[str, Any]:
    """An upload once its file was followed: the store notifies in its own time."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        suite.drain()
        found = read(suite, token, upload_id)
        if found["state"] not in ("asked", "received"):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{upload_id} was not followed")


def wider(form: Mapping[str, Any]) -> str:
    """The policy of a form, with more bytes allowed than it was signed for."""
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    policy["conditions"] = [
        ["content-length-range", 1, 10**9] if "content-length-range" in condition else condition
        for condition in policy["conditions"]
    ]
    return base64.b64encode(json.dumps(policy).encode()).decode()


def test_a_form_takes_no_other_key_type_size_or_policy_and_no_file_without_its_signature(
    suite: Suite, token: str
) -> None:
    form = ask(suite, token, "bounds")
    other = ask(suite, token, "other")
    refused = {
        "another key": post(form, key="incoming/after_sale/upl_00000000000000000000000000"),
        "a kept key": post(form, key=form["fields"]["key"].replace("incoming", "kept")),
        "another type": post(form, Content_Type="text/html"),
        "no type": post(form, Content_Type=None),
        "too many bytes": post(form, PHOTO + b"\x00"),
        "no bytes": post(form, b""),
        "one more field": post(form, acl="public-read"),
        "a wider policy": post(form, PHOTO + b"\x00", policy=wider(form)),
        "no signature": post(form, x_amz_signature=None),
        "no policy": post(form, policy=None),
        "a signature of another form": post(form, x_amz_signature=other["fields"]["x-amz-signature"]),
        "nothing of the form but its key": httpx.post(
            form["url"], data={"key": form["fields"]["key"]}, files={"file": PHOTO}, timeout=30
        ),
    }
    stored = suite.clients.s3.list_objects_v2(Bucket=suite.environment["UPLOAD_FILES_BUCKET"]).get("Contents", [])

    assert {what for what, answer in refused.items() if answer.status_code not in (400, 403)} == set()
    assert stored == []
    assert read(suite, token, form["upload_id"])["state"] == "asked"


def test_a_photo_goes_from_the_phone_to_three_signed_links(suite: Suite, token: str) -> None:
    form = ask(suite, token, "photo")
    taken = post(form)
    found = settled(suite, token, form["upload_id"])
    answers = [httpx.get(each["link"], timeout=30) for each in found["files"]]

    assert taken.status_code == 204
    assert (found["state"], [(each["width"], each["height"]) for each in found["files"]]) == (
        "ready", [(300, 400), (300, 400), (240, 320)],
    )  # fmt: skip
    for answer in answers:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert pictures.corners(answer.content) == ["blue", "red", "white", "green"]
        assert b"GPS" not in answer.content
        assert b"SECRET" not in answer.content
    link = httpx.URL(found["files"][0]["link"])
    changed = link.copy_set_param("X-Amz-Expires", "86400")
    assert httpx.get(changed, timeout=30).status_code == 403
    assert httpx.get(link.copy_with(query=b""), timeout=30).status_code == 403
    assert suite.dead_letters() == {}


def test_a_poisoned_file_is_refused_and_is_in_no_dead_letter_queue(suite: Suite, token: str) -> None:
    form = ask(suite, token, "svg", content_type="image/png")
    assert post(form, pictures.SVG).status_code == 204
    found = settled(suite, token, form["upload_id"])

    assert (found["state"], found["refusal"]["code"]) == ("refused", "NOT_A_PICTURE")
    assert suite.dead_letters() == {}


def test_public_files_come_from_a_host_of_their_own_that_lets_nothing_run(suite: Suite) -> None:
    bucket = suite.environment["PUBLIC_FILES_BUCKET"]
    suite.clients.s3.put_object(
        Bucket=bucket, Key="files/upl_1/file", Body=pictures.PDF, ContentType="application/pdf",
        ContentDisposition="attachment; filename*=UTF-8''manual.pdf",
    )  # fmt: skip
    address = f"{suite.environment['FILES_URL']}/files/upl_1/file"
    found, head, missing = httpx.get(address), httpx.head(address), httpx.get(f"{suite.files_url}/files/upl_2/file")
    expected = {
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "cache-control": "public, max-age=31536000, immutable",
        "cross-origin-resource-policy": "cross-origin",
        "content-disposition": "attachment; filename*=UTF-8''manual.pdf",
        "content-type": "application/pdf",
    }

    assert suite.environment["FILES_URL"] == suite.files_url
    assert suite.files_url not in suite.urls.values()
    assert (found.status_code, found.content) == (200, pictures.PDF)
    for answer in (found, head):
        assert {name: answer.headers[name] for name in expected} == expected
    assert head.content == b""
    assert (missing.status_code, missing.headers["cache-control"]) == (403, "no-store")
    assert httpx.get(suite.files_url).status_code == 403
    assert httpx.post(address, content=b"x").status_code == 403
