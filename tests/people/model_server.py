"""A chat completions server as vLLM and its like are: it refuses what they refuse, and answers in their bytes."""

from collections.abc import Mapping
from typing import Literal

import httpx
import msgspec


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message of a request."""

    role: Literal["system", "user", "assistant"]
    content: str


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request, with the fields that such a server knows."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float
    stream: Literal[False]
    response_format: dict[str, Literal["json_object"]]


class ModelServer:
    """The server, which says `content` to everything. `heard` are the requests that it could read.

    A body is JSON by its content type alone, and JSON is UTF-8 whatever a charset says. Answers are UTF-8 too, with
    Chinese as it is, and name no charset.
    """

    def __init__(self, content: str = "{}") -> None:
        self.content = content
        self.heard: list[Asked] = []
        self.transport = httpx.MockTransport(self._serve)

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], raw: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and content; `headers` are found without regard to case, or have lower-case names."""
        if (method, path) != ("POST", "/v1/chat/completions"):
            return self._said(404, {"error": {"message": "Not Found"}})
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return self._said(415, {"error": {"message": "Unsupported Media Type: Only 'application/json' is allowed"}})
        try:
            asked = msgspec.json.decode(raw, type=Asked, strict=True)
        except (msgspec.MsgspecError, UnicodeError):
            return self._said(400, {"error": {"message": "invalid body"}})
        self.heard.append(asked)
        message = {"role": "assistant", "content": self.content, "tool_calls": []}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return self._said(
            200,
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": asked.model,
                "choices": [choice],
                "usage": usage,
            },
        )

    def _said(self, status: int, body: object) -> tuple[int, dict[str, str], bytes]:
        return status, {"content-type": "application/json"}, msgspec.json.encode(body)

    def _serve(self, request: httpx.Request) -> httpx.Response:
        status, headers, content = self.answer(request.method, request.url.path, request.headers, request.content)
        return httpx.Response(status, headers=headers, content=content)
