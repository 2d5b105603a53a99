"""What may happen to a model's versions next: state and command in, events out; a repeat writes nothing."""

from domain.counting import counted
from domain.learning.versions import commands as c
from domain.learning.versions import events as e
from domain.learning.versions.policy import MAX_VERSIONS, has_fallen, weighted_loss
from domain.learning.versions.state import ModelState
from domain.learning.versions.version_name import next_name
from domain.refusal import Refusal


def publish(state: ModelState, command: c.PublishVersion) -> list[e.ModelEvent]:
    """The next version, and at once what becomes of it: a canary, or it serves.

    A canary needs a version to be held against: the first one serves without. One that is under way is taken
    back, unjudged.

    Raises:
        Refusal: the parent is unknown, the cycle published another model, or there are too many versions.
    """
    before = state.of_cycle(command.cycle)
    if before is not None:
        if before.digest != command.digest:
            raise Refusal("cycle", f"{command.cycle} was published as {before.version}, with another model")
        return []
    if command.parent is not None:
        state.version(command.parent, "parent")
    if len(state.versions) >= MAX_VERSIONS:
        raise Refusal("model", f"has {MAX_VERSIONS} versions, and takes no more; publish under another name")
    name = next_name(state.standing, command.parent)
    published = e.VersionPublished(
        version=name,
        cycle=command.cycle,
        artifact=command.artifact,
        digest=command.digest,
        parent=command.parent,
        participants=command.participants,
        lineage=command.lineage,
        digests=command.digests,
        loss=command.loss,
        accuracy=command.accuracy,
        evaluation=command.evaluation,
    )
    return [published, *_superseded(state, name, "policy", ""), _tried(state, command, name)]


def judge(state: ModelState, command: c.JudgeCanary) -> list[e.ModelEvent]:
    """Put on the record what hosts found, and what the policy makes of it.

    Where none could say, the canary goes on, and waits for a person or another judgement.

    Raises:
        Refusal: that version is no canary.
    """
    found = e.CanaryEvaluated(command.version, command.results, command.unheard)
    if state.evaluated == found:
        return []
    canary = state.canary
    if canary is None or canary.version != command.version:
        state.version(command.version)
        raise Refusal("version", f"{command.version} is no canary; it is {_status(state, command.version)}")
    if not command.results:
        return [found]
    ours = weighted_loss([one.canary for one in command.results])
    former = weighted_loss([one.former for one in command.results])
    hosts = counted(len(command.results), "host")
    told = f"loss {ours:.6g} against {former:.6g} of {canary.against}, on {hosts}"
    allowed = f"{canary.tolerance:g} of it is allowed"
    if has_fallen(ours, former, canary.tolerance):
        reason = f"{told}: above it by more than {allowed}"
        return [found, e.RolledBack(canary.version, canary.against, "policy", "", reason)]
    reason = f"{told}; {allowed}"
    return [found, e.Promoted(canary.version, state.active, "policy", "", reason)]


def promote(state: ModelState, command: c.PromoteVersion) -> list[e.ModelEvent]:
    """Let a version serve every node; another's canary is taken back.

    Raises:
        Refusal: there is no such version.
    """
    state.version(command.version)
    if command.version == state.active:
        return []
    promoted = e.Promoted(command.version, state.active, "person", command.person, command.reason)
    return [*_superseded(state, command.version, "person", command.person), promoted]


def roll_back(state: ModelState, command: c.RollBack) -> list[e.ModelEvent]:
    """Take back the canary, or else the version that serves; `to` takes back whatever came after it.

    The same words without `to`, with nothing in between, are the same request: to go one further back, give
    another reason.

    Raises:
        Refusal: there is nothing to go back to, or `to` has not served.
    """
    last = state.taken_back
    if command.to is None and last is not None and (last.by, last.reason) == (command.person, command.reason):
        return []
    canary = state.canary
    found: list[e.ModelEvent] = []
    if canary is not None:
        found.append(_taken_back(canary.version, canary.against, command))
        if command.to is None:
            return found
    target = command.to or (state.former[-1] if state.former else None)
    if target is not None:
        state.version(target, "to")
    if target == state.active and target is not None:
        return found
    if target not in state.former or state.active is None:
        raise _nowhere(state, target)
    return [*found, _taken_back(state.active, target, command)]


def observe(state: ModelState, command: c.Observe) -> list[e.ModelEvent]:
    """Put losses of the version that serves on the record.

    Raises:
        Refusal: they are another version's, or none serves.
    """
    if command.id in state.seen:
        return []
    version = command.version or state.active
    if version is None:
        raise Refusal("model", "has no version that serves; a cycle publishes one")
    if version != state.active:
        state.version(version)
        raise Refusal("version", f"{version} does not serve, {state.active} does; its losses tell no drift")
    return [e.Observed(command.id, version, command.losses)]


def record_drift(state: ModelState, found: c.DriftFound) -> list[e.ModelEvent]:
    """A loss that rose is a drift, with what the policy makes of it; one that fell is none."""
    if state.active is None or not 0 <= found.newest < len(state.window) or found.after <= found.before:
        return []
    then, reason = state.policy.then, ""
    if then == "roll_back" and not state.former:
        then, reason = "say", f"{state.active} is the first that served: there is nothing to go back to"
    seen = (state.active, found.before, found.after, found.newest, state.policy.delta)
    drift = e.DriftDetected(*seen, then, reason)
    if then != "roll_back":
        return [drift]
    why = f"drift: the observed loss rose from {found.before:.6g} to {found.after:.6g}"
    return [drift, e.RolledBack(state.active, state.former[-1], "policy", "", why)]


def set_drift_policy(state: ModelState, command: c.SetDriftPolicy) -> list[e.ModelEvent]:
    """Say what is to follow from a drift."""
    if state.policy == command.policy:
        return []
    return [e.DriftPolicySet(command.policy, command.person, command.reason)]


def _tried(state: ModelState, command: c.PublishVersion, name: str) -> e.ModelEvent:
    if command.canary and state.active is not None:
        return e.CanaryStarted(name, state.active, command.canary, command.tolerance, command.seed)
    reason = "there is no version to hold it against" if command.canary else "the policy asks for no canary"
    return e.Promoted(name, state.active, "policy", "", reason)


def _superseded(state: ModelState, by: str, authority: e.Authority, person: str) -> list[e.ModelEvent]:
    canary = state.canary
    if canary is None or canary.version == by:
        return []
    reason = f"{by} came before it was judged"
    return [e.RolledBack(canary.version, canary.against, authority, person, reason)]


def _taken_back(version: str, to: str, command: c.RollBack) -> e.RolledBack:
    return e.RolledBack(version, to, "person", command.person, command.reason)


def _nowhere(state: ModelState, target: str | None) -> Refusal:
    if target is None:
        serving = f"{state.active} is the first that served" if state.active else "no version serves"
        return Refusal("to", f"{serving}, so there is nothing to go back to")
    return Refusal("to", f"{target} has not served before {state.active}; promote it instead")


def _status(state: ModelState, version: str) -> str:
    return state.standing[version].status.replace("_", " ")
