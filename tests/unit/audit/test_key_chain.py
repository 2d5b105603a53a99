"""Who may sign, and up to where: the chain of announced keys."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint
from audit.key_chain import KeyChain
from audit.key_statement import KeyStatement
from audit.merkle import EMPTY_ROOT
from audit.note import SigningKey
from domain.refusal import Refusal

NAME = "example/checkpoints/keys"
ORIGIN = "example/decisions/2"
A, B, C = (SigningKey.generate("example") for _ in range(3))
FIRST = KeyStatement(NAME, 1, A.verifier)
SECOND = KeyStatement(NAME, 2, B.verifier, A.verifier, ends=(Checkpoint(ORIGIN, 10, EMPTY_ROOT),))
THIRD = KeyStatement(
    NAME, 3, C.verifier, B.verifier, "Ada: the host burnt down", (Checkpoint(ORIGIN, 20, EMPTY_ROOT),)
)


def signed(statement, *keys):
    first, *more = keys
    return first.sign(statement.text()) + "".join(key.signature(statement.text()) for key in more)


def chain(*notes):
    made = KeyChain(NAME)
    for note in notes:
        assert made.add(note)
    return made


ROTATED = chain(signed(FIRST, A), signed(SECOND, A, B))
LOST = chain(signed(FIRST, A), signed(SECOND, A, B), signed(THIRD, C))


def checkpoint(size, key, origin=ORIGIN):
    return key.sign(Checkpoint(origin, size, EMPTY_ROOT).text()).encode()


def test_each_key_counts_up_to_where_the_next_one_began():
    assert [ROTATED.open(checkpoint(size, A)).size for size in (1, 10)] == [1, 10]
    assert ROTATED.open(checkpoint(11, B), ORIGIN).size == 11
    with pytest.raises(
        Refusal, match=rf"of 11 records is signed by {A.verifier.short.replace('+', '.')}, which was"
    ):
        ROTATED.open(checkpoint(11, A))
    with pytest.raises(Refusal, match="of 1 record is signed by"):
        ROTATED.open(checkpoint(1, A, "example/fleet/0"))  # which had no checkpoint when A was replaced
    assert LOST.open(checkpoint(20, B)).size == 20
    with pytest.raises(Refusal, match="of 21 records"):
        LOST.open(checkpoint(21, B))


def test_a_key_that_was_never_announced_is_named():
    with pytest.raises(Refusal, match=rf"signed by example.{C.verifier.key_id.hex()}, a key that was never"):
        ROTATED.open(checkpoint(30, C))


def test_a_signature_that_only_bears_the_keys_id_is_none():
    forged = checkpoint(5, A).replace(b"\n5\n", b"\n6\n")
    with pytest.raises(Refusal, match="is not over this text"):
        ROTATED.open(forged)


@pytest.mark.parametrize(
    ("note", "problem"),
    [
        (signed(SECOND, B), "did not sign that"),
        (signed(SECOND, A), "is not signed by example"),
        (signed(SECOND, A, C), "is not signed by example"),
        (signed(replace(SECOND, number=3), A, B), "is not the one that follows"),
        (signed(replace(SECOND, replaces=C.verifier), C, B), "is not the one that follows"),
        (signed(replace(SECOND, replaces=None), A, B), "is not the one that follows"),
        (signed(replace(SECOND, origin="other/checkpoints/keys"), A, B), "is announced for other/"),
        (signed(replace(SECOND, lost="Eve: trust me", replaces=None), C), "is not signed by example"),
        (signed(SECOND, A, B).replace(f"{ORIGIN} 10 ", f"{ORIGIN} 11 "), "is not over this text"),
        (A.sign(Checkpoint(ORIGIN, 10, EMPTY_ROOT).text()), "does not say which key"),
    ],
)
def test_a_key_is_not_taken_in_unless_both_keys_say_so(note, problem):
    held = chain(signed(FIRST, A))
    with pytest.raises(Refusal, match=problem):
        held.add(note)
    assert held.current == A.verifier


def test_a_key_that_is_held_is_not_lost_on_a_strangers_word():
    loss = replace(SECOND, lost="Eve: trust me")
    mine = chain(signed(FIRST, A))
    mine.held = A.verifier
    with pytest.raises(Refusal, match="is said to be lost, but it is here"):
        mine.add(signed(loss, B))
    assert mine.add(signed(SECOND, A, B))  # what it signs itself goes on
    theirs = chain(signed(FIRST, A))
    theirs.held = B.verifier
    assert theirs.add(signed(loss, B))


def test_a_statement_taken_in_twice_is_one():
    held = chain(signed(FIRST, A))
    assert not held.add(signed(FIRST, A))
    assert len(held.links) == 1


def test_a_signature_of_the_key_before_that_is_not_over_the_text_is_refused():
    other = signed(replace(SECOND, ends=()), A).splitlines()[-1]
    held = chain(signed(FIRST, A))
    with pytest.raises(Refusal, match="is not over this text"):
        held.add(signed(SECOND, B) + other + "\n")


def test_keys_that_signatures_link_are_trusted_together_and_a_loss_parts_them():
    assert ROTATED.mistrusted([A.verifier]) == ROTATED.mistrusted([B.verifier]) == {}
    assert (ROTATED.breaks(), list(ROTATED.mistrusted([C.verifier]))) == ([], [1])
    assert list(LOST.mistrusted([A.verifier])) == list(LOST.mistrusted([B.verifier])) == [3]
    assert list(LOST.mistrusted([C.verifier])) == [1]
    assert LOST.mistrusted([A.verifier, C.verifier]) == {}
    (told,) = LOST.breaks()
    assert told.startswith("key 3, example+")
    assert told.endswith("lost, says Ada: the host burnt down")
    assert KeyChain(NAME).mistrusted([A.verifier]) == {}


@given(
    st.integers(1, 9),
    st.none() | st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1),
    st.lists(st.tuples(st.sampled_from(["a/b/0", "a/b/1"]), st.integers(0, 10**17)), max_size=3),
)
def test_a_statement_is_read_as_it_was_written_and_is_never_a_checkpoint(number, lost, ends):
    ends = tuple(Checkpoint(origin, size, EMPTY_ROOT) for origin, size in ends)
    said = KeyStatement(NAME, number, A.verifier, B.verifier if number > 1 else None, lost, ends)
    assert KeyStatement.parse(said.text()) == said
    with pytest.raises(Refusal):
        Checkpoint.parse(said.text())


@pytest.mark.parametrize(
    "bend",
    [
        lambda text: text + "\n",
        lambda text: text.replace("number", "lost now\nnumber", 1),
        lambda text: text.replace("number 2", "number 02"),
        lambda text: text + "after x 1\n",
        lambda text: text + "more\n",
        lambda text: text.replace("key ", "kez "),
        lambda _: "",
    ],
)
def test_a_statement_has_one_spelling(bend):
    with pytest.raises(Refusal):
        KeyStatement.parse(bend(SECOND.text()))
