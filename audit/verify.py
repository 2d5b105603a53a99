"""Everything recomputed from the raw bytes and the public key: what is not as it was sealed, by name."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from audit import published
from audit.checkpoint_check import CheckpointCheck
from audit.finding import Finding
from audit.key_check import KeyCheck
from audit.log_check import LogCheck
from audit.note import VerifierKey
from audit.source import SealedLog, Source
from audit.tile_check import TileCheck
from domain.counting import counted
from domain.event import Event
from domain.refusal import Refusal
from eventlog.codec import decode
from eventlog.partitioning import stray, strays
from eventlog.record import RawRecord, RetentionLost
from eventlog.undecodable import Undecodable
from eventlog.writer import milliseconds

_AHEAD = 10_000  # stored leaf hashes read at once past the end of a log that was cut short


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found. `unsealed` records are newer than their last checkpoint."""

    findings: list[Finding] = field(default_factory=list)
    records: int = 0
    unsealed: int = 0
    undecodable: int = 0
    breaks: list[str] = field(default_factory=list)  # where a signing key was lost, as people stated
    checkpoints: int = 0
    logs: int = 0
    state_hashes: dict[str, str] = field(default_factory=dict)  # of each projection, as the log gives it


async def verify(
    source: Source,
    keys: Sequence[VerifierKey],
    progress: Callable[[int, int], None],
    witnessed: Sequence[tuple[str, str]] = (),
) -> Report:
    """Recompute every root, check every signature, and name what differs.

    `keys` alone are trusted, and those that signatures link with them. `progress` is told how many records
    are done, of how many. `witnessed` are notes that somebody kept, each with the place where he did: what
    was signed may not be gone.
    """
    logs = await source.logs()
    report = Report(logs=len(logs))
    origins = {log.origin: log.name for log in logs}
    who = KeyCheck.of(keys, origins)
    await _keys(source, who)
    check = CheckpointCheck(who, origins)
    check.passed_on()
    for where, note in witnessed:
        check.witnessed(where, note)
    await _checkpoints(source, logs, check)
    report.findings += who.findings + check.findings
    report.breaks = who.chain.breaks()
    report.checkpoints = check.signatures
    total = sum([await source.length(log.topic, log.partition) for log in logs])
    for log in logs:
        held = _Log(source, log, check, report, sum(other.topic == log.topic for other in logs))
        await held.check(lambda: progress(report.records, total))
    return report


async def _keys(source: Source, check: KeyCheck) -> None:
    """Before any checkpoint is opened: who replaced whom is said after what the replaced one signed."""
    before = await source.keys()
    with suppress(Refusal, RetentionLost):  # found again, and named, where the checkpoints are read
        async for batch in source.records(published.TOPIC, 0):
            for record in batch:
                with suppress(Undecodable):
                    check.take(record.offset, decode(record.value))
    check.judge(before, await source.keys())


async def _checkpoints(source: Source, logs: Sequence[SealedLog], check: CheckpointCheck) -> None:
    # The database is read before and after: a checkpoint is first kept, then published.
    before = {log.origin: await source.kept(log.topic, log.partition) for log in logs}
    where = f"{published.TOPIC}/0"
    try:
        async for batch in source.records(published.TOPIC, 0):
            for record in batch:
                _published(check, where, record)
    except (Refusal, RetentionLost) as error:
        check.findings.append(Finding(where, str(error)))
    for log in logs:
        after = await source.kept(log.topic, log.partition)
        if after is not None:
            check.kept(f"checkpoint {log.name}", log.origin, before[log.origin] or [], after)


def _published(check: CheckpointCheck, where: str, record: RawRecord) -> None:
    try:
        event = decode(record.value)
    except Undecodable as error:
        check.findings.append(Finding(where, error.reason, record.offset))
        return
    if (problem := _misfiled(record, event)) is not None:
        check.findings.append(Finding(where, problem, record.offset))
    check.published(where, record.offset, event)


def _misfiled(record: RawRecord, event: Event) -> str | None:
    """Key and time are no part of the leaf, but the value says what they have to be."""
    if record.key != event.stream.encode():
        return "the record's key is not its event's stream"
    if record.timestamp_ms != milliseconds(event.time):
        return "the record's time is not its event's"
    return None


@dataclass(slots=True)
class _Log:
    """One partition on its way through the check."""

    source: Source
    log: SealedLog
    checkpoints: CheckpointCheck
    report: Report
    partitions: int  # of its topic

    async def check(self, progress: Callable[[], None]) -> None:
        log, sound = self.log, self.checkpoints.sound(self.log.origin)
        held, tiles = LogCheck(log.name, sound), TileCheck()
        # As it is now: leaves that are sealed while the log is read are another audit's.
        kept = await self.source.leaves(log.topic, log.partition)
        try:
            async for batch in self.source.records(log.topic, log.partition):
                count = min(len(batch), max((kept or 0) - held.size, 0))
                stored = None if kept is None else await self._stored(held.size, count)
                offsets = [record.offset for record in batch]
                held.feed(offsets, [record.value for record in batch], stored)
                tiles.grown(held.log, offsets)
                self._look_at(batch)
                progress()
        except (Refusal, RetentionLost) as error:
            self.report.findings.append(Finding(log.name, str(error)))
        rest = [h async for hashes in self._rest(held.size, kept or 0) for h in hashes]
        found = held.finish(rest)
        if not found and not self.source.complete:
            found = tiles.findings(log.name, *await self.source.upper_tiles(log.topic, log.partition))
        self.report.findings += found
        covered = max((checkpoint.size for checkpoint in sound), default=0)
        if kept is not None and kept < covered and not self.source.complete:
            problem = f"hold {kept} of the {covered} leaves that were sealed: lost, or not yet made again"
            self.report.findings.append(Finding(f"merkle_tile {log.name}", problem))
        beyond = max(held.size - covered, 0)
        if beyond and self.source.complete:
            self.report.findings.append(
                Finding(log.name, f"holds {counted(beyond, 'record')} that no checkpoint covers: added since")
            )
        self.report.unsealed += beyond

    async def _stored(self, first: int, count: int) -> list[bytes]:
        return await self.source.leaf_hashes(self.log.topic, self.log.partition, first, count)

    async def _rest(self, first: int, kept: int) -> AsyncGenerator[list[bytes], None]:
        for start in range(first, kept, _AHEAD):
            yield await self._stored(start, min(_AHEAD, kept - start))

    def _look_at(self, batch: Sequence[RawRecord]) -> None:
        partition = self.log.partition
        elsewhere = strays([record.key for record in batch], partition, self.partitions)
        for record in batch:
            self.report.records += 1
            if record.key is not None and record.key in elsewhere:
                lies = stray(record.key, partition, self.partitions)
                self.report.findings.append(Finding(self.log.name, lies, record.offset))
            try:
                event = decode(record.value)
            except Undecodable:
                self.report.undecodable += 1
                continue
            if (problem := _misfiled(record, event)) is not None:
                self.report.findings.append(Finding(self.log.name, problem, record.offset))
