"""A learning cycle taken again from its log and its store; whatever is not as it was, is named."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from audit.decisions import settled_streams
from audit.grounds import NO_GROUNDS
from audit.learning import Learned, replay_cycle
from audit.learning_evidence import CHECKED, NONE
from audit.replay import replay_all, replay_stream
from audit.trail import has_outcome, trail
from audit.unending import Unending
from cli import audit_learning
from domain.artifact import ArtifactRef
from domain.learning import evidence, tensor_file
from domain.learning.events import Member, PrivacyMetadata, RoundAggregated, RoundOpened, UpdatesCollected
from domain.learning.policy import PrivacySpec
from domain.learning.possible import entered
from domain.learning.tensors import digest
from tests.fakes.log_reader import MemoryReader
from tests.unit.audit.learning_cycle import BAD_QUALITY, STREAM, Made, candidate, change, update_of, whole

SECURE = PrivacySpec("secure_mpc")


async def replayed(made, events=None):
    found = Learned()
    await replay_cycle(found, events or made.log, made.grounds())
    return found


async def problem(made, events=None):
    """The one thing that is found."""
    found = await replayed(made, events)
    assert len(found.divergent) == 1, found.divergent
    return found.divergent[0]


def at(made, kind, number=1):
    """Where the event of that kind and round is."""
    return next(
        n for n, event in enumerate(made.log) if isinstance(event.data, kind) and event.data.round == number
    )


def changed(made, kind, number=1, **changes):
    """The events with one that says otherwise."""
    place, events = at(made, kind, number), list(made.log)
    events[place] = replace(events[place], data=replace(events[place].data, **changes))
    return events


@pytest.mark.parametrize("strategy", ["fedavg", "fedadam", "median", "krum", "q_fedavg"])
async def test_a_cycle_that_is_as_recorded_agrees_and_every_model_is_made_again(strategy):
    made = await whole(strategy=strategy, settings={"byzantine": 0} if strategy == "krum" else {})
    found = await replayed(made)
    assert (found.divergent, found.unproven) == ([], [])
    assert found.cohorts == found.models == made.rounds


async def test_a_strategy_that_was_told_the_clients_learning_rate_is_told_it_again():
    made = await whole(strategy="q_fedavg", learning_rate=0.7)
    assert (await replayed(made)).divergent == []


async def test_a_report_that_was_added_is_named():
    made = await whole()
    place = at(made, UpdatesCollected)
    data = made.log[place].data
    lost, stranger = data.lost[0].client, "eve"
    forged = replace(data.reports[0], client=lost)
    told = await problem(made, changed(made, UpdatesCollected, reports=(*data.reports, forged), lost=()))
    assert told.problem.startswith("clients: 3 is recorded where 4 follows")
    forged = replace(data.reports[0], client=stranger)
    told = await problem(made, changed(made, UpdatesCollected, reports=(*data.reports, forged)))
    assert (told.problem, told.event_id) == (
        "reports: a client is told of that was not asked",
        made.log[place].id,
    )


async def test_an_added_report_that_was_counted_all_along_gives_another_model():
    """The forger has mended the numbers that follow from it; the model he cannot."""
    made = await whole(rounds=1)
    place = at(made, UpdatesCollected)
    data = made.log[place].data
    extra = await made.report(data.lost[0].client)
    reports = (*data.reports, extra)
    events = changed(made, UpdatesCollected, reports=reports, lost=())
    last = at(made, RoundAggregated)
    events[last] = replace(events[last], data=replace(events[last].data, clients=4, entered=entered(reports)))
    events[-1] = replace(events[-1], data=replace(events[-1].data, participants=4, insights_aggregated=4))
    told = await problem(made, events)
    assert told.problem.startswith(f"digest: recorded {made.log[last].data.digest}, but the updates")


async def test_a_digest_that_was_changed_is_named():
    made = await whole()
    told = await problem(made, changed(made, RoundAggregated, digest="0" * 64)[:-1])
    true = made.log[at(made, RoundAggregated)].data.digest
    assert told.problem == f"digest: recorded {'0' * 64}, but the stored model's tensors have {true}"
    told = await problem(made, changed(made, RoundAggregated, entered="0" * 64))
    assert told.problem.startswith(f"entered: {'0' * 64} is recorded where")


async def test_a_report_of_another_update_is_named():
    made = await whole(rounds=1)
    data = made.log[at(made, UpdatesCollected)].data
    other = await made.artifacts.put(update_of(data.reports[0].client, change("other", 9)))
    reports = (replace(data.reports[0], sha256=other.sha256, bytes=other.bytes), *data.reports[1:])
    events = changed(made, UpdatesCollected, reports=reports)
    last = at(made, RoundAggregated)
    assert (await problem(made, events)).problem.startswith("entered: ")
    events[last] = replace(events[last], data=replace(events[last].data, entered=entered(reports)))
    assert "but the updates that entered give" in (await problem(made, events)).problem


async def test_a_client_that_is_counted_twice_is_named():
    made = await whole()
    data = made.log[at(made, UpdatesCollected)].data
    twice = (*data.reports[:2], replace(data.reports[0], client=data.reports[1].client))
    told = await problem(made, changed(made, UpdatesCollected, reports=twice))
    assert told.problem == "reports: a client is told of twice"


async def test_one_update_under_the_name_of_two_clients_is_named():
    """Its file says whose it is."""
    made = Made(rounds=1)
    await made.open()
    await made.draw()
    await made.collect()
    place = at(made, UpdatesCollected)
    data = made.log[place].data
    first, second, third = data.reports
    made.log[place] = replace(
        made.log[place], data=replace(data, reports=(first, replace(first, client=second.client), third))
    )
    await made.aggregate()
    told = await problem(made)
    assert told.problem.startswith(f"update of {second.client}: its file {first.sha256[:12]} says")


async def test_a_cohort_with_an_ineligible_client_is_named():
    made = await whole()
    data = made.log[at(made, RoundOpened)].data
    cohort = (*data.cohort[:-1], Member(BAD_QUALITY, "host-1", "eu"))
    told = await problem(made, changed(made, RoundOpened, cohort=cohort)[:2])
    assert told.problem == "cohort: holds zoe, not eligible by the roster"


async def test_a_cohort_that_was_not_drawn_is_named_with_who_should_be_there():
    made = await whole()
    data = made.log[at(made, RoundOpened)].data
    (spare,) = {"ann", "bob", "cyd", "dan", "eva"} - {member.client for member in data.cohort}
    chosen = sorted([*data.cohort[1:], Member(spare, "host-1", "eu")], key=lambda member: member.client)
    events = changed(made, RoundOpened, cohort=tuple(chosen))[:2]
    assert (await problem(made, events)).problem == (
        f"cohort: {spare} was not drawn; {data.cohort[0].client} was drawn and is not in it"
    )
    moved = (replace(data.cohort[0], host="host-2"), *data.cohort[1:])
    told = await problem(made, changed(made, RoundOpened, cohort=moved)[:2])
    assert told.problem == "cohort: the same clients are drawn, but of other hosts or regions"
    told = await problem(made, changed(made, RoundOpened, eligible=6)[:2])
    assert told.problem == "eligible: recorded 6, but the roster has 5"


async def test_a_model_that_was_swapped_is_named():
    made = await whole()
    other = {"b": np.ones(2, "float32"), "w": np.ones((3, 2), "float32")}
    ref = await made.artifacts.put(tensor_file.encode(other))
    told = await problem(made, changed(made, RoundAggregated, 2, model=ref))
    assert told.problem.endswith(f"but the stored model's tensors have {digest(other)}")
    events = changed(made, RoundAggregated, 2, model=ref, digest=digest(other))
    events[-1] = replace(events[-1], data=replace(events[-1].data, digest=digest(other)))
    told = await problem(made, events)
    assert "but the updates that entered give" in told.problem
    told = await problem(made, changed(made, RoundOpened, 2, model=ref))
    assert told.problem.startswith("model: ")
    assert "follows from the events before it" in told.problem


async def test_a_strategy_s_state_that_was_swapped_is_named():
    made = await whole(strategy="fedadam", rounds=1)
    last = at(made, RoundAggregated)
    ref = await made.artifacts.put(tensor_file.encode({"m.b": np.ones(2, "float32")}))
    told = await problem(made, changed(made, RoundAggregated, state=ref))
    assert told.problem == "state: what is stored is not what fedadam keeps for the next round"
    told = await problem(made, changed(made, RoundAggregated, state=None))
    assert (told.problem, told.event_id) == (
        "state: fedadam keeps one, which is not recorded",
        made.log[last].id,
    )


async def test_a_client_said_to_be_left_out_that_the_rule_would_have_taken_is_named():
    made = Made(rounds=1)
    await made.open()
    await made.draw()
    await made.collect(lost=0)
    out = made.state.reports[0].client
    await made.aggregate(excluded=(out,))
    told = await problem(made)
    assert told.problem == f"excluded: recorded {out}, but fedavg leaves out nobody"


async def test_an_update_that_is_none_must_have_been_left_out():
    made = Made(rounds=1)
    await made.open()
    await made.draw()
    await made.collect(lost=0)
    place = at(made, UpdatesCollected)
    data = made.log[place].data
    junk = await made.artifacts.put(b"no tensors")
    bad = replace(data.reports[0], sha256=junk.sha256, bytes=junk.bytes)
    made.log[place] = replace(made.log[place], data=replace(data, reports=(bad, *data.reports[1:])))
    await made.aggregate()
    told = await problem(made)
    assert told.problem == f"excluded: recorded nobody, but fedavg leaves out {bad.client}"


@pytest.mark.parametrize("how", ["gone", "another's", "junk"])
async def test_what_of_an_update_was_left_out_need_not_be_there_and_the_others_are_taken_again(how):
    made = Made(rounds=1)
    await made.open()
    await made.draw()
    await made.collect(lost=0)
    place = at(made, UpdatesCollected)
    data = made.log[place].data
    first, second, *others = data.reports
    if how == "gone":
        bad = replace(first, sha256="0" * 64)
    elif how == "another's":
        bad = replace(second, client=first.client)
    else:
        junk = await made.artifacts.put(b"no tensors")
        bad = replace(first, sha256=junk.sha256, bytes=junk.bytes)
    made.log[place] = replace(made.log[place], data=replace(data, reports=(bad, second, *others)))
    await made.aggregate(without=bad.client)
    assert (await replayed(made)).divergent == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("roster", "roster: the artifact"),
        ("model", "model: the artifact"),
        ("update", "update of ann: the artifact"),
        ("given", "model of the round before: the artifact"),
    ],
)
async def test_an_artifact_that_is_missing_or_was_changed_is_named(what, line):
    made = await whole(rounds=1)
    report = made.log[at(made, UpdatesCollected)].data.reports[0]
    named = {
        "roster": made.log[at(made, RoundOpened)].data.roster,
        "model": made.log[at(made, RoundAggregated)].data.model,
        "update": ArtifactRef("", report.sha256, report.bytes),
        "given": made.log[0].data.model,
    }[what]
    made.artifacts.damage(named)
    told = await problem(made)
    assert told.problem.startswith(line)
    assert told.problem.endswith("was changed: its bytes have another SHA-256")
    del made.artifacts._kept[named.sha256]
    assert (await problem(made)).problem.endswith("is not in this store")


async def test_without_a_store_everything_that_rests_on_it_is_named():
    made = await whole(rounds=1)
    found = Learned()
    await replay_cycle(found, made.log, NO_GROUNDS)
    assert [one.type for one in found.divergent] == [RoundOpened.TYPE, RoundAggregated.TYPE]


async def test_a_roster_that_is_none_is_named():
    made = await whole(rounds=1)
    junk = await made.artifacts.put(b'[{"client": 1}]')
    assert "is none" in (await problem(made, changed(made, RoundOpened, roster=junk))).problem


async def test_of_a_secure_sum_the_commitments_are_checked_and_it_says_so():
    made = await whole(Made.aggregate_hidden, privacy=SECURE)
    found = await replayed(made)
    assert (found.divergent, found.models, found.cohorts) == ([], 0, 2)
    assert [one.round for one in found.unproven] == [1, 2]
    assert {one.why for one in found.unproven} == {f"secure_mpc hides each update from everybody; {CHECKED}"}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"updates": {}}, "evidence: names another update of"),
        ({"weight": 7.0}, "digest: recorded"),
        ({"weight": 0.0}, "evidence: has the weight 0"),
    ],
)
async def test_evidence_of_other_updates_or_of_another_sum_is_named(changes, line):
    made = Made(rounds=1, privacy=SECURE)
    await made.open()
    await made.draw()
    await made.collect()
    if "weight" in changes:  # the model is made of the true weight
        await made.aggregate_hidden()
        place = at(made, RoundAggregated)
        kept = evidence.read(await made.artifacts.get(made.log[place].data.evidence))
        ref = await made.artifacts.put(evidence.write(replace(kept, **changes)))
        made.log = changed(made, RoundAggregated, evidence=ref)
    else:
        await made.aggregate_hidden(**changes)
    assert (await problem(made)).problem.startswith(line)


async def test_evidence_of_another_method_or_of_none_is_told():
    made = Made(rounds=1, privacy=SECURE)
    await made.open()
    await made.draw()
    await made.collect()
    await made.aggregate()
    found = await replayed(made)
    assert (found.divergent, [one.why for one in found.unproven]) == (
        [],
        [f"secure_mpc hides each update from everybody; {NONE}"],
    )
    junk = await made.artifacts.put(b"junk")
    told = await problem(made, changed(made, RoundAggregated, evidence=junk))
    assert told.problem.startswith("evidence: is not a safetensors file")


async def test_where_the_aggregator_adds_the_noise_it_says_that_the_noise_is_secret():
    pytest.importorskip("dp_accounting")
    central = PrivacySpec("differential_privacy", noise_multiplier=8.0)
    found = await replayed(await whole(Made.aggregate_hidden, privacy=central, rounds=1))
    assert found.unproven[0].why.startswith("the noise of the model is drawn by a key")
    local = await replayed(await whole(privacy=replace(central, place="local"), rounds=1))
    assert (local.models, local.unproven) == (1, [])


def log_of(made):
    reader = MemoryReader()
    reader.append(made.log, "learning")
    return reader


async def test_cycles_are_replayed_among_all_streams_and_told_in_words():
    made = await whole()
    reader = log_of(made)
    one = await replay_stream(reader, STREAM, made.grounds())
    every = await replay_all(settled_streams(reader, lambda *_: None), None, made.grounds())
    assert (one.cycles, one.learned, one.divergent) == (every.cycles, every.learned, every.divergent)
    assert (one.cycles, one.learned.models) == (1, 2)
    assert audit_learning.lines(one.learned, one.unending) == (
        "2 cohorts drawn again from stored rosters, 2 rounds aggregated again from stored updates\n"
    )
    assert audit_learning.data(1, one.learned, one.unending)["unproven"] == []
    assert audit_learning.lines(Learned(), Unending()) == ""


async def test_what_a_replay_finds_in_a_cycle_is_among_all_that_it_finds():
    made = await whole()
    made.log = changed(made, RoundAggregated, 2, digest="0" * 64)[:-1]
    found = await replay_stream(log_of(made), STREAM, made.grounds())
    assert (found.undecided, [one.type for one in found.divergent]) == (1, [RoundAggregated.TYPE])


async def test_the_trail_of_a_cycle_says_who_was_asked_who_reported_and_what_entered():
    made = await whole(rounds=1)
    steps = await trail(log_of(made), STREAM)
    assert has_outcome(steps)
    assert not has_outcome(steps[:-1])
    lines = [step.line() for step in steps]
    cohort = ", ".join(member.client for member in made.log[1].data.cohort)
    assert f"round 1: 4 of 5 eligible are asked: {cohort}; drawn from roster file" in lines[1]
    report = made.log[2].data.reports[0]
    assert f"round 1: 3 reported: {report.client} file {report.sha256[:12]}" in lines[2]
    model = made.log[3].data
    assert f": model digest {model.digest}, model file {model.model.sha256};" in lines[3]
    assert not any(step.note for step in steps)


def test_a_candidate_of_the_tests_is_what_a_roster_holds():
    raw = msgspec.json.encode([candidate("ann")])
    assert msgspec.json.decode(raw)[0]["client"]["id"] == "ann"


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        ("sent_bytes", 1),
        ("raw_bytes", 10**9),
        ("drift", 0.001),
        ("loss", 0.01),
        ("loss", None),
        ("accuracy", 0.99),
        ("privacy", PrivacyMetadata("hybrid")),
        ("privacy", PrivacyMetadata("none", epsilon=0.1)),
    ],
)
async def test_a_figure_that_does_not_follow_from_the_reports_and_models_is_named(figure, said):
    made = await whole()
    told = await problem(made, changed(made, RoundAggregated, **{figure: said}))
    assert told.problem.startswith(f"{figure}: recorded ")
    assert told.event_id == made.log[at(made, RoundAggregated)].id


async def test_what_clients_said_of_their_loss_and_rows_is_held_against_the_round():
    made = await whole(strategy="median")
    data = made.log[at(made, UpdatesCollected)].data
    for change_, figure in (({"loss": 0.01}, "loss"), ({"raw_bytes": 1}, "raw_bytes")):
        reports = (replace(data.reports[0], **change_), *data.reports[1:])
        told = await problem(made, changed(made, UpdatesCollected, reports=reports))
        assert told.problem.startswith(f"{figure}: recorded ")


async def test_a_cycle_in_the_stream_of_another_is_named():
    made = await whole()
    told = await problem(made, [replace(event, stream="learning/d") for event in made.log])
    assert told.problem == "id: c was opened in the stream learning/d"
