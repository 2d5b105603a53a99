"""What learning needs of the world; `workers/` hands activities the real thing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from activities.ports import ArtifactStore
from domain.artifact import ArtifactRef
from domain.learning.budget.commands import Charge, Charged
from domain.learning.commands import RunCycle
from domain.learning.fleet import Candidate, DataOffer, FleetEvent
from domain.learning.trainer import Rows, Trainer
from domain.learning.versions.commands import PublishVersion


class LargeArtifacts(ArtifactStore, Protocol):
    """Large values by reference, of which a part may be read."""

    async def mapped(self, ref: ArtifactRef) -> memoryview:
        """The bytes as they lie on a disk of this machine, checked once, when opened; not to be written.

        Raises:
            domain.refusal.Refusal: it is missing, or its bytes are not what the reference says.
        """
        ...


class Roster(Protocol):
    """Who could train, as far as the read model has followed the log."""

    async def candidates(self) -> Sequence[Candidate]:
        """Every client that was announced and has not left, in the order of their ids."""
        ...


class Hosts(Protocol):
    """What the read model knows of each node process; it may lag behind the log."""

    async def newest(self, host: str) -> tuple[int, FleetEvent] | None:
        """The version of the host's stream and its newest event, or None where none is known.

        Raises:
            OSError, TimeoutError: the read model cannot be asked now.
        """
        ...


class Trainers(Protocol):
    """The trainers that are installed here."""

    def names(self) -> tuple[str, ...]:
        """All of them."""
        ...

    def named(self, name: str) -> Trainer:
        """One of them.

        Raises:
            Refusal: there is none of that name; the line names those that are there.
        """
        ...

    def code(self, name: str) -> str:
        """SHA-256 (hex) of the trainer's source."""
        ...


class LocalData(Protocol):
    """The rows of one client; they are read on its node and never leave it."""

    def offers(self) -> tuple[DataOffer, ...]:
        """Which data sets there are."""
        ...

    def rows(self, name: str, since: datetime, until: datetime) -> Rows:
        """The rows of `since` up to and without `until`.

        Raises:
            Refusal: there is no data set of that name.
        """
        ...


class Journal(Protocol):
    """What a node, or the aggregator, must not forget and not do twice: a durable table, mode 0600."""

    async def once(self, key: str, value: bytes) -> bytes:
        """Keep `value` under `key` unless something stands there; what stands there, durable, either way."""
        ...

    async def read(self, key: str) -> bytes | None:
        """What stands under `key`."""
        ...

    async def forget(self, prefix: str) -> None:
        """Remove every key that begins with `prefix`."""
        ...


@dataclass(frozen=True, slots=True)
class Version:
    """A published model. `name` is `v1.0`, `v1.1`, …; `loss` of its last evaluation."""

    name: str
    model: ArtifactRef
    digest: str
    loss: float | None


class Models(Protocol):
    """The versions of a model, each model kept by one workflow."""

    async def version(self, model: str, name: str | None = None) -> Version | None:
        """The version called `name`, by default the promoted one.

        Raises:
            Refusal: the model has no such version.
        """
        ...

    async def publish(self, model: str, command: PublishVersion) -> Version:
        """Make it the next version of `model`; the same cycle again gives the same version."""
        ...


class Cycles(Protocol):
    """Starts learning cycles, where a drift asks for one."""

    async def start(self, request: RunCycle, key: str) -> None:
        """Start `request` as a scheduled one; the same key again starts nothing."""
        ...

    async def trigger(self, model: str) -> None:
        """Let the model's schedule start its cycle now.

        Raises:
            Refusal: the model has no schedule.
        """
        ...


class Budgets(Protocol):
    """The privacy ledgers, each kept by one workflow."""

    async def charge(self, charge: Charge) -> Charged:
        """Charge all subjects, or none of them; the same id again gives the same answer.

        Raises:
            Refusal: the id was used for another charge, or the ledger has another budget or delta.
        """
        ...
