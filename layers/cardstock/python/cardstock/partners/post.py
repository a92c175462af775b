"""Calls to URLs chosen by partners: only to public addresses, over https on port 443, to exactly the checked address.

A partner's URL must not reach our own network (server-side request forgery). So the host is resolved once, all its
addresses must be public, the connection goes to one of these addresses (the name is used only for TLS and the Host
header), redirects are not followed, and time and size are limited. The ranges are our own, after the IANA
special-purpose registries, so that they do not change with the Python that runs us.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from urllib.parse import urlsplit

import msgspec

from cardstock.aws.queues import Queue
from cardstock.errors import InvalidError, Pointer
from cardstock.partners import errors
from cardstock.partners.messages import encode_attempt
from cardstock.partners.model import DueAttempt

TIMEOUT_SECONDS = 15.0
MAX_ANSWER_BYTES = 64 * 1024
_TRIED_ADDRESSES = 4
_SHORTEST_TIMEOUT_SECONDS = 0.001

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

_NAME_MAX = 253
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses of IPv4 hosts, as networks without IPv4 see them: what counts is the IPv4 address inside."""
_FORBIDDEN_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
"""All that is given out for hosts; what is outside (loopback, link-local, unique local, multicast) is forbidden."""
_FORBIDDEN_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        # Protocol assignments with Teredo and ORCHID, documentation, 6to4, documentation.
        ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)


class CallOutcome(msgspec.Struct, frozen=True):
    """The outcome of one call: the status, or why there was no answer."""

    status: int | None
    error: str | None
    retry_after: str | None = None

    @property
    def delivered(self) -> bool:
        """Only 2xx is a delivery; a redirect is not."""
        return self.status is not None and 200 <= self.status < 300


def parse_networks(text: str) -> tuple[Network, ...]:
    """The CIDRs of the setting `WEBHOOK_PRIVATE_NETWORKS`. Raises ValueError on a wrong one."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def is_public(address: Address) -> bool:
    """Whether `address`, or the IPv4 address inside it, is on the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _FORBIDDEN_V4)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_V6 and not any(address in network for network in _FORBIDDEN_V6)


def check_url(url: str, allowed: Sequence[Network] = ()) -> None:
    """Refuse a URL that can never be called: not https, credentials in it, another port, an address instead of a name,
    or a name that no public host can have (`localhost`, a name without a dot, an empty label).

    If an operator allows private networks, http, any port and addresses in these networks are accepted too, and names
    without a dot. A name is not resolved here. What it means is checked at each call, the challenge first: it may
    change. Then http and other ports are only for names in these networks.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise errors.URL_REFUSED(pointers=(Pointer("/url", "URL"),)) from error
    wrong = (
        not parts.hostname
        or not url.isascii()
        or not url.isprintable()
        or " " in url
        or parts.username is not None
        or parts.password is not None
        or bool(parts.fragment)
        or len(url) > 1_000
        or port == 0
        or not (_is_literal(parts.hostname) or _is_name(parts.hostname, public=not allowed))
    )
    if allowed:
        wrong = wrong or parts.scheme not in ("http", "https") or not _is_allowed(parts.hostname or "", allowed)
    else:
        wrong = wrong or parts.scheme != "https" or port not in (None, 443) or _is_literal(parts.hostname or "")
    if wrong:
        raise errors.URL_REFUSED(pointers=(Pointer("/url", "URL"),))


def _is_allowed(host: str, allowed: Sequence[Network]) -> bool:
    """Whether a host is a name, or an address in one of the networks."""
    if not _is_literal(host):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in allowed)


def _is_name(host: str, *, public: bool) -> bool:
    """Whether a host has the form of a name that can be resolved; `public`: on the public internet."""
    labels = host.removesuffix(".").split(".")
    if len(host) > _NAME_MAX or not all(map(_LABEL.fullmatch, labels)):
        return False
    return not public or (len(labels) > 1 and labels[-1] != "localhost")


def _is_literal(host: str) -> bool:
    # Numeric hosts in any form (127.1, 0x7f000001, 2130706433) end in a label that no public suffix has.
    last = host.rstrip(".").rsplit(".", 1)[-1]
    return ":" in host or last.isdigit() or last.lower().startswith("0x")


def resolve(host: str, port: int) -> list[str]:
    """Every address of `host`, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@cache
def public_tls() -> ssl.SSLContext:
    """TLS that trusts the certificate authorities of this machine; reading them costs some 20 ms."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # some builds of Python leave it to the machine's OpenSSL
    return context


def post(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    allowed: Sequence[Network] = (),
    resolver: Resolve = resolve,
    tls: Callable[[], ssl.SSLContext] = public_tls,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> CallOutcome:
    """POST `body` to `url` and return the outcome; nothing that the other side does raises.

    It ends within `timeout_seconds`, name resolution included. The head of an answer that arrived in time counts,
    even if its body does not end.
    """
    try:
        check_url(url, allowed)
    except InvalidError:
        return CallOutcome(None, "URL_REFUSED")
    deadline = time.monotonic() + timeout_seconds
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    found = _resolved(resolver, host, port, deadline)
    if found is None:
        return CallOutcome(None, "TIMED_OUT")
    try:
        addresses = [ipaddress.ip_address(address.partition("%")[0]) for address in found]
    except ValueError:
        addresses = []
    if not addresses:
        return CallOutcome(None, "HOST_UNKNOWN")
    outside = secure and port == 443  # in a private network that is open, http and every port too
    if not all((outside and is_public(a)) or any(a in network for network in allowed) for a in addresses):
        return CallOutcome(None, "ADDRESS_REFUSED")
    sent = {**headers, "Host": parts.netloc, "Content-Type": "application/json", "User-Agent": "Cardstock/1"}
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _connected(addresses, port, deadline) as plain:
            # The handshake runs under the watchdog, because a server can send it slowly, too.
            wrapped = tls().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False) if secure else plain
            with wrapped, _watched(wrapped, deadline):
                if isinstance(wrapped, ssl.SSLSocket):
                    wrapped.do_handshake()
                return _exchanged(wrapped, path, sent, body, deadline)
    except (http.client.HTTPException, OSError, ValueError) as error:
        late = time.monotonic() >= deadline or isinstance(error, TimeoutError)
        return CallOutcome(None, "TIMED_OUT" if late else type(error).__name__)


def _resolved(resolver: Resolve, host: str, port: int, deadline: float) -> Sequence[str] | None:
    """The addresses, none for an unknown host, or None after the time limit: a resolver cannot be interrupted."""
    found: list[Sequence[str]] = []

    def look_up() -> None:
        try:
            found.append(resolver(host, port))
        except (OSError, ValueError):
            found.append(())

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(deadline - time.monotonic())
    return found[0] if found else None


def _connected(addresses: Sequence[Address], port: int, deadline: float) -> socket.socket:
    """A connection to the first reachable address: a machine without IPv6 must reach a host that has both."""
    refused: OSError = TimeoutError()
    for address in addresses[:_TRIED_ADDRESSES]:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((str(address), port), timeout=left)
        except OSError as error:
            refused = error
    raise refused


@contextmanager
def _watched(connection: socket.socket, deadline: float) -> Iterator[None]:
    """Closes the connection at the deadline. A socket's own time-out starts again with every byte received."""

    def break_off() -> None:
        with suppress(OSError):  # it may have been closed just now
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    left = max(0.0, deadline - time.monotonic())
    connection.settimeout(left or _SHORTEST_TIMEOUT_SECONDS)
    watchdog = threading.Timer(left, break_off)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()
        watchdog.join()


def _exchanged(
    connection: socket.socket, path: str, headers: Mapping[str, str], body: bytes, deadline: float
) -> CallOutcome:
    client = http.client.HTTPConnection("")  # it never connects: it gets the socket to the checked address
    client.sock = connection
    client.request("POST", path, body, dict(headers))
    with client.getresponse() as answer:
        if time.monotonic() >= deadline:  # a head cut off by the watchdog looks complete
            raise TimeoutError
        outcome = CallOutcome(answer.status, None, answer.headers.get("Retry-After"))
        left = MAX_ANSWER_BYTES
        # Read the body: a receiver cut off while answering may treat the event as not received.
        with suppress(http.client.HTTPException, OSError, ValueError):
            while left > 0 and (piece := answer.read1(left)):
                left -= len(piece)
    return outcome


class DueMessages:
    """`partners.ports.DueQueue`."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def send(self, due: DueAttempt, delay_seconds: int) -> None:
        self._queue.send(encode_attempt(due), delay_seconds=delay_seconds)
