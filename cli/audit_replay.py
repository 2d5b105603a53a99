"""The command that decides again, and asks Temporal who wrote what is on the log."""

import asyncio
from typing import TYPE_CHECKING, Any

import click

from cli import audit_learning
from cli.output import emit
from domain.counting import agreeing, counted
from domain.refusal import Refusal
from domain.strict_json import printable

if TYPE_CHECKING:
    from audit.decisions import Passed
    from audit.divergent import Divergent
    from audit.grounds import Grounds
    from audit.replayed import Replayed
    from eventlog.reader import LogReader
    from workers.replaying import Histories
    from workers.settings import Settings

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
MOST_LINES = 40


@click.command(
    epilog="\b\nExamples:\n  moot audit replay consensus/42\n  moot audit replay --all\n"
    "  moot audit replay --all --log-only"
)
@click.argument("stream", required=False)
@click.option("--all", "everything", is_flag=True, help="All that is settled, and all ledgers and models.")
@click.option(
    "--log-only", is_flag=True, help="Leave Temporal's histories out, where they are no longer kept."
)
@JSON
def replay(stream: str | None, *, everything: bool, log_only: bool, as_json: bool) -> int:
    """Decide recorded decisions again, from their ballots and from their workflow's history.

    The log's half recomputes every count, outcome and model from the recorded ballots, and every ruling in
    the shared context from its case. Of learning it takes cohorts, models, privacy ledgers and versions
    again; a model's digest is over its tensors, and a file is named by the SHA-256 of its bytes. Temporal's
    half replays each workflow's history against today's code and holds the log against what it appended: an
    event that no workflow wrote, or that is lost, is named. The exit status is 1 if anything differs, and
    also if a stream has no history to compare with.
    """
    one_of(stream, everything=everything)
    from workers import settings

    needs = ("kafka",) if log_only else ("kafka", "temporal_address")
    found, histories = asyncio.run(_replay(settings.load(needs=needs), stream, log_only=log_only))
    data = _data(found, histories)
    emit(as_json, data, lambda: _lines(found, histories))
    return 0 if data["agrees"] else 1


async def _replay(
    settings: "Settings", stream: str | None, *, log_only: bool
) -> tuple["Replayed", "Histories | None"]:
    from audit.applied import context_ends
    from audit.replay import compare_applied, compare_weights, replay_stream
    from eventlog.reader import LogReader
    from workers.temporal_client import connect

    client = None if log_only else await connect(settings)
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        ends, grounds = await context_ends(reader), audit_learning.grounds(settings, reader)
        if stream is not None:
            found = await replay_stream(reader, stream, grounds)
        else:
            found = await _everything(reader, grounds)
        await compare_weights(found, reader)
        await compare_applied(found, reader, ends, everything=stream is None)
        return found, None if client is None else await _histories(settings, client, reader, stream)


async def _everything(reader: "LogReader", grounds: "Grounds") -> "Replayed":
    from audit.decisions import Passed, settled_streams
    from audit.replay import replay_all
    from audit.unending import Unending
    from cli.progress import Progress

    passed, unending = Passed(), Unending(grounds.epsilon)
    with Progress("records replayed") as progress:
        streams = settled_streams(reader, progress.show, passed, unending.take)
        return await replay_all(streams, passed, grounds, unending)


async def _histories(
    settings: "Settings", client: Any, reader: "LogReader", stream: str | None
) -> "Histories":
    from cli.progress import Progress
    from workers.artifacts import FsspecArtifacts
    from workers.replaying import replay_histories

    with Progress("records and histories compared") as progress:
        artifacts = FsspecArtifacts(settings.artifacts)
        return await replay_histories(client, reader, artifacts, stream, progress.show)


def _data(found: "Replayed", histories: "Histories | None") -> dict[str, Any]:
    divergent = [*found.divergent, *(histories.foreign if histories else ())]
    stopped = found.passed.stopped
    data: dict[str, Any] = {
        "decisions": found.decisions,
        "undecided": found.undecided,
        "withdrawn": found.withdrawn,
        "dockets": found.dockets,
        "models": found.models,
        "cases": found.cases,
        "charges": found.unending.charges,
        "learning": audit_learning.data(found.cycles, found.learned, found.unending),
        "panels_weighed": found.weights.recomputed,
        "rulings_applied": found.applied.compared,
        "rulings_missing": found.applied.missing,
        "divergent": [_divergent(one) for one in divergent],
        "stopped": stopped,
        "discarded": len(found.passed.left_out),
    }
    if histories is None:
        return {"agrees": not (divergent or stopped), **data, "histories": None}
    differing = divergent or stopped or histories.divergent or histories.unvouched
    return {
        "agrees": not differing,
        **data,
        "histories": histories.replayed,
        "histories_divergent": histories.divergent,
        "streams_as_written": histories.streams,
        "without_history": [
            {"stream": one.stream, "events": one.events, "problem": one.why} for one in histories.unvouched
        ],
    }


def _divergent(one: "Divergent") -> dict[str, str]:
    return {"stream": one.stream, "event_id": one.event_id, "type": one.type, "problem": one.problem}


def _lines(found: "Replayed", histories: "Histories | None") -> str:
    differing = [str(one) for one in found.divergent]
    foreign = {one.stream for one in histories.foreign} if histories else set()
    stopped = {stream: why for stream, why in found.passed.stopped.items() if stream not in foreign}
    differing += [printable(f"{stream} {why}", 500) for stream, why in stopped.items()]
    unvouched: list[str] = []
    if histories is not None:
        differing += [str(one) for one in histories.foreign]
        differing += [printable(f"{name}: {why}", 500) for name, why in histories.divergent.items()]
        unvouched = [printable(f"{one.stream}: {one.why}", 500) for one in histories.unvouched]
    verdict = agreeing(len(differing), "diverges", "diverge") if differing else "all agree"
    if unvouched:
        rest = verdict if differing else "all else agrees"
        verdict = f"{agreeing(len(unvouched), 'has', 'have')} no history to compare with, {rest}"
    return "\n".join([*_few(differing), *_few(unvouched), f"{_counted(found, histories)}: {verdict}"])


def _counted(found: "Replayed", histories: "Histories | None") -> str:
    told = _decided(found) + audit_learning.lines(found.learned, found.unending)
    if histories is None:
        told += "no history asked"
    else:
        replayed = agreeing(histories.replayed, "workflow history", "workflow histories")
        told += f"{replayed} replayed, which wrote {counted(histories.streams, 'stream')}"
    told += f"; {found.withdrawn:,} withdrawn" if found.withdrawn else ""
    told += f"; {found.undecided:,} without an outcome so far" if found.undecided else ""
    missing = len(found.applied.missing)
    if missing:
        told += f"; {agreeing(missing, 'ruling is', 'rulings are')} not in the shared context"
    return told + left_out(found.passed)


def _decided(found: "Replayed") -> str:
    learned = found.learned.cohorts or found.unending.ledgers or found.unending.models
    if learned and not (found.decisions or found.dockets or found.cases):
        return ""  # only cycles or ledgers were taken again: that no vote was would read like a lack
    cases = f", {counted(found.cases, 'case')}" if found.cases else ""
    return (
        f"{counted(found.decisions, 'decision')}, {counted(found.dockets, 'docket')}{cases}"
        f" and {counted(found.models, 'model')} computed again from the log\n"
    )


def left_out(passed: "Passed") -> str:
    """What is said of records that a person gave up."""
    count = len(passed.left_out)
    return f"; {counted(count, 'record')} left out, which a person discarded" if count else ""


def _few(lines: list[str]) -> list[str]:
    more = [f"and {len(lines) - MOST_LINES:,} more; --json prints all"] if len(lines) > MOST_LINES else []
    return [*lines[:MOST_LINES], *more]


def one_of(stream: str | None, *, everything: bool) -> None:
    """Refuse what is neither one stream nor all of them."""
    if (stream is None) != everything:
        raise click.UsageError("name one STREAM, or --all")
    if stream is not None and "/" not in stream:
        raise Refusal("STREAM", f"'{printable(stream, 60)}' is no stream; one is named like consensus/42")
