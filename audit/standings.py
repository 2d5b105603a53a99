"""What rulings said of voters up to some place on the log, by the fold that the read model uses."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from audit.discards import TOPIC, Discards
from domain.consensus import reputation
from domain.consensus.events import ReputationsRead
from eventlog.reader import LogReader
from eventlog.record import RawRecord
from projections.batch import decoded
from projections.conflict import ConflictProjection
from projections.consensus import ConsensusProjection
from projections.folding import PartitionFold
from projections.in_memory import EVERYTHING
from projections.past import LogPast
from projections.projection import by_category
from projections.registry import PROJECTIONS
from projections.states import States

Standings = Mapping[str, tuple[float, float]]
"""Beta(alpha, beta) of the voters that any ruling has scored."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Voters on one topic, and what their reputations were read from."""

    topic: str
    voters: frozenset[str]
    read: ReputationsRead

    def below(self, partition: int) -> int:
        """The offset below which every ruling of the partition counted."""
        return self.read.offsets[partition] if partition < len(self.read.offsets) else 0


async def standings(reader: LogReader, asked: Sequence[Asked], discards: Discards) -> list[Standings]:
    """The answer to each question, from one pass over the log; its whole state is held, some 2 KB a stream.

    Rulings of streams that were freed by `discards` count, wherever they lie.
    """
    sums: list[dict[str, list[int]]] = [{} for _ in asked]
    partitions = await reader.partitions(TOPIC)
    for partition in partitions:
        fold = PartitionFold(
            by_category(PROJECTIONS, TOPIC),
            LogPast(reader, TOPIC, partition),
            States(EVERYTHING),
            partition=partition,
            partitions=len(partitions),
            discarded=discards.get(partition, {}),
        )
        async for offset, said in _sums(reader, fold, {one.below(partition) for one in asked} - {0}):
            for one, found in zip(asked, sums, strict=True):
                if one.below(partition) == offset:
                    _add(found, said, one)
    return [
        {voter: reputation.standing(right, wrong, one.read.at) for voter, (right, wrong) in found.items()}
        for one, found in zip(asked, sums, strict=True)
    ]


Said = dict[tuple[str, ...], tuple[int, int]]


def _add(found: dict[str, list[int]], said: Said, one: Asked) -> None:
    for voter in one.voters:
        right, wrong = said.get((one.topic, voter), (0, 0))
        if right or wrong:
            before = found.get(voter, [0, 0])
            found[voter] = [before[0] + right, before[1] + wrong]


async def _sums(reader: LogReader, fold: PartitionFold, offsets: set[int]) -> AsyncIterator[tuple[int, Said]]:
    """What was said of every voter below each of `offsets`, in their order."""
    said: Said = {}
    waiting = sorted(offsets)
    _, end = await reader.beginning_and_end(TOPIC, fold.partition)
    async with aclosing(reader.batches(TOPIC, fold.partition, 0, min([end, *waiting[-1:]]))) as batches:
        async for batch in batches:
            for piece in _pieces(batch, waiting):
                while waiting and waiting[0] <= piece[0].offset:
                    yield waiting.pop(0), said
                folded = await fold.fold(decoded(piece))
                for projection in (ConsensusProjection.name, ConflictProjection.name):
                    for key, (right, wrong, *_) in folded.sums.get(projection, {}).items():
                        before = said.get(key, (0, 0))
                        said[key] = before[0] + right, before[1] + wrong
    for offset in waiting:  # where the log ends earlier, no ruling lies between
        yield offset, said


def _pieces(batch: Sequence[RawRecord], offsets: Sequence[int]) -> Iterator[list[RawRecord]]:
    """The batch, cut before each of `offsets`."""
    rest = list(batch)
    for offset in list(offsets):
        piece = [record for record in rest if record.offset < offset]
        rest = rest[len(piece) :]
        if piece:
            yield piece
    if rest:
        yield rest
