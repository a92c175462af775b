"""Seals of the ledger and proofs as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import asdict

from cardstock.edge.fields import Moment, NextCursor
from cardstock.edge.http import Model
from cardstock.ledger.model import Seal

_A_HASH = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
_ANOTHER = "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"

Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z", examples=[_A_HASH])]
Path = Annotated[list[str], Meta(description="From the bottom to the top, in hex.", examples=[[_A_HASH, _ANOTHER]])]


class LedgerSeal(Model):
    """One seal: the root over its entries and, as the tree's first leaf, the link to the seal before.

    The link is the JSON of `number`, `previous`, `count`, `first_at`, `last_at` and `made_at` with sorted names and
    without spaces.
    """

    number: Annotated[int, Meta(ge=1, examples=[42], description="Number of the seal, from 1.")]
    root: Annotated[Hash, Meta(description="Root of the tree over its entries and the link to the seal before.")]
    previous: Annotated[Hash, Meta(description="Root of the seal before; 64 zeros for the first one.")]
    tree_size: Annotated[int, Meta(examples=[4], description="Leaves of the tree: its entries and the link.")]
    count: Annotated[int, Meta(examples=[3], description="Ledger entries in it.")]
    first_at: Annotated[Moment, Meta(description="When its oldest entry was booked.")]
    last_at: Annotated[Moment, Meta(description="When its newest entry was booked.")]
    made_at: Annotated[Moment, Meta(description="When it was made.")]
    link_path: Annotated[Path, Meta(description="Hashes from the link, the first leaf, up to the root, in hex.")]

    @classmethod
    def of(cls, seal: Seal) -> LedgerSeal:
        """One seal as it is published."""
        return cls(tree_size=seal.tree_size, **{**asdict(seal), "link_path": list(seal.link_path)})


class LedgerProof(Model):
    """The proof that one entry is in its seal."""

    format: Annotated[
        str, Meta(examples=["cardstock-ledger-proof-1"], description="Format of the proof, with its version.")
    ]
    transaction_id: Annotated[
        str, Meta(examples=["release.ord_01kbdxdh50fcazdjhcnqh2rzv5"], description="Proven ledger entry.")
    ]
    transaction: Annotated[
        str,
        Meta(
            examples=[
                '{"at":"2026-12-20T16:30:04.211Z","cause":"ord_01kbdxdh50fcazdjhcnqh2rzv5","credits":[],'
                '"id":"release.ord_01kbdxdh50fcazdjhcnqh2rzv5","kind":"released",'
                '"order_id":"ord_01kbdxdh50fcazdjhcnqh2rzv5","plan":"chain21@1","postings":['
                '["member:mem_01kbdxdh50fcazdjhcnqh2rzv5:frozen",-30000,"direct"],'
                '["member:mem_01kbdxdh50fcazdjhcnqh2rzv5:available",30000,"direct"]]}'
            ],
            description="The entry as JSON text; its bytes in UTF-8 are the leaf.",
        ),
    ]
    leaf_hash: Annotated[Hash, Meta(description="SHA-256 of a zero byte and the bytes of `transaction`.")]
    leaf_index: Annotated[int, Meta(ge=1, description="Its place in the tree; 0 is the link.", examples=[2])]
    audit_path: Annotated[Path, Meta(description="Hashes from the leaf up to the root (RFC 6962), in hex.")]
    seal: Annotated[LedgerSeal, Meta(description="Seal that holds the entry.")]

    @classmethod
    def of(cls, proof: Mapping[str, object]) -> LedgerProof:
        """A proof as `sealing.prove` makes it."""
        return msgspec.convert(proof, cls)


class SealPage(Model):
    """Some seals, newest first."""

    items: Annotated[list[LedgerSeal], Meta(description="Seals, newest first.")]
    next_cursor: NextCursor

    @classmethod
    def of(cls, seals: Sequence[Seal], next_cursor: str | None) -> SealPage:
        """A page of the list of seals."""
        return cls([LedgerSeal.of(seal) for seal in seals], next_cursor)
