"""What is decided of a case when it is told of something, or when time has passed."""

from collections.abc import Callable, Sequence

from temporalio import workflow

from domain.conflict.annulment import ask_annulment
from domain.conflict.appeals import appeal
from domain.conflict.commands import Appeal, AskAnnulment, GiveVerdict, GrowCase
from domain.conflict.events import ConflictEvent
from domain.conflict.hearing import grow
from domain.conflict.persons import give_verdict, wake
from domain.conflict.state import CaseState
from domain.consensus.commands import Voter
from domain.refusal import Refusal

Decision = Callable[[CaseState], Sequence[ConflictEvent]]


def nothing(state: CaseState) -> Sequence[ConflictEvent]:
    del state  # time alone has changed, and what that brings follows by itself
    return ()


def woken(state: CaseState) -> Sequence[ConflictEvent]:
    return wake(state, workflow.now())


def appealed(command: Appeal) -> Decision:
    return lambda state: appeal(state, command, workflow.now())


def ruled(command: GiveVerdict) -> Decision:
    return lambda state: give_verdict(state, command)


def attacked(command: AskAnnulment, members: Sequence[Voter]) -> Decision:
    return lambda state: ask_annulment(state, command, members, workflow.now())


def growing(command: GrowCase) -> Decision:
    """Refuse also what says nothing new: an update that is taken makes the history longer."""

    def decide(state: CaseState) -> Sequence[ConflictEvent]:
        grown = grow(state, command)
        if not grown:
            raise Refusal("positions", "all of them stand there already")
        return grown

    return decide
