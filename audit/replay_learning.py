"""What a replay does of learning: cycles, and the ledgers and models' versions that never settle."""

from collections.abc import Sequence
from contextlib import suppress

from audit.budgets import LedgerReplay, replay_ledger
from audit.decisions import stream_events
from audit.grounds import Grounds
from audit.learning import replay_cycle
from audit.learning_charges import uncharged
from audit.replayed import Replayed
from audit.unending import Unending
from domain.event import Event
from domain.refusal import Refusal
from eventlog.reader import LogReader


async def replay_learning(found: Replayed, events: Sequence[Event], grounds: Grounds) -> None:
    """A cycle, but for whether it was charged for."""
    found.count(events)
    already = len(found.learned.divergent)
    await replay_cycle(found.learned, events, grounds)
    found.divergent += found.learned.divergent[already:]


async def replay_charged(
    found: Replayed, reader: LogReader, events: Sequence[Event], grounds: Grounds
) -> None:
    """A cycle, and the ledgers that it names: what differs in one of them is no charge of the cycle's."""
    await replay_learning(found, events, grounds)
    ledgers: dict[str, LedgerReplay] = {}
    for stream in {one.ledger for one in found.learned.releases}:
        with suppress(Refusal):  # a ledger that is not on the log was charged for nothing
            ledgers[stream] = replay_ledger(
                await stream_events(reader, stream, found.passed), grounds.epsilon
            )
    found.divergent += uncharged(found.learned.releases, ledgers)


def replay_unending(found: Replayed, unending: Unending) -> None:
    """Ledgers and models' versions, and whether the cycles that were replayed were charged for in them."""
    found.unending = unending
    found.divergent += unending.divergent
    found.divergent += uncharged(found.learned.releases, unending.ledgers)
