"""Notices of the local platforms: sent at once, and again after the platform's own pauses until one is taken."""

import http.client
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from infra.local.server import HttpAnswer

ANSWER_SECONDS = 5.0
Teller = Callable[[str, Mapping[str, str], bytes], HttpAnswer | None]
"""Delivers a notice: address, headers and content to the answer; None without one."""
Taken = Callable[[HttpAnswer], bool]
Made = Callable[[], tuple[Mapping[str, str], bytes]]


def post(url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer | None:
    """Delivers a notice over http to an address of this machine."""
    return _ask("POST", url, headers, body)


def fetch(url: str) -> HttpAnswer | None:
    """What an address of this machine answers to a GET."""
    return _ask("GET", url, {}, b"")


def _ask(method: str, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer | None:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=ANSWER_SECONDS)
    try:
        target = f"{address.path}?{address.query}" if address.query else address.path
        connection.request(method, target, body or None, dict(headers))
        answer = connection.getresponse()
        return HttpAnswer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    except OSError:
        return None
    finally:
        connection.close()


@dataclass
class _Waiting:
    url: str
    make: Made
    due: datetime
    taken: Taken
    sent: int = 0


class Notices:
    """What waits to be sent. `taken` says of an answer whether the notice has arrived; `log` keeps every answer."""

    def __init__(
        self,
        tell: Teller,
        now: Callable[[], datetime],
        repeats: Sequence[int],
        *,
        taken: Taken,
    ) -> None:
        self.log: list[HttpAnswer | None] = []
        self._tell = tell
        self._now = now
        self._repeats = repeats
        self._taken = taken
        self._waiting: list[_Waiting] = []

    def add(self, url: str, make: Made, taken: Taken | None = None) -> None:
        """Have a notice sent with the next `send_due`. `make` gives it anew for every attempt: it is signed then.
        `taken` reads the answer to this one."""
        self._waiting.append(_Waiting(url, make, self._now(), taken or self._taken))

    def send_due(self) -> None:
        """Send every notice whose time has come; one that was sent as often as the platform does is given up."""
        for each in [each for each in self._waiting if each.due <= self._now()]:
            if each not in self._waiting:  # sent by a call inside of another one
                continue
            self._waiting.remove(each)
            answer = self._tell(each.url, *each.make())
            self.log.append(answer)
            if (answer is None or not each.taken(answer)) and each.sent < len(self._repeats):
                each.due = self._now() + timedelta(seconds=self._repeats[each.sent])
                each.sent += 1
                self._waiting.append(each)

    def waiting(self) -> "list[_Waiting]":
        """The notices that are not taken yet."""
        return [replace(each) for each in self._waiting]

    def wait_for(self, waiting: "list[_Waiting]") -> None:
        """Have these wait, in place of all others."""
        self._waiting = [replace(each) for each in waiting]
