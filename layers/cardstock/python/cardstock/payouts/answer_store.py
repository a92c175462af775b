"""A channel's answers in DynamoDB, and the open items about those that contradict each other.

The first answer that contradicts the one that holds opens an item and marks its line in the same transaction.
`store.py` says the keys and the costs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import astuple, replace
from pynamodb.attributes import UnicodeAttribute

from cardstock.aws.tables import ConditionFailedError, IntegerAttribute, JsonAttribute, Table, Transaction
from cardstock.clock import from_epoch_ms, rfc3339, to_epoch_ms
from cardstock.errors import STORE_BUSY
from cardstock.open_items import store as open_items
from cardstock.payouts.batch_store import BatchItem, batch_item, next_version
from cardstock.payouts.contradictions import Clearing, cleared, contradicted, contradiction_cause
from cardstock.payouts.line_store import LineItem, LineStore, correct_line, keys_of_part
from cardstock.payouts.lines import IN_FLIGHT, Confirmation, Line, OpenContradiction
from cardstock.payouts.model import ENDED
from cardstock.payouts.transfer_answers import Answer, after_closing, repeats

_ANSWERS_AT_ONCE = 33
"""Each may open an item and mark its line, and a transaction has a hundred actions."""
_ATTEMPTS = 5
_OLDER_LOOKED_AT = 24


class AnswersItem(Table):
    """A channel's answers about one number, oldest first."""

    class Meta:
        variable = "PAYOUTS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    answers = JsonAttribute()
    said = IntegerAttribute()


class AnswerStore(LineStore):
    """Answers, and what people decide about them. `opened` is called with each number for which it has opened an item
    for people."""

    def __init__(self, opened: Callable[[str], None] = lambda _number: None) -> None:
        self._opened = opened

    def record_answers(self, batch_id: str, answers: Sequence[Answer]) -> int:
        recorded = 0
        for start in range(0, len(answers), _ANSWERS_AT_ONCE):
            recorded += self._record(batch_id, answers[start : start + _ANSWERS_AT_ONCE])
        return recorded

    def _record(self, batch_id: str, answers: Sequence[Answer]) -> int:
        keys = [(batch_id, f"answer#{number}") for number in sorted({answer.number for answer in answers})]
        for _ in range(_ATTEMPTS):
            stored = {item.sk: item for item in AnswersItem.batch_get(keys, consistent_read=True)}
            fresh: dict[str, list[Answer]] = {}
            disputes: dict[str, _Dispute] = {}
            for answer in answers:
                key = f"answer#{answer.number}"
                heard = fresh.get(key) or (_answers(stored[key]) if key in stored else [])
                if not repeats(answer, heard):
                    fresh[key] = [*heard, answer]
                    if (holding := contradicted(heard, answer)) is not None:
                        disputes[answer.number] = _Dispute(contradiction_cause(answer.number, heard), holding, answer)
            if not fresh:
                return 0
            lines = self.find_lines(batch_id, disputes) if disputes else {}
            opened = {number: self._found(lines[number], disputes[number]) for number in lines}
            try:
                with Transaction() as write:
                    for number, facts in opened.items():
                        _mark(write, lines[number], disputes[number], facts)
                    for key, heard in fresh.items():
                        _save_answers(write, (batch_id, key), heard, stored.get(key))
            except ConditionFailedError:
                continue  # Somebody stored answers at the same time: compare again.
            for number in opened:
                self._opened(number)
            return sum(len(heard) - (stored[key].said if key in stored else 0) for key, heard in fresh.items())
        raise STORE_BUSY()

    def _found(self, line: Line, dispute: "_Dispute") -> dict[str, str]:
        """What an open item says of a line whose results contradict each other."""
        holding, last = dispute.holding, dispute.last
        batches, _ = self.batch_page(_OLDER_LOOKED_AT, None)
        others = (one for one in self.lines_of_member(line.member, batches) if one.number != line.number)
        return {
            "payout_id": line.batch,
            "booked": "was_paid" if holding.result == "paid" else "was_not_paid",
            "first_result": holding.result,
            "first_source": holding.source,
            "first_at": rfc3339(holding.received_at),
            "then_result": last.result,
            "then_source": last.source,
            "then_at": rfc3339(last.received_at),
            "then_reason": last.reason or "",
            # What is with the channel cannot be recalled; whoever looks must know of it.
            "in_flight": " ".join(f"{one.batch}/{one.number}" for one in others if one.status in IN_FLIGHT),
        }

    def book_clearing(self, clearing: Clearing, item: Any) -> bool:
        for _ in range(_ATTEMPTS):
            batch = self.find_batch(clearing.batch)
            at = after_closing(batch, clearing.at)
            line = self.find_lines(clearing.batch, [clearing.number])[clearing.number]
            stored = AnswersItem.get(clearing.batch, f"answer#{clearing.number}", consistent_read=True)
            heard = _answers(stored)
            after, decided = cleared(line, replace(clearing, at=at), heard)
            try:
                with Transaction() as write:
                    open_items.save_open_item(write, item)
                    if batch is not None and batch.stage not in ENDED:
                        # Whoever closes it now has read the lines as they were: it reads them again.
                        write.save(batch_item(next_version(batch)), condition=BatchItem.version == batch.version)
                    _save_answers(write, (line.batch, stored.sk), [*heard, decided], stored)
                    correct_line(write, line, after, clearing.persons)
            except ConditionFailedError as error:
                if 0 in error.failed:
                    return False
                continue  # Somebody stored answers, or changed the batch, at the same time.
            return True
        raise STORE_BUSY()

    def disputed_members(self) -> frozenset[str]:
        return frozenset(item.member_id for item in open_items.open_items_of_kind("payout_contradiction"))

    def find_answers(self, batch_id: str, numbers: Iterable[str]) -> Mapping[str, Sequence[Answer]]:
        keys = [(batch_id, f"answer#{number}") for number in sorted(set(numbers))]
        found = AnswersItem.batch_get(keys, consistent_read=True) if keys else ()
        return {item.sk.removeprefix("answer#"): tuple(_answers(item)) for item in found}

    def answers_of_batch(self, batch_id: str, part: str = "") -> Mapping[str, Sequence[Answer]]:
        found = {}
        wanted = AnswersItem.sk.startswith(keys_of_part("answer", batch_id, part))
        for item in AnswersItem.query(batch_id, wanted, consistent_read=True):
            found[item.sk.removeprefix("answer#")] = tuple(_answers(item))
        return found


class _Dispute(msgspec.Struct, frozen=True):
    """The answer that holds, the one that contradicts it, and the cause of the item about both."""

    cause: str
    holding: Answer
    last: Answer


def _mark(write: Transaction, line: Line, dispute: _Dispute, facts: Mapping[str, str]) -> None:
    """Open an item about a line whose results contradict each other, and mark the line with it: one put, one update."""
    item = open_items.add_found(
        write,
        "payout_contradiction",
        dispute.cause,
        line.number,
        amount_fen=line.net,
        member_id=line.member,
        facts=facts,
    )
    last = dispute.last
    mark = OpenContradiction(item, dispute.holding.result, last.result, last.received_at)
    stored = LineItem(pk=line.batch, sk=f"line#{line.number}")
    write.update(stored, actions=[LineItem.contradiction.set(mark)], condition=LineItem.pk.exists())


def _save_answers(
    write: Transaction, key: tuple[str, str], answers: Sequence[Answer], stored: AnswersItem | None
) -> None:
    """Store all answers about a number, if nobody has stored others meanwhile: one put."""
    pk, sk = key
    same = AnswersItem.pk.does_not_exist() if stored is None else AnswersItem.said == stored.said
    write.save(
        AnswersItem(pk=pk, sk=sk, answers=[_answer_data(answer) for answer in answers], said=len(answers)),
        condition=same,
    )


def _answer_data(answer: Answer) -> list[Any]:
    said = [answer.result, to_epoch_ms(answer.received_at), answer.source, answer.reason, answer.amount]
    confirmation = None if answer.confirmation is None else list(astuple(answer.confirmation))
    if answer.file is not None:
        return [*said, confirmation, answer.file]
    return said if confirmation is None else [*said, confirmation]


def _answers(item: AnswersItem) -> list[Answer]:
    number = item.sk.removeprefix("answer#")
    return [_answer(number, data) for data in item.answers]


def _answer(number: str, data: Sequence[Any]) -> Answer:
    result, at, source, reason, amount, *rest = data
    part, file, *_ = (*rest, None, None)
    confirmation = None if part is None else Confirmation(*part)
    return Answer(number, result, from_epoch_ms(at), source, reason, amount, confirmation, file)
