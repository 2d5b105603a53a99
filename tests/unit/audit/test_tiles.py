"""A tree that is kept in tiles: stopped and resumed anywhere, it is the same tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from audit.tiles import WIDTH, Tree, edge_of, range_root
from domain.refusal import Refusal
from tests.unit.audit.rfc6962 import root_of


def leaves(count):
    return [i.to_bytes(4, "big") for i in range(count)]


@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_a_tree_resumed_after_every_batch_is_the_tree_of_all_leaves(batches):
    stored, size, everything = {}, 0, leaves(sum(batches))
    for batch in batches:
        tree = Tree(size, stored)  # nothing but the tiles outlives a batch
        tree.append(everything[size : size + batch])
        stored |= tree.take_changed()
        size += batch
        assert tree.root() == root_of(everything[:size]) == Tree(size, stored).root()
    for (level, index), tile in stored.items():
        held = max(0, min(WIDTH, size // WIDTH**level - index * WIDTH))
        assert len(tile) == held * merkle.HASH_BYTES


def test_an_edge_with_several_levels_resumes():
    size = WIDTH * WIDTH + WIDTH + 1
    tree = Tree()
    tree.append(leaves(size))
    stored = tree.take_changed()
    assert edge_of(size) == [(0, 257), (1, 1), (2, 0)]
    again = Tree(size, {where: stored[where] for where in edge_of(size)})
    again.append([b"one more"])
    assert again.root() == root_of([*leaves(size), b"one more"])


def test_roots_taken_often_are_the_roots_taken_once():
    often = Tree()
    for i, leaf in enumerate(leaves(600), start=1):
        often.append([leaf])
        assert often.root() == root_of(leaves(i))


def test_tiles_longer_than_the_size_give_the_older_tree():
    tree = Tree()
    tree.append(leaves(900))
    stored = tree.take_changed()
    assert range_root(stored, (0, 300)) == Tree(300, stored).root() == root_of(leaves(300))


def test_a_missing_or_short_tile_is_refused_by_name():
    tree = Tree()
    tree.append(leaves(300))
    stored = tree.take_changed()
    with pytest.raises(Refusal, match="level 0 number 1 holds 0 of 44 hashes"):
        Tree(300, {where: tile for where, tile in stored.items() if where != (0, 1)})
    stored[0, 1] = stored[0, 1][:-32]
    with pytest.raises(Refusal, match="level 0 number 1 holds 43 of 44 hashes"):
        Tree(300, stored)
    with pytest.raises(Refusal, match="level 0 number 1 is missing or too short"):
        range_root(stored, (0, 300))


def test_what_did_not_change_is_not_handed_out_again():
    tree = Tree()
    tree.append(leaves(WIDTH))
    assert set(tree.take_changed()) == {(0, 0), (1, 0)}
    assert tree.take_changed() == {}
    tree.append([b"next"])
    assert set(tree.take_changed()) == {(0, 1)}
