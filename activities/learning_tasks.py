"""What travels between a cycle's workflow and its activities: payloads, in the order of their use."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.artifact import ArtifactRef
from domain.learning.attempt import Drawn, NewModel
from domain.learning.commands import RunCycle
from domain.learning.events import CycleOpened, Loss, Report
from domain.learning.outcome import RoundFigures
from domain.learning.policy import LocalTraining, PrivacySpec, TrainerSpec
from domain.learning.strategy import ClientKind


@dataclass(frozen=True, slots=True)
class PrepareCycle:
    """Look whether `request` can be run, as of `at`, and make what its opening names."""

    request: RunCycle
    at: datetime


@dataclass(frozen=True, slots=True)
class DrawnRound:
    """A cohort, and what its members are told of each other (`activities.privacy.port.Session`).

    `more`: the sessions of the further shards, in the order of `domain.learning.shards`, where updates hide
    in sums and many are asked.
    """

    drawn: Drawn
    session: ArtifactRef
    more: tuple[ArtifactRef, ...] = ()

    @property
    def sessions(self) -> tuple[ArtifactRef, ...]:
        return (self.session, *self.more)


@dataclass(frozen=True, slots=True)
class Course:
    """How every round of a cycle goes, by its strategy and its privacy method.

    `before`, `after`: message rounds. `client`: what clients do, and with which proximal term.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    individual: bool
    client: ClientKind
    proximal: float = 0.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the cycle opens with, and its first cohort."""

    opening: CycleOpened
    course: Course
    first: DrawnRound


@dataclass(frozen=True, slots=True)
class DrawRound:
    """Draw the cohort of an attempt. `clip`: where clipping is adaptive, the norm that holds by now."""

    opening: CycleOpened
    round: int
    attempt: int
    clip: float | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message round for clients of one host; `inbox`: what each gets (`activities.messages`)."""

    step: str
    session: ArtifactRef
    inbox: ArtifactRef


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What a host's clients answered, and whose answers there are none."""

    outbox: ArtifactRef
    lost: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class HostClients:
    """The members of a cohort that one host trains."""

    host: str
    clients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outbox:
    """The file of answers that a host gave for `clients`; of others it says nothing that is heard."""

    file: ArtifactRef
    clients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Before message round `step`: hand what came out of the one before to whom it is for.

    `outboxes`: of each host that answered; none for the first message round. `hosts`: who is still
    in, which for the first after training are those whose updates came in: `reports` says where they lie.
    """

    step: str
    session: ArtifactRef
    outboxes: tuple[Outbox, ...]
    hosts: tuple[HostClients, ...]
    reports: tuple[Report, ...] = ()


@dataclass(frozen=True, slots=True)
class Routed:
    """The inbox file of each host, in the order of `Route.hosts`.

    `lost`: why this attempt cannot be summed any more; there are no inboxes then. `dropped`: whose message
    could not be passed on; they are asked nothing more.
    """

    inboxes: tuple[ArtifactRef, ...]
    lost: str = ""
    dropped: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class CloseAttempt:
    """Forget the secrets of an attempt that is over, on a host for `clients`, or at the aggregator."""

    session: ArtifactRef
    clients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainTask:
    """Train `clients`, which this host has, on rows of `since` up to and without `until`.

    `seed`: of the cycle. `state`: the strategy's own. `attempts`: which attempt of each round before became
    a model, so that what a client keeps from round to round is of that one. `code`: digest of the trainer's
    source that the cycle froze.
    """

    cycle: str
    round: int
    attempt: int
    clients: tuple[str, ...]
    trainer: TrainerSpec
    code: str
    local: LocalTraining
    course: Course
    privacy: PrivacySpec
    data: str
    since: datetime
    until: datetime
    seed: int
    model: ArtifactRef
    state: ArtifactRef | None
    session: ArtifactRef
    attempts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainReports:
    """What became of each client of a task. `revealed`: of a shard, as in `AggregateRound`."""

    reports: tuple[Report, ...]
    lost: tuple[Loss, ...] = ()
    revealed: tuple[Outbox, ...] = ()


@dataclass(frozen=True, slots=True)
class KeepReports:
    """Reports too many for one payload, to be passed on by reference."""

    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class ShardSum:
    """One shard of a round whose updates hide in sums; `revealed` as in `AggregateRound`."""

    session: ArtifactRef
    revealed: tuple[Outbox, ...]


@dataclass(frozen=True, slots=True)
class AggregateRound:
    """Make a model of a round's updates. `kept`: files of reports; `reports`: the others.

    `revealed`: the hosts' answers of the last message round. `last`: no round follows to be drawn for.
    `more`: the further shards, where `session` is the first of several.
    """

    opening: CycleOpened
    round: int
    attempt: int
    model: ArtifactRef
    state: ArtifactRef | None
    session: ArtifactRef
    reports: tuple[Report, ...]
    kept: tuple[ArtifactRef, ...]
    revealed: tuple[Outbox, ...]
    last: bool
    more: tuple[ShardSum, ...] = ()


@dataclass(frozen=True, slots=True)
class AggregatedRound:
    """The model; or, where this attempt cannot be summed, why (`lost`).

    `next`: the following round's cohort; null after the last, or where none could be drawn now.
    """

    new: NewModel | None
    lost: str = ""
    next: DrawnRound | None = None


@dataclass(frozen=True, slots=True)
class Publish:
    """Hand the last model over to the keeper of versions; `cohort`: digest of the participants' names."""

    MAX_BYTES: ClassVar[int] = 1 << 20  # a thousand rounds' figures
    opening: CycleOpened
    model: ArtifactRef
    digest: str
    participants: int
    lineage: str
    figures: tuple[RoundFigures, ...]
    cohort: str = ""
