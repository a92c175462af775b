"""The HTTP edge: from API Gateway's event (payload 1.0) to a typed request, and from an answer or a refusal back.

An `Api` declares its routes with their types, caller, scope and codes; the same declaration serves the calls and
generates the OpenAPI document. Nothing a client sends gives a 5xx: everything that reads a client's bytes is here.
"""

import base64
import binascii
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError

from cardstock import errors
from cardstock.edge import errors as edge_errors
from cardstock.edge import problems
from cardstock.edge.callers import Caller, Callers, require
from cardstock.edge.observability import count, flush, logger
from cardstock.ids import RequestKey, derived_id

MAX_BODY_BYTES = 256 * 1024
MAX_PATH_VALUE = 200
JSON = "application/json"
PROBLEM = "application/problem+json"
ENVELOPE = "application/vnd.cardstock.envelope+json"

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,128}\Z")
# NUL, lone surrogates, and the bidirectional controls that make a text read differently from what it is.
_FORBIDDEN_TEXT = re.compile("[\x00\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_POINTER = re.compile(r" - at `\$(?P<path>[^`]*)`\Z")

SAID = r"\S"
"""Pattern of a text that says something: not blank alone."""
LINE = r"^[^\r\n]*\S[^\r\n]*$"
"""The same on one line."""

Body = TypeVar("Body")
Query = TypeVar("Query")


class Model(msgspec.Struct, forbid_unknown_fields=True):
    """Base of everything that enters or leaves as JSON: unknown fields are refused, types are strict."""


class Nothing(Model):
    """No body, or no query."""


class Request(msgspec.Struct, Generic[Body, Query], frozen=True):
    """One call, checked: `caller` holds the declared right, `body` and `query` have the declared types."""

    body: Body
    query: Query
    path: dict[str, str]
    headers: dict[str, str]
    language: str
    raw: bytes
    _caller: Caller | None
    _key: RequestKey | None

    @property
    def caller(self) -> Caller:
        """Who calls. Only for routes that declare `auth`."""
        if self._caller is None:
            raise LookupError("the route declares no caller")
        return self._caller

    @property
    def key(self) -> RequestKey:
        """What makes a repeat of this call the same one. Only for routes that declare `idempotent`."""
        if self._key is None:
            raise LookupError("the route is not declared idempotent")
        return self._key


class Answer(msgspec.Struct, frozen=True):
    """An answer with more than a body: `body` is a `Model`, text or bytes (then `content_type` says what)."""

    body: Any
    status: int | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    content_type: str = JSON
    replayed: bool = False


class Route(msgspec.Struct, frozen=True):
    """One declared endpoint; what the OpenAPI document and the architecture tests read."""

    method: str
    path: str
    handler: Callable[[Any], Any]
    body: Any
    query: type
    answer: type
    status: int
    auth: str | None
    scope: str | None
    idempotent: bool
    codes: tuple[errors.Refusal, ...]
    raw: bool
    summary: str
    description: str


def refusals_of(route: Route) -> tuple[errors.Refusal, ...]:
    """Every refusal that a route may answer: its own, and those that follow from what it takes."""
    found = [*route.codes, errors.QUERY_INVALID]  # of any route: a parameter that it does not know
    if route.auth:
        found += [
            edge_errors.CREDENTIALS_MISSING,
            edge_errors.TOKEN_INVALID,
            edge_errors.TOKEN_EXPIRED,
            edge_errors.KEY_INVALID,
        ]
        found += {"member": [edge_errors.NOT_A_MEMBER], "key": [edge_errors.NOT_A_KEY], "any": []}[route.auth]
    if route.scope:
        found.append(edge_errors.SCOPE_MISSING)
    if route.idempotent:
        found += [edge_errors.IDEMPOTENCY_KEY_MISSING, edge_errors.HEADER_INVALID, errors.IDEMPOTENCY_KEY_REUSED]
    if route.body is not Nothing:
        found.append(errors.BODY_INVALID)
    if hasattr(route.query, "cursor"):
        found.append(edge_errors.CURSOR_INVALID)
    if "{" in route.path:
        found.append(errors.NOT_FOUND)
    return tuple(dict.fromkeys([*found, edge_errors.BODY_TOO_LARGE, errors.STORE_BUSY, errors.STORE_UNAVAILABLE]))


class Api:
    """The routes of one function. `callers` is asked only when a route needs a caller."""

    def __init__(self, name: str, *, callers: Callable[[], Callers]) -> None:
        self.name = name
        self.routes: list[Route] = []
        self._callers = callers
        self._resolver = APIGatewayRestResolver()
        self._resolver.not_found(self._route_unknown)

    def route(
        self,
        method: str,
        path: str,
        *,
        body: Any = Nothing,
        query: type = Nothing,
        answer: type = Nothing,
        status: int = 200,
        auth: str | None = None,
        scope: str | None = None,
        idempotent: bool = False,
        codes: tuple[errors.Refusal, ...] = (),
        raw: bool = False,
    ) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        """Declare `METHOD path` (`/v1/orders/{order_id}`), served by the decorated function.

        The function takes a `Request` and returns a `Model` or an `Answer`. `body` is a `Model` or a union of tagged
        ones; `auth` is `member`, `key`, `any` or None; `scope` is what a key must hold; `codes` are the refusals it
        may answer beyond the common ones; `raw` leaves the body undecoded in `request.raw` (webhooks are verified on
        bytes). The docstring's first line is the summary, the rest the description.
        """

        def declare(handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
            summary, _, description = (handler.__doc__ or "").strip().partition("\n")
            declared = Route(
                method, path, handler, body, query, answer, status, auth, scope, idempotent, codes, raw,
                summary, description.strip(),
            )  # fmt: skip
            self.routes.append(declared)
            decoder: Any = None if raw or body is Nothing else msgspec.json.Decoder(body, strict=True)

            def serve(**path_values: str) -> Response[str]:
                return self._serve(declared, decoder, path_values)

            rule = re.sub(r"\{(\w+)\}", r"<\1>", path)
            self._resolver.route(rule, method=method)(serve)
            return handler

        return declare

    def get(self, path: str, **declaration: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        """`route("GET", ...)`."""
        return self.route("GET", path, **declaration)

    def post(self, path: str, **declaration: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        """`route("POST", ...)`."""
        return self.route("POST", path, **declaration)

    def put(self, path: str, **declaration: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        """`route("PUT", ...)`."""
        return self.route("PUT", path, **declaration)

    def delete(self, path: str, **declaration: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        """`route("DELETE", ...)`."""
        return self.route("DELETE", path, **declaration)

    def handler(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """The Lambda handler."""
        logger.append_keys(request_id=event["requestContext"]["requestId"], api=self.name)
        try:
            answer: dict[str, Any] = self._resolver.resolve(event, context)
        finally:
            flush()
        # One value a header is all we send, and the plain form is understood by every gateway.
        answer["headers"] = {name: values[-1] for name, values in answer.pop("multiValueHeaders", {}).items()}
        return answer

    def _route_unknown(self, _: RouteNotFoundError) -> Response[str]:
        event = self._resolver.current_event.raw_event
        headers = _headers(event)
        return _refusal(edge_errors.ROUTE_UNKNOWN(), event, headers, _language(headers))

    def _serve(self, route: Route, decoder: Any, path_values: dict[str, str]) -> Response[str]:
        event = self._resolver.current_event.raw_event
        headers = _headers(event)
        language = _language(headers)
        try:
            request = self._read(route, decoder, path_values, event, headers, language)
            result = route.handler(request)
        except errors.CardstockError as error:
            if error.refusal not in refusals_of(route):
                logger.warning("undeclared refusal", code=error.code, route=f"{route.method} {route.path}")
            return _refusal(error, event, headers, language)
        return _reply(route, result, event, headers)

    def _read(  # noqa: PLR0917 - private, one caller
        self,
        route: Route,
        decoder: Any,
        path_values: dict[str, str],
        event: dict[str, Any],
        headers: dict[str, str],
        language: str,
    ) -> Request[Any, Any]:
        content = raw_body(event)
        for value in path_values.values():
            # A store takes a key of more than 1 024 bytes for a defect of ours.
            if len(value) > MAX_PATH_VALUE or _fault(value) is not None:
                raise errors.NOT_FOUND()
        caller = None
        if route.auth is not None:
            caller = self._callers().identify(headers.get("authorization"))
            if route.auth == "member" and caller.kind != "member":
                raise edge_errors.NOT_A_MEMBER()
            if route.auth == "key" and caller.kind != "key":
                raise edge_errors.NOT_A_KEY()
            if route.scope is not None and caller.kind == "key":
                require(caller, route.scope)
        key = None
        if route.idempotent:
            given = headers.get("idempotency-key")
            if given is None:
                raise edge_errors.IDEMPOTENCY_KEY_MISSING()
            if not _IDEMPOTENCY_KEY.match(given):
                raise edge_errors.HEADER_INVALID(header="Idempotency-Key")
            key = RequestKey(
                id=derived_id("req", caller.id if caller else "", route.method, event["path"], given),
                fingerprint=hashlib.sha256(content).hexdigest(),
            )
        return Request(
            body=Nothing() if decoder is None else decode(decoder, content),
            query=_query(route.query, event),
            path=path_values,
            headers=headers,
            language=language,
            raw=content,
            _caller=caller,
            _key=key,
        )


def raw_body(event: dict[str, Any]) -> bytes:
    """The bytes that the client sent.

    Raises `TooLargeError` before anything is parsed, `InvalidError` on wrong base64.
    """
    body = event.get("body") or ""
    if len(body) > MAX_BODY_BYTES * (4 / 3 if event.get("isBase64Encoded") else 1) + 4:
        raise edge_errors.BODY_TOO_LARGE()
    try:
        content = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, ValueError) as error:
        raise errors.BODY_INVALID(pointers=(errors.Pointer("", "ENCODING"),)) from error
    if len(content) > MAX_BODY_BYTES:
        raise edge_errors.BODY_TOO_LARGE()
    return content


def decode(decoder: Any, content: bytes) -> Any:
    """`content` read by a msgspec decoder. Raises `InvalidError` with the field that is wrong."""
    try:
        text = content.decode()
        # Escapes hide characters from a look at the raw text; the long way is rare.
        if "\\u" in text or _fault(text) is not None:
            for pointer, string in _strings(msgspec.json.decode(content), ""):
                fault = _fault(string)
                if fault is not None:
                    raise errors.BODY_INVALID(pointers=(errors.Pointer(pointer, f"TEXT_{fault}"),))
        return decoder.decode(content)
    except UnicodeError as error:
        raise errors.BODY_INVALID(pointers=(errors.Pointer("", "ENCODING"),)) from error
    except msgspec.ValidationError as error:
        raise errors.BODY_INVALID(pointers=(_pointer(str(error)),)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.BODY_INVALID(pointers=(errors.Pointer("", "JSON"),)) from error


def _strings(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Every string with where it stands (RFC 6901); a field's name stands at the object that has it."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield pointer, name
            yield from _strings(item, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")


def _fault(text: str) -> str | None:
    """What makes a text unfit to be kept and compared, if anything does."""
    if _FORBIDDEN_TEXT.search(text):
        return "CONTROL_CHARACTER"
    return None if unicodedata.is_normalized("NFC", text) else "NOT_NFC"


def _pointer(message: str) -> errors.Pointer:
    found = _POINTER.search(message)
    path = found["path"] if found else ""
    pointer = re.sub(r"\[(\d+|\.\.\.)\]", r"/\1", path.replace(".", "/")).replace("/.../", "/").replace("///", "/")
    if "unknown field" in message:
        code = "UNKNOWN_FIELD"
    elif "missing required field" in message:
        code = "MISSING"
    elif message.startswith("Expected `") and ", got " in message:
        code = "WRONG_TYPE"
    else:
        code = "OUT_OF_RANGE"
    name = re.search(r"field `([^`]*)`", message)
    if name and code in ("UNKNOWN_FIELD", "MISSING"):
        pointer = f"{pointer}/{name[1]}"
    return errors.Pointer(pointer, code)


def _query(kind: type, event: dict[str, Any]) -> Any:
    values = event.get("queryStringParameters") or {}
    for name, value in values.items():
        fault = _fault(value)
        if fault is not None:
            raise errors.QUERY_INVALID(pointers=(errors.Pointer(f"#query/{name}", f"TEXT_{fault}"),))
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        found = _pointer(str(error))
        raise errors.QUERY_INVALID(pointers=(errors.Pointer("#query" + found.pointer, found.code),)) from error


def _headers(event: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _language(headers: dict[str, str]) -> str:
    first = headers.get("accept-language", "").split(",", 1)[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


def _reply(route: Route, result: Any, event: dict[str, Any], headers: dict[str, str]) -> Response[str]:
    answer = result if isinstance(result, Answer) else Answer(result)
    out = dict(answer.headers)
    if answer.replayed:
        out["Idempotent-Replayed"] = "true"
    body = answer.body
    if isinstance(body, msgspec.Struct):
        text = msgspec.json.encode(body).decode()
        if ENVELOPE in headers.get("accept", ""):
            text = f'{{"code":0,"data":{text},"msg":"ok","trace_id":"{_trace_id(event)}"}}'
    else:
        text = body
    return Response(answer.status or route.status, answer.content_type, text, headers=out)


def _refusal(
    error: errors.CardstockError, event: dict[str, Any], headers: dict[str, str], language: str
) -> Response[str]:
    status = problems.status_of(error.refusal)
    detail = error.refusal.text(error.facts, language)
    logger.info("refused", code=error.code, status=status)
    count(f"Refused{status}")
    problem: dict[str, Any] = {
        "type": "about:blank",
        "status": status,
        "code": error.code,
        "title": error.code,
        "detail": detail,
        "trace_id": _trace_id(event),
        "retryable": status in problems.RETRYABLE,
        "errors": [{"pointer": pointer.pointer, "code": pointer.code} for pointer in error.pointers],
    }
    if error.facts:
        problem["facts"] = {name: value for name, value in error.facts.items() if isinstance(value, str | int | list)}
    out = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if ENVELOPE in headers.get("accept", ""):
        wrapped = {"code": error.code, "data": problem, "msg": detail, "trace_id": problem["trace_id"]}
        return Response(status, JSON, msgspec.json.encode(wrapped).decode(), headers=out)
    return Response(status, PROBLEM, msgspec.json.encode(problem).decode(), headers=out)


def _trace_id(event: dict[str, Any]) -> str:
    return str(event["requestContext"].get("requestId", ""))
