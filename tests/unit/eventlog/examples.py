"""One plain event, to be bent by each test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.consensus.events import BallotCast
from domain.event import Event, event_id

AT = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)
BALLOT = BallotCast("ada", 1, "close", 0.75, "ice", changed=False, labels=("close",), nonce="00ff")


def ballot(stream="consensus/42", version=1, *, at=AT, **changes):
    """A ballot cast; `changes` go to its data."""
    return Event(
        id=event_id(at, stream, version),
        stream=stream,
        version=version,
        time=at,
        data=replace(BALLOT, **changes),
        source="orchestrator",
        workflow_id=stream,
    )


def ballots(count, streams=1, *, at=AT):
    """`count` ballots over so many streams, a millisecond apart."""
    return [
        ballot(f"consensus/{n % streams}", n // streams + 1, at=at + timedelta(milliseconds=n))
        for n in range(count)
    ]
