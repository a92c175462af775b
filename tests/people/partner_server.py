"""A partner's server on this machine, which outgoing webhooks may call."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cardstock.partners import wiring as partners_wiring


class PartnerServer:
    """Takes webhooks over plain HTTP on 127.0.0.1, which local runs may call; answers with `status` and `headers`."""

    def __init__(self) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.got: list[tuple[dict[str, str], bytes]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(server.status)
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing: tests look at what arrived."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/hook"

    def close(self) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def types(self) -> list[str]:
        """The types of the events that arrived."""
        return [json.loads(body)["type"] for _, body in self.got]


@pytest.fixture
def partner_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PartnerServer]:
    """A partner's server that outgoing webhooks may call. Needs the mark `engine`."""
    monkeypatch.setenv("WEBHOOK_PRIVATE_NETWORKS", "127.0.0.0/8")
    partners_wiring.webhook_post.cache_clear()
    server = PartnerServer()
    yield server
    server.close()
    monkeypatch.undo()
    partners_wiring.webhook_post.cache_clear()
