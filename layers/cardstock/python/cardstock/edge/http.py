"""The HTTP edge: from API Gateway's event (payload 1.0) to a typed request, and from an answer or a refusal back.

An `Api` declares its routes with their types, caller, scope and codes; the same declaration serves the calls and
generates the OpenAPI document. `bodies` reads what clients send, `problems` makes refusals into documents.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError

from cardstock import errors
from cardstock.edge import errors as edge_errors
from cardstock.edge import problems
from cardstock.edge.bodies import (
    clean_json,
    clean_text,
    decode_clean,
    decode_query,
    meaning_of,
    pointers_about,
    raw_body,
)
from cardstock.edge.callers import STAFF, Caller, Callers, require, require_own_page
from cardstock.edge.first_answers import Answers, FirstAnswer, FirstAnswers
from cardstock.edge.headers import LISTS, language_of, prefers, sent
from cardstock.edge.limits import count_use
from cardstock.edge.observability import count, flush, logger
from cardstock.edge.staff_record import StaffRecord, action_of
from cardstock.ids import RequestKey, StoredAnswer, canonical, derived_id, fingerprint_of
from cardstock.limits import Counts, CountUse, Limit, Use

MAX_PATH_VALUE: Final = 200
_SET_COOKIE: Final = "Set-Cookie"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
ENVELOPE: Final = "application/vnd.cardstock.envelope+json"

SAID: Final = r"\S"
"""Pattern of a text that is not blank."""
LINE: Final = r"^[^\r\n]*\S[^\r\n]*\Z"
r"""Pattern of a text on one line that is not blank. `\Z` is the very end; `$` would let a line end follow."""
OPTIONAL_LINE: Final = r"^[^\r\n]*\Z"
"""Pattern of a text on one line, or none."""

IDEMPOTENCY_KEY: Final = "^[!-~]{1,128}$"
"""Pattern of the header Idempotency-Key, as the API document has it."""

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
    _count: CountUse | None = None
    api: str = ""
    """The id of the API that was called."""
    address: str = ""
    """The network address of the client, as the gateway saw it."""

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

    @property
    def count(self) -> CountUse:
        """Counts one use of the route's limit for the caller; for the verb. Only for routes that declare `limit`."""
        if self._count is None:
            raise LookupError("the route declares no limit")
        return self._count


class Answer(msgspec.Struct, frozen=True):
    """An answer with more than a body: `body` is a `Model`, text or bytes (then `content_type` says what)."""

    body: Any
    status: int | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    content_type: str = JSON
    replayed: bool = False
    cookies: tuple[str, ...] = ()
    """Values of `Set-Cookie`, each sent as a header of its own."""


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
    first_answer: FirstAnswer
    codes: tuple[errors.Refusal, ...]
    limit: Limit | None
    concerns: Callable[[Any, frozenset[str]], bool] | None
    raw: bool
    files: tuple[str, ...]
    summary: str
    description: str


_WRONG_CALLER: Final = {
    "member": [edge_errors.NOT_A_MEMBER],
    "key": [edge_errors.NOT_A_KEY],
    "session": [edge_errors.NOT_IN_CONSOLE],
    "any": [],
}


def refusals_of(route: Route) -> tuple[errors.Refusal, ...]:
    """Every refusal that a route may answer: its own, and those that follow from its declaration."""
    found = [*route.codes, errors.QUERY_INVALID]  # every route refuses parameters that it does not declare
    if route.auth:
        found += [
            edge_errors.CREDENTIALS_MISSING,
            errors.TOKEN_INVALID,
            errors.TOKEN_EXPIRED,
            edge_errors.KEY_INVALID,
        ]
        found += _WRONG_CALLER[route.auth]
        if route.auth != "member":
            found.append(edge_errors.STAFF_SESSION_OVER)
            if route.method != "GET":
                found.append(edge_errors.ORIGIN_REFUSED)
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
    if route.limit:
        found.append(errors.TOO_MANY)
    if route.concerns not in (None, nobody):
        found.append(edge_errors.OWN_MEMBER)
    return tuple(dict.fromkeys([*found, edge_errors.BODY_TOO_LARGE, errors.STORE_BUSY, errors.STORE_UNAVAILABLE]))


def nobody(_request: Request[Any, Any], _own: frozenset[str]) -> bool:
    """`concerns` of a route that names no member and no thing of one."""
    return False


class Api:
    """The routes of one function. `callers` is asked only when a route needs a caller, `answers` when one stores its
    first answers, `server_keys` when one seals them, `counts` when one has a limit, `staff` when a person acts."""

    def __init__(
        self,
        name: str,
        *,
        callers: Callable[[], Callers],
        answers: Callable[[], Answers] | None = None,
        server_keys: Callable[[], Sequence[str]] | None = None,
        counts: Callable[[], Counts] | None = None,
        staff: Callable[[], StaffRecord] | None = None,
    ) -> None:
        self.name = name
        self.routes: list[Route] = []
        self._callers = callers
        self._answers = answers
        self._server_keys = server_keys
        self._counts = counts
        self._staff = staff
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
        first_answer: FirstAnswer = "own",
        codes: tuple[errors.Refusal, ...] = (),
        limit: Limit | None = None,
        concerns: Callable[[Any, frozenset[str]], bool] | None = None,
        raw: bool = False,
        files: tuple[str, ...] = (),
    ) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        """Declare `METHOD path` (`/v1/orders/{order_id}`), served by the decorated function.

        The function takes a `Request` and returns a `Model` or an `Answer`. `body` is a `Model` or a union of tagged
        ones; `auth` is `member`, `key` (a session of the console too), `session` (nothing else), `any` or None; `scope`
        is what a key or a session must hold; `first_answer` is how an `idempotent` route answers a repeat as it did
        first: by its `own` means, from a `stored` answer, or from a `sealed` one because it holds a secret (see
        `first_answers`); `codes` are the refusals it may answer beyond the common ones; `limit` is how often one caller
        may do it, counted where the verb calls `Request.count`; `concerns` says, of a route by which persons act,
        whether a request names one of some members, or a thing of one (`nobody`: it names none); `raw` leaves the body
        undecoded in `request.raw` (webhooks are verified on bytes); `files` are media types besides JSON, whose bodies
        stay undecoded there too.
        The docstring's first line is the summary, the rest the description.
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
                first_answer=first_answer,
                codes=codes,
                limit=limit,
                concerns=concerns,
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
        """The Lambda handler. HEAD is answered like GET: whoever speaks HTTP sends the length and no body."""
        logger.append_keys(request_id=event["requestContext"]["requestId"], api=self.name)
        if event["httpMethod"] == "HEAD":
            event = event | {"httpMethod": "GET"}
        try:
            answer: dict[str, Any] = self._resolver.resolve(event, context)
        finally:
            flush()
        # We send one value a header, and every gateway understands the plain form; cookies alone are several.
        several = answer.pop("multiValueHeaders", {})
        cookies = several.pop(_SET_COOKIE, [])
        answer["headers"] = sent({name: values[-1] for name, values in several.items()})
        if cookies:
            answer["multiValueHeaders"] = {_SET_COOKIE: cookies}
        return answer

    def _route_unknown(self, _: RouteNotFoundError) -> Response[str]:
        return _refuse(edge_errors.ROUTE_UNKNOWN(), _Call(self._resolver.current_event.raw_event), "unknown")

    def _serve(self, route: Route, decoder: Any, path_values: dict[str, str]) -> Response[str]:
        call = _Call(self._resolver.current_event.raw_event)
        try:
            return self._answer(route, self._read(route, decoder, path_values, call), call)
        except errors.CardstockError as error:
            if error.refusal not in refusals_of(route):
                logger.warning("undeclared refusal", code=error.code, route=f"{route.method} {route.path}")
            if error.refusal.header:
                error.pointers = (errors.Pointer(f"#header/{error.refusal.header}", error.code),)
            elif error.refusal.about and not error.pointers and route.body is not Nothing:
                error.pointers = pointers_about(error.refusal, call.event)
            return _refuse(error, call, f"{route.method} {route.path}")

    def _answer(self, route: Route, request: Request[Any, Any], call: "_Call") -> Response[str]:
        if route.first_answer == "own":
            return _reply(route, self._handle(route, request, call), call)
        if self._answers is None:
            raise LookupError("the function declares no store of first answers")
        server_keys: Sequence[str] = ()
        if route.first_answer == "sealed":
            if self._server_keys is None:
                raise LookupError("the function declares no keys that seal first answers")
            server_keys = self._server_keys()
        stored = FirstAnswers(self._answers(), request.key, request.headers["idempotency-key"], server_keys)
        earlier = stored.find()
        if earlier is not None:
            return _json_reply(earlier, {"Idempotent-Replayed": "true"}, call)
        result = self._handle(route, request, call)
        answer = result if isinstance(result, Answer) else Answer(result)
        text = msgspec.json.encode(answer.body).decode()
        kept, is_first = stored.keep(StoredAnswer(answer.status or route.status, text))
        headers = {} if is_first and not answer.replayed else {"Idempotent-Replayed": "true"}
        return _json_reply(kept, answer.headers | headers, call)

    def _handle(self, route: Route, request: Request[Any, Any], call: "_Call") -> Any:
        """What the handler gives. What a person of the staff does is put on record before, and is not done to the
        person's own member."""
        caller = request._caller
        if route.method == "GET" or route.auth not in ("key", "session", "any") or caller is None:
            return route.handler(request)
        if caller.owner != STAFF:
            return route.handler(request)
        if self._staff is None or route.concerns is None:
            raise LookupError("the route declares no record of the staff, or not whom it concerns")
        record = self._staff()
        if caller.own_members and route.concerns is not nobody:
            own = record.relatives_of(caller.own_members)
            if route.concerns(request, own):
                raise edge_errors.OWN_MEMBER()
        action = record.begin(
            action_of(f"{route.method} {route.path}", request.path, request.body, caller, call.trace_id)
        )
        try:
            result = route.handler(request)
        except errors.CardstockError:
            record.forget(caller.actor_on_record, action)
            raise
        if isinstance(result, Answer) and result.replayed:
            record.forget(caller.actor_on_record, action)  # the first run has its own
        return result

    def _read(self, route: Route, decoder: Any, path_values: dict[str, str], call: "_Call") -> Request[Any, Any]:
        content = raw_body(call.event)
        path = {name: _path_value(name, value) for name, value in path_values.items()}
        caller = self._caller(route, call)
        file = call.media_type in route.files
        if file:
            decoder = None
        request_id = _request_id(route, call, caller) if route.idempotent else ""
        clean = content if decoder is None else clean_json(content)
        body = Nothing() if decoder is None else decode_clean(decoder, clean)
        key = None
        if request_id:
            meaning = canonical(clean) if decoder is None else meaning_of(body)
            key = RequestKey(request_id, fingerprint_of(meaning), fingerprint_of(content))
        return Request(
            body=body,
            _caller=caller,
            _key=key,
            _count=self._count_of(route, caller),
            query=decode_query(route.query, call.event),
            path=path,
            headers=call.headers,
            language=call.language,
            raw=content,
            file=file,
            api=call.api,
            address=call.address,
        )

    def _count_of(self, route: Route, caller: Caller | None) -> CountUse | None:
        if route.limit is None or caller is None:
            return None
        if self._counts is None:
            raise LookupError("the function declares no counters of limits")
        use, counts = Use(route.limit, caller.actor), self._counts
        return lambda: count_use(use, counts=counts())

    def _caller(self, route: Route, call: "_Call") -> Caller | None:
        if route.auth is None:
            return None
        headers = call.headers
        caller = self._callers().identify(headers.get("authorization"), headers.get("cookie", ""), call.api)
        if route.auth == "member" and caller.kind != "member":
            raise edge_errors.NOT_A_MEMBER()
        if route.auth == "key" and caller.kind == "member":
            raise edge_errors.NOT_A_KEY()
        if route.auth == "session" and caller.kind != "session":
            raise edge_errors.NOT_IN_CONSOLE()
        if caller.kind == "session" and route.method != "GET":
            require_own_page(headers, call.media_type in (JSON, *route.files))
        if route.scope is not None and caller.kind != "member":
            require(caller, route.scope)
        return caller


class _Call:
    """One event of API Gateway. Header names are lower-case."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.event = event
        self.headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        for name, values in (event.get("multiValueHeaders") or {}).items():
            if len(values) > 1 and name.lower() in LISTS:
                self.headers[name.lower()] = ", ".join(values)

    @property
    def language(self) -> str:
        """`en` or `zh`, by Accept-Language."""
        return language_of(self.headers.get("accept-language", ""))

    @property
    def media_type(self) -> str:
        """Content-Type without its parameters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def api(self) -> str:
        """The id of the API that was called."""
        return str(self.event["requestContext"].get("apiId", ""))

    @property
    def address(self) -> str:
        """Never from a header, which anybody can send."""
        return str(self.event["requestContext"].get("identity", {}).get("sourceIp", ""))

    @property
    def trace_id(self) -> str:
        return str(self.event["requestContext"].get("requestId", ""))

    @property
    def wants_envelope(self) -> bool:
        """Whether the client asked for `{"code":0,"data":...}` around every answer."""
        return prefers(self.headers.get("accept", ""), ENVELOPE, JSON)


def _path_value(name: str, value: str) -> str:
    """A part of the path, its text normalised. Raises `NotFoundError` for what can be no key."""
    try:
        clean = clean_text(value, name)
    except ValueError as error:
        raise errors.NOT_FOUND() from error
    # DynamoDB answers a key of more than 1 024 bytes, or an empty one, with an error that looks like a bug of ours.
    if not 0 < len(clean) <= MAX_PATH_VALUE:
        raise errors.NOT_FOUND()
    return clean


def _request_id(route: Route, call: _Call, caller: Caller | None) -> str:
    """The id of a call of an idempotent route. Raises `InvalidError` without an Idempotency-Key."""
    given = call.headers.get("idempotency-key")
    if given is None:
        raise edge_errors.IDEMPOTENCY_KEY_MISSING()
    if not re.fullmatch(IDEMPOTENCY_KEY[1:-1], given):
        from cardstock.edge.faults import fault_in_header

        found = fault_in_header("Idempotency-Key", IDEMPOTENCY_KEY)
        raise edge_errors.HEADER_INVALID(header="Idempotency-Key", pointers=(found,))
    return derived_id("req", caller.id if caller else "", route.method, call.event["path"], given)


def _reply(route: Route, result: Any, call: _Call) -> Response[str]:
    answer = result if isinstance(result, Answer) else Answer(result)
    headers: dict[str, Any] = dict(answer.headers)
    if answer.cookies:
        headers[_SET_COOKIE] = list(answer.cookies)
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    status = answer.status or route.status
    if isinstance(answer.body, msgspec.Struct):
        return _json_reply(StoredAnswer(status, msgspec.json.encode(answer.body).decode()), headers, call)
    return Response(status, answer.content_type, answer.body, headers=headers)


def _json_reply(answer: StoredAnswer, headers: dict[str, Any], call: _Call) -> Response[str]:
    text = answer.body
    if call.wants_envelope:
        text = f'{{"code":0,"data":{text},"msg":"ok","trace_id":"{call.trace_id}"}}'
    return Response(answer.status, JSON, text, headers=headers)


def _refuse(error: errors.CardstockError, call: _Call, route: str) -> Response[str]:
    problem = problems.problem_of(error, language=call.language, trace_id=call.trace_id)
    status: int = problem["status"]
    # The only line about a refusal; the route is the declared one, so no id, name or query of the request is in it.
    logger.info("refused", trace_id=call.trace_id, code=error.code, status=status, route=route)
    count(f"Refused{status}")
    if error.refusal.alarm:
        logger.error("to be repaired", trace_id=call.trace_id, code=error.code, cause=str(error.__cause__ or ""))
        count(error.refusal.alarm)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if "retry_after" in error.facts:
        headers["Retry-After"] = str(error.facts["retry_after"])
    if call.wants_envelope:
        wrapped = {"code": error.code, "data": problem, "msg": problem["detail"], "trace_id": call.trace_id}
        return Response(status, JSON, msgspec.json.encode(wrapped).decode(), headers=headers)
    return Response(status, PROBLEM, msgspec.json.encode(problem).decode(), headers=headers)
