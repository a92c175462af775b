"""The model gateway against servers that answer, fail, stall and lie."""

import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from cardstock.platforms.chat_completions import (
    FAILURES_TO_OPEN,
    MAX_ANSWER_BYTES,
    MAX_AT_ONCE,
    OPEN_SECONDS,
    Budget,
    ChatCompletions,
    Usage,
)
from tests.people.model_server import ModelServer

TASK = "task"
DEFLATED = {"content-encoding": "deflate"}


def completion(content: object, **usage: object) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": content}}], "usage": usage}


class Gateway:
    """A gateway to a server in a function, with its usage records and a clock to move."""

    def __init__(self, serve: Callable[[httpx.Request], httpx.Response], *, seconds: float = 5.0) -> None:
        self.usage: list[Usage] = []
        self.seen: list[httpx.Request] = []
        self.time = 0.0

        def served(request: httpx.Request) -> httpx.Response:
            self.seen.append(request)
            return serve(request)

        self.gateway = ChatCompletions(
            base_url="https://models.example/v1/",
            model="qwen3",
            api_key="secret-key",
            record=self.usage.append,
            budgets={TASK: Budget(seconds, 100, 50)},
            transport=httpx.MockTransport(served),
            now=lambda: self.time,
        )

    def ask(self, material: str = "data", accept: Callable[[str], Any] = json.loads) -> Any:
        return self.gateway.ask(TASK, "instruction", material, accept)

    @property
    def outcomes(self) -> list[str]:
        return [usage.outcome for usage in self.usage]


def says(content: object, **usage: object) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(200, json=completion(content, **usage))


def status(code: int) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(code, json=completion("{}"), headers={"location": "https://evil.example/"})


def raises(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def serve(_: httpx.Request) -> httpx.Response:
        raise error

    return serve


def test_an_accepted_answer_comes_back_with_its_usage() -> None:
    gateway = Gateway(says('{"a":1}', prompt_tokens=12, completion_tokens=5))

    assert gateway.ask() == {"a": 1}
    assert gateway.usage == [Usage(TASK, "qwen3", "ok", 0, 12, 5)]


def test_the_request_is_a_chat_completion_within_the_budget() -> None:
    gateway = Gateway(says("{}"))

    gateway.ask("the data")

    request = gateway.seen[0]
    assert (request.method, str(request.url)) == ("POST", "https://models.example/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer secret-key"
    assert json.loads(request.content) == {
        "model": "qwen3",
        "messages": [{"role": "system", "content": "instruction"}, {"role": "user", "content": "the data"}],
        "max_tokens": 50,
        "temperature": 0,
        "stream": False,
        "response_format": {"type": "json_object"},
    }


def test_a_real_server_reads_chinese_as_it_was_sent_and_is_read_as_it_answers() -> None:
    server = ModelServer('{"文案": "给王小明的茶 🫖"}')
    gateway = Gateway(server.transport.handler)  # type: ignore[arg-type]  # a plain function, as MockTransport has it

    assert gateway.ask("欧阳娜娜 & 百分号%2B") == {"文案": "给王小明的茶 🫖"}
    assert [(message.role, message.content) for message in server.heard[0].messages] == [
        ("system", "instruction"),
        ("user", "欧阳娜娜 & 百分号%2B"),
    ]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json; charset=gbk"}, 400),
    ],
)
def test_a_real_server_reads_utf_8_json_and_nothing_else(changed: dict[str, str], status: int) -> None:
    raw = '{"model": "模型"}'.encode("gbk")

    assert ModelServer().answer("POST", "/v1/chat/completions", changed, raw)[0] == status


def test_a_prompt_over_the_budget_is_not_sent() -> None:
    gateway = Gateway(says("{}"))

    assert gateway.ask("长" * 101) is None
    assert (gateway.outcomes, gateway.seen) == (["over_budget"], [])


@pytest.mark.parametrize(
    ("serve", "outcome"),
    [
        (status(500), "http_500"),
        (status(429), "http_429"),
        (status(401), "http_401"),
        (status(302), "http_302"),
        (raises(httpx.ConnectError("refused")), "unreachable"),
        (raises(httpx.ReadTimeout("slow")), "timeout"),
        (raises(httpx.RemoteProtocolError("garbage")), "unreachable"),
        (raises(OSError("broken")), "unreachable"),
        (lambda _: httpx.Response(200, content=b"<html>"), "malformed"),
        (lambda _: httpx.Response(200, content=b""), "malformed"),
        (lambda _: httpx.Response(200, content=b"\xff\xfe"), "malformed"),
        (lambda _: httpx.Response(200, content=b"[" * 60_000), "malformed"),
        (lambda _: httpx.Response(200, json=[]), "malformed"),
        (lambda _: httpx.Response(200, json={"choices": []}), "malformed"),
        (lambda _: httpx.Response(200, json={"choices": [{"message": None}]}), "malformed"),
        (lambda _: httpx.Response(200, content=zlib.compress(b"[" * 10**7), headers=DEFLATED), "malformed"),
        (says(None), "malformed"),
        (says({"a": 1}), "malformed"),
        (says("x" * MAX_ANSWER_BYTES), "too_large"),
        (says("not json"), "refused"),
    ],
)
def test_a_failing_or_lying_server_gives_no_answer_and_one_record(
    serve: Callable[[httpx.Request], httpx.Response], outcome: str
) -> None:
    gateway = Gateway(serve)

    assert gateway.ask() is None
    assert gateway.outcomes == [outcome]
    assert len(gateway.seen) == 1


def test_a_refused_answer_was_paid_for_and_says_so() -> None:
    gateway = Gateway(says("not json", prompt_tokens=12, completion_tokens=5))

    gateway.ask()

    assert (gateway.usage[0].prompt_tokens, gateway.usage[0].answer_tokens) == (12, 5)


@pytest.mark.parametrize("tokens", [-1, True, 1.5, "9", None, 10**40, {}])
def test_impossible_token_counts_are_recorded_as_none(tokens: object) -> None:
    gateway = Gateway(says("{}", prompt_tokens=tokens, completion_tokens=tokens))

    assert gateway.ask() == {}
    assert (gateway.usage[0].prompt_tokens, gateway.usage[0].answer_tokens) == (0, 0)


def test_a_defect_in_the_task_is_not_hidden() -> None:
    gateway = Gateway(says("{}"))

    with pytest.raises(KeyError):
        gateway.ask(accept=lambda text: {"known": 1}[text])


def test_a_server_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    gateway = Gateway(status(500))

    for _ in range(FAILURES_TO_OPEN + 2):
        gateway.ask()

    assert gateway.outcomes == ["http_500"] * FAILURES_TO_OPEN + ["open"] * 2
    assert len(gateway.seen) == FAILURES_TO_OPEN


def test_after_the_pause_one_call_tries_and_a_good_answer_closes_the_breaker() -> None:
    answers = iter([500, 500, 500, 500, 200, 200])
    gateway = Gateway(lambda _: httpx.Response(next(answers), json=completion("{}")))
    for _ in range(FAILURES_TO_OPEN):
        gateway.ask()

    gateway.time += OPEN_SECONDS
    gateway.ask()
    gateway.ask()
    gateway.time += OPEN_SECONDS
    gateway.ask()
    gateway.ask()

    assert gateway.outcomes == ["http_500"] * 4 + ["open", "ok", "ok"]


def test_a_good_answer_forgets_earlier_failures() -> None:
    answers = iter([500, 500, 200, 500, 500, 200])
    gateway = Gateway(lambda _: httpx.Response(next(answers), json=completion("{}")))

    for _ in range(6):
        gateway.ask()

    assert "open" not in gateway.outcomes


def test_a_client_library_that_never_returns_is_left_behind_at_the_deadline() -> None:
    release = threading.Event()

    def stall(_: httpx.Request) -> httpx.Response:
        release.wait(10)
        return httpx.Response(200, json=completion("{}"))

    gateway = Gateway(stall, seconds=0.1)
    started = time.monotonic()

    answer = gateway.ask()
    took = time.monotonic() - started
    release.set()

    assert (answer, gateway.outcomes) == (None, ["timeout"])
    assert took < 2


def test_no_more_than_a_few_late_calls_are_left_behind() -> None:
    release = threading.Event()

    def stall(_: httpx.Request) -> httpx.Response:
        release.wait(10)
        return httpx.Response(200, json=completion("{}"))

    gateway = Gateway(stall, seconds=0.05)

    for _ in range(MAX_AT_ONCE + 1):
        gateway.time += 2 * OPEN_SECONDS  # every call is a trial
        gateway.ask()
    release.set()

    assert gateway.outcomes == ["timeout"] * MAX_AT_ONCE + ["busy"]


# --- real sockets on the loopback: what MockTransport cannot show ---


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            try:
                answer(self)
            except OSError:
                self.close_connection = True  # the client has gone, as it should

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}/v1"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def asked(url: str, seconds: float) -> tuple[Any, str, float]:
    usage: list[Usage] = []
    budgets = {TASK: Budget(seconds, 100, 50)}
    gateway = ChatCompletions(base_url=url, model="m", api_key="", record=usage.append, budgets=budgets)
    started = time.monotonic()
    answer = gateway.ask(TASK, "i", "m", json.loads)
    took = time.monotonic() - started
    gateway.close()
    return answer, usage[0].outcome, took


@pytest.mark.engine
def test_a_real_server_answers_without_credentials_or_compression() -> None:
    seen: dict[str, str] = {}

    def answer(request: BaseHTTPRequestHandler) -> None:
        seen.update({name.lower(): value for name, value in request.headers.items()})
        body = json.dumps(completion('{"a":1}')).encode()
        request.send_response(200)
        request.send_header("content-length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    with server(answer) as url:
        result = asked(url, 5)

    assert result[:2] == ({"a": 1}, "ok")
    assert seen["accept-encoding"] == "identity"
    assert "authorization" not in seen


@pytest.mark.engine
@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_server_that_drips_is_left_at_the_deadline(part: str) -> None:
    stop = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"" if part == "headers" else b"\r\n"))
        for _ in range(500):
            request.wfile.write(b"x-drip: 1\r\n" if part == "headers" else b" ")
            request.wfile.flush()
            if stop.wait(0.02):
                return

    with server(drip) as url:
        answer, outcome, took = asked(url, 0.3)
        stop.set()

    assert (answer, outcome) == (None, "timeout")
    assert took < 2


@pytest.mark.engine
def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer, outcome, _ = asked(f"http://127.0.0.1:{unused.getsockname()[1]}/v1", 5)

    assert (answer, outcome) == (None, "unreachable")
