"""What can happen in a deliberation and in a docket. Stored names: change none without an upcaster."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.artifact import ArtifactRef
from domain.consensus.policy import Policy

Status = Literal["consensus", "mediated", "ruled_by_person", "unresolved"]
Authority = Literal["rule", "consensus", "mediator", "person"]
WithdrawnBy = Literal["temporal"]
StopReason = Literal["threshold", "stable", "cap", "open"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The question and what may be answered."""

    id: str
    question: str
    options: tuple[str, ...]
    topic: str = "general"
    region: str | None = None
    context: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seat:
    """A voter's place on the panel, with the weight frozen for this deliberation."""

    voter: str
    weight: float = 1.0
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Support:
    """What one choice gathered in a round: weight and number of ballots."""

    choice: str
    weight: float
    ballots: int


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a voter did not choose the leading option, for the next round to read."""

    voter: str
    choice: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Score:
    """How one voter's first-round ballot stands against a final ruling; it moves the voter's reputation."""

    voter: str
    right: bool | None
    confidence: float | None = None
    equivocated: bool = False


@dataclass(frozen=True, slots=True)
class ReputationsRead:
    """What reputations were read from, so that anybody can compute them again.

    They are those of `at`, in seconds since 1970, after the rulings that lie below offset `offsets[n]` of
    partition n of the topic `decisions`: as far as the read model had followed the log.
    """

    at: float
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A deliberation began: everything that its outcome depends on is frozen here.

    `case`: the conflict case that holds it; its outcome scores the voters, not this one's.
    """

    TYPE: ClassVar[str] = "consensus.opened.v1"
    proposal: Proposal
    policy: Policy
    panel: tuple[Seat, ...]
    candidates: int
    docket: str | None = None
    item: str | None = None
    reputations_read: ReputationsRead | None = None
    case: str | None = None


@dataclass(frozen=True, slots=True)
class BallotSealed:
    """A voter handed in a ballot of the open round; only its commitment is shown until the round closes."""

    TYPE: ClassVar[str] = "consensus.ballot_sealed.v1"
    voter: str
    round: int
    commitment: str


@dataclass(frozen=True, slots=True)
class BallotCast:
    """A ballot as counted. `choice` is null for an abstention, whose cause is `reason`.

    `labels` holds every label a voter gave where it labelled one item several times; `choice` is then the one
    vote that they make. `nonce` opens the commitment of the sealed ballot.
    """

    TYPE: ClassVar[str] = "consensus.ballot_cast.v2"
    voter: str
    round: int
    choice: str | None
    confidence: float | None = None
    reason: str = ""
    changed: bool = False
    labels: tuple[str, ...] = ()
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class RoundClosed:
    """A round was counted. `leading` holds more than one choice where they tie; nothing breaks a tie."""

    TYPE: ClassVar[str] = "consensus.round_closed.v1"
    round: int
    tally: tuple[Support, ...]
    leading: tuple[str, ...]
    agreement: float
    cast: int
    abstained: int
    stop: StopReason
    reason: str
    equivocators: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    objections: tuple[Objection, ...] = ()


@dataclass(frozen=True, slots=True)
class MediationGiven:
    """A mediator stated the evidence, and chose or abstained."""

    TYPE: ClassVar[str] = "consensus.mediation_given.v1"
    mediator: str
    choice: str | None
    statement: str
    citations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonRuled:
    """A person decided what the panel could not."""

    TYPE: ClassVar[str] = "consensus.person_ruled.v1"
    person: str
    choice: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decided:
    """The outcome, with the policy, ballots and authority it rests on. Unresolved is said, never implied."""

    TYPE: ClassVar[str] = "consensus.decided.v1"
    consensus: str | None
    status: Status
    authority: Authority
    reason: str
    leading: tuple[str, ...]
    agreement: float
    rounds_required: int
    participating_nodes: tuple[str, ...]
    time_to_consensus: float
    policy: Policy
    ballots: tuple[str, ...]
    majority: tuple[str, ...] = ()
    posterior: dict[str, float] | None = None
    scores: tuple[Score, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The question was taken back before anything was decided: no outcome follows, and there is no choice.

    `authority`: who ended it; Temporal was asked to cancel its workflow, and does not say by whom. `reason`:
    what Temporal was told with the request, often nothing. `rounds`: how many were closed by then.
    """

    TYPE: ClassVar[str] = "consensus.withdrawn.v1"
    authority: WithdrawnBy
    reason: str
    rounds: int


@dataclass(frozen=True, slots=True)
class DocketOpened:
    """A table of recorded ballots was taken on, under one policy for all its items."""

    TYPE: ClassVar[str] = "docket.opened.v1"
    docket: str
    question: str
    topic: str
    table: ArtifactRef
    items: int
    voters: int
    choices: tuple[str, ...]
    policy: Policy
    reputations_read: ReputationsRead | None = None


@dataclass(frozen=True, slots=True)
class DocketEstimated:
    """What was learned about the voters from the whole table before any item was decided."""

    TYPE: ClassVar[str] = "docket.estimated.v1"
    method: str
    log_likelihood: float
    marginals: dict[str, float]
    iterations: int
    converged: bool
    estimate: ArtifactRef


@dataclass(frozen=True, slots=True)
class SliceDecided:
    """Items `first` up to and without `last` were decided and stand on the log, each in its own stream."""

    TYPE: ClassVar[str] = "docket.slice_decided.v1"
    first: int
    last: int
    events: int
    statuses: dict[str, int]


@dataclass(frozen=True, slots=True)
class DocketClosed:
    """Every item of the docket was decided; `results` holds one outcome per item and each voter's account."""

    TYPE: ClassVar[str] = "docket.closed.v1"
    items: int
    statuses: dict[str, int]
    results: ArtifactRef


@dataclass(frozen=True, slots=True)
class DocketWithdrawn:
    """A docket was taken back before its close; the items in its slices stay decided, the others are not.

    `authority` and `reason`: as for a deliberation that is withdrawn. `decided`: items decided by then.
    """

    TYPE: ClassVar[str] = "docket.withdrawn.v1"
    authority: WithdrawnBy
    reason: str
    decided: int


ConsensusEvent = (
    Opened | BallotSealed | BallotCast | RoundClosed | MediationGiven | PersonRuled | Decided | Withdrawn
)
DocketEvent = DocketOpened | DocketEstimated | SliceDecided | DocketClosed | DocketWithdrawn
SETTLING = (Decided, Withdrawn, DocketClosed, DocketWithdrawn)
"""What ends a stream: nothing may follow on it."""
EVENTS: tuple[type[ConsensusEvent | DocketEvent], ...] = (
    Opened,
    BallotSealed,
    BallotCast,
    RoundClosed,
    MediationGiven,
    PersonRuled,
    Decided,
    Withdrawn,
    DocketOpened,
    DocketEstimated,
    SliceDecided,
    DocketClosed,
    DocketWithdrawn,
)
