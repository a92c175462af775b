"""Calls to partners' servers, against real ones on this machine: TLS, redirects, drips, floods."""

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cardstock.partners.post import MAX_ANSWER_BYTES, CallOutcome, parse_networks, post, public_tls

pytestmark = pytest.mark.engine

NAME = "partner.test"
LOCAL = parse_networks("127.0.0.0/8, ::1/128")
BODY = '{"type":"order.paid","茶":1}'.encode()
OK = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
Answer = Callable[[socket.socket], None]


def say(content: bytes) -> Answer:
    """Answer with these bytes."""
    return lambda connection: connection.sendall(content)


def drip(head: bytes) -> Answer:
    """Answer with `head`, and then a byte at a time: a hundred of them, or until nobody listens."""

    def run(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    return run


@dataclass
class Server:
    """A partner's server: what it got, how it answers. `tls` None: plain HTTP."""

    tls: ssl.SSLContext | None
    answer: Answer = field(default_factory=lambda: say(OK))
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        if self.tls is not None:
            self.tls.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            spoken = connection if self.tls is None else self.tls.wrap_socket(connection, server_side=True)
            with spoken:
                self.requests.append(self.read_request(spoken))
                self.answer(spoken)

    def read_request(self, connection: socket.socket) -> bytes:
        content = b""
        while b"\r\n\r\n" not in content:
            piece = connection.recv(65_536)
            if not piece:
                return content
            content += piece
        head, _, body = content.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        while len(body) < length:
            body += connection.recv(65_536)
        return head + b"\r\n\r\n" + body

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.close()
        for thread in self._threads:
            thread.join(5)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{NAME}:{self.port}/hook?a=1"


@dataclass(frozen=True)
class Authority:
    """A certificate authority that only these tests trust."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority for tests")])
        certificate = (
            _draft(name, name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_usage(certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(folder, key, certificate)

    def server(self, *names: str) -> ssl.SSLContext:
        """TLS of a server that is called by these names (or addresses)."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        alternatives = [
            x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
        ]
        certificate = (
            _draft(subject, self.certificate.subject, key)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        file = self.folder / f"{names[0]}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def trusted(self) -> ssl.SSLContext:
        """TLS of a client that trusts this authority and no other: all else as in production."""
        return ssl.create_default_context(cafile=str(self.folder / "ca.pem"))


def _draft(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=certificates, crl_sign=certificates, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def servers() -> Iterator[Callable[[ssl.SSLContext | None], Server]]:
    """Makes servers, and closes them."""
    made: list[Server] = []

    def make(tls: ssl.SSLContext | None) -> Server:
        made.append(Server(tls))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def server(servers: Callable[[ssl.SSLContext | None], Server], authority: Authority) -> Server:
    """A partner's server with a good certificate."""
    return servers(authority.server(NAME))


class Resolver:
    """A name service that is asked; it gives another answer each time, as in DNS rebinding."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def call(
    server: Server, authority: Authority, *, timeout: float = 5, resolver: Resolver | None = None, url: str = ""
) -> tuple[CallOutcome, float]:
    """The outcome and how long it took."""
    started = time.monotonic()
    outcome = post(
        url or server.url, {"webhook-id": "evt_1"}, BODY, allowed=LOCAL, resolver=resolver or Resolver(["127.0.0.1"]),
        tls=authority.trusted, timeout_seconds=timeout,
    )  # fmt: skip
    return outcome, time.monotonic() - started


def test_the_event_arrives_at_the_checked_address_under_its_own_name(server: Server, authority: Authority) -> None:
    outcome, _ = call(server, authority)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")

    assert outcome == CallOutcome(204, None)
    assert outcome.delivered
    assert server.names == [NAME]
    assert lines[0] == "POST /hook?a=1 HTTP/1.1"
    assert sorted(line for line in lines if line.lower().startswith("host:")) == [f"Host: {NAME}:{server.port}"]
    assert "Content-Type: application/json" in lines
    assert "webhook-id: evt_1" in lines
    assert body == BODY


def test_a_name_is_resolved_once_so_that_it_cannot_move_inside_after_the_check(
    server: Server, authority: Authority
) -> None:
    rebinding = Resolver(["127.0.0.1"], ["169.254.169.254"])
    outcome, _ = call(server, authority, resolver=rebinding)

    assert outcome.status == 204
    assert rebinding.asked == [(NAME, server.port)]


def test_the_system_is_never_asked_for_the_name_again(
    server: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    real = socket.getaddrinfo

    def listening(host: str, *rest: object, **more: object) -> object:
        asked.append(host)
        return real(host, *rest, **more)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(socket, "getaddrinfo", listening)
    outcome, _ = call(server, authority)

    assert outcome.status == 204
    assert set(asked) <= {"127.0.0.1"}


def test_one_inside_address_among_many_refuses_them_all_and_nothing_is_connected(
    server: Server, authority: Authority
) -> None:
    outcome, _ = call(server, authority, resolver=Resolver(["127.0.0.1", "10.0.0.1"]))

    assert outcome == CallOutcome(None, "ADDRESS_REFUSED")
    assert server.connections == 0


def test_without_an_operators_leave_this_machine_is_never_called(server: Server, authority: Authority) -> None:
    outcome = post(f"https://{NAME}/", {}, BODY, resolver=Resolver(["127.0.0.1"]), tls=authority.trusted)

    assert outcome == CallOutcome(None, "ADDRESS_REFUSED")
    assert server.connections == 0


def test_an_address_that_takes_no_connection_is_passed_over(server: Server, authority: Authority) -> None:
    outcome, _ = call(server, authority, resolver=Resolver(["::1", "127.0.0.1"]))

    assert outcome.status == 204


def test_a_certificate_for_another_name_is_refused_before_anything_is_told(
    servers: Callable[[ssl.SSLContext | None], Server], authority: Authority
) -> None:
    # Also for the very address that is called: the name is what counts.
    server = servers(authority.server("127.0.0.1", "other.test"))
    outcome, _ = call(server, authority)

    assert (outcome.status, outcome.error) == (None, "SSLCertVerificationError")
    assert server.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(server: Server) -> None:
    outcome = post(server.url, {}, BODY, allowed=LOCAL, resolver=Resolver(["127.0.0.1"]))

    assert (outcome.status, outcome.error) == (None, "SSLCertVerificationError")
    assert server.requests == []


def test_in_production_certificates_and_names_are_checked() -> None:
    context = public_tls()

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_name_with_a_final_dot_is_the_same_name(server: Server, authority: Authority) -> None:
    outcome, _ = call(server, authority, url=f"https://{NAME}.:{server.port}/")

    assert outcome.status == 204
    assert server.names == [NAME]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(
    servers: Callable[[ssl.SSLContext | None], Server], server: Server, authority: Authority, status: int
) -> None:
    target = servers(None)
    location = f"http://127.0.0.1:{target.port}/latest/meta-data"
    server.answer = say(f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
    outcome, _ = call(server, authority)

    assert (outcome.status, outcome.delivered) == (status, False)
    assert target.connections == 0


def test_retry_after_is_told(server: Server, authority: Authority) -> None:
    server.answer = say(b"HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n")
    outcome, _ = call(server, authority)

    assert outcome == CallOutcome(503, None, "120")


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 ", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 1", b"HTTP/1.1 200 OK\r\nX: "]
)
def test_a_head_that_drips_ends_at_the_deadline(server: Server, authority: Authority, head: bytes) -> None:
    server.answer = drip(head)
    became, seconds = call(server, authority, timeout=0.6)

    assert became == CallOutcome(None, "TIMED_OUT")
    assert 0.5 < seconds < 2


def test_a_body_that_drips_ends_at_the_deadline_and_the_status_counts(server: Server, authority: Authority) -> None:
    server.answer = drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    outcome, seconds = call(server, authority, timeout=0.6)

    assert outcome == CallOutcome(200, None)
    assert 0.5 < seconds < 2


def test_a_server_that_never_answers_ends_at_the_deadline(server: Server, authority: Authority) -> None:
    server.answer = lambda connection: time.sleep(1.5)
    outcome, seconds = call(server, authority, timeout=0.5)

    assert outcome == CallOutcome(None, "TIMED_OUT")
    assert seconds < 1.4


def test_a_handshake_that_drips_ends_at_the_deadline(
    servers: Callable[[ssl.SSLContext | None], Server], authority: Authority
) -> None:
    server = servers(None)

    def record(connection: socket.socket) -> bytes:
        drip(b"\x16\x03\x03\x40\x00")(connection)  # the beginning of a TLS record that claims to be 16 KB long
        return b""

    server.read_request = record  # type: ignore[method-assign]  # it speaks before it listens
    outcome, seconds = call(server, authority, timeout=0.6, url=f"https://{NAME}:{server.port}/")

    assert outcome == CallOutcome(None, "TIMED_OUT")
    assert 0.5 < seconds < 2


def test_a_name_service_that_never_answers_ends_at_the_deadline(server: Server, authority: Authority) -> None:
    asked = threading.Event()

    def silent(host: str, port: int) -> list[str]:
        asked.wait(3)
        return []

    started = time.monotonic()
    outcome = post(server.url, {}, BODY, allowed=LOCAL, resolver=silent, tls=authority.trusted, timeout_seconds=0.3)
    seconds = time.monotonic() - started
    asked.set()

    assert outcome == CallOutcome(None, "TIMED_OUT")
    assert seconds < 1.5


def test_no_more_than_64_kb_of_an_answer_are_read(server: Server, authority: Authority) -> None:
    taken: list[int] = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        sent = 0
        try:
            while sent < 64 * 1024 * 1024:
                sent += connection.send(b"x" * 65_536)
        except OSError:
            pass
        finally:
            taken.append(sent)

    server.answer = flood
    outcome, seconds = call(server, authority, timeout=10)
    server.close()

    assert outcome == CallOutcome(200, None)
    assert seconds < 5
    # What was not read stays in the two machines' buffers: some megabytes at most, not all 64.
    assert MAX_ANSWER_BYTES == 65_536
    assert taken[0] < 32 * 1024 * 1024


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\r\n\r\n", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 99999 X\r\n\r\n", b"\x00" * 100,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/0.9 hello", b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_an_outcome_not_an_exception(
    server: Server, authority: Authority, content: bytes
) -> None:
    server.answer = say(content)
    outcome, _ = call(server, authority)

    assert not outcome.delivered
    assert outcome.error


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 202 \xff\xfe\r\nX\r\n\r\n",
    ],
)
def test_a_status_counts_whatever_becomes_of_the_rest(server: Server, authority: Authority, content: bytes) -> None:
    server.answer = say(content)
    outcome, _ = call(server, authority)

    assert outcome.delivered


def test_a_closed_port_is_an_outcome(server: Server, authority: Authority) -> None:
    server.close()
    outcome, _ = call(server, authority)

    assert (outcome.status, outcome.error) == (None, "ConnectionRefusedError")


def test_plain_http_is_for_networks_that_an_operator_opened(
    servers: Callable[[ssl.SSLContext | None], Server], authority: Authority
) -> None:
    server = servers(None)
    opened, _ = call(server, authority)
    closed = post(server.url, {}, BODY, resolver=Resolver(["127.0.0.1"]))

    assert opened == CallOutcome(204, None)
    assert closed == CallOutcome(None, "URL_REFUSED")
    assert server.connections == 1
