"""The HTTP edge, alone: what clients may send, and what they get."""

import base64
import json
from typing import Annotated, Any

import pytest
from msgspec import Meta
from msgspec.structs import replace

from cardstock.edge.callers import Callers
from cardstock.edge.http import Answer, Api, Model, Nothing, Request
from cardstock.edge.tokens import Signer
from cardstock.errors import NOT_FOUND, throttled, unavailable
from cardstock.signing import ACCESS

TOO_OFTEN = throttled("TOO_OFTEN", zh="请在 {retry_after} 秒后重试。", en="Try again in {retry_after} seconds.")
TO_BE_REPAIRED = replace(unavailable("TO_BE_REPAIRED", zh="暂时不可用。", en="Unavailable."), alarm="ToBeRepaired")


class Line(Model):
    sku: Annotated[str, Meta(max_length=8)]
    units: Annotated[int, Meta(ge=1, le=999)]


class Cart(Model):
    lines: list[Line]


class Page(Model):
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class Counted(Model):
    units: int
    limit: int = 0
    caller: str = ""


class Context:
    aws_request_id = "req"
    function_name = "f"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:x:1:function:f"


SIGNER = Signer(keys=lambda: ["newest", "older"])


def no_key(_: str) -> None:
    return None


@pytest.fixture
def api() -> Api:
    api = Api("test", callers=lambda: Callers(signer=SIGNER, find_key=no_key, admin_key=lambda: "r"))

    @api.post("/v1/carts", body=Cart, query=Page, answer=Counted, status=201)
    def count(request: Request[Cart, Page]) -> Counted:
        """Count."""
        return Counted(sum(line.units for line in request.body.lines), request.query.limit)

    @api.post("/v1/mine", answer=Counted, auth="member", idempotent=True)
    def mine(request: Request[Nothing, Nothing]) -> Answer:
        """Mine."""
        return Answer(Counted(1, caller=request.caller.id), replayed=True)

    @api.get("/v1/stock/{sku}", answer=Counted)
    def stock(request: Request[Nothing, Nothing]) -> Counted:
        """Refuse."""
        raise NOT_FOUND(sku=request.path["sku"])

    @api.get("/v1/often", codes=(TOO_OFTEN,))
    def often(_: Request[Nothing, Nothing]) -> Nothing:
        """Refuse for now."""
        raise TOO_OFTEN(retry_after=17)

    @api.get("/v1/broken", codes=(TO_BE_REPAIRED,))
    def broken(_: Request[Nothing, Nothing]) -> Nothing:
        """Refuse until people repair it."""
        raise TO_BE_REPAIRED() from RuntimeError("the address is not on the list")

    return api


def call(
    api: Api,
    method: str,
    path: str,
    body: str | bytes = "",
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
) -> tuple[int, Any, dict[str, Any]]:
    raw = isinstance(body, bytes)
    event = {
        "version": "1.0",
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers or {},
        "multiValueHeaders": {},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"requestId": "trace-1", "stage": "$default", "path": path, "identity": {}},
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": raw,
    }
    answer = api.handler(event, Context())
    content = json.loads(answer["body"]) if answer["body"] else None
    return answer["statusCode"], content, answer


def test_a_good_body_is_typed_and_answered(api: Api) -> None:
    status, content, answer = call(api, "POST", "/v1/carts", '{"lines":[{"sku":"a","units":3}]}', query={"limit": "7"})

    assert status == 201
    assert content == {"units": 3, "limit": 7, "caller": ""}
    assert answer["headers"] == {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ('{"lines":[{"sku":"a","units":"3"}]}', "/lines/0/units", "WRONG_TYPE"),
        ('{"lines":[{"sku":"a","units":1.0}]}', "/lines/0/units", "WRONG_TYPE"),
        ('{"lines":[{"sku":"a","units":true}]}', "/lines/0/units", "WRONG_TYPE"),
        ('{"lines":[{"sku":"a","units":1000}]}', "/lines/0/units", "OUT_OF_RANGE"),
        ('{"lines":[{"sku":"a","units":1,"price":1}]}', "/lines/0/price", "UNKNOWN_FIELD"),
        ('{"lines":[{"units":1}]}', "/lines/0", "MISSING"),
        ('{"lines":[{"sku":"a\\u0000","units":1}]}', "/lines/0/sku", "TEXT_CONTROL_CHARACTER"),
        ('{"a~/b":[{"\\u0000":1}]}', "/a~0~1b/0", "TEXT_CONTROL_CHARACTER"),
        ('{"a~/b":1,"lines":[]}', "/a~0~1b", "UNKNOWN_FIELD"),
        ("", "", "JSON"),
        ("{", "", "JSON"),
        ("[" * 100_000, "", None),
        ('{"a":' * 40_000, "", None),
        ('{"lines":[{"sku":"a","units":' + "9" * 5_000 + "}]}", "", None),
        ('{"lines":[{"sku":"\\ud800","units":1}]}', "", None),
    ],
)
def test_a_bad_body_is_a_400_that_names_the_field(api: Api, body: str, pointer: str, code: str | None) -> None:
    status, content, answer = call(api, "POST", "/v1/carts", body)

    assert status == 400
    assert content["code"] == "BODY_INVALID"
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    if code is not None:
        assert [(one["pointer"], one["code"]) for one in content["errors"]] == [(pointer, code)]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\x00", b'{"lines":[{"sku":"\xed\xa0\x80","units":1}]}'])
def test_bytes_that_are_no_text_are_a_400(api: Api, body: bytes) -> None:
    status, content, _ = call(api, "POST", "/v1/carts", body)

    assert status == 400
    assert content["trace_id"] == "trace-1"


def test_wrong_base64_is_a_400(api: Api) -> None:
    event_status, content, _ = call(api, "POST", "/v1/carts", b"")
    assert event_status == 400
    event = {
        "path": "/v1/carts",
        "httpMethod": "POST",
        "headers": {},
        "requestContext": {"requestId": "t", "stage": "$default", "path": "/v1/carts"},
        "body": "***",
        "isBase64Encoded": True,
    }

    answer = api.handler(event, Context())

    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["errors"][0]["code"] == "ENCODING"
    assert content["code"] == "BODY_INVALID"


def test_a_large_body_is_refused_before_it_is_parsed(api: Api) -> None:
    status, content, _ = call(api, "POST", "/v1/carts", "[" * 300_000)

    assert (status, content["code"]) == (413, "BODY_TOO_LARGE")


def test_a_wrong_query_names_the_parameter(api: Api) -> None:
    status, content, _ = call(api, "POST", "/v1/carts", '{"lines":[]}', query={"limit": "101"})

    assert status == 400
    assert content["errors"] == [
        {"pointer": "#query/limit", "code": "OUT_OF_RANGE", "detail": "应为：不大于 100。", "max": 100}
    ]
    assert content["detail"] == "查询参数不正确。limit：应为：不大于 100。"


@pytest.mark.parametrize(
    ("value", "code"),
    [("\x00", "TEXT_CONTROL_CHARACTER"), ("\u202ex", "WRONG_TYPE"), ("", "WRONG_TYPE")],
)
def test_a_query_that_is_no_fit_text_names_the_parameter(api: Api, value: str, code: str) -> None:
    status, content, _ = call(api, "POST", "/v1/carts", '{"lines":[]}', query={"limit": value})

    assert (status, content["code"]) == (400, "QUERY_INVALID")
    assert [(one["pointer"], one["code"]) for one in content["errors"]] == [("#query/limit", code)]


def test_the_caller_comes_from_the_token_alone(api: Api) -> None:
    token = SIGNER.sign(ACCESS, {"sub": "mem_1"})

    status, content, answer = call(
        api, "POST", "/v1/mine", headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    )

    assert (status, content["caller"]) == (200, "mem_1")
    assert answer["headers"]["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "CREDENTIALS_MISSING"),
        ("Basic x", "TOKEN_INVALID"),
        ("Bearer garbage", "TOKEN_INVALID"),
        ("Bearer " + SIGNER.sign("quote", {"sub": "mem_1"}), "TOKEN_INVALID"),
        ("Bearer csk_root_wrong", "KEY_INVALID"),
        ("Bearer csk_unknown_x", "KEY_INVALID"),
    ],
)
def test_forged_credentials_are_a_401(api: Api, authorization: str | None, code: str) -> None:
    headers = {"Idempotency-Key": "k"} | ({"Authorization": authorization} if authorization else {})

    status, content, _ = call(api, "POST", "/v1/mine", headers=headers)

    assert (status, content["code"]) == (401, code)


def test_one_idempotency_key_is_another_request_for_another_member_or_another_path() -> None:
    callers = Callers(signer=SIGNER, find_key=no_key, admin_key=lambda: "r")
    api = Api("test", callers=lambda: callers)
    seen: list[str] = []

    def keep(request: Request[Nothing, Nothing]) -> Counted:
        """Keep."""
        seen.append(request.key.id)
        return Counted(1)

    for path in ("/v1/mine", "/v1/other"):
        api.post(path, answer=Counted, auth="member", idempotent=True)(keep)
        for member in ("mem_a", "mem_a", "mem_b"):
            token = SIGNER.sign(ACCESS, {"sub": member})
            call(api, "POST", path, headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "k"})

    assert (len(seen), len(set(seen))) == (6, 4)
    assert (seen[0], seen[3]) == (seen[1], seen[4])


@pytest.mark.parametrize("key", ["x" * 129, "two words", "茶"])
def test_a_malformed_idempotency_key_is_refused_with_the_form_that_is_demanded(api: Api, key: str) -> None:
    token = SIGNER.sign(ACCESS, {"sub": "mem_01"})
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Accept-Language": "en"}
    status, content, _ = call(api, "POST", "/v1/mine", headers=headers)

    assert (status, content["code"]) == (400, "HEADER_INVALID")
    assert content["detail"] == (
        "The header Idempotency-Key is not valid. Must be at most 128 visible ASCII characters."
    )
    assert content["errors"] == [
        {
            "pointer": "#header/Idempotency-Key", "code": "OUT_OF_RANGE",
            "detail": "Must be at most 128 visible ASCII characters.",
            "pattern": "at most 128 visible ASCII characters",
        }
    ]  # fmt: skip


def test_a_missing_idempotency_key_is_told(api: Api) -> None:
    token = SIGNER.sign(ACCESS, {"sub": "mem_1"})

    status, content, _ = call(api, "POST", "/v1/mine", headers={"Authorization": f"Bearer {token}"})

    assert (status, content["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")


def test_the_refusal_speaks_the_clients_language(api: Api) -> None:
    _, chinese, _ = call(api, "GET", "/v1/stock/a")
    _, english, _ = call(api, "GET", "/v1/stock/a", headers={"Accept-Language": "en-GB"})

    assert chinese["detail"] == "没有找到。"
    assert english["detail"] == "Not found."
    assert english["facts"] == {"sku": "a"}


def test_a_refusal_for_a_while_says_how_long_in_text_facts_and_header(api: Api) -> None:
    status, content, answer = call(api, "GET", "/v1/often", headers={"Accept-Language": "en"})

    assert (status, content["detail"], content["retryable"]) == (429, "Try again in 17 seconds.", True)
    assert content["facts"] == {"retry_after": 17}
    assert answer["headers"]["Retry-After"] == "17"


def test_what_people_must_repair_is_logged_with_its_cause_and_counted(
    api: Api, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    status, content, _ = call(api, "GET", "/v1/broken", headers={"Accept-Language": "en"})
    said = capsys.readouterr().out

    assert (status, content["detail"]) == (503, "Unavailable.")
    assert "facts" not in content
    assert '"ToBeRepaired":[1.0]' in said.replace(" ", "")
    assert "the address is not on the list" in [vars(record).get("cause") for record in caplog.records]
    assert "not on the list" not in json.dumps(content)


def test_an_envelope_is_given_to_those_who_ask(api: Api) -> None:
    accept = {"Accept": "application/vnd.cardstock.envelope+json"}

    _, good, _ = call(api, "POST", "/v1/carts", '{"lines":[]}', headers=accept)
    _, bad, _ = call(api, "POST", "/v1/carts", "{}", headers=accept)

    assert good == {"code": 0, "data": {"units": 0, "limit": 20, "caller": ""}, "msg": "ok", "trace_id": "trace-1"}
    assert bad["code"] == "BODY_INVALID"


def test_an_unknown_route_is_a_problem_in_the_clients_language(api: Api) -> None:
    status, content, _ = call(api, "GET", "/v1/nothing", headers={"Accept-Language": "en"})

    assert (status, content["code"]) == (404, "ROUTE_UNKNOWN")
    assert (content["detail"], content["trace_id"]) == ("There is no such endpoint.", "trace-1")
