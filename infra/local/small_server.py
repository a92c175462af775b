"""A small HTTP server for outside parties: every request goes to one function, which may also give no answer."""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler

from infra.local.server import HttpAnswer, Server

MAX_BODY_BYTES = 64 * 1024
_TOO_LARGE = HttpAnswer(413, {"content-type": "application/json"}, b'{"message":"too large"}')


class NoAnswerError(Exception):
    """No answer comes: the connection is silent for `seconds`, and then ends."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__("no answer")
        self.seconds = seconds


class HalfAnswerError(Exception):
    """The head and half of the content of `answer` come, and then the connection ends."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__("half an answer")
        self.answer = answer


Answering = Callable[[str, str, Mapping[str, str], bytes], HttpAnswer]
"""Method, target, headers with lower-case names, and content to the answer. May raise the two errors above."""


class SmallServer:
    """Serves GET, HEAD and POST in threads from `start` to `stop`."""

    def __init__(self, answering: Answering, *, name: str) -> None:
        self.url = ""
        self._answering = answering
        self._name = name
        self._stopping = threading.Event()
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve on `port` (0: any free one). Returns the URL."""
        answering, stopping = self._answering, self._stopping

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                length = self.headers.get("content-length", "0")
                known = length.isascii() and length.isdigit() and len(length) < 9
                size = int(length) if known else MAX_BODY_BYTES + 1
                if size > MAX_BODY_BYTES:
                    self.close_connection = True
                    return self._send(_TOO_LARGE)
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    return self._send(answering(self.command, self.path, headers, self.rfile.read(size)))
                except NoAnswerError as error:
                    stopping.wait(error.seconds)
                except HalfAnswerError as error:
                    self._send(error.answer, share=0.5)
                self.close_connection = True
                return None

            do_POST = do_HEAD = do_GET

            def _send(self, answer: HttpAnswer, *, share: float = 1.0) -> None:
                self.send_response(answer.status)
                for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body[: int(len(answer.body) * share)])

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it so
                """Nothing: who calls reports the call."""

        self._stopping.clear()
        self._server = Server((host, port), Handler)
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name=self._name, daemon=True)
        self._thread.start()
        return self.url

    def stop(self) -> None:
        """Stop serving. Safe to call twice."""
        self._stopping.set()
        if self._server is not None and self._thread is not None:
            self._server.stop(self._thread)
            self._server = self._thread = None
