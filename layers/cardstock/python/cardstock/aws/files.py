"""Files in S3: written once, where the first write of a key wins, or written anew; and forms that take one file."""

from functools import cache
from typing import Any, Final
from urllib.parse import quote

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from cardstock.aws.client import client
from cardstock.errors import FILE_DIFFERS, NOT_FOUND, STORE_UNAVAILABLE, ConflictError, NotFoundError
from cardstock.files import Document

LINK_SECONDS: Final = 900
CONNECT_TIMEOUT_SECONDS: Final = 2.0
READ_TIMEOUT_SECONDS: Final = 30.0


@cache
def _client() -> Any:
    return client(
        "s3",
        connect_seconds=CONNECT_TIMEOUT_SECONDS,
        read_seconds=READ_TIMEOUT_SECONDS,
        signature_version="s3v4",
        s3={"addressing_style": "path"},
    )


def forget_client() -> None:
    """Drop the client; for tests that change the endpoint."""
    _client.cache_clear()


class PostForm(msgspec.Struct, frozen=True):
    """What takes one file: where it is posted, and the fields that go before it."""

    url: str
    fields: dict[str, str]


class Files:
    """`payouts.ports.Files` and `uploads.ports.UploadFiles` in one bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def put_once(self, key: str, document: Document) -> None:
        try:
            _client().put_object(
                Bucket=self._bucket,
                Key=key,
                Body=document.content,
                ContentType=document.content_type,
                ContentDisposition=f'attachment; filename="{document.name}"',
                IfNoneMatch="*",
            )
        except ClientError as error:
            # 412: it is there; 409: it is being written at this moment.
            if _status(error) not in (409, 412):
                raise _known(error) from error
            try:
                kept = self.read(key)
            except NotFoundError:
                raise STORE_UNAVAILABLE() from error  # it is not written yet
            if kept != document.content:
                raise FILE_DIFFERS(key=key) from error
        except BotoCoreError as error:
            raise STORE_UNAVAILABLE() from error

    def put_first(self, key: str, document: Document) -> bytes:
        """Write it unless the key is taken; the bytes that are under the key then."""
        try:
            self.put_once(key, document)
        except ConflictError:
            return self.read(key)
        return document.content

    def put(self, key: str, document: Document) -> None:
        """Write it, whatever was under the key. With a name browsers save it under that, without one they show it."""
        named = {}
        if document.name:
            named["ContentDisposition"] = f"attachment; filename*=UTF-8''{quote(document.name, safe='')}"
        try:
            _client().put_object(
                Bucket=self._bucket, Key=key, Body=document.content, ContentType=document.content_type, **named
            )
        except ClientError as error:
            raise _known(error) from error
        except BotoCoreError as error:
            raise STORE_UNAVAILABLE() from error

    def copy_to(self, bucket: str, key: str, to: str) -> None:
        """Copy a file, with its media type, under a key of another bucket, whatever was there."""
        try:
            _client().copy_object(Bucket=bucket, Key=to, CopySource={"Bucket": self._bucket, "Key": key})
        except ClientError as error:
            raise _known(error) from error
        except BotoCoreError as error:
            raise STORE_UNAVAILABLE() from error

    def form(self, key: str, content_type: str, most_bytes: int, seconds: int) -> PostForm:
        """A form that takes one file under exactly this key and media type, with 1 to `most_bytes` bytes; no call.

        Whoever has it may post until `seconds` are over, also again."""
        made = _client().generate_presigned_post(
            self._bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, most_bytes]],
            ExpiresIn=seconds,
        )
        return PostForm(made["url"], made["fields"])

    def remove(self, key: str) -> None:
        """Remove the file of a bucket without versions, if there is one."""
        try:
            _client().delete_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            raise _known(error) from error
        except BotoCoreError as error:
            raise STORE_UNAVAILABLE() from error

    def read(self, key: str) -> bytes:
        """The bytes under a key. Raises `NotFoundError`, which S3 tells only those who may list the bucket."""
        try:
            content: bytes = _client().get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            # A missing bucket is 404 too, and does not mean that the file is missing.
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                raise NOT_FOUND() from error
            raise _known(error) from error
        except BotoCoreError as error:
            raise STORE_UNAVAILABLE() from error
        return content

    def read_as(self, key: str, mark: str) -> bytes:
        """The bytes under a key if they are those with this ETag. Raises `NotFoundError` if not, or without any, which
        S3 tells only those who may list the bucket: others get what is not there as a refusal."""
        try:
            content: bytes = _client().get_object(Bucket=self._bucket, Key=key, IfMatch=f'"{mark}"')["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "PreconditionFailed", "412"):
                raise NOT_FOUND() from error
            raise _known(error) from error
        except BotoCoreError as error:
            raise STORE_UNAVAILABLE() from error
        return content

    def sign(self, key: str) -> str:
        """A link to a file that is there, good for `LINK_SECONDS`; no call."""
        address: str = _client().generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=LINK_SECONDS
        )
        return address

    def read_newer(self, key: str, tag: str | None) -> tuple[bytes, str] | None:
        """The bytes under a key with their tag; None if they still have `tag`. One call.

        Raises `NotFoundError`. S3 answers 403 for what is missing to those who may not list the bucket.
        """
        known = {} if tag is None else {"IfNoneMatch": tag}
        try:
            answer = _client().get_object(Bucket=self._bucket, Key=key, **known)
            return answer["Body"].read(), answer["ETag"]
        except ClientError as error:
            if _status(error) == 304:
                return None
            if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "AccessDenied"):
                raise NOT_FOUND() from error
            raise _known(error) from error
        except BotoCoreError as error:
            raise STORE_UNAVAILABLE() from error

    def replace(self, key: str, content: bytes, tag: str | None) -> bool:
        """Write over the bytes that have `tag`, or where there are none (None); False if others are there by now.

        One call. Raises `UnavailableError`; the bytes may be written nevertheless.
        """
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        try:
            _client().put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType="application/octet-stream", **condition
            )
        except ClientError as error:
            # 412: others; 409: being written at this moment; 404: none any more.
            if _status(error) in (404, 409, 412) and error.response.get("Error", {}).get("Code") != "NoSuchBucket":
                return False
            raise _known(error) from error
        except BotoCoreError as error:
            raise STORE_UNAVAILABLE() from error
        return True

    def link(self, key: str) -> str:
        try:
            _client().head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if _status(error) == 404:
                raise NOT_FOUND() from error
            raise _known(error) from error
        except BotoCoreError as error:
            raise STORE_UNAVAILABLE() from error
        return self.sign(key)


def _status(error: ClientError) -> int:
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status


def _known(error: ClientError) -> Exception:
    """`UnavailableError` for a transient error, else the error itself: a missing bucket or permission is a bug."""
    return STORE_UNAVAILABLE() if _status(error) >= 500 or _status(error) == 429 else error
