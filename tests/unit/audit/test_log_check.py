"""Tampering with records: found, and named by the first record that differs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.log_check import LogCheck
from tests.unit.audit.rfc6962 import root_of

SIZES = (40, 300, 555)
SEALED = [b"record %d" % i for i in range(555)]
HASHES = [merkle.leaf_hash(record) for record in SEALED]
SIGNED = [Checkpoint("o", size, root_of(SEALED[:size])) for size in SIZES]
SOME_HASH = merkle.leaf_hash(b"some other")


def check(log, hashes=HASHES, batch=555, checkpoints=SIGNED, offsets=None):
    """All findings of a log whose record i lies at offset i, fed in batches."""
    held = LogCheck("decisions/0", checkpoints)
    offsets = offsets or list(range(len(log)))
    for start in range(0, len(log), batch):
        span = slice(start, start + batch)
        held.feed(offsets[span], log[span], None if hashes is None else hashes[span])
    return [str(finding) for finding in held.finish((hashes or [])[len(log) :])]


@given(st.integers(1, 600))
def test_an_untouched_log_has_no_finding_in_any_batching(batch):
    assert check(SEALED, batch=batch) == []
    assert check(SEALED, hashes=None, batch=batch) == []


def test_records_that_are_not_sealed_yet_are_no_finding():
    assert check([*SEALED, b"new"], batch=100) == []


@given(st.integers(0, 554), st.integers(1, 600))
def test_a_changed_record_is_named(at, batch):
    log = [*SEALED]
    log[at] += b"!"
    covering = next(size for size in SIZES if size > at)
    assert check(log, batch=batch) == [
        f"decisions/0 offset {at}: changed after it was sealed as leaf {at} of {covering}"
    ]


@given(st.integers(0, 553))
def test_a_removed_record_is_named(at):
    (line,) = check(SEALED[:at] + SEALED[at + 1 :])
    assert line.startswith(f"decisions/0 offset {at}: removed: ")


def test_a_record_removed_from_a_log_that_keeps_its_offsets_is_named_by_the_next_one():
    offsets = [i for i in range(555) if i != 7]
    (line,) = check(SEALED[:7] + SEALED[8:], offsets=offsets)
    assert line.startswith("decisions/0 offset 8: removed: the record here is a later one")


@given(st.integers(0, 554))
def test_an_added_record_is_named(at):
    assert check([*SEALED[:at], b"forged", *SEALED[at:]], batch=1000)[0].startswith(
        f"decisions/0 offset {at}: added after"
    )


@given(st.integers(0, 553))
def test_reordered_records_are_named_by_the_first(at):
    log = [*SEALED]
    log[at], log[at + 1] = log[at + 1], log[at]
    assert check(log)[0].startswith(f"decisions/0 offset {at}: reordered after it was sealed")


@given(st.integers(0, 554), st.integers(1, 600))
def test_a_log_cut_short_is_named_by_its_end(length, batch):
    (line,) = check(SEALED[:length], batch=batch)
    assert line.startswith(f"decisions/0 offset {length}: removed after it was sealed as leaf {length}")


@given(st.integers(0, 554))
def test_without_stored_hashes_the_records_between_two_checkpoints_are_named(at):
    log = [*SEALED]
    log[at] = b"changed"
    low = max((size for size in SIZES if size <= at), default=0)
    high = next(size for size in SIZES if size > at)
    assert check(log, hashes=None) == [
        f"decisions/0: records {low} to {high - 1} are not those of the signed checkpoint of {high} records"
    ]


@pytest.mark.parametrize("length", [0, 39, 554])
def test_without_stored_hashes_a_log_cut_short_is_found(length):
    (line,) = check(SEALED[:length], hashes=None)
    assert f"offset {length}: the log ends after {length} records, but a signed checkpoint covers 555" in line


@given(st.integers(0, 554))
def test_a_changed_stored_hash_is_not_blamed_on_the_log(at):
    (line,) = check(SEALED, hashes=[*HASHES[:at], SOME_HASH, *HASHES[at + 1 :]])
    assert line.startswith(f"decisions/0 offset {at}: its stored hash was changed, the log agrees")


def test_a_record_changed_together_with_its_stored_hash_is_found_by_the_root():
    log = [*SEALED]
    log[350] = b"changed"
    (line,) = check(log, hashes=[merkle.leaf_hash(record) for record in log])
    assert line == "decisions/0: records 300 to 554 are not those of the signed checkpoint of 555 records"


def test_a_record_and_its_stored_hash_changed_in_two_ways_are_found():
    log = [*SEALED]
    log[350] = b"changed"
    (line,) = check(log, hashes=[*HASHES[:350], SOME_HASH, *HASHES[351:]])
    assert line == (
        "decisions/0 offset 350: neither log nor stored hashes lead to the signed checkpoint of 555"
    )


def test_a_difference_that_no_checkpoint_covers_says_so():
    hashes = [*HASHES, merkle.leaf_hash(b"new")]
    (line,) = check([*SEALED, b"other"], hashes=hashes)
    assert "offset 555: is not the record whose hash was stored; no checkpoint covers it yet" in line


@given(st.integers(1, 554), st.integers(0, 553), st.booleans())
def test_checkpoints_of_two_histories_are_found_whichever_of_them_the_log_is(size, at, rewritten):
    other = list(SEALED)
    other[at % size] = b"rewritten"
    signed = [
        Checkpoint("o", size, root_of(other[:size])),
        Checkpoint("o", 555, root_of(SEALED)),
    ]
    (found,) = check(other if rewritten else SEALED, hashes=None, checkpoints=signed)
    first, bad = (size, 555) if rewritten else (0, size)
    assert f"records {first} to {bad - 1} are not those of the signed checkpoint of {bad}" in found
