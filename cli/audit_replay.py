"""The commands that decide again: replay under the same policy and code, whatif under another policy."""

import asyncio
from typing import TYPE_CHECKING, Any, get_args

import click

from cli.output import emit
from domain.consensus.policy import Policy, Weighting
from domain.refusal import Refusal
from domain.strict_json import printable

if TYPE_CHECKING:
    from audit.replay import Replayed
    from audit.whatif import Retaken
    from domain.consensus.whatif import WhatIf
    from workers.replaying import Histories
    from workers.settings import Settings

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
MOST_LINES = 40


@click.command(epilog="\b\nExamples:\n  moot audit replay consensus/42\n  moot audit replay --all")
@click.argument("stream", required=False)
@click.option("--all", "everything", is_flag=True, help="Every settled decision on the log.")
@JSON
def replay(stream: str | None, *, everything: bool, as_json: bool) -> int:
    """Decide recorded decisions again, from their ballots and from their workflow's history.

    The log's half recomputes every count, outcome and model from the recorded ballots; Temporal's half
    replays each workflow's history against today's code. The first event that differs is named; the exit
    status is then 1.
    """
    _one_of(stream, everything=everything)
    from workers import settings

    found, histories = asyncio.run(_replay(settings.load(), stream))
    data = _replay_data(found, histories)
    emit(as_json, data, lambda: _replay_lines(found, histories))
    return 0 if data["agrees"] else 1


async def _replay(settings: "Settings", stream: str | None) -> tuple["Replayed", "Histories"]:
    from audit.decisions import settled_streams
    from audit.replay import replay_all, replay_stream
    from cli.progress import Progress
    from eventlog.reader import LogReader
    from workers.replaying import replay_histories
    from workers.temporal_client import connect

    client = await connect(settings)
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        if stream is not None:
            found = await replay_stream(reader, stream)
        else:
            with Progress("records replayed") as progress:
                found = await replay_all(settled_streams(reader, progress.show))
    with Progress("histories replayed") as progress:
        return found, await replay_histories(client, stream, progress.show)


def _replay_data(found: "Replayed", histories: "Histories") -> dict[str, Any]:
    return {
        "agrees": not found.divergent and not histories.divergent,
        "decisions": found.decisions,
        "undecided": found.undecided,
        "dockets": found.dockets,
        "models": found.models,
        "divergent": [
            {"stream": d.stream, "event_id": d.event_id, "type": d.type, "problem": d.problem}
            for d in found.divergent
        ],
        "histories": histories.replayed,
        "histories_gone": histories.gone,
        "histories_divergent": histories.divergent,
    }


def _replay_lines(found: "Replayed", histories: "Histories") -> str:
    lines = [str(one) for one in found.divergent[:MOST_LINES]]
    lines += [printable(f"{w}: {why}", 500) for w, why in list(histories.divergent.items())[:MOST_LINES]]
    counted = (
        f"{found.decisions:,} decisions, {found.dockets:,} dockets and {found.models:,} models computed "
        f"again from the log, {histories.replayed:,} workflow histories replayed"
    )
    if histories.gone:
        counted += f" ({histories.gone:,} no longer kept by Temporal)"
    if found.undecided:
        counted += f"; {found.undecided:,} without an outcome so far"
    differing = len(found.divergent) + len(histories.divergent)
    return "\n".join([*lines, f"{counted}: {f'{differing:,} diverge' if differing else 'all agree'}"])


@click.command(
    epilog="\b\nExamples:\n  moot audit whatif consensus/42 --threshold 0.9\n"
    "  moot audit whatif --all --weighting posterior"
)
@click.argument("stream", required=False)
@click.option("--all", "everything", is_flag=True, help="Every settled decision on the log.")
@click.option("--threshold", type=float, help="Share of the weight that decides.")
@click.option("--quorum", type=float, help="Share of the panel that must cast a ballot.")
@click.option("--max-rounds", type=int, help="At most so many of the recorded rounds.")
@click.option("--weighting", type=click.Choice(get_args(Weighting)), help="How ballots are weighed.")
@JSON
def whatif(
    stream: str | None,
    *,
    everything: bool,
    threshold: float | None,
    quorum: float | None,
    max_rounds: int | None,
    weighting: Weighting | None,
    as_json: bool,
) -> None:
    """Take recorded decisions again under another policy and show which would differ; touches nothing."""
    _one_of(stream, everything=everything)
    asked = {"threshold": threshold, "quorum": quorum, "max_rounds": max_rounds, "weighting": weighting}
    change: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if not change:
        raise click.UsageError("say what would be other: --threshold, --quorum, --max-rounds or --weighting")
    Policy(**change)  # refuses at once what no policy can be
    from workers import settings

    found = asyncio.run(_whatif(settings.load(needs=("kafka",)), stream, change))
    emit(as_json, _whatif_data(found, change), lambda: _whatif_lines(found))


async def _whatif(settings: "Settings", stream: str | None, change: dict[str, Any]) -> "Retaken":
    from audit.decisions import settled_streams
    from audit.whatif import whatif_all, whatif_stream
    from cli.progress import Progress
    from eventlog.reader import LogReader

    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        if stream is not None:
            return await whatif_stream(reader, stream, change)
        with Progress("records read") as progress:
            return await whatif_all(settled_streams(reader, progress.show), change)


def _whatif_data(found: "Retaken", change: dict[str, Any]) -> dict[str, Any]:
    return {
        "change": change,
        "decisions": len(found.decisions),
        "left_out": found.left_out,
        "divergent": found.divergent,
        "differing": [
            {
                "id": one.id,
                "recorded": one.recorded,
                "recorded_status": one.recorded_status,
                "retaken": one.retaken,
                "retaken_status": one.retaken_status,
                "reason": one.reason,
            }
            for one in found.differing
        ],
    }


def _whatif_lines(found: "Retaken") -> str:
    differing = found.differing
    lines = [_whatif_line(one) for one in differing[:MOST_LINES]]
    if len(differing) > MOST_LINES:
        lines.append(f"and {len(differing) - MOST_LINES:,} more; --json prints all")
    left = (
        f"; {found.left_out:,} single deliberations left out, no model is learned from one"
        if found.left_out
        else ""
    )
    if found.divergent:
        left += f"; {len(found.divergent):,} that diverge as they are left out, see `moot audit replay --all`"
    return "\n".join([*lines, f"{len(differing):,} of {len(found.decisions):,} decisions would differ{left}"])


def _whatif_line(one: "WhatIf") -> str:
    was = one.recorded if one.recorded is not None else one.recorded_status
    now = one.retaken if one.retaken is not None else one.retaken_status
    return printable(f"consensus/{one.id}: {was} -> {now} ({one.reason})", 300)


def _one_of(stream: str | None, *, everything: bool) -> None:
    if (stream is None) != everything:
        raise click.UsageError("name one STREAM, or --all")
    if stream is not None and "/" not in stream:
        raise Refusal("STREAM", f"'{printable(stream, 60)}' is no stream; one is named like consensus/42")
