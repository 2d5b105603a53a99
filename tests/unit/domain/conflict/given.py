"""Cases to tell stories with: a live one that is driven step by step, and any one, drawn at random."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from domain.causality.causal_context import Dot
from domain.conflict import annulment, appeals, deliberations, hearing, persons
from domain.conflict.case import ContextKey, Evidence, Position
from domain.conflict.commands import Appeal, AskAnnulment, GiveVerdict, GrowCase, OpenCase
from domain.conflict.decide import (
    ApplyRule,
    AskMediator,
    AwaitAnnulment,
    AwaitAppeal,
    AwaitPerson,
    BeginLevel,
    Closed,
    HearAnnulment,
    HoldDeliberation,
    Settle,
    next_step,
)
from domain.conflict.deliberations import annulment_question, level_question
from domain.conflict.events import OpinionGiven, RuleApplied
from domain.conflict.fold import fold, fold_all
from domain.conflict.policy import ConflictPolicy
from domain.conflict.settle import settle
from domain.conflict.state import NO_CASE
from domain.conflict.withdrawal import withdraw
from domain.consensus.commands import RecordedBallot, Voter
from domain.consensus.decide import open_deliberation
from domain.consensus.outcome import outcome_of
from domain.consensus.recorded import hold_rounds
from domain.consensus.state import NOT_OPENED
from domain.consensus.state import fold_all as fold_deliberation
from domain.refusal import Refusal
from domain.stream import Draft

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = ContextKey("situational", "ward-3/beds")
PIECES = (Evidence("e1", "the ward's log says nine"), Evidence("e2", "the porter counted seven"))
POSITIONS = (
    Position("p1", "ann", "nine beds", ("e1",), "eu", Dot("eu-1", 4)),
    Position("p2", "bob", "seven beds", ("e2",), "eu", Dot("eu-2", 9)),
)
LATE = Position("p3", "cem", "eight beds", (), "eu", Dot("eu-3", 1))
CASE = OpenCase("c1", ("eu",), POSITIONS, evidence=PIECES, context=KEY)


def member(number, choice="p1", region=None, **fields):
    """Members spread over three regions, each with a ballot for its first round."""
    region = region or ("eu", "us", "asia")[number % 3]
    said = (RecordedBallot(choice, confidence=0.8),)
    return Voter(f"m{number:02}", region=region, **{"ballots": said, **fields})


def crowd(count=45, choice="p1"):
    return tuple(member(number, choice) for number in range(count))


def options(number):
    return tuple(f"p{index + 1}" for index in range(number))


def held(question, at=AT):
    """What a panel's whole deliberation comes to, from the ballots that its voters brought."""
    return outcome_of(deliberated(question, at))


def deliberated(question, at=AT):
    """A panel's whole deliberation."""
    pen = Draft(f"consensus/{question.id}", "test", f"consensus/{question.id}", "run")
    log = pen.events(open_deliberation(question), at)
    state = fold_deliberation(NOT_OPENED, log)
    _, state = hold_rounds(state, question.voters, pen, at)
    return state


@dataclass
class Trial:
    """A live case: its log so far, its clock, and the refusals met on the way."""

    log: list = field(default_factory=list)
    now: datetime = AT
    members: tuple = ()
    refusals: list = field(default_factory=list)
    state: object = NO_CASE

    @classmethod
    def of(cls, members=None, **changes):
        policy = ConflictPolicy(**changes.pop("policy", {}))
        trial = cls(members=crowd() if members is None else members)
        trial.write(hearing.open_case(replace(CASE, policy=policy, members=trial.members, **changes)))
        return trial

    def write(self, data):
        pen = Draft("conflict/c1", "test", "conflict/c1", "run", len(self.log))
        events = pen.events(data, self.now)
        for event in events:
            self.state = fold(self.state, event)
        self.log += events
        return [event.data for event in events]

    def later(self, seconds):
        self.now += timedelta(seconds=seconds)
        return self

    def try_to(self, decide, *args):
        """A command that may be refused; the refusal is kept."""
        try:
            return self.write(decide(self.state, *args))
        except Refusal as refusal:
            self.refusals.append(refusal)
            return []

    def appeal(self, party, grounds="it overlooks the log"):
        return self.try_to(appeals.appeal, Appeal(party, grounds), self.now)

    def annul(self, party, ground="no_reasons"):
        asked = AskAnnulment(party, ground, "it says nothing of the log")
        return self.try_to(annulment.ask_annulment, asked, self.members, self.now)

    def rule(self, choice, person="Pat"):
        return self.try_to(persons.give_verdict, GiveVerdict(choice, "on reflection", person))

    def grow(self, *positions, evidence=()):
        return self.try_to(hearing.grow, GrowCase(positions, evidence))

    def wake(self):
        return self.write(persons.wake(self.state, self.now))

    def begin(self):
        return self.write(hearing.begin_level(self.state, self.members))

    def apply(self, choice="p1", resolution=None, reason="the later clock"):
        rule = self.state.sitting.rule
        return self.write(hearing.record_rule(self.state, RuleApplied(rule, choice, resolution, reason)))

    def deliberate(self, **votes):
        """The panel votes as its members came, or as the keywords say."""
        for_level = self.state.phase == "panel"
        ask = level_question if for_level else annulment_question
        question = ask(self.state, self.members)
        voters = tuple(
            replace(one, ballots=(RecordedBallot(votes[one.id]),)) if one.id in votes else one
            for one in question.voters
        )
        outcome = held(replace(question, voters=voters), self.now)
        record = hearing.record_panel if for_level else annulment.record_annulment
        return self.write(record(self.state, outcome))

    def everyone(self, choice):
        """The panel that sits now, of one mind."""
        panel = (self.state.sitting if self.state.phase == "panel" else self.state.annulments[-1]).panel
        return {seat.voter: choice for seat in panel}

    def opine(self, choice=None, confidence=0.9, citations=()):
        given = OpinionGiven("m", choice, confidence, "as I read it", citations)
        return self.write(hearing.record_opinion(self.state, given))

    def settle(self):
        return self.write(settle(self.state, self.now))

    def decide(self, choice, opinion=None):
        """The level that is next, from its beginning to its ruling or escalation."""
        self.begin()
        if self.state.phase == "rule":
            self.apply(choice)
        elif self.state.phase == "panel":
            self.deliberate(**self.everyone(choice))
        if self.state.phase == "mediator":
            self.opine(opinion)
        return self.settle()

    def move(self, part="0123456789ab"):
        return self.try_to(deliberations.move, part)

    def withdraw(self, reason=""):
        return self.write(withdraw(self.state, reason, self.now))

    def end(self):
        """Wait until the ruling can be attacked no more."""
        self.now = max(self.now, self.state.window_end())
        return self.settle()


SECONDS = st.sampled_from([0.0, 1.0, 59.0, 3_600.0, 90_000.0, 700_000.0])
PARTIES = st.sampled_from(["ann", "bob", "cem", "mallory", "m00", "m07"])


@st.composite
def policies(draw):
    return {
        "local_appeal_seconds": draw(SECONDS),
        "regional_appeal_seconds": draw(SECONDS),
        "global_appeal_seconds": draw(SECONDS),
        "annulment_seconds": draw(SECONDS),
        "appeals_each": draw(st.integers(0, 3)),
        "quorum": draw(st.sampled_from([0.0, 0.6, 1.0])),
        "mediator_confidence": draw(st.sampled_from([0.0, 0.5, 1.0])),
        "ask_person": draw(st.sampled_from(["critical", "undecided"])),
        "person_seconds": draw(st.sampled_from([60.0, 600_000.0])),
        "reminder_seconds": draw(st.sampled_from([1.0, 86_400.0])),
        "after_deadline": draw(st.sampled_from(["hold", "uphold", "unresolved"])),
        "seed": draw(st.integers(0, 3)),
    }


@st.composite
def trials(draw):
    """Any case, after any sequence of commands, some of them absurd; closed or not."""
    count = draw(st.sampled_from([0, 2, 9, 14, 24, 45]))
    choices = st.sampled_from(["p1", "p1", "p2", None, "mauve"])
    unanimous = draw(st.booleans())
    same = draw(choices)
    crowd_ = tuple(member(number, same if unanimous else draw(choices)) for number in range(count))
    trial = Trial.of(
        crowd_,
        policy=draw(policies()),
        severity=draw(st.sampled_from([0.1, 0.6, 0.9])),
        critical=draw(st.booleans()) and draw(st.booleans()),
        kind=draw(st.sampled_from(["concurrent_write", "contradiction"])),
        regions=draw(st.sampled_from([("eu",), ("eu", "us")])),
    )
    for _ in range(draw(st.integers(0, 40))):
        _anything(draw, trial)
        if draw(st.booleans()):
            _next(draw, trial)
    return trial


def _anything(draw, trial):  # noqa: C901 # a line for each command
    """One command of anyone, at any time."""
    trial.later(draw(SECONDS))
    match draw(
        st.sampled_from(
            ["none", "none", "appeal", "annul", "rule", "grow", "wake", "settle", "again", "move", "cancel"]
        )
    ):
        case "appeal":
            trial.appeal(draw(PARTIES))
        case "annul":
            trial.annul(draw(PARTIES), draw(st.sampled_from([*annulment.GROUNDS, "dislike"])))
        case "rule":
            trial.rule(draw(st.sampled_from(["p1", "p2", "p3", "mauve"])), draw(PARTIES))
        case "grow":
            number = draw(st.integers(1, 6))
            dot = draw(st.none() | st.just(Dot("eu-9", number)))
            trial.grow(Position(f"p{number}", draw(PARTIES), f"{number} beds", (), "us", dot))
        case "wake":
            trial.wake()
        case "settle":
            trial.settle()
        case "move":
            trial.move()
        case "cancel":
            if draw(st.integers(0, 4)) == 0:  # else few cases would get far
                trial.withdraw("enough")
        case "again":
            trial.begin()
            trial.opine()
            trial.write(hearing.record_failure(trial.state, "lightning"))


def _next(draw, trial):
    """What the case itself needs next, with any answer."""
    choice = st.sampled_from([None, "p1", "p2", "mauve"])
    match next_step(trial.state):
        case BeginLevel():
            trial.begin()
        case ApplyRule():
            trial.apply(draw(choice), draw(st.sampled_from([None, "", "eight beds"])))
        case HoldDeliberation():
            trial.deliberate(
                **trial.everyone(draw(st.sampled_from(["p1", "p2"]))) if draw(st.booleans()) else {}
            )
        case AskMediator():
            trial.opine(
                draw(choice), draw(st.sampled_from([0.2, 0.9, 7.0])), draw(st.sampled_from([(), ("e1",)]))
            )
        case Settle():
            trial.settle()
        case AwaitAppeal(until) | AwaitAnnulment(until) | AwaitPerson(until):
            trial.now = max(trial.now, until) if draw(st.booleans()) else trial.now
            trial.wake()
            trial.settle()
        case HearAnnulment():
            trial.deliberate(**trial.everyone(draw(st.sampled_from(["annul", "stand"]))))
        case Closed():
            pass


def refold(log):
    return fold_all(NO_CASE, log)
