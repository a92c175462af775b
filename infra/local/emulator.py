"""Runs the AWS emulator until the process that started it is gone; then it saves its state.

Started by `engine.py` with a pipe as standard input: when the other end closes for any reason, this process stops
gracefully, so that nothing is left running and no write is lost. It also counts the calls of functions and their
cost (`costs.py`).
"""

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
from ministack.services import dynamodb

from infra.local.costs import COSTS_PATH, FUNCTIONS, Item, Meter, Shape, shape_of


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
        emulator.SERVICE_HANDLERS[name] = _counted(name, serve_one)
    emulator.app = _with_costs(emulator.app)
    emulator.main()
