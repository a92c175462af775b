"""Calls to addresses that partners choose: only to public ones, over https on port 443, to exactly the address checked.

A partner's URL must not become a way into the network we run in (server-side request forgery). So: the host is
resolved once, every address it has must be public, the connection goes to one of those very addresses (the name is used
for TLS and the Host header only), redirects are not followed, and time and size are bounded. The ranges follow the
IANA special-purpose registries; `ipaddress.is_global` alone misses 100.64.0.0/10 of some clouds and every form that
embeds an IPv4 address in IPv6.
"""

import ipaddress
import json
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cardstock.adapters.sqs import Queue
from cardstock.clock import rfc3339
from cardstock.errors import InvalidError, Pointer
from cardstock.partners.model import Due

TIMEOUT_SECONDS = 15.0
MAX_ANSWER_BYTES = 64 * 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_IPV4_COMPATIBLE = ipaddress.IPv6Network("::/96")
_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one call: the status if there was an answer, else why there was none."""

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
    """Whether `address`, and every IPv4 address inside it, is on the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None:
            return is_public(address.sixtofour)
        if address.teredo is not None or address in _NAT64_LOCAL or address in _SITE_LOCAL:
            return False
        if address in _NAT64 or address in _IPV4_COMPATIBLE or address in _TRANSLATED:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    elif address in _SHARED:
        return False
    return address.is_global and not address.is_multicast


def check_url(url: str, allowed: Sequence[Network] = ()) -> None:
    """Refuse a URL that can never be called: not https, credentials in it, another port, an address instead of a name.

    Where an operator allows private networks, http and any port are accepted too: the address decides at the call.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidError("URL_REFUSED", pointers=(Pointer("/url", "URL"),)) from error
    wrong = (
        not parts.hostname
        or not url.isascii()
        or any(character.isspace() for character in url)
        or parts.username is not None
        or parts.password is not None
        or bool(parts.fragment)
        or len(url) > 1_000
    )
    if allowed:
        wrong = wrong or parts.scheme not in ("http", "https")
    else:
        wrong = wrong or parts.scheme != "https" or port not in (None, 443) or _is_literal(parts.hostname or "")
    if wrong:
        raise InvalidError("URL_REFUSED", pointers=(Pointer("/url", "URL"),))


def _is_literal(host: str) -> bool:
    # Numeric hosts in any form (127.1, 0x7f000001, 2130706433) end in a label that no public suffix has.
    last = host.rstrip(".").rsplit(".", 1)[-1]
    return ":" in host or last.isdigit() or last.lower().startswith("0x")


def resolve(host: str, port: int) -> list[str]:
    """Every address of `host`, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def post(
    url: str,
    headers: dict[str, str],
    body: bytes,
    *,
    allowed: Sequence[Network] = (),
    resolver: Resolve = resolve,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Outcome:
    """POST `body` to `url` and tell what became of it; never raises for what the other side does."""
    import urllib3  # botocore brings it; imported here so that who only registers a URL does not pay

    try:
        check_url(url, allowed)
    except InvalidError:
        return Outcome(None, "URL_REFUSED")
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = [ipaddress.ip_address(address.split("%", 1)[0]) for address in resolver(host, port)]
    except (OSError, ValueError, UnicodeError):
        return Outcome(None, "HOST_UNKNOWN")
    if not addresses or not all(is_public(a) or any(a in network for network in allowed) for a in addresses):
        return Outcome(None, "ADDRESS_REFUSED")
    target = str(addresses[0])
    timeout = urllib3.Timeout(total=timeout_seconds)
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            target, port, timeout=timeout, retries=False, server_hostname=host, assert_hostname=host
        )
    else:
        pool = urllib3.HTTPConnectionPool(target, port, timeout=timeout, retries=False)
    path = parts.path or "/"
    if parts.query:
        path += f"?{parts.query}"
    deadline = time.monotonic() + timeout_seconds
    name = host if parts.port is None else f"{host}:{port}"
    try:
        with pool:
            answer = pool.urlopen(
                "POST",
                path,
                body=body,
                headers={**headers, "Host": name, "Content-Type": "application/json", "User-Agent": "Cardstock/1"},
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                # One receive at a time: a server that drips bytes meets the deadline, not only the socket's time-out.
                left = MAX_ANSWER_BYTES
                while left > 0 and time.monotonic() < deadline and (piece := answer.read1(left)):
                    left -= len(piece)
            finally:
                answer.close()
            return Outcome(answer.status, None, answer.headers.get("Retry-After"))
    except urllib3.exceptions.TimeoutError:
        return Outcome(None, "TIMED_OUT")
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        return Outcome(None, type(error).__name__)


class DueMessages:
    """`partners.ports.DueQueue`."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def send(self, due: Due, delay_seconds: int) -> None:
        message = {
            "owner": due.owner,
            "endpoint_id": due.endpoint_id,
            "delivery_id": due.delivery_id,
            "attempt": due.attempt,
            "not_before": rfc3339(due.not_before),
        }
        self._queue.send(json.dumps(message), delay_seconds=delay_seconds)
