"""How `moot audit` tells of learning cycles: what was taken again, and what another rule would have made."""

import asyncio
import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any

from cli.output import emit
from domain.counting import counted
from domain.refusal import Refusal
from domain.strict_json import printable

if TYPE_CHECKING:
    from audit.learning import Learned
    from audit.learning_whatif import Otherwise


def data(cycles: int, learned: "Learned") -> dict[str, Any]:
    """For programs: how many `cycles` had ended, what was taken again of their rounds, what could not be."""
    return {
        "cycles": cycles,
        "cohorts_drawn_again": learned.cohorts,
        "models_made_again": learned.models,
        "unproven": [{"stream": one.stream, "round": one.round, "why": one.why} for one in learned.unproven],
    }


def lines(learned: "Learned") -> str:
    """What was taken again, then why rounds could not be; nothing where there was no round."""
    if not learned.cohorts:
        return ""
    rounds = Counter(one.why for one in learned.unproven)
    again = f"{counted(learned.cohorts, 'cohort')} drawn again from stored rosters"
    told = [f"{again}, {counted(learned.models, 'round')} aggregated again from stored updates"]
    told += [f"{counted(count, 'round')} not aggregated again: {why}" for why, count in rounds.items()]
    return "\n".join([*told, ""])


def under(stream: str, strategy: str, *, as_json: bool) -> None:
    """Print what another strategy would have made of each round of a cycle.

    Raises:
        Refusal: it is no learning cycle, or the strategy cannot be tried on it.
    """
    from domain.learning.strategies import registry

    if not stream.startswith("learning/"):
        raise Refusal("--strategy", f"{printable(stream, 60)} is no learning cycle")
    registry.named(strategy)
    found = asyncio.run(_under(stream, strategy))
    emit(
        as_json,
        {"stream": stream, "strategy": strategy, "rounds": [dataclasses.asdict(one) for one in found]},
        lambda: "\n".join(otherwise(one, strategy) for one in found) or "no round became a model so far",
    )


async def _under(stream: str, strategy: str) -> "list[Otherwise]":
    from audit.decisions import stream_events
    from audit.learning_whatif import rounds_under
    from eventlog.reader import LogReader
    from workers import settings
    from workers.artifacts import FsspecArtifacts

    own = settings.load(needs=("kafka",))
    async with LogReader(own.kafka, own.topic_prefix) as reader:
        events = await stream_events(reader, stream)
    return await rounds_under(events, FsspecArtifacts(own.artifacts), strategy)


def otherwise(one: "Otherwise", strategy: str) -> str:
    """One round in a line."""
    from audit.learning_wording import few

    if one.digest is None:
        return printable(f"round {one.round}: {strategy} makes no model: {one.problem}", 400)
    if one.digest == one.recorded:
        return f"round {one.round}: {strategy} makes the recorded model"
    left = f", leaves out {few(one.excluded)}" if one.excluded else ""
    return f"round {one.round}: {strategy} makes another model, {one.distance:.4g} of its norm away{left}"
