"""Functions for the tests of the local runtime: they do what a test asks for, and write down what they saw."""

import json
import os
import time
from typing import Any

import boto3

from cardstock import clock
from cardstock.clock import rfc3339
from cardstock.edge.signatures import verify

dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """HTTP: by path."""
    match event["resource"]:
        case "/v1/notes/{note_id}":
            return _put(event)
        case "/v1/echo":
            return _echo(event, context)
        case "/v1/slow":
            time.sleep(30)
        case "/v1/death":
            os._exit(1)
        case "/v1/payments/sandbox/notify":
            return _notify(event)
    raise RuntimeError("asked to fail")


def _put(event: dict[str, Any]) -> dict[str, Any]:
    item = {"pk": {"S": event["pathParameters"]["note_id"]}, "owner": {"S": "somebody"}, "text": {"S": event["body"]}}
    dynamodb.put_item(TableName=os.environ["NOTES_TABLE"], Item=item)
    return {"statusCode": 201, "body": json.dumps({"at": rfc3339(clock.now())})}


def _echo(event: dict[str, Any], context: Any) -> dict[str, Any]:
    seen = {
        "event": event,
        "function": context.function_name,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "request_id": context.aws_request_id,
        "environment": os.environ["ENVIRONMENT"],
        "api_url": os.environ["API_URL"],
        "process": os.getpid(),
    }
    headers = {"content-type": "application/json"}
    return {
        "statusCode": 200,
        "headers": headers,
        "multiValueHeaders": {"x-many": ["1", "2"]},
        "body": json.dumps(seen),
    }


def _notify(event: dict[str, Any]) -> dict[str, Any]:
    secrets = boto3.client("secretsmanager")
    key = json.loads(secrets.get_secret_value(SecretId=os.environ["PAYMENT_SECRET_ID"])["SecretString"])["sandbox_key"]
    verify([key], event["headers"], event["body"].encode(), clock.now())
    _count(json.loads(event["body"])["transaction_no"])
    return {"statusCode": 200, "body": '{"code":"SUCCESS"}'}


def on_note(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Queue: counts every note by key and text; the text `poison` fails, `blow up` fails its whole batch."""
    failed = []
    bodies = [(record["messageId"], json.loads(record["body"])) for record in event["Records"]]
    if any(body["dynamodb"]["NewImage"]["text"]["S"] == "blow up" for _, body in bodies):
        raise RuntimeError("asked to blow up")
    for message_id, body in bodies:
        image = body["dynamodb"]["NewImage"]
        if image["text"]["S"] == "poison":
            failed.append({"itemIdentifier": message_id})
        else:
            _count(f"{image['pk']['S']} {image['text']['S']}")
    return {"batchItemFailures": failed}


def _count(key: str) -> None:
    dynamodb.update_item(
        TableName=os.environ["SEEN_TABLE"],
        Key={"pk": {"S": key}},
        UpdateExpression="ADD times :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
