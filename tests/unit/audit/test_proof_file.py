"""Proof files: the leaf, the path, the checkpoint and the key all have to be the ones that were sealed."""

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from audit.checkpoint import Checkpoint, open_checkpoint, origins
from audit.note import SigningKey, VerifierKey
from audit.proof_file import Proof
from audit.tiles import Tree, roots
from domain.refusal import Refusal

KEY = SigningKey.parse("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
FIXTURES = pathlib.Path(__file__).parent / "go"


def sealed(count, index):
    leaves = [b"leaf %d" % i for i in range(count)]
    tree = Tree()
    tree.append(leaves)
    text = Checkpoint(origins("example", "")("decisions", 2), count, tree.root()).text()
    path = roots(tree.take_changed(), merkle.inclusion_ranges(index, count))
    return leaves[index], Proof(index, tuple(path), KEY.sign(text).encode())


LEAF, PROOF = sealed(300, 123)
RAW = PROOF.encode()


def test_a_proof_survives_its_file_and_says_what_it_proves():
    proof = Proof.parse(RAW)
    assert proof == PROOF
    checkpoint = proof.check(LEAF, [KEY.verifier])
    assert (checkpoint.origin, checkpoint.size, proof.index) == ("example/decisions/2", 300, 123)


@given(st.integers(1, 600), st.data())
def test_every_leaf_of_every_tree_can_be_proved(count, data):
    index = data.draw(st.integers(0, count - 1))
    leaf, proof = sealed(count, index)
    assert Proof.parse(proof.encode()).check(leaf, [KEY.verifier]).size == count


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_no_byte_of_a_proof_file_may_change(where, mask):
    raw = bytearray(RAW)
    raw[where] ^= mask
    with pytest.raises(Refusal):
        Proof.parse(bytes(raw)).check(LEAF, [KEY.verifier])


@given(st.integers(0, len(RAW)), st.binary(min_size=1, max_size=3))
def test_no_byte_may_be_added_to_a_proof_file(where, more):
    with pytest.raises(Refusal):
        Proof.parse(RAW[:where] + more + RAW[where:]).check(LEAF, [KEY.verifier])


@given(st.integers(0, len(RAW) - 1))
def test_a_proof_file_cut_anywhere_is_refused(where):
    with pytest.raises(Refusal):
        Proof.parse(RAW[:where]).check(LEAF, [KEY.verifier])


@given(st.binary(max_size=40))
def test_no_other_leaf_is_proved(leaf):
    if leaf == LEAF:
        return
    with pytest.raises(Refusal, match=r"leaf: is not what was sealed at index 123 of example/decisions/2"):
        PROOF.check(leaf, [KEY.verifier])


def test_another_key_of_the_same_name_proves_nothing():
    with pytest.raises(Refusal, match="is not signed by PeterNeumann"):
        PROOF.check(LEAF, [SigningKey.generate("PeterNeumann").verifier])


@given(st.binary(max_size=400))
def test_noise_is_refused_in_one_line(raw):
    for candidate in (raw, b"c2sp.org/tlog-proof@v1\n" + raw, RAW.partition(b"\n\n")[0] + b"\n\n" + raw):
        with pytest.raises(Refusal) as refused:
            Proof.parse(candidate).check(LEAF, [KEY.verifier])
        assert str(refused.value).isprintable()


@pytest.mark.parametrize("index", ["-1", "+1", "01", "1_0", "१", "1e3", " 1", "9" * 19, "", "300"])
def test_an_index_with_another_spelling_is_refused(index):
    with pytest.raises(Refusal, match="index"):
        Proof.parse(RAW.replace(b"index 123", f"index {index}".encode())).check(LEAF, [KEY.verifier])


def test_an_extra_line_is_passed_over():
    raw = RAW.replace(b"index", b"extra AAAA\nindex")
    assert Proof.parse(raw) == PROOF
    with pytest.raises(Refusal, match="extra"):
        Proof.parse(raw.replace(b"AAAA", b"A"))


def test_a_checkpoint_of_another_log_is_refused_where_the_log_is_named():
    assert open_checkpoint(PROOF.checkpoint, [KEY.verifier], "example/decisions/2").size == 300
    with pytest.raises(Refusal, match=r"origin: is example/decisions/2, not example/decisions/1"):
        open_checkpoint(PROOF.checkpoint, [KEY.verifier], "example/decisions/1")


@pytest.mark.parametrize("text", ["a\n1\n", "a\n1\nAA==\n", "\n1\nx\n", "a\n1\n" + "A" * 43 + "=", ""])
def test_a_checkpoint_without_its_three_lines_is_refused(text):
    with pytest.raises(Refusal):
        Checkpoint.parse(text)


@given(
    st.text(min_size=1).filter(lambda t: t.isprintable()),
    st.integers(0, 10**17),
    st.binary(min_size=32, max_size=32),
)
def test_a_checkpoint_survives_its_text(origin, size, root):
    assert Checkpoint.parse(Checkpoint(origin, size, root).text()) == Checkpoint(origin, size, root)


def test_the_proof_that_go_accepted_is_still_the_one_that_is_written():
    """Go's sumdb/note and sumdb/tlog accepted the files in `go/`, and refused the leaf with a byte added."""
    leaf, raw = (FIXTURES / "p.leaf").read_bytes(), (FIXTURES / "p.tlog-proof").read_bytes()
    key = VerifierKey.parse((FIXTURES / "key").read_text())
    proof = Proof.parse(raw)
    assert proof.check(leaf, [key]).size == 300
    assert (leaf, raw) == (LEAF, RAW)
    assert key == KEY.verifier
