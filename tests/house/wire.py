"""DynamoDB and S3 on a socket of this machine: for counting what a handler itself does.

Moto would be counted too, and an emulator answers when it likes; here the SDK is complete down to the socket, and what
answers runs in other threads.
"""

import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Answer = Callable[[str, dict[str, Any]], dict[str, Any]]
"""From the operation's name and its request to the answer's body."""


@contextmanager
def wire(answer: Answer, file: bytes = b"") -> Iterator[str]:
    """The endpoint's URL, until the block ends. Every object that is read has the bytes of `file`."""
    server = socket.create_server(("127.0.0.1", 0))
    threads = threading.Thread(target=_accept, args=(server, answer, file), daemon=True)
    threads.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        threads.join()


def _accept(server: socket.socket, answer: Answer, file: bytes) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, answer, file), daemon=True).start()


def _serve(connection: socket.socket, answer: Answer, file: bytes) -> None:
    with connection, connection.makefile("rwb") as stream:
        while asked := stream.readline().strip():
            headers = {}
            while line := stream.readline().strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            if asked.startswith(b"GET "):
                head = f'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: {len(file)}\r\n\r\n'
                stream.write(head.encode() + file)
                stream.flush()
                continue
            request = json.loads(stream.read(int(headers["content-length"])))
            body = json.dumps(answer(headers["x-amz-target"].rpartition(".")[2], request)).encode()
            head = (
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nx-amzn-RequestId: wire\r\n"
                f"x-amz-crc32: {zlib.crc32(body)}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            stream.write(head.encode() + body)
            stream.flush()
