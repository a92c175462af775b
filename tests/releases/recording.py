"""A recording of a shop: every item, every file and messages of every kind, as one version stored and sent them.

A recording is made by the version that is released and is read by all later ones, so it holds plain JSON alone.
"""

import base64
import gzip
import json
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from moto.s3.models import s3_backends

from tests.house.cloud import ACCOUNT, Cloud

HERE = Path(__file__).parent


class Recording(msgspec.Struct, dict=True):
    """What one version left behind. Names of tables, buckets and queues are those without the stack's."""

    version: str
    at: datetime
    tables: dict[str, list[dict[str, Any]]]
    """Table -> items, as DynamoDB's JSON."""
    files: dict[str, dict[str, str]]
    """Bucket -> key -> content in base64."""
    messages: dict[str, list[Any]]
    """Queue -> bodies."""
    requests: list[dict[str, Any]]
    """Requests of the staff that made something, with their Idempotency-Keys and what they were answered."""

    @cached_property
    def texts(self) -> list[str]:
        """Every item as text."""
        return [json.dumps(item) for items in self.tables.values() for item in items]


def record(
    version: str, at: datetime, cloud: Cloud, messages: dict[str, list[Any]], requests: list[dict[str, Any]]
) -> Recording:
    """What is in `cloud` now, and what was sent."""
    files = {
        bucket: {name: base64.b64encode(key.value).decode() for name, key in sorted(found.keys.items())}
        for bucket, found in s3_backends[ACCOUNT]["aws"].buckets.items()
    }
    return Recording(
        version, at, {name: items for name, items in cloud.state().items() if items}, files, messages, requests
    )


def restore(recording: Recording, cloud: Cloud) -> None:
    """Put everything that was recorded, except messages, into an empty `cloud`."""
    for table, items in recording.tables.items():
        for item in items:
            cloud.dynamodb.put_item(TableName=table, Item=as_sent(item))
    for bucket, files in recording.files.items():
        for key, content in files.items():
            cloud.s3.put_object(Bucket=bucket, Key=key, Body=base64.b64decode(content))


def as_sent(item: dict[str, Any]) -> dict[str, Any]:
    """A recorded item as a client sends and reads it: what DynamoDB holds as bytes is base64 in its JSON."""
    return {name: {"B": base64.b64decode(value["B"])} if "B" in value else value for name, value in item.items()}


def path_of(version: str) -> Path:
    """Where the recording of a version is kept."""
    return HERE / f"{version}.json.gz"


def versions() -> list[str]:
    """The versions that have a recording, oldest first."""
    found = [path.name.removesuffix(".json.gz") for path in HERE.glob("v*.json.gz")]
    return sorted(found, key=lambda version: [int(part) for part in version[1:].split(".")])


def write(recording: Recording) -> None:
    """Keep a recording. The same recording gives the same bytes."""
    text = json.dumps(msgspec.to_builtins(recording), ensure_ascii=False, sort_keys=True, indent=0)
    path_of(recording.version).write_bytes(gzip.compress(text.encode(), mtime=0))


def read(version: str) -> Recording:
    """The recording of a version."""
    return msgspec.json.decode(gzip.decompress(path_of(version).read_bytes()), type=Recording)
