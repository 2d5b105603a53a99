"""A model's versions as its events tell them. The fold refuses what could not have happened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, assert_never

from domain.event import Event
from domain.learning.versions import events as e
from domain.learning.versions.policy import WINDOW, DriftPolicy, drawn
from domain.refusal import ImpossibleEvent, Refusal
from domain.strict_json import printable

Status = Literal["published", "canary", "promoted", "retired", "rolled_back"]
SEEN = 1_000
"""So many of the newest observations are known again by their id."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a version stands, since when, and on whose authority."""

    status: Status
    since: datetime
    authority: e.Authority
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ModelState:
    """Who serves what.

    `versions` as published, oldest first. `former`: those that served before `active`, the last one last.
    `evaluated`: what hosts found of the newest canary. `window`: the newest losses of `active`, `seen` the
    ids they came under. `taken_back`: the newest step, where it was a roll-back.
    """

    model: str = ""
    events: int = 0
    last_id: str = ""
    versions: tuple[e.VersionPublished, ...] = ()
    standing: Mapping[str, Standing] = field(default_factory=dict)
    active: str | None = None
    former: tuple[str, ...] = ()
    canary: e.CanaryStarted | None = None
    evaluated: e.CanaryEvaluated | None = None
    taken_back: e.RolledBack | None = None
    policy: DriftPolicy = field(default_factory=DriftPolicy)
    window: tuple[float, ...] = ()
    seen: tuple[str, ...] = ()
    drifts: int = 0

    def version(self, name: str, what: str = "version") -> e.VersionPublished:
        """The version of that name.

        Raises:
            Refusal: there is none.
        """
        for one in self.versions:
            if one.version == name:
                return one
        known = ", ".join(each.version for each in self.versions[-5:]) or "none yet"
        raise Refusal(
            what, f"{self.model or 'the model'} has no {printable(name, 40)}; the newest are {known}"
        )

    def of_cycle(self, cycle: str) -> e.VersionPublished | None:
        """What a cycle's model was published as."""
        return next((one for one in self.versions if one.cycle == cycle), None)


NO_MODEL = ModelState()


def version_for(state: ModelState, node: str) -> str | None:
    """Which version a node serves; any node can compute it of the same state, alone."""
    canary = state.canary
    if canary is not None and drawn(state.model, canary.version, canary.seed, node) < canary.share:
        return canary.version
    return state.active


def fold(state: ModelState, event: Event) -> ModelState:
    """The state after `event`.

    Raises:
        ImpossibleEvent: it is none of a model's, or cannot follow what was folded so far.
    """
    data = event.data
    if not isinstance(data, e.ModelEvent):
        raise ImpossibleEvent("type", f"{event.type} is no event of a model")
    if event.version != state.events + 1:
        raise ImpossibleEvent(
            "version", f"{event.stream} is at version {state.events}, so {event.version} is not the next"
        )
    changes = _after(state, data, event.time)
    name = event.stream.partition("/")[2]
    return replace(state, model=name, events=event.version, last_id=event.id, **changes)


def fold_all(state: ModelState, events: Iterable[Event]) -> ModelState:
    """The state after all of `events`."""
    for event in events:
        state = fold(state, event)
    return state


def _after(  # noqa: PLR0911 # a line for each kind of event
    state: ModelState, data: e.ModelEvent, at: datetime
) -> dict[str, Any]:
    match data:
        case e.VersionPublished():
            return _published(state, data, at)
        case e.CanaryStarted():
            return _started(state, data, at)
        case e.CanaryEvaluated():
            _require(_on_canary(state, data.version), f"{data.version} is no canary")
            return {"evaluated": data}
        case e.Promoted():
            return _promoted(state, data, at)
        case e.RolledBack():
            return _rolled_back(state, data, at)
        case e.Observed():
            _require(data.version == state.active, f"{data.version} does not serve")
            return {
                "window": (*state.window, *data.losses)[-WINDOW:],
                "seen": (*state.seen, data.id)[-SEEN:],
            }
        case e.DriftDetected():
            _require(data.version == state.active, f"{data.version} does not serve")
            _require(0 <= data.newest < len(state.window), f"{data.newest} losses are not the newest part")
            return {"window": state.window[len(state.window) - data.newest :], "drifts": state.drifts + 1}
        case e.DriftPolicySet():
            return {"policy": data.policy}
        case _:
            assert_never(data)


def _published(state: ModelState, data: e.VersionPublished, at: datetime) -> dict[str, Any]:
    _require(state.of_cycle(data.cycle) is None, f"{data.cycle} has a version already")
    _require(data.version not in state.standing, f"{data.version} is there already")
    _require(data.parent is None or data.parent in state.standing, f"{data.parent} is not there")
    standing = _stands(state, data.version, Standing("published", at, "policy"))
    return {"versions": (*state.versions, data), "taken_back": None, **standing}


def _started(state: ModelState, data: e.CanaryStarted, at: datetime) -> dict[str, Any]:
    _require(state.canary is None, "another canary is under way")
    _require(data.version in state.standing, f"{data.version} is not there")
    _require(data.against == state.active, f"{data.against} does not serve")
    standing = _stands(state, data.version, Standing("canary", at, "policy"))
    return {"canary": data, "evaluated": None, **standing}


def _promoted(state: ModelState, data: e.Promoted, at: datetime) -> dict[str, Any]:
    _require(data.version in state.standing, f"{data.version} is not there")
    _require(data.former == state.active, f"{data.former} does not serve")
    _require(data.version != state.active, f"{data.version} serves already")
    _require(state.canary is None or _on_canary(state, data.version), "another canary is under way")
    said = {data.version: Standing("promoted", at, data.authority, data.by, data.reason)}
    former = tuple(name for name in state.former if name != data.version)
    if data.former is not None:
        why = f"{data.version} was promoted"
        said[data.former] = Standing("retired", at, data.authority, data.by, why)
        former = (*former, data.former)
    return {
        "active": data.version,
        "former": former,
        "canary": None,
        "standing": {**state.standing, **said},
        "taken_back": None,
        "window": (),
    }


def _rolled_back(state: ModelState, data: e.RolledBack, at: datetime) -> dict[str, Any]:
    gone = _stands(state, data.version, Standing("rolled_back", at, data.authority, data.by, data.reason))[
        "standing"
    ]
    if _on_canary(state, data.version):
        _require(data.to == state.active, f"{data.to} does not serve")
        return {"canary": None, "taken_back": data, "standing": gone}
    _require(data.version == state.active, f"{data.version} neither serves nor is a canary")
    _require(data.to in state.former, f"{data.to} has not served before")
    back = Standing("promoted", at, data.authority, data.by, f"{data.version} was rolled back")
    return {
        "active": data.to,
        "former": state.former[: state.former.index(data.to)],
        "taken_back": data,
        "standing": {**gone, data.to: back},
        "window": (),
    }


def _on_canary(state: ModelState, version: str) -> bool:
    return state.canary is not None and state.canary.version == version


def _stands(state: ModelState, version: str, standing: Standing) -> dict[str, Any]:
    return {"standing": {**state.standing, version: standing}}


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001 # the one thing it is about
    if not holds:
        raise ImpossibleEvent("data", otherwise)
