"""given(events).when(decision).then(events), and deliberations to tell stories with."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st

from domain.consensus.commands import CastBallot, OpenDeliberation, RecordedBallot, Rule, Voter
from domain.consensus.decide import close_round, open_deliberation, seal_ballot
from domain.consensus.events import BallotCast, MediationGiven, Opened, Proposal, Seat
from domain.consensus.policy import Policy
from domain.consensus.recorded import hold_rounds
from domain.consensus.settle import conclude, give_mediation, next_step, rule
from domain.consensus.state import NOT_OPENED, Deliberation, fold, fold_all
from domain.event import Event
from domain.refusal import Refusal
from domain.stream import Draft

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OPTIONS = ("yes", "no")


def draft(version=0):
    return Draft("consensus/q", "test", "consensus/q", "run", version)


def opened(*voters, options=OPTIONS, weights=(), case=None, **policy):
    """An opening with the voters on the panel; `weights` in their order, else 1."""
    voters = voters or ("ann", "bob", "cem", "dee")
    weights = weights or (1.0,) * len(voters)
    panel = tuple(Seat(voter, weight) for voter, weight in zip(voters, weights, strict=True))
    proposal = Proposal("q", "Is it so?", options, evidence=("e",))
    return Opened(proposal, Policy(**policy), panel, candidates=len(voters), case=case)


def ballot(voter, choice, number=1, **said):
    return BallotCast(voter, number, choice, **said)


def ballots(number=1, **choices):
    """One ballot for each keyword: ann="yes"."""
    return [ballot(voter, choice, number) for voter, choice in choices.items()]


@dataclass(frozen=True)
class Given:
    events: tuple[Event, ...]

    @property
    def state(self):
        return fold_all(NOT_OPENED, self.events)

    def and_then(self, *data):
        return Given((*self.events, *draft(len(self.events)).events(data, AT)))

    def when(self, decide, *args, **kwargs):
        """The answer of a decision that takes the state first."""
        return When(self, decide, args, kwargs)


@dataclass(frozen=True)
class When:
    given: Given
    decide: object
    args: tuple
    kwargs: dict

    def events(self):
        return self.decide(self.given.state, *self.args, **self.kwargs)

    def then(self, *expected):
        assert self.events() == list(expected)

    def refused(self, refusal, *, field, says):
        with pytest.raises(refusal, match=says) as caught:
            self.events()
        assert caught.value.field == field
        assert "\n" not in str(caught.value)


def given(*data):
    return Given(()).and_then(*data)


@dataclass
class Sitting:
    """A live deliberation: its log so far, and the ballots under seal."""

    log: list[Event] = field(default_factory=list)
    held: list[BallotCast] = field(default_factory=list)
    _folded: Deliberation = NOT_OPENED

    @classmethod
    def of(cls, *voters, **policy):
        sitting = cls()
        sitting.write([opened(*voters, **policy)])
        return sitting

    @property
    def state(self):
        """What the log folds to; a forged one is refused here."""
        self._folded = fold_all(self._folded, self.log[len(self._folded.event_ids) :])
        return self._folded

    @property
    def now(self):
        return AT + timedelta(seconds=len(self.log))

    def write(self, data):
        events = draft(len(self.log)).events(data, self.now)
        self.log += events
        return events

    def cast(self, voter, choice, confidence=None, reason=""):
        mine = [held for held in self.held if held.voter == voter]
        command = CastBallot(voter, choice, confidence, reason)
        sealing, taken = seal_ballot(self.state, command, mine, nonce=f"nonce {len(self.log)}")
        self.held += [taken] if taken else []
        return self.write(sealing)

    def close(self):
        closing = close_round(self.state, self.held)
        self.held = []
        return self.write(closing)[-1].data

    def round(self, **choices):
        """Everyone named casts a ballot, and the round is closed."""
        for voter, choice in choices.items():
            self.cast(voter, choice)
        return self.close()

    def conclude(self):
        return self.write(conclude(self.state, self.now))[-1].data


@st.composite
def policies(draw):
    model = draw(st.sampled_from([None, None, "crash", "byzantine", "stake"]))
    return Policy(
        threshold=draw(st.sampled_from([0.5, 0.6, 0.75, 0.9, 1.0])),
        quorum=draw(st.sampled_from([0.0, 0.5, 1.0])),
        max_rounds=draw(st.integers(1, 4)),
        floor=draw(st.sampled_from([0.0, 0.1, 0.4, 1.0])),
        fault_model=model,
        faults=1 if model == "byzantine" else 0,
        stake_cap=draw(st.sampled_from([0.5, 0.8, 1.0])) if model == "stake" else 0.5,
        otherwise=draw(st.sampled_from(["mediate", "person", "unresolved"])),
    )


@st.composite
def questions(draw):
    """A question to recorded voters who may answer late, never, invalidly, or change their mind."""
    options = ("red", "green", "blue")[: draw(st.integers(2, 3))]
    policy = draw(policies())
    answers = st.sampled_from([*options, None, "mauve"])
    voters = []
    for number in range(draw(st.integers(4, 6))):
        rounds = draw(st.lists(st.integers(1, 4), unique=True, max_size=3))
        said = tuple(RecordedBallot(draw(answers), number_, reason="because") for number_ in rounds)
        weight = draw(st.sampled_from([0.1, 1.0, 7.5])) if policy.fault_model == "stake" else 1.0
        voters.append(Voter(f"v{number}", weight=weight, ballots=said))
    return OpenDeliberation("q", "Which?", options, tuple(voters), policy=policy)


def held(question, mediator=None, person=None):
    """The log of a question to recorded voters, settled; `mediator` and `person` say what they choose."""
    at = AT
    pen = draft()
    log = pen.events(open_deliberation(question), at)
    state = fold_all(NOT_OPENED, log)
    events, state = hold_rounds(state, question.voters, pen, at)
    log += events
    while (step := next_step(state)) != "settled":
        if step == "mediate":
            data = give_mediation(state, MediationGiven("m", mediator, "the evidence says so"))
        elif step == "person" and person is not None:
            data = rule(state, Rule(person, "on reflection", "Pat"))
        else:
            data = conclude(state, at)
        events = pen.events(data, at)
        log += events
        state = fold_all(state, events)
    return log


@st.composite
def settled(draw):
    """The log of any deliberation that came to its end."""
    question = draw(questions())
    choices = st.none() | st.sampled_from([*question.options, "mauve"])
    return held(question, draw(choices), draw(st.none() | st.sampled_from(question.options)))


@st.composite
def live(draw):
    """The log of a live deliberation, equivocations and all."""
    sitting = Sitting.of("ann", "bob", "cem", "dee", options=("red", "green", "blue"), max_rounds=3)
    while next_step(sitting.state) == "ballots":
        for _ in range(draw(st.integers(0, 6))):
            voter = draw(st.sampled_from(["ann", "bob", "cem", "dee"]))
            try:
                sitting.cast(voter, draw(st.sampled_from([*sitting.state.options, None])))
            except Refusal:
                continue  # a third ballot
        sitting.close()
    sitting.conclude()
    return sitting.log


def altered(event: Event, **fields) -> Event:
    """The event with other data, as a forger would write it."""
    return replace(event, data=replace(event.data, **fields))


def refold(log) -> Deliberation:
    """One event at a time, as it was written."""
    state = NOT_OPENED
    for event in log:
        state = fold(state, event)
    return state
