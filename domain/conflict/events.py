"""What can happen in a case. Stored names: change none without an upcaster."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.causality.causal_context import Dot
from domain.conflict.case import Case, Evidence, Position
from domain.conflict.policy import AfterDeadline, ConflictPolicy
from domain.consensus.events import Authority, Score, WithdrawnBy

Cause = Literal["failure", "no_consensus", "no_quorum", "too_few_members", "appeal"]
Ground = Literal[
    "improper_constitution", "excess_of_powers", "corruption", "departure_from_procedure", "no_reasons"
]


@dataclass(frozen=True, slots=True)
class Member:
    """Who sits on a panel."""

    voter: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """A member's first ballot, given before it knew the others'; `choice` null abstains."""

    voter: str
    choice: str | None
    confidence: float | None = None
    equivocated: bool = False


@dataclass(frozen=True, slots=True)
class Candidates:
    """Members of one region who may be drawn for any panel, and what the draw asks of them.

    `voters`: their ids. `node`: where they run, of reasoners only. `expert`: whether in the case's topic.
    """

    voters: tuple[str, ...]
    region: str | None = None
    node: str | None = None
    expert: bool = False


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """A case began: all that chooses who decides it, and how, is frozen here.

    `why` names the row of the table, or who asked. `members`: everyone who may be drawn, so that anyone draws
    every panel again; null in what was written before they were recorded.
    """

    TYPE: ClassVar[str] = "conflict.opened.v1"
    case: Case
    policy: ConflictPolicy
    initial_level: int
    why: str
    members: tuple[Candidates, ...] | None = None


@dataclass(frozen=True, slots=True)
class CaseGrown:
    """Further positions on the same matter arrived; the next level to begin hears them."""

    TYPE: ClassVar[str] = "conflict.grown.v1"
    positions: tuple[Position, ...]
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelBegun:
    """A level hears the first `heard` positions.

    `rule` at level 1; else `panel` was drawn from `candidates` who may sit, and votes in the stream
    `deliberation`. `note` says a number short of the level's own, which only level 4 may have.
    """

    TYPE: ClassVar[str] = "conflict.level_begun.v1"
    level: int
    heard: int
    rule: str | None = None
    panel: tuple[Member, ...] = ()
    candidates: int = 0
    deliberation: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class DeliberationMoved:
    """Somebody else had taken the id of the panel's deliberation, so the panel decides under another.

    `was`: the stream that is not its own. `deliberation`: the stream in which it decides now.
    """

    TYPE: ClassVar[str] = "conflict.deliberation_moved.v1"
    was: str
    deliberation: str


@dataclass(frozen=True, slots=True)
class RuleApplied:
    """What the layer's rule came to: a position's id, or a merged value alone, or neither."""

    TYPE: ClassVar[str] = "conflict.rule_applied.v1"
    rule: str
    choice: str | None
    resolution: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class PanelHeard:
    """What a panel came to in its deliberation.

    `cast` counts the ballots of its last round; `event_id` is its decision's.
    """

    TYPE: ClassVar[str] = "conflict.panel_heard.v1"
    level: int
    deliberation: str
    choice: str | None
    cast: int
    reason: str
    votes: tuple[Vote, ...]
    event_id: str


@dataclass(frozen=True, slots=True)
class LevelFailed:
    """A level could not be carried out: its node, its panel's workflow or its rule broke."""

    TYPE: ClassVar[str] = "conflict.level_failed.v1"
    level: int
    reason: str


@dataclass(frozen=True, slots=True)
class OpinionGiven:
    """The mediator's opinion, for the record of level 4; `choice` null is no verdict."""

    TYPE: ClassVar[str] = "conflict.opinion_given.v1"
    mediator: str
    choice: str | None
    confidence: float
    rationale: str
    citations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruled:
    """A level ruled on the first `heard` positions. `choice` is null where a rule merged them."""

    TYPE: ClassVar[str] = "conflict.ruled.v1"
    level: int
    heard: int
    choice: str | None
    resolution: str
    authority: Authority
    reason: str


@dataclass(frozen=True, slots=True)
class Escalated:
    """Level `level` did not settle it, so the next one is to: the cause, and what was behind it."""

    TYPE: ClassVar[str] = "conflict.escalated.v1"
    level: int
    cause: Cause
    detail: str


@dataclass(frozen=True, slots=True)
class Appealed:
    """A party does not accept the ruling of `level`."""

    TYPE: ClassVar[str] = "conflict.appealed.v1"
    level: int
    party: str
    grounds: str


@dataclass(frozen=True, slots=True)
class PersonAsked:
    """The case waits for a person, and what happens after the deadline stands in its policy."""

    TYPE: ClassVar[str] = "conflict.person_asked.v1"
    why: str


@dataclass(frozen=True, slots=True)
class Reminded:
    """The person was reminded; `number` counts what fell due, sent or not."""

    TYPE: ClassVar[str] = "conflict.reminded.v1"
    number: int


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """No person ruled in time."""

    TYPE: ClassVar[str] = "conflict.deadline_passed.v1"
    then: AfterDeadline


@dataclass(frozen=True, slots=True)
class VerdictGiven:
    """A person decided."""

    TYPE: ClassVar[str] = "conflict.verdict_given.v1"
    person: str
    choice: str
    reason: str


@dataclass(frozen=True, slots=True)
class AnnulmentAsked:
    """A party attacks the ruling of level 4 on one of five grounds; three new members hear it."""

    TYPE: ClassVar[str] = "conflict.annulment_asked.v1"
    party: str
    ground: Ground
    statement: str
    panel: tuple[Member, ...]
    candidates: int
    deliberation: str


@dataclass(frozen=True, slots=True)
class AnnulmentDecided:
    """The three decided; without their consensus nothing is annulled. `event_id`: theirs, if they decided."""

    TYPE: ClassVar[str] = "conflict.annulment_decided.v1"
    deliberation: str
    annulled: bool
    reason: str
    votes: tuple[Vote, ...]
    event_id: str | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """The last word. `covers` are the writes that the applied ruling supersedes, and no others."""

    TYPE: ClassVar[str] = "conflict.resolved.v1"
    resolution: str
    choice: str | None
    level_used: int
    escalations: int
    authority: Authority
    final_authority: bool
    reasons: tuple[str, ...]
    covers: tuple[Dot, ...]
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Nothing settled it, and that is said. `causes`: one line for each level that was tried."""

    TYPE: ClassVar[str] = "conflict.unresolved.v1"
    causes: tuple[str, ...]
    reason: str
    scores: tuple[Score, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The case was taken back: no outcome follows, and no ruling that could still be attacked stands.

    `authority`: Temporal was asked to cancel its workflow, and does not say by whom. `reason`: what it was
    told with the request, often nothing. `level`: where the case stood.
    """

    TYPE: ClassVar[str] = "conflict.withdrawn.v1"
    authority: WithdrawnBy
    reason: str
    level: int


Evidential = (
    CaseOpened
    | CaseGrown
    | LevelBegun
    | DeliberationMoved
    | RuleApplied
    | PanelHeard
    | LevelFailed
    | OpinionGiven
    | Appealed
    | Reminded
    | DeadlinePassed
    | VerdictGiven
    | AnnulmentAsked
    | AnnulmentDecided
    | Withdrawn
)
Compelled = Ruled | Escalated | PersonAsked | Resolved | Unresolved
"""What follows from the events before it, and is computed again by whoever folds them."""
SETTLING = (Resolved, Unresolved, Withdrawn)
"""What ends a stream: nothing may follow on it."""
ConflictEvent = Evidential | Compelled
EVENTS: tuple[type[ConflictEvent], ...] = (
    CaseOpened,
    CaseGrown,
    LevelBegun,
    DeliberationMoved,
    RuleApplied,
    PanelHeard,
    LevelFailed,
    OpinionGiven,
    Ruled,
    Escalated,
    Appealed,
    PersonAsked,
    Reminded,
    DeadlinePassed,
    VerdictGiven,
    AnnulmentAsked,
    AnnulmentDecided,
    Resolved,
    Unresolved,
    Withdrawn,
)
