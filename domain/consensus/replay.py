"""Decides a recorded deliberation again from its own ballots and names the first event that differs."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.consensus.decide import close_round
from domain.consensus.events import BallotCast, Decided, RoundClosed, Withdrawn
from domain.consensus.settle import conclude, next_step
from domain.consensus.state import NOT_OPENED, Deliberation, fold
from domain.event import Event, EventData
from domain.refusal import Refusal

_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first event that its predecessors do not compel: what was recorded, what follows from them."""

    event_id: str
    version: int
    type: str
    problem: str


def replay(events: Sequence[Event]) -> tuple[Deliberation, Divergence | None]:
    """Fold `events` of one stream and recompute every count and outcome on the way.

    Ballots, sealed commitments, mediation and rulings are evidence and taken as they stand; what a round came
    to and what was decided must follow from them.
    """
    state = before = NOT_OPENED
    posterior = _posterior(events)
    for event in events:
        problem = _problem(state, before, event, posterior)
        try:
            following = fold(state, event)
        except Refusal as refusal:
            problem = problem or str(refusal)
        if problem is not None:
            return state, Divergence(event.id, event.version, event.type, problem)
        state = following
        if not isinstance(event.data, BallotCast):
            before = state
    return state, None


def _problem(
    state: Deliberation, before: Deliberation, event: Event, posterior: dict[str, float] | None
) -> str | None:
    expected: list[EventData] = []
    match event.data:
        case RoundClosed():
            ballots = [counted.ballot for counted in state.ballots_of(state.round)]
            # Whether a voter could still change its mind is not on the log; both answers are lawful.
            expected = [
                closed
                for last in (False, True)
                for closed in close_round(before, ballots, last_word=last, posterior=posterior)[-1:]
            ]
        case Decided():
            try:
                expected = list(conclude(state, event.time, posterior))
            except Refusal as refusal:
                return str(refusal)
        case Withdrawn() if next_step(state) == "conclude":
            return "it was withdrawn, but the events before it compel an outcome"
        case _:
            return None
    if any(_equal(event.data, other) for other in expected):
        return None
    return _difference(event.data, expected)


def _posterior(events: Sequence[Event]) -> dict[str, float] | None:
    decided = (event.data.posterior for event in events if isinstance(event.data, Decided))
    return next(decided, None)


def _equal(recorded: EventData, other: EventData) -> bool:
    return _difference(recorded, [other]) == ""


def _difference(recorded: EventData, expected: Sequence[EventData]) -> str:
    if not expected:
        return "nothing follows from the events before it"
    other = expected[0]
    for name in recorded.__slots__:  # type: ignore[attr-defined] # every event is a slotted dataclass
        if name == "reason":  # words for people; a later release may word the same cause otherwise
            continue
        said, follows = getattr(recorded, name), getattr(other, name)
        if said != follows and not _close(said, follows):
            return f"{name}: recorded {said!r}, but {follows!r} follows from the ballots"
    return ""


def _close(said: object, follows: object) -> bool:
    return isinstance(said, float) and isinstance(follows, float) and abs(said - follows) <= _TOLERANCE
