"""What cannot be applied stops its stream and nothing else; a person lets it go on."""

from dataclasses import replace

import pytest

from domain.consensus.events import BallotCast, PersonRuled, Score
from eventlog.codec import encode
from eventlog.partitioning import partition_of
from projections.consensus import ConsensusProjection
from projections.registry import PROJECTIONS
from projections.resume import resume
from tests.integration.projections.bed import discarded, event, history

SECRET = "what nobody must read in a log"


def stranger(version):
    """A ballot by someone who is not on the panel: it decodes, but cannot follow."""
    return event("consensus/a", version, BallotCast("eve", 1, "no", reason=SECRET), writer="eve")


async def a_poisoned_log(bed, poison):
    """Stream a with `poison` after two of its events, stream b whole between the rest."""
    good = history("a")
    bed.log.append(good[:2])
    poison(bed)
    bed.log.append(good[2:4])
    bed.log.append(history("b"))
    bed.log.append(good[4:])
    await bed.project()


POISONS = {
    "undecodable": lambda bed: bed.log.put(b"{" + SECRET.encode(), b"consensus/a"),
    "impossible": lambda bed: bed.log.append([stranger(3)]),
    "fork": lambda bed: bed.log.append([event("consensus/a", 2, BallotCast("v1", 1, "no"), writer="eve")]),
    "gap": lambda bed: bed.log.append([event("consensus/a", 4, BallotCast("v1", 1, "no"), writer="eve")]),
    "misfiled": lambda bed: bed.log.put(encode(history("c")[0]), b"consensus/a"),
}


@pytest.mark.parametrize("kind", POISONS)
async def test_poison_stops_its_stream_and_no_other(bed, kind):
    await a_poisoned_log(bed, POISONS[kind])
    assert await bed.versions() == {"consensus/a": 2, "consensus/b": 6}
    behind = [(offset, "behind") for offset in (3, 4, 11, 12)]
    assert await bed.parked() == [(2, kind), *behind]
    assert SECRET not in str(await bed.rows("dead_letter"))
    assert await bed.differences() == []


@pytest.mark.parametrize("timestamp", [-(2**63), -1, 10**16, 2**63 - 1])
async def test_a_record_under_a_time_that_is_no_date_stops_nothing(bed, timestamp):
    bed.log.put(encode(history("a")[0]), b"consensus/a", timestamp_ms=timestamp)
    bed.log.put(b"no event", b"consensus/c", timestamp_ms=timestamp)
    bed.log.append(history("b"))
    await bed.project(end=2)  # the batch ends with it
    await bed.project()
    assert await bed.versions() == {"consensus/a": 1, "consensus/b": 6}
    assert await bed.parked() == [(1, "undecodable")]
    assert await bed.differences() == []
    assert await bed.connection.fetchval("SELECT max(newest_at) <= now() FROM projection_offset")


SCORED = {
    "a confidence that no float can square": Score("v0", right=True, confidence=1e200),
    "a name that no index can hold": Score("\N{SNOWMAN}".join(map(str, range(2_000))), right=True),
}


@pytest.mark.parametrize("kind", SCORED)
async def test_a_decision_whose_scores_cannot_be_added_up_is_parked(bed, kind):
    *before, decided = history("a")
    bed.log.append([*before, replace(decided, data=replace(decided.data, scores=(SCORED[kind],)))])
    bed.log.append(history("b"))
    await bed.project()
    assert await bed.versions() == {"consensus/a": 5, "consensus/b": 6}
    assert len(await bed.parked()) == 1
    assert await bed.differences() == []


async def test_a_null_character_is_poison_that_the_tables_never_see(bed):
    value = encode(history("a")[0]).replace(b"Will it rain?", b"Will it\\u0000 rain?")
    bed.log.put(value, b"consensus/a")
    bed.log.append(history("b"))
    await bed.project()
    assert await bed.parked() == [(0, "undecodable")]
    assert "NUL" in (await bed.rows("dead_letter", "reason"))[0][0]
    assert await bed.versions() == {"consensus/b": 6}


@pytest.mark.parametrize("key", [None, b"", b"nonsense", b"\xff\xfe", b"consensus/../a", b"nobody/a"])
async def test_a_record_without_a_readable_key_stops_nothing(bed, key):
    bed.log.put(b"no event", key)
    bed.log.append(history("a"))
    await bed.project()
    assert await bed.rows("dead_letter", "log_offset, kind, stream, projection") == [
        (0, "undecodable", None, "deadletters")
    ]
    assert await bed.versions() == {"consensus/a": 6}
    assert await bed.differences() == []


@pytest.mark.parametrize("value", ["an event", "no event"])
@pytest.mark.parametrize("first", ["forged", "real"])
async def test_a_record_in_a_wrong_partition_is_parked_and_stops_no_stream(bed, first, value):
    bed.log.counts["decisions"] = 2
    key = b"consensus/a"
    right = partition_of(key, 2)
    forged = history("a", choices=("no", "no", "yes"), writer="eve")
    for event_ in forged:
        bed.log.put(encode(event_) if value == "an event" else b"nothing", key, partition=1 - right)
    bed.log.append(history("a"))
    for partition in (right, 1 - right) if first == "real" else (1 - right, right):
        await bed.project(partition=partition)
    assert await bed.rows("deliberation", "stream, version, consensus") == [("consensus/a", 6, "yes")]
    assert await bed.rows("dead_letter", "kind, stream, partition") == [("misfiled", None, 1 - right)] * 6
    reasons = await bed.rows("dead_letter", "DISTINCT reason")
    assert reasons == [(f"lies in partition {1 - right}, but its key belongs to partition {right} of 2",)]
    assert await bed.differences() == []
    before = await bed.hashes()
    await (await bed.rebuilding()).rebuild()
    assert await bed.hashes() == before


async def test_a_record_in_a_wrong_partition_can_be_discarded(bed):
    bed.log.counts["decisions"] = 2
    wrong = 1 - partition_of(b"consensus/a", 2)
    bed.log.append(history("a"))
    bed.log.append(history("a", writer="eve")[:1], partition=wrong)
    letter = f"decisions.{wrong}.0"
    bed.log.append([discarded(letter, partition=wrong)], topic="deadletters")
    for topic, partition in (("decisions", wrong), ("decisions", 1 - wrong), ("deadletters", 0)):
        await bed.project(topic, partition)
    assert await bed.parked() == []
    assert await bed.versions() == {"consensus/a": 6}
    assert await bed.differences() == []


async def test_a_stream_that_nobody_takes_is_parked_record_by_record(bed):
    events = [event("fleet/a", version, PersonRuled("Ada", "yes", "so")) for version in (1, 2)]
    bed.log.append(events)
    await bed.project()
    assert await bed.parked() == [(0, "unrouted"), (1, "unrouted")]
    assert await bed.differences() == []


async def test_a_fold_that_fails_parks_without_saying_what_it_read(bed, monkeypatch):
    def fail(*_):
        raise KeyError(SECRET)

    bed.log.append(history("a")[:2])
    await bed.project()
    monkeypatch.setattr(ConsensusProjection, "fold", fail)
    bed.log.append(history("a")[2:])
    await bed.project()
    kinds = await bed.rows("dead_letter", "kind, reason", order="log_offset")
    assert kinds[0] == ("fault", "the fold failed with KeyError")
    assert [kind for kind, _ in kinds[1:]] == ["behind"] * 3


async def test_a_retry_after_the_code_was_mended_applies_all_in_order(bed, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(ConsensusProjection, "row", lambda *_: 1 // 0)
        bed.log.append(history("a"))
        with pytest.raises(ZeroDivisionError):
            await bed.project()
    with monkeypatch.context() as broken:
        broken.setattr(ConsensusProjection, "fold", lambda *_: 1 // 0)
        await bed.project()
    assert len(await bed.parked()) == 6
    async with bed.connection.transaction():
        done = await resume(bed.connection, bed.log, "decisions", 0, ["consensus/a"])
    assert (done.applied, done.parked) == (6, 0)
    assert await bed.versions() == {"consensus/a": 6}
    assert await bed.differences() == []
    bed.log.append(history("b"))
    await bed.project()
    assert await bed.versions() == {"consensus/a": 6, "consensus/b": 6}


async def test_a_retry_without_a_cure_parks_all_again(bed):
    await a_poisoned_log(bed, POISONS["impossible"])
    before = await bed.rows("dead_letter")
    async with bed.connection.transaction():
        done = await resume(bed.connection, bed.log, "decisions", 0, ["consensus/a"])
    assert (done.applied, done.parked) == (0, 5)
    assert await bed.rows("dead_letter") == before


@pytest.mark.parametrize("kind", [kind for kind in POISONS if kind != "gap"])
async def test_a_discard_lets_the_stream_go_on_without_the_record(bed, kind):
    await a_poisoned_log(bed, POISONS[kind])
    bed.log.append([discarded("decisions.0.2", "consensus/a")], topic="deadletters")
    await bed.project("deadletters")
    assert await bed.versions() == {"consensus/a": 6, "consensus/b": 6}
    assert await bed.parked() == []
    assert await bed.rows("discard", "dead_letter, who, why") == [("decisions.0.2", "Ada", "written by hand")]
    assert await bed.differences() == []


async def test_after_a_lost_event_a_discard_takes_up_the_count_again(bed):
    good = history("a")
    bed.log.append([*good[:1], *good[2:4]])  # the second never came
    await bed.project()
    assert await bed.parked() == [(1, "gap"), (2, "behind")]
    bed.log.append([discarded("decisions.0.1", "consensus/a")], topic="deadletters")
    await bed.project("deadletters")
    assert await bed.parked() == []
    assert await bed.versions() == {"consensus/a": 4}
    assert await bed.differences() == []


async def test_a_discard_of_a_record_without_a_stream_only_takes_it_off_the_list(bed):
    bed.log.put(b"no event")
    await bed.project()
    bed.log.append([discarded("decisions.0.0")], topic="deadletters")
    await bed.project("deadletters")
    assert await bed.parked() == []
    assert await bed.differences() == []


async def test_a_discard_before_its_record_is_read_counts_all_the_same(bed):
    bed.log.append(history("a")[:1])
    await bed.project()
    bed.log.append([discarded("decisions.0.1", "consensus/a")], topic="deadletters")
    await bed.project("deadletters")
    POISONS["undecodable"](bed)
    bed.log.append(history("a")[1:])
    await bed.project()
    assert await bed.parked() == []
    assert await bed.versions() == {"consensus/a": 6}
    assert await bed.differences() == []


async def test_a_second_discard_of_one_record_is_a_fork_and_changes_nothing(bed):
    await a_poisoned_log(bed, POISONS["impossible"])
    for who in ("Ada", "Bob"):
        bed.log.append([discarded("decisions.0.2", "consensus/a", who=who)], topic="deadletters")
    await bed.project("deadletters")
    assert await bed.rows("discard", "who") == [("Ada",)]
    assert await bed.parked() == [(1, "fork")]
    assert await bed.differences() == []


async def test_the_older_of_two_repeated_events_is_found_on_the_log(bed):
    good = history("a")
    bed.log.append(good)
    bed.log.append(history("b"))
    await bed.project()
    bed.log.append(good[1:3])
    bed.log.append([event("consensus/a", 2, BallotCast("v0", 1, "no"), writer="eve")])
    await bed.project()
    assert await bed.parked() == [(14, "fork")]
    assert await bed.versions() == {"consensus/a": 6, "consensus/b": 6}
    assert await bed.differences() == []


async def test_every_projection_has_rows_that_its_state_can_be_read_from(bed):
    for name in ("a", "b"):
        bed.log.append(history(name)[:4])
    await bed.project()
    for projection in PROJECTIONS:
        columns = ", ".join(c.name for c in list(projection.home.columns)[6:])
        for row in await bed.rows(projection.home.name, columns):
            assert projection.row(projection.state(row)) == row
    assert len(await bed.rows("deliberation")) == 2


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("stream", ["consensus/a", "consensus/b", None])
async def test_a_forged_discard_takes_nothing_away(bed, early, stream):
    good = history("a")
    if not early:
        bed.log.append(good[:4])
        await bed.project()
    bed.log.append([discarded("decisions.0.2", stream)], topic="deadletters")
    await bed.project("deadletters")
    bed.log.append(good if early else good[4:])
    bed.log.append([good[2], *history("b")])
    await bed.project()
    assert await bed.versions() == {"consensus/a": 6, "consensus/b": 6}
    assert await bed.parked() == []
    assert await bed.differences() == []


async def test_a_forged_discard_of_a_record_that_waits_leaves_it_waiting(bed):
    await a_poisoned_log(bed, POISONS["fork"])
    bed.log.append([discarded("decisions.0.4", "consensus/b")], topic="deadletters")
    await bed.project("deadletters")
    assert await bed.parked() == [(2, "fork"), *[(offset, "behind") for offset in (3, 4, 11, 12)]]
    assert await bed.differences() == []
    bed.log.append([discarded("decisions.0.2", "consensus/a")], topic="deadletters")
    await bed.project("deadletters")
    assert await bed.versions() == {"consensus/a": 6, "consensus/b": 6}
    assert await bed.differences() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"partition": 2**15},
        {"partition": -1},
        {"offset": -1},
        {"offset": 3},
        {"topic": "nobody"},
        {"dead_letter": "decisions.0.3"},
    ],
)
async def test_a_discard_that_names_no_place_is_poison_itself(bed, changes):
    await a_poisoned_log(bed, POISONS["fork"])
    given_up = discarded("decisions.0.2", "consensus/a")
    forged = replace(given_up, data=replace(given_up.data, **changes))
    bed.log.append([forged], topic="deadletters")
    await bed.project("deadletters")
    assert await bed.versions() == {"consensus/a": 2, "consensus/b": 6}
    behind = [(offset, "behind") for offset in (3, 4, 11, 12)]
    assert await bed.parked() == [(0, "impossible"), (2, "fork"), *behind]
    assert await bed.differences() == []
