"""A cycle that really ran, taken again from Kafka, the artifact store and Temporal's histories."""

from dataclasses import replace

import numpy as np
import pytest

from activities import update_file
from activities.privacy import plain
from activities.privacy.port import Sum
from activities.privacy.registry import Installed, Methods
from audit.decisions import settled_streams
from audit.learning_evidence import CHECKED
from audit.replay import replay_all, replay_stream
from audit.unending import Unending
from domain.event import Event
from domain.learning.events import RoundAggregated
from domain.stream import budget_stream, learning_stream
from eventlog.reader import LogReader
from tests.integration.learning.private import Working, private
from workers.replaying import replay_histories


async def audited(fleet, stream):
    async with LogReader(*fleet.kafka) as reader:
        found = await replay_stream(reader, stream, fleet.grounds(reader))
        asked = fleet.client, reader, fleet.artifacts, stream
        return found, await replay_histories(*asked, lambda *_: None)


async def test_a_cycle_agrees_with_its_updates_and_its_history_until_a_file_or_an_event_is_changed(fleet):
    few = await fleet()
    await few.announce()
    request = await few.request(rounds=2, strategy={"name": "fedadam"})
    await few.run(request)
    stream = learning_stream(request["id"])
    found, histories = await audited(few, stream)
    assert (found.divergent, found.passed.stopped, found.learned.unproven) == ([], {}, [])
    assert (found.cycles, found.learned.cohorts, found.learned.models) == (1, 2, 2)
    assert (histories.divergent, histories.foreign, histories.unvouched) == ({}, [], [])
    assert (histories.replayed, histories.streams) == (1, 1)

    events = await few.stream(request["id"])
    await few.log.append("learning", [forged(events[-1])])
    _, histories = await audited(few, stream)
    assert [one.event_id for one in histories.foreign] == [forged(events[-1]).id]

    model = next(event.data.model for event in events if isinstance(event.data, RoundAggregated))
    kept = await few.artifacts.get(model)
    path = f"{few.artifacts._root}/{model.sha256[:2]}/{model.sha256}"
    few.artifacts._files.pipe_file(path, kept[:-4] + b"\0\0\x80?")
    found, _ = await audited(few, stream)
    assert {one.problem.partition(": ")[0] for one in found.divergent} == {
        "model",
        "model of the round before",
    }
    assert all("was changed: its bytes have another SHA-256" in one.problem for one in found.divergent)


def forged(last: Event) -> Event:
    """An event of nobody, after the last."""
    return replace(last, id=f"{last.id[:-4]}beef", version=last.version + 1)


async def everything(fleet):
    """The log's half of a replay of all streams."""
    async with LogReader(*fleet.kafka) as reader:
        grounds = fleet.grounds(reader)
        unending = Unending(grounds.epsilon)
        streams = settled_streams(reader, lambda *_: None, None, unending.take)
        return await replay_all(streams, None, grounds, unending)


def copied(events, name, *changed):
    """The cycle under another id, by somebody who asks no ledger; `changed`: instead of some."""
    known = {event.version: event for event in events} | {event.version: event for event in changed}
    opened = known[1].data
    known[1] = replace(known[1], data=replace(opened, request=replace(opened.request, id=name)))
    stream = learning_stream(name)
    return [replace(one, stream=stream, id=f"{one.id[:-4]}cafe") for _, one in sorted(known.items())]


async def test_a_cycle_that_was_never_charged_for_is_named_alone_and_among_all(fleet):
    pytest.importorskip("dp_accounting")
    ten = await private(fleet)
    await ten.announce()
    ledger = f"l-{ten.name}"
    noised = {"method": "differential_privacy", "noise_multiplier": 5.0, "budget": 4.0, "ledger": ledger}
    async with Working(ten):
        six = {"share": 1, "minimum": 6, "size": 6}
        request = await ten.request(rounds=2, cohort=six, privacy=noised)
        await ten.run(request)
    events = await ten.stream(request["id"])
    last = [event for event in events if isinstance(event.data, RoundAggregated)][-1]
    cheap = replace(last.data.privacy, epsilon=last.data.privacy.epsilon / 2)
    forged = f"{request['id']}-x"
    less = replace(last, data=replace(last.data, privacy=cheap))
    await ten.log.append("learning", copied(events, forged, less))

    every = await everything(ten)
    found, honest = every.divergent, learning_stream(request["id"])
    assert budget_stream(ledger) in every.unending.ledgers
    assert [one for one in found if one.stream in (honest, budget_stream(ledger))] == []
    async with LogReader(*ten.kafka) as reader:
        alone = await replay_stream(reader, learning_stream(forged), ten.grounds(reader))
        assert (await replay_stream(reader, honest, ten.grounds(reader))).divergent == []
        own = await replay_stream(reader, budget_stream(ledger), ten.grounds(reader))
    assert (own.divergent, own.unending.charges) == ([], 2)
    told = sorted(one.problem for one in found if one.stream == learning_stream(forged))
    assert told == sorted(one.problem for one in alone.divergent)
    assert [one.partition(": ")[0] for one in told] == ["epsilon", "privacy.ledger", "privacy.ledger"]


class HiddenSum:
    """An aggregator that is shown the sum alone, by a method that hides nothing from this test."""

    async def prepare(self, salt):  # noqa: ARG002 # as below
        return ""

    def route(self, step, session, outboxes):  # noqa: ARG002 # the shape of the port
        raise AssertionError("there are no messages")

    async def sum(self, session, protected, revealed):  # noqa: ARG002 # as above
        found = [update_file.decode(raw, session.schema) for raw in protected.values()]
        total = {
            spec.name: np.sum([np.float64(update_file.together(one)[spec.name]) for one in found], axis=0)
            for spec in session.schema
        }
        return Sum(total, float(len(found)), tuple(protected))


def hidden(_journal):
    method = replace(plain.Plain(), name="secure_mpc", individual=False)
    return Methods(
        [Installed("secure_mpc", lambda _spec: method, plain.installed().node, aggregator=HiddenSum())]
    )


async def test_a_hidden_sum_leaves_evidence_by_which_its_model_is_made_again(fleet):
    few = await fleet(methods=hidden)
    await few.announce()
    request = await few.request(rounds=2, strategy={"name": "fedadam"}, privacy={"method": "secure_mpc"})
    await few.run(request)
    found, _ = await audited(few, learning_stream(request["id"]))
    assert (found.divergent, found.learned.models) == ([], 0)
    assert [one.why.partition("; ")[2] for one in found.learned.unproven] == [CHECKED, CHECKED]
