"""The commands that read the whole log: trail, verify, export."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.output import emit, say
from domain.counting import counted
from domain.refusal import Refusal

if TYPE_CHECKING:
    from audit.note import VerifierKey
    from audit.trail import Step
    from audit.verify import Report
    from projections.queries import Span
    from workers.settings import Settings

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object or list.")
SERVERS = ("kafka", "database_url")


@click.command(epilog="\b\nExample:\n  moot audit trail consensus/42")
@click.argument("stream")
@click.option("--scan", is_flag=True, help="Read its whole partition, and trust no database where to look.")
@JSON
def trail(stream: str, *, scan: bool, as_json: bool) -> None:
    """Print every event of STREAM in order: where it lies, what it says, why and on whose authority.

    The read model says where the stream's records lie, and the log is read there; without it, or with --scan,
    the stream's whole partition is read. The last line, with --json one on stderr, says which.
    """
    from workers import settings

    steps, read = asyncio.run(_trail(settings.load(needs=("kafka",)), stream, scan=scan))
    emit(as_json, [step.data() for step in steps], lambda: _told(steps, read))
    if as_json:
        say(read)


def _told(steps: list["Step"], read: str) -> str:
    from audit.trail import OPEN, has_outcome

    lines = [step.line() for step in steps]
    return "\n".join([*lines, *([] if has_outcome(steps) else [OPEN]), read])


async def _trail(settings: "Settings", stream: str, *, scan: bool) -> tuple[list["Step"], str]:
    from audit.trail import rests_on
    from audit.trail import trail as read
    from eventlog.reader import LogReader

    span = None if scan or not settings.database_url else await _span(settings.database_url, stream)
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        return await read(reader, stream, span), rests_on(span)


async def _span(database_url: str, stream: str) -> "Span | None":
    from projections.queries import Queries

    try:
        async with Queries(database_url) as queries:
            return await queries.span(stream)
    except OSError:
        return None


@click.command(epilog="\b\nExample:\n  moot audit verify\n  moot audit verify --from copy --key VKEY")
@click.option("--from", "folder", type=click.Path(path_type=Path), help="A folder that `export` wrote.")
@click.option(
    "--key", "keys", multiple=True, metavar="VKEY", help="The public key to trust; by default our own."
)
@click.option(
    "--checkpoint",
    "witnessed",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A FILE of notes that you kept from `moot audit checkpoint`: the log must have grown from them.",
)
@JSON
def verify(folder: Path | None, keys: tuple[str, ...], witnessed: tuple[Path, ...], *, as_json: bool) -> int:
    """Recompute every Merkle root, check every signature, and compare what is stored with the log.

    Each finding is one line that names the topic, partition and offset; the exit status is then 1.
    """
    from audit import kept_notes
    from audit.note import VerifierKey
    from workers import settings

    found = settings.load(needs=() if folder else SERVERS)
    trusted = [VerifierKey.parse(text) for text in keys] or [_own_key(found)]
    notes = [note for path in witnessed for note in kept_notes.read(path, "--checkpoint")]
    report = asyncio.run(_verify(found, folder, trusted, notes))
    emit(as_json, _data(report), lambda: _human(report))
    return 1 if report.findings else 0


def _own_key(settings: "Settings") -> "VerifierKey":
    from audit.key import load

    try:
        return load(settings.signing_key).verifier
    except Refusal as refusal:
        raise Refusal("--key", f"say which public key to trust ({refusal})") from None


async def _verify(
    settings: "Settings", folder: Path | None, keys: list["VerifierKey"], notes: list[tuple[str, str]]
) -> "Report":
    from audit.live import Live
    from audit.log_copy import Copy
    from audit.projection_check import check_projections
    from audit.verify import verify as check
    from cli.audit_link import connected
    from cli.progress import Progress
    from workers import context_rules

    context_rules.project_by_them()
    with Progress("records verified") as progress:
        if folder is not None:
            return await check(Copy(folder), keys, progress.show, notes)
        async with connected(settings) as (pool, reader):
            live = Live(reader, pool, settings.cluster, settings.topic_prefix)
            report = await check(live, keys, progress.show, notes)
            progress.begin("records folded again")
            report.state_hashes, differing = await check_projections(reader, pool, progress.show)
            report.findings += differing
            return report


def _data(report: "Report") -> dict[str, object]:
    return {
        "verified": not report.findings,
        "findings": [{"where": f.where, "offset": f.offset, "problem": f.problem} for f in report.findings],
        "logs": report.logs,
        "records": report.records,
        "checkpoints": report.checkpoints,
        "unsealed": report.unsealed,
        "undecodable": report.undecodable,
        "breaks": report.breaks,
        "state_hashes": report.state_hashes,
    }


def _human(report: "Report") -> str:
    told = f"{counted(report.records, 'record')} in {counted(report.logs, 'log')}"
    told += f", {counted(report.checkpoints, 'signed checkpoint')}"
    if report.state_hashes:
        told += f", {counted(len(report.state_hashes), 'projection')}"
    apart = [
        text
        for number, text in (
            (report.unsealed, f"no checkpoint covers {counted(report.unsealed, 'record')} yet"),
            (report.undecodable, f"{counted(report.undecodable, 'record')} cannot be read as events"),
        )
        if number
    ]
    found = len(report.findings)
    verdict = counted(found, "finding") if found else "everything is as it was sealed"
    last = f"{told}: {'; '.join([verdict, *apart])}"
    return "\n".join([*map(str, report.findings), *report.breaks, last])


@click.command(epilog="\b\nExample:\n  moot audit export copy")
@click.argument("folder", type=click.Path(path_type=Path))
@JSON
def export(folder: Path, as_json: bool) -> None:  # noqa: FBT001 # click's flag
    """Copy all sealed records, their hashes and the checkpoints into the new FOLDER."""
    from workers import settings

    count = asyncio.run(_export(settings.load(needs=SERVERS), folder))
    emit(
        as_json,
        {"folder": str(folder), "records": count},
        f"{counted(count, 'sealed record')} copied to {folder}",
    )


async def _export(settings: "Settings", folder: Path) -> int:
    from audit import log_copy
    from audit.live import Live
    from cli.audit_link import connected
    from cli.progress import Progress

    with Progress("records copied") as progress:
        async with connected(settings) as (pool, reader):
            live = Live(reader, pool, settings.cluster, settings.topic_prefix)
            return await log_copy.write(live, folder, progress.show)
