"""The merchant's identity service on this machine, as `infra/README.md` says that one must answer.

It checks the signature and every field, and signs what it answers. The first name under which it hears of a number is
the right one; a number with the serial 000 (before the check digit) is not known. It keeps each check by its id: a
repeat gets the first answer.

Own modes: `mismatch`, `unknown` (the next check); `wrong_signature`, `unsigned`, `old_signature`, `other_check` (of
another check, under the id of this one), `other_message` (the reverse), `no_result`, `refuses` (401).
"""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from infra.local.platforms.people import Asked, Platform, json_object
from infra.local.sandbox import is_genuine, sign
from infra.local.server import HttpAnswer

_CHECK = re.compile(r"idc_[0-9a-f]{32}")
_NUMBER = re.compile(r"\d{17}[\dX]")
_OTHER_KEY = "YW5vdGhlci1rZXktdGhhbi10aGUtc2hvcC1oYXM="


class IdentityService(Platform):
    """`key` is the one that it has in common with the shop; it can be set later."""

    name = "identity"
    modes_known = (
        "mismatch", "unknown", "wrong_signature", "unsigned", "old_signature", "other_check", "other_message",
        "no_result", "refuses",
    )  # fmt: skip

    def __init__(self, now: Callable[[], datetime], key: str = "") -> None:
        super().__init__(now)
        self.key = key
        self.names: dict[str, str] = {}
        self.checks: dict[str, str] = {}
        """Results by the ids of checks."""

    def respond(self, asked: Asked, mode: str) -> HttpAnswer:
        if (asked.method, asked.path) != ("POST", "/v1/identity-checks"):
            return HttpAnswer(404, {"content-type": "application/json"}, b"{}")
        if mode == "refuses" or not self.key or not is_genuine(self.key, asked.headers, asked.body, self.now()):
            return HttpAnswer(401, {"content-type": "application/json"}, b'{"code":"SIGNATURE"}')
        given = json_object(asked)
        if given is None or not self._is_check(given, asked.headers["webhook-id"]):
            return HttpAnswer(400, {"content-type": "application/json"}, b'{"code":"CHECK"}')
        if mode == "busy":
            return HttpAnswer(503, {"content-type": "application/json"}, b'{"code":"BUSY"}')
        self.calls.append(given["check_id"])
        result = mode if mode in ("mismatch", "unknown") else self._result(given)
        said: dict[str, Any] = {"check_id": given["check_id"], "result": result}
        message = f"idc_{'1' * 32}" if mode == "other_message" else given["check_id"]
        if mode == "other_check":
            said["check_id"] = f"idc_{'0' * 32}"
        if mode == "no_result":
            del said["result"]
        return self._signed(said, message, mode)

    def _result(self, given: dict[str, str]) -> str:
        known = self.checks.get(given["check_id"])
        if known is None:
            number, name = given["id_number"], given["name"]
            known = "match" if self.names.setdefault(number, name) == name else "mismatch"
            if number[-4:-1] == "000":
                known = "unknown"
            self.checks[given["check_id"]] = known
        return known

    def _signed(self, said: dict[str, Any], message: str, mode: str) -> HttpAnswer:
        body = json.dumps(said).encode()
        key = _OTHER_KEY if mode == "wrong_signature" else self.key
        at = self.now() - timedelta(minutes=6 if mode == "old_signature" else 0)
        headers = {} if mode == "unsigned" else sign(key, message, at, body)
        return HttpAnswer(200, {"content-type": "application/json", **headers}, body)

    @staticmethod
    def _is_check(given: dict[str, Any], message_id: str) -> bool:
        return (
            set(given) == {"check_id", "name", "id_number"}
            and given["check_id"] == message_id
            and _CHECK.fullmatch(str(given["check_id"])) is not None
            and isinstance(given["name"], str) and bool(given["name"].strip())
            and isinstance(given["id_number"], str) and _NUMBER.fullmatch(given["id_number"]) is not None
        )  # fmt: skip
