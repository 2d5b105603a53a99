"""Published checkpoints: sound ones are kept, everything else is named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from audit import published
from audit.checkpoint import Checkpoint
from audit.checkpoint_check import CheckpointCheck
from audit.key_check import KeyCheck
from audit.key_statement import KeyStatement
from audit.note import SigningKey
from audit.strict_text import to_base64
from projections.checkpoints import CheckpointRow
from tests.unit.audit.rfc6962 import root_of

KEY = SigningKey.generate("example")
ORIGIN = "example/decisions/2"
LOG = [b"record %d" % i for i in range(30)]
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def row(size, version, *, log=LOG, key=KEY, origin=ORIGIN, is_published=True):
    root = root_of(log[:size])
    note = key.sign(Checkpoint(origin, size, root).text())
    return CheckpointRow("decisions", 2, size, root, note, AT, version, published=is_published)


def event(size, version, **more):
    return published.to_event(row(size, version, **more), more.get("origin", ORIGIN))


def checker():
    """One to which KEY was announced."""
    origins = {ORIGIN: "decisions/2"}
    keys = KeyCheck.of([KEY.verifier], origins)
    keys.chain.add(KEY.sign(KeyStatement("example/checkpoints/keys", 1, KEY.verifier).text()))
    return CheckpointCheck(keys, origins)


def check(*events, before=(), after=None):
    held = checker()
    for offset, item in enumerate(events):
        held.published("checkpoints/0", offset, item)
    if after is not None:
        held.kept("checkpoint decisions/2", ORIGIN, before, after)
    return held, [str(finding) for finding in held.findings]


def test_sound_checkpoints_are_kept_by_size_and_a_repeated_event_is_no_finding():
    held, found = check(event(10, 1), event(10, 1), event(20, 2))
    assert found == []
    assert [c.size for c in held.sound(ORIGIN)] == [10, 20]
    assert held.sound("another") == []


@pytest.mark.parametrize(
    ("events", "finding"),
    [
        ([event(10, 1), event(20, 3)], "offset 1: checkpoint number 3 of example/decisions/2 follows 1"),
        ([event(10, 2)], "offset 0: checkpoint number 2 of example/decisions/2 follows 0"),
        ([event(10, 1), event(20, 1)], "offset 1: a second checkpoint number 1"),
        ([event(10, 1), event(10, 2, log=[b"x"] * 10)], "offset 1: split view: two signed roots of"),
        (
            [event(10, 1, key=SigningKey.generate("example"))],
            "offset 0: checkpoint: is signed by example+",
        ),
        ([event(10, 1, origin="example/decisions/9")], "offset 0: example/decisions/9 is no log of this"),
    ],
)
def test_what_is_not_sound_is_named_by_its_offset(events, finding):
    assert finding in " ".join(check(*events)[1])


STRANGER = SigningKey.generate("example")
FORGERIES = {
    "a high number and size": (event(30, 2**31 - 1, key=STRANGER), "is signed by example+"),
    "the next number": (event(20, 2, key=STRANGER), "is signed by example+"),
    "a number that was": (event(10, 1, key=STRANGER), "is signed by example+"),
    "a real note under a high number": (
        event(10, 2**31 - 1),
        "the checkpoint of 10 records again, as number",
    ),
    "a real note under the next number": (event(10, 2), "the checkpoint of 10 records again, as number 2"),
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_what_anybody_may_have_written_is_named_and_the_real_ones_after_it_stay_sound(kind):
    forgery, named = FORGERIES[kind]
    held, found = check(event(10, 1), forgery, event(20, 2), event(30, 3))
    assert len(found) == 1
    assert found[0].startswith("checkpoints/0 offset 1: ")
    assert named in found[0]
    assert [c.size for c in held.sound(ORIGIN)] == [10, 20, 30]


def test_of_a_checkpoint_that_is_missing_the_next_one_tells_and_no_later_one():
    found = check(event(10, 1), event(20, 3), event(30, 4))[1]
    assert found == ["checkpoints/0 offset 1: checkpoint number 3 of example/decisions/2 follows 1"]


def test_an_event_that_says_other_than_its_note_is_named():
    sound = event(10, 1)
    for change in ({"size": 11}, {"root": to_base64(bytes(32))}):
        changed = replace(sound, data=replace(sound.data, **change))
        assert "the event's size and root are not its note's" in check(changed)[1][0]
    changed = replace(sound, data=replace(sound.data, origin="example/decisions/1"))
    assert "origin: is example/decisions/2, not example/decisions/1" in check(changed)[1][0]


def test_what_is_not_signed_of_a_checkpoint_cannot_change_alone():
    sound = event(10, 1)
    moved = replace(sound, time=AT + timedelta(hours=1))
    assert "its id is not the one that its time, stream, number and note give" in check(moved)[1][0]
    other = replace(sound, stream="checkpoints/decisions.3")
    assert "its stream is not that of decisions/2's checkpoints" in check(other)[1][0]


def test_a_note_that_somebody_kept_is_held_against_the_log_like_a_published_one():
    held = checker()
    held.witnessed("mine", row(20, 1).note)
    held.published("checkpoints/0", 0, event(10, 1))
    assert ([c.size for c in held.sound(ORIGIN)], held.findings) == ([10, 20], [])
    held.witnessed("mine", row(10, 1, log=[b"x"] * 10).note)
    held.witnessed("mine", row(10, 1, origin="example/decisions/9").note)
    held.witnessed("mine", row(10, 1, key=SigningKey.generate("example")).note)
    split, absent, unsigned = map(str, held.findings)
    assert split == "mine: split view: two signed roots of example/decisions/2 at 10 records"
    assert absent == "mine: example/decisions/9 is no log of this cluster"
    assert unsigned.startswith("mine: checkpoint: is signed by example+")


def test_rows_are_held_against_the_topic():
    rows = [row(10, 1), row(20, 2)]
    events = [event(10, 1), event(20, 2)]
    assert check(*events, before=rows, after=rows)[1] == []
    assert check(*events, before=[], after=rows)[1] == [], "kept and published while the topic was read"
    assert "checkpoint of 20 records is missing" in check(*events, before=rows, after=rows[:1])[1][0]
    edited = [rows[0], replace(rows[1], version=7)]
    assert "row of 20 records is not what was published" in check(*events, before=rows, after=edited)[1][0]
    assert "row of 20 records is not on the topic" in check(events[0], before=rows, after=rows)[1][0]


def test_a_row_that_waits_to_be_published_counts_if_it_is_sound():
    waiting = [row(10, 1, is_published=False)]
    held, found = check(before=waiting, after=waiting)
    assert (found, [c.size for c in held.sound(ORIGIN)]) == ([], [10])
    forged = [row(10, 1, is_published=False, key=SigningKey.generate("example"))]
    assert "a key that was never announced" in check(before=forged, after=forged)[1][0]
    lying = [replace(waiting[0], root=bytes(32))]
    assert "is not what its note says" in check(before=lying, after=lying)[1][0]


@pytest.mark.parametrize("stream", ["checkpoints/decisions.02", "checkpoints/checkpoints.0", "fleet/x.1", ""])
def test_only_streams_of_sealed_logs_are_read_as_such(stream):
    assert published.log_of(stream) is None
    assert published.log_of("checkpoints/decisions.2") == ("decisions", 2)
