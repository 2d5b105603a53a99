"""What travels between a docket's workflow and its activities: payloads, in the order of their use."""

from dataclasses import dataclass
from datetime import datetime

from domain.artifact import ArtifactRef
from domain.consensus.account import VoterAccount
from domain.consensus.docket import DecideDocketRequest, ItemOutcome
from domain.consensus.events import ReputationsRead


@dataclass(frozen=True, slots=True)
class PrepareDocket:
    """Read and estimate the table of `request`, as of `at`."""

    request: DecideDocketRequest
    at: datetime


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """What the estimate came to, without its arrays."""

    method: str
    log_likelihood: float
    marginals: dict[str, float]
    iterations: int
    converged: bool


@dataclass(frozen=True, slots=True)
class PreparedDocket:
    """A table that can be decided, and the estimate it is decided with."""

    table: ArtifactRef
    items: int
    voters: int
    choices: tuple[str, ...]
    estimate: ArtifactRef
    model: ModelSummary | None
    reputations_read: ReputationsRead | None = None


@dataclass(frozen=True, slots=True)
class DecideSlice:
    """Decide the items [first, last) of a prepared docket; everything its events depend on is named here."""

    request: DecideDocketRequest
    prepared: PreparedDocket
    first: int
    last: int
    at: datetime
    workflow_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class DecidedSlice:
    """Items [first, last) stand on the log; `outcomes` holds their lines of the result."""

    first: int
    last: int
    events: int
    statuses: dict[str, int]
    outcomes: ArtifactRef


@dataclass(frozen=True, slots=True)
class CloseDocket:
    """Sum up the outcomes of all slices, in order."""

    request: DecideDocketRequest
    prepared: PreparedDocket
    outcomes: tuple[ArtifactRef, ...]


@dataclass(frozen=True, slots=True)
class DocketResults:
    """What `moot decide --json` prints."""

    docket: str
    items: list[ItemOutcome]
    voters: list[VoterAccount]
    model: ModelSummary | None
