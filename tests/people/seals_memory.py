"""The ports of sealing in memory."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from cardstock.errors import NOT_FOUND
from cardstock.ledger.model import Leaf, Seal, SealedLeaves


class MemorySeals:
    """`ledger.ports.Seals`."""

    def __init__(self) -> None:
        self.waiting: dict[str, Leaf] = {}
        self.numbers: dict[str, int] = {}
        self.listed: dict[int, Seal] = {}

    def note_leaf(self, leaf: Leaf) -> None:
        self.waiting[leaf.transaction_id] = leaf

    def noted_leaves(self, before: datetime) -> Iterator[Leaf]:
        yield from sorted(
            (leaf for leaf in self.waiting.values() if leaf.at < before), key=lambda leaf: leaf.transaction_id
        )

    def seal_numbers(self, transaction_ids: Sequence[str]) -> Mapping[str, int]:
        return {name: self.numbers[name] for name in transaction_ids if name in self.numbers}

    def keep_seal(self, sealed: SealedLeaves) -> None:
        for leaf in sealed.leaves:
            self.numbers[leaf.transaction_id] = sealed.seal.number
        self.listed[sealed.seal.number] = sealed.seal

    def forget_leaves(self, leaves: Sequence[Leaf]) -> None:
        for leaf in leaves:
            self.waiting.pop(leaf.transaction_id, None)

    def last_seal(self) -> Seal | None:
        return self.listed[max(self.listed)] if self.listed else None

    def list_seals(self, limit: int, after: str | None) -> tuple[list[Seal], str | None]:
        numbers = [number for number in sorted(self.listed, reverse=True) if after is None or number < int(after)]
        page = [self.listed[number] for number in numbers[:limit]]
        return page, str(page[-1].number) if len(numbers) > limit else None


class MemoryArchive:
    """`ledger.ports.SealArchive`."""

    def __init__(self) -> None:
        self.kept: dict[int, bytes] = {}

    def write_seal_once(self, number: int, content: bytes) -> bytes:
        return self.kept.setdefault(number, content)

    def read_seal(self, number: int) -> bytes:
        if number not in self.kept:
            raise NOT_FOUND()
        return self.kept[number]
