"""The sandbox: moves no money, and imitates every failure of a real channel. For tests and local use.

The way of a transfer is drawn from the seed and its number, or given by `script`. Its status follows from the way and
the time since it was sent. No state is kept, so every process on a machine answers the same.

| Way | Answers |
|---|---|
| `paid` | paid, at once |
| `failed` | failed, at once |
| `slow` | nothing for an hour, then paid |
| `confirm` | waits for the payee, who accepts after two hours |
| `lapse` | waits for the payee, and expires after 26 hours |
| `late` | as `lapse`, but paid after 30 hours |
| `stuck` | waits for the payee until it is cancelled |
| `taken` | as `stuck`, but at the cancellation the payee has just accepted |
| `other_amount` | paid, but one fen less |
| `silent` | nothing, ever |
| `down` | unreachable |
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, Literal, TypeAlias, get_args

from cardstock import clock
from cardstock.errors import CHANNEL_UNAVAILABLE
from cardstock.files import Document
from cardstock.payouts.lines import Confirmation, Line, Result
from cardstock.payouts.model import Batch
from cardstock.payouts.payees import DropReason
from cardstock.payouts.transfer_answers import Answer

NAME: Final = "sandbox"
Way: TypeAlias = Literal[
    "paid", "failed", "slow", "confirm", "lapse", "late", "stuck", "taken", "other_amount", "silent", "down"
]
WAYS: tuple[Way, ...] = get_args(Way)
_HARMLESS: tuple[Way, ...] = ("paid", "paid", "paid", "paid", "paid", "paid", "confirm", "slow", "lapse", "failed")


def drawn(seed: str, among: Sequence[Way] = _HARMLESS) -> Callable[[Line], Way]:
    """A script: the same way for the same seed and number. By default every way reaches a final answer by itself."""

    def script(line: Line) -> Way:
        return among[hashlib.sha256(f"{seed}\x00{line.number}".encode()).digest()[0] % len(among)]

    return script


class SandboxTransfers:
    """`payouts.ports.Channel`. `handed_over` counts submissions by number. Raises AssertionError for a number that is
    submitted again with other parameters: a real channel would refuse it."""

    def __init__(self, script: Callable[[Line], Way] | None = None) -> None:
        self.script = script or drawn("local")
        self.handed_over: dict[str, int] = {}
        self._parameters: dict[str, tuple[object, ...]] = {}
        self._called_back: set[str] = set()

    def refusal(self, account: str, name: str, net: int) -> DropReason | None:  # noqa: ARG002 - the port's signature
        return None

    def transfer(self, lines: Sequence[Line]) -> Sequence[Answer]:
        for line in lines:
            parameters = (line.member, line.net, line.name, line.account)
            if self._parameters.setdefault(line.number, parameters) != parameters:
                raise AssertionError(f"{line.number} came with other parameters")
            self.handed_over[line.number] = self.handed_over.get(line.number, 0) + 1
        return self.ask(lines)

    def ask(self, lines: Sequence[Line]) -> Sequence[Answer]:
        if any(self.script(line) == "down" for line in lines):
            raise CHANNEL_UNAVAILABLE()
        return [answer for line in lines if (answer := self._answer(line)) is not None]

    def cancel(self, lines: Sequence[Line]) -> Sequence[Answer]:
        self._called_back |= {line.number for line in lines}
        return self.ask(lines)

    def document(self, batch: Batch, lines: Sequence[Line]) -> Document | None:  # noqa: ARG002 - the port's signature
        return None

    def _answer(self, line: Line) -> Answer | None:
        now = clock.now()
        way = self.script(line)
        said = _stands(way, now - (line.sent_at or now), called_back=line.number in self._called_back)
        if said is None:
            return None
        return Answer(
            number=line.number,
            result=said,
            received_at=now,
            source=NAME,
            reason={"failed": "ACCOUNT_FROZEN", "expired": "OVERDUE_CLOSE"}.get(said),
            amount=line.net - (way == "other_amount") if said == "paid" else None,
            confirmation=Confirmation("sandbox", "sandbox", f"package-{line.number}")
            if said == "waiting_user"
            else None,
        )


def _stands(way: Way, since: timedelta, *, called_back: bool) -> Result | None:
    hours = since / timedelta(hours=1)
    if way in ("stuck", "taken"):
        return ("paid" if way == "taken" else "expired") if called_back else "waiting_user"
    course: dict[Way, tuple[tuple[int, Result | None], ...]] = {
        "paid": ((0, "paid"),),
        "other_amount": ((0, "paid"),),
        "failed": ((0, "failed"),),
        "slow": ((0, None), (1, "paid")),
        "confirm": ((0, "waiting_user"), (2, "paid")),
        "lapse": ((0, "waiting_user"), (26, "expired")),
        "late": ((0, "waiting_user"), (26, "expired"), (30, "paid")),
    }
    said: Result | None = None
    for begins, result in course.get(way, ()):
        if hours >= begins:
            said = result
    return said
