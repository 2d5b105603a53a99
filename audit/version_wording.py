"""What an event of a model's versions says, in one line for people."""

from typing import assert_never

from audit.learning_wording import few
from domain.counting import agreeing, counted
from domain.learning.versions.events import (
    CanaryEvaluated,
    CanaryStarted,
    DriftDetected,
    DriftPolicySet,
    ModelEvent,
    Observed,
    Promoted,
    RolledBack,
    VersionPublished,
)

_FOLLOWS = {"say": "nothing follows", "roll_back": "it is rolled back", "cycle": "a cycle is started"}


def said_of_version(data: ModelEvent) -> str:  # noqa: PLR0911 # a line for each kind of event
    """One line; it quotes what people wrote, so whoever prints it escapes it."""
    match data:
        case VersionPublished():
            return _published(data)
        case CanaryStarted():
            return f"{data.version} is tried on {data.share:.0%} of the nodes, against {data.against}"
        case CanaryEvaluated():
            return _evaluated(data)
        case Promoted():
            former = f" in place of {data.former}" if data.former is not None else ""
            return f"{data.version} serves{former}, as {_decider(data)} decided: {data.reason}"
        case RolledBack():
            taken = f"{data.version} is taken back, {data.to} serves"
            return f"{taken}, as {_decider(data)} decided: {data.reason}"
        case Observed():
            first, last = data.losses[0], data.losses[-1]
            losses = agreeing(len(data.losses), "loss", "losses")
            return f"seen of {data.version}: {losses}, {first:.4g} to {last:.4g} (observation {data.id})"
        case DriftDetected():
            why = f" ({data.reason})" if data.reason else ""
            rose = f"the loss of {data.version} rose from {data.before:.4g} to {data.after:.4g}"
            return f"drift: {rose}; {_FOLLOWS[data.then]}{why}"
        case DriftPolicySet():
            then = _FOLLOWS[data.policy.then]
            return f"where the loss drifts, {then}, as {data.by} decided: {data.reason}"
        case _:
            assert_never(data)


def _published(data: VersionPublished) -> str:
    begins = f"from {data.parent}" if data.parent is not None else "begun anew"
    return (
        f"{data.version} is published, {begins}, of cycle {data.cycle} with"
        f" {counted(data.participants, 'participant')}: model digest {data.digest},"
        f" model file {data.artifact.sha256}; lineage file {data.lineage.sha256}"
    )


def _evaluated(data: CanaryEvaluated) -> str:
    found = (f"{one.host} loss {one.canary.loss:.4g} against {one.former.loss:.4g}" for one in data.results)
    unheard = (
        f"; unheard: {few(f'{one.host} ({one.reason})' for one in data.unheard)}" if data.unheard else ""
    )
    return f"{data.version} was evaluated on {counted(len(data.results), 'host')}: {few(found)}{unheard}"


def _decider(data: Promoted | RolledBack) -> str:
    return data.by if data.authority == "person" else "the policy"
