"""What an event of a model's versions says, in one line for people."""

from typing import assert_never

from audit.learning_wording import few, figure
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

_THEN = {"say": "nothing follows", "roll_back": "it is rolled back", "cycle": "a cycle is started"}


def said_of_model(data: ModelEvent) -> str:  # noqa: PLR0911 # a line for each kind of event
    """One line, with its reason and on whose authority; it quotes what people and hosts wrote: escape it."""
    match data:
        case VersionPublished():
            return (
                f"{data.version}, of {data.parent or 'a fresh model'}, is what cycle {data.cycle} made: model"
                f" {data.digest} of {counted(data.participants, 'participant')}, loss {figure(data.loss)},"
                f" accuracy {figure(data.accuracy)}; lineage {data.lineage.sha256}"
            )
        case CanaryStarted():
            return (
                f"{data.version} is tried on {data.share:.0%} of the nodes against {data.against}; its loss"
                f" may be {data.tolerance:g} of that one's above it"
            )
        case CanaryEvaluated():
            heard = few(
                f"{one.host} {figure(one.canary.loss)} against {figure(one.former.loss)}"
                for one in data.results
            )
            unheard = few(f"{one.host} ({one.reason})" for one in data.unheard)
            told = f"{data.version} was evaluated, by loss: {heard or 'by nobody'}"
            return told + (f"; not heard: {unheard}" if unheard else "")
        case Promoted():
            place = f" in place of {data.former}" if data.former is not None else ""
            return f"{data.version} serves{place}, says {data.by or 'the policy'}: {data.reason}"
        case RolledBack():
            return (
                f"{data.version} is taken back and {data.to} serves, says {data.by or 'the policy'}:"
                f" {data.reason}"
            )
        case Observed():
            return f"{agreeing(len(data.losses), 'loss', 'losses')} of {data.version} observed, as {data.id}"
        case DriftDetected():
            why = f" ({data.reason})" if data.reason else ""
            rose = f"from {figure(data.before)} to {figure(data.after)}"
            return f"the observed loss of {data.version} rose {rose}: {_THEN[data.then]}{why}"
        case DriftPolicySet():
            return f"{data.by} says what follows of a drift: {_THEN[data.policy.then]}: {data.reason}"
        case _:
            assert_never(data)
