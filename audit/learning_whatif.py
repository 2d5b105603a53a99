"""The rounds of a cycle under another strategy: what each would have made of the updates that came in."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.learning_aggregate import aggregate, hidden
from audit.learning_artifacts import Artifacts, tensors
from domain.event import Event
from domain.learning.events import RoundAggregated
from domain.learning.figures import drift_distance
from domain.learning.state import NO_CYCLE, Cycle, fold
from domain.learning.strategies import registry
from domain.learning.tensors import digest
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Otherwise:
    """One round.

    `distance`: L2, of the model that the rule would have made from the recorded one, over that one's norm;
    null where it could not have made any, and `problem` says why. `excluded`: whom it leaves out.
    """

    round: int
    recorded: str
    digest: str | None
    distance: float | None
    excluded: tuple[str, ...]
    was_excluded: tuple[str, ...]
    problem: str = ""


async def rounds_under(events: Sequence[Event], artifacts: Artifacts, rule: str) -> list[Otherwise]:
    """Every round from the model that it was given on the record, with the rule's own defaults and no state.

    Later rounds are not those that would have followed: their updates were made from the recorded models.

    Raises:
        Refusal: there is no such strategy, clients do other work for it, updates are hidden, or the cycle is
            not one that could have happened.
    """
    state, found = NO_CYCLE, list[Otherwise]()
    asked = registry.named(rule)
    for event in events:
        before, state = state, fold(state, event)
        if not isinstance(event.data, RoundAggregated):
            continue
        request = before.cycle.request
        why = hidden(request.privacy)
        if why:
            raise Refusal("--strategy", f"cannot be tried: {why}")
        done = registry.named(request.strategy.name).client
        if asked.client != done and not {asked.client, done} <= {"epochs", "proximal"}:
            raise Refusal("--strategy", f"clients do other work for {rule} than for {request.strategy.name}")
        found.append(await _otherwise(artifacts, before, event.data, rule))
    return found


async def _otherwise(artifacts: Artifacts, before: Cycle, data: RoundAggregated, rule: str) -> Otherwise:
    try:
        made, excluded = await aggregate(artifacts, before, rule, data.excluded)
        recorded = await tensors(artifacts, data.model, "model")
    except Refusal as refusal:
        return Otherwise(data.round, data.digest, None, None, (), data.excluded, str(refusal))
    distance = drift_distance(recorded, made.model)
    return Otherwise(data.round, data.digest, digest(made.model), distance, excluded, data.excluded)
