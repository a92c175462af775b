"""The HTTP server of the local addresses: raw requests in, a gateway's answers out."""

import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol

from chalice.local import ChaliceRequestHandler, ThreadedHTTPServer

MAX_PAYLOAD_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The gateway's answer. Header names are in lower case; a repeated header's values are joined by a comma."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. ValueError if it is something else."""
        return json.loads(self.body)


class Front(Protocol):
    """What answers the requests of a server."""

    def serve(
        self, method: str, path: str, headers: Mapping[str, list[str]], body: bytes
    ) -> tuple[HttpAnswer, list[tuple[str, str]]]:
        """The answer, and its headers one by one, with repeated ones. `headers` has lower-case names."""


class Server(ThreadedHTTPServer):
    """Many connections, each with a thread; `stop` lets requests end and leaves none open."""

    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._guard:
            self._open.discard(request)

    def stop(self, thread: threading.Thread, *, patience: float = 30.0) -> None:
        """Accept no more requests and wait for running ones. `thread` is the one that serves."""
        self.shutdown()
        thread.join()
        self.server_close()
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)  # for clients that keep it alive; answers can still be written
        deadline = time.monotonic() + patience
        while self._open and time.monotonic() < deadline:
            time.sleep(0.005)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that goes away during its request; report any other error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class RequestHandler(ChaliceRequestHandler):
    """Raw HTTP in and out of the gateway."""

    server_version = "local-gateway"
    sys_version = ""
    disable_nagle_algorithm = True  # 44 ms a request otherwise
    wbufsize = -1  # one packet for headers and body

    def __init__(self, request: Any, client_address: Any, server: Any, *, app_object: Any, config: Any) -> None:
        del config
        self.front: Front = app_object.front
        BaseHTTPRequestHandler.__init__(self, request, client_address, server)

    def _generic_handle(self) -> None:
        headers: dict[str, list[str]] = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        body = self._read_body()
        if body is None:
            self.close_connection = True
            answer = HttpAnswer(413, {"content-type": "application/json"}, b'{"message":"Request Entity Too Large"}')
            repeated: list[tuple[str, str]] = list(answer.headers.items())
        else:
            answer, repeated = self.front.serve(self.command, self.path, headers, body)
        self.send_response(answer.status)
        for name, value in repeated:
            self.send_header(name, value)
        bodiless = answer.status in (204, 304) or answer.status < 200
        if not bodiless:
            self.send_header("content-length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if not bodiless and self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _generic_handle

    def _read_body(self) -> bytes | None:
        """The request's body; None if it is too large, or its length is not given in a reliable way."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return self._read_chunks()
        length = self.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:12]) > MAX_PAYLOAD_BYTES:
            return None
        body: bytes = self.rfile.read(int(length))
        return body

    def _read_chunks(self) -> bytes | None:
        body = bytearray()
        while True:
            size_text = self.rfile.readline(32).split(b";")[0].strip()
            try:
                size = int(size_text, 16)
            except ValueError:
                return None
            if size < 0 or len(body) + size > MAX_PAYLOAD_BYTES:
                return None
            body += self.rfile.read(size)
            self.rfile.readline(4)
            if size == 0:
                return bytes(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing: the gateway reports requests itself."""
