"""Runs the AWS emulator until the process that started it is gone; then it saves its state.

Started by `engine.py` with a pipe as standard input: when the other end closes for any reason, this process stops
gracefully, so that nothing is left running and no write is lost. It also counts the calls of functions and their
cost (`costs.py`), and lets S3 refuse what is not signed.
"""

import hashlib
import hmac
import json
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

import ministack.app as emulator
from ministack.services import dynamodb, s3

from infra.local.costs import COSTS_PATH, FUNCTIONS, Item, Meter, Shape, shape_of
from infra.local.engine import CREDENTIALS


def _stop_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


class _Shapes(dict[str, Shape]):
    """The emulator's tables, each read at its first use."""

    def __missing__(self, table: str) -> Shape:
        shape = self[table] = shape_of(dynamodb._tables[table])
        return shape


def _find(table: str, key: Item) -> Item | None:
    known = dynamodb._tables[table]
    partition, sort, _ = dynamodb._resolve_table_key_values(known, key, allow_extra=False)
    found: Item | None = known["items"].get(partition, {}).get(sort)
    return dict(found) if found is not None else None


@cache
def _meter() -> Meter:
    return Meter(find=_find, shapes=_Shapes())


_ALGORITHM = "AWS4-HMAC-SHA256"

_WRONG_SIGNATURE = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we '
    b"calculated does not match the signature you provided.</Message></Error>"
)

Handler = Callable[[str, str, dict[str, str], bytes, Any], Awaitable[tuple[int, Any, Any]]]


def _counted(service: str, handler: Handler) -> Handler:
    """`handler`, counting the calls of functions."""

    async def count(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> tuple[int, Any, Any]:
        if f"app/{FUNCTIONS}" not in headers.get("user-agent", ""):
            return await handler(method, path, headers, body, query)
        operation = headers.get("x-amz-target", method).rpartition(".")[2]
        request = json.loads(body) if service == "dynamodb" else {}
        writes = _meter().before(service, operation, request)
        status, answered, content = await handler(method, path, headers, body, query)
        if service == "dynamodb":
            answer = json.loads(content) if operation in ("Query", "Scan") else {}
            _meter().after(operation, request, answer, writes)
        return status, answered, content

    return count


_REFUSED = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
)


def _signed(handler: Handler) -> Handler:
    """`handler` of S3 for signed requests; others are refused, as by buckets that are not public. The emulator checks
    the signature of a link itself, and believes a signature in a header. Of a form it checks what the policy says, and
    believes its signature: that is checked here."""

    async def serve(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> tuple[int, Any, Any]:
        link = _given(query, "X-Amz-Algorithm") == _ALGORITHM and bool(_given(query, "X-Amz-Signature"))
        form = method == "POST" and headers.get("content-type", "").startswith("multipart/form-data")
        if form and not _form_is_signed(headers["content-type"], body):
            return 403, {"Content-Type": "application/xml"}, _WRONG_SIGNATURE
        if link or form or headers.get("authorization", "").startswith(_ALGORITHM):
            return await handler(method, path, headers, body, query)
        return 403, {"Content-Type": "application/xml"}, _REFUSED

    return serve


def _form_is_signed(content_type: str, body: bytes) -> bool:
    """Whether the signature of a form is that of its policy, by the local account's key.

    Source: Amazon S3 API Reference, "Calculating a signature" of browser-based uploads using POST (version 4)."""
    fields: dict[str, bytes] = {
        name.lower(): value for name, _, _, value in s3._parse_multipart_form(content_type, body)
    }
    scope = fields.get("x-amz-credential", b"").split(b"/")
    date, region = scope[1:3] if len(scope) == 5 else (b"", b"")
    key = f"AWS4{CREDENTIALS['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in (date, region, b"s3", b"aws4_request", fields.get("policy", b"")):
        key = hmac.digest(key, part, hashlib.sha256)
    return hmac.compare_digest(key.hex().encode(), fields.get("x-amz-signature", b""))


def _given(query: Any, name: str) -> str:
    values = query.get(name, "")
    return str(values[0] if isinstance(values, list) and values else values or "")


def _with_costs(application: Any) -> Any:
    """The ASGI `application`, with one more path."""

    async def serve(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope.get("path") != COSTS_PATH:
            await application(scope, receive, send)
            return
        body = json.dumps(asdict(_meter().costs)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    return serve


if __name__ == "__main__":
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    for name, serve_one in list(emulator.SERVICE_HANDLERS.items()):
        emulator.SERVICE_HANDLERS[name] = _counted(name, _signed(serve_one) if name == "s3" else serve_one)
    emulator.app = _with_costs(emulator.app)
    emulator.main()
