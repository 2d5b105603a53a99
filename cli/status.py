"""`moot status`: each part's health, how far the projections are, the last checkpoint."""

import asyncio
from typing import TYPE_CHECKING

import click

from cli.output import emit
from domain.counting import counted
from domain.refusal import Refusal

if TYPE_CHECKING:
    from workers.health import Health, Report

EPILOG = """\b
Examples:
  moot status
  moot status --json | jq '.lag[] | select(.lag > 0)'
"""


@click.command(short_help="Each part's health, lag, and the last checkpoint.", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(as_json: bool) -> int:  # noqa: FBT001 # click's flag
    """Ask every part at once; exit status 0 only when all are ready."""
    from workers import settings
    from workers.embedded import stackfile

    # Refused at once where nothing runs yet: whoever waits for a start asks again and again, and the imports
    # of a real examination would take the processor from what is starting.
    found = settings.load()
    stack = stackfile.read(found.data)
    if stack is not None and not stack["ready"]:
        raise Refusal("stack", f"process {stack['pid']} is still starting it")
    from workers.health import examine

    # Not asyncio.run: what does not answer may not let itself be cancelled either, and we have our answer.
    report = asyncio.new_event_loop().run_until_complete(examine(found))
    emit(as_json, _data(report), lambda: _human(report))
    return 0 if report.ready else 1


def _data(report: "Report") -> dict[str, object]:
    from dataclasses import asdict

    return {
        "ready": report.ready,
        "parts": {part.part: {"ready": not part.problem, **asdict(part)} for part in report.parts},
        "lag": [asdict(lag) for lag in report.lags],
        "newest_event_age_seconds": report.newest_event_age,
        "checkpoint": report.checkpoint,
        "parked": report.parked,
        "fleet": [*report.fleet],
    }


def _human(report: "Report") -> str:
    lines = [_part(part) for part in report.parts]
    if report.parked is None:  # with nothing read, "none yet" would be a guess
        unknown = "unknown: Postgres cannot be asked"
        lines += [f"{what:<13} {unknown}" for what in ("lag", "newest event", "checkpoint")]
        return "\n".join(lines)
    lines += [_lag(report), _age(report), _checkpoint(report)]
    lines += _fleet(report)
    if report.parked:
        lines.append(f"parked        {counted(report.parked, 'record')}; see `moot deadletters list`")
    return "\n".join(lines)


def _part(part: "Health") -> str:
    pid = f"pid {part.pid}" if part.pid else ""
    said = " ".join(word for word in (part.problem or "ready", pid) if word)
    return f"{part.part:<13} {part.address:<16} {part.version:<8} {said}".rstrip()


def _lag(report: "Report") -> str:
    if not report.lags:
        return "lag           nothing is projected yet"
    behind = [f"{lag.projection} {lag.topic}/{lag.partition}: {lag.lag}" for lag in report.lags if lag.lag]
    unknown = sum(lag.lag is None for lag in report.lags)
    if unknown:
        return f"lag           unknown for {unknown} of {len(report.lags)} partitions: Kafka cannot be asked"
    return f"lag           {', '.join(behind) if behind else f'0 in all {len(report.lags)} partitions'}"


def _age(report: "Report") -> str:
    age = report.newest_event_age
    return f"newest event  {'none is projected yet' if age is None else f'{age:.1f} s old'}"


def _checkpoint(report: "Report") -> str:
    last = report.checkpoint
    if last is None:
        return "checkpoint    none yet"
    at = f"{last['sealed_at']:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"checkpoint    {last['topic']}/{last['partition']}, {counted(last['size'], 'record')}, sealed {at}"
    )


def _fleet(report: "Report") -> list[str]:
    """Nothing where no node has ever announced clients."""
    there = [
        f"{row['region']}: {counted(row['hosts'], 'node')} for {counted(row['clients'], 'client')}"
        for row in report.fleet
        if row["hosts"]
    ]
    gone = sum(row["gone"] for row in report.fleet)
    said = [", ".join(there), f"{gone:,} left"] if gone else [", ".join(there)]
    return [f"announced     {'; '.join(filter(None, said))}"] if report.fleet else []
