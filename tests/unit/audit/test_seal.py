"""What may be signed: a log that still is what was published of it, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.seal import Seal, SplitView, leaf_spans
from audit.tiles import Tree
from tests.unit.audit.rfc6962 import root_of

ORIGIN = "folkmoot/decisions/0"


def records(count):
    return [b"record %d" % i for i in range(count)]


def absorb_all(seal, log, step):
    for start in range(0, len(log), step):
        seal.absorb(log[start : start + step])


def published(log, *sizes):
    return [Checkpoint(ORIGIN, size, root_of(log[:size])) for size in sizes]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=5), st.lists(st.integers(1, 900), max_size=5))
def test_a_rebuilt_tree_passes_through_everything_published_and_then_signs_again(batches, sizes):
    log = records(sum(batches))
    sizes = sorted(size for size in sizes if size <= len(log))
    seal = Seal(ORIGIN, Tree())
    seal.expect(published(log, *sizes))
    done = 0
    for batch in batches:
        seal.absorb(log[done : done + batch])
        done += batch
        if done <= max(sizes, default=0):
            assert seal.due() is None
        else:
            assert seal.due() == Checkpoint(ORIGIN, done, root_of(log[:done]))


@given(st.integers(1, 500), st.integers(0, 499), st.integers(1, 3))
def test_a_log_that_differs_from_what_was_published_is_not_sealed(size, at, batches):
    log = records(600)
    seal = Seal(ORIGIN, Tree())
    seal.expect(published(log, size))
    changed = list(log)
    changed[at % size] = b"another"
    step = len(log) // batches
    with pytest.raises(SplitView, match=f"the first {size} records are not those"):
        absorb_all(seal, changed, step)


def test_a_change_behind_what_was_published_is_no_split_view():
    log = records(20)
    seal = Seal(ORIGIN, Tree())
    seal.expect(published(log, 10))
    seal.absorb([*log[:15], b"another"])
    assert seal.due().size == 16


def test_a_resumed_tree_is_held_against_a_checkpoint_of_its_own_size():
    log = records(10)
    tree = Tree()
    tree.append(log)
    Seal(ORIGIN, tree).expect(published(log, 10))
    with pytest.raises(SplitView):
        Seal(ORIGIN, tree).expect([Checkpoint(ORIGIN, 10, merkle.EMPTY_ROOT)])


def test_two_published_checkpoints_of_one_size_are_a_split_view():
    seal = Seal(ORIGIN, Tree())
    with pytest.raises(SplitView, match="two different checkpoints of size 5"):
        seal.expect([Checkpoint(ORIGIN, 5, merkle.EMPTY_ROOT), *published(records(5), 5)])


def test_nothing_is_due_while_nothing_new_came():
    seal = Seal(ORIGIN, Tree())
    assert seal.due() is None
    seal.absorb(records(3))
    seal.expect(published(records(3), 3))
    assert seal.due() is None


@given(st.integers(0, 600), st.integers(0, 600))
def test_every_leaf_has_its_tile_with_the_offsets_of_that_batch(before, count):
    offsets = [3 * i for i in range(count)]
    spans = leaf_spans(before, offsets)
    for i, offset in enumerate(offsets):
        first, last = spans[(before + i) // 256]
        assert first <= offset <= last
    assert list(spans) == sorted({(before + i) // 256 for i in range(count)})


def test_a_batch_over_two_tiles_names_the_offsets_of_each():
    assert leaf_spans(254, [10, 11, 12, 20]) == {0: (10, 11), 1: (12, 20)}
