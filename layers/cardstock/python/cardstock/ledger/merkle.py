"""Merkle trees as in RFC 6962, and the check of a proof of the ledger. It uses only the standard library, no clock,
network or setting, so that anybody who keeps this file and a proof can check it in twenty years.

A seal's tree has the link to the seal before as its first leaf, then one leaf per transaction. So its root covers every
transaction of the seal and, through the link, every earlier seal.

Sources: RFC 6962, sections 2.1 (tree) and 2.1.1 (audit path); RFC 9162, section 2.1.3.2 (verifying one).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

FORMAT: Final = "cardstock-ledger-proof-1"
GENESIS: Final = "0" * 64
"""The `previous` root of the first seal."""
_NO_LEAVES: Final = hashlib.sha256(b"").digest()


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf: prefix 0x00, so that a leaf cannot pass for a node."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: prefix 0x01."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, in their order."""
    if not leaves:
        return _NO_LEAVES
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def audit_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root, from the bottom up. Raises IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    path = []
    level = list(leaves)
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        level = _above(level)
        index >>= 1
    return path


def _above(level: list[bytes]) -> list[bytes]:
    """The nodes over a level. A last one without neighbour moves up unchanged, which gives the RFC's trees."""
    pairs = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return pairs + level[len(pairs) * 2 :]


def root_from(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root from a leaf and its audit path. Raises ValueError if the path's length does not fit the tree."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} of {size}")
    found, last, rest = leaf, size - 1, list(path)
    while last:
        # A left node at the end of its level has no neighbour and moves up unchanged.
        if index & 1 or index != last:
            if not rest:
                raise ValueError("the audit path is too short")
            found = node_hash(rest.pop(0), found) if index & 1 else node_hash(found, rest.pop(0))
        index >>= 1
        last >>= 1
    if rest:
        raise ValueError("the audit path is too long")
    return found


def canonical(value: object) -> bytes:
    """Canonical JSON: sorted names, no spaces, UTF-8. Raises ValueError for NaN; callers pass no floats."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def link_content(seal: Mapping[str, object]) -> bytes:
    """The first leaf of a seal's tree: its number, the root before it, and what it covers."""
    return canonical({name: seal[name] for name in ("number", "previous", "count", "first_at", "last_at", "made_at")})


def check_proof(proof: Mapping[str, object], root: str | None = None) -> list[str]:
    """The errors of a downloaded proof; empty if it holds.

    `root` is the published root of its seal, known to the reader from elsewhere (64 hex digits). Without it the proof
    is only shown to be consistent.
    """
    try:
        return _wrong(proof, root)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"this is no proof that can be read: {error!r}"]


def _wrong(proof: Mapping[str, object], root: str | None) -> list[str]:
    wrong = []
    if proof["format"] != FORMAT:
        return [f"the format is {proof['format']!r}, not {FORMAT!r}"]
    seal = proof["seal"]
    if not isinstance(seal, Mapping):
        raise TypeError("seal")
    said, size, index = bytes.fromhex(seal["root"]), _int(seal["tree_size"]), _int(proof["leaf_index"])
    if size != _int(seal["count"]) + 1:
        return [f"a tree over {seal['count']} transactions and a link has not {size} leaves"]
    if index == 0:
        return ["the first leaf is the link, not a transaction"]
    content = str(proof["transaction"]).encode()
    leaf = leaf_hash(content)
    if leaf != bytes.fromhex(str(proof["leaf_hash"])):
        wrong.append(f"the transaction hashes to {leaf.hex()}, the seal has {proof['leaf_hash']}")
    elif root_from(leaf, index, size, _hashes(proof["audit_path"])) != said:
        wrong.append("the audit path of the transaction does not lead to the root")
    if json.loads(content)["id"] != proof["transaction_id"]:
        wrong.append(f"the transaction is not {proof['transaction_id']}")
    if root_from(leaf_hash(link_content(seal)), 0, size, _hashes(seal["link_path"])) != said:
        wrong.append("what the seal says of itself, or of the seal before it, does not lead to the root")
    if root is not None and bytes.fromhex(root) != said:
        wrong.append(f"the root is {seal['root']}, not the published {root}")
    return wrong


def _int(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no integer")
    return value


def _hashes(value: object) -> list[bytes]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list of hashes")
    found = [bytes.fromhex(entry) for entry in value]
    if any(len(entry) != 32 for entry in found):
        raise ValueError("a hash has not 32 bytes")
    return found
