"""The model of a round made again from the stored updates; where that is hidden, what else can be checked."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from audit.learning_artifacts import Artifacts, tensors
from audit.learning_evidence import check_evidence
from audit.learning_updates import stored
from audit.learning_wording import few
from domain.learning.combinations import settings_of
from domain.learning.events import RoundAggregated
from domain.learning.policy import PrivacySpec, StrategySpec
from domain.learning.state import Cycle
from domain.learning.strategies import registry
from domain.learning.strategy import Aggregated
from domain.learning.tensors import Tensors, digest
from domain.learning.wire import sent_schema
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Recomputed:
    """`unproven`: why the model was not made again, and what was checked instead; empty where it was."""

    unproven: str = ""


def hidden(privacy: PrivacySpec) -> str:
    """Why a round's model cannot be made again from what is stored; empty where it can."""
    match privacy.method:
        case "none":
            return ""
        case "differential_privacy":
            if privacy.place == "local":
                return ""  # what is stored is noised already
            return "the noise of the model is drawn by a key that the aggregator keeps"
        case _:
            return f"{privacy.method} hides each update from everybody"


async def recompute(artifacts: Artifacts, before: Cycle, data: RoundAggregated) -> Recomputed:
    """Check what a round recorded of its model; `before` is the cycle without that event.

    Raises:
        Refusal: an artifact is missing or was changed, or what follows from them is not what is recorded.
    """
    kept = digest(await tensors(artifacts, data.model, "model"))
    if kept != data.digest:
        raise Refusal("digest", f"recorded {data.digest}, but the stored model's tensors have {kept}")
    why = hidden(before.cycle.request.privacy)
    if why:
        return Recomputed(f"{why}; {await check_evidence(artifacts, before, data)}")
    made, excluded = await aggregate(artifacts, before, left_out=data.excluded)
    if excluded != data.excluded:
        was, is_ = (few(names) or "nobody" for names in (data.excluded, excluded))
        raise Refusal("excluded", f"recorded {was}, but {data.rule} leaves out {is_}")
    if digest(made.model) != data.digest:
        raise Refusal(
            "digest",
            f"recorded {data.digest}, but the updates that entered give {digest(made.model)} by {data.rule}",
        )
    await _check_state(artifacts, data, made.state)
    return Recomputed()


async def aggregate(
    artifacts: Artifacts, before: Cycle, rule: str | None = None, left_out: Collection[str] = ()
) -> tuple[Aggregated, tuple[str, ...]]:
    """What the open round's updates become, and the clients that have no part in it.

    Args:
        artifacts: where updates, model and the strategy's state lie.
        before: the cycle with the round open and all its reports in.
        rule: another strategy than the cycle's, with its own defaults and no state.
        left_out: clients of which it is on the record that they did not enter.

    Raises:
        Refusal: an artifact is missing or was changed, or the strategy cannot be had.
    """
    request, opened = before.cycle.request, before.round
    if opened is None:
        raise AssertionError("a model is made of an open round")
    if rule is not None:
        request = replace(request, strategy=StrategySpec(rule))
    strategy = registry.named(request.strategy.name)
    settings = settings_of(request, strategy)
    model = await tensors(artifacts, opened.model, "model of the round before")
    state: Tensors = {}
    if rule is None and before.aggregated is not None and before.aggregated.state is not None:
        state = await tensors(artifacts, before.aggregated.state, "state of the round before")
    schema = before.cycle.schema
    updates, broken = await stored(artifacts, before.reports, sent_schema(schema, strategy.client), left_out)
    made = strategy.aggregate(schema, model, updates, state, settings)
    return made, tuple(sorted({*broken, *made.excluded}))


async def _check_state(artifacts: Artifacts, data: RoundAggregated, made: Tensors) -> None:
    if bool(made) != (data.state is not None):
        raise Refusal("state", f"{data.rule} {'keeps one' if made else 'keeps none'}, which is not recorded")
    if data.state is not None and digest(await tensors(artifacts, data.state, "state")) != digest(made):
        raise Refusal("state", f"what is stored is not what {data.rule} keeps for the next round")
