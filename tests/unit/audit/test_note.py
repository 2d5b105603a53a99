"""Signed notes and keys: what is taken, and that nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.kept_notes import split_notes
from audit.note import SigningKey, VerifierKey, open_note
from domain.refusal import Refusal

# The keys and the note of Go's documentation, golang.org/x/mod/sumdb/note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_signed_by_go_is_taken():
    assert open_note(GO_NOTE.encode(), [VerifierKey.parse(GO_VKEY)]) == GO_TEXT


def test_the_same_key_gives_the_same_note_as_go():
    key = SigningKey.parse(GO_SKEY)
    assert str(key.verifier) == GO_VKEY
    assert key.secret() == GO_SKEY + "\n"
    assert key.sign(GO_TEXT) == GO_NOTE


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["folkmoot", "audit.example/log", "ö"]))
def test_a_verifier_key_survives_its_text(public, name):
    key = VerifierKey(name, public)
    assert VerifierKey.parse(str(key)) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        GO_VKEY[:-1],
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
        GO_VKEY.replace("c74f20a3", "C74F20A3"),
        GO_VKEY.replace("PeterNeumann", "Peter Neumann"),
        GO_VKEY.replace("PeterNeumann", ""),
        GO_VKEY.replace("PeterNeumann", "Someone"),
        GO_VKEY.replace("+ARpc", "+AhpC"),
        GO_VKEY[:-1] + "X",
        "x\x1b[31m+00000000+AA==",
    ],
)
def test_a_malformed_verifier_key_is_refused_in_one_line(text):
    with pytest.raises(Refusal) as refused:
        VerifierKey.parse(text)
    assert refused.value.field == "key"
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "text", ["", "x", GO_VKEY, GO_SKEY[:-4], GO_SKEY.replace("c74f20a3", "c74f20a4"), GO_SKEY[12:]]
)
def test_a_malformed_signing_key_is_refused_without_quoting_it(text):
    with pytest.raises(Refusal, match="is no signing key") as refused:
        SigningKey.parse(text)
    assert "AYEKFALV" not in str(refused.value)


def test_a_key_does_not_show_itself():
    key = SigningKey.parse(GO_SKEY)
    assert "AYEKFALV" not in repr(key)
    assert key.private.private_bytes_raw().hex() not in repr(key)
    assert "PeterNeumann" in repr(key)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\u00a0b", "a\nb", "a\x00b"])
def test_a_name_that_notes_cannot_hold_is_refused(name):
    with pytest.raises(Refusal, match="no key name"):
        SigningKey.generate(name)


@given(st.integers(0, len(GO_NOTE.encode()) - 1), st.integers(1, 255))
def test_no_byte_of_a_note_may_change(where, mask):
    raw = bytearray(GO_NOTE.encode())
    raw[where] ^= mask
    with pytest.raises(Refusal):
        open_note(bytes(raw), [VerifierKey.parse(GO_VKEY)])


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "no signed note"),
        (GO_TEXT.encode(), "no signed note"),
        (GO_TEXT.encode() + b"\n", "no signed note"),
        (GO_NOTE[:-1].encode(), "no signed note"),
        (GO_NOTE.encode() + "— x\n".encode(), "no signature line"),
        (GO_NOTE.encode() + "— x AAAA\n".encode(), "no signature line"),
        (GO_NOTE.encode() + "— x y z\n".encode(), "not base64"),
        (GO_NOTE.encode() + b"- x AAAAAAA=\n", "no signature line"),
        (GO_NOTE.encode() + "— x AAAAAAA=\n".encode() * 101, "no signed note"),
        (GO_NOTE.replace("If", "I\tf").encode(), "control character"),
        (b"\xff" + GO_NOTE.encode(), "not UTF-8 at byte 0"),
        (b"a" * 1_000_001, "too many"),
    ],
)
def test_a_malformed_note_is_refused_by_its_fault(raw, problem):
    with pytest.raises(Refusal, match=problem):
        open_note(raw, [VerifierKey.parse(GO_VKEY)])


def test_a_note_of_an_unknown_key_is_refused():
    with pytest.raises(Refusal, match="is not signed by PeterNeumann"):
        open_note(SigningKey.generate("PeterNeumann").sign("a\n").encode(), [VerifierKey.parse(GO_VKEY)])


def test_a_witness_may_add_a_signature_and_the_note_still_opens():
    witness = SigningKey.generate("witness.example")
    both = GO_NOTE + witness.sign(GO_TEXT).rpartition("\n\n")[2]
    assert open_note(both.encode(), [VerifierKey.parse(GO_VKEY)]) == GO_TEXT
    assert open_note(both.encode(), [witness.verifier]) == GO_TEXT


def test_several_notes_in_one_file_are_told_apart():
    cosigned = f"{GO_NOTE}{GO_NOTE.splitlines()[-1]}\n"
    assert split_notes(f"{GO_NOTE}\n{cosigned}\n{GO_NOTE}".encode(), "file") == [GO_NOTE, cosigned, GO_NOTE]


@pytest.mark.parametrize(
    "raw", [b"", b"\n\n", b"text\n", GO_NOTE.encode() + b"\nmore\n", b"a\n\nb\n", b"\xff"]
)
def test_a_file_that_holds_no_notes_is_refused(raw):
    with pytest.raises(Refusal, match=r"^file: "):
        split_notes(raw, "file")
