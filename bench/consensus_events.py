"""Events as deliberations write them, for measurements of the projector."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from domain.consensus.events import BallotCast, Opened, Proposal, RoundClosed, Seat, Support
from domain.consensus.policy import Policy
from domain.event import Event, EventData, event_id

START = datetime(2026, 1, 1, tzinfo=UTC)
OPTIONS = ("left", "right")
VOTERS = tuple(f"voter-{number}" for number in range(24))
ROUNDS = 4
POLICY = Policy(max_rounds=ROUNDS + 1)  # none of them is the last


def distinct(count: int) -> Iterator[Event]:
    """`count` deliberations opened: every event is the first of its stream."""
    for number in range(count):
        name = f"d{number:07d}"
        yield _event(f"consensus/{name}", 1, _opened(name, VOTERS[:1]), number)


def hot(count: int, keys: int) -> Iterator[Event]:
    """`count` events of `keys` deliberations that are all under way at once, round after round."""
    plan = [None, *((r, voter) for r in range(1, ROUNDS + 1) for voter in (*VOTERS, None))]
    for number in range(count):
        step, key = divmod(number, keys)
        name = f"h{key:05d}"
        yield _event(f"consensus/{name}", step + 1, _said(name, key, plan[step]), number)


def _said(name: str, key: int, step: tuple[int, str | None] | None) -> EventData:
    if step is None:
        return _opened(name, VOTERS)
    number, voter = step
    if voter is None:
        tally = (Support("left", 16.0, 16), Support("right", 8.0, 8))
        return RoundClosed(
            number, tally, ("left",), 0.666667, 24, 0, "open", "left has 0.666667, 0.75 is needed"
        )
    choice = OPTIONS[(key + number) % 3 == 0]
    return BallotCast(voter, number, choice, 0.8, "The crack runs from the upper left corner to the middle.")


def _opened(name: str, voters: tuple[str, ...]) -> Opened:
    proposal = Proposal(name, "Which image shows the crack?", OPTIONS, topic="cracks")
    return Opened(proposal, POLICY, tuple(Seat(voter) for voter in voters), candidates=len(voters))


def _event(stream: str, version: int, data: EventData, number: int) -> Event:
    at = START + timedelta(milliseconds=number)
    return Event(event_id(at, stream, version), stream, version, at, data, source="bench")
