"""Whoever uploads: asks for a form, has the store of files take a file, and sees what becomes of it."""

import json
from typing import Any

from cardstock import clock, environment
from cardstock.uploads.model import Purpose, Upload, incoming_key
from cardstock.uploads.store import DynamoUploads
from functions.uploads.on_publish import app as on_publish
from functions.uploads.on_upload import app as on_upload
from tests.house.cloud import Cloud, Context, http_event, queue_event, serve
from tests.people.clock import TestClock
from tests.people.replies import Reply, reply

TYPES = {"import": "text/csv", "product_file": "application/pdf"}


class Uploader:
    """Calls with `token`: a member's, or a key."""

    def __init__(self, cloud: Cloud, clock: TestClock, token: str) -> None:
        self.cloud, self.clock, self.token = cloud, clock, token
        self._asked = 0

    def ask(self, purpose: str = "after_sale", *, key: str | None = None, **fields: Any) -> Reply:
        self._asked += 1
        body = {"purpose": purpose, "content_type": TYPES.get(purpose, "image/jpeg"), "size": 100_000} | fields
        event = http_event("POST", "/v1/uploads", body, token=self.token, key=key or f"upload-{self._asked}")
        return reply(serve(event))

    def get(self, upload_id: str, **more: Any) -> Reply:
        return reply(serve(http_event("GET", f"/v1/uploads/{upload_id}", token=self.token, **more)))

    def put(self, upload_id: str, content: bytes) -> dict[str, Any]:
        """The store takes a file as by the form; what it says of that."""
        key = incoming_key(self.stored(upload_id).purpose, upload_id)
        taken = self.cloud.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return arrived(key, taken["ETag"].strip('"'))

    def send(self, content: bytes, purpose: str = "after_sale", **fields: Any) -> str:
        """The id of an upload whose file has come and was followed."""
        asked = self.ask(purpose, size=max(1, len(content)), **fields)
        assert asked.status == 201, asked
        upload_id = str(asked.body["upload_id"])
        assert self.work(self.put(upload_id, content)) == 0
        return upload_id

    @staticmethod
    def work(*messages: dict[str, Any]) -> int:
        """Messages of the store arrive at a worker: how many come again."""
        answer = on_upload.handler(queue_event("arrived-uploads", *messages), Context(remaining_ms=60_000))
        return len(answer["batchItemFailures"])

    @staticmethod
    def publish(*upload_ids: str) -> int:
        """Uploads are made public: how many messages come again."""
        messages = [{"upload_id": each} for each in upload_ids]
        answer = on_publish.handler(queue_event("published-uploads", *messages), Context(remaining_ms=60_000))
        return len(answer["batchItemFailures"])

    @staticmethod
    def stored(upload_id: str) -> Upload:
        found = DynamoUploads().find(upload_id)
        assert found is not None
        return found

    @property
    def bucket(self) -> str:
        return environment.text("UPLOAD_FILES_BUCKET")

    def files(self, bucket: str | None = None) -> dict[str, bytes]:
        """Every stored file by its key."""
        where = bucket or self.bucket
        found = self.cloud.s3.list_objects_v2(Bucket=where).get("Contents", ())
        return {each["Key"]: self.cloud.s3.get_object(Bucket=where, Key=each["Key"])["Body"].read() for each in found}

    def public(self) -> dict[str, bytes]:
        """Every public file by its key."""
        return self.files(environment.text("PUBLIC_FILES_BUCKET"))


def store_ready(upload_id: str, owner: str, purpose: Purpose = "product_image") -> None:
    """An upload that was made earlier, without its files."""
    at = clock.now()
    DynamoUploads().add(Upload(upload_id, owner, owner, purpose, "image/jpeg", 9, at, state="ready", ended_at=at))


def arrived(key: str, etag: str) -> dict[str, Any]:
    """What S3 says of a file that has arrived."""
    place = {"bucket": {"name": "cardstock-uploadfiles"}, "object": {"key": key, "size": 1, "eTag": etag}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Post", "s3": place}]}


def policy_of(form: dict[str, Any]) -> dict[str, Any]:
    """What a form lets its holder do."""
    import base64

    found: dict[str, Any] = json.loads(base64.b64decode(form["fields"]["policy"]))
    return found
