"""Merkle trees as RFC 6962 defines them: its own recursive definition is the judge."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock.ledger import merkle

CONTENTS = [
    bytes.fromhex(digits)
    for digits in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
"""The leaves of the reference implementation's tests (google/certificate-transparency, merkletree)."""
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}

leaves = st.lists(st.binary(max_size=4).map(merkle.leaf_hash), min_size=1, max_size=80)


def mth(contents: list[bytes]) -> bytes:
    """Section 2.1, word for word."""
    n = len(contents)
    if n == 0:
        return hashlib.sha256().digest()
    if n == 1:
        return hashlib.sha256(b"\x00" + contents[0]).digest()
    k = 1
    while k * 2 < n:
        k *= 2
    return hashlib.sha256(b"\x01" + mth(contents[:k]) + mth(contents[k:])).digest()


def path(m: int, contents: list[bytes]) -> list[bytes]:
    """Section 2.1.1, word for word."""
    n = len(contents)
    if n == 1:
        return []
    k = 1
    while k * 2 < n:
        k *= 2
    if m < k:
        return [*path(m, contents[:k]), mth(contents[k:])]
    return [*path(m - k, contents[k:]), mth(contents[:k])]


def test_the_roots_are_those_of_the_reference_implementation() -> None:
    hashes = [merkle.leaf_hash(content) for content in CONTENTS]

    assert merkle.tree_root([]).hex() == hashlib.sha256().hexdigest()
    assert [merkle.tree_root(hashes[: n + 1]).hex() for n in range(8)] == ROOTS


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_the_paths_are_those_of_the_reference_implementation(index: int, size: int) -> None:
    hashes = [merkle.leaf_hash(content) for content in CONTENTS[:size]]

    assert [entry.hex() for entry in merkle.audit_path(hashes, index)] == PATHS[index, size]


@given(st.lists(st.binary(max_size=3), max_size=70), st.data())
def test_roots_and_paths_are_the_rfcs_for_any_leaves(contents: list[bytes], data: st.DataObject) -> None:
    hashes = [merkle.leaf_hash(content) for content in contents]

    assert merkle.tree_root(hashes) == mth(contents)
    if contents:
        index = data.draw(st.integers(0, len(contents) - 1))
        assert merkle.audit_path(hashes, index) == path(index, contents)


@given(leaves, st.data())
def test_every_leaf_leads_to_the_root_by_its_own_path_and_place_alone(tree: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(tree) - 1))
    path_, root = merkle.audit_path(tree, index), merkle.tree_root(tree)

    assert merkle.root_from(tree[index], index, len(tree), path_) == root
    assert merkle.root_from(merkle.leaf_hash(b"another leaf"), index, len(tree), path_) != root
    for longer in ([*path_, root], [root, *path_]):
        with pytest.raises(ValueError, match="too long"):
            merkle.root_from(tree[index], index, len(tree), longer)
    if path_:
        with pytest.raises(ValueError, match="too short"):
            merkle.root_from(tree[index], index, len(tree), path_[:-1])
        bent = data.draw(st.integers(0, len(path_) - 1))
        wrong = [*path_[:bent], merkle.leaf_hash(path_[bent]), *path_[bent + 1 :]]
        assert merkle.root_from(tree[index], index, len(tree), wrong) != root


@given(leaves, st.data())
def test_a_root_moves_with_any_leaf_that_is_changed_removed_or_swapped(tree: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(tree) - 1))
    other = data.draw(st.integers(0, len(tree) - 1))
    swapped = list(tree)
    swapped[at], swapped[other] = swapped[other], swapped[at]

    root = merkle.tree_root(tree)
    assert merkle.tree_root([*tree[:at], merkle.leaf_hash(b"changed"), *tree[at + 1 :]]) != root
    assert merkle.tree_root([*tree[:at], *tree[at + 1 :]]) != root
    assert (merkle.tree_root(swapped) == root) == (tree[at] == tree[other])


def test_a_node_cannot_be_passed_off_as_a_leaf() -> None:
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")

    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_outside_its_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="leaf"):
        merkle.root_from(b"", index, size, [])
    with pytest.raises(IndexError):
        merkle.audit_path([b""] * size, index)


def test_canonical_json_has_one_spelling() -> None:
    assert merkle.canonical({"b": [1, None, "佣金"], "a": "x"}) == '{"a":"x","b":[1,null,"佣金"]}'.encode()
    with pytest.raises(ValueError, match="JSON compliant"):
        merkle.canonical(float("nan"))
