"""What learning needs and this process was not given: refused by name, at once."""

from collections.abc import Sequence
from typing import NoReturn

from activities.learning import Control
from activities.learning_ports import LargeArtifacts, Models, Version
from activities.privacy import plain
from activities.privacy.registry import Methods
from domain.learning.fleet import Candidate
from domain.learning.trainer import Trainer
from domain.learning.versions.commands import PublishVersion
from domain.refusal import Refusal


class Absent:
    """Stands for the trainers, the roster and the keeper of versions."""

    def names(self) -> tuple[str, ...]:
        return ()

    def named(self, name: str) -> Trainer:  # noqa: ARG002 # the port's shape
        _refuse("trainer.name", "no trainers are installed in this process")

    def code(self, name: str) -> str:  # noqa: ARG002 # the port's shape
        _refuse("trainer.name", "no trainers are installed in this process")

    async def candidates(self) -> Sequence[Candidate]:
        _refuse("cohort", "this process has no roster of clients to read")

    async def version(self, model: str, name: str | None = None) -> Version | None:  # noqa: ARG002 # as above
        _refuse("model", "this process has no keeper of model versions")

    async def publish(self, model: str, command: PublishVersion) -> Version:  # noqa: ARG002 # the port's shape
        _refuse("model", "this process has no keeper of model versions")


def control(artifacts: LargeArtifacts, models: Models | None = None) -> Control:
    """A control side that refuses every cycle."""
    absent = Absent()
    return Control(artifacts, absent, Methods([plain.installed()]), absent, models or absent)


def _refuse(field: str, problem: str) -> NoReturn:
    raise Refusal(field, problem)
