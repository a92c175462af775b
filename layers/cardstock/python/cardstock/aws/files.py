"""Files in S3 that are written once: the first write of a key wins."""

from functools import cache
from typing import Any, Final

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


class Files:
    """`payouts.ports.Files` in one bucket."""

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

    def link(self, key: str) -> str:
        try:
            _client().head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if _status(error) == 404:
                raise NOT_FOUND() from error
            raise _known(error) from error
        except BotoCoreError as error:
            raise STORE_UNAVAILABLE() from error
        address: str = _client().generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=LINK_SECONDS
        )
        return address


def _status(error: ClientError) -> int:
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status


def _known(error: ClientError) -> Exception:
    """`UnavailableError` for a transient error, else the error itself: a missing bucket or permission is a bug."""
    return STORE_UNAVAILABLE() if _status(error) >= 500 or _status(error) == 429 else error
