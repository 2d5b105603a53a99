"""How `moot audit` tells of learning cycles: what was taken again, and what another rule would have made."""

import asyncio
import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from cli.output import emit
from domain.counting import counted
from domain.refusal import Refusal
from domain.strict_json import printable

if TYPE_CHECKING:
    from audit.grounds import Grounds
    from audit.learning import Learned
    from audit.learning_whatif import Otherwise
    from audit.unending import Unending
    from domain.learning.mechanism import Composition
    from eventlog.reader import LogReader
    from workers.settings import Settings


def grounds(settings: "Settings", reader: "LogReader") -> "Grounds":
    """What learning rests on: the store, the accountant, the announcements on the log."""
    from audit.announcements import Announcements
    from audit.grounds import Grounds
    from workers.artifacts import FsspecArtifacts

    return Grounds(FsspecArtifacts(settings.artifacts), _epsilon, Announcements(reader))


def _epsilon(composition: "Composition", delta: float) -> float:
    """As the accountant; one that is not installed ends the command: nothing diverges for that."""
    from activities.privacy.accountant import epsilon

    try:
        return epsilon(composition, delta)
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from None


def data(cycles: int, learned: "Learned", unending: "Unending") -> dict[str, Any]:
    """For programs: how many `cycles` had ended, what was taken again of their rounds, what could not be.

    Beside them privacy ledgers and models' versions, which never end.
    """
    return {
        "cycles": cycles,
        "cohorts_drawn_again": learned.cohorts,
        "attempts_with_noise": len(learned.releases),
        "models_made_again": learned.models,
        "unproven": [{"stream": one.stream, "round": one.round, "why": one.why} for one in learned.unproven],
        "ledgers": len(unending.ledgers),
        "version_ledgers": len(unending.models),
        "versions": unending.versions,
    }


def lines(learned: "Learned", unending: "Unending") -> str:
    """What was taken again, then why rounds could not be; nothing where there was nothing of it."""
    told = [*_rounds(learned), *_unending(unending)]
    return "\n".join([*told, ""]) if told else ""


def _rounds(learned: "Learned") -> list[str]:
    if not learned.cohorts:
        return []
    rounds = Counter(one.why for one in learned.unproven)
    again = f"{counted(learned.cohorts, 'cohort')} drawn again from stored rosters"
    told = [f"{again}, {counted(learned.models, 'round')} aggregated again from stored updates"]
    told += [f"{counted(count, 'round')} not aggregated again: {why}" for why, count in rounds.items()]
    if learned.releases:
        attempts = counted(len(learned.releases), "attempt")
        told.append(f"{attempts} of rounds with noise held against the privacy ledgers")
    return told


def _unending(unending: "Unending") -> list[str]:
    told = []
    if unending.ledgers:
        ledgers = counted(len(unending.ledgers), "privacy ledger")
        told.append(f"{counted(unending.charges, 'charge')} of {ledgers} accounted for again")
    if unending.models:
        models = counted(len(unending.models), "model")
        told.append(f"{counted(unending.versions, 'version')} of {models} published, tried and served again")
    return told


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
