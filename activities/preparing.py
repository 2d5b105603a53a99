"""What a cycle opens with: looked at before anything is written, so that a request is refused at once."""

import asyncio
from datetime import timedelta

from activities.learning_ports import LargeArtifacts, Models, Trainers, Version
from activities.learning_tasks import PrepareCycle
from domain.artifact import ArtifactRef
from domain.learning import tensor_file
from domain.learning.combinations import check_combination, settings_of
from domain.learning.commands import RunCycle
from domain.learning.data_schema import data_schema
from domain.learning.events import CycleOpened
from domain.learning.seeds import seed_of
from domain.learning.strategies.clustered import together
from domain.learning.strategies.registry import named
from domain.learning.strategy import Strategy
from domain.learning.tensor_file import ROWS
from domain.learning.tensors import Tensors, check_tensors
from domain.learning.trainer import Trainer
from domain.learning.wire import model_schema
from domain.refusal import Refusal


async def opening_of(
    task: PrepareCycle, artifacts: LargeArtifacts, trainers: Trainers, models: Models
) -> CycleOpened:
    """Everything that the model will depend on, but for the fleet.

    Raises:
        Refusal: the request cannot be run as it stands; the field, the numbers and the way out.
    """
    request = task.request
    trainer, strategy = trainers.named(request.trainer.name), named(request.strategy.name)
    check_combination(request, trainer)
    schema = trainer.schema(request.trainer.settings)
    form = await _data_schema(request, artifacts, trainer)
    version = await models.version(request.model, request.parent)
    return CycleOpened(
        request=request,
        since=task.at - timedelta(days=request.data.days),
        until=task.at,
        schema=schema,
        model=await _first_model(request, artifacts, trainer, strategy, version),
        parent=None if version is None else version.name,
        code=trainers.code(request.trainer.name),
        data_schema=form,
    )


async def _first_model(
    request: RunCycle,
    artifacts: LargeArtifacts,
    trainer: Trainer,
    strategy: Strategy,
    version: Version | None,
) -> ArtifactRef:
    if version is None:
        if request.parent is not None:
            raise Refusal("parent", f"the model {request.model} has no version yet; leave it out")
        return await artifacts.put(tensor_file.encode(_fresh(request, trainer, strategy)))
    content = await artifacts.mapped(version.model)
    model, _ = await asyncio.to_thread(tensor_file.decode, content, "parent")
    schema = trainer.schema(request.trainer.settings)
    check_tensors(model_schema(schema, strategy.client, model), model, f"parent {version.name}")
    return version.model


def _fresh(request: RunCycle, trainer: Trainer, strategy: Strategy) -> Tensors:
    """A model that has learned nothing; where clients are clustered, one for each group."""
    settings = request.trainer.settings
    if strategy.client != "clustered":
        return trainer.initial(settings, request.seed)
    count = int(settings_of(request, strategy)["models"])
    seeds = (seed_of(request.seed, "group", group) for group in range(count))
    return together([trainer.initial(settings, seed) for seed in seeds])


async def _data_schema(request: RunCycle, artifacts: LargeArtifacts, trainer: Trainer) -> str:
    """Of the holdout, whose arrays are those of the rows; nothing is known of others here.

    Raises:
        Refusal: the trainer cannot read the holdout, which a fresh model is evaluated on.
    """
    if request.holdout is None:
        return ""
    rows, _ = tensor_file.decode(await artifacts.mapped(request.holdout), "holdout", ROWS)
    settings = request.trainer.settings
    try:
        await asyncio.to_thread(trainer.evaluate, trainer.initial(settings, request.seed), rows, settings)
    except Refusal as refusal:
        raise Refusal("holdout", str(refusal)) from None
    return data_schema(rows)
