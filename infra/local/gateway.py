"""API Gateway on this machine: the template's HTTP routes on a Chalice app, each passing the complete event of payload
format 1.0 to the function that the template names.

Chalice has the registry of routes, the dispatch and the server. Its local event is completed here, and where its REST
API differs from an HTTP API, the answer is that of an HTTP API: 404 for an unknown method of a path, any content type,
413 above 10 MB, 500 for a function that fails.
"""

import base64
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from chalice.app import Response
from chalice.config import Config
from chalice.local import LambdaContext, LocalChalice, LocalDevServer, LocalGateway, LocalGatewayException

from infra.local.clock import ShiftedClock
from infra.local.events import Events, Routes, routes_of
from infra.local.invoke import FunctionError, Invoker
from infra.local.server import MAX_PAYLOAD_BYTES, HttpAnswer, RequestHandler, Server
from infra.local.template import Function, Template
from infra.local.texts import language_of

_METHODS = frozenset({"GET", "PUT", "POST", "HEAD", "DELETE", "PATCH", "OPTIONS"})

Answer = dict[str, Any]
Page = Callable[[Mapping[str, str], str], tuple[str, bytes]]
"""A page of this runtime, not of the template: query and language (`zh` or `en`) to (content type, content)."""


class _GatewayError(LocalGatewayException):
    """An answer of API Gateway itself."""

    def __init__(self, status: int, message: str, **more: str) -> None:
        super().__init__({"Content-Type": "application/json"}, json.dumps({"message": message, **more}).encode())
        self.CODE = status


class _LambdaResponse(Response):
    """A function's answer, passed through Chalice unchanged."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(body="")
        self._answer = answer

    def to_dict(self, binary_types: list[str] | None = None) -> Answer:
        del binary_types
        return self._answer


class _Gateway(LocalGateway):
    """Chalice's gateway with our routes and events, and an HTTP API's refusals."""

    def __init__(self, app: LocalChalice, events: Events, elsewhere: Mapping[str, Routes]) -> None:
        self._app_object = app
        self._events = events
        self._elsewhere = elsewhere

    def handle_request(self, method: str, path: str, headers: Mapping[str, Any], body: bytes | None) -> Answer:
        if len(body or b"") > MAX_PAYLOAD_BYTES:
            raise _GatewayError(413, "Request Entity Too Large")
        try:
            event = self._events.create_lambda_event(method=method, path=path, headers=headers, body=body)
        except ValueError:
            raise self._not_found(method, path.partition("?")[0]) from None
        context = LambdaContext(event["resource"], 128)
        answer: Answer = self._app_object(event, context)
        return answer

    def _not_found(self, method: str, path: str) -> _GatewayError:
        """API Gateway's answer. On this machine it also says which other address has the route."""
        found = next((url for url, routes in self._elsewhere.items() if routes.find(method, path)), None)
        hint = {} if found is None else {"hint": f"{method} {path} is served at {found}"}
        return _GatewayError(404, "Not Found", **hint)


class App(LocalChalice):
    """The Chalice app with the template's routes."""

    front: "Gateway"


class Gateway:
    """One of the template's HTTP APIs: in this process (`request`) and, once started, on a port (`url`).

    `api` is its id; None takes the routes of all of them. Where `clock` was moved, every answer has its time in the
    header `clock_header`; `Date` stays the machine's.
    """

    def __init__(
        self,
        template: Template,
        invoker: Invoker,
        *,
        api: str | None = None,
        pages: Mapping[str, Page] | None = None,
        report: Callable[[str], None] = print,
        clock: ShiftedClock | None = None,
        clock_header: str = "",
    ) -> None:
        self.pages: dict[str, Page] = dict(pages or {})
        self.actions: dict[str, Page] = {}
        """The action of a form posted to a path; the answer is a page."""
        self.url = ""
        self.requests = 0
        self._invoker = invoker
        self._report = report
        self._clock, self._clock_header = clock, clock_header
        self._app = App("local", configure_logs=False, env={})
        self._app.front = self
        served = [(function, route) for function in template.functions for route in routes_of(function, api)]
        for function, route in served:
            others = {other.method for _, other in served if other.path == route.path}
            methods = [route.method] if route.method != "ANY" else sorted(_METHODS - others)
            self._register(function, methods, route.path)
        elsewhere = {
            template.place.api_urls[other]: Routes(template, other)
            for other in template.apis
            if api not in (None, other) and other in template.place.api_urls
        }
        events = Events(Routes(template, api), template.place, api or "api")
        self._gateway = _Gateway(self._app, events, elsewhere)
        self._server: LocalDevServer | None = None
        self._thread: threading.Thread | None = None

    def _register(self, function: Function, methods: list[str], path: str) -> None:
        def view(**_captured: str) -> _LambdaResponse:
            request = self._app.current_request
            return _LambdaResponse(self._invoke(function, request.to_original_event()))

        # No content types: any body reaches the function, as behind API Gateway.
        self._app.route(path, methods=methods, name=function.name, content_types=[])(view)

    def _invoke(self, function: Function, event: dict[str, Any]) -> Answer:
        request_id = event["requestContext"]["requestId"]
        try:
            answer = self._invoker.invoke(function, event, request_id=request_id)
        except FunctionError as error:
            self._report(f"{event['httpMethod']} {event['path']}: {error}")
            timed_out = error.kind == "Sandbox.Timedout"
            return _problem(503, "Service Unavailable") if timed_out else _problem(500, "Internal Server Error")
        if not isinstance(answer, dict) or not isinstance(answer.get("statusCode"), int):
            self._report(f"{event['httpMethod']} {event['path']}: {function.name} answered {str(answer)[:200]}")
            return _problem(500, "Internal Server Error")
        return {**answer, "requestId": request_id}

    def serve(
        self, method: str, path: str, headers: Mapping[str, list[str]], body: bytes
    ) -> tuple[HttpAnswer, list[tuple[str, str]]]:
        """Answer a request; `headers` has lower-case names. Returns also the headers one by one, with repeated ones."""
        self.requests += 1
        try:
            answer = self._gateway.handle_request(method, path, headers, body)
            status, pairs, content = _flatten(answer)
        except LocalGatewayException as error:
            place, _, query = path.partition("?")
            found = {"GET": self.pages, "HEAD": self.pages, "POST": self.actions}.get(method, {})
            page = found.get(place) if error.CODE == 404 else None
            if page is not None and method == "POST" and not _from_here(headers):
                status, pairs, content = 403, [("content-type", "application/json")], b'{"message":"Forbidden"}'
            elif page is not None:
                given = body.decode("utf-8", "replace") if method == "POST" else query
                language = language_of(headers.get("accept-language", [""])[0])
                content_type, content = page(dict(parse_qsl(given)), language)
                status, pairs = 200, [("content-type", content_type)]
            else:
                status, pairs = error.CODE, [("content-type", "application/json")]
                content = error.body or b""
        if self._clock is not None and abs(self._clock.shift) >= timedelta(seconds=1):
            pairs = [*pairs, (self._clock_header.lower(), self._clock.now().isoformat(timespec="milliseconds"))]
        joined: dict[str, str] = {}
        for name, value in pairs:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        return HttpAnswer(status, joined, content), pairs

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | str = b""
    ) -> HttpAnswer:
        """Answer a request without a network, but with everything else. HEAD is answered without a body."""
        content = body.encode() if isinstance(body, str) else body
        lists = {"host": ["127.0.0.1"]} | {name.lower(): [value] for name, value in (headers or {}).items()}
        if content:
            lists.setdefault("content-length", [str(len(content))])
        answer = self.serve(method.upper(), path, lists, content)[0]
        if method.upper() != "HEAD":
            return answer
        return replace(answer, headers={**answer.headers, "content-length": str(len(answer.body))}, body=b"")

    def start(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve on `port` (0: any free one) in a background thread. Returns the URL. OSError if the port is taken."""
        self._server = LocalDevServer(self._app, Config(), host, port, handler_cls=RequestHandler, server_cls=Server)
        self.url = f"http://{host}:{self._server.server.server_address[1]}"
        serve = partial(self._server.server.serve_forever, poll_interval=0.05)
        self._thread = threading.Thread(target=serve, name="gateway", daemon=True)
        self._thread.start()
        return self.url

    def stop(self) -> None:
        """Accept no more connections, and close those kept alive."""
        if self._server is None or self._thread is None:
            return
        self._server.server.stop(self._thread)
        self._server = self._thread = None


def _from_here(headers: Mapping[str, list[str]]) -> bool:
    """Whether a form was sent by our own pages or by a program: another site in the developer's browser names itself,
    and a name that another site points to this machine is not ours."""
    host, *others = headers.get("host", [""])
    origins = headers.get("origin", [f"http://{host}"])
    sites = headers.get("sec-fetch-site", ["same-origin"])
    own = not others and host.partition(":")[0] in ("127.0.0.1", "localhost")
    return own and origins == [f"http://{host}"] and sites == ["same-origin"]


def _problem(status: int, message: str) -> Answer:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"message": message}),
    }


def _flatten(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and content of a function's answer; 500 for one that cannot be sent."""
    pairs: list[tuple[str, str]] = []
    multi = answer.get("multiValueHeaders") or {}
    taken = {name.lower() for name in multi}
    for name, value in (answer.get("headers") or {}).items():
        if name.lower() not in taken:
            pairs.append((name.lower(), str(value)))
    pairs += [(name.lower(), str(value)) for name, values in multi.items() for value in values]
    pairs = [pair for pair in pairs if pair[0] not in ("content-length", "connection", "transfer-encoding")]
    if any("\n" in value or "\r" in value or not value.isascii() for _, value in pairs):
        return 500, [("content-type", "application/json")], b'{"message":"Internal Server Error"}'
    names = {name for name, _ in pairs}
    if "content-type" not in names:
        pairs.append(("content-type", "text/plain; charset=utf-8"))
    if "requestId" in answer:
        pairs.append(("apigw-requestid", str(answer["requestId"])))
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode("utf-8", "replace")
    return int(answer["statusCode"]), pairs, content
