"""The command that decides again under another policy: what would differ."""

import asyncio
from typing import TYPE_CHECKING, Any, get_args

import click

from cli import audit_learning
from cli.audit_replay import JSON, MOST_LINES, left_out, one_of
from cli.output import emit
from domain.consensus.policy import Policy, Weighting
from domain.counting import agreeing, counted
from domain.stream import consensus_stream
from domain.strict_json import printable

if TYPE_CHECKING:
    from audit.whatif import Retaken
    from domain.consensus.whatif import WhatIf
    from workers.settings import Settings


@click.command(
    epilog="\b\nExamples:\n  moot audit whatif consensus/42 --threshold 0.9\n"
    "  moot audit whatif --all --weighting posterior\n"
    "  moot audit whatif learning/digits-1 --strategy median"
)
@click.argument("stream", required=False)
@click.option("--all", "everything", is_flag=True, help="Every settled decision on the log.")
@click.option("--threshold", type=float, help="Share of the weight that decides.")
@click.option("--quorum", type=float, help="Share of the panel that must cast a ballot.")
@click.option("--max-rounds", type=int, help="At most so many of the recorded rounds.")
@click.option("--weighting", type=click.Choice(get_args(Weighting)), help="How ballots are weighed.")
@click.option("--strategy", help="Of a learning cycle: the rule that makes a model of a round's updates.")
@JSON
def whatif(
    stream: str | None,
    *,
    everything: bool,
    threshold: float | None,
    quorum: float | None,
    max_rounds: int | None,
    weighting: Weighting | None,
    strategy: str | None,
    as_json: bool,
) -> None:
    """Take recorded decisions again under another policy and show which would differ; touches nothing."""
    one_of(stream, everything=everything)
    asked = {"threshold": threshold, "quorum": quorum, "max_rounds": max_rounds, "weighting": weighting}
    change: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if strategy is not None:
        if change or stream is None:
            raise click.UsageError("--strategy goes with the STREAM of one learning cycle, and nothing else")
        audit_learning.under(stream, strategy, as_json=as_json)
        return
    if not change:
        raise click.UsageError(
            "say what would be other: --threshold, --quorum, --max-rounds, --weighting or --strategy"
        )
    Policy(**change)  # refuses at once what no policy can be
    from workers import settings

    found = asyncio.run(_whatif(settings.load(needs=("kafka",)), stream, change))
    emit(as_json, _whatif_data(found, change), lambda: _whatif_lines(found))


async def _whatif(settings: "Settings", stream: str | None, change: dict[str, Any]) -> "Retaken":
    from audit.decisions import Passed, settled_streams
    from audit.whatif import whatif_all, whatif_stream
    from cli.progress import Progress
    from eventlog.reader import LogReader

    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        if stream is not None:
            return await whatif_stream(reader, stream, change)
        with Progress("records read") as progress:
            passed = Passed()
            return await whatif_all(settled_streams(reader, progress.show, passed), change, passed)


def _whatif_data(found: "Retaken", change: dict[str, Any]) -> dict[str, Any]:
    return {
        "change": change,
        "decisions": len(found.decisions),
        "left_out": found.left_out,
        "unfit": found.unfit,
        "divergent": found.divergent,
        "stopped": found.passed.stopped,
        "discarded": len(found.passed.left_out),
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
        f"; {counted(found.left_out, 'single deliberation')} left out, no model is learned from one"
        if found.left_out
        else ""
    )
    if found.unfit:
        left += f"; {found.unfit:,} left out, whose fault model does not go with that weighting"
    if found.divergent:
        diverging = agreeing(len(found.divergent), "that diverges is", "that diverge are")
        left += f"; {diverging} left out, see `moot audit replay --all`"
    if found.passed.stopped:
        where = "at a record which does not follow"
        stopping = agreeing(len(found.passed.stopped), f"that stops {where} is", f"that stop {where} are")
        left += f"; {stopping} left out"
    left += left_out(found.passed)
    return "\n".join(
        [*lines, f"{len(differing):,} of {counted(len(found.decisions), 'decision')} would differ{left}"]
    )


def _whatif_line(one: "WhatIf") -> str:
    was = one.recorded if one.recorded is not None else one.recorded_status
    now = one.retaken if one.retaken is not None else one.retaken_status
    return printable(f"{consensus_stream(one.id)}: {was} -> {now} ({one.reason})", 300)
