"""One partition's records held against what was sealed of them: which record is the first that differs."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from audit.checkpoint import Checkpoint
from audit.finding import Finding
from audit.merkle import leaf_hash
from audit.tiles import Tree


@dataclass(frozen=True, slots=True)
class _Divergence:
    """The first leaf whose hash is not the stored one, and how it came about."""

    leaf: int
    offset: int
    kind: str


@dataclass(slots=True)
class LogCheck:
    """Fed with all records of a partition in order, it compares leaf hashes and roots.

    `checkpoints` are the signed ones of this log, ascending by size. All have to be roots of these same
    records, so each is consistent with every other; no consistency proof says more. Stored leaf hashes prove
    nothing by themselves; where they lead to a signed root they are what was sealed, and then they name the
    record.
    """

    where: str
    checkpoints: Sequence[Checkpoint]
    log: Tree = field(default_factory=Tree)
    _kept: Tree | None = None  # the tree of the stored hashes, from the first difference on
    _divergence: _Divergence | None = None
    _bad: list[Checkpoint] = field(default_factory=list)
    _kept_good: set[int] = field(default_factory=set)
    _next_offset: int = 0

    @property
    def size(self) -> int:
        return self.log.size

    def feed(self, offsets: Sequence[int], values: Sequence[bytes], stored: Sequence[bytes] | None) -> None:
        """Add records; `stored` are the kept leaf hashes of as many leaves, fewer past the sealed end."""
        hashes = [leaf_hash(value) for value in values]
        if stored is not None and self._kept is None and list(stored) != hashes[: len(stored)]:
            self._diverge(offsets, hashes, stored)
        if self._kept is not None:
            self._grow_kept(stored or [])
        for stop in self._stops(self.log.size, len(hashes)):
            self.log.extend(hashes[stop[0] : stop[1]])
            if stop[2] and self.log.root() != stop[2].root:
                self._bad.append(stop[2])
        self._next_offset = offsets[-1] + 1 if offsets else self._next_offset

    def finish(self, rest: Sequence[bytes] = ()) -> list[Finding]:
        """What was found; `rest` are the stored leaf hashes beyond the last record."""
        covered = max((c.size for c in self.checkpoints), default=0)
        if rest and self._divergence is None and covered > self.log.size:
            self._kept = self.log.copy()
            self._divergence = _Divergence(self.log.size, self._next_offset, "removed")
        if self._kept is not None:
            self._grow_kept(rest)
        if self._divergence is not None:
            return [self._explained(self._divergence)]
        if self._bad:
            return [self._unlocated(self._bad[0])]
        if covered > self.log.size:
            return [
                Finding(
                    self.where,
                    f"the log ends after {self.log.size} records, but a signed checkpoint covers {covered}",
                    self._next_offset,
                )
            ]
        return []

    def _diverge(self, offsets: Sequence[int], hashes: Sequence[bytes], stored: Sequence[bytes]) -> None:
        pairs = zip(count(), hashes, stored)  # the shorter ends it: what follows is past either end
        at = next((i for i, ours, kept in pairs if ours != kept), None)
        if at is None:
            return
        displaced, found_later = hashes[at] in stored[at:], stored[at] in hashes[at:]
        kind = {
            (True, True): "reordered",
            (True, False): "removed: the record here is a later one",
            (False, True): "added",
            (False, False): "changed",
        }[displaced, found_later]
        self._kept = self.log.copy()
        self._divergence = _Divergence(self.log.size + at, offsets[at], kind)

    def _grow_kept(self, hashes: Sequence[bytes]) -> None:
        kept = self._kept
        if kept is None:
            return
        for start, end, checkpoint in self._stops(kept.size, len(hashes)):
            kept.extend(hashes[start:end])
            if checkpoint and kept.root() == checkpoint.root:
                self._kept_good.add(checkpoint.size)

    def _stops(self, size: int, more: int) -> list[tuple[int, int, Checkpoint | None]]:
        """Pieces of the next `more` leaves that end at a checkpoint, and the piece after the last."""
        pieces: list[tuple[int, int, Checkpoint | None]] = []
        done = 0
        for checkpoint in self._between(size, size + more):
            pieces.append((done, checkpoint.size - size, checkpoint))
            done = checkpoint.size - size
        return [*pieces, (done, more, None)]

    def _between(self, low: int, high: int) -> list[Checkpoint]:
        first = bisect_right(self.checkpoints, low, key=lambda c: c.size)
        last = bisect_right(self.checkpoints, high, key=lambda c: c.size)
        return list(self.checkpoints[first:last])

    def _explained(self, found: _Divergence) -> Finding:
        covering = next((c for c in self.checkpoints if c.size > found.leaf), None)
        if covering is None:
            problem = "is not the record whose hash was stored; no checkpoint covers it yet"
        elif covering.size in self._kept_good:
            problem = f"{found.kind} after it was sealed as leaf {found.leaf} of {covering.size}"
        elif covering not in self._bad and covering.size <= self.log.size:
            problem = f"its stored hash was changed, the log agrees with the checkpoint of {covering.size}"
        else:
            problem = f"neither log nor stored hashes lead to the signed checkpoint of {covering.size}"
        return Finding(self.where, problem, found.offset)

    def _unlocated(self, bad: Checkpoint) -> Finding:
        sound = max((c.size for c in self.checkpoints if c.size < bad.size), default=0)
        return Finding(
            self.where,
            f"records {sound} to {bad.size - 1} are not those of the signed checkpoint of {bad.size} records",
        )
