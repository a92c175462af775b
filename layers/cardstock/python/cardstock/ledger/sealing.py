"""Sealing: every transaction becomes a leaf of one Merkle tree whose root is written once and published.

The consumer of the ledger's stream notes each new transaction with its leaf hash. Every night all noted transactions
that are old enough are put into seals of at most `SEAL_SIZE`. One write decides a seal: its object in the archive,
under the next number, if that number is free. Everything after that write (which transaction is in which seal, the list
of roots, removing the notes) can be repeated from the object. Late transactions are in a later seal; a note repeated
after its seal is dropped. Concurrent and killed runs make the same seals: a run takes the number after the last listed
seal, and a seal is listed only after all its transactions are stored as sealed, so every run knows what is sealed below
its number.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import msgspec
from msgspec.structs import asdict

from cardstock import clock
from cardstock.clock import rfc3339
from cardstock.errors import NOT_FOUND
from cardstock.ledger import errors, merkle
from cardstock.ledger.model import Leaf, LedgerTransaction, Seal, SealedLeaves, pocket_of
from cardstock.ledger.ports import Books, SealArchive, Seals

SEAL_SIZE: Final = 4096
"""Transactions of a seal: a proof's path has at most 13 hashes, a seal's object some 600 KB, and it takes seconds."""
SAFETY_MARGIN: Final = timedelta(minutes=15)
"""A younger transaction waits for the next night, so that transactions of one request are sealed together."""


def content_of(transaction: LedgerTransaction) -> bytes:
    """The canonical UTF-8 JSON of a transaction, whose hash is its leaf."""
    # Only with approvals: without them the bytes are the same as before approvals existed.
    approved = {"approved_by": list(transaction.approved_by)} if transaction.approved_by else {}
    return merkle.canonical(
        {
            **approved,
            "id": transaction.id,
            "kind": transaction.kind,
            "cause": transaction.cause,
            "order_id": transaction.order_id,
            "at": rfc3339(transaction.at),
            "plan": transaction.plan,
            "postings": [[posting.account, posting.amount, posting.reward] for posting in transaction.postings],
            "credits": [asdict(credit) for credit in transaction.credits],
        }
    )


def leaf_of(transaction: LedgerTransaction) -> Leaf:
    """A transaction's leaf."""
    return Leaf(transaction.id, transaction.at, merkle.leaf_hash(content_of(transaction)).hex())


def note(transaction: LedgerTransaction, *, seals: Seals) -> None:
    """Note that a transaction has to be sealed. Safe to repeat, also after it was sealed."""
    seals.note_leaf(leaf_of(transaction))


class SealingResult(msgspec.Struct, frozen=True):
    """The result of a run. Not `finished`: its time was up, the next one continues."""

    seals: int
    transactions: int
    finished: bool


def seal(
    until: datetime,
    *,
    seals: Seals,
    archive: SealArchive,
    time_left: Callable[[], bool],
    size: int = SEAL_SIZE,
) -> SealingResult:
    """Seal every unsealed transaction booked more than `SAFETY_MARGIN` before `until` (never later than now).

    Raises `UnavailableError` if the outcome of a step is unknown: run it again.
    """
    now = clock.now()
    before = min(until, now) - SAFETY_MARGIN
    made = transactions = 0
    while time_left():
        last = seals.last_seal()  # read before the notes, so that what it lists is sealed
        noted = list(islice(seals.noted_leaves(before), size))
        if not noted:
            return SealingResult(made, transactions, finished=True)
        numbers = seals.seal_numbers([leaf.transaction_id for leaf in noted])
        # A number above the last listed one belongs to an unfinished seal, which is completed below.
        listed = {name for name, number in numbers.items() if last is not None and number <= last.number}
        seals.forget_leaves([leaf for leaf in noted if leaf.transaction_id in listed])
        fresh = [leaf for leaf in noted if leaf.transaction_id not in listed]
        if fresh:
            kept = _decided(_draft(last, fresh, now), archive)
            seals.keep_seal(kept)
            seals.forget_leaves(kept.leaves)
            made += 1
            transactions += len(kept.leaves)
    return SealingResult(made, transactions, finished=False)


def _draft(last: Seal | None, fresh: Sequence[Leaf], now: datetime) -> SealedLeaves:
    leaves = tuple(sorted(fresh, key=lambda leaf: (leaf.at, leaf.transaction_id)))
    said = {
        "number": 1 if last is None else last.number + 1,
        "previous": merkle.GENESIS if last is None else last.root,
        "count": len(leaves),
        "first_at": rfc3339(leaves[0].at),
        "last_at": rfc3339(leaves[-1].at),
        "made_at": rfc3339(now),
    }
    hashes = _hashes(said, leaves)
    root, path = merkle.tree_root(hashes).hex(), merkle.audit_path(hashes, 0)
    link_path = tuple(entry.hex() for entry in path)
    return SealedLeaves(Seal(**said, root=root, link_path=link_path), leaves)  # type: ignore[arg-type]  # two types in one dict


def _hashes(said: Mapping[str, object], leaves: Sequence[Leaf]) -> list[bytes]:
    return [merkle.leaf_hash(merkle.link_content(said)), *(bytes.fromhex(leaf.hash) for leaf in leaves)]


def _decided(draft: SealedLeaves, archive: SealArchive) -> SealedLeaves:
    """The archive's content under the draft's number: the draft, or what an earlier run has written."""
    return from_bytes(archive.write_seal_once(draft.seal.number, to_bytes(draft)))


def to_bytes(sealed: SealedLeaves) -> bytes:
    """A seal as it is stored: the seal, and its leaves in their order."""
    leaves = [[leaf.transaction_id, rfc3339(leaf.at), leaf.hash] for leaf in sealed.leaves]
    return merkle.canonical({"seal": asdict(sealed.seal), "leaves": leaves})


def from_bytes(content: bytes) -> SealedLeaves:
    """The inverse of `to_bytes`. Raises ValueError, TypeError or KeyError for anything else."""
    read = json.loads(content)
    return SealedLeaves(
        seal_from(read["seal"]),
        tuple(Leaf(id_, datetime.fromisoformat(at), hash_) for id_, at, hash_ in read["leaves"]),
    )


def seal_from(values: Mapping[str, object]) -> Seal:
    """A seal from its stored fields."""
    return Seal(**{**values, "link_path": tuple(values["link_path"])})  # type: ignore[arg-type]  # written from the same type


def recomputed_root(sealed: SealedLeaves) -> str:
    """The root computed from a seal's fields and leaves."""
    return merkle.tree_root(_hashes(asdict(sealed.seal), sealed.leaves)).hex()


def prove(
    transaction_id: str, member_id: str, *, books: Books, seals: Seals, archive: SealArchive
) -> dict[str, object]:
    """The offline proof that a transaction is in its seal, for `merkle.check_proof`.

    The transaction is read from the ledger now, its leaf and path from the seal, so a ledger changed since then gives a
    proof that fails. Raises `NotFoundError` unless the member has a posting in it, `ConflictError` NOT_SEALED_YET until
    the night after the booking.
    """
    transaction = books.find_transaction(transaction_id)
    if transaction is None or not _takes_part(transaction, member_id):
        raise NOT_FOUND()
    number = seals.seal_numbers([transaction_id]).get(transaction_id)
    if number is None:
        raise errors.NOT_SEALED_YET()
    sealed = from_bytes(archive.read_seal(number))
    index = 1 + next(at for at, leaf in enumerate(sealed.leaves) if leaf.transaction_id == transaction_id)
    hashes = _hashes(asdict(sealed.seal), sealed.leaves)
    return {
        "format": merkle.FORMAT,
        "transaction_id": transaction_id,
        "transaction": content_of(transaction).decode(),
        "leaf_hash": hashes[index].hex(),
        "leaf_index": index,
        "audit_path": [entry.hex() for entry in merkle.audit_path(hashes, index)],
        "seal": seal_as_published(sealed.seal),
    }


def _takes_part(transaction: LedgerTransaction, member_id: str) -> bool:
    found = (pocket_of(posting.account) for posting in transaction.postings)
    return any(owner is not None and owner[0] == member_id for owner in found)


def seal_as_published(sealed: Seal) -> dict[str, object]:
    """A seal as it is published."""
    return {**asdict(sealed), "tree_size": sealed.tree_size, "link_path": list(sealed.link_path)}
