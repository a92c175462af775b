"""The local HTTP API: the event it makes and the answers it gives, without a network."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.clock import ShiftedClock
from infra.local.gateway import Gateway
from infra.local.invoke import FunctionError
from infra.local.template import Function, Place, Route, Template

ROUTES = (
    Route("GET", "/v1/things/{thing_id}"),
    Route("POST", "/v1/things"),
    Route("GET", "/v1/things/newest"),
    Route("POST", "/v1/events:batch"),
    Route("ANY", "/v1/any"),
)


class Functions:
    """Answers what it is told to, and keeps the events."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = {"statusCode": 200, "body": "ok"} if answer is None else answer
        self.events: list[dict[str, Any]] = []

    def invoke(self, function: Function, event: Any, *, request_id: str | None = None) -> Any:
        self.events.append(event)
        if isinstance(self.answer, FunctionError):
            raise self.answer
        return self.answer

    def close(self) -> None:
        """Nothing is held."""


def gateway(functions: Functions, clock: ShiftedClock | None = None) -> Gateway:
    function = Function(
        "Api", "api", "functions/api", "functions.api.app", "handler", 3, 128, {}, ROUTES, (), (), "arn"
    )
    template = Template(Place(), ("api",), (), (function,), (), (), (), (), (), (), {})
    return Gateway(template, functions, report=lambda _: None, clock=clock, clock_header="Shop-Time")


def test_every_answer_has_the_moved_clocks_time_and_none_where_it_was_not_moved() -> None:
    clock = ShiftedClock()
    front = gateway(Functions(), clock)
    unmoved = front.request("POST", "/v1/things", body="{}")
    clock.move_by(timedelta(days=1))
    answers = [front.request("POST", path, body="{}") for path in ("/v1/things", "/v1/no-such-thing")]

    assert "shop-time" not in unmoved.headers
    assert [answer.status for answer in answers] == [200, 404]
    for answer in answers:
        told = datetime.fromisoformat(answer.headers["shop-time"])
        assert abs(told - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)


def test_the_event_has_every_field_of_payload_format_1_0() -> None:
    functions = Functions()
    gateway(functions).request(
        "GET", "/v1/things/a%2Fb%20%E8%8C%B6?x=1&x=2&y=", headers={"User-Agent": "phone", "Accept-Language": "en"}
    )
    event = functions.events[0]

    assert sorted(event) == [
        "body", "headers", "httpMethod", "isBase64Encoded", "multiValueHeaders", "multiValueQueryStringParameters",
        "path", "pathParameters", "queryStringParameters", "requestContext", "resource", "stageVariables", "version",
    ]  # fmt: skip
    assert event["pathParameters"] == {"thing_id": "a/b 茶"}
    assert event["path"] == "/v1/things/a/b 茶"
    assert event["resource"] == "/v1/things/{thing_id}"
    assert event["queryStringParameters"] == {"x": "2", "y": ""}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert event["headers"]["accept-language"] == "en"
    assert (event["body"], event["isBase64Encoded"]) == (None, False)
    context = event["requestContext"]
    assert (context["httpMethod"], context["stage"], context["protocol"]) == ("GET", "$default", "HTTP/1.1")
    assert context["resourcePath"] == "/v1/things/{thing_id}"
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["identity"]["userAgent"] == "phone"
    assert len(context["requestId"]) == 36
    assert context["requestTimeEpoch"] > 1_700_000_000_000


def test_an_event_without_query_and_parameters_says_null() -> None:
    functions = Functions()
    gateway(functions).request("POST", "/v1/things", body="{}")
    event = functions.events[0]

    assert event["queryStringParameters"] is event["multiValueQueryStringParameters"] is event["pathParameters"] is None


@pytest.mark.parametrize(
    ("content_type", "body", "text", "encoded"),
    [
        ("application/json", b'{"a":"\xe8\x8c\xb6"}', '{"a":"茶"}', False),
        ("application/cloudevents+json; charset=utf-8", b"{}", "{}", False),
        ("text/csv", b"a,b", "a,b", False),
        ("", b"{}", "{}", False),
        ("application/json", b"\xff\xfe", "//4=", True),
        ("application/octet-stream", b"abc", "YWJj", True),
        ("application/x-www-form-urlencoded", b"a=1", "YT0x", True),
        ("multipart/form-data; boundary=x", b"--x--", "LS14LS0=", True),
    ],
)
def test_any_content_reaches_the_function_whole(content_type: str, body: bytes, text: str, encoded: bool) -> None:
    functions = Functions()
    gateway(functions).request("POST", "/v1/things", headers={"content-type": content_type}, body=body)
    event = functions.events[0]

    assert (event["body"], event["isBase64Encoded"]) == (text, encoded)


def test_head_has_the_length_of_the_body_and_no_body() -> None:
    front = gateway(Functions({"statusCode": 200, "body": "茶", "headers": {"ETag": '"1"'}}))
    get, head = (front.request(method, "/v1/any") for method in ("GET", "HEAD"))

    assert (get.status, get.body) == (200, "茶".encode())
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == "3"
    assert head.headers["etag"] == '"1"'


@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        ("GET", "/v1/things/newest", "/v1/things/newest"),
        ("GET", "/v1/things/oldest", "/v1/things/{thing_id}"),
        ("POST", "/v1/events:batch", "/v1/events:batch"),
        ("DELETE", "/v1/any", "/v1/any"),
    ],
)
def test_the_most_literal_route_is_taken(method: str, path: str, resource: str) -> None:
    functions = Functions()
    gateway(functions).request(method, path)

    assert functions.events[0]["resource"] == resource


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/things/"), ("GET", "/v1/nothing"), ("PUT", "/v1/things"), ("OPTIONS", "/v1/things"), ("GET", "//")],
)
def test_what_no_route_serves_is_not_found(method: str, path: str) -> None:
    functions = Functions()
    answer = gateway(functions).request(method, path, headers={"authorization": "Bearer x"})

    assert (answer.status, answer.json()) == (404, {"message": "Not Found"})
    assert functions.events == []


def test_more_than_ten_megabytes_are_refused_before_the_function() -> None:
    functions = Functions()
    answer = gateway(functions).request("POST", "/v1/things", body=b"x" * (10 * 1024 * 1024 + 1))

    assert (answer.status, functions.events) == (413, [])


def test_the_answer_is_the_functions_own() -> None:
    picture = base64.b64encode(b"\x89PNG").decode()
    answer = gateway(
        Functions(
            {
                "statusCode": 201,
                "headers": {"Content-Type": "image/png", "X-One": "1"},
                "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
                "body": picture,
                "isBase64Encoded": True,
            }
        )
    ).request("GET", "/v1/any")

    assert (answer.status, answer.body) == (201, b"\x89PNG")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-one"] == "1"
    assert answer.headers["set-cookie"] == "a=1, b=2"


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (FunctionError("api", "ValueError", "no"), 500),
        (FunctionError("api", "Sandbox.Timedout", "late"), 503),
        ("no mapping", 500),
        ({"body": "no status"}, 500),
        ({"statusCode": 200, "headers": {"x": "a\r\nset-cookie: b"}}, 500),
    ],
)
def test_a_function_that_fails_is_a_server_error_without_details(told: Any, status: int) -> None:
    answer = gateway(Functions(told)).request("GET", "/v1/any")

    assert answer.status == status
    assert set(answer.json()) == {"message"}


def test_pages_of_the_runtime_come_after_the_templates_routes() -> None:
    made = gateway(Functions())
    made.pages["/"] = lambda _query, language: ("text/html", f"home {language}".encode())
    made.pages["/v1/any"] = lambda _query, _language: ("text/html", b"never")

    made.actions["/later"] = lambda form, _language: ("text/html", form["days"].encode())

    assert made.request("GET", "/").body == b"home zh"
    assert made.request("GET", "/", headers={"Accept-Language": "en-GB,en"}).body == b"home en"
    assert made.request("POST", "/").status == 404
    assert made.request("GET", "/later?days=3").status == 404
    assert made.request("POST", "/later", body="days=3").body == b"3"
    for foreign in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
    ):
        assert made.request("POST", "/later", body="days=3", headers=foreign).status == 403
    assert made.request("GET", "/v1/any").body == b"ok"
