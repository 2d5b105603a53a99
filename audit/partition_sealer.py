"""Sealing one partition: its tree grows behind the fence, signed in the same transaction."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from audit.checkpoint import Checkpoint
from audit.merkle import leaf_hash
from audit.note import SigningKey
from audit.seal import Seal, SplitView, leaf_spans
from audit.tiles import Tree, edge_of, split_hashes
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from projections import checkpoints, merkle, signing_keys
from projections.checkpoints import CheckpointRow
from projections.fence import Connection, Position


class KeyReplaced(Exception):
    """Another key was announced since: this one signs nothing more."""


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that signs, and which of the announced ones it is."""

    key: SigningKey
    number: int


class PartitionSealer:
    """What one process knows of one partition; after any error it has to be loaded anew."""

    def __init__(self, at: Position, seal: Seal, signer: Signer, version: int) -> None:
        self._at, self._seal, self._signer, self._version = at, seal, signer, version

    @classmethod
    async def load(
        cls, connection: Connection, topic: str, partition: int, origin: str, signer: Signer
    ) -> Self:
        """Take up where the database stands.

        Raises:
            SplitView: the tiles are not those of a published checkpoint.
        """
        at = await merkle.position(connection, topic, partition)
        last = await merkle.last_leaves(connection, topic, partition)
        size = last.end if last else 0
        edge = await merkle.tiles(connection, topic, partition, edge_of(size))
        newest = await checkpoints.newest(connection, topic, partition)
        seal = Seal(origin, Tree(size, edge), newest.size if newest else 0)
        rows = await checkpoints.at_least(connection, topic, partition, size)
        seal.expect(Checkpoint(origin, row.size, row.root) for row in rows)
        return cls(at, seal, signer, newest.version if newest else 0)

    @property
    def next_offset(self) -> int:
        return self._at.next_offset

    async def check_log(self, connection: Connection, reader: LogReader) -> None:
        """See that the log still is the one that was sealed: long enough, with the same last record.

        Raises:
            SplitView: it is not.
        """
        topic, partition = self._at.topic, self._at.partition
        _, end = await reader.beginning_and_end(topic, partition)
        sealed = max(self._at.next_offset, self._seal.covered)
        if end < sealed:
            raise SplitView(self._seal.origin, f"the log ends at offset {end}, but was sealed up to {sealed}")
        last = await merkle.last_leaves(connection, topic, partition)
        sealed_to = last.last_offset + 1 if last else 0
        if self._at.next_offset != sealed_to:  # records would be sealed twice, or left out
            raise SplitView(
                self._seal.origin,
                f"its tiles end at offset {sealed_to}, but the sealer stands at {self._at.next_offset}",
            )
        if last is None:
            return
        held = await merkle.tiles(connection, topic, partition, [(0, last.tile)])
        async with aclosing(
            reader.batches(topic, partition, last.last_offset, last.last_offset + 1)
        ) as batches:
            records = [record async for batch in batches for record in batch]
        for record in records:
            if leaf_hash(record.value) != split_hashes(held[0, last.tile])[-1]:
                raise SplitView(
                    self._seal.origin,
                    f"the record at offset {last.last_offset} is not the one that was sealed",
                )

    async def commit(self, connection: Connection, batch: Sequence[RawRecord]) -> CheckpointRow | None:
        """Grow by the records of `batch`, in one transaction; the checkpoint that was signed for them.

        Raises:
            SplitView: they are not those of a published checkpoint; nothing was stored.
            projections.fence.FenceLost: another sealer was here first; nothing was stored.
            KeyReplaced: another key was announced; nothing was stored.
        """
        before = self._seal.tree.size
        tiles = self._seal.absorb([record.value for record in batch])
        due = self._seal.due()
        row = None if due is None else self._sign(due)
        growth = merkle.Growth(
            next_offset=batch[-1].offset + 1,
            newest_ms=batch[-1].timestamp_ms,
            tiles=tiles,
            spans=leaf_spans(before, [record.offset for record in batch]),
            checkpoint=row,
        )
        async with connection.transaction():
            after = await merkle.commit(connection, self._at, growth)
            if row is not None and await signing_keys.hold(connection) != self._signer.number:
                raise KeyReplaced(f"{self._signer.key.verifier.short} was replaced by another key")
        self._at = after
        if row is not None:
            self._version, self._seal.covered = row.version, row.size
        return row

    def _sign(self, checkpoint: Checkpoint) -> CheckpointRow:
        return CheckpointRow(
            topic=self._at.topic,
            partition=self._at.partition,
            size=checkpoint.size,
            root=checkpoint.root,
            note=self._signer.key.sign(checkpoint.text()),
            sealed_at=datetime.now(UTC),
            version=self._version + 1,
            published=False,
        )
