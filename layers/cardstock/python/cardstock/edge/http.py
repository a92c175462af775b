"""The HTTP edge: from API Gateway's event (payload 1.0) to a typed request, and from an answer or a refusal back.

An `Api` declares its routes with their types, caller, scope and codes; the same declaration serves the calls and
generates the OpenAPI document. `bodies` reads what clients send, `problems` makes refusals into documents.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError

from cardstock import errors
from cardstock.edge import errors as edge_errors
from cardstock.edge import problems
from cardstock.edge.bodies import decode, decode_query, raw_body, text_fault
from cardstock.edge.callers import Caller, Callers, require
from cardstock.edge.observability import count, flush, logger
from cardstock.ids import RequestKey, derived_id

MAX_PATH_VALUE: Final = 200
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
ENVELOPE: Final = "application/vnd.cardstock.envelope+json"

SAID: Final = r"\S"
"""Pattern of a text that is not blank."""
LINE: Final = r"^[^\r\n]*\S[^\r\n]*\Z"
r"""Pattern of a text on one line that is not blank. `\Z` is the very end; `$` would let a line end follow."""
OPTIONAL_LINE: Final = r"^[^\r\n]*\Z"
"""Pattern of a text on one line, or none."""

_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}\Z")

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
    file: bool
    """Whether `raw` is a file of one of the route's `files`, and `body` is empty."""
    _caller: Caller | None
    _key: RequestKey | None

    @property
    def caller(self) -> Caller:
        """The caller. Only for routes that declare `auth`."""
        if self._caller is None:
            raise LookupError("the route declares no caller")
        return self._caller

    @property
    def key(self) -> RequestKey:
        """By what a repeat of this call is recognised. Only for routes that declare `idempotent`."""
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
    files: tuple[str, ...]
    summary: str
    description: str


def refusals_of(route: Route) -> tuple[errors.Refusal, ...]:
    """Every refusal that a route may answer: its own, and those that follow from its declaration."""
    found = [*route.codes, errors.QUERY_INVALID]  # every route refuses parameters that it does not declare
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
        files: tuple[str, ...] = (),
    ) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        """Declare `METHOD path` (`/v1/orders/{order_id}`), served by the decorated function.

        The function takes a `Request` and returns a `Model` or an `Answer`. `body` is a `Model` or a union of tagged
        ones; `auth` is `member`, `key`, `any` or None; `scope` is what a key must hold; `codes` are the refusals it
        may answer beyond the common ones; `raw` leaves the body undecoded in `request.raw` (webhooks are verified on
        bytes); `files` are media types besides JSON, whose bodies stay undecoded there too. The docstring's first line
        is the summary, the rest the description.
        """

        def declare(handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
            summary, _, description = (handler.__doc__ or "").strip().partition("\n")
            declared = Route(
                method=method,
                path=path,
                handler=handler,
                body=body,
                query=query,
                answer=answer,
                status=status,
                auth=auth,
                scope=scope,
                idempotent=idempotent,
                codes=codes,
                raw=raw,
                files=files,
                summary=summary,
                description=description.strip(),
            )
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
        # We send one value a header, and every gateway understands the plain form.
        answer["headers"] = {name: values[-1] for name, values in answer.pop("multiValueHeaders", {}).items()}
        return answer

    def _route_unknown(self, _: RouteNotFoundError) -> Response[str]:
        return _refuse(edge_errors.ROUTE_UNKNOWN(), _Call(self._resolver.current_event.raw_event), "unknown")

    def _serve(self, route: Route, decoder: Any, path_values: dict[str, str]) -> Response[str]:
        call = _Call(self._resolver.current_event.raw_event)
        try:
            result = route.handler(self._read(route, decoder, path_values, call))
        except errors.CardstockError as error:
            if error.refusal not in refusals_of(route):
                logger.warning("undeclared refusal", code=error.code, route=f"{route.method} {route.path}")
            return _refuse(error, call, f"{route.method} {route.path}")
        return _reply(route, result, call)

    def _read(self, route: Route, decoder: Any, path_values: dict[str, str], call: "_Call") -> Request[Any, Any]:
        content = raw_body(call.event)
        for value in path_values.values():
            # DynamoDB answers a key of more than 1 024 bytes with an error that looks like a bug of ours.
            if len(value) > MAX_PATH_VALUE or text_fault(value) is not None:
                raise errors.NOT_FOUND()
        caller = self._caller(route, call)
        file = call.media_type in route.files
        return Request(
            _caller=caller,
            _key=_request_key(route, call, content, caller),
            body=Nothing() if decoder is None or file else decode(decoder, content),
            query=decode_query(route.query, call.event),
            path=path_values,
            headers=call.headers,
            language=call.language,
            raw=content,
            file=file,
        )

    def _caller(self, route: Route, call: "_Call") -> Caller | None:
        if route.auth is None:
            return None
        caller = self._callers().identify(call.headers.get("authorization"))
        if route.auth == "member" and caller.kind != "member":
            raise edge_errors.NOT_A_MEMBER()
        if route.auth == "key" and caller.kind != "key":
            raise edge_errors.NOT_A_KEY()
        if route.scope is not None and caller.kind == "key":
            require(caller, route.scope)
        return caller


class _Call:
    """One event of API Gateway. Header names are lower-case."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.event = event
        self.headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}

    @property
    def language(self) -> str:
        """`en` or `zh`: the first of Accept-Language."""
        first = self.headers.get("accept-language", "").split(",", 1)[0].strip().lower()
        return "en" if first.startswith("en") else "zh"

    @property
    def media_type(self) -> str:
        """Content-Type without its parameters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def trace_id(self) -> str:
        return str(self.event["requestContext"].get("requestId", ""))

    @property
    def wants_envelope(self) -> bool:
        """Whether the client asked for `{"code":0,"data":...}` around every answer."""
        return ENVELOPE in self.headers.get("accept", "")


def _request_key(route: Route, call: _Call, content: bytes, caller: Caller | None) -> RequestKey | None:
    if not route.idempotent:
        return None
    given = call.headers.get("idempotency-key")
    if given is None:
        raise edge_errors.IDEMPOTENCY_KEY_MISSING()
    if not _IDEMPOTENCY_KEY.match(given):
        raise edge_errors.HEADER_INVALID(header="Idempotency-Key")
    return RequestKey(
        id=derived_id("req", caller.id if caller else "", route.method, call.event["path"], given),
        fingerprint=hashlib.sha256(content).hexdigest(),
    )


def _reply(route: Route, result: Any, call: _Call) -> Response[str]:
    answer = result if isinstance(result, Answer) else Answer(result)
    headers = dict(answer.headers)
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    text = answer.body
    if isinstance(answer.body, msgspec.Struct):
        text = msgspec.json.encode(answer.body).decode()
        if call.wants_envelope:
            text = f'{{"code":0,"data":{text},"msg":"ok","trace_id":"{call.trace_id}"}}'
    return Response(answer.status or route.status, answer.content_type, text, headers=headers)


def _refuse(error: errors.CardstockError, call: _Call, route: str) -> Response[str]:
    problem = problems.problem_of(error, language=call.language, trace_id=call.trace_id)
    status: int = problem["status"]
    # The only line about a refusal; the route is the declared one, so no id, name or query of the request is in it.
    logger.info("refused", trace_id=call.trace_id, code=error.code, status=status, route=route)
    count(f"Refused{status}")
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if call.wants_envelope:
        wrapped = {"code": error.code, "data": problem, "msg": problem["detail"], "trace_id": call.trace_id}
        return Response(status, JSON, msgspec.json.encode(wrapped).decode(), headers=headers)
    return Response(status, PROBLEM, msgspec.json.encode(problem).decode(), headers=headers)
