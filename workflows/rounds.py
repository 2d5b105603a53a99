"""One round among voters who answer while it is open: people and agents by update, reasoners by activity."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError
from temporalio.exceptions import TimeoutError as ActivityTimedOut

from activities.reasoner import Answer, Reasoning, inquiry_of
from domain.consensus.commands import CastBallot, Voter, check_ballot
from domain.consensus.decide import close_round, seal_ballot
from domain.consensus.events import BallotCast, BallotSealed
from domain.consensus.recorded import ballots_for, has_last_word, live_voters
from domain.consensus.settle import conclude, next_step
from domain.consensus.state import Deliberation, fold_all
from domain.event import Event
from domain.refusal import Refusal
from domain.stream import Draft
from workflows.names import node_queue
from workflows.recording import Recording


@dataclass(frozen=True, slots=True)
class BallotReceipt:
    """Proof that a ballot is under seal: the event that holds `commitment`, a SHA-256 over the ballot.

    `equivocates`: the voter has another ballot of this round under seal, so that neither counts.
    """

    event_id: str
    commitment: str
    round: int
    equivocates: bool = False


@dataclass(frozen=True, slots=True)
class _Sealed:
    ballot: BallotCast
    receipt: BallotReceipt


class Rounds:
    """What the live voters of the open round have handed in so far, and how it is closed."""

    def __init__(self, voters: Sequence[Voter], recording: Recording[Deliberation]) -> None:
        self._voters = {voter.id: voter for voter in voters}
        self._recording = recording
        self._sealed: list[_Sealed] = []
        self._answers: dict[str, BallotCast] = {}

    def live(self) -> list[Voter]:
        """Voters on the panel whose ballots are not in the input."""
        return live_voters(self._recording.state, tuple(self._voters.values()))

    def handed_in(self) -> frozenset[str]:
        return frozenset(self._answers) | {sealed.ballot.voter for sealed in self._of_round()}

    def check(self, command: CastBallot) -> None:
        """What can be said against a ballot before it is taken.

        Raises:
            Refusal: as `seal_ballot`, or the voter does not vote by update.
        """
        self._seal(self._recording.state, command, nonce="")

    async def cast(self, command: CastBallot) -> BallotReceipt:
        """Record the commitment to a ballot and keep the ballot itself until the round closes.

        Repeating a ballot gives the receipt of the first, also when its round has closed since: a voter whom
        the answer did not reach hands it in again. `command.round` must name the round, so that a
        ballot that waited while its round was closed is not counted in the next one.
        """
        nonce = _nonce()
        taken: list[BallotCast] = []
        receipts: list[BallotReceipt] = []

        def decide(state: Deliberation, draft: Draft, at: datetime) -> list[Event]:
            sealing, ballot = self._seal(state, command, nonce)
            taken.extend([ballot] if ballot else [])
            return draft.events(sealing, at)

        def keep(events: Sequence[Event]) -> None:
            for event, ballot in zip(events, taken, strict=True):
                self._sealed.append(_Sealed(ballot, self._receipt(event, ballot)))
            receipts.extend(
                sealed.receipt for sealed in self._sealed if _place(sealed.ballot) == _place(command)
            )

        await self._recording.record_drafted(decide, f"seal the ballot of {command.voter}", keep)
        return receipts[0]

    async def hold(self) -> None:
        """Keep the round open until every live voter answered or its time is over, then close it."""
        state = self._recording.state
        asked = [
            asyncio.create_task(self._ask(voter, state)) for voter in self.live() if voter.kind == "reasoner"
        ]
        try:
            await workflow.wait_condition(
                lambda: self.handed_in() >= {voter.id for voter in self.live()},
                timeout=timedelta(seconds=state.policy.round_seconds),
                timeout_summary=f"round {state.round} closes",
            )
        except TimeoutError:
            pass  # whoever has not answered by now has abstained
        finally:
            for task in asked:
                task.cancel()
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
        await self._recording.record_drafted(self._close, f"close round {state.round}")
        self._answers.clear()

    def _seal(
        self, state: Deliberation, command: CastBallot, nonce: str
    ) -> tuple[list[BallotSealed], BallotCast | None]:
        voter = self._voters.get(command.voter)
        if voter is not None and voter.kind != "external":
            raise Refusal(
                "voter", f"{voter.id} is a {voter.kind} voter; only external voters cast ballots here"
            )
        number = state.round if command.round is None else command.round
        return seal_ballot(state, command, self._of(command.voter, number), nonce)

    def _close(self, state: Deliberation, draft: Draft, at: datetime) -> list[Event]:
        live = [*(sealed.ballot for sealed in self._of_round()), *self._answers.values()]
        ballots = [*ballots_for(state, tuple(self._voters.values())), *live]
        closing = close_round(state, ballots, last_word=has_last_word(state, tuple(self._voters.values())))
        events = draft.events(closing, at)
        state = fold_all(state, events)
        if next_step(state) == "conclude":
            events += draft.events(conclude(state, at), at)
        return events

    def _receipt(self, event: Event, ballot: BallotCast) -> BallotReceipt:
        commitment = event.data.commitment  # type: ignore[attr-defined] # a BallotSealed
        return BallotReceipt(
            event.id, commitment, ballot.round, equivocates=bool(self._of(ballot.voter, ballot.round))
        )

    def _of_round(self) -> list[_Sealed]:
        state = self._recording.state
        return [sealed for sealed in self._sealed if state.balloting and sealed.ballot.round == state.round]

    def _of(self, voter: str, number: int) -> list[BallotCast]:
        ballots = (sealed.ballot for sealed in self._sealed)
        return [ballot for ballot in ballots if (ballot.voter, ballot.round) == (voter, number)]

    async def _ask(self, voter: Voter, state: Deliberation) -> None:
        try:
            answer = await workflow.execute_activity_method(
                Reasoning.answer_inquiry,
                inquiry_of(voter.id, state),
                task_queue=node_queue(voter.node or ""),
                schedule_to_close_timeout=timedelta(seconds=state.policy.round_seconds),
                retry_policy=RetryPolicy(maximum_attempts=3),
                summary=f"ask {voter.id} on node {voter.node}, round {state.round}",
            )
        except ActivityError as error:
            answer = Answer(None, reason=f"abstained: {_why(voter, error)}"[:500])
        self._answers[voter.id] = _ballot(voter, state.round, answer)


def _place(ballot: BallotCast | CastBallot) -> tuple[str, int | None, str | None]:
    return ballot.voter, ballot.round, ballot.choice


def _ballot(voter: Voter, number: int, answer: Answer) -> BallotCast:
    try:
        check_ballot(answer.choice, answer.confidence, answer.reason)
    except Refusal as refusal:
        return BallotCast(voter.id, number, None, reason=f"abstained: the answer is invalid: {refusal}"[:500])
    return BallotCast(voter.id, number, answer.choice, answer.confidence, answer.reason)


def _why(voter: Voter, error: ActivityError) -> str:
    if isinstance(error.cause, ActivityTimedOut):
        return f"node {voter.node} gave no answer in time"
    return f"{type(error.cause).__name__}: {error.cause}"


def _nonce() -> str:
    """32 hexadecimal digits that no reader of the log can guess.

    A workflow's own randomness is seeded with its run id, which every event bears; whoever knows the seed can
    try all options against a commitment. The update's id is drawn by the voter's client and not on the log.
    """
    update = workflow.current_update_info()
    if update is None:
        raise RuntimeError("a ballot is sealed outside an update")
    return hashlib.sha256(f"{update.id}:{workflow.info().run_id}".encode()).hexdigest()[:32]
