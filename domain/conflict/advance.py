"""What happened to a case, with all that follows from it while nobody is asked: one append, one step."""

from collections.abc import Sequence
from datetime import datetime

from domain.conflict.decide import AwaitAnnulment, AwaitAppeal, BeginLevel, Settle, next_step
from domain.conflict.events import ConflictEvent
from domain.conflict.fold import fold_all
from domain.conflict.hearing import begin_level
from domain.conflict.settle import settle
from domain.conflict.state import CaseState
from domain.consensus.commands import Voter
from domain.event import Event
from domain.stream import Draft


def advance(
    state: CaseState, happened: Sequence[ConflictEvent], members: Sequence[Voter], draft: Draft, at: datetime
) -> list[Event]:
    """The events of `happened`, then what the record compels and the levels that begin, up to who is asked.

    Each is decided on the folded state of those before it, at one time.
    """
    events = draft.events(happened, at)
    state = fold_all(state, events)
    while following := _following(state, members, at):
        new = draft.events(following, at)
        state = fold_all(state, new)
        events += new
    return events


def _following(state: CaseState, members: Sequence[Voter], at: datetime) -> Sequence[ConflictEvent]:
    match next_step(state):
        case BeginLevel():
            return begin_level(state, members)
        case Settle() | AwaitAppeal() | AwaitAnnulment():
            return settle(state, at)
        case _:
            return ()
