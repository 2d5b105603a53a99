"""The trees against RFC 6962's published vectors and against pymerkle."""

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from audit.tiles import Tree, roots, tiles_for
from domain.refusal import Refusal
from tests.unit.audit.rfc6962 import root_of

# The test tree of the reference implementation of Certificate Transparency (google/certificate-transparency,
# merkletree/merkle_tree_test), by size.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {  # (leaf counted from 1, size): path
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (3, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}


def grown(count):
    tree = Tree()
    leaves = [b"leaf %d" % i for i in range(count)]
    tree.append(leaves)
    return tree, leaves, tree.take_changed()


def hexed(path):
    return [sibling.hex() for sibling in path]


@pytest.mark.parametrize("size", range(len(LEAVES) + 1))
def test_the_roots_are_those_of_the_reference_implementation(size):
    tree = Tree()
    tree.append(LEAVES[:size])
    assert tree.root().hex() == ROOTS[size]
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("place", "path"), INCLUSION.items())
def test_inclusion_paths_are_those_of_the_reference_implementation(place, path):
    tree = Tree()
    tree.append(LEAVES)
    leaf, size = place
    assert hexed(roots(tree.take_changed(), merkle.inclusion_ranges(leaf - 1, size))) == path
    found = merkle.root_from_path(
        merkle.leaf_hash(LEAVES[leaf - 1]), leaf - 1, size, [bytes.fromhex(p) for p in path]
    )
    assert found.hex() == ROOTS[size]


@given(st.data())
def test_roots_and_paths_agree_with_pymerkle(data):
    size = data.draw(st.integers(1, 1100), label="size")
    index = data.draw(st.integers(0, size - 1), label="index")
    tree, leaves, tiles = grown(size)
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    oracle.append_entries(leaves)
    assert tree.root() == oracle.get_root()
    theirs = oracle.prove_inclusion(index + 1, size)
    assert roots(tiles, merkle.inclusion_ranges(index, size)) == theirs.path[1:]


@given(st.data())
def test_a_proof_holds_for_no_other_leaf_index_size_or_path(data):
    size = data.draw(st.integers(2, 700), label="size")
    index = data.draw(st.integers(0, size - 1), label="index")
    tree, leaves, tiles = grown(size)
    path = roots(tiles, merkle.inclusion_ranges(index, size))
    leaf = merkle.leaf_hash(leaves[index])
    assert merkle.root_from_path(leaf, index, size, path) == tree.root()

    def holds(leaf=leaf, index=index, size=size, path=path):
        try:
            return merkle.root_from_path(leaf, index, size, path) == tree.root()
        except Refusal:
            return False

    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index), label="other")
    assert not holds(index=other)
    assert not holds(leaf=merkle.leaf_hash(leaves[other]))
    where = data.draw(st.integers(0, len(path) - 1), label="where")
    assert not holds(path=[*path[:where], merkle.leaf_hash(b"x"), *path[where + 1 :]])
    assert not holds(path=path[:where] + path[where + 1 :])
    assert not holds(path=[*path, path[-1]])


def test_a_leaf_cannot_pose_as_a_node():
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_a_leaf_outside_the_tree_is_refused(index, size):
    with pytest.raises(Refusal, match=f"leaf {index} is not in a tree of {size} leaves"):
        merkle.inclusion_ranges(index, size)


def test_a_proof_at_a_million_leaves_reads_a_handful_of_tiles():
    assert len(tiles_for(merkle.inclusion_ranges(654_321, 1_000_000))) <= 6
