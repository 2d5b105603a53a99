"""Ledgers and models' versions among all streams: folded as far as the log goes, since they never settle."""

from dataclasses import replace

from audit.decisions import Passed, settled_streams
from audit.grounds import Grounds
from audit.learning import Learned
from audit.replay import replay_all
from audit.replayed import Replayed
from audit.unending import Unending
from cli import audit_learning
from cli.audit_replay import _data, _lines
from domain.learning.budget.events import BudgetCharged
from domain.learning.versions.events import Promoted
from tests.fakes.log_reader import MemoryReader
from tests.unit.audit import test_budgets as ledger
from tests.unit.audit import test_versions as model
from tests.unit.audit.learning_cycle import whole


def log(charges=None, versions=None):
    reader = MemoryReader()
    for one in (charges or ledger.kept(), versions or model.told()):
        reader.append(one, "learning")
    return reader


async def replayed(reader, **grounds):
    passed, unending = Passed(), Unending(ledger.accountant)
    streams = settled_streams(reader, lambda *_: None, passed, unending.take)
    return await replay_all(streams, passed, Grounds(epsilon=ledger.accountant, **grounds), unending)


async def test_they_are_taken_in_and_counted():
    found = await replayed(log())
    assert (found.divergent, found.passed.stopped) == ([], {})
    assert [*found.unending.ledgers, *found.unending.models] == [ledger.STREAM, model.STREAM]
    told = _data(found, None)
    assert (told["agrees"], told["charges"]) == (True, 2)
    counts = {key: told["learning"][key] for key in ("ledgers", "version_ledgers", "versions")}
    assert counts == {"ledgers": 1, "version_ledgers": 1, "versions": 6}
    lines = _lines(found, None)
    assert "2 charges of 1 privacy ledger accounted for again\n" in lines
    assert "6 versions of 1 model published, tried and served again\n" in lines
    assert audit_learning.lines(Learned(), Replayed().unending) == ""


async def test_a_forged_charge_and_a_forged_promotion_are_named():
    charges, event = ledger.changed(BudgetCharged, digest="0" * 64)
    versions, other = model.changed(Promoted, 1, reason="it pleased")
    found = await replayed(log(charges, versions))
    assert [one.event_id for one in found.divergent] == [event, other]
    assert _data(found, None)["agrees"] is False


async def test_one_that_stands_still_at_a_record_that_does_not_follow_is_told():
    charges = ledger.kept()
    found = await replayed(log([charges[0], *charges[2:]]))
    assert list(found.passed.stopped) == [ledger.STREAM]
    assert "is version 3, but 2 is next" in found.passed.stopped[ledger.STREAM]


async def test_without_an_accountant_every_charge_is_named():
    reader, unending = log(), Unending()
    streams = settled_streams(reader, lambda *_: None, None, unending.take)
    found = await replay_all(streams, None, Grounds(), unending)
    assert {one.problem for one in found.divergent} == {
        "epsilon: no accountant was named to say what the releases cost"
    }
    assert len(found.divergent) == 3


async def test_what_comes_while_the_log_is_read_waits_for_the_next_reading():
    reader, more = log(), model.told()
    later = [replace(event, stream="model/other") for event in more]
    unending = Unending(ledger.accountant)
    streams = settled_streams(reader, lambda *_: reader.append(later, "learning"), None, unending.take)
    assert [one async for one in streams] == []
    assert list(unending.models) == [model.STREAM]


async def test_a_ledger_is_read_up_to_a_later_end_than_the_cycles_that_it_was_charged_for():
    """The ends of partitions are asked for one after the other, while the log grows."""
    made = await whole()
    reader = MemoryReader()
    reader.append(made.log[:-1], "learning")
    asked = reader.beginning_and_end

    async def growing(topic, partition):
        found = await asked(topic, partition)
        if topic == "learning" and found[1] == len(made.log) - 1:  # just after it was looked at
            reader.append([*ledger.kept(), made.log[-1]], "learning")
        return found

    reader.beginning_and_end = growing
    unending = Unending(ledger.accountant)
    settled = [one async for one in settled_streams(reader, lambda *_: None, None, unending.take)]
    assert (settled, unending.charges) == ([], 2)
