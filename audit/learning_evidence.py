"""What can be checked of a sum whose parts are hidden: whose updates are in it, and the model made of it."""

from audit.learning_artifacts import Artifacts, content, tensors
from domain.learning.combinations import settings_of
from domain.learning.events import RoundAggregated
from domain.learning.evidence import Evidence, read
from domain.learning.state import Cycle
from domain.learning.strategies import registry
from domain.learning.tensors import Tensors, digest
from domain.refusal import Refusal

NONE = "no evidence of the sum was kept, so that only the stored model's digest was checked"
CHECKED = "the commitments were checked: the sum is of the updates reported, and the model follows from it"


async def check_evidence(artifacts: Artifacts, before: Cycle, data: RoundAggregated) -> str:
    """Hold a round against the evidence of its sum; what was checked, in words.

    Raises:
        Refusal: it is missing or was changed, is of other updates, or gives another model.
    """
    if data.evidence is None:
        return NONE
    raw = await content(artifacts, data.evidence, "evidence")
    try:
        found = read(raw)
    except Refusal as refusal:
        raise Refusal("evidence", refusal.problem) from None
    _check_updates(before, data, found)
    made = digest(await _stepped(artifacts, before, found))
    if made != data.digest:
        raise Refusal("digest", f"recorded {data.digest}, but the sum gives {made} by {data.rule}")
    return CHECKED


def _check_updates(before: Cycle, data: RoundAggregated, found: Evidence) -> None:
    method, left_out = before.cycle.request.privacy.method, set(data.excluded)
    if found.method != method:
        raise Refusal("evidence", f"is of another method than {method}")
    entered = {report.client: report.sha256 for report in before.reports if report.client not in left_out}
    for client in sorted(entered.keys() | found.updates.keys()):
        if found.updates.get(client) != entered.get(client):
            raise Refusal("evidence", f"names another update of {client} than it reported, or none")
    if not found.weight > 0:
        raise Refusal("evidence", f"has the weight {found.weight:g}")


async def _stepped(artifacts: Artifacts, before: Cycle, found: Evidence) -> Tensors:
    request, opened, last = before.cycle.request, before.round, before.aggregated
    if opened is None:
        raise AssertionError("a model is made of an open round")
    strategy = registry.named(request.strategy.name)
    model = await tensors(artifacts, opened.model, "model of the round before")
    state: Tensors = {}
    if last is not None and last.state is not None:
        state = await tensors(artifacts, last.state, "state of the round before")
    mean = {name: array / found.weight for name, array in found.total.items()}
    if not mean.keys() >= {spec.name for spec in before.cycle.schema}:
        raise Refusal("evidence", "holds other tensors than the model")
    return strategy.step(before.cycle.schema, model, mean, state, settings_of(request, strategy)).model
