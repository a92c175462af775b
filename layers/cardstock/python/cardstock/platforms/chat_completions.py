"""The model gateway: any OpenAI-compatible server (vLLM, SGLang, Ollama, llama.cpp) over httpx.

Guarantee: `ask` returns within the task's deadline, never raises because of the server, spends at most the task's
tokens, and makes exactly one usage record. The caller must be able to do without the answer.

Source: OpenAI API reference, "Create chat completion". Not streamed: an answer is used whole or not at all.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import httpx
import msgspec

T = TypeVar("T")

MAX_ANSWER_BYTES = 64 * 1024
MAX_AT_ONCE = 4
FAILURES_TO_OPEN = 3
OPEN_SECONDS = 30.0


class Budget(msgspec.Struct, frozen=True):
    """What one call of a task may take. Prompt tokens are estimated from bytes, on the high side."""

    seconds: float
    prompt_tokens: int
    answer_tokens: int


class Usage(msgspec.Struct, frozen=True):
    """One call as it went.

    `outcome` is `ok`; `over_budget`, `open` or `busy` when the server was not called; `timeout`, `unreachable`,
    `http_<status>`, `malformed` or `too_large` when it gave no answer; `refused` when the task did not accept the
    answer. Tokens are what the server says, zero where it says nothing.
    """

    task: str
    model: str
    outcome: str
    milliseconds: int
    prompt_tokens: int = 0
    answer_tokens: int = 0


class _NoAnswerError(Exception):
    """Carries the outcome."""


class _Breaker:
    """Closed until `FAILURES_TO_OPEN` calls in a row fail; then open for `OPEN_SECONDS`; then one call tries."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    def admits(self) -> bool:
        """Whether to call; a trial call keeps the others out until it has ended or its time is over."""
        with self._lock:
            if self._failures < FAILURES_TO_OPEN:
                return True
            if self._now() < self._open_until:
                return False
            self._open_until = self._now() + OPEN_SECONDS
            return True

    def ended(self, *, well: bool) -> None:
        with self._lock:
            self._failures = 0 if well else self._failures + 1
            if self._failures >= FAILURES_TO_OPEN:
                self._open_until = self._now() + OPEN_SECONDS


class ChatCompletions:
    """Asks one model of one server. Safe to share between threads; make one per process, it keeps its connections.

    `base_url` ends before `/chat/completions` (`https://host/v1`). `transport` is the seam for tests.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str,
        record: Callable[[Usage], None],
        budgets: Mapping[str, Budget],
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._model = model
        self._record = record
        self._budgets = budgets
        self._now = now
        self._breaker = _Breaker(now)
        self._slots = threading.BoundedSemaphore(MAX_AT_ONCE)
        headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
        # No proxy or netrc from the environment: the key goes to the configured server alone.
        self._client = httpx.Client(headers=headers, transport=transport, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Close the connections. A late call ends with an error that nobody sees."""
        self._client.close()

    def ask(self, task: str, instruction: str, material: str, accept: Callable[[str], T]) -> T | None:
        """`accept(answer)`, or None when there is no answer in time, `accept` raises ValueError, the prompt is larger
        than the budget, or the server failed so often that it is left alone for a while.

        `task` names a budget (KeyError if it does not). `instruction` is the system message, `material` the user's.
        """
        budget = self._budgets[task]
        started = self._now()
        outcome, result, tokens = "ok", None, (0, 0)
        try:
            body = self._body(budget, instruction, material)
            if not self._breaker.admits():
                raise _NoAnswerError("open")
            answer = self._answer(body, budget)
            text, tokens = _content(answer)
            result = _accepted(accept, text)
        except _NoAnswerError as error:
            outcome = str(error)
        if outcome not in ("over_budget", "open", "busy"):
            self._breaker.ended(well=outcome == "ok")
        self._record(Usage(task, self._model, outcome, int((self._now() - started) * 1000), *tokens))
        return result

    def _body(self, budget: Budget, instruction: str, material: str) -> dict[str, Any]:
        # Three bytes a token: about right for Chinese, more than enough for English.
        if (len(instruction.encode()) + len(material.encode())) // 3 > budget.prompt_tokens:
            raise _NoAnswerError("over_budget")
        return {
            "model": self._model,
            "messages": [{"role": "system", "content": instruction}, {"role": "user", "content": material}],
            "max_tokens": budget.answer_tokens,
            "temperature": 0,
            "stream": False,
            "response_format": {"type": "json_object"},
        }

    def _answer(self, body: dict[str, Any], budget: Budget) -> bytes:
        """The answer's bytes, from a thread of its own: httpx limits each read, not their sum, and resolving a name is
        not limited at all. A thread that is late is left behind; no more than `MAX_AT_ONCE` can be."""
        if not self._slots.acquire(blocking=False):
            raise _NoAnswerError("busy")
        box: SimpleQueue[bytes | _NoAnswerError] = SimpleQueue()

        def work() -> None:
            try:
                box.put(self._post(body, budget.seconds))
            except _NoAnswerError as error:
                box.put(error)
            except httpx.TimeoutException:
                box.put(_NoAnswerError("timeout"))
            except Exception:  # whatever else a server does to the client library, the caller does without the answer
                box.put(_NoAnswerError("unreachable"))
            finally:
                self._slots.release()

        threading.Thread(target=work, daemon=True).start()
        try:
            answer = box.get(timeout=budget.seconds)
        except Empty:
            raise _NoAnswerError("timeout") from None
        if isinstance(answer, _NoAnswerError):
            raise answer
        return answer

    def _post(self, body: dict[str, Any], seconds: float) -> bytes:
        late = time.monotonic() + seconds
        content = bytearray()
        with self._client.stream("POST", self._url, json=body, timeout=seconds) as response:
            if response.status_code != httpx.codes.OK:
                raise _NoAnswerError(f"http_{response.status_code}")
            # Asked not to compress: 64 KB that arrive must not become 64 MB.
            if response.headers.get("content-encoding", "identity") != "identity":
                raise _NoAnswerError("malformed")
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise _NoAnswerError("too_large")
                if time.monotonic() > late:
                    raise _NoAnswerError("timeout")
        return bytes(content)


def _content(answer: bytes) -> tuple[str, tuple[int, int]]:
    try:
        completion = json.loads(answer)
        text = completion["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise _NoAnswerError("malformed") from None
    if not isinstance(text, str):
        raise _NoAnswerError("malformed")
    usage = completion.get("usage")
    return text, (_tokens(usage, "prompt_tokens"), _tokens(usage, "completion_tokens"))


def _tokens(usage: object, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else 0
    return value if type(value) is int and 0 <= value < 10**9 else 0


def _accepted(accept: Callable[[str], T], text: str) -> T:
    try:
        return accept(text)
    except ValueError:
        raise _NoAnswerError("refused") from None
