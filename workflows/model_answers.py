"""What the keeper of a model is started with, and what it answers."""

from dataclasses import dataclass
from typing import ClassVar

from activities.learning_ports import Version
from domain.learning.versions.events import CanaryStarted, DriftDetected, VersionPublished
from domain.learning.versions.policy import DriftPolicy
from domain.learning.versions.state import NO_MODEL, ModelState, Standing


@dataclass(frozen=True, slots=True)
class KeepModelRequest:
    """A model by name. `updates`: after so many, history begins anew with `kept`, what was known by then."""

    MAX_BYTES: ClassVar[int] = 3 << 19
    model: str
    updates: int = 500
    kept: ModelState = NO_MODEL


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version as it was published, and how it stands."""

    published: VersionPublished
    standing: Standing


@dataclass(frozen=True, slots=True)
class Serving:
    """Who serves: `version_for` tells of each node, by the canary's share and seed."""

    model: str
    active: Version | None
    canary: CanaryStarted | None
    former: tuple[str, ...]
    policy: DriftPolicy
    drifts: int
    observed: int


@dataclass(frozen=True, slots=True)
class ObservedAnswer:
    """`events`: what was recorded. `drift`: if it was found; `unlooked`: why nobody could look, or act."""

    events: tuple[str, ...]
    drift: DriftDetected | None = None
    unlooked: str | None = None


def serving(state: ModelState) -> Serving:
    """Who serves, read off the state."""
    version = state.version(state.active) if state.active else None
    return Serving(
        model=state.model,
        active=version_of(version) if version else None,
        canary=state.canary,
        former=state.former,
        policy=state.policy,
        drifts=state.drifts,
        observed=len(state.window),
    )


def version_of(one: VersionPublished) -> Version:
    """A version as the port `Models` speaks of it."""
    return Version(one.version, one.artifact, one.digest, one.loss)
