"""The control side of a cycle: what a model is made of, what is left out, what is named when missing."""

# ruff: noqa: ARG002, ARG005 # fakes have arguments that a port wants

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities import messages, update_file
from activities.learning import Control, Learning
from activities.learning_tasks import (
    AggregateRound,
    DrawRound,
    HostClients,
    KeepReports,
    Outbox,
    PrepareCycle,
    Publish,
    Route,
)
from activities.privacy import plain
from activities.privacy.port import Session
from activities.privacy.registry import Installed, Methods
from activities.stored_updates import hidden, opened, ref_of
from domain.learning import tensor_file
from domain.learning.commands import RunCycle
from domain.learning.data_schema import data_schema
from domain.learning.events import Loss, PrivacyMetadata, Report
from domain.learning.outcome import RoundFigures
from domain.learning.policy import CohortPolicy, PrivacySpec, StrategySpec, TrainerSpec
from domain.learning.tensors import digest
from domain.learning.trainers.logistic_regression import LogisticRegression
from domain.learning.update import ClientUpdate, TimeRange, UpdateMetadata
from domain.refusal import Refusal
from tests.fakes import toy_sum
from tests.fakes.artifacts import MemoryArtifacts
from tests.fakes.journal import MemoryJournal
from tests.fakes.learning import Clients, Versions, candidate
from workers import absent
from workers.trainers import InstalledTrainers

AT = datetime(2026, 11, 22, tzinfo=UTC)
SETTINGS = {"features": 3, "classes": 2}
SCHEMA = LogisticRegression().schema(SETTINGS)
REQUEST = RunCycle(
    "c",
    "m",
    TrainerSpec("logistic-regression", SETTINGS),
    rounds=2,
    cohort=CohortPolicy(share=1, minimum=2, size=3),
)
HOLDOUT = {"x": np.eye(3, dtype="f4"), "y": np.array([0, 1, 1])}


class Side:
    """A control side over memory, with three clients on two hosts."""

    def __init__(self, *methods):
        self.artifacts, self.versions = MemoryArtifacts(), Versions()
        self.roster = Clients([candidate(name, host) for name, host in ("ah", "bh", "cg")])
        installed = Methods([plain.installed(), *methods])
        self.learning = Learning(
            Control(self.artifacts, InstalledTrainers((), ()), installed, self.roster, self.versions)
        )

    def do(self, name, task):
        return ActivityEnvironment().run(getattr(self.learning, name), task)

    async def prepare(self, **more):
        holdout = await self.artifacts.put(tensor_file.encode(HOLDOUT))
        request = replace(REQUEST, **{"holdout": holdout, **more})
        return await self.do("prepare_cycle", PrepareCycle(request, AT))

    async def report(self, client, value, samples=10, loss=0.5):
        change = {spec.name: np.full(spec.shape, value, spec.dtype) for spec in SCHEMA}
        update = ClientUpdate(
            node_id=client,
            **update_file.in_sections(SCHEMA, change),
            metadata=UpdateMetadata("none", samples, TimeRange(AT, AT)),
        )
        ref = await self.artifacts.put(update_file.encode(update, SCHEMA))
        return Report(client, ref.sha256, ref.bytes, samples, 1, 1, loss, 100, "none")

    async def task(self, prepared, reports, **more):
        return AggregateRound(
            opening=prepared.opening,
            round=1,
            attempt=1,
            model=prepared.opening.model,
            state=None,
            session=prepared.first.session,
            reports=tuple(reports),
            kept=(),
            revealed=(),
            last=False,
            **more,
        )

    async def model(self, ref):
        return tensor_file.decode(await self.artifacts.get(ref))[0]


async def test_a_cycle_is_prepared_with_all_that_its_model_depends_on():
    side = Side()
    prepared = await side.prepare()
    opening = prepared.opening
    fresh = LogisticRegression().initial(SETTINGS, 0)
    assert digest(await side.model(opening.model)) == digest(fresh)
    assert (opening.parent, (opening.until - opening.since).days) == (None, 7)
    assert opening.schema == SCHEMA
    assert opening.data_schema == data_schema(HOLDOUT)
    assert len(opening.code) == 64
    assert [(one.client, one.host) for one in prepared.first.drawn.cohort] == [
        ("a", "h"),
        ("b", "h"),
        ("c", "g"),
    ]
    session = await messages.session_of(side.artifacts, prepared.first.session)
    assert (session.cohort, session.eligible, session.salt) == (("a", "b", "c"), 3, "c/1/1/0")
    assert session.subjects == {"a": "a", "b": "b", "c": "c"}
    assert await side.prepare() == prepared


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parent": "v7.0"}, "parent: m has no version v7.0"),
        ({"cohort": CohortPolicy()}, "allows 0, fewer than minimum 100"),
        (
            {"cohort": CohortPolicy(1, 3, regions=("mars",))},
            "lower minimum; of 3 announced: 3 of other regions",
        ),
        ({"strategy": StrategySpec("krum")}, "krum needs n >= 2 f"),
        ({"privacy": PrivacySpec("secure_mpc")}, "secure_mpc is not installed here; there is none"),
        (
            {"trainer": TrainerSpec("logistic-regression", {"features": 4, "classes": 2})},
            "holdout: rows: x is",
        ),
    ],
)
async def test_what_cannot_be_run_is_refused_before_anything_is_opened(change, said):
    with pytest.raises(Refusal) as caught:
        await Side().prepare(**change)
    assert said in str(caught.value)


async def test_a_fleet_of_12000_is_read_once_a_round_and_drawn_from_under_the_defaults():
    side = Side()
    side.roster.there = [
        candidate(f"client-{n:05}", f"host-{n % 24}", identity="A" * 43 + "=") for n in range(12_000)
    ]
    looks, read = [], side.roster.candidates

    async def candidates():
        looks.append(1)
        return await read()

    side.roster.candidates = candidates
    began = time.process_time()
    prepared = await side.prepare(cohort=CohortPolicy())
    took = time.process_time() - began
    drawn = prepared.first.drawn
    assert (len(looks), drawn.eligible, len(drawn.cohort)) == (1, 12_000, 119)
    assert drawn.roster.bytes < 12_000 * 340
    assert took < 2  # of a busy machine; 0.2 s of an idle one
    made = await side.do(
        "aggregate_round",
        await side.task(prepared, [await side.report(one.client, 1.0) for one in drawn.cohort[:100]]),
    )
    assert len(looks) == 2
    assert {one.client for one in made.next.drawn.cohort} != {one.client for one in drawn.cohort}


async def test_a_cohort_whose_names_do_not_fit_a_payload_is_refused_with_the_number_that_do():
    side = Side()
    side.roster.there = [candidate(f"{n:0100}", "h" * 100) for n in range(1_000)]
    asked = {"share": 1, "minimum": 2}
    with pytest.raises(Refusal) as caught:
        await side.prepare(cohort=CohortPolicy(**asked, size=1_000))
    assert str(caught.value) == (
        "cohort.size: the names of 1,000 clients and their hosts take 238,001 bytes, at most 163,840: "
        "ask about 688 clients, or give them shorter names"
    )
    drawn = (await side.prepare(cohort=CohortPolicy(**asked, size=688))).first.drawn
    assert len(drawn.cohort) == 688


async def test_updates_become_the_mean_by_samples_and_the_next_round_is_drawn():
    side = Side()
    prepared = await side.prepare()
    task = await side.task(prepared, [await side.report("b", 1.0, 30), await side.report("a", 0.0, 10)])
    made = await side.do("aggregate_round", task)
    before, after = await side.model(prepared.opening.model), await side.model(made.new.model)
    for name, array in before.items():
        assert np.allclose(after[name] - array, 0.75, atol=1e-6)
    assert made.new.digest == digest(after)
    assert (made.new.excluded, made.new.state, made.new.privacy) == ((), None, PrivacyMetadata("none"))
    assert made.new.loss > 0
    assert made.new.accuracy in {0, 1 / 3, 2 / 3, 1}
    assert made.new.drift > 0
    assert made.next.drawn.eligible == 3
    assert await side.do("aggregate_round", task) == made
    assert (await side.do("aggregate_round", replace(task, last=True))).next is None
    side.roster.there.clear()
    assert (await side.do("aggregate_round", task)).next is None


async def test_the_next_round_is_drawn_while_the_model_is_made_and_a_fault_of_either_is_the_tasks():
    side, asked = Side(), asyncio.Event()
    prepared = await side.prepare()
    task = await side.task(prepared, [await side.report("b", 1.0), await side.report("a", 0.0)])
    read, mapped = side.roster.candidates, side.artifacts.mapped

    async def candidates():
        asked.set()
        return await read()

    async def mapped_then(ref):
        await asyncio.wait_for(asked.wait(), 5)
        return await mapped(ref)

    side.roster.candidates, side.artifacts.mapped = candidates, mapped_then
    assert (await side.do("aggregate_round", task)).next is not None
    lost = await side.do("aggregate_round", replace(task, reports=task.reports[:1]))
    assert (lost.new, lost.lost) == (None, "1 of 2 updates could enter the model")

    async def away():
        raise OSError("the database is away")

    side.roster.candidates = away
    with pytest.raises(OSError, match="away"):
        await side.do("aggregate_round", task)


async def test_without_a_holdout_the_clients_own_rows_say_how_good_the_given_model_was():
    side = Side()
    prepared = await side.prepare(holdout=None)
    reports = [await side.report("a", 1, 10, 0.2), await side.report("b", 1, 30, 0.6)]
    made = await side.do("aggregate_round", await side.task(prepared, reports))
    assert made.new.loss == pytest.approx(0.5)
    assert made.new.accuracy is None
    hidden = [replace(one, loss=None) for one in reports]
    assert (await side.do("aggregate_round", await side.task(prepared, hidden))).new.loss is None


async def test_reports_put_aside_enter_as_those_at_hand():
    side = Side()
    prepared = await side.prepare()
    reports = [await side.report(name, 1.0) for name in "abc"]
    task = await side.task(prepared, reports)
    kept = await side.do("keep_reports", KeepReports(tuple(reports)))
    aside = await side.do("aggregate_round", replace(task, reports=(), kept=(kept,)))
    assert aside == await side.do("aggregate_round", task)


async def test_a_file_that_is_no_update_is_left_out_and_too_few_others_lose_the_round():
    side = Side()
    prepared = await side.prepare()
    raw = await side.artifacts.put(tensor_file.encode({"reasoning_improvements/rows": np.ones(9)}))
    bad = Report("c", raw.sha256, raw.bytes, 10, 1, 1, 0.5, 100, "none")
    reports = [await side.report("a", 1.0), await side.report("b", 1.0), bad]
    made = await side.do("aggregate_round", await side.task(prepared, reports))
    assert made.new.excluded == ("c",)
    lost = await side.do("aggregate_round", await side.task(prepared, reports[1:]))
    assert (lost.new, lost.lost) == (None, "1 of 2 updates could enter the model")


async def test_a_model_that_is_missing_or_was_changed_is_named():
    side = Side()
    prepared = await side.prepare()
    task = await side.task(prepared, [await side.report("a", 1.0), await side.report("b", 2.0)])
    with pytest.raises(Refusal, match="the artifact 000000000000 is not in this store"):
        await side.do("aggregate_round", replace(task, model=replace(task.model, sha256="0" * 64)))
    side.artifacts.damage(task.model)
    with pytest.raises(Refusal, match=f"the artifact {task.model.sha256[:12]} was changed"):
        await side.do("aggregate_round", task)


async def stored(side, report, content):
    ref = await side.artifacts.put(content)
    return replace(report, sha256=ref.sha256, bytes=ref.bytes)


async def with_nan(side, report):
    content = await side.artifacts.get(ref_of(report))
    return await stored(side, report, content[:-4] + np.array([np.nan], "f4").tobytes())


async def with_infinity(side, report):
    """In the first number, and not in the last."""
    content = bytearray(await side.artifacts.get(ref_of(report)))
    start = 8 + int.from_bytes(content[:8], "little")
    content[start : start + 4] = np.array([-np.inf], "f4").tobytes()
    return await stored(side, report, bytes(content))


async def of_another_shape(side, report):
    update = update_file.decode(await side.artifacts.get(ref_of(report)), SCHEMA)
    tensors = {
        f"reasoning_improvements/{name}": array.T for name, array in update_file.together(update).items()
    }
    return await stored(side, report, tensor_file.encode(tensors, {"update": "{}"}))


async def undecodable(side, report):
    return await stored(side, report, b"\xff" * 300)


async def with_a_wrong_digest(side, report):
    return replace(report, sha256="0" * 64)


async def with_a_wrong_size(side, report):
    return replace(report, bytes=report.bytes + 1)


async def changed_since(side, report):
    side.artifacts.damage(ref_of(report))
    return report


async def somebody_elses(side, report):
    """Anybody can read a digest on the log and claim its update."""
    return replace(await side.report("a", 1.0), client=report.client)


async def with_junk_for_metadata(side, report):
    update = update_file.decode(await side.artifacts.get(ref_of(report)), SCHEMA)
    named = {f"{spec.section}/{spec.name}": update_file.together(update)[spec.name] for spec in SCHEMA}
    return await stored(side, report, tensor_file.encode(named, {"update": "[" * 100_000}))


HOSTILE = [
    with_nan,
    with_infinity,
    of_another_shape,
    undecodable,
    with_a_wrong_digest,
    with_a_wrong_size,
    changed_since,
    somebody_elses,
    with_junk_for_metadata,
]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("strategy", ["fedavg", "median"])
async def test_one_hostile_client_is_left_out_by_name_and_stops_nobody(hostile, strategy):
    side = Side()
    prepared = await side.prepare(strategy=StrategySpec(strategy))
    honest = [await side.report("a", 1.0), await side.report("b", 2.0)]
    bad = await hostile(side, await side.report("c", 7.0))
    made = await side.do("aggregate_round", await side.task(prepared, [*honest, bad]))
    assert made.new.excluded == ("c",)
    alone = await side.do("aggregate_round", await side.task(prepared, honest))
    assert made.new.digest == alone.new.digest


async def test_a_hidden_update_with_a_wrong_digest_counts_as_one_that_never_came():
    """In the messages before the sum as in the sum itself, so that both speak of the same survivors."""
    side = Side(toy_sum.installed(MemoryJournal()))
    reports = [await side.report(name, 1.0) for name in "abc"]
    found = await hidden(side.artifacts, [replace(reports[0], sha256="0" * 64), *reports[1:]])
    assert list(found) == ["b", "c"]


async def test_a_strategy_by_losses_is_told_that_they_are_hidden():
    side = Side()
    updates, _ = await opened(side.artifacts, [replace(await side.report("a", 1.0), loss=None)], SCHEMA)
    with pytest.raises(Refusal, match="which this privacy method hides"):
        _ = updates.losses


THREE = CohortPolicy(share=1, minimum=3)


async def test_messages_go_to_the_hosts_of_those_who_are_left():
    side = Side(toy_sum.installed(MemoryJournal()))
    prepared = await side.prepare(privacy=PrivacySpec("secure_mpc"), cohort=THREE)
    assert (prepared.course.before, prepared.course.after) == (("hello",), ("reveal",))
    session = prepared.first.session
    left = (HostClients("g", ("c",)), HostClients("h", ("a",)))
    reports = tuple([await side.report(name, 1.0) for name in "ac"])
    routed = await side.do("route", Route("reveal", session, (), left, reports))
    read = [await messages.read(side.artifacts, one) for one in routed.inboxes]
    assert read == [{"c": b"reveal"}, {"a": b"reveal"}]
    boxes = [
        await messages.keep(side.artifacts, {"c": b"3", "a": b"forged"}),  # of a it may say nothing
        await side.artifacts.put(b"no messages"),
    ]
    outboxes = tuple(Outbox(box, one.clients) for box, one in zip(boxes, left, strict=True))
    routed = await side.do("route", Route("reveal", session, outboxes, left))
    read = [await messages.read(side.artifacts, one) for one in routed.inboxes]
    assert read == [{"c": b"reveal"}, {}]


async def test_who_sends_what_is_no_message_is_dropped_by_name():
    side = Side(toy_sum.installed(MemoryJournal()))
    prepared = await side.prepare(privacy=PrivacySpec("secure_mpc"), cohort=THREE)
    box = await messages.keep(side.artifacts, {"a": b"3", "b": b"unfit"})
    asked = (HostClients("h", ("a", "b")),)
    task = Route("hello", prepared.first.session, (Outbox(box, ("a", "b")),), asked)
    routed = await side.do("route", task)
    assert await messages.read(side.artifacts, routed.inboxes[0]) == {"a": b"hello"}
    assert routed.dropped == (Loss("b", "refused", "said what it was told not to"),)


async def test_an_accountant_is_asked_before_and_after_and_may_refuse():
    class Strict:
        def __init__(self):
            self.admitted = []

        async def admit(self, session, everybody):
            assert everybody
            if session.round > 1:
                raise Refusal("budget", "a would have spent 1.2 of 1")
            self.admitted.append(session.spec.epsilon)

        async def stated(self, session):
            return PrivacyMetadata("differential_privacy", 0.5, 1e-5, None, 0.25)

    accountant = Strict()
    side = Side(
        Installed(
            "differential_privacy",
            lambda _spec: plain.Plain("differential_privacy"),
            accountant=accountant,
            calibrate=lambda spec, rounds, size, eligible: replace(
                spec, noise_multiplier=float(rounds * size)
            ),
        )
    )
    prepared = await side.prepare(privacy=PrivacySpec("differential_privacy", epsilon=1.0))
    assert prepared.opening.request.privacy.noise_multiplier == 6.0
    assert accountant.admitted == [1.0]
    reports = [await side.report("a", 1.0), await side.report("b", 1.0)]
    made = await side.do("aggregate_round", await side.task(prepared, reports))
    assert made.new.privacy.epsilon == 0.5
    assert made.next is None
    drawn = await side.do("draw_round", DrawRound(prepared.opening, 1, 2, clip=0.25))
    assert (await messages.session_of(side.artifacts, drawn.session)).spec.clip == 0.25
    with pytest.raises(Refusal, match=r"a would have spent 1\.2 of 1"):
        await side.do("draw_round", DrawRound(prepared.opening, 2, 1))


async def test_a_model_is_published_once_with_its_lineage():
    side = Side()
    opening = (await side.prepare()).opening
    figures = (RoundFigures(1, 0.4, 0.9, 0.1, 3, 2, 10, 20, None),)
    task = Publish(opening, opening.model, "d", 2, "l", figures)
    assert [await side.do("publish_model", task) for _ in "12"] == ["v1.0", "v1.0"]
    ((publication, _),) = side.versions.published.values()
    assert list(side.versions.known) == ["m"]
    assert (publication.cycle, publication.loss, publication.accuracy) == ("c", 0.4, 0.9)
    assert b'"lineage":"l"' in await side.artifacts.get(publication.lineage)


async def test_a_parent_is_gone_on_from_and_one_of_another_shape_is_refused():
    side = Side()
    opening = (await side.prepare()).opening
    await side.do(
        "publish_model",
        Publish(opening, opening.model, "d", 2, "", (RoundFigures(1, None, None, 0, 3, 2, 1, 2, None),)),
    )
    assert (await side.prepare(parent="v1.0")).opening.parent == "v1.0"
    with pytest.raises(Refusal, match=r"parent v1\.0: tensor"):
        await side.prepare(trainer=TrainerSpec("logistic-regression", {"features": 3, "classes": 4}))


async def test_a_process_without_the_parts_refuses_by_name():
    learning = Learning(absent.control(MemoryArtifacts()))
    with pytest.raises(Refusal, match="no trainers are installed in this process"):
        await ActivityEnvironment().run(learning.prepare_cycle, PrepareCycle(REQUEST, AT))


@pytest.mark.parametrize("read", [messages.session_of, messages.read])
async def test_a_file_that_holds_no_messages_is_named(read):
    artifacts = MemoryArtifacts()
    with pytest.raises(Refusal, match=r"the artifact [0-9a-f]{12} holds none"):
        await read(artifacts, await artifacts.put(b"\xc1"))


def test_methods_that_are_not_there_are_named():
    spec = PrivacySpec("hybrid")
    with pytest.raises(Refusal, match="hybrid is not installed here; there is none of them"):
        Methods([]).method(spec)
    half = Methods([Installed("hybrid", lambda _spec: plain.Plain("hybrid"))])
    with pytest.raises(Refusal, match="not installed on this node"):
        half.node(spec, "a")
    with pytest.raises(Refusal, match="not installed at the aggregator"):
        half.aggregator(spec)


async def test_the_plain_method_has_no_messages():
    session = Session("c", 1, 1, 1, ("a",), 1, {}, PrivacySpec(), SCHEMA)
    with pytest.raises(Refusal, match="exchanges no messages"):
        await plain.PlainNode().exchange("hello", session, b"")
