"""What persons of the staff do leaves a record: who, when, what and why, with personal data left out.

The record is written before the action begins, by one write, and deleted if the action is refused or turns out to be
the repeat of a request. So no action lacks its record, whenever its process dies; a record may be of an action that was
cut off.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from cardstock.edge.callers import Caller
from cardstock.texts import one_line

MOST_BYTES: Final = 400
"""Of what was asked, and of the reason: a record stays below 1 KB, one write unit."""
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:@-]{0,39}")
_LONG_NUMBER: Final = re.compile(r"[0-9](?:[ -]?[0-9]){6,}")
_PERSONAL: Final = frozenset({"name", "phone", "address", "holder", "number", "url", "invitation", "digits"})
_REASONS: Final = ("reason", "note")


class StaffAction(msgspec.Struct, frozen=True):
    """What a person begins to do."""

    person_id: str
    """A person id, or `root`."""
    by: str
    """The key id, or `session`."""
    call: str
    """`POST /v1/orders/{order_id}/returns`."""
    things: str
    """The values of the path, as `order_id=ord_...`."""
    details: str
    """What was asked, as `amount_fen=500`: numbers and names of choices alone."""
    reason: str
    trace_id: str


class StaffRecord(Protocol):
    """Where actions of the staff are recorded, and who a person's own members are."""

    def begin(self, action: StaffAction) -> str:
        """Record the action, as beginning now; returns its id. Raises `UnavailableError`: then it must not begin."""

    def forget(self, person_id: str, action_id: str) -> None:
        """Delete the record of an action that was refused. Says nothing if that fails."""

    def relatives_of(self, members: frozenset[str]) -> frozenset[str]:
        """These members, and those who have been verified as the same persons. One read."""


def action_of(call: str, values: Mapping[str, str], body: Any, caller: Caller, trace_id: str) -> StaffAction:
    """The record of a request."""
    asked = msgspec.to_builtins(body, order="deterministic") if isinstance(body, msgspec.Struct) else {}
    reason = " / ".join(str(asked[name]) for name in _REASONS if asked.get(name))
    details = ", ".join(
        f"{name}={shown}" for name, value in asked.items() if name not in _REASONS for shown in (_shown(name, value),)
    )
    return StaffAction(
        person_id=caller.actor_on_record,
        by="session" if caller.kind == "session" else caller.id,
        call=call,
        things=_cut(", ".join(f"{name}={masked(value)}" for name, value in values.items()), 200),
        details=_cut(details, MOST_BYTES // 2),
        reason=_cut(masked(one_line(reason)), MOST_BYTES),
        trace_id=_cut(trace_id, 64),
    )


def masked(text: str) -> str:
    """`text` with long numbers, such as telephone and account numbers, left out; ids keep theirs."""
    return text if re.fullmatch(r"[a-z]{3,4}_[0-9a-z.]+", text) else _LONG_NUMBER.sub("***", text)


def _shown(name: str, value: Any) -> str:
    if name in _PERSONAL:
        return "***"
    if isinstance(value, bool | int) or value is None:
        return str(value)
    if isinstance(value, str):
        return masked(value) if _CODE.fullmatch(value) else "***"
    if isinstance(value, list) and len(value) <= 8 and all(isinstance(each, str) for each in value):
        return "+".join(_shown(name, each) for each in value)
    return f"({len(value)})" if isinstance(value, list | dict) else "***"


def _cut(text: str, most: int) -> str:
    """The beginning of `text` that takes at most so many bytes."""
    return text.encode()[:most].decode("utf-8", "ignore")
