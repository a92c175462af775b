"""A schedule for the tests of the local runtime."""

import os
from typing import Any

import boto3

from cardstock import clock
from cardstock.clock import rfc3339

dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Writes down when it was due and what time it was; fails in January 2027."""
    if event["scheduled_at"].startswith("2026-12-31"):
        raise RuntimeError("asked to fail")
    now = rfc3339(clock.now())
    item = {"pk": {"S": f"tick {event['scheduled_at']}"}, "now": {"S": now}}
    dynamodb.put_item(TableName=os.environ["SEEN_TABLE"], Item=item)
    return {"now": now}
